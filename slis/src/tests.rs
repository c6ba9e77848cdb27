//! Live and historical values are equal to the last digit, and what is asked of an archive cannot change it.

use std::path::Path;
use std::sync::Arc;

use model::{Arrival, Event, EventClass, Sha256, Timestamp, Trust, Verdict};
use serde_json::{Value as Json, json};

use crate::archive::{Archive, ArchivedEvent, EventWriter, verify};
use crate::buckets::Buckets;
use crate::definition::Definition;
use crate::derive::derive;
use crate::matcher::{Limits, Matcher};
use crate::query::{Cell, QueryLimits, Store, Table};
use crate::report::{Asked, By, Reported, report};

const MINUTE: i64 = 60_000;
const DAY: i64 = 1_440 * MINUTE;

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

fn limits() -> QueryLimits {
    QueryLimits {
        memory_bytes: 256 << 20,
        spill_bytes: 1 << 30,
        rows_max: 100_000,
        threads: 2,
        spill_folder: std::env::temp_dir(),
    }
}

/// Numbers that look random, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_of<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len() as u64) as usize]
    }
}

fn some_events() -> Vec<Event> {
    let mut numbers = Numbers(42);
    let mut events = Vec::new();
    for at in 0..3_000_i64 {
        let time = numbers.below(3 * 1_440) as i64 * MINUTE + at;
        let (action, outcome, fields): (&str, Verdict, Json) = match numbers.below(8) {
            0 => ("finished", Verdict::Success, json!({"event.class": "build.finished"})),
            1 => ("attested", Verdict::Success, json!({"event.class": "sign.attestation"})),
            2 => ("verified", Verdict::Success, json!({"event.class": "verify.signature", "ok": numbers.below(9) > 0})),
            3 => ("sync", Verdict::Success, json!({"event.class": "deploy.finished"})),
            4 => {
                let result = numbers.one_of(&["allow", "allow", "deny"]);
                let ms = numbers.below(4_000) as f64 / 3.0;
                (
                    "decided",
                    Verdict::Success,
                    json!({"event.class": "policy.decision", "result": result, "eval_ms": ms}),
                )
            }
            5 => ("started", Verdict::Success, json!({"event.class": "ci.run"})),
            6 => {
                let (outcome, system) =
                    [(Verdict::Success, "ok"), (Verdict::Error, "error")][numbers.below(2) as usize];
                (
                    "finished",
                    outcome,
                    json!({"event.class": "ci.run", "system_outcome": system, "result": outcome.name()}),
                )
            }
            _ => ("seen", Verdict::Success, json!({"event.class": "scm.push", "event.seq": at})),
        };
        let mut fields: std::collections::BTreeMap<String, Json> =
            fields.as_object().cloned().unwrap_or_default().into_iter().collect();
        let class = fields.remove("event.class").and_then(|name| EventClass::by_name(name.as_str()?));
        fields.insert("prov.digest".to_owned(), json!(format!("sha256:{}", numbers.below(150))));
        fields.insert("prov.run_id".to_owned(), json!(numbers.below(300).to_string()));
        fields.insert("prov.service".to_owned(), json!("cart"));
        fields.insert("prov.team".to_owned(), json!(numbers.one_of(&["payments", "shop's", "<b>"])));
        fields.insert("prov.repo".to_owned(), json!(numbers.one_of(&["a/b", "a/c"])));
        events.push(Event {
            id: Some(format!("e{at}").into()),
            class,
            action: Some(action.to_owned()),
            outcome,
            time: Some(Timestamp::from_ms(time)),
            source: numbers.one_of(&["github", "argocd"]).into(),
            trust: Trust::ControlPlane,
            sha256: Sha256::of(&at.to_le_bytes()),
            fields,
        });
    }
    events
}

fn archived(folder: &Path, events: &[Event], definitions: &Arc<[Definition]>) -> Archive {
    let mut writer = EventWriter::new(Archive::open(folder, None).expect("opens"), 700);
    for (at, event) in events.iter().enumerate() {
        let row =
            ArchivedEvent { event: event.clone(), arrival: Arrival::OnTime, partition: "p".into(), offset: at as i64 };
        writer.put(row);
        if writer.is_full() {
            writer.flush().expect("is written");
        }
    }
    let mut archive = writer.finish().expect("is written");
    let derived = wait(derive(&mut archive, &limits(), definitions.clone(), 1_000_000)).expect("is derived");
    assert_eq!(derived.events, events.len() as u64);
    archive
}

fn ask(store: &Store, definitions: &[Definition], by: By) -> Vec<Reported> {
    let (team, environment, repository) = (None, None, None);
    let asked = Asked { from_ms: 0, to_ms: 2 * DAY, by, team, environment, repository };
    wait(report(store, definitions, &asked)).expect("is reported")
}

