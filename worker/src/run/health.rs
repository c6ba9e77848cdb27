//! What a worker makes of what it hears about sources: statements, recorded in the control log and heeded from there on.
//!
//! Must never heed a statement that the control log does not have: whoever reads it again has to judge the same.

use std::sync::Arc;

use ingest::kafka::TopicPartition;
use model::{EventClass, SourceHealth, Timestamp};

use super::worker::Worker;
use crate::config::{Config, SourceConfig};
use crate::health::{self, Spoken};

/// Heartbeats of a source come in it, or in one that lists their class.
fn carries(of: &SourceConfig, watched: &str) -> bool {
    of.name == watched || of.classes.as_ref().is_some_and(|classes| classes.contains(&EventClass::OpsHeartbeat))
}

/// The sources that are watched, with how long they may be silent.
pub(super) fn watched(config: &Config) -> impl Iterator<Item = (Arc<str>, i64)> + '_ {
    let watched = config.sources.iter().filter_map(|source| Some((source, source.heartbeat_missing_ms?)));
    watched.map(|(source, missing_after_ms)| (source.name.as_str().into(), missing_after_ms))
}

impl Worker<'_> {
    /// Heeds what events have said since the last call.
    pub(super) fn heed_events(&mut self) -> anyhow::Result<()> {
        for spoken in self.pipeline.take_said() {
            match spoken {
                Spoken::Heartbeat { source, at } => self.heartbeats.heard(&source, at),
                Spoken::Health { said, .. } => {
                    self.heartbeats.told(&said);
                    self.say(&said)?;
                }
            }
        }
        Ok(())
    }

    /// What rules have found out of sources: where lanes stood goes into the control log, before a snapshot can be behind it.
    pub(super) fn record_found(&mut self) -> anyhow::Result<()> {
        let found = self.pipeline.heed_found();
        for (said, known) in &found {
            self.control.write(&health::record(self.fetched_at, said, known))?;
            tracing::info!("source {}: {:?}", said.source, said.state);
        }
        if !found.is_empty() {
            self.control.sync()?;
        }
        Ok(())
    }

    /// A tick: sources whose heartbeats are missed, and those that are heard again.
    pub(super) fn heed_heartbeats(&mut self, now: Timestamp) -> anyhow::Result<()> {
        for (source, missing_after_ms) in watched(self.config) {
            let asks = self.heartbeats.is_missed(&source, missing_after_ms, now);
            let all_read = asks && self.has_read_all(&source);
            if let Some(said) = self.heartbeats.tick(&source, missing_after_ms, now, all_read) {
                self.say(&said)?;
            }
        }
        Ok(())
    }

    /// Everything that a source's heartbeats could stand in has been read, and the broker says that there is no more.
    fn has_read_all(&self, source: &str) -> bool {
        let of = |at: usize| self.config.sources.get(at).is_some_and(|of| carries(of, source));
        let parts: Vec<(&TopicPartition, bool)> =
            self.partitions.active().filter(|(_, held)| of(held.source)).map(|(at, held)| (at, held.at_end)).collect();
        let is_read = |(at, at_end): &(&TopicPartition, bool)| *at_end && matches!(self.kafka.has_more(at), Ok(false));
        !parts.is_empty() && parts.iter().all(is_read)
    }

    fn say(&mut self, said: &SourceHealth) -> anyhow::Result<()> {
        if !self.config.sources.iter().any(|source| *source.name == *said.source) {
            tracing::warn!("health of {}: there is no such source in the configuration; it is not heeded", said.source);
            return Ok(());
        }
        let known = self.pipeline.known_from(Timestamp::MIN);
        self.control.write(&health::record(self.fetched_at, said, &known))?;
        tracing::info!("source {}: {:?}", said.source, said.state);
        self.pipeline.heed(said, &known);
        Ok(())
    }
}
