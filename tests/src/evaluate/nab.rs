//! The Numenta anomaly benchmark: reads its series and windows, writes its result files, so that its own scorer can judge.
//!
//! `PATH/data/GROUP/FILE.csv` (`timestamp,value`) and `PATH/labels/combined_windows.json`; results go to
//! `PATH/results/DETECTOR/GROUP/DETECTOR_FILE.csv` (`timestamp,value,anomaly_score,label`). Each series alone, in order; the scale of its
//! values comes of its first 15 % (at most 750 rows), which the scorer does not count. Must never look at a later row, nor at a label
//! before the scores stand.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use model::{CountsSpec, CusumSpec, DetectorSpec, DurationSpec, Frame};

use super::Driven;

/// The detectors that judge a series of numbers.
const DETECTORS: [&str; 3] = ["pipewarden_a1", "pipewarden_a4", "pipewarden_a5"];

/// A row of a series: its time as it stands in the file, in milliseconds, and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// As it stands in the file.
    pub time: String,
    /// Milliseconds since 1970, UTC.
    pub at: i64,
    /// The value.
    pub value: f64,
}

/// Milliseconds of `YYYY-MM-DD HH:MM:SS` (a fraction is cut).
pub fn milliseconds(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    // Days of the civil calendar, years beginning in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (m * 153 + 2) / 5 + day - 1 - 719_468;
    let seconds = number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
    Some((days * 86_400 + seconds) * 1_000)
}

/// The rows of a series.
///
/// # Errors
/// When a row is no time and number; the message names it.
pub fn series(text: &str) -> Result<Vec<Point>> {
    let row = |(at, line): (usize, &str)| {
        let parts = line.split_once(',').and_then(|(time, value)| {
            Some(Point { time: time.to_owned(), at: milliseconds(time)?, value: value.trim().parse().ok()? })
        });
        parts.with_context(|| format!("line {}: no `timestamp,value`: {line}", at + 2))
    };
    text.lines().skip(1).filter(|line| !line.trim().is_empty()).enumerate().map(row).collect()
}

/// An anomaly score of 0 to 1 for each row.
pub fn scores(detector: &str, points: &[Point]) -> Vec<f64> {
    let probation = (points.len() * 15 / 100).clamp(1, 750).min(points.len());
    let first: Vec<f64> = points.iter().take(probation).map(|point| point.value).collect();
    let least = first.iter().copied().fold(f64::INFINITY, f64::min);
    let mean = first.iter().sum::<f64>() / first.len().max(1) as f64;
    let s = (first.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / first.len().max(1) as f64).sqrt().max(1e-9);
    let step = points.windows(2).map(|pair| pair[1].at - pair[0].at).filter(|step| *step > 0).min().unwrap_or(300_000);
    let frame = Frame { bucket_ms: step, memory_ms: 365 * 86_400_000, ..Frame::default() };
    let spec = match detector {
        "pipewarden_a1" => DetectorSpec::Counts(CountsSpec { frame, ..CountsSpec::default() }),
        "pipewarden_a4" => DetectorSpec::Cusum(CusumSpec { frame, ..CusumSpec::default() }),
        _ => DetectorSpec::Duration(DurationSpec { frame, ..DurationSpec::default() }),
    };
    let mut of = Driven::new(&spec);
    points
        .iter()
        .map(|point| {
            // Ten to a deviation, from three below the least of the probation on: counts are whole and not negative.
            let scaled = (point.value - least) / s * 10.0 + 30.0;
            let scaled = if scaled.is_nan() { 0.0 } else { scaled.clamp(0.0, 1e12) };
            let amount = (scaled.round() as u64).to_string();
            let ms = (scaled + 1.0).to_string();
            let fields = match spec {
                DetectorSpec::Duration(_) => ["series", "", "", "", ms.as_str()],
                _ => ["series", "", "", amount.as_str(), ""],
            };
            let value = of.event(point.at, &fields);
            value.map_or(0.0, |value| value / (value + 5.0))
        })
        .collect()
}

/// Judges every series below a path with every detector. Gives how many files were written.
///
/// # Errors
/// When the layout is another, or a file cannot be read or written.
pub fn run(path: &Path) -> Result<usize> {
    let labels = path.join("labels/combined_windows.json");
    let labels = fs::read_to_string(&labels).with_context(|| format!("cannot read {}", labels.display()))?;
    let windows: BTreeMap<String, Vec<(String, String)>> = serde_json::from_str(&labels)?;
    let mut written = 0;
    for (name, windows) in &windows {
        let (group, file) = name.split_once('/').with_context(|| format!("`{name}` is no GROUP/FILE"))?;
        let from = path.join("data").join(name);
        let text = fs::read_to_string(&from).with_context(|| format!("cannot read {}", from.display()))?;
        let points = series(&text).with_context(|| name.clone())?;
        for detector in DETECTORS {
            let folder = path.join("results").join(detector).join(group);
            fs::create_dir_all(&folder)?;
            fs::write(
                folder.join(format!("{detector}_{file}")),
                results(&points, &scores(detector, &points), windows),
            )?;
            written += 1;
        }
    }
    Ok(written)
}

/// A result file.
pub fn results(points: &[Point], scores: &[f64], windows: &[(String, String)]) -> String {
    let windows: Vec<(i64, i64)> =
        windows.iter().filter_map(|(from, to)| Some((milliseconds(from)?, milliseconds(to)?))).collect();
    let mut text = "timestamp,value,anomaly_score,label\n".to_owned();
    for (point, score) in points.iter().zip(scores) {
        let label = u8::from(windows.iter().any(|(from, to)| (*from..=*to).contains(&point.at)));
        text.push_str(&format!("{},{},{score:.6},{label}\n", point.time, point.value));
    }
    text
}
