//! Objectives while events come: what is told follows from the events, not from how they came.

use model::{Event, EventClass, Sha256, Trust, Urgency, Verdict};
use serde_json::json;

use super::*;
use crate::burn::{Series, judge};

const DAYS: i64 = 86_400_000;

const SLO: &str = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: rejections}\nspec:\n  indicatorRef: B-M4\n  timeWindow: \
                   [{duration: 30d, isRolling: true}]\n  objectives: [{targetPercent: 99}]\n  x-alerting: {owner: o, runbook: r, \
                   by: BY}\n";

fn set(by: &str) -> Arc<ObjectiveSet> {
    let text = SLO.replace("BY", by);
    Arc::new(ObjectiveSet::read([("slo.yaml", text.as_str())]).unwrap_or_else(|error| panic!("{error:?}")))
}

/// An admission decision at a minute, numbered.
fn decided(number: i64, at_ms: i64, result: &str, team: &str) -> Event {
    let fields = [("result", json!(result)), ("prov.service", json!("cart")), ("prov.team", json!(team))];
    Event {
        id: Some(format!("d{number:06}").into()),
        class: Some(EventClass::PolicyDecision),
        action: Some("decided".to_owned()),
        outcome: Verdict::Success,
        time: Some(Timestamp::from_ms(at_ms)),
        source: "opa".into(),
        trust: Trust::ControlPlane,
        sha256: Sha256::of(&number.to_le_bytes()),
        fields: fields.map(|(name, value)| (name.to_owned(), value)).into(),
    }
}

/// A decision every ten seconds for some hours; from `from` to `to` (minutes) half of them refuse.
fn history(hours: i64, bad: std::ops::Range<i64>) -> Vec<Event> {
    (0..hours * 360)
        .map(|number| {
            let at_ms = number * 10_000;
            let is_bad = bad.contains(&(at_ms / MINUTE_MS)) && number % 2 == 0;
            decided(number, at_ms, if is_bad { "deny" } else { "allow" }, if number % 3 == 0 { "pay" } else { "shop" })
        })
        .collect()
}

/// What is told: the close, the urgency (None: it ended), whose, and the events named.
type Told = (i64, Option<Urgency>, String, Vec<String>);

/// Drives objectives as a lane does: minutes close before what comes behind them, and none behind the last event.
fn told(state: &mut Objectives, set: &ObjectiveSet, events: &[Event]) -> Vec<Told> {
    let mut told = Vec::new();
    for (offset, event) in (0..).zip(events) {
        let time = event.time.expect("a time");
        while state.next_close().is_some_and(|due| due < time) {
            state.close_buckets(&mut |derived| told.push(of(derived)));
        }
        let position = Position { partition: Partition { source: "opa".into(), name: "p".into() }, offset };
        let (source, id) = (event.source.clone(), event.id.clone().expect("an id"));
        let order = EventOrder { time, source, id, sha256: event.sha256 };
        let whole = set.pack(event, Arrival::OnTime, position.clone());
        let packed = whole.or_else(|| set.pack_evidence(&order, Arrival::OnTime, position)).expect("is looked at");
        state.apply(*packed, &mut |derived| told.push(of(derived)));
    }
    told
}

fn of(derived: Derived) -> Told {
    let whose = |key: &[(String, String)]| key.iter().map(|(_, text)| text.as_str()).collect::<String>();
    match derived {
        Derived::Holds(found) => {
            let named = found.evidence.iter().map(|of| of.id.to_string()).collect();
            (found.time().ms() + 1, Some(found.urgency), whose(&found.key), named)
        }
        Derived::Resolves(end) => (end.place.time().ms() + 1, None, String::new(), vec![end.evidence.id.to_string()]),
        Derived::Heard(..) => panic!("objectives say nothing of sources"),
    }
}

