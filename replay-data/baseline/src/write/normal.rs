//! Events in the normal form: flat objects whose keys are the event model's field names.

use crate::job::Job;
use crate::org::Org;
use crate::time::rfc3339_ms;
use crate::write::json::Object;

/// An event that is being written.
#[derive(Clone, Debug)]
pub struct Event {
    pub(crate) class: &'static str,
    pub(crate) time: i64,
    pub(crate) marked: bool,
    outcome: &'static str,
    body: Object,
}

impl Event {
    /// An event of a class at a time; its outcome is success unless said otherwise.
    pub fn new(class: &'static str, action: &str, time: i64) -> Self {
        let body =
            Object::new().text("event.class", class).text("event.action", action).text("event.time", &rfc3339_ms(time));
        Self { class, time, marked: false, outcome: "success", body }
    }

    /// This event looks like what a detection is about: it carries the label of the false positive being planted.
    pub fn fp(mut self) -> Self {
        self.marked = true;
        self
    }

    /// `failure`, `denied` or `error`.
    pub fn outcome(mut self, outcome: &'static str) -> Self {
        self.outcome = outcome;
        self
    }

    /// A text field.
    pub fn text(mut self, field: &str, value: &str) -> Self {
        self.body = self.body.text(field, value);
        self
    }

    /// A text field, where there is a value.
    pub fn maybe(mut self, field: &str, value: Option<&str>) -> Self {
        self.body = self.body.maybe(field, value);
        self
    }

    /// A whole number.
    pub fn int(mut self, field: &str, value: i64) -> Self {
        self.body = self.body.int(field, value);
        self
    }

    /// A number with one decimal.
    pub fn number(mut self, field: &str, value: f64) -> Self {
        self.body = self.body.raw(field, &format!("{value:.1}"));
        self
    }

    /// True or false.
    pub fn flag(mut self, field: &str, value: bool) -> Self {
        self.body = self.body.flag(field, value);
        self
    }

    /// A list of texts.
    pub fn texts<T: AsRef<str>>(mut self, field: &str, values: &[T]) -> Self {
        self.body = self.body.texts(field, values);
        self
    }

    /// A list of numbers or of true and false.
    pub fn plain<T: ToString>(mut self, field: &str, values: &[T]) -> Self {
        self.body = self.body.plain(field, values);
        self
    }

    /// Organisation and repository.
    pub fn repo(self, org: &Org, repo: usize) -> Self {
        let repo = org.repo(repo);
        self.text("prov.org", &org.owner(repo).id.to_string())
            .text("prov.repo", &repo.host_name)
            .text("prov.repo_id", &repo.id.to_string())
    }

    /// What ties an event to a job: repository, commit, workflow, run, job and runner.
    pub fn job(self, org: &Org, job: &Job) -> Self {
        let event = self
            .repo(org, job.repo)
            .text("prov.commit", &job.commit)
            .text("prov.ref", &job.git_ref)
            .text("prov.workflow", &job.workflow_at(org))
            .text("prov.trigger", job.trigger)
            .text("prov.run_id", &job.run_id.to_string())
            .int("prov.attempt", job.attempt)
            .text("prov.job_id", &job.job_id.to_string());
        event.runner(job)
    }

    /// The runner of a job.
    pub fn runner(self, job: &Job) -> Self {
        let runner = &job.runner;
        self.text("prov.runner_id", &runner.id.to_string())
            .text("prov.runner_name", &runner.name)
            .text("prov.runner_kind", runner.pool.kind())
            .text("prov.runner_pool", runner.pool.name())
            .flag("prov.runner_ephemeral", runner.pool.ephemeral())
    }

    /// Service, environment class and cluster.
    pub fn place(self, service: &str, env: &str, cluster: &str) -> Self {
        self.text("prov.service", service).text("prov.env", env).text("prov.cluster", cluster)
    }

    /// Who acted: id, name for people to read, kind.
    pub fn actor(self, id: &str, name: &str, kind: &str) -> Self {
        self.text("prov.actor_id", id).text("prov.actor", name).text("prov.actor_kind", kind)
    }

    /// The bytes, with the id the event is known by.
    pub(crate) fn bytes(self, id: &str) -> Vec<u8> {
        self.body.text("event.outcome", self.outcome).text("event.id", id).finish().into_bytes()
    }
}
