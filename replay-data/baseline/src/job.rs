//! A job that ran, and what it ran for: the facts that all events of one run share.

use crate::org::Org;
use crate::runners::{Pool, Runner};
use crate::time::{MINUTE, SECOND};

/// What a run is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Index of the repository.
    pub repo: usize,
    /// When it is asked for.
    pub at: i64,
    /// File of its workflow.
    pub workflow: &'static str,
    /// Name of its job.
    pub name: &'static str,
    /// What started it.
    pub trigger: &'static str,
    /// Where it runs.
    pub pool: Pool,
    /// How long its job takes, in milliseconds.
    pub span: i64,
    /// Environment it asks for.
    pub env: Option<&'static str>,
    /// Secrets that are handed to it.
    pub secrets: Vec<String>,
    /// Its code comes from a fork.
    pub from_fork: bool,
    /// Maintainer who let it start.
    pub approved_by: Option<i64>,
    /// Index of who started it.
    pub actor: usize,
    /// How it ends.
    pub conclusion: &'static str,
    /// Commit.
    pub commit: String,
    /// Ref.
    pub git_ref: String,
    /// Number of its request.
    pub change: Option<i64>,
    /// Attempt, from 1.
    pub attempt: i64,
    /// How long after its start the sensor of its machine is first heard, in milliseconds.
    pub first_beat: i64,
    /// Its start is what looks like an attack.
    pub marked: bool,
}

impl Plan {
    /// A build of the default branch on a hosted machine.
    pub fn new(repo: usize, at: i64, actor: usize, commit: &str) -> Self {
        Self {
            repo,
            at,
            workflow: "ci.yml",
            name: "build",
            trigger: "push",
            pool: Pool::Hosted,
            span: 6 * MINUTE,
            env: None,
            secrets: Vec::new(),
            from_fork: false,
            approved_by: None,
            actor,
            conclusion: "success",
            commit: commit.to_owned(),
            git_ref: "refs/heads/main".to_owned(),
            change: None,
            attempt: 1,
            first_beat: 10 * SECOND,
            marked: false,
        }
    }
}

/// A job that ran.
#[derive(Clone, Debug)]
pub struct Job {
    /// Index of the repository.
    pub repo: usize,
    /// Id of the run.
    pub run_id: i64,
    /// Attempt, from 1.
    pub attempt: i64,
    /// Id of the job.
    pub job_id: i64,
    /// File of the workflow.
    pub workflow: &'static str,
    /// Name of the job.
    pub name: &'static str,
    /// Commit.
    pub commit: String,
    /// Ref.
    pub git_ref: String,
    /// What started the run.
    pub trigger: &'static str,
    /// Where it ran.
    pub runner: Runner,
    /// Index of who started it.
    pub actor: usize,
    /// Id of the job's own token.
    pub token: String,
    /// Secrets that it held.
    pub secrets: Vec<String>,
    /// When the job started.
    pub started: i64,
    /// When the job ended.
    pub finished: i64,
}

impl Job {
    /// `owner/name/.github/workflows/file@ref`.
    pub fn workflow_at(&self, org: &Org) -> String {
        format!("{}/.github/workflows/{}@{}", org.repo(self.repo).full, self.workflow, self.git_ref)
    }

    /// How far the workflow is trusted: untrusted, trusted or release.
    pub fn trust(&self) -> &'static str {
        match (self.workflow, self.trigger) {
            ("release.yml", _) => "release",
            (_, "pull_request") => "untrusted",
            _ => "trusted",
        }
    }

    /// A moment of the job, as thousandths of its time.
    pub fn moment(&self, thousandth: i64) -> i64 {
        self.started + (self.finished - self.started) * thousandth / 1_000
    }
}

/// What a release made.
#[derive(Clone, Debug)]
pub struct Release {
    /// The job that made it.
    pub job: Job,
    /// Digest of what was made.
    pub digest: String,
    /// Its version.
    pub version: String,
    /// Access key of the job's cloud session.
    pub key: String,
    /// When the artifact was pushed or published.
    pub pushed: i64,
}