#[test]
fn it_fires_and_ends_at_the_closes_that_the_whole_history_says() {
    let set = set("whole");
    let events = history(10, 120..150);
    let told = told(&mut Objectives::new(set.clone(), Shared::default()), &set, &events);
    let mut series = Series::default();
    for event in &events {
        let good = i64::from(event.fields["result"] == "allow");
        series.add(event.time.expect("a time").ms(), Counts { good, total: 1 });
    }
    let policy = &set.running[0].slo.policy;
    let mut expected = Vec::new();
    let mut before = None;
    for minute in 1..10 * 60 {
        let now = judge(policy, &series, minute * MINUTE_MS).urgency;
        if now.is_some() || before.is_some() {
            expected.push((minute * MINUTE_MS, now));
        }
        before = now;
    }
    let closes: Vec<(i64, Option<Urgency>)> = told.iter().map(|(at, urgency, ..)| (*at, *urgency)).collect();
    assert_eq!(closes, expected);
    let pages = closes.iter().filter(|(_, urgency)| *urgency == Some(Urgency::Page)).count();
    assert!(pages > 20 && closes.last().is_some_and(|(_, urgency)| urgency.is_none()), "{closes:?}");
    // What spent the budget is named, and nothing else: the last sixteen that were refused.
    let (first_at, _, _, named) = told.first().expect("fires");
    let refused = events.iter().filter(|event| event.fields["result"] == "deny");
    let so_far = refused.filter(|event| event.time.expect("a time").ms() < *first_at).count();
    assert_eq!(named.len(), so_far.min(EVIDENCE_MAX));
    assert!(told.iter().any(|(.., named)| named.len() == EVIDENCE_MAX));
    for id in named {
        let event = events.iter().find(|event| event.id.as_deref() == Some(id)).expect("an event");
        assert!(event.fields["result"] == "deny" && event.time.expect("a time").ms() < *first_at);
    }
}

/// A page about an event, so many minutes after it.
fn page_about(event: &Event, minutes: i64) -> Event {
    let number = event.time.expect("a time").ms() + minutes * MINUTE_MS;
    let fields = [("route", json!("page")), ("evidence_sha256", json!([event.sha256.hex()]))];
    let fields = fields.map(|(name, value)| (name.to_owned(), value)).into();
    let (class, action) = (Some(EventClass::Alert), Some("firing".to_owned()));
    Event { class, action, source: OWN.into(), fields, ..decided(number, number, "", "") }
}

#[test]
fn pages_are_measured_from_the_events_that_they_name_whatever_these_are() {
    let text = SLO.replace("B-M4", "B-M5").replace("BY", "whole");
    let set = Arc::new(ObjectiveSet::read([("slo.yaml", text.as_str())]).unwrap_or_else(|error| panic!("{error:?}")));
    // Of four pages one names what happened 90 minutes before; an hour is in time. The events are of no class: raw records.
    let attacks = (0..40).map(|number| Event { class: None, ..decided(number, number * 10 * MINUTE_MS, "", "") });
    let mut events: Vec<Event> = attacks.zip(0..).flat_map(|(of, n)| [page_about(&of, n % 4 * 30), of]).collect();
    events.sort_by_key(|event| (event.time, event.class.is_some()));
    let shared = Shared::default();
    let whole = told(&mut Objectives::new(set.clone(), shared.clone()), &set, &events);
    let counted = shared.get().counters.values().fold((0, 0), |(good, total), of| (good + of.good, total + of.total));
    assert_eq!(counted, (30, 40));
    assert!(whole.iter().any(|(_, urgency, ..)| *urgency == Some(Urgency::Page)), "{whole:?}");
    for cut in [3, 20, 41, 70] {
        let mut first = Objectives::new(set.clone(), Shared::default());
        let mut both = told(&mut first, &set, &events[..cut]);
        let mut second = Objectives::new(set.clone(), Shared::default());
        second.restore(&first.snapshot().expect("is kept")).expect("is restored");
        both.extend(told(&mut second, &set, &events[cut..]));
        assert_eq!(both, whole, "cut at {cut}");
    }
}

#[test]
fn an_alert_of_a_minute_that_is_over_opens_no_minute_again() {
    let set = set("whole");
    let mut state = Objectives::new(set.clone(), Shared::default());
    told(&mut state, &set, &[decided(1, 30_000, "deny", "pay")]);
    let mut closes = Vec::new();
    while state.next_close().is_some_and(|due| due < Timestamp::from_ms(40 * DAYS)) {
        closes.extend(state.next_close());
        state.close_buckets(&mut |_| {});
    }
    assert_eq!(state.next_close(), None, "nothing is held");
    let last = closes.last().expect("a close").ms();
    told(&mut state, &set, &[decided(2, last, "deny", "pay")]);
    assert_eq!(state.next_close().map(Timestamp::ms), Some(last + MINUTE_MS));
}

