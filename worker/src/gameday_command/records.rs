//! What the sources of an exercise wrote, in the order of arrival; and what its labelled events are.
//!
//! Reads files, and nothing else: what becomes of a record is the pipeline's business.

use std::path::Path;

use anyhow::{Context, bail};
use ingest::format::Wanted;
use ingest::{Decoder, Read};
use model::Timestamp;
use serde::Serialize;

use super::exercise::{Exercise, Input, Labels};
use crate::repeating;

/// A record on its way.
#[derive(Debug, Clone)]
pub(super) struct Arriving {
    /// Number of its source.
    pub source: usize,
    /// When it arrives.
    pub at: Timestamp,
    pub bytes: Vec<u8>,
}

/// What a label says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Label {
    Malicious,
    Benign,
    Noise,
}

/// A labelled event.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Labelled {
    pub label: Label,
    pub id: String,
    pub source: String,
    /// Class and action.
    pub what: String,
    pub time: Timestamp,
    pub arrival: Timestamp,
}

/// The records of an exercise, and its labelled events by time.
///
/// # Errors
/// A file that cannot be read, lines without their arrival, a label that is no event's id.
pub(super) fn read(exercise: &Exercise) -> anyhow::Result<(Vec<Arriving>, Vec<Labelled>)> {
    let (mut records, mut labelled) = (Vec::new(), Vec::new());
    for (source, input) in exercise.inputs.iter().enumerate() {
        let decoder = Decoder::new(vec![(input.format, Wanted::default())], input.trust, true);
        let mut scratch = ingest::Scratch::default();
        let text = text(&input.file)?;
        let lines: Vec<&str> = text.lines().collect();
        let arrivals = arrivals(input, lines.len())?;
        for (number, line) in lines.into_iter().enumerate() {
            let told = arrivals.get(number).copied();
            let mut at = told;
            decoder.read(&mut scratch, line, 0, &mut |_, read| {
                let Read::Event(seen) = read else { return };
                let decoded = &seen.decoded;
                at = at.max(decoded.time.filter(|_| told.is_none()));
                let (Some(id), Some(time)) = (decoded.id.as_deref(), decoded.time) else { return };
                let Some(label) = label(&exercise.labels, id) else { return };
                let class = decoded.class.map_or("", |class| class.name());
                labelled.push(Labelled {
                    label,
                    id: id.to_owned(),
                    source: input.source.clone(),
                    what: format!("{class} {}", decoded.action).trim().to_owned(),
                    time,
                    arrival: told.unwrap_or(time),
                });
            });
            let Some(at) = at else { bail!("{}:{}: no event, and no arrival", input.file.display(), number + 1) };
            records.push(Arriving { source, at, bytes: line.as_bytes().to_vec() });
        }
    }
    for (source, input) in exercise.inputs.iter().enumerate() {
        records.extend(history(input)?.into_iter().map(|(at, text)| Arriving { source, at, bytes: text.into_bytes() }));
    }
    check(exercise, &labelled)?;
    records.sort_by_key(|record| (record.at, record.source));
    labelled.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    Ok((records, labelled))
}

/// The records of a history; none is labelled.
fn history(input: &Input) -> anyhow::Result<Vec<(Timestamp, String)>> {
    let Some(file) = &input.history else { return Ok(Vec::new()) };
    let mut records = Vec::new();
    for (number, line) in text(file)?.lines().enumerate() {
        let found = repeating::repeated(line);
        records.extend(found.map_err(|why| anyhow::anyhow!("{}:{}: {why}", file.display(), number + 1))?);
    }
    Ok(records)
}

fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| file.display().to_string())
}

fn arrivals(input: &Input, lines: usize) -> anyhow::Result<Vec<Timestamp>> {
    let Some(file) = &input.arrivals else { return Ok(Vec::new()) };
    let text = text(file)?;
    let time = |(number, line): (usize, &str)| {
        Timestamp::parse(line).with_context(|| format!("{}:{}: {line:?} is no time", file.display(), number + 1))
    };
    let times = text.lines().enumerate().map(time).collect::<anyhow::Result<Vec<_>>>()?;
    if times.len() != lines {
        let (name, records) = (file.display(), input.file.display());
        bail!("{name}: {} arrivals for the {lines} records of {records} (hint: a line for each)", times.len());
    }
    Ok(times)
}

fn label(labels: &Labels, id: &str) -> Option<Label> {
    let sets = [(&labels.malicious, Label::Malicious), (&labels.benign, Label::Benign), (&labels.noise, Label::Noise)];
    sets.into_iter().find(|(ids, _)| ids.contains(id)).map(|(_, label)| label)
}

fn check(exercise: &Exercise, found: &[Labelled]) -> anyhow::Result<()> {
    let Labels { malicious, benign, noise } = &exercise.labels;
    let is_there = |id: &&String| found.iter().any(|event| event.id == **id);
    let missing: Vec<&str> =
        [malicious, benign, noise].into_iter().flatten().filter(|id| !is_there(id)).map(String::as_str).collect();
    if !missing.is_empty() {
        bail!("{}: labels that are no event's id: {}", exercise.name, missing.join(", "));
    }
    Ok(())
}
