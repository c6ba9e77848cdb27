//! Every decoder against 200,000 inputs from a seed; millions by `cargo run --release -p pipewarden-tests --bin fuzz`.
//!
//! Must never pass without events: a format whose inputs are all refused at the door has not been tested.

use harness::fuzz::{Run, run};
use ingest::format::FORMATS;

const INPUTS: u64 = 200_000;

#[test]
fn every_decoder_keeps_its_promises_for_whatever_it_is_given() {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let report = run(&Run { format: None, first: 0, inputs: INPUTS, seed: 20_260_901, threads }, &|_, _| {});
    let failures = report.failures.iter().map(|f| format!("fuzz {}: {}\n{:?}", f.place, f.why, f.smallest));
    assert!(report.failures.is_empty(), "{}", failures.collect::<Vec<_>>().join("\n"));
    assert_eq!(report.tallies.len(), FORMATS.len());
    for (name, tally) in &report.tallies {
        assert_eq!(tally.inputs, INPUTS, "{name}");
        assert!(tally.invalid > INPUTS / 20, "{name}: {tally:?}");
        // An envelope has no events of its own, and raw JSON no model fields.
        assert!(tally.events > INPUTS / 100, "{name}: {tally:?}");
        assert!(*name == "json" || tally.values > INPUTS / 100, "{name}: {tally:?}");
    }
}
