//! A3 on jobs of two kinds with three kinds of odd ones, beside z over all jobs: precision among the hundred oddest.
//!
//! Must never score a job by jobs that came later, except in the naive way.

use model::{DetectorSpec, Feature, Frame, PeerZSpec};

use super::generator::{MONDAY, Random};
use super::{Driven, Row, Size};

const NAMES: [&str; 6] = ["bytes_out", "dest_n", "proc_n", "duration", "secrets_n", "log_lines"];

/// A job: its kind, its features, whether it is odd.
type Job = (usize, [f64; 6], bool);

/// For each kind of job the mean of each feature, and how far it spreads.
const KINDS: [[(f64, f64); 6]; 2] = [
    [(2e6, 0.5), (6.0, 0.2), (40.0, 0.2), (300.0, 0.25), (2.0, 0.0), (2e3, 0.3)],
    [(8e7, 0.6), (15.0, 0.2), (200.0, 0.25), (1_500.0, 0.3), (6.0, 0.0), (2e4, 0.3)],
];

fn job(random: &mut Random) -> Job {
    let kind = random.below(2);
    let mut of = std::array::from_fn(|at| {
        let (mean, spread) = KINDS[kind][at];
        // What is always the same is not drawn.
        let value = if spread > 0.0 { mean * (spread * random.normal()).exp() } else { mean };
        if is_count(at) { value.round() } else { value }
    });
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

/// Destinations, processes, secrets.
fn is_count(feature: usize) -> bool {
    matches!(feature, 1 | 2 | 4)
}

/// Compared as ln(1 + x), with the least deviation that is believed.
fn scale(feature: usize) -> (bool, f64) {
    if is_count(feature) { (false, 1.0) } else { (true, 0.1) }
}

fn spec((z_one, z_two): (f64, f64)) -> PeerZSpec {
    let feature = |(at, name): (usize, &&str)| {
        let (is_log, floor) = scale(at);
        Feature { name: (*name).to_owned(), is_log, is_two_sided: at == 3, floor }
    };
    let features = NAMES.iter().enumerate().map(feature).collect();
    PeerZSpec { frame: Frame::default(), features, z_one, z_two, jobs_min: 30 }
}

/// What A3 says of every job, 0 where nothing.
fn scored(jobs: &[Job], thresholds: (f64, f64)) -> Vec<(f64, bool)> {
    let mut of = Driven::new(&DetectorSpec::PeerZ(spec(thresholds)));
    let score = |(at, (kind, features, is_odd)): (usize, &Job)| {
        let texts: Vec<String> = features.iter().map(|x| format!("{x:.3}")).collect();
        let mut fields = vec![["build", "integration"][*kind], "", "", ""];
        fields.extend(texts.iter().map(String::as_str));
        (of.event(MONDAY + at as i64 * 60_000, &fields).unwrap_or(0.0), *is_odd)
    };
    jobs.iter().enumerate().map(score).collect()
}

/// Precision among the oddest: as many as are odd, at most a hundred.
fn ranked(who: &str, mut scored: Vec<(f64, bool)>) -> Row {
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let odd = scored.iter().filter(|(_, is_odd)| *is_odd).count();
    let top = odd.clamp(1, 100);
    let hits = scored.iter().take(top).filter(|(score, is_odd)| *is_odd && *score > 0.0).count();
    Row {
        who: format!("{who}, precision@{top}"),
        precision: hits as f64 / top as f64,
        recall: hits as f64 / odd.max(1) as f64,
        false_alarms: (top - hits) as f64,
        minutes: None,
        bar: None,
    }
}

/// A3 by rank and as it is told, then z over all jobs.
pub(super) fn rows(size: Size, seed: u64) -> Vec<Row> {
    let mut random = Random(seed ^ 3);
    let jobs: Vec<Job> = (0..size.jobs).map(|_| job(&mut random)).collect();
    // By rank: whatever lies three deviations off is scored, beyond that nothing is among the oddest.
    let mut own = ranked("A3 peers by z (false alarms of the oddest)", scored(&jobs, (3.0, 3.0)));
    own.bar = Some(("a precision of 0.7".to_owned(), own.precision >= 0.7));
    let told = scored(&jobs, (6.0, 4.0));
    let (odd, all) = (told.iter().filter(|of| of.1).count(), told.iter().filter(|of| of.0 > 0.0).count());
    let hits = told.iter().filter(|of| of.1 && of.0 > 0.0).count();
    let as_told = Row {
        who: "A3 peers as told, z of 6 or two of 4 (false alarms in all)".to_owned(),
        precision: hits as f64 / all.max(1) as f64,
        recall: hits as f64 / odd.max(1) as f64,
        false_alarms: (all - hits) as f64,
        minutes: None,
        bar: None,
    };
    let mut naive: Vec<(f64, bool)> = jobs.iter().map(|(.., is_odd)| (0.0, *is_odd)).collect();
    for feature in 0..NAMES.len() {
        let (is_log, floor) = scale(feature);
        let column: Vec<f64> =
            jobs.iter().map(|(_, of, _)| if is_log { of[feature].ln_1p() } else { of[feature] }).collect();
        let (median, mad) = detectors::stats::median_mad(&column);
        for (score, x) in naive.iter_mut().zip(&column) {
            score.0 = detectors::stats::robust_z(*x, median, mad, floor).max(score.0);
        }
    }
    vec![own, as_told, ranked("robust z over all jobs", naive)]
}
