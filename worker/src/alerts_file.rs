//! Alert records read back: from a seal log, a file of `--alerts`, or standard input; and the alert that somebody means.
//!
//! Lines are kept as they stand, for whoever compares them. Must never choose between two alerts that are both meant.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use ingest::source::file::{self, FileInput};
use model::{ALERT_SCHEMA, AlertRecord, Fingerprint};

/// No alert record is larger.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Candidates that are named to somebody whose alert is not known, or could be several.
const CANDIDATES_MAX: usize = 8;

/// Which alert, and where its records stand.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Fingerprint of the alert, or its first digits where they are the only ones
    #[arg(value_name = "ALERT")]
    pub(crate) alert: String,
    /// Where its records stand: a seal log, or a file that `--alerts` wrote (also .gz, .zst); may be repeated
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) alerts: Vec<PathBuf>,
}

/// One record with the line that it was read from.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) record: AlertRecord,
}

/// All records of one alert, in the order of the files.
#[derive(Debug)]
pub(crate) struct Alert {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) lines: Vec<Line>,
}

impl Asked {
    /// The alert that is meant.
    ///
    /// # Errors
    /// When nothing can be read, the alert is not known (with the nearest), or several are meant (with all of them).
    pub(crate) fn find(&self) -> anyhow::Result<Alert> {
        let asked = self.alert.to_ascii_lowercase();
        if asked.is_empty() || !asked.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            bail!("{}: no fingerprint (hint: up to 32 hexadecimal digits, as `fingerprint` of a record)", self.alert);
        }
        let mut alerts = read(&self.alerts)?;
        let meant: Vec<Fingerprint> = alerts.keys().filter(|print| print.hex().starts_with(&asked)).copied().collect();
        match meant.as_slice() {
            [one] => {
                let lines = alerts.remove(one).unwrap_or_default();
                Ok(Alert { fingerprint: *one, lines })
            }
            [] => bail!(
                "{asked}: is none of {} alerts (hint: another --alerts; the nearest are)\n{}",
                alerts.len(),
                candidates(&nearest(&asked, &alerts), &alerts)
            ),
            several => {
                bail!("{asked}: begins {} alerts (hint: more digits)\n{}", several.len(), candidates(several, &alerts))
            }
        }
    }
}

/// The records of all alerts in these files.
///
/// # Errors
/// When a file cannot be read, or there is no record.
pub(crate) fn read(paths: &[PathBuf]) -> anyhow::Result<BTreeMap<Fingerprint, Vec<Line>>> {
    let mut alerts: BTreeMap<Fingerprint, Vec<Line>> = BTreeMap::new();
    let mut others = 0;
    for path in paths.iter().map(|path| file::list(path).map(|files| (path, files))) {
        let (path, files) = path.map_err(|error| anyhow::anyhow!("--alerts: {error} (hint: name a file)"))?;
        if files.is_empty() {
            bail!("{}: holds no .json or .jsonl file (hint: name the seal log)", path.display());
        }
        for file in files {
            let open = FileInput::open(&file, RECORD_BYTES_MAX);
            let mut input = open.map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
            while let Some(chunk) = input.next_chunk() {
                for bounds in &chunk.records {
                    match line(chunk.bytes.get(bounds.clone()).unwrap_or_default()) {
                        Some(line) => alerts.entry(line.record.fingerprint).or_default().push(line),
                        None => others += 1,
                    }
                }
                if let Some(reason) = chunk.damaged {
                    tracing::error!("{}: {reason}; what came before was read", file.display());
                }
            }
        }
    }
    if others > 0 {
        tracing::warn!("{others} lines are no alert records of schema {ALERT_SCHEMA}: they were left out");
    }
    if alerts.is_empty() {
        bail!("there is no alert record (hint: --alerts FILE, the seal log or what `replay --alerts` wrote)");
    }
    Ok(alerts)
}

fn line(bytes: &[u8]) -> Option<Line> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let record: AlertRecord = serde_json::from_str(text).ok()?;
    (record.schema == ALERT_SCHEMA).then(|| Line { text: text.to_owned(), record })
}

/// The alerts whose fingerprints share the most first digits, then those told last.
fn nearest(asked: &str, alerts: &BTreeMap<Fingerprint, Vec<Line>>) -> Vec<Fingerprint> {
    let shared = |print: &Fingerprint| asked.bytes().zip(print.hex().bytes()).take_while(|(a, b)| a == b).count();
    let told = |print: &Fingerprint| alerts.get(print).and_then(|lines| lines.last()?.record.event_time);
    let mut near: Vec<Fingerprint> = alerts.keys().copied().collect();
    near.sort_by_key(|print| std::cmp::Reverse((shared(print), told(print))));
    near.truncate(CANDIDATES_MAX);
    near
}

fn candidates(prints: &[Fingerprint], alerts: &BTreeMap<Fingerprint, Vec<Line>>) -> String {
    let mut lines = Vec::new();
    for print in prints.iter().take(CANDIDATES_MAX) {
        let Some(last) = alerts.get(print).and_then(|lines| lines.last()) else { continue };
        let AlertRecord { urgency, rule, event_time, .. } = &last.record;
        let time = event_time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        lines.push(format!("  {print}  {time}  {:<6}  {}", urgency.name(), printable(&rule.title)));
    }
    if prints.len() > CANDIDATES_MAX {
        lines.push(format!("  and {} more", prints.len() - CANDIDATES_MAX));
    }
    lines.join("\n")
}

/// Text that others wrote: one line, no control characters.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
