//! What anchors contribute, and that no order of arrival changes it.

use std::sync::Arc;

use model::{Event, EventClass, Sha256, Timestamp, Trust, Verdict};
use serde_json::{Value, json};

use super::*;
use crate::buckets::Buckets;
use crate::contribution::MINUTE_MS;

const MINUTE: i64 = MINUTE_MS;

fn event(class: &str, at_ms: i64, fields: Value) -> Event {
    let outcome = fields.get("event.outcome").and_then(Value::as_str).and_then(Verdict::by_name);
    let action = fields.get("event.action").and_then(Value::as_str).map(str::to_owned);
    let text = format!("{class}{at_ms}{fields}");
    let fields = fields.as_object().cloned().unwrap_or_default().into_iter().collect();
    Event {
        id: None,
        class: EventClass::by_name(class),
        action,
        outcome: outcome.unwrap_or(Verdict::Unknown),
        time: Some(Timestamp::from_ms(at_ms)),
        source: "s".into(),
        trust: Trust::ControlPlane,
        sha256: Sha256::of(text.as_bytes()),
        fields,
    }
}

fn of(codes: &[&str]) -> Arc<[Definition]> {
    let all = Definition::shipped().expect("definitions");
    all.into_iter().filter(|of| codes.contains(&&*of.code)).collect()
}

/// The sums of each indicator after events in order of time, the watermark up to `until`.
fn sums(codes: &[&str], mut events: Vec<Event>, until: i64) -> Vec<(String, Sums)> {
    events.sort_by_key(|event| event.time);
    let mut matcher = Matcher::new(of(codes), Limits::default());
    let mut buckets = Buckets::new(10_000);
    for event in &events {
        matcher.advance(event.time.expect("a time").ms(), &mut |told, _| buckets.add(told));
        matcher.observe(event, &mut |told, _| buckets.add(told));
    }
    matcher.advance(until, &mut |told, _| buckets.add(told));
    total(&buckets)
}

fn total(buckets: &Buckets) -> Vec<(String, Sums)> {
    let mut all: std::collections::BTreeMap<String, Sums> = Default::default();
    buckets.rows().into_iter().for_each(|(key, sums)| *all.entry(key.indicator.to_string()).or_default() += *sums);
    all.into_iter().collect()
}

fn one(code: &str, events: Vec<Event>, until: i64) -> Sums {
    sums(&[code], events, until).pop().map(|(_, sums)| sums).unwrap_or_default()
}

#[test]
fn all_twenty_are_read() {
    let all = Definition::shipped().unwrap_or_else(|error| panic!("{error}"));
    let codes: Vec<&str> = all.iter().map(|of| &*of.code).collect();
    let expected: Vec<String> =
        ["A", "B"].iter().flat_map(|set| (1..=10).map(move |number| format!("{set}-M{number}"))).collect();
    assert_eq!(codes, expected);
}

#[test]
fn what_is_wrong_is_said_at_once_with_path_and_hint() {
    let text = "code: X\nkind: share\nname: n\ntarget: t\nsql: s\nwithin: 5 min\nfoo: 1\nanchors:\n  - class: ci.runn\n    \
                where: {prov.diges: a, ok: {}}\n    god: 1\nneeds:\n  - class: ci.run\n";
    let error = Definition::parse("x.yaml", text).expect_err("is broken").to_string();
    for part in [
        "x.yaml: kind: \"share\" does not fit (hint: ratio, rate, count or duration)",
        "x.yaml: within: \"5 min\" does not fit",
        "x.yaml: foo: unknown key (hint: anchors, code,",
        "x.yaml: anchors[0].class: no class \"ci.runn\"",
        "x.yaml: anchors[0].where.prov.diges: unknown field",
        "x.yaml: anchors[0].where.ok: is no test",
        "x.yaml: anchors[0].god: unknown key",
        "x.yaml: needs[0].key: is missing",
        "x.yaml: deadline: is missing",
        "x.yaml: description: is missing",
    ] {
        assert!(error.contains(part), "{part}\n---\n{error}");
    }
}

#[test]
fn an_anchor_waits_until_its_deadline_inclusive() {
    let build = || event("build.finished", 0, json!({"event.outcome": "success", "prov.digest": "d"}));
    let attested = |at| event("sign.attestation", at, json!({"prov.digest": "d"}));
    let hour = 60 * MINUTE;
    assert_eq!(one("A-M8", vec![build()], hour), Sums::default(), "the hour is not over");
    assert_eq!(one("A-M8", vec![build()], hour + 1), Sums { total: 1, ..Sums::default() });
    let measured = |us, good| Sums { good, total: 1, measured: 1, sum_us: us, ..Sums::default() };
    assert_eq!(one("A-M8", vec![build(), attested(hour)], hour + 1), measured(hour * 1000, 0), "in time, and too slow");
    assert_eq!(one("A-M8", vec![build(), attested(5 * MINUTE)], 0), measured(5 * MINUTE * 1000, 1));
    assert_eq!(one("A-M8", vec![build(), attested(-10 * MINUTE)], 0), measured(0, 1), "told before the build ended");
    assert_eq!(one("A-M8", vec![build(), attested(-10 * MINUTE - 1)], hour + 1).good, 0);
    let other = event("sign.attestation", 1, json!({"prov.digest": "e"}));
    assert_eq!(one("A-M8", vec![build(), other], hour + 1).measured, 0);
}

