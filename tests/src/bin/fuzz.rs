//! Feeds made inputs to every decoder: `fuzz [--inputs N] [--format NAME] [--seed N] [--first N] [--threads N] [--show]`.
//!
//! Ends with 1 where a property does not hold, and prints the seed and the smallest input found. `--show` prints inputs instead.

use std::io::IsTerminal;

use harness::fuzz::{Run, input, mould::MOULDS, run};

fn main() -> anyhow::Result<()> {
    let mut plan = Run { format: None, first: 0, inputs: 200_000, seed: 20_260_901, threads: 2 };
    let mut shows = false;
    let mut given = std::env::args().skip(1);
    while let Some(option) = given.next() {
        if option == "--show" {
            shows = true;
            continue;
        }
        let value = given.next().ok_or_else(|| anyhow::anyhow!("{option} needs a value"))?;
        match option.as_str() {
            "--inputs" => plan.inputs = value.parse()?,
            "--seed" => plan.seed = value.parse()?,
            "--first" => plan.first = value.parse()?,
            "--threads" => plan.threads = value.parse()?,
            "--format" => plan.format = Some(value),
            _ => anyhow::bail!("unknown option {option}"),
        }
    }
    let known = || MOULDS.iter().map(|mould| mould.format.name).collect::<Vec<_>>().join(", ");
    if let Some(name) = &plan.format {
        anyhow::ensure!(MOULDS.iter().any(|mould| mould.format.name == *name), "no format {name}; known: {}", known());
    }
    if shows {
        for mould in MOULDS.iter().filter(|mould| plan.format.as_deref().is_none_or(|name| name == mould.format.name)) {
            (plan.first..plan.first + plan.inputs).for_each(|number| println!("{}", input(mould, plan.seed, number)));
        }
        return Ok(());
    }
    let watched = std::io::stderr().is_terminal();
    let report = run(&plan, &|done, of| {
        if watched {
            eprint!("\r{done} of {of} inputs ({} %) ", done * 100 / of.max(1));
        }
    });
    println!(
        "\n{:<32} {:>10} {:>10} {:>10} {:>10} {:>12}",
        "format", "inputs", "events", "filtered", "invalid", "values"
    );
    for (name, tally) in &report.tallies {
        println!(
            "{name:<32} {:>10} {:>10} {:>10} {:>10} {:>12}",
            tally.inputs, tally.events, tally.filtered, tally.invalid, tally.values
        );
    }
    for failure in &report.failures {
        println!("\nfuzz {}\n{}\nsmallest: {:?}", failure.place, failure.why, failure.smallest);
    }
    std::process::exit(i32::from(!report.failures.is_empty()));
}
