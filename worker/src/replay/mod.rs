//! `pipewarden replay`: history through the same pipeline, from files or standard input.
//!
//! The order in which chunks are taken is fixed (lowest watermark first, a fixed number ahead), so threads, chunk sizes
//! and the machine's speed change nothing that is told.

mod archive;
mod args;
pub(crate) mod inputs;
mod limits;
pub(crate) mod outputs;
pub(crate) mod reading;
mod scenario;
mod state;
mod summary;

use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, mpsc};

use anyhow::Context;
use ingest::source::file::Chunk;
use model::{Invalid, Partition, Timestamp};

use args::Plan;
pub use args::ReplayArgs;
use inputs::Inputs;
use reading::Reader;
use sinks::Mode;
use state::ReplayState;

use crate::engine::Engine;
use crate::judge::{Fate, Judge, Judgement};
use crate::pipeline::{Outlets, Pipeline};

/// Chunks that may be read ahead of what has been taken. Fixed: the choice of the next input depends on it.
const AHEAD: usize = 8;

/// Records that one thread judges before it takes them: few, so that what is known of them is still at hand.
const BATCH: usize = 16;

/// Runs the command.
///
/// # Errors
/// Bad usage or configuration, or an outlet that cannot be written.
pub fn run(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    if let (Some(control_log), Some(config), Some(alerts)) = (&args.control_log, &args.config, &args.alerts) {
        crate::run::rerun(config, control_log, alerts, args.incidents.as_deref())?;
        return Ok(ExitCode::SUCCESS);
    }
    let Plan { reading, mode, outlets, archive, json, quiet_table, state_in, state_out } = args.plan()?;
    let rules = reading.engine.rules.clone();
    let started = crate::clock::Stopwatch::start();
    let keys = reading.engine.keys;
    let Done { pipeline, inputs } = pieces(reading, (mode, outlets), json, (state_in, state_out.is_some()))?;
    if let Some(archive) = archive {
        crate::archive_command::derive(&archive)?;
    }
    if let Some(path) = &state_out {
        state::write(path, &pipeline, &rules, keys.identity)?;
    }
    let summary = summary::Summary::new(&pipeline, &rules, &inputs, started.seconds());
    if json {
        summary.print_json()?;
    } else if !quiet_table {
        summary.print_table()?;
    }
    Ok(summary.exit_code())
}

/// A pipeline through which everything has gone.
pub(crate) struct Done {
    pub(crate) pipeline: Pipeline,
    pub(crate) inputs: Inputs,
}

/// Reads, judges and seals everything that a reader names.
///
/// # Errors
/// When rules cannot be compiled or an outlet cannot be written.
pub(crate) fn through(reader: Reader, mode: Mode, outlets: Outlets, quiet: bool) -> anyhow::Result<Done> {
    pieces(reader, (mode, outlets), quiet, (None, false))
}

/// The same for one of several pieces of history: `before` is what the last one left, and what ends may go on in the next.
fn pieces(
    reader: Reader,
    (mode, outlets): (Mode, Outlets),
    quiet: bool,
    (before, go_on): (Option<ReplayState>, bool),
) -> anyhow::Result<Done> {
    let Reader { engine, time, id_reuse, inputs, until, backfill_until, end, threads, .. } = reader;
    let settings = limits::settings(mode, id_reuse, engine.reading.lineage, (backfill_until, end));
    let mut pipeline = Pipeline::new(settings, vec![(engine.clone(), time)], outlets, None)?;
    if let Some(state) = before {
        state.restore(&mut pipeline)?;
    }
    let mut inputs = Inputs::open(inputs, &mut pipeline, &engine.reading.source);
    inputs.go_on = go_on;
    let progress = inputs.progress(quiet);
    let drained = drain(&engine, &mut pipeline, &mut inputs, threads, until, &progress);
    progress.finish_and_clear();
    drained?;
    pipeline.advance()?;
    let _ = pipeline.heed_found();
    pipeline.flush()?;
    Ok(Done { pipeline, inputs })
}

/// One chunk on its way.
struct Job {
    /// Number of its partition.
    input: usize,
    partition: Partition,
    /// None: the input has ended.
    chunk: Option<Chunk>,
}