#[test]
fn all_that_is_needed_has_to_be_there() {
    let build = || event("build.finished", 0, json!({"event.outcome": "success", "prov.digest": "d"}));
    let signed = || event("sign.signature", 1, json!({"prov.digest": "d"}));
    let verified = |ok| event("verify.signature", 2, json!({"prov.digest": "d", "ok": ok}));
    let day = 24 * 60 * MINUTE + 1;
    let good = |events| one("B-M1", events, day).good;
    assert_eq!(good(vec![build(), signed(), verified(true)]), 1);
    assert_eq!(good(vec![build(), signed(), verified(false)]), 0);
    assert_eq!(good(vec![build(), verified(true)]), 0);
}

#[test]
fn a_rate_of_two_kinds_of_events_counts_both() {
    let deployed = || event("deploy.finished", 0, json!({}));
    let refused = |result: &str| event("policy.decision", 1, json!({"result": result}));
    let of = one("A-M4", vec![deployed(), deployed(), deployed(), refused("deny"), refused("allow")], 0);
    assert_eq!(of, Sums { good: 2, total: 3, ..Sums::default() });
}

#[test]
fn what_spoils_an_anchor_may_stand_before_it() {
    let deployed = |at| event("deploy.finished", at, json!({"event.outcome": "success", "prov.digest": "d"}));
    let found =
        |sev: &str| event("vuln.finding", 10, json!({"event.action": "opened", "sev": sev, "prov.digest": "d"}));
    let day = 24 * 60 * MINUTE;
    let bad = |events| {
        let sums = one("B-M6", events, 100 * day);
        sums.total - sums.good
    };
    assert_eq!(bad(vec![found("critical"), deployed(30 * day + 10)]), 1);
    assert_eq!(bad(vec![found("critical"), deployed(30 * day + 11)]), 0);
    assert_eq!(bad(vec![found("high"), deployed(11)]), 0);
}

#[test]
fn maintenance_is_excluded_whenever_it_was_announced() {
    let run = |at: i64, id: &str| event("ci.run", at, json!({"event.action": "started", "prov.run_id": id}));
    let maintenance = |said, team: &str| {
        event("ops.maintenance", said, json!({"from": 100, "to": 200, "prov.team": team, "event.action": "announced"}))
    };
    let over = 25 * 60 * MINUTE;
    for said in [0, 150, over - 1] {
        let of = one("B-M2", vec![run(100, "a"), run(200, "b"), run(201, "c"), maintenance(said, "")], over);
        assert_eq!((of.total, of.good, of.excluded), (1, 0, 2), "said at {said}");
    }
    assert_eq!(one("B-M2", vec![run(100, "a"), maintenance(0, "payments")], over).excluded, 0, "of another team");
}

#[test]
fn a_gap_is_counted_once_and_a_late_number_closes_its_part() {
    let numbered = |at: i64, seq: i64| event("scm.push", at, json!({"event.seq": seq}));
    let of = |events| {
        let sums = one("B-M10", events, 0);
        (sums.good, sums.total)
    };
    assert_eq!(of(vec![numbered(1, 5), numbered(2, 6), numbered(3, 10)]), (3, 6));
    assert_eq!(of(vec![numbered(1, 5), numbered(2, 10), numbered(3, 6), numbered(4, 3), numbered(5, 3)]), (4, 8));
}

#[test]
fn a_count_is_nothing_only_where_somebody_looks() {
    let found = |verified: bool| event("secret.finding", 0, json!({"event.action": "opened", "verified": verified}));
    assert_eq!(one("A-M5", vec![], 0), Sums::default());
    assert_eq!(one("A-M5", vec![found(false)], 0), Sums { seen: 1, ..Sums::default() });
    assert_eq!(one("A-M5", vec![found(true)], 0), Sums { seen: 1, total: 1, ..Sums::default() });
}

#[test]
fn an_alert_is_measured_from_its_first_evidence() {
    let push = |at| event("registry.push", at, json!({"tag": at}));
    let alert = |evidence: Vec<Event>, route: &str| {
        let hashes: Vec<String> = evidence.iter().map(|event| event.sha256.hex()).collect();
        event(
            "alert",
            9_000,
            json!({"event.action": "firing", "route": route, "rule_id": "REG-01", EVIDENCE_FIELD: hashes}),
        )
    };
    let of = one("B-M5", vec![push(4_000), push(2_000), alert(vec![push(4_000), push(2_000)], "page")], 0);
    assert_eq!(of, Sums { good: 1, total: 1, measured: 1, sum_us: 7_000_000, ..Sums::default() });
    assert_eq!(one("B-M5", vec![push(2_000), alert(vec![push(2_000)], "ticket")], 0), Sums::default());
}

