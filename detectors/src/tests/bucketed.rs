//! The frame: learned at the close, told by standing, frozen while it alarms, explained, loaded as history, kept, previewed.

use std::sync::Arc;

use model::{
    Anomaly, Change, CountsSpec, CusumSpec, Detector, DetectorSpec, DurationSpec, Evidence, Feature, Frame, MixSpec,
    Observation, PeerZSpec, Period, RatioSpec, Sha256, SilenceSpec, Standing, Timestamp, Told,
};

use super::formulas::Random;
use super::{DAY, HOUR};
use crate::{Limits, detector};

/// A detector that is driven as the engine drives it: what is due closes first.
struct Driven {
    of: Box<dyn Detector>,
    told: Vec<Told>,
    events: u64,
}

impl Driven {
    fn new(spec: DetectorSpec) -> Driven {
        Driven { of: detector(&spec, Limits { keys_max: 100 }), told: Vec::new(), events: 0 }
    }

    fn until(&mut self, at: i64) {
        let told = self.of.close(Timestamp::from_ms(at));
        self.told.extend(told);
    }

    fn event(&mut self, at: i64, texts: &[&str]) -> Option<Anomaly> {
        self.until(at);
        self.events += 1;
        let texts: Vec<Vec<&str>> =
            texts.iter().map(|text| text.split('|').filter(|of| !of.is_empty()).collect()).collect();
        let id = format!("e{}", self.events);
        let evidence = Arc::new(Evidence { id: id.as_str().into(), sha256: Sha256::of(id.as_bytes()) });
        self.of.observe(&Observation { at: Timestamp::from_ms(at), texts: &texts, teaches: true, evidence: &evidence })
    }

    fn changes(&self) -> Vec<(i64, Change)> {
        self.told.iter().map(|told| (told.at.ms() / HOUR, told.change)).collect()
    }
}

fn counts() -> DetectorSpec {
    DetectorSpec::Counts(CountsSpec::default())
}

/// So many days of `a` with 4 to 6 events an hour, from a Monday on.
fn known(days: i64) -> Driven {
    let mut of = Driven::new(counts());
    for hour in 0..days * 24 {
        let amount = (4 + hour % 3).to_string();
        assert_eq!(of.event(MONDAY + hour * HOUR + 60_000, &["a", "team", "ann", &amount]), None);
    }
    of.until(MONDAY + days * DAY);
    of
}

/// 1970-01-05.
const MONDAY: i64 = 4 * DAY;

#[test]
fn a_count_is_told_early_explained_and_over_at_a_close() {
    let mut of = known(19);
    let monday = MONDAY + 21 * DAY;
    of.until(monday);
    assert!(of.changes().is_empty(), "a weekend of silence is no excess: {:?}", of.changes());
    assert_eq!(of.event(monday + 1, &["a", "team", "ann", "6"]), None);
    let found = of.event(monday + 2, &["a", "team", "bob", "40"]).expect("46 where five are ordinary");
    assert_eq!(found.standing, Standing::Active);
    assert!(found.observed.contains("46 since") && found.observed.contains("most of 46 by bob 40, ann 6"), "{found:?}");
    assert!(
        found.baseline.contains("similar hours, known since 1970-01-05")
            && found.baseline.contains("last like this: never")
    );
    assert_eq!(found.evidence.len(), 2);
    of.event(monday + HOUR, &["a", "team", "ann", "5"]);
    of.until(monday + 2 * HOUR);
    let hour = monday / HOUR;
    let expected = [(hour + 1, Change::Lasts), (hour + 2, Change::Ended)];
    assert_eq!(of.changes(), expected, "what was told early begins no second time");
}

#[test]
fn a_new_level_is_held_for_three_days_then_accepted() {
    let mut of = known(26);
    let start = MONDAY + 28 * DAY;
    let mut told = Vec::new();
    for hour in 0..5 * 24 {
        told.push(of.event(start + hour * HOUR, &["a", "", "", "60"]).is_some());
    }
    let accepted: Vec<i64> = of
        .told
        .iter()
        .filter(|told| told.change == Change::Accepted)
        .map(|told| (told.at.ms() - start) / HOUR)
        .collect();
    assert_eq!(accepted, [72], "three days after it began");
    assert!(told[..72].iter().all(|told| *told), "the norm of before holds for as long");
    assert!(told[72..].iter().all(|told| !told), "then the new level is the norm");
}

