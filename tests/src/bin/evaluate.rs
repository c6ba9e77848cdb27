//! Evaluates the detectors: a table of each beside the naive way, and whether they reach their bars.
//!
//! `evaluate [--seed N] [--small] [--nab PATH]`. Exits with 1 where a bar is missed, 2 where it could not run. Must never be part of the
//! product.

use std::process::ExitCode;

use harness::evaluate::{Size, evaluate, nab, table};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| arguments.iter().position(|of| of == name).and_then(|at| arguments.get(at + 1));
    if let Some(path) = after("--nab") {
        return match nab::run(path.as_ref()) {
            Ok(written) => {
                println!("{written} result files written below {path}/results");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::from(2)
            }
        };
    }
    let Ok(seed) = after("--seed").map_or(Ok(1), |text| text.parse()) else {
        eprintln!("error: --seed takes a whole number");
        return ExitCode::from(2);
    };
    let size = if arguments.iter().any(|of| of == "--small") { Size::SMALL } else { Size::FULL };
    let rows = evaluate(size, seed);
    print!("{}", table(&rows));
    let is_met = rows.iter().all(|row| row.bar.as_ref().is_none_or(|(_, is_met)| *is_met));
    if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
