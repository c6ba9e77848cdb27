//! Life and sealing from outside: what is told, when, in which order, at the limit, and what a preview leaves untouched.
//!
//! Whole lives against a model run through the binary; here stands what the binary cannot show.

use std::sync::Arc;

use model::{
    AlertRecord, AlertState, Arrival, Basis, EventOrder, Evidence, Finding, Fingerprint, Partition, Position, RuleInfo,
    Severity, Sha256, Timestamp, Urgency,
};

use crate::{LaneId, Life, Limits, Lost, Mode, Sealer};

mod reentry;
mod silences;

const LIMITS: Limits = Limits {
    open_alerts_max: 100,
    findings_waiting_max: 100_000,
    occurrences_waiting_max: 100_000,
    silences_max: 1_000,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_ms(seconds * 1000)
}

/// Rule `rule` (re-alert period 60 s) holds at an event of this time under this key.
fn finding(rule: &str, key: &str, seconds: i64, urgency: Urgency) -> Finding {
    let info = RuleInfo {
        id: rule.into(),
        name: None,
        title: rule.to_owned(),
        severity: Severity::Low,
        version: Sha256::of(b""),
        tags: Vec::new(),
        realert_ms: Some(60_000),
        owner: None,
        runbook: None,
        group: Vec::new(),
        suppress_when: Vec::new(),
        shadow: false,
        custom: serde_json::Map::new(),
    };
    let id: Arc<str> = format!("{rule}-{key}-{seconds}").into();
    let sha256 = Sha256::of(id.as_bytes());
    Finding {
        rule: Arc::new(info),
        order: EventOrder { time: at(seconds), source: "s".into(), id: id.clone(), sha256 },
        timeless: false,
        key: vec![("k".to_owned(), key.to_owned())],
        fingerprint: Fingerprint::new(rule, [("k", key)]),
        urgency,
        arrival: Arrival::OnTime,
        facts: Vec::new(),
        evidence: vec![Evidence { id, sha256 }],
        basis: Basis::Event,
        position: Position { partition: Partition { source: "s".into(), name: "p".into() }, offset: 0 },
    }
}

fn ticket(rule: &str, key: &str, seconds: i64) -> Finding {
    finding(rule, key, seconds, Urgency::Ticket)
}

/// `state@seconds rule/key ×count` of each record.
fn short(records: &[AlertRecord]) -> Vec<String> {
    let line = |record: &AlertRecord| {
        let seconds = record.event_time.map_or(-1, |time| time.ms() / 1000);
        let key = record.group["k"].as_str().unwrap_or_default();
        format!("{}@{seconds} {}/{key} ×{}", record.state.name(), record.rule.id, record.count)
    };
    records.iter().map(line).collect()
}

fn hold(life: &mut Life, finding: Finding) -> Vec<AlertRecord> {
    let mut told = Vec::new();
    life.hold(finding, &mut |(_, record)| told.push(record));
    told
}

fn offer(sealer: &mut Sealer, lane: LaneId, finding: Finding) -> Vec<AlertRecord> {
    let mut told = Vec::new();
    sealer.offer(lane, finding, &mut |(_, record)| told.push(record));
    told
}

fn advance(sealer: &mut Sealer, lane: LaneId, cursor: Timestamp) -> Vec<AlertRecord> {
    let mut told = Vec::new();
    sealer.advance(lane, cursor, &mut |(_, record)| told.push(record));
    told
}

#[test]
fn a_preview_is_told_once_for_each_urgency_and_changes_nothing() {
    let mut life = Life::new(1000, model::RedactionKey::default());
    let page = |seconds| finding("r", "x", seconds, Urgency::Page);
    let seen = life.preview(&ticket("r", "x", 5)).expect("nobody knows of it");
    assert!(seen.provisional && seen.state == AlertState::Firing);
    assert!(life.preview(&ticket("r", "x", 7)).is_none(), "told already");
    assert!(life.preview(&page(6)).is_some_and(|record| record.urgency == Urgency::Page), "more urgent than told");
    assert_eq!((life.open_alerts(), life.next_timer()), (0, None));
    assert_eq!(short(&hold(&mut life, ticket("r", "x", 5))), ["firing@5 r/x ×1"]);
    assert!(life.preview(&ticket("r", "x", 8)).is_none(), "open");
    assert!(life.preview(&page(9)).is_some_and(|record| record.state == AlertState::Raised));
    assert_eq!(short(&hold(&mut life, page(9))), ["raised@9 r/x ×2"], "the preview did not raise it");
    assert!(
        life.preview(&ticket("r", "x", 70)).is_some_and(|record| record.state == AlertState::Firing),
        "over by then"
    );
}

