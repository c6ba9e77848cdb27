//! What looks like an attack and is none: every known false positive of the catalogue's detections of tiers 1 and 2, each
//! planted again and again. Lists, inventory and announced changes explain each, so a pack that reads them stays silent.
//! The events that look so carry the detection's id; nothing in their bytes says that they were planted.

mod artifacts;
mod credentials;
mod deliveries;
mod machines;
mod operations;
mod policies;
mod registries;
mod runners;
mod runtime;
mod secrets;
mod source;

use crate::job::{Job, Plan};
use crate::org::Kind;
use crate::people::TEAM_SIZE;
use crate::runners::Pool;
use crate::time::{HOUR, MINUTE};
use crate::world::World;

/// A known false positive.
#[derive(Clone, Copy)]
pub struct FalsePositive {
    /// Id of the detection in the catalogue.
    pub detection: &'static str,
    /// Which of its false positives.
    pub variant: &'static str,
    plant: fn(&mut World, i64),
}

const fn known(detection: &'static str, variant: &'static str, plant: fn(&mut World, i64)) -> FalsePositive {
    FalsePositive { detection, variant, plant }
}

/// The tables, one for each room.
const ROOMS: [&[FalsePositive]; 11] = [
    runners::TABLE,
    machines::TABLE,
    credentials::TABLE,
    secrets::TABLE,
    source::TABLE,
    artifacts::TABLE,
    registries::TABLE,
    policies::TABLE,
    deliveries::TABLE,
    runtime::TABLE,
    operations::TABLE,
];

/// All of them.
pub fn all() -> impl Iterator<Item = &'static FalsePositive> {
    ROOMS.into_iter().flatten()
}

impl World {
    /// Plants a false positive.
    pub(crate) fn plant(&mut self, index: usize, at: i64) {
        let Some(known) = all().nth(index) else { return };
        self.label = Some((known.detection, known.variant));
        (known.plant)(self, at);
        self.label = None;
        self.held_up = 0;
    }

    /// A service that runs in production and has no release under way, with the digest that runs; nobody releases it for
    /// the next two hours.
    fn calm_service(&mut self, at: i64) -> (usize, String) {
        let org = self.org.clone();
        for _ in 0..400 {
            let repo = org.services[self.rng.index(org.services.len())];
            let life = self.life(repo);
            if let (true, Some((digest, _)), true) =
                (life.busy_until < at, life.prod.clone(), life.prod_before.is_some())
            {
                life.busy_until = at + 2 * HOUR;
                return (repo, digest);
            }
        }
        // Nothing has been replaced yet: any service will do.
        let repo = org.services[self.rng.index(org.services.len())];
        let digest = self.life(repo).prod.clone().map_or_else(|| "sha256:0".to_owned(), |(digest, _)| digest);
        (repo, digest)
    }

    /// A service, whatever it is at.
    fn some_service(&mut self) -> usize {
        let org = self.org.clone();
        org.services[self.rng.index(org.services.len())]
    }

    /// A library.
    fn some_library(&mut self) -> usize {
        let org = self.org.clone();
        org.libraries[self.rng.index(org.libraries.len())]
    }

    /// Somebody of the repository's team.
    fn owner_of(&mut self, repo: usize) -> usize {
        self.org.repo(repo).team * TEAM_SIZE + self.rng.index(TEAM_SIZE)
    }

    /// A build of the default branch, ten minutes long.
    fn build(&mut self, repo: usize, at: i64, pool: Pool) -> Job {
        let plan = self.build_plan(repo, at, pool);
        self.run(&plan)
    }

    /// What such a build is to be.
    fn build_plan(&mut self, repo: usize, at: i64, pool: Pool) -> Plan {
        let head = self.life(repo).head.clone();
        let who = self.owner_of(repo);
        Plan { pool, span: 10 * MINUTE, ..Plan::new(repo, at, who, &head) }
    }

    /// The name of a repository's team.
    fn team_of(&self, repo: usize) -> &'static str {
        self.org.team(self.org.repo(repo))
    }

    /// A release that stays where it is, of a service or a library.
    fn lone_release(&mut self, repo: usize, at: i64) -> crate::job::Release {
        self.life(repo).busy_until = at + HOUR;
        let who = self.owner_of(repo);
        debug_assert!(matches!(self.org.repo(repo).kind, Kind::Service | Kind::Library));
        self.release(repo, who, at, None)
    }
}
