//! What stands in a container is the same whether it was read ahead or when its turn came.

use std::sync::Arc;

use model::{Event, Invalid};

use super::decode_one;
use crate::format::by_name;

fn decoded(format: &str, record: &str) -> Result<Vec<Event>, Invalid> {
    decode_one(by_name(format).expect(format), &Arc::from("test"), record)
}

/// The same record in a container that is too large to read ahead.
fn large(record: &str) -> String {
    format!("{{{}{}", " ".repeat(20_000), record.strip_prefix('{').expect("an object"))
}

fn report(results: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"List","items":[{{"apiVersion":"wgpolicyk8s.io/v1alpha2","kind":"PolicyReport",
        "results":[{results}],"metadata":{{"name":"p","namespace":"pr\u006fd"}},"scope":{{"name":"pay"}}}}]}}"#
    )
}

#[test]
fn reading_ahead_changes_no_event() {
    let result = |n: usize| {
        format!(
            r#"{{"policy":"p{n}","result":"fail","source":"kyverno","timestamp":{{"seconds":{}}}}}"#,
            1_772_359_200 + n
        )
    };
    let list = |n: usize| (0..n).map(result).collect::<Vec<_>>().join(", ");
    let unsaid = result(1).replace("kyverno", r"\ud800").replace("p1", "1e999");
    let twice = report(&list(2)).replace(r#""metadata""#, &format!(r#""results":[{}],"metadata""#, result(7)));
    for (format, record, events) in [
        ("policy-report", report(&list(3)), 3),
        ("policy-report", report(&list(70)), 70),
        ("policy-report", report(&format!("{}, {unsaid}, {}", result(0), result(2))), 3),
        ("policy-report", twice, 1),
        (
            "osv",
            r#"{"vulns":[{"id":"MAL-1","modified":"2026-09-02T10:00:00Z","affected":[{"package":{"ecosystem":"npm",
            "name":"x"},"versions":["1"]},{"package":{"ecosystem":"npm","name":"y"},"ranges":[{"events":[{"introduced":"0"}]}]}]},
            {"id":"GHSA-2","modified":"2026-09-02T10:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"z"}}]}]}"#
                .to_owned(),
            3,
        ),
        (
            "package-feed",
            r#"{"info":{"name":"A_b","version":"2.0"},"urls":[{"filename":"a.whl","packagetype":"bdist_wheel","size":1,
            "upload_time":"2026-09-01T10:00:00"},{"filename":"a.tar.gz","packagetype":"sdist","size":2,"digests":{"sha256":"AA"},
            "upload_time":"2026-09-01T10:00:01"}]}"#
                .to_owned(),
            2,
        ),
    ] {
        let small = decoded(format, &record).expect(&record);
        assert_eq!(small.len(), events, "{record}");
        assert_eq!(Ok(small), decoded(format, &large(&record)), "{record}");
    }
    for results in
        [format!("{}, 7, {}", result(0), result(2)), format!("[{}], null, {{}}", list(2)), "{\"policy\":}".into()]
    {
        let record = report(&results);
        assert_eq!(decoded("policy-report", &record), decoded("policy-report", &large(&record)), "{record}");
    }
}
