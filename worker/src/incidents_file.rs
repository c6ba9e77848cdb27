//! Incident records read back: from the log of incidents, a file of `--incidents`, or standard input; and what became of each
//! incident.
//!
//! Must never join what the records do not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::bail;
use ingest::source::file::{self, FileInput};
use model::{Fingerprint, INCIDENT_SCHEMA, IncidentRecord, IncidentState};

/// No incident record is larger.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One incident with all that became part of it.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    pub(crate) incident: Fingerprint,
    /// Its records and those of the incidents that it took in, in the order of the files.
    pub(crate) records: Vec<IncidentRecord>,
    /// The incidents that it took in.
    pub(crate) merged: BTreeSet<Fingerprint>,
}

impl Course {
    /// The record that says most: the last of its own.
    pub(crate) fn last(&self) -> Option<&IncidentRecord> {
        self.records.iter().rev().find(|record| record.incident == self.incident)
    }

    /// It is over.
    pub(crate) fn is_closed(&self) -> bool {
        self.last().is_some_and(|last| last.state == IncidentState::Closed)
    }

    /// One record for each time that an alert came.
    pub(crate) fn alerts(&self) -> impl Iterator<Item = &IncidentRecord> {
        self.records.iter().filter(|record| record.alert.is_some())
    }

    /// The alert is one of its own.
    pub(crate) fn holds(&self, print: Fingerprint) -> bool {
        self.alerts().any(|record| record.alert.as_ref().is_some_and(|alert| alert.fingerprint == print))
    }
}

/// All incidents of some files, in the order in which they opened; those that became part of others are in them.
///
/// # Errors
/// When a file cannot be read, or there is no incident in them.
pub(crate) fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<Course>> {
    let (mut records, mut others) = (Vec::new(), 0);
    for path in paths {
        let files = file::list(path).map_err(|error| anyhow::anyhow!("--incidents: {error} (hint: name a file)"))?;
        for file in files {
            let open = FileInput::open(&file, RECORD_BYTES_MAX);
            let mut input = open.map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
            while let Some(chunk) = input.next_chunk() {
                for bounds in &chunk.records {
                    let bytes = chunk.bytes.get(bounds.clone()).unwrap_or_default();
                    match serde_json::from_slice::<IncidentRecord>(bytes) {
                        Ok(record) if record.schema == INCIDENT_SCHEMA => records.push(record),
                        _ => others += 1,
                    }
                }
                if let Some(reason) = chunk.damaged {
                    tracing::error!("{}: {reason}; what came before was read", file.display());
                }
            }
        }
    }
    if others > 0 {
        tracing::warn!("{others} lines are no incident records of schema {INCIDENT_SCHEMA}: they were left out");
    }
    if records.is_empty() {
        bail!(
            "there is no incident record (hint: --incidents FILE, incidents.jsonl or what `replay --incidents` wrote)"
        );
    }
    Ok(courses(records))
}

fn courses(records: Vec<IncidentRecord>) -> Vec<Course> {
    let into: BTreeMap<Fingerprint, Fingerprint> =
        records.iter().flat_map(|record| record.merged.iter().map(|gone| (*gone, record.incident))).collect();
    let end = |mut incident: Fingerprint| {
        // Each step leads to an older one.
        for _ in 0..into.len() {
            let Some(next) = into.get(&incident) else { break };
            incident = *next;
        }
        incident
    };
    let mut courses: Vec<Course> = Vec::new();
    let mut places: BTreeMap<Fingerprint, usize> = BTreeMap::new();
    for record in records {
        let incident = end(record.incident);
        let at = *places.entry(incident).or_insert_with(|| {
            courses.push(Course { incident, records: Vec::new(), merged: BTreeSet::new() });
            courses.len() - 1
        });
        if let Some(course) = courses.get_mut(at) {
            course.merged.extend(record.merged.iter().chain((record.incident != incident).then_some(&record.incident)));
            course.records.push(record);
        }
    }
    courses
}

/// The incident that somebody means: by the first digits of its name, of one that it took in, or of one of its alerts.
///
/// # Errors
/// When it is none of them, or could be several.
pub(crate) fn find<'c>(courses: &'c [Course], asked: &str) -> anyhow::Result<&'c Course> {
    let asked = asked.to_ascii_lowercase();
    if asked.is_empty() || !asked.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        bail!("{asked}: no name of an incident (hint: up to 32 hexadecimal digits, or `list`)");
    }
    let begins = |print: &Fingerprint| print.hex().starts_with(&asked);
    let of_alert =
        |course: &&Course| course.alerts().filter_map(|of| of.alert.as_ref()).any(|of| begins(&of.fingerprint));
    let mut found: Vec<&Course> =
        courses.iter().filter(|of| begins(&of.incident) || of.merged.iter().any(begins)).collect();
    if found.is_empty() {
        found = courses.iter().filter(of_alert).collect();
    }
    match found.as_slice() {
        [one] => Ok(one),
        [] => bail!("{asked}: is none of {} incidents, nor an alert of one (hint: `incident list`)", courses.len()),
        several => {
            let names: Vec<String> = several.iter().map(|of| format!("  {}", of.incident)).collect();
            bail!("{asked}: begins {} incidents (hint: more digits)\n{}", several.len(), names.join("\n"))
        }
    }
}