#[test]
fn what_is_announced_or_history_or_on_trial_is_said_but_not_to_be_told() {
    let day = MONDAY + 19 * DAY + 2 * DAY;
    let spike = |of: &mut Driven| of.event(day + HOUR, &["a", "team", "", "90"]).map(|found| found.standing);
    assert_eq!(spike(&mut known(19)), Some(Standing::Active));
    for (whose, standing) in
        [(Some("team"), Standing::Explained), (None, Standing::Explained), (Some("other"), Standing::Active)]
    {
        let mut of = known(19);
        let (from, to) = (Timestamp::from_ms(day), Timestamp::from_ms(day + 4 * HOUR));
        of.of.announce(&Period { of: whose.into_iter().map(str::to_owned).collect(), from, to });
        assert_eq!(spike(&mut of), Some(standing), "{whose:?}");
    }
    let mut of = known(19);
    of.of.backfill(true);
    assert_eq!(spike(&mut of), Some(Standing::History));
    let frame = |shadow_ms, never_suppress| Frame { shadow_ms, never_suppress, ..Frame::default() };
    for (frame, standing) in [(frame(90 * DAY, false), Standing::Shadow), (frame(0, true), Standing::Active)] {
        let mut of = Driven::new(DetectorSpec::Counts(CountsSpec { frame, ..CountsSpec::default() }));
        (0..19 * 24).for_each(|hour| {
            of.event(MONDAY + hour * HOUR, &["a", "team", "", "5"]);
        });
        of.of.announce(&Period { of: Vec::new(), from: Timestamp::from_ms(day), to: Timestamp::from_ms(day + DAY) });
        let expected = if standing == Standing::Shadow { Standing::Explained } else { standing };
        assert_eq!(spike(&mut of), Some(expected));
    }
    let mut young = Driven::new(counts());
    (0..12).for_each(|hour| {
        young.event(MONDAY + hour * HOUR, &["a", "team", "", "5"]);
    });
    assert_eq!(young.event(MONDAY + DAY, &["a", "team", "", "500"]), None, "nothing is known yet");
}

#[test]
fn a_snapshot_goes_on_as_its_original_and_a_preview_says_what_will_be_said() {
    let mut of = known(19);
    let bytes = of.of.snapshot().expect("bytes");
    let mut other = Driven::new(counts());
    other.of.restore(&bytes).expect("a snapshot");
    assert!(other.of.restore(&[9, 9]).is_err());
    let (start, mut ahead, mut remarkable) = (MONDAY + 19 * DAY, of.of.ahead(), 0);
    for event in 0..200 {
        let at = start + event * HOUR / 3;
        let amount = if event % 40 == 7 { "70" } else { "2" };
        of.until(at);
        let texts = [vec!["a"], vec!["team"], vec!["ann"], vec![amount]];
        let evidence = Arc::new(Evidence { id: "e".into(), sha256: Sha256::of(b"e") });
        let observation = Observation { at: Timestamp::from_ms(at), texts: &texts, teaches: true, evidence: &evidence };
        let before = of.of.snapshot().expect("bytes");
        let peeked = of.of.peek(&mut *ahead, &observation);
        assert_eq!(of.of.snapshot().expect("bytes"), before);
        ahead.forget_before(Timestamp::from_ms(i64::MAX));
        let found = of.of.observe(&observation);
        assert_eq!(peeked.as_ref().map(|of| of.value), found.as_ref().map(|of| of.value), "event {event}");
        other.until(at);
        assert_eq!(other.of.observe(&observation), found);
        remarkable += usize::from(found.is_some());
    }
    assert!(remarkable >= 5, "{remarkable}");
    assert_eq!(other.of.snapshot().expect("bytes"), of.of.snapshot().expect("bytes"));
}

