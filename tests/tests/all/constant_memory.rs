//! Memory does not grow with the length of a replay: every known record, many times over, through standard input.
//!
//! Must never compare runs of different rules or records: only how often the same ones pass differs.

use std::io::Write;

use harness::fuzz::mould::known_records;
use harness::watched::{self, Watched};

/// How much two runs may differ: threads get further ahead of each other at one time than at another.
const SLACK_BYTES: u64 = 12_000_000;

fn replayed(block: &str, times: usize) -> Watched {
    let words = ["replay", "--format", "auto", "--json", "--threads", "2", "-"];
    watched::run(words, |mut input| (0..times).for_each(|_| input.write_all(block.as_bytes()).expect("taken")))
}

#[test]
fn a_stream_ten_times_as_long_takes_no_more_memory() {
    let mut block = String::new();
    for record in known_records().into_values().flatten() {
        // A record on many lines is written on one.
        let value: Result<Box<serde_json::value::RawValue>, _> = serde_json::from_str(&record);
        let line = value.map_or(record, |value| value.get().lines().map(str::trim).collect::<Vec<_>>().join(" "));
        block.push_str(&line);
        block.push('\n');
    }
    let lines = block.lines().count() as u64;
    let few = replayed(&block, 8);
    let many = replayed(&block, 80);
    println!(
        "{lines} lines: {} and {} MB, {:?}",
        few.memory_bytes / 1_000_000,
        many.memory_bytes / 1_000_000,
        many.time
    );
    let read = |ran: &Watched| ran.summary["records"]["read"].as_u64().unwrap_or_default();
    assert!(read(&few) >= 8 * lines && read(&many) == 10 * read(&few), "{} {}", few.summary, many.summary);
    assert!(many.memory_bytes < few.memory_bytes + SLACK_BYTES, "{} and {} bytes", few.memory_bytes, many.memory_bytes);
}
