//! A3 on jobs of two kinds with three kinds of odd ones, beside z over all jobs: precision among the hundred oddest.

use model::{DetectorSpec, Feature, Frame, PeerZSpec};

use super::generator::{MONDAY, Random};
use super::{Driven, Row, Size};

const NAMES: [&str; 6] = ["bytes_out", "dest_n", "proc_n", "duration", "secrets_n", "log_lines"];

/// A job: its kind, its features, whether it is odd.
type Job = (usize, [f64; 6], bool);

fn job(random: &mut Random) -> Job {
    let kind = random.below(2);
    let mut spread = |mean: f64, s: f64| mean * (s * random.normal()).exp();
    let mut of = match kind {
        0 => [
            spread(2e6, 0.5),
            spread(6.0, 0.2).round(),
            spread(40.0, 0.2).round(),
            spread(300.0, 0.25),
            2.0,
            spread(2e3, 0.3),
        ],
        _ => [
            spread(8e7, 0.6),
            spread(15.0, 0.2).round(),
            spread(200.0, 0.25).round(),
            spread(1_500.0, 0.3),
            6.0,
            spread(2e4, 0.3),
        ],
    };
    let is_odd = random.below(200) == 0;
    if is_odd {
        match random.below(3) {
            // Data leaves; a miner works; secrets are gathered.
            0 => of[0] *= 10.0 + 30.0 * random.unit(),
            1 => (of[2], of[3]) = (of[2] * 1.5, of[3] * (3.0 + 3.0 * random.unit())),
            _ => (of[1], of[4]) = (of[1] + 6.0, of[4] + 5.0 + random.below(8) as f64),
        }
    }
    (kind, of, is_odd)
}

fn spec() -> PeerZSpec {
    let feature = |(at, name): (usize, &&str)| {
        let is_log = matches!(at, 0 | 3 | 5);
        Feature { name: (*name).to_owned(), is_log, is_two_sided: at == 3, floor: if is_log { 0.1 } else { 1.0 } }
    };
    // Every job is scored: what is told is decided by rank here.
    let features = NAMES.iter().enumerate().map(feature).collect();
    PeerZSpec { frame: Frame::default(), features, z_one: 6.0, z_two: 4.0, jobs_min: 30 }
}

fn row(who: &str, scored: &mut [(f64, bool)], told: usize, false_alarms: usize) -> Row {
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let odd = scored.iter().filter(|(_, is_odd)| *is_odd).count();
    let top = scored.len().min(100.min(odd.max(1)));
    let hits = scored.iter().take(top).filter(|(_, is_odd)| *is_odd).count();
    let found = scored.iter().filter(|(score, is_odd)| *is_odd && *score > 0.0).count().min(told.max(hits));
    Row {
        who: format!("{who} (precision@{top})"),
        precision: hits as f64 / top.max(1) as f64,
        recall: found as f64 / odd.max(1) as f64,
        false_alarms: false_alarms as f64,
        minutes: None,
        bar: None,
    }
}

/// A3, then z over all jobs.
pub(super) fn rows(size: Size, seed: u64) -> Vec<Row> {
    let mut random = Random(seed ^ 3);
    let mut of = Driven::new(&DetectorSpec::PeerZ(spec()));
    let (mut own, mut naive, mut all) = (Vec::new(), Vec::new(), Vec::<[f64; 6]>::new());
    let (mut told, mut false_alarms) = (0, 0);
    for at in 0..size.jobs {
        let (kind, features, is_odd) = job(&mut random);
        let texts: Vec<String> = features.iter().map(|x| format!("{x:.3}")).collect();
        let group = ["build", "integration"][kind];
        let mut fields = vec![group, "", "", ""];
        fields.extend(texts.iter().map(String::as_str));
        let found = of.event(MONDAY + at as i64 * 60_000, &fields);
        (told, false_alarms) =
            (told + usize::from(found.is_some()), false_alarms + usize::from(found.is_some() && !is_odd));
        own.push((found.unwrap_or(0.0), is_odd));
        all.push(features);
        naive.push((0.0, is_odd));
    }
    for feature in 0..6 {
        let column: Vec<f64> = all.iter().map(|job| job[feature]).collect();
        let (median, mad) = detectors::stats::median_mad(&column);
        for (score, x) in naive.iter_mut().zip(&column) {
            score.0 = detectors::stats::robust_z(*x, median, mad, 1.0).max(score.0);
        }
    }
    let mut own = row("A3 peers, z of 6 or two of 4", &mut own, told, false_alarms);
    own.bar = Some(("a precision of 0.7".to_owned(), own.precision >= 0.7));
    vec![own, row("robust z over all jobs", &mut naive, size.jobs, 0)]
}
