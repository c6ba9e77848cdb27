//! Ordinary runs: builds and tests of changes, scheduled end-to-end runs, nightly scans. Each run is told whole: asked
//! for, started, its job with what the job did, ended.

use crate::job::{Job, Plan};
use crate::people::ACTIONS;
use crate::runners::{Pool, Runner};
use crate::time::{MINUTE, SECOND};
use crate::world::World;
use crate::write::normal::Event;

/// Where jobs connect to, with an address for each: registries of packages, the code host, telemetry.
const PLACES: [(&str, &str); 8] = [
    ("registry.npmjs.org", "198.19.0.10"),
    ("github.com", "198.19.0.11"),
    ("objects.githubusercontent.com", "198.19.0.12"),
    ("pypi.org", "198.19.0.13"),
    ("proxy.golang.org", "198.19.0.14"),
    ("static.crates.io", "198.19.0.15"),
    ("registry.harbourline.example", "203.0.113.140"),
    ("cache.harbourline.example", "203.0.113.141"),
];

impl World {
    /// A run from request to end. Its job starts a few seconds later on a hosted or shared machine, and a minute and
    /// more later where a machine must come up first.
    pub(crate) fn run(&mut self, plan: &Plan) -> Job {
        let own = matches!(plan.pool, Pool::Burst | Pool::Release);
        let wait = if own { self.rng.between(62 * SECOND, 100 * SECOND) } else { self.rng.between(4_000, 25_000) };
        let started = plan.at + wait;
        let finished = started + plan.span;
        let runner = self.runner(plan.pool, started, finished);
        self.run_on(plan, runner, started)
    }

    /// A run whose job starts on a certain runner at a certain time.
    pub(crate) fn run_on(&mut self, plan: &Plan, runner: Runner, started: i64) -> Job {
        let own = matches!(plan.pool, Pool::Burst | Pool::Release);
        let finished = started + plan.span;
        let job = Job {
            repo: plan.repo,
            run_id: self.number(),
            attempt: plan.attempt,
            job_id: self.number(),
            workflow: plan.workflow,
            name: plan.name,
            commit: plan.commit.clone(),
            git_ref: plan.git_ref.clone(),
            trigger: plan.trigger,
            runner,
            actor: plan.actor,
            token: self.rng.hex(43) + "=",
            secrets: plan.secrets.clone(),
            started,
            finished,
        };
        self.hook_run(plan, job.run_id, "requested", plan.at);
        self.hook_run(plan, job.run_id, "in_progress", started - SECOND);
        if own {
            self.runner_up(&job.runner, started);
        }
        self.job_started(plan, &job);
        self.job_work(plan, &job);
        self.hook_job(&job, plan.conclusion, false);
        self.hook_run(plan, job.run_id, "completed", finished + 2 * SECOND);
        if own {
            self.job_beats(&job, plan.first_beat);
            self.runner_down(&job.runner, finished);
        }
        job
    }

    /// Jobs of hosted machines are told by the audit log; those of own machines, of releases and of forks by the
    /// collector that joins audit record and run log. Never by both: the same thing told twice is two events.
    fn job_started(&mut self, plan: &Plan, job: &Job) {
        let org = self.org.clone();
        let collected = job.runner.pool != Pool::Hosted || plan.from_fork || plan.env.is_some();
        if !collected {
            let actor = self.actor(plan.actor);
            let mut passed = job.secrets.clone();
            passed.push("actions/GITHUB_TOKEN".to_owned());
            let record = self
                .audit_repo("workflows.prepared_workflow_job", &actor, job.repo, job.started)
                .text("job_name", job.name)
                .text("job_workflow_ref", &job.workflow_at(&org))
                .text("job_workflow_sha", &job.commit)
                .text("event", job.trigger)
                .text("head_sha", &job.commit)
                .flag("is_hosted_runner", true)
                .int("runner_id", job.runner.id)
                .text("runner_name", &job.runner.name)
                .int("runner_group_id", 0)
                .text("runner_group_name", job.runner.pool.name())
                .texts("runner_labels", &["ubuntu-24.04"])
                .texts("secrets_passed", &passed)
                .int("workflow_run_id", job.run_id)
                .int("run_attempt", job.attempt)
                .int("check_run_id", job.job_id);
            return self.send_native("github-audit", "ci.job", job.started, record, false);
        }
        let event = self.collected_job(plan, job);
        self.send(if plan.marked { event.fp() } else { event });
    }

    /// A job's start as the collector tells it.
    pub(crate) fn collected_job(&mut self, plan: &Plan, job: &Job) -> Event {
        let org = self.org.clone();
        let actor = self.actor(plan.actor);
        let pinned = |name: &str| crate::org::known_sha256(name).get(..40).unwrap_or("0").to_owned();
        let actions = ["actions/checkout", "actions/setup-node", "web/setup-action"];
        let mut event = Event::new("ci.job", "started", job.started)
            .job(&org, job)
            .actor(&actor.id.to_string(), &actor.login, if actor.bot { "bot" } else { "human" })
            .text("prov.token_id", &job.token)
            .text("prov.token_kind", "job")
            .text("job_name", job.name)
            .flag("from_fork", plan.from_fork)
            .texts("secrets_passed", &job.secrets)
            .texts("secrets_declared", &job.secrets)
            .int("secrets_count", job.secrets.len() as i64)
            .text("checkout_sha", &job.commit)
            .text("workflow_trust", job.trust())
            .texts("declared_outputs", &[org.repo(job.repo).full.as_str()])
            .texts("actions_used.uses", &actions)
            .texts("actions_used.ref", &["v5", "v5", "v2"])
            .texts("actions_used.resolved_sha", &actions.map(pinned))
            .plain("actions_used.on_branch", &[true, true, true]);
        if let Some(env) = plan.env {
            event = event.text("env", env).text("prov.env", if env == "release" { "prod" } else { env });
        }
        if let Some(change) = plan.change {
            event = event.text("prov.change_id", &change.to_string()).text("pr_head_sha", &job.commit);
        }
        if let Some(by) = plan.approved_by {
            event = event.text("approved_by", &by.to_string());
        }
        event
    }