/// Numbers that look random, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn some_events(numbers: &mut Numbers) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..60 {
        let at = numbers.below(4 * 60) as i64 * MINUTE;
        let digest = format!("d{}", numbers.below(6));
        let run = format!("r{}", numbers.below(8));
        let team = ["a", "b"][numbers.below(2) as usize];
        let is = numbers.below(2) == 0;
        let fields = |mut own: Value| {
            own["prov.team"] = team.into();
            own["prov.digest"] = digest.as_str().into();
            own["prov.run_id"] = run.as_str().into();
            own
        };
        events.push(match numbers.below(9) {
            0 => event("build.finished", at, fields(json!({"event.outcome": "success"}))),
            1 => event("sign.attestation", at, fields(json!({}))),
            2 => event("verify.signature", at, fields(json!({"ok": is}))),
            3 => event("deploy.finished", at, fields(json!({"event.outcome": "success"}))),
            4 => event("vuln.finding", at, fields(json!({"event.action": "opened", "sev": "critical"}))),
            5 => event("ci.run", at, fields(json!({"event.action": "started"}))),
            6 => event(
                "ci.run",
                at,
                fields(json!({"event.action": "finished", "system_outcome": if is {"ok"} else {"error"}})),
            ),
            7 => event(
                "ops.maintenance",
                at,
                json!({"event.action": "announced", "prov.team": team, "from": at, "to": at + 9 * MINUTE}),
            ),
            _ => event("scm.push", at, fields(json!({"event.seq": numbers.below(40)}))),
        });
    }
    events.dedup_by_key(|event| event.sha256);
    events
}

#[test]
fn late_events_correct_what_was_booked_to_the_last_digit() {
    let codes = ["A-M3", "A-M8", "B-M1", "B-M2", "B-M6", "B-M7", "B-M10"];
    let waited = std::cell::Cell::new(0);
    for seed in 0..200 {
        let mut numbers = Numbers(seed);
        let mut events = some_events(&mut numbers);
        let until = 30 * 24 * 60 * MINUTE;
        events.sort_by_key(|event| (event.time, event.sha256));
        let run = |events: &[Event], limits: Limits| {
            let mut matcher = Matcher::new(of(&codes), limits);
            let (mut buckets, mut newest) = (Buckets::new(10_000), i64::MIN);
            for event in events {
                newest = newest.max(event.time.expect("a time").ms());
                matcher.advance(newest, &mut |told, _| buckets.add(told));
                matcher.observe(event, &mut |told, _| buckets.add(told));
            }
            waited.set(waited.get() + matcher.waiting());
            matcher.advance(until, &mut |told, _| buckets.add(told));
            assert_eq!(matcher.waiting(), 0);
            buckets.rows().into_iter().map(|(key, sums)| (key.clone(), *sums)).collect::<Vec<_>>()
        };
        let in_order = run(&events, Limits::default());
        assert!(in_order.len() > 20);
        // Each number of a source counts for the first event that carries it: the shuffled order must agree on which.
        let mut seen = std::collections::BTreeSet::new();
        events.retain(|event| event.fields.get("event.seq").is_none_or(|number| seen.insert(number.to_string())));
        let in_order_once = run(&events, Limits::default());
        for at in (1..events.len()).rev() {
            events.swap(at, numbers.below(at as u64 + 1) as usize);
        }
        assert_eq!(run(&events, Limits::default()), in_order_once, "seed {seed}");
        assert_eq!(in_order, in_order_once, "seed {seed}");
    }
    assert!(waited.get() > 0, "no anchor ever waited for its deadline");
}

#[test]
fn what_is_held_has_an_end() {
    let build =
        |at: i64| event("build.finished", at, json!({"event.outcome": "success", "prov.digest": format!("d{at}")}));
    let limits = Limits { anchors_max: 3, ..Limits::default() };
    let mut matcher = Matcher::new(of(&["B-M7"]), limits);
    let mut buckets = Buckets::new(100);
    (0..10).for_each(|at| matcher.observe(&build(at), &mut |told, _| buckets.add(told)));
    assert_eq!((matcher.waiting(), matcher.at_limit().anchors, total(&buckets)[0].1.total), (3, 7, 7));
    // Long after, nothing is left of what was held.
    matcher.advance(400 * 24 * 60 * MINUTE, &mut |told, _| buckets.add(told));
    assert_eq!((matcher.waiting(), total(&buckets)[0].1.total), (0, 10));
    assert!(matcher.kept.held.iter().all(held::Held::is_empty));
}
