//! `scenario.yaml` of one exercise: what its sources wrote and when it arrived, what has to be said about it, and until when.
//!
//! Only reads and checks; every problem is told at once, with its line and a hint. Must never judge anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ingest::format::{FORMATS, Format, by_name, json};
use model::{EventClass, Timestamp, Trust, Urgency, parse_span_ms};
use serde::Serialize;

use crate::config::yaml::{self, Problems, Section};

/// One exercise as read. Times are absolute.
#[derive(Debug)]
pub(super) struct Exercise {
    /// Folder and variant, as one names it: `gd-b1/attack`.
    pub name: String,
    pub id: String,
    pub variant: Variant,
    pub title: String,
    /// t = 00:00.
    pub start: Timestamp,
    /// Where judging ends.
    pub end: Timestamp,
    pub inventory: Option<PathBuf>,
    pub network: Vec<PathBuf>,
    pub lists: Vec<(String, PathBuf)>,
    pub inputs: Vec<Input>,
    pub health: Vec<Unwell>,
    pub labels: Labels,
    pub expect: Expect,
}

/// Something is wrong in it, or nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Variant {
    Attack,
    Twin,
}

/// One source with its records.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub source: String,
    pub file: PathBuf,
    /// A time for each line of the file; None: records arrive when they happen.
    pub arrivals: Option<PathBuf>,
    /// Lines that repeat, of the days before and beside: such records arrive when they happen.
    pub history: Option<PathBuf>,
    pub format: &'static Format,
    pub trust: Option<Trust>,
    pub lateness_ms: i64,
    pub classes: Option<BTreeSet<EventClass>>,
}

/// A source is known to be unwell: its silence means nothing.
#[derive(Debug, Clone)]
pub(super) struct Unwell {
    pub source: String,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Ids of events that mean something.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// They make the attack.
    pub malicious: BTreeSet<String>,
    /// They belong to the story and are harmless.
    pub benign: BTreeSet<String>,
    /// Noise.
    pub noise: BTreeSet<String>,
}

/// What has to be said, and what must not be.
#[derive(Debug, Default)]
pub(super) struct Expect {
    pub alerts: Vec<Expected>,
    /// Incidents that may page.
    pub pages_max: Option<usize>,
    pub tickets_max: Option<usize>,
    /// Detections that must not say anything.
    pub forbid: Vec<String>,
    /// (field, value): an alert with one of them belongs to the attack.
    pub lineage: Vec<(String, String)>,
    /// Detection → what it waits for.
    pub pending: BTreeMap<String, String>,
    /// What the exercise measures.
    pub sli: Vec<(String, String)>,
}

/// One alert that has to be told.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub id: String,
    pub route: Urgency,
    pub key: Vec<(String, String)>,
    /// Not for what happened before.
    pub not_before: Timestamp,
    /// Told by then, on the clock of arrivals.
    pub not_after: Timestamp,
}

impl Exercise {
    /// Reads an exercise.
    ///
    /// # Errors
    /// When the file cannot be read; everything that is wrong in it.
    pub(super) fn read(name: String, file: &Path) -> anyhow::Result<Exercise> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let documents = yaml::parse(&text).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
        let problems = Problems::default();
        let root = Section::root(documents.first(), &problems);
        let exercise = exercise(name, &root, file.parent().unwrap_or(Path::new(".")));
        root.finish();
        let problems = problems.list(&file.display().to_string());
        if !problems.is_empty() {
            bail!(problems.join("\n  "));
        }
        Ok(exercise)
    }
}

fn exercise(name: String, root: &Section<'_>, folder: &Path) -> Exercise {
    // Both are for people and for a harness that shuffles.
    let _ = (root.text("story"), root.text("seed"));
    let start = time(root, "start");
    let lateness_ms = root.parsed("lateness", parse_span_ms, SPAN).unwrap_or(DEFAULT_LATENESS_MS);
    let inputs: Vec<Input> =
        root.items("inputs").into_iter().map(|at| input(&at, folder, lateness_ms).closed(at)).collect();
    if inputs.is_empty() {
        root.problem("inputs", "is missing (hint: inputs: [{source: NAME, file: FILE, format: FORMAT}])");
    }
    let unwell = |at: &Section<'_>| Unwell {
        source: at.required("source", "its name"),
        from: time(at, "from"),
        to: time(at, "to"),
    };
    let labels = root.section("labels");
    let ids = |key| labels.texts(key).into_iter().collect();
    let expect = root.section("expect");
    let of_labels = Labels { malicious: ids("m"), benign: ids("b"), noise: ids("n") };
    labels.finish();
    Exercise {
        name,
        id: root.required("id", "id: GD-A1"),
        variant: root.parsed("variant", variant, "attack or twin").unwrap_or(Variant::Attack),
        title: root.required("title", "what happens, in a line"),
        start,
        end: time(root, "end"),
        inventory: root.text("inventory").map(|file| folder.join(file)),
        network: root.texts("network").into_iter().map(|file| folder.join(file)).collect(),
        lists: root.named_texts("lists").into_iter().map(|(name, file)| (name, folder.join(file))).collect(),
        inputs,
        health: root.items("health").into_iter().map(|at| unwell(&at).closed(at)).collect(),
        labels: of_labels,
        expect: expectations(&expect, start).closed(expect),
    }
}

/// Looks whether a section holds keys that nobody asked for.
trait Closed: Sized {
    fn closed(self, at: Section<'_>) -> Self {
        at.finish();
        self
    }
}

impl Closed for Input {}
impl Closed for Unwell {}
impl Closed for Expect {}
impl Closed for Expected {}