    /// What a job does: restores a cache, starts a compiler, writes what it makes, talks to registries.
    fn job_work(&mut self, plan: &Plan, job: &Job) {
        let org = self.org.clone();
        let head_cache = self.life(job.repo).cache.clone();
        if let Some((key, entry)) = head_cache {
            let trust = job.trust();
            self.send(cache(job, &org, "restored", &key, &entry, "trusted", trust, job.moment(40)));
        }
        let secrets = job.secrets.len() as i64;
        for at in [80, 300] {
            let (domain, ip) = PLACES[self.rng.index(PLACES.len())];
            let event = net(&org, job, domain, ip, 443, job.moment(at)).int("secrets_count", secrets);
            self.send(event);
        }
        if job.runner.pool == Pool::Hosted {
            return;
        }
        let event = process(&org, job, "/usr/bin/node", "node build.mjs", &["sh", "bash", "Runner.Worker"], 350);
        self.send(event);
        let event = file(&org, job, "/usr/bin/node", "dist/server.js", "build", false, 500);
        self.send(event);
        if plan.trigger == "push" && plan.git_ref == "refs/heads/main" && job.workflow == "ci.yml" {
            let entry = self.rng.hex(64);
            let key = format!("deps-{}", &entry.get(..12).unwrap_or("0"));
            self.life(job.repo).cache = Some((key.clone(), entry.clone()));
            self.send(cache(job, &org, "saved", &key, &entry, "trusted", "trusted", job.moment(950)));
        }
    }

    /// A scheduled end-to-end run of a service.
    pub(crate) fn end_to_end(&mut self, repo: usize, at: i64) {
        let head = self.life(repo).head.clone();
        let span = self.steady(repo, 4 * MINUTE);
        let conclusion = if self.rng.one_in(90) { "failure" } else { "success" };
        let plan = Plan {
            workflow: "e2e.yml",
            name: "e2e",
            trigger: "schedule",
            span,
            conclusion,
            ..Plan::new(repo, at, ACTIONS, &head)
        };
        self.run(&plan);
    }

    /// A duration near a repository's own: what makes its pipeline slower shows against this.
    pub(crate) fn steady(&mut self, repo: usize, usual: i64) -> i64 {
        let own = usual + (repo as i64 * 7_919) % usual;
        own * self.rng.between(90, 112) / 100
    }
}

/// Something came from or went into a cache.
#[expect(clippy::too_many_arguments, reason = "the parts of one event")]
pub(crate) fn cache(
    job: &Job,
    org: &crate::org::Org,
    action: &str,
    key: &str,
    entry: &str,
    writer: &str,
    reader: &str,
    at: i64,
) -> Event {
    Event::new("ci.cache", action, at)
        .job(org, job)
        .text("key", key)
        .text("entry", entry)
        .text("scope_ref", if writer == "untrusted" { &job.git_ref } else { "refs/heads/main" })
        .text("writer_trust", writer)
        .text("workflow_trust", reader)
        .int("bytes", 40_000_000)
}

/// A job connected to a place.
pub(crate) fn net(org: &crate::org::Org, job: &Job, domain: &str, ip: &str, port: i64, at: i64) -> Event {
    let mut labels = domain.rsplit('.');
    let (top, name) = (labels.next().unwrap_or(""), labels.next().unwrap_or(""));
    Event::new("runner.net", "connect", at)
        .job(org, job)
        .text("exe", "/usr/bin/node")
        .text("exe_sha256", &crate::org::known_sha256("node"))
        .text("dst.ip", ip)
        .int("dst.port", port)
        .text("dst.domain", domain)
        .text("dst.etld1", &format!("{name}.{top}"))
        .int("bytes_out", 4_200)
        .text("workflow_trust", job.trust())
}

/// A job started a process, at thousandths of its time.
pub(crate) fn process(
    org: &crate::org::Org,
    job: &Job,
    exe: &str,
    cmdline: &str,
    ancestors: &[&str],
    thousandth: i64,
) -> Event {
    Event::new("runner.process", "start", job.moment(thousandth))
        .job(org, job)
        .text("op", "exec")
        .text("exe", exe)
        .text("exe_sha256", &crate::org::known_sha256(exe.rsplit('/').next().unwrap_or(exe)))
        .text("cmdline", cmdline)
        .text("parent", ancestors.first().copied().unwrap_or(""))
        .texts("ancestors", ancestors)
        .text("env.runner_tracking_id", &format!("github_{:x}", job.job_id))
}

/// A job wrote a file, at thousandths of its time.
pub(crate) fn file(
    org: &crate::org::Org,
    job: &Job,
    exe: &str,
    path: &str,
    stage: &str,
    tracked: bool,
    thousandth: i64,
) -> Event {
    Event::new("runner.file", "write", job.moment(thousandth))
        .job(org, job)
        .text("op", "write")
        .text("exe", exe)
        .text("exe_sha256", &crate::org::known_sha256(exe.rsplit('/').next().unwrap_or(exe)))
        .text("path", path)
        .text("sha256", &crate::org::known_sha256(&format!("{path}{}", job.commit)))
        .text("stage", stage)
        .flag("vcs_tracked", tracked)
        .text("workflow_trust", job.trust())
}