/// Reads, judges and takes everything.
fn drain(
    engine: &Arc<Engine>,
    pipeline: &mut Pipeline,
    inputs: &mut Inputs,
    threads: usize,
    until: Option<Timestamp>,
    progress: &indicatif::ProgressBar,
) -> anyhow::Result<()> {
    if threads <= 1 {
        return drain_alone(engine, pipeline, inputs, until, progress);
    }
    std::thread::scope(|scope| {
        let (jobs, queue) = mpsc::channel::<(usize, Job)>();
        let queue = Arc::new(Mutex::new(queue));
        let (results, judged) = mpsc::channel::<(usize, Job, Vec<Judgement>)>();
        // Memory for judgements goes round: from where they are taken back to where they are made.
        let (spare, spares) = mpsc::channel::<Vec<Judgement>>();
        let spares = Arc::new(Mutex::new(spares));
        for _ in 0..threads {
            let (queue, spares, results, engine) = (queue.clone(), spares.clone(), results.clone(), engine.clone());
            scope.spawn(move || {
                let mut judge = Judge::new(engine);
                loop {
                    let next = queue.lock().map(|queue| queue.recv());
                    let Ok(Ok((number, job))) = next else { return };
                    let spare = spares.lock().ok().and_then(|spares| spares.try_recv().ok());
                    let mut judgements = spare.unwrap_or_default();
                    for records in job.batches(usize::MAX) {
                        judge_records(&mut judge, &job, records, &mut judgements);
                    }
                    if results.send((number, job, judgements)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(results);
        let (mut sent, mut taken) = (0usize, 0usize);
        let mut waiting: VecDeque<Option<(Job, Vec<Judgement>)>> = VecDeque::new();
        loop {
            while sent - taken < AHEAD
                && let Some(job) = inputs.next(pipeline)
            {
                jobs.send((sent, job)).context("a judging thread ended early")?;
                waiting.push_back(None);
                sent += 1;
            }
            if waiting.is_empty() {
                return Ok(());
            }
            while matches!(waiting.front(), Some(None)) {
                let (number, job, judgements) = judged.recv().context("a judging thread ended early")?;
                if let Some(place) = waiting.get_mut(number - taken) {
                    *place = Some((job, judgements));
                }
            }
            if let Some(Some((job, mut judgements))) = waiting.pop_front() {
                taken += 1;
                pipeline.take(0, job.input, job.bytes(), &mut judgements, until)?;
                done(pipeline, inputs, job, progress)?;
                // Nobody may be left to take it: then it is not needed.
                let _ = spare.send(judgements);
            }
        }
    })
}

/// The same on this thread alone.
fn drain_alone(
    engine: &Arc<Engine>,
    pipeline: &mut Pipeline,
    inputs: &mut Inputs,
    until: Option<Timestamp>,
    progress: &indicatif::ProgressBar,
) -> anyhow::Result<()> {
    let mut judge = Judge::new(engine.clone());
    let (mut ahead, mut judgements) = (VecDeque::new(), Vec::new());
    loop {
        while ahead.len() < AHEAD
            && let Some(job) = inputs.next(pipeline)
        {
            ahead.push_back(job);
        }
        let Some(job) = ahead.pop_front() else { return Ok(()) };
        for records in job.batches(BATCH) {
            judge_records(&mut judge, &job, records, &mut judgements);
            pipeline.take(0, job.input, job.bytes(), &mut judgements, until)?;
        }
        done(pipeline, inputs, job, progress)?;
    }
}

impl Job {
    fn bytes(&self) -> &[u8] {
        self.chunk.as_ref().map(|chunk| chunk.bytes.as_slice()).unwrap_or_default()
    }

    /// Its records by number, at most so many at a time.
    fn batches(&self, records: usize) -> impl Iterator<Item = Range<usize>> {
        let all = self.chunk.as_ref().map_or(0, |chunk| chunk.records.len());
        (0..all).step_by(records).map(move |from| from..from.saturating_add(records).min(all))
    }
}

fn judge_records(judge: &mut Judge, job: &Job, records: Range<usize>, judgements: &mut Vec<Judgement>) {
    let Some(chunk) = &job.chunk else { return };
    for (i, bounds) in chunk.records.iter().enumerate().take(records.end).skip(records.start) {
        let offset = chunk.first_offset + i as i64;
        let broken = if chunk.too_large == Some(i) {
            Some(Invalid::TooLarge)
        } else {
            (chunk.torn && i + 1 == chunk.records.len()).then_some(Invalid::Damaged)
        };
        match broken {
            Some(reason) => {
                judgements.push(Judgement { offset, bounds: bounds.clone(), fate: Fate::Invalid(reason) });
            }
            None => judge.record(&chunk.bytes, bounds.clone(), &job.partition, offset, judgements),
        }
    }
}

/// Everything of a chunk has been taken.
fn done(
    pipeline: &mut Pipeline,
    inputs: &mut Inputs,
    job: Job,
    progress: &indicatif::ProgressBar,
) -> anyhow::Result<()> {
    match job.chunk {
        None if inputs.go_on => {}
        None => pipeline.complete(0, job.input, Timestamp::MAX),
        Some(chunk) => {
            progress.inc(chunk.bytes.len() as u64);
            pipeline.heed_events();
            if let Some(reason) = &chunk.damaged {
                inputs.unreadable(Path::new(job.partition.name.as_ref()), reason);
            }
            inputs.used(chunk);
        }
    }
    pipeline.advance()?;
    // Files have no control log: each lane knows it from its own time on.
    let _ = pipeline.heed_found();
    Ok(())
}
