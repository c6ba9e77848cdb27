//! The other side: DuckDB in a process of its own, which measures itself, so neither Python's start nor its imports count.
//!
//! Must never be asked for less than this side computes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use slis::histogram::quantile_us;
use slis::report::Quantiles;

use super::*;

/// The process.
pub(super) struct Side {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// The most resident memory that it told of, in bytes.
    pub(super) memory: u64,
}

impl Side {
    /// None: it cannot be fetched.
    pub(super) fn start(folder: &Path, definitions: &[Definition]) -> Option<Side> {
        let python = harness::python::with("duckdb", "duckdb", "duckdb")?;
        let script = harness::cli::workspace().join("tests/benches/slis/duckdb_side.py");
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        let (input, output) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        let mut side = Side { child, input, output, memory: 0 };
        let archive = Archive::open(folder, None).expect("an archive");
        let files: Vec<_> = archive.manifest().files().filter(|file| file.table == CONTRIBUTIONS).collect();
        let paths: Vec<_> = files.iter().map(|file| folder.join(&file.path).display().to_string()).collect();
        let indicator =
            |of: &Definition| json!({"code": &*of.code, "sql": of.sql, "is_duration": of.kind == Kind::Duration});
        let time = |ms: i64| model::Timestamp::from_ms(ms).to_string().replace('Z', "+00");
        side.tell(
            &json!({
                "files": paths, "threads": threads(), "from": time(FROM_MS), "to": time(FROM_MS + DAYS * DAY_MS),
                "indicators": definitions.iter().map(indicator).collect::<Vec<_>>(),
            })
            .to_string(),
        );
        Some(side)
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").and_then(|()| self.input.flush()).expect("DuckDB listens");
    }

    /// Seconds, and what each indicator came to. `is_folded`: the files are read once for all indicators, as this side does it.
    pub(super) fn run(&mut self, by: By, is_folded: bool) -> (f64, Vec<Value>) {
        let column = match by {
            By::Whole => "''",
            By::Team => "team",
            By::Environment => "environment",
            By::Repository => "repository",
            By::Label => "label",
        };
        self.tell(&json!({"column": column, "is_folded": is_folded}).to_string());
        let mut line = String::new();
        self.output.read_line(&mut line).expect("DuckDB answers");
        let mut told: Value = serde_json::from_str(&line).expect("JSON");
        self.memory = self.memory.max(told["memory"].as_u64().unwrap_or(0));
        let answers = told["answers"].as_array_mut().map(std::mem::take).expect("answers");
        (told["seconds"].as_f64().expect("seconds"), answers)
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Counts and quantiles of both sides are the same, and values but for the last bit: DuckDB divides numbers of 128 bits.
pub(super) fn assert_equal(definitions: &[Definition], reported: &[Reported], told: &[Value]) {
    for (of, told) in reported.iter().zip(told) {
        let code = &definitions[of.definition].code;
        let rows = |name: &str| told[name].as_array().cloned().unwrap_or_default();
        assert_eq!(of.values.len(), rows("values").len(), "{code}");
        for value in &of.values {
            let own = |name: &str| rows(name).into_iter().filter(|row| row[0] == *value.key).collect::<Vec<_>>();
            let (told, own_value) = (own("values")[0][1].as_f64(), value.value);
            let is_same = match (told, own_value) {
                (Some(told), Some(own)) => (told - own).abs() <= 2.0 * f64::EPSILON * own.abs(),
                (told, own) => told == own,
            };
            assert!(is_same, "{code} {}: {told:?} there, {own_value:?} here", value.key);
            let counts = json!([value.key, value.good, value.total, value.excluded]);
            assert_eq!(own("counted")[0], counts, "{code}");
            let count = |row: &Value| Some((i32::try_from(row[1].as_i64()?).ok()?, row[2].as_i64()?));
            let buckets: Vec<(i32, i64)> = own("buckets").iter().filter_map(count).collect();
            let at = |permille| quantile_us(&buckets, permille);
            let quantiles = at(500).zip(at(950)).zip(at(990));
            let quantiles = quantiles.map(|((p50_us, p95_us), p99_us)| Quantiles { p50_us, p95_us, p99_us });
            assert_eq!(quantiles, value.quantiles, "{code} {}", value.key);
        }
    }
    assert_eq!(reported.len(), told.len());
}
