//! What runs: nodes and their sensors, the inventory of digests, connections of workloads, files that are what was
//! delivered, drift that is put right within minutes. Also the registry's own traffic.

use crate::org::{CD_CONTROLLER, DEV_CLUSTER, NODES, PROD_CLUSTERS, STAGING_CLUSTER, known_sha256};
use crate::time::{DAY, HOUR, MINUTE, SECOND, hour_of_day};
use crate::world::World;
use crate::write::normal::Event;

/// Services of others that workloads talk to; several services know each.
const SAAS: [(&str, &str); 6] = [
    ("api.mailhost.example", "198.19.1.1"),
    ("api.cardscheme.example", "198.19.1.2"),
    ("maps.geocode.example", "198.19.1.3"),
    ("collector.apm.example", "198.19.1.4"),
    ("api.shipping.example", "198.19.1.5"),
    ("flags.toggle.example", "198.19.1.6"),
];

impl World {
    /// What runs is listed: production each half hour, staging each two hours. Once a day files are checked.
    pub(crate) fn inventory(&mut self, at: i64) {
        let org = self.org.clone();
        let staging = hour_of_day(at) % 2 == 0;
        for (nth, repo) in org.services.iter().enumerate() {
            let when = at + nth as i64 * 400;
            let life = self.life(*repo).clone();
            if let Some((digest, _)) = &life.prod {
                for cluster in PROD_CLUSTERS {
                    let event = self.seen(*repo, "prod", cluster, digest, when);
                    self.send(event);
                }
                if hour_of_day(at) == nth as i64 % 24 {
                    let event = self.checked(*repo, digest, when + MINUTE);
                    self.send(event);
                }
            }
            if let (true, Some(digest)) = (staging, &life.staging) {
                let event = self.seen(*repo, "staging", STAGING_CLUSTER, digest, when);
                self.send(event);
            }
        }
    }

    /// A digest runs.
    pub(crate) fn seen(&mut self, repo: usize, env: &str, cluster: &str, digest: &str, at: i64) -> Event {
        let node = self.rng.below(NODES as u64);
        Event::new("runtime.inventory", "seen", at)
            .place(&self.org.repo(repo).name, env, cluster)
            .text("prov.digest", digest)
            .text("node", &format!("{cluster}-n{node}"))
    }

    /// A program of a running workload is what was delivered.
    pub(crate) fn checked(&mut self, repo: usize, digest: &str, at: i64) -> Event {
        let hash = known_sha256(digest);
        Event::new("runtime.integrity", "checked", at)
            .place(&self.org.repo(repo).name, "prod", PROD_CLUSTERS[0])
            .text("prov.digest", digest)
            .text("path", "/app/server")
            .text("sha256", &hash)
            .text("expected_sha256", &hash)
            .flag("exe_upper_layer", false)
    }

    /// A workload talks to a service of others that it has always talked to.
    pub(crate) fn workload_net(&mut self, repo: usize, at: i64) {
        let (domain, ip) = SAAS[(repo + (at / HOUR % 2) as usize) % SAAS.len()];
        let event = self.egress(repo, domain, ip, at);
        self.send(event);
    }

    /// A workload connects to a name.
    pub(crate) fn egress(&mut self, repo: usize, domain: &str, ip: &str, at: i64) -> Event {
        let digest = self.life(repo).prod.clone().map(|(digest, _)| digest);
        Event::new("runtime.net", "connect", at)
            .place(&self.org.repo(repo).name, "prod", PROD_CLUSTERS[0])
            .maybe("prov.digest", digest.as_deref())
            .text("dst.domain", domain)
            .text("dst.etld1", domain.split_once('.').map_or(domain, |(_, rest)| rest))
            .text("dst.ip", ip)
            .int("dst.port", 443)
            .int("bytes_out", 2_048)
            .text("exe", "/app/server")
    }

    /// A resource drifts from its declaration and is put right `after` ms later.
    pub(crate) fn drift(&mut self, resource: &str, at: i64, after: i64) {
        for (class, action, at) in
            [("runtime.config_drift", "drifted", at), ("runtime.reconciled", "reconciled", at + after)]
        {
            let event = Event::new(class, action, at)
                .text("prov.env", "prod")
                .text("prov.cluster", PROD_CLUSTERS[0])
                .text("prov.actor_id", CD_CONTROLLER)
                .text("kind", "replicas")
                .text("resource", resource);
            self.send(event);
        }
    }

    /// An hour of heartbeats of nodes.
    pub(crate) fn node_beats(&mut self, at: i64) {
        for cluster in [PROD_CLUSTERS[0], PROD_CLUSTERS[1], STAGING_CLUSTER, DEV_CLUSTER] {
            for node in 0..NODES as i64 {
                for beat in 0..12 {
                    let event = Event::new("runtime.heartbeat", "alive", at + beat * 5 * MINUTE + node * 3 * SECOND)
                        .text("prov.cluster", cluster)
                        .text("node", &format!("{cluster}-n{node}"));
                    self.send(event);
                }
            }
        }
    }

    /// An hour of the registry: requests, and once a night old images of branches are cleaned up.
    pub(crate) fn traffic(&mut self, at: i64) {
        let org = self.org.clone();
        for nth in 0..180 {
            let repo = org.services[self.rng.index(org.services.len())];
            let failed = self.rng.one_in(400);
            let latency = self.rng.between(4, 260);
            let event = Event::new("registry.request", "request", at + nth * 20 * SECOND)
                .actor(&format!("client-{}", nth % 7), "client", "service")
                .text("prov.region", crate::org::REGION)
                .text("repo", &org.repo(repo).full)
                .int("status", if failed { 503 } else { 200 })
                .int("latency", latency);
            self.send(if failed { event.outcome("error") } else { event });
        }
        if hour_of_day(at) == 2 {
            for nth in 0..6 {
                let repo = org.services[self.rng.index(org.services.len())];
                let event = self.clean_up(repo, at + nth * 7 * MINUTE);
                self.send(event);
            }
            let repo = org.services[self.rng.index(org.services.len())];
            let event = Event::new("registry.acl", "policy", at + DAY / 48)
                .actor("arn:aws:iam::777788889999:role/registry-admin", "registry-admin", "service")
                .text("repo", &org.repo(repo).full)
                .text("op", "SetRepositoryPolicy")
                .flag("public_grant", false);
            self.send(event);
        }
    }

    /// The clean-up deletes an old image of a branch.
    pub(crate) fn clean_up(&mut self, repo: usize, at: i64) -> Event {
        let digest = self.rng.digest();
        Event::new("registry.delete", "delete", at)
            .actor("registry-retention", "registry-retention", "service")
            .text("repo", &format!("branches/{}", self.org.repo(repo).name))
            .text("prov.digest", &digest)
            .text("kind", "image")
            .text("channel", "development")
    }
}
