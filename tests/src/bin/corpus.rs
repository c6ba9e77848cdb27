//! Writes the benchmark's corpus to standard output: `corpus EVENTS [SEED]`. The same bytes for the same numbers, always.

use std::io::Write;

fn main() -> anyhow::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let events = numbers.next().unwrap_or(Ok(300_000))?;
    let seed = numbers.next().unwrap_or(Ok(20_260_901))?;
    std::io::stdout().write_all(harness::corpus::events(usize::try_from(events)?, seed).as_bytes())?;
    Ok(())
}
