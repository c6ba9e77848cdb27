//! `pipewarden replay`: history through the same pipeline, from files or standard input.
//!
//! The order in which chunks are taken is fixed (lowest watermark first, a fixed number ahead), so threads, chunk sizes
//! and the machine's speed change nothing that is told.

mod args;
pub(crate) mod inputs;
mod limits;
mod outputs;
pub(crate) mod reading;
mod scenario;
mod state;
mod summary;

use std::collections::VecDeque;
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

/// Runs the command.
///
/// # Errors
/// Bad usage or configuration, or an outlet that cannot be written.
pub fn run(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    if let (Some(control_log), Some(config), Some(alerts)) = (&args.control_log, &args.config, &args.alerts) {
        crate::run::rerun(config, control_log, alerts, args.incidents.as_deref())?;
        return Ok(ExitCode::SUCCESS);
    }
    let Plan { reading, mode, outlets, json, quiet_table, state_in, state_out } = args.plan()?;
    let rules = reading.engine.rules.clone();
    let started = crate::clock::Stopwatch::start();
    let keys = reading.engine.keys;
    let Done { pipeline, inputs } = pieces(reading, (mode, outlets), json, (state_in, state_out.is_some()))?;
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
    let Reader { engine, time, id_reuse, inputs, until, threads, .. } = reader;
    let settings = limits::settings(mode, id_reuse, engine.reading.lineage);
    let mut pipeline = Pipeline::new(settings, vec![(engine.clone(), time)], outlets)?;
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
        let mut judge = Judge::new(engine.clone());
        let mut ahead = VecDeque::new();
        loop {
            while ahead.len() < AHEAD
                && let Some(job) = inputs.next(pipeline)
            {
                ahead.push_back(job);
            }
            let Some(job) = ahead.pop_front() else { return Ok(()) };
            let judgements = judge_chunk(&mut judge, &job);
            take(pipeline, inputs, job, judgements, until, progress)?;
        }
    }
    std::thread::scope(|scope| {
        let (jobs, queue) = mpsc::channel::<(usize, Job)>();
        let queue = Arc::new(Mutex::new(queue));
        let (results, judged) = mpsc::channel::<(usize, Job, Vec<Judgement>)>();
        for _ in 0..threads {
            let (queue, results, engine) = (queue.clone(), results.clone(), engine.clone());
            scope.spawn(move || {
                let mut judge = Judge::new(engine);
                loop {
                    let next = queue.lock().map(|queue| queue.recv());
                    let Ok(Ok((number, job))) = next else { return };
                    let judgements = judge_chunk(&mut judge, &job);
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
            if let Some(Some((job, judgements))) = waiting.pop_front() {
                taken += 1;
                take(pipeline, inputs, job, judgements, until, progress)?;
            }
        }
    })
}

fn judge_chunk(judge: &mut Judge, job: &Job) -> Vec<Judgement> {
    let Some(chunk) = &job.chunk else { return Vec::new() };
    let mut judgements = Vec::with_capacity(chunk.records.len());
    for (i, bounds) in chunk.records.iter().enumerate() {
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
            None => judge.record(&chunk.bytes, bounds.clone(), &job.partition, offset, &mut judgements),
        }
    }
    judgements
}

fn take(
    pipeline: &mut Pipeline,
    inputs: &mut Inputs,
    job: Job,
    mut judgements: Vec<Judgement>,
    until: Option<Timestamp>,
    progress: &indicatif::ProgressBar,
) -> anyhow::Result<()> {
    match job.chunk {
        None if inputs.go_on => {}
        None => pipeline.complete(0, job.input, Timestamp::MAX),
        Some(chunk) => {
            progress.inc(chunk.bytes.len() as u64);
            pipeline.take(0, job.input, &chunk.bytes, &mut judgements, until)?;
            if let Some(reason) = chunk.damaged {
                inputs.unreadable(Path::new(job.partition.name.as_ref()), &reason);
            }
        }
    }
    pipeline.advance()?;
    Ok(())
}
