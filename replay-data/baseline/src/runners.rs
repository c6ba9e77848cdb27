//! Runners: hosted ones, a shared pool that lives on, and two pools that live for one job. Who registers them, what they
//! start from, and that their sensors are alive.

use crate::job::Job;
use crate::org::known_sha256;
use crate::people::{SCALER, SCALER_NEXT};
use crate::time::{DAY, MINUTE, SECOND};
use crate::world::World;
use crate::write::normal::Event;

/// A pool of runners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// The code host's own: a fresh machine for each job.
    Hosted,
    /// Own machines that live on, named r1 to r24.
    Shared,
    /// Own machines for one job each.
    Burst,
    /// The same for release jobs, from an image of their own.
    Release,
}

impl Pool {
    /// The pools of own machines.
    pub const OWN: [Pool; 3] = [Pool::Shared, Pool::Burst, Pool::Release];

    /// Name of the pool.
    pub fn name(self) -> &'static str {
        match self {
            Pool::Hosted => "GitHub Actions",
            Pool::Shared => "shared",
            Pool::Burst => "burst",
            Pool::Release => "release",
        }
    }

    /// `hosted` or `self_hosted`.
    pub fn kind(self) -> &'static str {
        if self == Pool::Hosted { "hosted" } else { "self_hosted" }
    }

    /// The machine does not live on after its job.
    pub fn ephemeral(self) -> bool {
        self != Pool::Shared
    }

    /// Digest of the image that its machines start from.
    pub fn image(self) -> String {
        format!("sha256:{}", known_sha256(self.name()))
    }
}

/// A runner.
#[derive(Clone, Debug)]
pub struct Runner {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its pool.
    pub pool: Pool,
    /// Where its connections come from.
    pub ip: String,
}

/// Machines of the shared pool.
pub const SHARED: usize = 24;
/// Pause between two heartbeats of a sensor on the shared pool.
const BEAT: i64 = 2 * MINUTE;

impl World {
    /// A runner for a job from `from` to `to`. When the shared pool is busy the job gets a hosted machine.
    pub(crate) fn runner(&mut self, pool: Pool, from: i64, to: i64) -> Runner {
        if pool == Pool::Shared {
            if let Some(at) = self.shared_free.iter().position(|free| *free <= from) {
                self.shared_free[at] = to + 2 * MINUTE;
                let id = at as i64 + 1;
                return Runner { id, name: format!("r{id}"), pool, ip: format!("203.0.113.{}", 12 + at) };
            }
            return self.runner(Pool::Hosted, from, to);
        }
        let id = self.number() + 40_000;
        let (name, ip) = match pool {
            Pool::Hosted => {
                let host = self.rng.below(60_000);
                (format!("GitHub Actions {id}"), format!("198.18.{}.{}", host / 250, 1 + host % 250))
            }
            _ => (format!("{}-{id}", pool.name()), format!("203.0.113.{}", 40 + self.rng.below(20))),
        };
        Runner { id, name, pool, ip }
    }

    /// A machine comes up for one job: registered, its sensor started, online.
    pub(crate) fn runner_up(&mut self, runner: &Runner, ready: i64) {
        let at = ready - self.rng.between(20 * SECOND, 50 * SECOND);
        let scaler = if self.rng.one_in(2) && at > self.start + 14 * DAY { SCALER_NEXT } else { SCALER };
        self.register_runner(runner, scaler, at, false);
        self.send(
            Event::new("ci.runner", "online", at + 8 * SECOND)
                .text("prov.runner_id", &runner.id.to_string())
                .text("prov.runner_name", &runner.name)
                .text("prov.runner_pool", runner.pool.name())
                .text("image_digest", &runner.pool.image())
                .text("version", "2.330.0"),
        );
        self.sensor(runner, "start", at + 9 * SECOND);
    }

    /// The autoscaler registers a machine.
    pub(crate) fn register_runner(&mut self, runner: &Runner, scaler: usize, at: i64, marked: bool) {
        let actor = self.actor(scaler);
        let record = self
            .audit("org.register_self_hosted_runner", &actor, 5, at)
            .text("actor_ip", &actor.office_ip)
            .int("runner_id", runner.id)
            .text("runner_name", &runner.name)
            .texts("runner_labels", &["self-hosted", "linux", runner.pool.name()])
            .int("runner_group_id", 4)
            .text("runner_group_name", runner.pool.name())
            .text("user_agent", "GitHubActionsRunner-linux-x64/2.330.0");
        self.send_native("github-audit", "ci.runner", at, record, marked);
    }

    /// After its one job the machine is gone, and what it ran on is set up anew.
    pub(crate) fn runner_down(&mut self, runner: &Runner, at: i64) {
        self.sensor(runner, "stop", at + 5 * SECOND);
        let actor = self.actor(SCALER);
        let record = self
            .audit("org.remove_self_hosted_runner", &actor, 5, at + 8 * SECOND)
            .text("actor_ip", &actor.office_ip)
            .int("runner_id", runner.id)
            .text("runner_name", &runner.name)
            .text("runner_group_name", runner.pool.name());
        self.send_native("github-audit", "ci.runner", at + 8 * SECOND, record, false);
        self.send(
            Event::new("ci.runner", "reimaged", at + 20 * SECOND)
                .text("prov.runner_id", &runner.id.to_string())
                .text("prov.runner_pool", runner.pool.name())
                .text("image_digest", &runner.pool.image()),
        );
    }

    /// The sensor of a runner says something about itself, outside jobs.
    pub(crate) fn sensor(&mut self, runner: &Runner, action: &str, at: i64) {
        self.send(
            Event::new("runner.agent", action, at)
                .text("prov.runner_id", &runner.id.to_string())
                .text("prov.runner_pool", runner.pool.name())
                .text("node", &runner.name),
        );
    }

    /// The sensor of a runner is alive.
    pub(crate) fn beat(&mut self, id: i64, pool: Pool, node: &str, at: i64) -> Event {
        Event::new("runner.heartbeat", "alive", at)
            .text("prov.runner_id", &id.to_string())
            .text("prov.runner_pool", pool.name())
            .text("node", node)
    }

    /// Heartbeats of a job on a machine of its own.
    pub(crate) fn job_beats(&mut self, job: &Job, first: i64) {
        let mut at = job.started + first;
        while at < job.finished {
            let event = self.beat(job.runner.id, job.runner.pool, &job.runner.name, at);
            let slow = first > MINUTE && at == job.started + first;
            self.send(if slow { event.fp() } else { event });
            at += BEAT;
        }
    }

    /// An hour of heartbeats of the shared pool.
    pub(crate) fn shared_beats(&mut self, hour: i64) {
        for id in 1..=SHARED as i64 {
            let mut at = hour + id * 2 * SECOND;
            while at < hour + 60 * MINUTE {
                let event = self.beat(id, Pool::Shared, &format!("r{id}"), at);
                self.send(event);
                at += BEAT;
            }
        }
    }
}
