//! What is read of `x-detector`, and what is refused.

use super::super::context::Fields;
use super::super::{Settings, yaml};
use super::*;

fn read(text: &str) -> Result<Option<DetectorUse>, Problem> {
    let settings = Settings::default();
    let mut cx = Context::new(&settings, Vec::new(), Fields::Any);
    parse(&mut cx, &yaml::documents(&format!("x-detector: {text}")).remove(0).node.unwrap(), None)
}

#[test]
fn every_algorithm_is_read_with_its_defaults() {
    for (text, parts) in [
        ("{algo: nb_seasonal, key: [a]}", 5),
        ("{algo: peer_z, key: [a], peers: [b], features: [{field: x, log: true}, {field: y}]}", 6),
        ("{algo: cusum, key: [a]}", 5),
        ("{algo: cusum, key: [a], bad: \"o == 'failure'\"}", 5),
        ("{algo: duration_shift, key: [a], duration: ms}", 5),
        ("{algo: ratio, key: [a], bad: \"o == 'failure'\"}", 5),
        ("{algo: beacon, key: [r, d], peers: [d, k], by: j, amount: bytes, runner: r}", 5),
        ("{algo: mix_shift, key: [a], class: event.action}", 5),
        ("{algo: silence, key: [event.source]}", 4),
        ("{algo: entropy, field: dst.domain, label: true}", 1),
    ] {
        let found = read(text).unwrap().unwrap();
        assert_eq!(found.observed.len(), parts, "{text}");
    }
    let found = read("{algo: silence, key: s}").unwrap().unwrap();
    assert!(matches!(found.spec, DetectorSpec::Silence(of) if of == SilenceSpec::default()));
    let text = "{algo: nb_seasonal, key: [a, b], p: 1e-4, min: 7, bucket: 10m, memory: 30d, shadow: 7d, freeze: 2d, \
                zone: 'CET-1CEST,M3.5.0,M10.5.0/3', exposure: \"c == 'run'\"}";
    let Some(DetectorUse { spec: DetectorSpec::Counts(of), .. }) = read(text).unwrap() else { panic!("counts") };
    assert_eq!((of.p, of.count_min, of.has_exposure, of.frame.bucket_ms), (1e-4, 7, true, 600_000));
    assert_eq!((of.frame.shadow_ms, of.frame.freeze_max_ms), (7 * 86_400_000, 2 * 86_400_000));
}

#[test]
fn what_would_not_be_heeded_is_refused() {
    for (text, why) in [
        ("{key: [a]}", "`x-detector` has no `algo`"),
        ("{algo: nb_sesonal, key: [a]}", "unknown detector `nb_sesonal`"),
        ("{algo: nb_seasonal}", "`x-detector` has no `key`"),
        ("{algo: nb_seasonal, key: [a], threshold: 3}", "unknown key `threshold` in x-detector with algo nb_seasonal"),
        ("{algo: nb_seasonal, key: [a], bucket: 1 hour}", "bucket `1 hour` is no span"),
        ("{algo: nb_seasonal, key: [a], bucket: 30s}", "`bucket` is shorter than a minute or longer than a day"),
        ("{algo: nb_seasonal, key: [a], memory: 1m}", "`memory` is shorter than a bucket"),
        ("{algo: nb_seasonal, key: [a], p: 1%}", "`p` needs a number above 0 to 0.5"),
        ("{algo: nb_seasonal, key: [a], min: 0}", "`min` needs a whole number from 1 to 1000000"),
        (
            "{algo: nb_seasonal, key: [a], zone: Europe/Berlin}",
            "zone `Europe/Berlin` is no time zone as POSIX writes it",
        ),
        ("{algo: ratio, key: [a]}", "`x-detector` has no `bad`"),
        ("{algo: cusum, key: [a], bad: \"a == 1\", exposure: \"a == 2\"}", "`exposure` beside `bad`"),
        ("{algo: duration_shift, key: [a]}", "`x-detector` has no `duration`"),
        ("{algo: peer_z, key: [a]}", "`x-detector` has no `features`"),
        (
            "{algo: peer_z, key: [a], features: [{field: x, floor: 0}]}",
            "`floor` needs a number from 0.000001 to 1000000000",
        ),
        ("{algo: entropy, key: [a], field: x}", "unknown key `key` in x-detector with algo entropy"),
        ("{algo: mix_shift, key: [a]}", "`x-detector` has no `class`"),
        ("{algo: beacon, key: [a], peers: [a, b]}", "`x-detector` has no `runner`"),
    ] {
        let problem = read(text).unwrap_err();
        assert!(problem.message == why && problem.hint.is_some(), "{text}: {problem:?}");
    }
}