#[test]
fn evidence_is_the_newest_since_it_was_told() {
    let mut life = Life::new(1000, model::RedactionKey::default());
    hold(&mut life, ticket("r", "x", 0));
    (1..=30).for_each(|second| assert!(hold(&mut life, ticket("r", "x", second)).is_empty()));
    let told = hold(&mut life, ticket("r", "x", 61));
    assert_eq!(short(&told), ["repeat@61 r/x ×32"]);
    let ids: Vec<&str> = told[0].evidence.iter().map(|evidence| evidence.id.as_ref()).collect();
    assert_eq!((ids.len(), ids[0], ids[15], told[0].suppressed), (16, "r-x-16", "r-x-61", 30));
}

#[test]
fn at_the_limit_tickets_go_first_visibly_and_counted() {
    // Two for each virtual shard.
    let mut life = Life::new(128, model::RedactionKey::default());
    let mut told = hold(&mut life, finding("r", "page", 0, Urgency::Page));
    for n in 0..500 {
        told.extend(hold(&mut life, ticket("r", &n.to_string(), 1 + n / 50)));
    }
    let evicted: Vec<&AlertRecord> = told.iter().filter(|record| record.evicted).collect();
    assert!(evicted.len() > 300 && evicted.len() as u64 == life.evicted(), "{}", evicted.len());
    assert!(evicted.iter().all(|record| record.urgency == Urgency::Ticket && record.state == AlertState::Expired));
    let open = life.open_alerts();
    let mut expired = Vec::new();
    while life.next_timer().is_some() {
        life.expire_first(&mut |(_, record)| expired.push(record));
    }
    assert_eq!((expired.len(), life.open_alerts()), (open, 0), "an evicted alert's timer is gone with it");
    assert!(expired.iter().any(|record| record.urgency == Urgency::Page));
    assert_eq!(evicted.len() + expired.len(), 501);
}

#[test]
fn nothing_is_sealed_on_or_behind_the_cursor() {
    let mut sealer = Sealer::new(Mode::Alerts, LIMITS, false);
    let lane = sealer.add_lane();
    for second in [20, 5, 10] {
        assert!(offer(&mut sealer, lane, ticket("r", &second.to_string(), second)).is_empty());
    }
    assert_eq!(short(&advance(&mut sealer, lane, at(10))), ["firing@5 r/5 ×1"]);
    assert_eq!(sealer.waiting(), 2);
    assert!(advance(&mut sealer, lane, at(3)).is_empty(), "a cursor never goes back");
    offer(&mut sealer, lane, ticket("r", "10b", 10));
    assert_eq!(short(&advance(&mut sealer, lane, at(11))), ["firing@10 r/10 ×1", "firing@10 r/10b ×1"]);
    let rest = short(&advance(&mut sealer, lane, Timestamp::MAX));
    assert_eq!((rest.len(), rest[0].as_str(), sealer.open_alerts()), (5, "firing@20 r/20 ×1", 0));
}

#[test]
fn a_slow_source_delays_only_its_own_rules_unless_records_are_merged() {
    for merge in [false, true] {
        let mut sealer = Sealer::new(Mode::Alerts, LIMITS, merge);
        let (fast, slow) = (sealer.add_lane(), sealer.add_lane());
        offer(&mut sealer, fast, ticket("fast", "x", 10));
        offer(&mut sealer, fast, ticket("fast", "y", 90));
        offer(&mut sealer, slow, ticket("slow", "x", 5));
        offer(&mut sealer, slow, ticket("slow", "y", 70));
        let early = short(&advance(&mut sealer, fast, Timestamp::MAX));
        let late = short(&advance(&mut sealer, slow, Timestamp::MAX));
        if merge {
            assert!(early.is_empty(), "{early:?}");
            let order = [
                "firing@5 slow/x ×1",
                "firing@10 fast/x ×1",
                "expired@65 slow/x ×1",
                "firing@70 slow/y ×1",
                "expired@70 fast/x ×1",
                "firing@90 fast/y ×1",
                "expired@130 slow/y ×1",
                "expired@150 fast/y ×1",
            ];
            assert_eq!(late, order, "events before timers of their time, whichever lane they are of");
        } else {
            assert_eq!((early.len(), late.len()), (4, 4));
        }
    }
}

