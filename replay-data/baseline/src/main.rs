//! Prints a baseline: records, or counts of them, or the lists and the inventory that fit. Data to standard output, all else
//! to standard error.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use baseline::time::midnight;
use baseline::{Baseline, Record, inventory, lists, network_csv};

const USAGE: &str = "\
Usage: baseline [OPTIONS]                 prints the records, one JSON object a line, in order of arrival

  --days N         how many days [30]
  --seed N         seed [1]
  --start DATE     first day [2026-09-01]
  --source NAME    of this source only
  --skip N         leave out the first N days of arrival [0]
  --out FOLDER     a file for each source instead of standard output
  --arrivals       put the time of arrival (ms) and a tab before each record
  --counts         a table of runs by day, classes and planted false positives instead of the records
  --labels         only what was planted, as detection, variant, times, source and record, with tabs
  --config FOLDER  write lists/, inventory.yaml and network.csv there, and no records
";

struct Options {
    days: u32,
    seed: u64,
    start_ms: i64,
    source: Option<String>,
    skip: i64,
    out: Option<String>,
    arrivals: bool,
    counts: bool,
    labels: bool,
    config: Option<String>,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("baseline: {message}\n\n{USAGE}");
            return ExitCode::from(1);
        }
    };
    match run(&options) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("baseline: {error}");
            ExitCode::from(3)
        }
        _ => ExitCode::SUCCESS,
    }
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        days: 30,
        seed: 1,
        start_ms: midnight("2026-09-01").unwrap_or(0),
        source: None,
        skip: 0,
        out: None,
        arrivals: false,
        counts: false,
        labels: false,
        config: None,
    };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--days" => options.days = value()?.parse().map_err(|_| "--days is a number")?,
            "--seed" => options.seed = value()?.parse().map_err(|_| "--seed is a number")?,
            "--skip" => options.skip = value()?.parse().map_err(|_| "--skip is a number")?,
            "--start" => options.start_ms = midnight(&value()?).ok_or("--start is a date like 2026-09-01")?,
            "--source" => options.source = Some(value()?),
            "--out" => options.out = Some(value()?),
            "--config" => options.config = Some(value()?),
            "--arrivals" => options.arrivals = true,
            "--counts" => options.counts = true,
            "--labels" => options.labels = true,
            _ => return Err(format!("unknown option {arg}")),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> std::io::Result<()> {
    if let Some(folder) = &options.config {
        return write_config(folder);
    }
    let from = options.start_ms + options.skip * baseline::time::DAY;
    let records = Baseline::new(options.seed, options.days, options.start_ms)
        .records()
        .filter(|record| record.arrival_ms >= from)
        .filter(|record| options.source.as_deref().is_none_or(|name| name == record.source));
    let mut out = BufWriter::new(std::io::stdout().lock());
    if options.counts {
        return counts(records, options.start_ms, &mut out);
    }
    let mut files: BTreeMap<&'static str, BufWriter<std::fs::File>> = BTreeMap::new();
    if let Some(folder) = &options.out {
        std::fs::create_dir_all(folder)?;
    }
    for record in records {
        if options.labels {
            if let (Some(label), Some(variant)) = (record.label, record.variant) {
                write!(out, "{label}\t{variant}\t{}\t{}\t", record.event_ms, record.source)?;
                out.write_all(&record.bytes)?;
                out.write_all(b"\n")?;
            }
            continue;
        }
        let Some(folder) = &options.out else {
            line(&mut out, &record, options.arrivals)?;
            continue;
        };
        let file = match files.entry(record.source) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let path = format!("{folder}/{}.jsonl", record.source);
                entry.insert(BufWriter::new(std::fs::File::create(path)?))
            }
        };
        line(file, &record, options.arrivals)?;
    }
    files.values_mut().try_for_each(Write::flush)?;
    out.flush()
}

fn line(out: &mut impl Write, record: &Record, arrivals: bool) -> std::io::Result<()> {
    if arrivals {
        write!(out, "{}\t", record.arrival_ms)?;
    }
    out.write_all(&record.bytes)?;
    out.write_all(b"\n")
}

fn counts(records: impl Iterator<Item = Record>, start_ms: i64, out: &mut impl Write) -> std::io::Result<()> {
    let mut classes: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    let mut labels: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut runs: BTreeMap<i64, u64> = BTreeMap::new();
    let mut total = (0_u64, 0_u64);
    for record in records {
        let count = classes.entry((record.class, record.source)).or_default();
        *count = (count.0 + 1, count.1 + record.bytes.len() as u64);
        total = (total.0 + 1, total.1 + record.bytes.len() as u64);
        if let (Some(label), Some(variant)) = (record.label, record.variant) {
            *labels.entry((label, variant)).or_default() += 1;
        }
        if record.class == "ci.run" && record.bytes.starts_with(b"{\"action\":\"requested\"") {
            *runs.entry((record.event_ms - start_ms).div_euclid(baseline::time::DAY)).or_default() += 1;
        }
    }
    for (day, count) in runs {
        writeln!(out, "runs   day {day:<36} {count:>9}")?;
    }
    for ((class, source), (count, bytes)) in classes {
        writeln!(out, "class  {class:<24} {source:<15} {count:>9} {bytes:>12}")?;
    }
    for ((label, variant), count) in labels {
        writeln!(out, "label  {label:<8} {variant:<31} {count:>9}")?;
    }
    writeln!(out, "total  {:>50} {:>12}", total.0, total.1)
}

fn write_config(folder: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(format!("{folder}/lists"))?;
    for (name, text) in lists() {
        std::fs::write(format!("{folder}/lists/{name}"), text)?;
    }
    std::fs::write(format!("{folder}/inventory.yaml"), inventory())?;
    std::fs::write(format!("{folder}/network.csv"), network_csv())
}
