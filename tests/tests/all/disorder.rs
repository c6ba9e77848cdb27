//! Shuffled within lateness, duplicated, split over files, threads and chunks: the sealed records are the same bytes, and
//! they are the ones that the model of an alert's life gives.

use std::fs;
use std::path::PathBuf;

use harness::generate::Random;
use harness::{cli, disorder, stored};
use serde_json::Value;

const TIMELINES: u64 = 300;

/// How a timeline arrives.
struct Arrival<'a> {
    files: &'a [Vec<String>],
    threads: usize,
    /// Blank lines of this many bytes between records move the bounds of chunks.
    padding: usize,
    compressed: bool,
    through_stdin: bool,
}

struct Bench {
    folder: tempfile::TempDir,
    rules: PathBuf,
    lateness: String,
}

impl Bench {
    fn new(timeline: &disorder::Timeline) -> Bench {
        let folder = tempfile::tempdir().expect("a folder");
        let rules = folder.path().join("rules.yml");
        fs::write(&rules, timeline.rules_text()).expect("written");
        Bench { folder, rules, lateness: format!("{}s", timeline.lateness_s) }
    }

    /// The sealed records and the summary.
    fn replay(&self, arrival: &Arrival<'_>) -> (String, Value) {
        let out = self.folder.path().join("alerts.jsonl");
        let out_text = out.display().to_string();
        let threads = arrival.threads.to_string();
        let mut args: Vec<String> = [
            "replay",
            "--no-pack",
            "--format",
            "json",
            "--logsource",
            "category=test",
            "--time-field",
            "t",
            "--id-field",
            "id",
            "--json",
            "--threads",
            &threads,
            "--lateness",
            &self.lateness,
            "--alerts",
            &out_text,
            "--rules",
        ]
        .map(str::to_owned)
        .to_vec();
        args.push(self.rules.display().to_string());
        let mut stdin = Vec::new();
        for (at, lines) in arrival.files.iter().enumerate() {
            let bytes = joined(lines, arrival.padding);
            if arrival.through_stdin {
                stdin = bytes;
                args.push("-".to_owned());
                break;
            }
            args.push(self.file(at, &bytes, arrival.compressed).display().to_string());
        }
        let ran = cli::run(args, &stdin);
        let summary = ran.expect_code(0).json();
        (fs::read_to_string(&out).expect("records"), summary)
    }

    fn file(&self, at: usize, bytes: &[u8], compressed: bool) -> PathBuf {
        let path = self.folder.path().join(format!("part-{at}.jsonl{}", if compressed { ".gz" } else { "" }));
        let bytes = if compressed { &stored::gzip(bytes) } else { bytes };
        fs::write(&path, bytes).expect("written");
        path
    }
}

fn joined(lines: &[String], padding: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        if padding > 0 && at % 3 == 1 {
            bytes.extend(std::iter::repeat_n(b' ', padding));
            bytes.push(b'\n');
        }
    }
    bytes
}

fn count(summary: &Value, group: &str, name: &str) -> u64 {
    summary[group][name].as_u64().unwrap_or_else(|| panic!("{group}.{name}: {summary}"))
}

fn books_balance(summary: &Value) {
    let sum = |group: &str, names: &[&str]| names.iter().map(|name| count(summary, group, name)).sum::<u64>();
    assert_eq!(
        count(summary, "records", "read"),
        sum("records", &["decoded", "filtered", "invalid", "dropped"]),
        "{summary}"
    );
    assert_eq!(
        count(summary, "records", "decoded"),
        sum("events", &["accepted", "late", "duplicate", "dropped"]),
        "{summary}"
    );
}

fn first_difference(wanted: &[Value], found: &[Value]) -> Option<String> {
    let at = (0..wanted.len().max(found.len())).find(|&at| wanted.get(at) != found.get(at))?;
    Some(format!("record {at}:\n wanted {:?}\n found  {:?}", wanted.get(at), found.get(at)))
}

/// Runs one timeline in every way; gives how many records it told by state.
fn check(seed: u64) -> Vec<String> {
    let mut random = Random(seed);
    let timeline = disorder::timeline(&mut random);
    let bench = Bench::new(&timeline);
    let in_order = vec![timeline.events.iter().map(|event| event.line.clone()).collect::<Vec<_>>()];
    let plain = Arrival { files: &in_order, threads: 1, padding: 0, compressed: false, through_stdin: false };
    let (sealed, summary) = bench.replay(&plain);
    books_balance(&summary);
    let found: Vec<Value> =
        sealed.lines().map(|line| disorder::compared(&serde_json::from_str(line).expect("a record"))).collect();
    if let Some(difference) = first_difference(&timeline.expected(), &found) {
        panic!(
            "SEED={seed}: the model tells another story: {difference}\n{}\n{}",
            timeline.rules_text(),
            in_order[0].join("\n")
        );
    }
    for (files, threads, copies, padded) in
        [(1, 2, true, true), (2, 1, false, false), (2, 2, true, false), (4, 3, true, true)]
    {
        let files = timeline.arrivals(&mut random, files, copies);
        let arrival = Arrival {
            files: &files,
            threads,
            padding: if padded && random.percent(20) { 60_000 + random.below(200_000) } else { 0 },
            compressed: random.percent(30),
            through_stdin: files.len() == 1,
        };
        let (other, summary) = bench.replay(&arrival);
        books_balance(&summary);
        assert_eq!(count(&summary, "events", "late"), 0, "SEED={seed}: nothing was late: {summary}");
        assert!(
            other == sealed,
            "SEED={seed}: {} files, {threads} threads, copies: {copies}: other bytes\n{}\n{}",
            files.len(),
            timeline.rules_text(),
            files.iter().map(|lines| lines.join("\n")).collect::<Vec<_>>().join("\n--\n"),
        );
    }
    found.iter().map(|record| record["state"].as_str().unwrap_or_default().to_owned()).collect()
}

fn states(seeds: impl Iterator<Item = u64>) -> Vec<String> {
    seeds.flat_map(check).collect()
}

/// Seeds from 1 on; `SEED=n` runs one of them alone.
#[test]
#[allow(clippy::disallowed_methods, reason = "one timeline can be run again alone")]
fn disorder_changes_no_byte_and_every_life_is_the_models() {
    if let Some(seed) = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        check(seed);
        return;
    }
    let told = std::thread::scope(|scope| {
        let odd = scope.spawn(|| states((1..=TIMELINES).step_by(2)));
        let even = states((2..=TIMELINES).step_by(2));
        [odd.join().expect("every odd timeline"), even].concat()
    });
    for state in ["firing", "repeat", "raised", "expired"] {
        let times = told.iter().filter(|told| *told == state).count();
        assert!(times > 50, "timelines without life: {state} {times} times of {}", told.len());
    }
}
