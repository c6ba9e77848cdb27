//! Deliveries: a digest reaches an environment. In this order: its signature is checked, the policy allows it, the
//! delivery controller starts and ends; then it is judged. Also infrastructure: a plan is approved and that plan applied.

use crate::job::Plan;
use crate::org::{CD_CONTROLLER, DEV_CLUSTER, PROD_CLUSTERS, STAGING_CLUSTER, known_sha256};
use crate::runners::Pool;
use crate::time::{DAY, MINUTE, SECOND, is_weekend};
use crate::world::{Task, World};
use crate::write::normal::Event;

/// Revision of the policies on a day.
pub(crate) fn bundle(day: i64) -> String {
    format!("r{}", 30 + day / 7)
}

impl World {
    /// A digest goes to an environment and, where it is meant to, further.
    pub(crate) fn deploy(
        &mut self,
        repo: usize,
        env: &'static str,
        digest: &str,
        version: &str,
        onward: bool,
        at: i64,
    ) {
        let clusters: &[&str] = match env {
            "prod" => &PROD_CLUSTERS,
            "staging" => &[STAGING_CLUSTER],
            _ => &[DEV_CLUSTER],
        };
        let before = self.life(repo).prod.clone();
        if env != "prod" && self.rng.one_in(400) {
            return self.refused(repo, env, digest, at);
        }
        let mut end = at;
        for cluster in clusters {
            end = self.deploy_one(repo, env, cluster, digest, version, end);
        }
        let next = |env: &'static str| Task::Deploy(repo, env, digest.to_owned(), version.to_owned(), onward);
        match env {
            "dev" => self.plan(end + 3 * MINUTE, next("staging")),
            "staging" => {
                self.plan(end, Task::Settled(repo, "staging", digest.to_owned(), version.to_owned()));
                let prod = end + self.rng.between(30 * MINUTE, 80 * MINUTE);
                if onward && !is_weekend(prod) {
                    self.plan(prod, next("prod"));
                }
            }
            _ => self.judged(repo, digest, version, before, end),
        }
    }

    /// One cluster gets a digest; the answer is when it ended.
    pub(crate) fn deploy_one(
        &mut self,
        repo: usize,
        env: &str,
        cluster: &str,
        digest: &str,
        version: &str,
        at: i64,
    ) -> i64 {
        self.verified(repo, env, cluster, digest, at, false);
        let event = self.decision(repo, env, cluster, digest, at + 2 * SECOND);
        self.send(event.text("result", "allow"));
        let started = at + 5 * SECOND;
        let event = self.delivery("deploy.started", repo, env, cluster, digest, started);
        self.send(event.text("prov.version", version));
        let previous = self.life(repo).prod.clone().map(|(digest, _)| digest);
        for node in 0..2 {
            let event = self.pull(repo, cluster, digest, started + SECOND * (3 + node));
            self.send(event);
        }
        let finished = started + self.rng.between(50 * SECOND, 160 * SECOND);
        let event = self.delivery("deploy.finished", repo, env, cluster, digest, finished);
        let event = event.text("prov.version", version);
        self.send(if env == "prod" { event.maybe("prev_digest", previous.as_deref()) } else { event });
        finished + 20 * SECOND
    }

    /// The door checks a signature; `cached` says that it is an earlier answer.
    pub(crate) fn verified(&mut self, repo: usize, env: &str, cluster: &str, digest: &str, at: i64, cached: bool) {
        let org = self.org.clone();
        let event = Event::new("verify.signature", "verified", at)
            .repo(&org, repo)
            .place(&org.repo(repo).name, env, cluster)
            .text("prov.digest", digest)
            .text("builder", crate::org::BUILDER)
            .flag("ok", true)
            .flag("cached", cached);
        self.send(event);
    }

    /// The policy engine decides about a deployment; the caller says how.
    pub(crate) fn decision(&mut self, repo: usize, env: &str, cluster: &str, digest: &str, at: i64) -> Event {
        let org = self.org.clone();
        let day = (at - self.start) / DAY;
        let eval = self.rng.between(8, 140);
        Event::new("policy.decision", "decided", at)
            .repo(&org, repo)
            .place(&org.repo(repo).name, env, cluster)
            .text("prov.team", org.team(org.repo(repo)))
            .text("prov.digest", digest)
            .text("input_digest", digest)
            .text("rule", "release-door")
            .text("bundle_rev", &bundle(day))
            .int("eval_ms", eval)
            .text("mode", if cluster == "eu1" { "audit" } else { "enforce" })
    }