#[test]
fn rates_ratios_mixes_and_silences_are_found_by_their_detectors() {
    let mut random = Random(3);
    let mut of = Driven::new(DetectorSpec::Cusum(CusumSpec::default()));
    for hour in 0..40 * 24 {
        let mean = if hour < 28 * 24 { 4.0 } else { 8.0 };
        of.event(MONDAY + hour * HOUR, &["a", "", "", &random.poisson(mean).to_string()]);
    }
    let began = |of: &Driven| {
        of.told.iter().find(|told| told.change != Change::Ended).map(|told| (told.at.ms() - MONDAY) / HOUR)
    };
    let first = of
        .told
        .iter()
        .map(|told| (told.at.ms() - MONDAY) / HOUR)
        .find(|hour| *hour >= 28 * 24)
        .expect("a doubled rate");
    assert!(first < 28 * 24 + 48, "{first}");

    let mut of = Driven::new(DetectorSpec::Ratio(RatioSpec::default()));
    (0..400).for_each(|run| {
        let bad = if run % 100 == 0 { "true" } else { "false" };
        assert_eq!(of.event(MONDAY + run * HOUR / 4, &["a", "", "x", "", bad]), None);
    });
    let found: Vec<bool> =
        (0..6).map(|run| of.event(MONDAY + 101 * HOUR + run, &["a", "", "scanner", "", "true"]).is_some()).collect();
    // History of 4 in 400: a = 2.5, b = 198.5; three of three: 2.5·3.5·4.5 / (201·202·203) = 4.8e-6.
    assert_eq!(found, [false, false, true, true, true, true]);

    let mut of = Driven::new(DetectorSpec::Mix(MixSpec::default()));
    let classes =
        |hour: i64, at: i64| if hour >= 200 { "delete" } else { ["read", "write", "list"][(at % 3) as usize] };
    (0..202).for_each(|hour| {
        (0..60).for_each(|at| {
            of.event(MONDAY + hour * HOUR + at * 60_000, &["a", "", "", "", classes(hour, at)]);
        });
    });
    of.until(MONDAY + 202 * HOUR);
    assert_eq!(began(&of), Some(201));
    assert!(of.told[0].anomaly.observed.contains("delete 60 instead of"), "{:?}", of.told[0]);

    let mut of = Driven::new(DetectorSpec::Silence(SilenceSpec::default()));
    (0..19 * 24 * 10).for_each(|at| {
        of.event(MONDAY + at * HOUR / 10, &["a", "", "", ""]);
    });
    let end = MONDAY + 19 * DAY;
    of.until(end + 5 * HOUR);
    let first = of.told.first().expect("silence");
    assert!(first.at.ms() - end <= 3 * HOUR && first.anomaly.observed.contains("nothing for"), "{first:?}");
}

#[test]
fn jobs_and_durations_are_held_against_their_like() {
    let mut random = Random(5);
    let feature = |name: &str, is_two_sided| Feature { name: name.to_owned(), is_log: true, is_two_sided, floor: 0.1 };
    let features = vec![feature("bytes_out", false), feature("duration", true)];
    let spec = PeerZSpec { frame: Frame::default(), features, z_one: 6.0, z_two: 4.0, jobs_min: 30 };
    let mut of = Driven::new(DetectorSpec::PeerZ(spec));
    let mut job = |of: &mut Driven, at: i64, bytes: u64| {
        let (bytes, ms) = (bytes + random.below(bytes / 5), 60_000 + random.below(10_000));
        of.event(at, &["build", "java", "run-1", "", &bytes.to_string(), &ms.to_string()])
    };
    (0..100).for_each(|run| assert_eq!(job(&mut of, MONDAY + run * HOUR, 1_000_000), None));
    let found = job(&mut of, MONDAY + 101 * HOUR, 90_000_000).expect("ninety times the bytes");
    assert!(found.observed.contains("bytes_out") && found.baseline.contains("100 jobs of its group"), "{found:?}");
    assert_eq!(job(&mut of, MONDAY + 102 * HOUR, 1_000), None, "too little is nothing here");

    let mut of = Driven::new(DetectorSpec::Duration(DurationSpec::default()));
    let mut alarms = Vec::new();
    for run in 0..400_i64 {
        let slow = if run >= 300 { 1.3 } else { 1.0 };
        let ms = 60_000.0 * slow * (1.0 + 0.1 * (random.unit() - 0.5));
        alarms.extend(of.event(MONDAY + run * HOUR / 10, &["test", "", "", "", &ms.to_string()]).map(|_| run));
    }
    let first = *alarms.first().expect("an alarm");
    assert!((302..325).contains(&first), "{first}");
}
