//! Small incidents: who is told, what joins, what merges, what closes.

use std::sync::Arc;

use model::{
    AlertState, Fingerprint, IncidentRecord, IncidentState, Joint, RuleRef, Severity, Sha256, Timestamp, Urgency,
    from_snapshot, to_snapshot,
};

use super::*;

const HOUR_S: i64 = 3_600;

/// An alert of rule `rule` under this key.
fn alert(rule: &str, key: &str, seconds: i64) -> Opening {
    Opening {
        at: Timestamp::from_ms(seconds * 1_000),
        fingerprint: Fingerprint::new(rule, [("k", key)]),
        state: AlertState::Firing,
        urgency: Urgency::Page,
        severity: Severity::High,
        rule: RuleRef { id: rule.into(), name: None, title: rule.to_owned(), version: Sha256::of(b"") },
        composite: None,
        group: vec![("k".to_owned(), key.to_owned())],
        repo: Some(format!("acme/{key}")),
        owner: None,
        evidence: Vec::new(),
    }
}

fn ticket(rule: &str, key: &str, seconds: i64) -> Opening {
    Opening { urgency: Urgency::Ticket, ..alert(rule, key, seconds) }
}

fn composite(key: &str, seconds: i64) -> Opening {
    Opening { composite: Some("adds-up".into()), ..alert(&format!("composite-{key}"), key, seconds) }
}

/// Joints of its own.
fn own(keys: &[&str]) -> Vec<Near> {
    let near = |key: &&str| Near { joint: Joint { kind: "run".into(), key: Arc::from(*key) }, from: None };
    keys.iter().map(near).collect()
}

/// Joints on a way from the first, which is its own.
fn chain(keys: &[&str]) -> Vec<Near> {
    own(keys).into_iter().enumerate().map(|(at, near)| Near { from: at.checked_sub(1), ..near }).collect()
}

struct Desk {
    incidents: Incidents,
    told: Vec<IncidentRecord>,
}

impl Desk {
    fn new() -> Desk {
        Desk::of(IncidentLimits::DEFAULT)
    }

    fn of(limits: IncidentLimits) -> Desk {
        Desk { incidents: Incidents::new(limits), told: Vec::new() }
    }

    /// `state because` of the records that come of an alert.
    fn take(&mut self, alert: &Opening, around: &[Near]) -> Vec<String> {
        let mut records = Vec::new();
        self.incidents.take(alert, around, &mut |record| records.push(record));
        let short = |of: &IncidentRecord| {
            let because = of.because.map_or("", ToldBecause::name);
            assert_eq!(of.told, of.because.is_some_and(ToldBecause::is_told));
            format!("{} {because}", of.state.name()).trim().to_owned()
        };
        let short = records.iter().map(short).collect();
        self.told.extend(records);
        short
    }

    fn last(&self) -> &IncidentRecord {
        self.told.last().expect("a record")
    }
}

#[test]
fn the_first_page_is_told_and_later_ones_join_over_the_shortest_way() {
    let mut desk = Desk::new();
    assert_eq!(desk.take(&alert("a", "1", 0), &own(&["r1", "d1"])), ["opened first"]);
    let first = desk.last().incident;
    assert_eq!(desk.take(&alert("b", "2", 60), &chain(&["d2", "j2", "d1"])), ["joined joined"]);
    let last = desk.last();
    assert_eq!((last.incident, last.alerts, last.pages, last.pages_told), (first, 2, 2, 1));
    assert_eq!(last.repos, ["acme/1", "acme/2"]);
    let way: Vec<&str> = last.joins[0].path.iter().map(|joint| &*joint.key).collect();
    assert_eq!((way, last.joins[0].alert), (vec!["d2", "j2", "d1"], Fingerprint::new("a", [("k", "1")])));
    assert_eq!(desk.take(&alert("c", "3", 61), &own(&["d3"])), ["opened first"], "it shares nothing");
    assert_ne!(desk.last().incident, first);
    assert_eq!(
        desk.take(&alert("d", "4", 62), &own(&["j2"])),
        ["opened first"],
        "what was passed on the way joins nobody"
    );
}

#[test]
fn one_poisoned_action_in_forty_repositories_is_one_page_that_names_forty() {
    let mut desk = Desk::new();
    for n in 0..40 {
        desk.take(&alert("a", &format!("{n:02}"), n), &chain(&[&format!("r{n}"), "poisoned"]));
        desk.incidents.take(&alert("b", &format!("{n:02}"), n), &own(&[&format!("r{n}"), "poisoned"]), &mut |_| ());
    }
    let last = desk.take(&alert("z", "00", 50), &own(&["poisoned"]));
    assert_eq!(last, ["joined joined"]);
    assert_eq!((desk.last().repos.len(), desk.last().pages_told), (40, 1));
    assert_eq!(desk.incidents.held().folded, 80);
}