#[test]
fn each_team_has_a_budget_of_its_own() {
    let set = set("team");
    let mut events = history(4, 0..0);
    for event in events.iter_mut().filter(|event| event.fields["prov.team"] == "pay") {
        let minute = event.time.expect("a time").ms() / MINUTE_MS;
        if (120..150).contains(&minute) {
            event.fields.insert("result".to_owned(), json!("deny"));
        }
    }
    let told = told(&mut Objectives::new(set.clone(), Shared::default()), &set, &events);
    let whose: std::collections::BTreeSet<&str> =
        told.iter().filter(|(_, urgency, ..)| urgency.is_some()).map(|(.., whose, _)| whose.as_str()).collect();
    assert_eq!(whose, ["pay"].into());
}

#[test]
fn a_state_that_was_kept_goes_on_as_the_one_it_was_kept_of() {
    let set = set("team");
    let events = history(6, 100..160);
    let whole = told(&mut Objectives::new(set.clone(), Shared::default()), &set, &events);
    assert!(whole.len() > 20);
    for cut in [1, 700, 800, 961, 1_500] {
        let mut first = Objectives::new(set.clone(), Shared::default());
        let mut both = told(&mut first, &set, &events[..cut]);
        let mut second = Objectives::new(set.clone(), Shared::default());
        second.restore(&first.snapshot().expect("is kept")).expect("is restored");
        both.extend(told(&mut second, &set, &events[cut..]));
        assert_eq!(both, whole, "cut at {cut}");
    }
}

#[test]
fn where_nothing_happens_nothing_is_judged_and_long_silence_costs_nothing() {
    let set = set("whole");
    let mut state = Objectives::new(set.clone(), Shared::default());
    assert_eq!(state.next_close(), None);
    let mut events = history(1, 10..40);
    events.push(decided(1_000_000, 400 * DAYS, "allow", "shop"));
    let told = told(&mut state, &set, &events);
    assert!(told.last().is_some_and(|(at, urgency, ..)| urgency.is_none() && *at < 2 * DAYS), "{:?}", told.last());
    // The budget of thirty days is over long before the next event: its close is the first that is due.
    assert_eq!(state.next_close(), Some(Timestamp::from_ms(400 * DAYS + MINUTE_MS - 1)));
}

#[test]
fn a_late_event_takes_back_what_was_counted_of_it() {
    let set = set("whole");
    let shared = Shared::default();
    let mut state = Objectives::new(set.clone(), shared.clone());
    told(&mut state, &set, &history(1, 0..0));
    let position = Position { partition: Partition { source: "opa".into(), name: "p".into() }, offset: 9 };
    let late = set.pack(&decided(999_999, 60_000, "deny", "pay"), Arrival::Late, position).expect("is looked at");
    state.apply_late(*late, &mut |_| panic!("a late event tells nothing by itself"));
    let values = shared.get();
    let total: u64 = values.counters.values().map(|of| of.total).sum();
    let good: u64 = values.counters.values().map(|of| of.good).sum();
    assert_eq!((total, good), (361, 360));
    assert!(values.as_of.is_some() && !values.burns.is_empty());
}

#[test]
fn what_comes_along_can_be_read_and_a_page_that_reaches_nobody_is_refused() {
    let set = ObjectiveSet::read(ObjectiveSet::shipped()).unwrap_or_else(|error| panic!("{error:?}"));
    assert!(set.objectives().any(|(name, percent)| name == "POL-07" && percent == 99.0));
    let nobody = SLO.replace("owner: o, runbook: r, by: BY", "by: team");
    let error = ObjectiveSet::read([("x.yaml", nobody.as_str())]).expect_err("pages nobody").join("\n");
    assert!(error.contains("x.yaml: spec.x-alerting: pages nobody"), "{error}");
    let twice = SLO.replace("BY", "team");
    let error =
        ObjectiveSet::read([("x.yaml", twice.as_str()), ("y.yaml", twice.as_str())]).expect_err("twice").join("\n");
    assert!(error.contains("y.yaml: metadata.name: \"rejections\" is taken"), "{error}");
}