#[test]
fn late_early_and_timeless_findings_stand_alone_at_once() {
    let mut sealer = Sealer::new(Mode::Alerts, LIMITS, true);
    let lane = sealer.add_lane();
    offer(&mut sealer, lane, ticket("r", "x", 10));
    advance(&mut sealer, lane, at(30));
    let late = Finding { arrival: Arrival::Late, ..ticket("r", "x", 20) };
    let early = Finding { arrival: Arrival::Early, ..ticket("r", "x", 900) };
    let timeless = Finding { timeless: true, ..ticket("r", "x", 3) };
    let told: Vec<AlertRecord> =
        [late, early, timeless].into_iter().flat_map(|alone| offer(&mut sealer, lane, alone)).collect();
    assert_eq!(short(&told), ["firing@20 r/x ×1", "firing@900 r/x ×1", "firing@-1 r/x ×1"]);
    assert_eq!(
        told.iter().map(|record| (record.late, record.early)).collect::<Vec<_>>(),
        [(true, false), (false, true), (false, false)]
    );
    assert_eq!(
        short(&advance(&mut sealer, lane, Timestamp::MAX)),
        ["expired@70 r/x ×1"],
        "the open alert knows nothing of them"
    );
}

#[test]
fn what_is_forgotten_is_never_told() {
    let mut sealer = Sealer::new(Mode::EveryMatch, LIMITS, true);
    let lane = sealer.add_lane();
    (0..10).for_each(|second| {
        let mut finding = ticket("r", &(second % 2).to_string(), second);
        finding.position.offset = second;
        assert!(offer(&mut sealer, lane, finding).is_empty())
    });
    sealer.forget(|position| position.offset % 2 == 0);
    assert_eq!(sealer.waiting(), 5);
    let told = short(&advance(&mut sealer, lane, Timestamp::MAX));
    assert_eq!(told, [1, 3, 5, 7, 9].map(|second| format!("match@{second} r/1 ×1")));
}

/// Offers tickets and pages in an order, with a limit, and tells what was sealed and what was lost.
fn sealed_of(findings: &[Finding], findings_waiting_max: usize) -> (Vec<String>, Lost) {
    let mut sealer = Sealer::new(Mode::EveryMatch, Limits { findings_waiting_max, ..LIMITS }, false);
    let lane = sealer.add_lane();
    let mut records = Vec::new();
    for finding in findings {
        sealer.offer(lane, finding.clone(), &mut |_| panic!("nothing is told before its time"));
        assert!(sealer.waiting() <= findings_waiting_max, "{}", sealer.waiting());
    }
    sealer.advance(lane, Timestamp::MAX, &mut |(_, record)| records.push(record));
    (short(&records), sealer.lost())
}

#[test]
fn a_flood_loses_first_and_the_order_of_arrival_does_not_matter() {
    // Keys of one virtual shard: what they share is the limit.
    let print = |key: &str| Fingerprint::new("r", [("k", key)]).shard();
    let keys: Vec<String> =
        (0..100_000).map(|n| n.to_string()).filter(|key| print(key) == print("0")).take(4).collect();
    let [flood, some, few, page] = keys.as_slice() else { panic!("four keys") };
    let mut findings: Vec<Finding> = (0..60).map(|n| ticket("r", flood, n)).collect();
    findings.extend((0..7).map(|n| ticket("r", some, 100 + n)));
    findings.extend((0..2).map(|n| ticket("r", few, 200 + n)));
    findings.extend((0..3).map(|n| finding("r", page, 300 + n, Urgency::Page)));
    // 20 for the tickets of a shard, cut to 16: two keys keep all, the flood its first seven.
    let max = 20 * 2 * model::VIRTUAL_SHARDS;
    let (told, lost) = sealed_of(&findings, max);
    assert_eq!(lost, Lost { pages: 0, tickets: 53 });
    let of = |key: &String| told.iter().filter(|line| line.contains(&format!("r/{key} "))).count();
    assert_eq!([flood, some, few, page].map(of), [7, 7, 2, 3]);
    assert!(told[6].starts_with("match@6 "), "the first ones are kept: {told:?}");
    for step in [5, 7, 11, 41, 71] {
        let mut other: Vec<Finding> = Vec::new();
        (0..findings.len()).for_each(|n| other.push(findings[n * step % findings.len()].clone()));
        assert_eq!(sealed_of(&other, max), (told.clone(), lost), "step {step}");
    }
    // A flood of pages takes nothing from tickets, nor the other way round; at the limit nothing is lost.
    let pages: Vec<Finding> = (0..60).map(|n| finding("r", page, n, Urgency::Page)).collect();
    let (told, lost) = sealed_of(&[&findings[60..69], &pages].concat(), max);
    assert_eq!((lost, told.len()), (Lost { pages: 44, tickets: 0 }, 25));
    assert_eq!(sealed_of(&findings[..20], max).1, Lost::default());
}