#[test]
fn merging_never_pages_and_the_oldest_name_stays() {
    let mut desk = Desk::new();
    for (n, key) in ["r1", "r2", "r3"].iter().enumerate() {
        assert_eq!(desk.take(&alert("a", key, n as i64), &own(&[key])), ["opened first"]);
    }
    let names: Vec<Fingerprint> = desk.told.iter().map(|record| record.incident).collect();
    assert_eq!(desk.take(&alert("b", "x", 9), &chain(&["x", "r3", "r1", "r2"])), ["merged joined"]);
    let last = desk.last();
    let mut others = vec![names[1], names[2]];
    assert_eq!((last.incident, last.alerts, last.pages_told, last.joins.len()), (names[0], 4, 3, 3));
    let mut merged = last.merged.clone();
    merged.sort();
    others.sort();
    assert_eq!(merged, others);
    assert_eq!(desk.take(&alert("c", "y", 10), &own(&["r2"])), ["joined joined"], "its joints are the oldest's now");
    assert_eq!(desk.incidents.held(), IncidentsHeld { open: 1, merged: 2, folded: 2, ..IncidentsHeld::default() });
}

#[test]
fn tickets_keep_being_tickets_and_do_not_swallow_the_first_page() {
    let mut desk = Desk::new();
    assert_eq!(desk.take(&ticket("t", "1", 0), &own(&["r1"])), ["opened ticket"]);
    assert_eq!(desk.take(&ticket("t", "2", 0), &own(&["r2"])), ["opened ticket"]);
    assert_eq!(desk.take(&alert("a", "1", 5), &own(&["r1", "r2"])), ["merged first"]);
    assert_eq!(desk.take(&ticket("u", "1", 6), &own(&["r1"])), ["joined ticket"]);
    let raised = Opening { state: AlertState::Raised, ..alert("u", "1", 7) };
    assert_eq!(desk.take(&raised, &own(&["r1"])), ["again joined"], "it rose in an incident of which its owner knows");
    assert_eq!((desk.last().alerts, desk.last().pages), (4, 2));
}

#[test]
fn each_owner_hears_of_it_once() {
    let mut desk = Desk::new();
    let of = |owner: &str, rule: &str, seconds| Opening { owner: Some(owner.to_owned()), ..alert(rule, "1", seconds) };
    assert_eq!(desk.take(&of("platform", "a", 0), &own(&["r1"])), ["opened first"]);
    assert_eq!(desk.take(&of("platform", "b", 1), &own(&["r1"])), ["joined joined"]);
    assert_eq!(desk.take(&of("registry", "c", 2), &own(&["r1"])), ["joined first"], "nobody told these");
    assert_eq!(desk.take(&of("registry", "d", 3), &own(&["r1"])), ["joined joined"]);
}

#[test]
fn a_composite_pages_a_joined_incident_once_more() {
    let mut desk = Desk::new();
    desk.take(&alert("a", "1", 0), &own(&["r1"]));
    assert_eq!(desk.take(&composite("run", 1), &own(&["r1"])), ["joined composite"]);
    assert_eq!(desk.take(&composite("token", 2), &own(&["r1"])), ["joined joined"], "under each of its keys");
    assert_eq!(desk.take(&composite("alone", 3), &own(&["r9"])), ["opened first"]);
    assert_eq!(desk.take(&composite("again", 4), &own(&["r9"])), ["joined joined"], "it was the page");
    assert_eq!(desk.take(&composite("both", 5), &own(&["r1", "r9"])), ["merged joined"]);
}

#[test]
fn a_page_that_woke_somebody_has_its_own_life_and_silence_for_a_day_ends() {
    let mut desk = Desk::new();
    let repeat = |rule: &str, seconds| Opening { state: AlertState::Repeat, ..alert(rule, "1", seconds) };
    desk.take(&alert("a", "1", 0), &own(&["r1"]));
    assert_eq!(desk.take(&alert("b", "1", 1), &own(&["r1"])), ["joined joined"]);
    assert!(desk.take(&repeat("a", 2 * HOUR_S), &own(&["r1"])).is_empty(), "its alert record tells it again");
    assert!(desk.take(&repeat("b", 3 * HOUR_S), &own(&["r1"])).is_empty());
    assert_eq!(desk.take(&alert("a", "1", 5 * HOUR_S), &own(&["r1"])), ["again again"], "it opened anew");
    assert!(desk.take(&repeat("b", 28 * HOUR_S), &own(&["r1"])).is_empty());
    assert_eq!(desk.take(&repeat("b", 30 * HOUR_S), &own(&["r1"])), ["again again"], "nobody was paged for a day");
    assert_eq!(desk.take(&alert("c", "1", 55 * HOUR_S), &own(&["r1"])), ["joined again"]);
}