#[test]
fn live_and_historical_values_are_equal_to_the_last_digit() {
    let definitions: Arc<[Definition]> = Definition::shipped().expect("definitions").into();
    let mut events = some_events();
    let folder = tempfile::tempdir().expect("a folder");
    archived(folder.path(), &events, &definitions);
    let history = Store::with_archive(&limits(), folder.path()).expect("opens");
    // Live, they come in an order of their own, and the watermark with them; late ones correct.
    let mut numbers = Numbers(7);
    for at in (1..events.len()).rev() {
        events.swap(at, numbers.below(at as u64 + 1) as usize);
    }
    // As late as the whole span: later than that is beyond what a matcher promises to correct.
    let late = Limits { corrects_ms: 4 * DAY, ..Limits::default() };
    let (mut matcher, mut buckets) = (Matcher::new(definitions.clone(), late), Buckets::new(1_000_000));
    let mut newest = i64::MIN;
    for event in &events {
        newest = newest.max(event.time.expect("a time").ms());
        matcher.advance(newest, &mut |told, _| buckets.add(told));
        matcher.observe(event, &mut |told, _| buckets.add(told));
    }
    let live = Store::with_buckets(&limits(), &buckets).expect("is a store");
    for by in [By::Whole, By::Team, By::Environment, By::Repository, By::Label] {
        let (old, new) = (ask(&history, &definitions, by), ask(&live, &definitions, by));
        assert_eq!(old, new, "{by:?}");
        let with_data = old.iter().filter(|of| of.values.iter().any(|value| value.value.is_some())).count();
        assert!(with_data >= 10, "{by:?}: {with_data} indicators have data");
    }
    let by_team = ask(&history, &definitions, By::Team);
    assert!(by_team[0].values.iter().any(|value| value.key == "shop's"), "{:?}", by_team[0]);
}

#[test]
fn no_data_is_neither_a_number_nor_zero() {
    let definitions = Definition::shipped().expect("definitions");
    let store = Store::with_buckets(&limits(), &Buckets::new(1)).expect("is a store");
    for reported in ask(&store, &definitions, By::Whole) {
        let [value] = reported.values.as_slice() else { panic!("one value") };
        assert_eq!((value.value, value.interval, value.quantiles), (None, None, None), "{}", reported.definition);
    }
}

fn select(store: &Store, sql: &str) -> Result<Table, String> {
    wait(store.select(sql)).map_err(|error| error.to_string())
}

#[test]
fn an_archive_answers_and_cannot_be_changed() {
    let definitions: Arc<[Definition]> = Definition::shipped().expect("definitions").into();
    // A name that looks like a pattern and like an encoded one.
    let outer = tempfile::tempdir().expect("a folder");
    let folder = outer.path().join("an archive [1] 100%25?");
    archived(&folder, &some_events(), &definitions);
    let store = Store::with_archive(&limits(), &folder).expect("opens");
    let counted = select(&store, "SELECT count(*) AS n, min(time) AS first FROM events").expect("answers");
    assert_eq!(counted.columns, ["n", "first"]);
    assert_eq!(counted.rows[0][0], Cell::Int(3_000));
    let classes = select(&store, "SELECT class, count(*) FROM events GROUP BY class ORDER BY class").expect("answers");
    assert_eq!(classes.rows.len(), 7);
    let empty = select(&store, "SELECT cve FROM events WHERE cve IS NOT NULL").expect("a column that no file has");
    assert_eq!(empty.rows.len(), 0);
    let target = outer.path().join("out.parquet");
    for (sql, part) in [
        ("SELEC 1", "Expected"),
        ("SELECT nothing FROM events", "nothing"),
        ("SELECT * FROM event", "event"),
        ("DROP TABLE events", "only SELECT"),
        ("INSERT INTO events SELECT * FROM events", "only SELECT"),
        (&format!("COPY events TO '{}'", target.display()), "only SELECT"),
        ("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/tmp/'", "only SELECT"),
        ("SET datafusion.execution.batch_size = 1", "only SELECT"),
        ("SELECT * FROM '/etc/passwd'", "passwd"),
    ] {
        let error = select(&store, sql).expect_err(sql);
        assert!(error.contains(part), "{sql}: {error}");
    }
    assert!(!target.exists());
    assert_eq!(verify(&folder, None, None).expect("holds").1, []);
}

#[test]
fn what_is_too_much_is_said_and_not_tried() {
    let store = |memory_bytes, rows_max| {
        let limits = QueryLimits { memory_bytes, rows_max, spill_bytes: 0, ..limits() };
        Store::new(&limits).expect("a store")
    };
    let cut = select(&store(1 << 30, 5), "SELECT * FROM (VALUES (1),(2),(3),(4),(5),(6)) AS t(n)").expect("answers");
    assert_eq!((cut.rows.len(), cut.is_cut), (5, true));
    let long = format!("SELECT {}1", "1+".repeat(40_000));
    assert!(select(&store(1 << 30, 5), &long).expect_err("is long").contains("longer than"));
    let deep = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    select(&store(1 << 30, 5), &deep).expect_err("is deep");
    let names = (0..18).map(|at| format!("t{at}")).collect::<Vec<_>>();
    let joined = names.iter().map(|name| format!("(VALUES (1),(2),(3),(4)) AS {name}(n)")).collect::<Vec<_>>();
    let wide = format!("SELECT DISTINCT * FROM {}", joined.join(" CROSS JOIN "));
    let error = select(&store(16 << 20, 5), &wide).expect_err("needs memory");
    assert!(error.contains("more memory"), "{error}");
}