    fn refused(&mut self, repo: usize, env: &str, digest: &str, at: i64) {
        let event = self.decision(repo, env, if env == "dev" { DEV_CLUSTER } else { STAGING_CLUSTER }, digest, at);
        self.send(event.text("result", "deny").text("reason", "image is too old").outcome("denied"));
    }

    /// A delivery by the controller.
    pub(crate) fn delivery(
        &mut self,
        class: &'static str,
        repo: usize,
        env: &str,
        cluster: &str,
        digest: &str,
        at: i64,
    ) -> Event {
        let org = self.org.clone();
        let (_, action) = class.split_once('.').unwrap_or(("", class));
        let repo_facts = org.repo(repo);
        Event::new(class, action, at)
            .repo(&org, repo)
            .place(&repo_facts.name, env, cluster)
            .actor(CD_CONTROLLER, "delivery-controller", "service")
            .text("prov.digest", digest)
            .text("prov.artifact", &repo_facts.artifact())
            .text("exposure", if repo_facts.exposed { "internet" } else { "internal" })
    }

    /// Production keeps what came, or once in a while takes it back.
    fn judged(&mut self, repo: usize, digest: &str, version: &str, before: Option<(String, String)>, at: i64) {
        let org = self.org.clone();
        let name = org.repo(repo).name.clone();
        let team = org.team(org.repo(repo));
        let bad = before.is_some() && self.rng.one_in(160);
        let judged = at + 2 * MINUTE;
        let event = Event::new("deploy.canary", "judged", judged)
            .place(&name, "prod", PROD_CLUSTERS[0])
            .text("prov.team", team)
            .text("prov.digest", digest)
            .text("result", if bad { "rolled_back" } else { "promoted" });
        self.send(if bad { event.outcome("failure") } else { event });
        if let (true, Some((old, _))) = (bad, &before) {
            for cluster in PROD_CLUSTERS {
                let event = self.delivery("deploy.rolledback", repo, "prod", cluster, old, judged + 20 * SECOND);
                self.send(event.text("prev_digest", digest));
            }
            return;
        }
        self.plan(at, Task::Settled(repo, "prod", digest.to_owned(), version.to_owned()));
    }

    /// What runs has changed. This is a task of its own: until it is due the inventory shows what ran before.
    pub(crate) fn settled(&mut self, repo: usize, env: &str, digest: String, version: String) {
        let life = self.life(repo);
        if env == "staging" {
            life.staging = Some(digest);
            return;
        }
        let before = life.prod.replace((digest, version));
        life.prod_before = before.map(|(digest, _)| digest);
    }

    /// A node fetches an image.
    pub(crate) fn pull(&mut self, repo: usize, cluster: &str, digest: &str, at: i64) -> Event {
        let org = self.org.clone();
        let node = self.rng.below(8);
        Event::new("registry.pull", "pull", at)
            .actor(&format!("node-puller-{cluster}"), "node", "service")
            .text("src.ip", &format!("10.{}.0.{}", 20 + cluster.len(), 10 + node))
            .text("repo", &org.repo(repo).full)
            .text("prov.digest", digest)
            .text("channel", "release")
            .int("bytes", 80_000_000)
    }

    /// Infrastructure is planned, approved and applied by a job.
    pub(crate) fn apply(&mut self, repo: usize, author: usize, number: i64, at: i64) {
        let org = self.org.clone();
        let head = self.life(repo).head.clone();
        let hash = known_sha256(&format!("plan-{number}-{head}"));
        let plan = Plan {
            workflow: "apply.yml",
            name: "apply",
            pool: Pool::Burst,
            span: 5 * MINUTE,
            env: Some("production"),
            ..Plan::new(repo, at, author, &head)
        };
        let job = self.run(&plan);
        for (class, action, thousandth) in
            [("iac.plan", "planned", 200), ("iac.plan", "approved", 300), ("iac.apply", "applied", 800)]
        {
            self.send(
                Event::new(class, action, job.moment(thousandth))
                    .job(&org, &job)
                    .text("prov.env", "prod")
                    .text("prov.change_id", &number.to_string())
                    .text("approved_hash", &hash)
                    .text("hash", &hash),
            );
        }
        if self.rng.one_in(4) {
            let resource = format!("Deployment/{}/{}", org.team(org.repo(repo)), org.repo(repo).name);
            self.drift(&resource, job.finished + 10 * MINUTE, 4 * MINUTE);
        }
    }
}