#[test]
fn an_incident_closes_when_nothing_was_told_for_three_days_and_the_next_alert_opens_another() {
    let mut desk = Desk::new();
    desk.take(&alert("a", "1", 0), &own(&["r1"]));
    let first = desk.last().incident;
    assert_eq!(desk.take(&alert("b", "1", 72 * HOUR_S), &own(&["r1"])), ["joined again"], "events come before timers");
    assert_eq!(desk.take(&alert("c", "1", 144 * HOUR_S + 1), &own(&["r1"])), ["closed", "opened first"]);
    let closed = &desk.told[desk.told.len() - 2];
    assert_eq!((closed.incident, closed.event_time.ms()), (first, 144 * HOUR_S * 1_000));
    let mut ends = Vec::new();
    desk.incidents.expire(Timestamp::MAX, &mut |record| ends.push(record.state));
    assert_eq!((ends, desk.incidents.held().open), (vec![IncidentState::Closed], 0));
    assert!(
        desk.incidents.by_anchor.is_empty() && desk.incidents.by_member.is_empty() && desk.incidents.quiet.is_empty()
    );
}

#[test]
fn limits_give_up_what_paged_nobody_first_and_count_it() {
    let mut desk = Desk::of(IncidentLimits { incidents_max: 2, members_max: 3 });
    desk.take(&alert("a", "1", 0), &own(&["r1"]));
    desk.take(&ticket("t", "2", 5), &own(&["r2"]));
    assert_eq!(desk.take(&alert("a", "3", 6), &own(&["r3"])), ["closed", "opened first"]);
    assert!(desk.told[2].evicted && desk.told[2].incident == desk.told[1].incident, "the younger one, a ticket");
    for n in 0..10 {
        let rule = format!("b{n}");
        assert_eq!(desk.take(&alert(&rule, "1", 10 + n), &own(&["r1", &rule])), ["joined joined"]);
    }
    assert_eq!((desk.last().alerts, desk.incidents.held().evicted, desk.incidents.held().cut), (11, 1, 16));
    assert_eq!(desk.take(&alert("z", "1", 50), &own(&["b9"])), ["closed", "opened first"], "a joint that was not kept");
}

#[test]
fn a_snapshot_goes_on_with_the_same_records() {
    let alerts: Vec<(Opening, Vec<Near>)> = (0..200i64)
        .map(|n| {
            let (rule, key) = (format!("rule{}", n % 7), format!("{}", n % 31));
            let of = if n % 5 == 0 { composite(&key, n * 900) } else { alert(&rule, &key, n * 900) };
            (of, chain(&[&format!("r{}", n * 7 % 60), &format!("d{}", n * 3 % 25)]))
        })
        .collect();
    let mut whole = Desk::new();
    alerts.iter().for_each(|(alert, around)| drop(whole.take(alert, around)));
    for cut in [0, 1, 50, 133, 199] {
        let (mut one, mut other) = (Desk::new(), Desk::new());
        alerts[..cut].iter().for_each(|(alert, around)| drop(one.take(alert, around)));
        let bytes = to_snapshot(&one.incidents.snapshot()).expect("written");
        other.incidents.restore(from_snapshot(&bytes).expect("read"));
        other.told = one.told;
        alerts[cut..].iter().for_each(|(alert, around)| drop(other.take(alert, around)));
        assert_eq!((&other.told, other.incidents.held()), (&whole.told, whole.incidents.held()));
    }
    assert!(whole.told.iter().any(|record| record.state == IncidentState::Merged), "there is something to lose");
}

#[test]
fn a_record_is_read_back_as_it_was_written() {
    let mut desk = Desk::new();
    desk.take(&alert("a", "1", 0), &own(&["r1"]));
    desk.take(&alert("a", "2", 1), &own(&["r2"]));
    desk.take(&alert("b", "1", 2), &own(&["r1", "r2"]));
    desk.incidents.expire(Timestamp::MAX, &mut |record| desk.told.push(record));
    for record in &desk.told {
        let line = serde_json::to_string(record).expect("written");
        assert!(line.starts_with(r#"{"type":"incident","schema":1,"state":""#), "{line}");
        assert_eq!(&serde_json::from_str::<IncidentRecord>(&line).expect("read"), record);
    }
}
