//! The rules that a worker runs: said in the control log at its start, read again when somebody asks.
//!
//! Must never change a rule without saying in the control log from which positions on it counts.

use model::Timestamp;

use super::build::Built;
use super::resume::remember;
use super::worker::Worker;
use crate::control::ControlRecord;
use crate::{clock, health};

/// Rules that one line of the log names at most.
const IDS_TOLD_MAX: usize = 20;

impl Worker<'_> {
    /// Says in the control log what runs from here on, and keeps a copy of it.
    pub fn start(&mut self) -> anyhow::Result<()> {
        if let Some(texts) = &self.built.texts {
            texts.keep(&self.config.state)?;
        }
        self.control.write(&ControlRecord::Start {
            time_ms: self.fetched_at.ms(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules: self.built.rule_versions(),
            lists: self.built.list_versions(),
            set: self.built.version(),
            resumed: self.resumed,
        })?;
        self.metrics.rules(self.built.rules.rules.len(), self.built.rules.refused.len());
        Ok(())
    }

    /// Reads rules and lists again. The next record of every partition is judged by the new ones, or, where anything is
    /// wrong with them, by the old ones as before.
    pub(super) fn reload(&mut self) -> anyhow::Result<()> {
        let read = self.built.again(self.config, self.fed.texts()).and_then(|next| {
            let kept = next.texts.as_ref().map_or(Ok(()), |texts| texts.keep(&self.config.state));
            kept.map(|()| next).map_err(|error| vec![format!("{error:#} (hint: the state folder must be writable)")])
        });
        let next = match read {
            Ok(next) => next,
            Err(mistakes) => {
                self.metrics.reloaded(false);
                mistakes.iter().for_each(|mistake| tracing::error!("reload: {mistake}"));
                tracing::error!("reload refused: the rules and lists that ran go on (mistakes: {})", mistakes.len());
                return Ok(());
            }
        };
        self.metrics.reloaded(true);
        if !self.adopt(next)? {
            tracing::info!("reload: nothing has changed");
        }
        Ok(())
    }

    /// The next record of every partition is judged by these rules. False: they are those that run.
    pub(super) fn adopt(&mut self, next: Built) -> anyhow::Result<bool> {
        let Some(set) = next.version().filter(|version| self.built.version() != Some(*version)) else {
            return Ok(false);
        };
        if let Some(texts) = &next.texts {
            texts.keep(&self.config.state)?;
        }
        let positions = self.partitions.positions();
        let known = self.pipeline.known_from(Timestamp::MIN);
        tracing::info!("rules {} from {positions:?}, set {}", next.rules.rules.len(), set.hex());
        self.control.write(&ControlRecord::Rules {
            time_ms: clock::now().ms(),
            set,
            rules: next.rule_versions(),
            lists: next.list_versions(),
            positions,
            known: health::known(&known),
        })?;
        self.judges = next.judges();
        self.pipeline.replace(next.engines.clone())?;
        self.pipeline.count_from(self.pipeline.newest_set(), &known);
        self.metrics.rules(next.rules.rules.len(), next.rules.refused.len());
        let before = std::mem::replace(&mut self.built, next);
        let was = before.rules.graph.version();
        before.version().into_iter().for_each(|set| remember(&mut self.past, (set, was)));
        self.tell_begun();
        self.snapshots.hurry();
        Ok(true)
    }

    /// Says which rules that remember go on with what they had, and which have nothing to go on with.
    fn tell_begun(&self) {
        let (kept, begun) = self.pipeline.begun();
        self.metrics.begun(kept, begun.len());
        if begun.is_empty() {
            tracing::info!("what rules remember: all {kept} go on");
        } else {
            let ids = begun.iter().take(IDS_TOLD_MAX).map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
            let more = if begun.len() > IDS_TOLD_MAX { ", …" } else { "" };
            tracing::info!("what rules remember: {kept} go on, {} begin here: {ids}{more}", begun.len());
        }
    }

    /// Lists of which topics have another version: the next record of every partition is judged by it, and what rules remember
    /// from where it stands now.
    pub(super) fn adopt_lists(&mut self) -> anyhow::Result<()> {
        for record in self.fed.poll(&self.metrics) {
            self.control.write(&record)?;
        }
        if !self.fed.take_changed() {
            return Ok(());
        }
        match self.built.with_lists(self.fed.texts()) {
            Ok(next) => drop(self.adopt(next)?),
            Err(error) => tracing::error!("lists: {error}: the ones before go on"),
        }
        Ok(())
    }
}
