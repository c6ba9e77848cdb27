//! A worker's state as a snapshot, when one is due.
//!
//! Called when everything told so far is flushed and nothing is half done. A snapshot that cannot be written stops nobody: the
//! one before it stays, and the next is tried again. Must never be taken while inputs are closed for good.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::build::{CONTROL_LOG, INCIDENTS, SEAL_LOG};
use super::snapshots::{Cost, Lengths, RunState};
use super::worker::Worker;
use crate::clock::Stopwatch;

impl Worker<'_> {
    /// Keeps the state if it is time.
    pub(super) fn keep_state(&mut self) {
        // With --until-end inputs are closed for good; before the group has spoken nothing has been read.
        if self.ends.is_some() || self.resumed || !self.joined || !self.snapshots.is_due() {
            return;
        }
        match self.keep_now() {
            Ok(cost) => self.metrics.kept(cost),
            Err(error) => {
                self.metrics.not_kept();
                tracing::warn!("{error:#} (the snapshot before it stays; a restart reads from there)");
            }
        }
    }

    fn keep_now(&mut self) -> anyhow::Result<Option<Cost>> {
        self.archive_now().context("archive")?;
        let Some(set) = self.built.version() else { return Ok(None) };
        let taking = Stopwatch::start();
        let Self { past, pipeline, .. } = self;
        past.retain(|(_, graph)| pipeline.remembers(*graph));
        let state = RunState {
            set,
            past: self.past.iter().map(|(set, _)| *set).collect(),
            key: self.built.keys.identity.0,
            fetched_at: self.fetched_at,
            held: self.partitions.snapshot(self.config, &self.committed),
            lengths: self.lengths()?,
            heartbeats: self.heartbeats.clone(),
            pipeline: self.pipeline.snapshot()?,
        };
        self.snapshots.keep(&state, taking).map(Some)
    }

    fn lengths(&self) -> anyhow::Result<Lengths> {
        let length = |path: &Path| fs::metadata(path).map(|of| of.len());
        let state = &self.config.state;
        Ok(Lengths {
            control: length(&state.join(CONTROL_LOG))?,
            sealed: length(&state.join(SEAL_LOG))?,
            incidents: length(&state.join(INCIDENTS))?,
            alerts: self.config.alerts.file.as_deref().map_or(Ok(0), length)?,
        })
    }
}
