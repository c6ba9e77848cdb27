//! Alerts that re-enter: whoever looks at them sees them in order of time, whatever lane tells them and however cursors move.

use std::rc::Rc;
use std::sync::Mutex;

use super::*;
use crate::Reenter;
use model::{Carried, Correlator, CorrelatorHeld, Derived, Malformed, Occurrence, SourceHealth};

/// What is shown, in order.
type Log = Arc<Mutex<Vec<String>>>;

/// Writes down what it is shown, and closes, which it tells, at the last millisecond of each minute until `end_ms`.
#[derive(Debug)]
struct Witness {
    seen: Log,
    rule: &'static str,
    is_last: bool,
    next_ms: i64,
    end_ms: i64,
}

/// One that looks at alerts.
fn witness(seen: &Log, end_ms: i64) -> Box<Witness> {
    Box::new(Witness { seen: seen.clone(), rule: "own", is_last: true, next_ms: 60_000, end_ms })
}

impl Witness {
    fn note(&self, text: String) {
        self.seen.lock().expect("one thread").push(text);
    }
}

impl Correlator for Witness {
    fn apply(&mut self, event: Occurrence, _: &mut dyn FnMut(Derived)) {
        self.note(format!("{}@{}", event.order.id, event.order.time.ms()));
    }

    fn apply_late(&mut self, event: Occurrence, _: &mut dyn FnMut(Derived)) {
        self.note(format!("late {}@{}", event.order.id, event.order.time.ms()));
    }

    fn next_close(&self) -> Option<Timestamp> {
        (self.next_ms <= self.end_ms).then(|| Timestamp::from_ms(self.next_ms - 1))
    }

    fn closes_last(&self) -> bool {
        self.is_last
    }

    fn close_buckets(&mut self, tell: &mut dyn FnMut(Derived)) {
        self.note(format!("close@{}", self.next_ms));
        let (seconds, close) = (self.next_ms / 1_000, Timestamp::from_ms(self.next_ms - 1));
        let mut own = ticket(self.rule, &seconds.to_string(), seconds);
        own.order.time = close;
        tell(Derived::Holds(Finding { basis: Basis::Timer(close), ..own }));
        self.next_ms += 60_000;
    }

    fn approach(&mut self, _: &mut dyn Iterator<Item = &Occurrence>) {}
    fn preview(&mut self, _: &Occurrence, _: &mut dyn FnMut(Derived)) {}
    fn preview_timers(&mut self, _: Timestamp, _: &mut dyn FnMut(Derived)) {}
    fn heed(&mut self, _: &SourceHealth, _: Timestamp) {}
    fn next_timer(&self) -> Option<Timestamp> {
        None
    }
    fn run_timers(&mut self, _: &mut dyn FnMut(Derived)) {}
    fn held(&self) -> CorrelatorHeld {
        CorrelatorHeld::default()
    }
    fn snapshot(&self) -> Result<Vec<u8>, Malformed> {
        Ok(Vec::new())
    }
    fn restore(&mut self, _: &[u8]) -> Result<(), Malformed> {
        Ok(())
    }
}

/// Opened alerts as events.
#[derive(Debug)]
struct Opened;

impl Reenter for Opened {
    fn event(&self, record: &AlertRecord) -> Option<Box<Occurrence>> {
        let (time, id) = (record.event_time?, record.rule.id.clone());
        let sha256 = Sha256::of(record.explain.as_bytes());
        let order = EventOrder { time, source: "pipewarden".into(), id, sha256 };
        let position = Position { partition: Partition { source: "s".into(), name: "p".into() }, offset: 0 };
        let arrival = if record.late { Arrival::Late } else { Arrival::OnTime };
        let is_opened = record.state == AlertState::Firing;
        is_opened.then(|| {
            Box::new(Occurrence { order, arrival, position, fields: Carried::default(), held: vec![], gate: 0 })
        })
    }
}

/// What is seen when cursors move so many seconds at once: the witness sits in the first of three lanes, behind the others by
/// `behind` seconds, and is sealed last.
fn seen(step: i64, behind: i64, merge: bool) -> (Vec<String>, Vec<String>) {
    let mut sealer = Sealer::new(Mode::Alerts, LIMITS, merge);
    let lanes = [0; 3].map(|_| sealer.add_lane());
    let log = Log::default();
    let place = (lanes[0], sealer.add_correlator(lanes[0], witness(&log, 600_000)));
    let bucket = Witness { rule: "bucket", is_last: false, next_ms: 240_000, ..*witness(&Log::default(), 240_000) };
    sealer.add_correlator(lanes[2], Box::new(bucket));
    sealer.reenter_at(place, Rc::new(Opened));
    let mut told = Vec::new();
    let last_ms = |mut of: Finding| {
        of.order.time = of.order.time.plus_ms(999);
        of
    };
    for (lane, found) in [
        (2, ticket("c", "x", 61)),
        (1, ticket("b", "x", 60)),
        (0, ticket("a", "x", 62)),
        (1, last_ms(ticket("b", "y", 179))),
        (1, ticket("b", "z", 500)),
    ] {
        told.extend(offer(&mut sealer, lanes[lane], found));
    }
    for now in (0..=700).step_by(step as usize).chain([701]) {
        told.extend(advance(&mut sealer, lanes[1], at(now)));
        told.extend(advance(&mut sealer, lanes[2], at(now)));
        told.extend(advance(&mut sealer, lanes[0], at((now - behind).max(0))));
    }
    told.extend(advance(&mut sealer, lanes[0], at(701)));
    let seen = log.lock().expect("one thread").clone();
    (seen, short(&told))
}

#[test]
fn alerts_of_all_lanes_are_seen_in_order_and_those_of_a_close_behind_it() {
    let (whole, _) = seen(701, 0, true);
    let begin = [
        "close@60000",
        "own@59999",
        "b@60000",
        "c@61000",
        "a@62000",
        "close@120000",
        "own@119999",
        "b@179999",
        "close@180000",
        "own@179999",
        "bucket@239999",
        "close@240000",
        "own@239999",
    ];
    assert_eq!(whole[..begin.len()], begin);
    assert!(
        whole.contains(&"b@500000".to_owned()) && whole.last().is_some_and(|last| last == "own@599999"),
        "{whole:?}"
    );
    for (step, behind, merge) in [(1, 0, false), (7, 100, false), (59, 3, false), (701, 0, false), (13, 30, true)] {
        assert_eq!(seen(step, behind, merge).0, whole, "{step} {behind} {merge}");
    }
}

#[test]
fn what_is_told_is_the_same_with_and_without_whoever_looks() {
    let (_, told) = seen(701, 0, true);
    assert_eq!(told.iter().filter(|line| line.starts_with("firing")).count(), 5 + 1 + 10, "{told:?}");
    let mut late = ticket("d", "x", 5);
    late.arrival = Arrival::Late;
    let mut sealer = Sealer::new(Mode::Alerts, LIMITS, false);
    let lane = sealer.add_lane();
    let log = Log::default();
    let place = (lane, sealer.add_correlator(lane, witness(&log, 0)));
    sealer.reenter_at(place, Rc::new(Opened));
    assert_eq!(short(&offer(&mut sealer, lane, late)), ["firing@5 d/x ×1"]);
    assert_eq!(*log.lock().expect("one thread"), ["late d@5000"], "at once, and as what it is");
}
