//! `--state-out` and `--state-in`: history in pieces, with everything that rules remember carried from one to the next.
//!
//! With `--state-out` the end of the input is not the end of time: no timer behind it runs. A file of the same name in the next
//! piece goes on where it ended; the others have ended for good. Must never go on with other rules than those that ran.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use ingest::IdentityKey;
use model::Sha256;
use serde::{Deserialize, Serialize};

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
        self.state_in.as_deref().map(state_file::read).transpose()
    }
}

impl ReplayState {
    /// With which duplicates are found.
    pub fn key(&self) -> IdentityKey {
        IdentityKey(self.key)
    }

    /// Puts it into a pipeline that has read nothing.
    ///
    /// # Errors
    /// When other rules run now, or another source is read.
    pub fn restore(self, pipeline: &mut Pipeline, rules: &RuleSet) -> anyhow::Result<()> {
        let now = versions(rules);
        if let Some((id, _)) = now.iter().find(|(id, version)| self.rules.get(*id) != Some(version)) {
            bail!(
                "--state-in: rule {id} is not among those that ran then (hint: the same rules, or start from the first piece)"
            );
        }
        if let Some(id) = self.rules.keys().find(|id| !now.contains_key(*id)) {
            bail!(
                "--state-in: rule {id} ran then and is not loaded now (hint: the same rules, or start from the first piece)"
            );
        }
        pipeline.restore(self.pipeline).map_err(|error| error.context("--state-in (hint: --source as then)"))
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
