//! `--state-out` and `--state-in`: history in pieces, with everything that rules remember carried from one to the next.
//!
//! With `--state-out` the end of the input is not the end of time: no timer behind it runs. A file of the same name in the next
//! piece goes on where it ended; the others have ended for good. Must never go on with other rules than those that ran.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ingest::IdentityKey;
use model::Sha256;
use serde::{Deserialize, Serialize};

use super::reading::Reader;
use crate::pipeline::{Pipeline, PipelineSnapshot};
use crate::ruleset::RuleSet;
use crate::state_file;

/// Where the state comes from, and where it goes.
#[derive(Debug, Default, clap::Args)]
pub struct StateArgs {
    /// Go on from a state that --state-out wrote, with the same rules
    #[arg(long, value_name = "FILE")]
    pub state_in: Option<PathBuf>,
    /// Write what is remembered here, for the next piece: the end of these files is not the end of time
    #[arg(long, value_name = "FILE")]
    pub state_out: Option<PathBuf>,
}

/// The state between two pieces.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReplayState {
    /// Rule id → version.
    rules: BTreeMap<String, Sha256>,
    key: [u64; 4],
    pipeline: PipelineSnapshot,
}

impl StateArgs {
    /// The state to go on from.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self) -> anyhow::Result<Option<ReplayState>> {
        let Some(path) = self.state_in.as_deref() else { return Ok(None) };
        if !path.is_file() {
            bail!("{}: there is no such file (hint: the piece before writes it with --state-out)", told(path));
        }
        state_file::read(path).context("--state-in (hint: write it anew with --state-out)").map(Some)
    }

    /// Whether a state fits what runs now. Found out before anything is written.
    ///
    /// # Errors
    /// When other rules run now, or another source is read.
    pub fn check(&self, state: &ReplayState, reader: &Reader) -> anyhow::Result<()> {
        let Some(path) = self.state_in.as_deref() else { return Ok(()) };
        state.fits(&reader.engine.rules).with_context(|| told(path))?;
        match (reader.engine.reading.lineage, state.pipeline.has_lineage()) {
            (true, false) => bail!(
                "{}: written without --incidents, so it knows of no lineage (hint: write it anew with --incidents)",
                told(path)
            ),
            (false, true) => bail!("{}: written with --incidents (hint: --incidents FILE, here too)", told(path)),
            _ => {}
        }
        let source = &*reader.engine.reading.source;
        match state.pipeline.sources().find(|name| *name != source) {
            Some(other) => {
                bail!("{}: the source was {other}, and now it is {source} (hint: --source {other})", told(path))
            }
            None => Ok(()),
        }
    }
}

fn told(path: &Path) -> String {
    format!("--state-in {}", path.display())
}

impl ReplayState {
    /// With which duplicates are found.
    pub fn key(&self) -> IdentityKey {
        IdentityKey(self.key)
    }

    /// The rules that ran then are those that run now.
    fn fits(&self, rules: &RuleSet) -> anyhow::Result<()> {
        let now = versions(rules);
        let hint = "(hint: the same rules, or start from the first piece)";
        if let Some((id, _)) = now.iter().find(|(id, version)| self.rules.get(*id) != Some(version)) {
            bail!("rule {id} is not among those that ran then {hint}");
        }
        if let Some(id) = self.rules.keys().find(|id| !now.contains_key(*id)) {
            bail!("rule {id} ran then and is not loaded now {hint}");
        }
        Ok(())
    }

    /// Puts it into a pipeline that has read nothing.
    ///
    /// # Errors
    /// When a part of it is malformed.
    pub fn restore(self, pipeline: &mut Pipeline) -> anyhow::Result<()> {
        pipeline.restore(self.pipeline).context("--state-in (hint: start from the first piece)")
    }
}

/// Writes the state of a pipeline that has told all it can.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, pipeline: &Pipeline, rules: &RuleSet, key: IdentityKey) -> anyhow::Result<()> {
    let state = ReplayState { rules: versions(rules), key: key.0, pipeline: pipeline.snapshot()? };
    state_file::write(path, &state).map(drop)
}

fn versions(rules: &RuleSet) -> BTreeMap<String, Sha256> {
    rules.infos.iter().map(|rule| (rule.id.to_string(), rule.version)).collect()
}