const SPAN: &str = "a span like 60s or 15m";
const DEFAULT_LATENESS_MS: i64 = 60_000;

fn time(at: &Section<'_>, key: &'static str) -> Timestamp {
    if !at.has(key) {
        at.problem(key, "is missing (hint: 2026-09-21T09:00:00Z)");
    }
    at.parsed(key, Timestamp::parse, "a time like 2026-09-21T09:00:00Z").unwrap_or(Timestamp::from_ms(0))
}

fn variant(text: &str) -> Option<Variant> {
    match text {
        "attack" => Some(Variant::Attack),
        "twin" => Some(Variant::Twin),
        _ => None,
    }
}

fn input(at: &Section<'_>, folder: &Path, lateness_ms: i64) -> Input {
    let known = || FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
    let format = at.required("format", "normal, or a name of `pipewarden formats list`");
    let found = by_name(&format).filter(|format| format.mapping.is_some());
    if found.is_none() && !format.is_empty() {
        at.problem("format", &format!("{format:?} is unknown, or tells no time (hint: {})", known()));
    }
    let mut classes = BTreeSet::new();
    for name in at.texts("classes") {
        match EventClass::by_name(&name) {
            Some(class) => drop(classes.insert(class)),
            None => at.problem("classes", &format!("{name:?} is no class of the model (hint: like ci.runner)")),
        }
    }
    Input {
        source: at.required("source", "its name"),
        file: folder.join(at.required("file", "events/SOURCE.jsonl")),
        arrivals: at.text("arrivals").map(|file| folder.join(file)),
        history: at.text("history").map(|file| folder.join(file)),
        format: found.unwrap_or(&json::FORMAT),
        trust: at.parsed("trust", Trust::by_name, "control_plane, agent, tenant or attacker_controlled"),
        lateness_ms: at.parsed("lateness", parse_span_ms, SPAN).unwrap_or(lateness_ms),
        classes: (!classes.is_empty()).then_some(classes),
    }
}

fn expectations(at: &Section<'_>, start: Timestamp) -> Expect {
    let pairs = |text: String| text.split_once('=').map(|(field, value)| (field.to_owned(), value.to_owned()));
    let why = |of: &Section<'_>| (of.required("id", "the detection"), of.text("why").unwrap_or_default());
    let number = |text: &str| text.parse().ok();
    let pending = at.items("pending").into_iter().map(|of| {
        let pair = why(&of);
        of.finish();
        pair
    });
    Expect {
        alerts: at.items("alerts").into_iter().map(|of| expected(&of, start).closed(of)).collect(),
        pages_max: at.parsed("pages_max", number, "a whole number"),
        tickets_max: at.parsed("tickets_max", number, "a whole number"),
        forbid: at.texts("forbid"),
        lineage: at.texts("lineage").into_iter().filter_map(pairs).collect(),
        pending: pending.collect(),
        sli: at.named_texts("sli"),
    }
}

fn expected(at: &Section<'_>, start: Timestamp) -> Expected {
    let route = |text: &str| match text {
        "page" => Some(Urgency::Page),
        "ticket" => Some(Urgency::Ticket),
        _ => None,
    };
    let moment = |key| at.parsed(key, |text| relative(text, start), "mm:ss, h:mm:ss or d1 hh:mm:ss, from start on");
    Expected {
        id: at.required("id", "the detection, like RUN-02"),
        route: at.parsed("route", route, "page or ticket").unwrap_or(Urgency::Page),
        key: at.named_texts("key"),
        not_before: moment("not_before").unwrap_or(Timestamp::MIN),
        not_after: moment("not_after").unwrap_or(Timestamp::MAX),
    }
}

/// Reads `mm:ss`, `h:mm:ss` (from `start`) or `dN hh:mm:ss` (from the midnight of the day of `start`); `-` is before.
pub(super) fn relative(text: &str, start: Timestamp) -> Option<Timestamp> {
    const DAY_MS: i64 = 86_400_000;
    let (from, text) = match text.strip_prefix('d').and_then(|rest| rest.split_once(' ')) {
        Some((days, clock)) => {
            (start.ms().div_euclid(DAY_MS) * DAY_MS + days.parse::<i64>().ok()?.checked_mul(DAY_MS)?, clock)
        }
        None => (start.ms(), text),
    };
    let (sign, clock) = text.strip_prefix('-').map_or((1, text), |clock| (-1, clock));
    let parts: Vec<i64> = clock.split(':').map(|part| part.parse().ok().filter(|n| *n >= 0)).collect::<Option<_>>()?;
    let seconds = match parts.as_slice() {
        [minutes, seconds] => minutes.checked_mul(60)?.checked_add(*seconds)?,
        [hours, minutes, seconds] => {
            hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(*seconds)?
        }
        _ => return None,
    };
    Some(Timestamp::from_ms(from.checked_add(sign * seconds.checked_mul(1000)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_count_from_the_start_or_from_its_midnight() {
        let start = Timestamp::parse("2026-09-21T09:00:00Z").expect("a time");
        for (text, is) in [
            ("00:30", "2026-09-21T09:00:30Z"),
            ("61:55", "2026-09-21T10:01:55Z"),
            ("4:01:55", "2026-09-21T13:01:55Z"),
            ("-26:00:00", "2026-09-20T07:00:00Z"),
            ("d2 10:01:05", "2026-09-23T10:01:05Z"),
        ] {
            assert_eq!(relative(text, start), Timestamp::parse(is), "{text}");
        }
        for text in ["", "soon", "1", "1:2:3:4", "d 1:00", "00:-30", "9999999999999999:00:00"] {
            assert_eq!(relative(text, start), None, "{text}");
        }
    }
}
