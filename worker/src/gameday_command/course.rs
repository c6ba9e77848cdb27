//! The course of an exercise: the production pipeline in process, on a simulated clock of arrivals.
//!
//! A tick is a second. At each one everything that has arrived is judged and taken, sources that are quiet count as
//! complete as in production, and cursors move. Must never read a clock: when something was told is a tick.

use std::cell::RefCell;
use std::rc::Rc;

use ingest::TimePolicy;
use model::{AlertRecord, HealthState, IncidentRecord, RedactionKey, SourceHealth, Timestamp};
use sinks::{IncidentLimits, Limits, Mode, Outlet, OutletError};

use super::exercise::Unwell;
use super::records::Arriving;
use super::surroundings::Source;
use crate::judge::Judge;
use crate::pipeline::{LineageLimits, Outlets, Pipeline, Settings};

const TICK_MS: i64 = 1_000;
/// How long a source is quiet before it counts as complete: the default of `run`.
const IDLE_AFTER_MS: i64 = 30_000;
/// How long after its lateness the last thing a source said may still be told.
pub(super) const SETTLES_MS: i64 = IDLE_AFTER_MS + 5 * TICK_MS;
/// How far ahead of its arrival a record may be: the default of `run`.
const SKEW_MAX_MS: i64 = 300_000;

const LIMITS: Limits = Limits {
    open_alerts_max: 1_000_000,
    findings_waiting_max: 4_000_000,
    occurrences_waiting_max: 4_000_000,
    silences_max: 10_000,
};
const CORRELATIONS: rules::correlation::Limits = rules::correlation::Limits { keys_max: 4_000_000 };
const LINEAGE: LineageLimits = LineageLimits { waiting_max: 4_000_000, ..LineageLimits::DEFAULT };
const DUPLICATES_MAX: usize = 4_000_000;

/// A record that somebody was told, and when.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// On the clock of arrivals.
    pub at: Timestamp,
    pub record: AlertRecord,
}

/// What a course left.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// Provisional and sealed records in the order in which they were told.
    pub told: Vec<Told>,
    /// The incidents that their alerts came to, in order.
    pub incidents: Vec<IncidentRecord>,
    /// Records that could not be decoded.
    pub invalid: u64,
    /// Events that came behind their source's watermark.
    pub late: u64,
}

/// From when on every second ticks, and until when. Before, only seconds in which something arrives do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub from: Timestamp,
    pub until: Timestamp,
}

/// Keeps what is told.
#[derive(Clone, Default)]
struct Ear(Rc<RefCell<Vec<AlertRecord>>>, Rc<RefCell<Vec<IncidentRecord>>>);

impl Outlet for Ear {
    fn put(&mut self, record: &AlertRecord, _: &str) -> Result<(), OutletError> {
        self.0.borrow_mut().push(record.clone());
        Ok(())
    }

    fn put_incident(&mut self, record: &IncidentRecord, _: &str) -> Result<(), OutletError> {
        self.1.borrow_mut().push(record.clone());
        Ok(())
    }

    fn flush(&mut self) -> Result<(), OutletError> {
        Ok(())
    }
}

/// One source on the way.
struct Station {
    judge: Judge,
    lateness_ms: i64,
    /// Tick at which it was heard last.
    heard: Timestamp,
    next_offset: i64,
}

/// Runs records, in the order of arrival, through the pipeline.
///
/// # Errors
/// When a correlation cannot be compiled.
pub(super) fn run(
    sources: &[Source],
    records: impl Iterator<Item = Arriving>,
    unwell: &[Unwell],
    span: Span,
) -> anyhow::Result<Course> {
    let (ear, mut course) = (Ear::default(), Course::default());
    let mut pipeline = pipeline(sources, &ear)?;
    let mut records = records.take_while(|record| record.at <= span.until).peekable();
    let mut now = tick_at(records.peek().map_or(span.from, |record| record.at));
    let station = |source: &Source| Station {
        judge: Judge::new(source.engine.clone()),
        lateness_ms: source.lateness_ms,
        heard: now,
        next_offset: 0,
    };
    let mut stations: Vec<Station> = sources.iter().map(station).collect();
    let mut judgements = Vec::new();
    for Unwell { source, from, to } in unwell {
        let state = HealthState::Unhealthy { from: *from, to: Some(*to) };
        pipeline.heed(&SourceHealth { source: source.as_str().into(), state }, &[]);
    }
    while now <= span.until {
        while let Some(record) = records.next_if(|record| record.at <= now) {
            let Some(station) = stations.get_mut(record.source) else { continue };
            let Some(name) = pipeline.partition(record.source, 0) else { continue };
            let (bytes, offset) = (&record.bytes, station.next_offset);
            station.judge.record(bytes, 0..bytes.len(), name, offset, &mut judgements);
            (station.heard, station.next_offset) = (now, offset + 1);
            pipeline.take(record.source, 0, bytes, &mut judgements, Some(record.at.plus_ms(SKEW_MAX_MS)))?;
        }
        pipeline.heed_events();
        for (number, station) in stations.iter().enumerate() {
            let is_quiet = now.ms() - station.heard.ms() >= IDLE_AFTER_MS;
            if is_quiet {
                // What is still to arrive does so after this tick, and happened after its lateness ago.
                pipeline.complete(number, 0, now.plus_ms(1 - station.lateness_ms));
            }
        }
        pipeline.tick(now)?;
        pipeline.advance()?;
        // Nobody keeps a control log of an exercise.
        let _ = pipeline.heed_found();
        course.told.extend(ear.0.borrow_mut().drain(..).map(|record| Told { at: now, record }));
        let next = records.peek().map_or(span.from, |record| record.at).min(span.from);
        now = now.plus_ms(TICK_MS).max(tick_at(next));
    }
    course.incidents = ear.1.take();
    let total = pipeline.total();
    (course.invalid, course.late) = (total.records.invalid, total.events.late);
    Ok(course)
}

fn pipeline(sources: &[Source], ear: &Ear) -> anyhow::Result<Pipeline> {
    let settings = Settings {
        mode: Mode::Alerts,
        merge: false,
        id_reuse: true,
        limits: LIMITS,
        correlations: CORRELATIONS,
        lineage: Some(LINEAGE),
        incidents: IncidentLimits::DEFAULT,
        since: Timestamp::MIN,
        end: Timestamp::MIN,
        redaction: RedactionKey::default(),
    };
    let policy = |source: &Source| TimePolicy { lateness_ms: source.lateness_ms, duplicates_max: DUPLICATES_MAX };
    let timed = sources.iter().map(|source| (source.engine.clone(), policy(source))).collect();
    let heard = || -> Vec<Box<dyn Outlet>> { vec![Box::new(ear.clone())] };
    let outlets = Outlets { sealed: heard(), provisional: heard(), incidents: heard(), ..Outlets::default() };
    let mut pipeline = Pipeline::new(settings, timed, outlets, None)?;
    for (number, source) in sources.iter().enumerate() {
        pipeline.add_partition(number, &source.engine.reading.source);
    }
    Ok(pipeline)
}

/// The first tick at which a time has passed.
fn tick_at(time: Timestamp) -> Timestamp {
    Timestamp::from_ms(time.ms().saturating_add(TICK_MS - 1).div_euclid(TICK_MS).saturating_mul(TICK_MS))
}
