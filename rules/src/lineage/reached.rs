//! What a component, an artifact or a credential has reached: artifacts, where they run, and the runs between.
//!
//! Must never say that something is not affected where nobody could know: a service without a bill of materials is unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chain::{has, names};
use super::key::{Key, Kind};
use super::links::Seen;
use super::pairs::Stage;
use super::table::Half;
use super::walk::{Way, walk};
use super::{ALL, Lineage};

/// A digest at a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The service.
    pub service: Key,
    /// First and last evidence that the digest is or was there.
    pub first: Arc<Seen>,
    /// See `first`.
    pub last: Arc<Seen>,
    /// Nothing else was seen there since.
    pub is_current: bool,
}

/// An artifact that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its digest.
    pub digest: Key,
    /// Its package URLs.
    pub names: Vec<Arc<str>>,
    /// Steps to it.
    pub hops: u8,
    /// The earliest event that tells of it.
    pub first: Option<Arc<Seen>>,
    /// Its components are known.
    pub has_sbom: bool,
    /// Where it was deployed.
    pub services: Vec<Placed>,
}

/// A run that was reached, or that lies on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReached {
    /// The run; a job where the run is not known.
    pub run: Key,
    /// Its repository.
    pub names: Vec<Arc<str>>,
    /// Steps to it; None: it made one of the artifacts, and was not reached itself.
    pub hops: Option<u8>,
    /// The earliest event that tells of it.
    pub first: Option<Arc<Seen>>,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The key that was asked for.
    pub start: Key,
    /// Artifacts, by steps and time.
    pub artifacts: Vec<Artifact>,
    /// Services that were reached without a digest: a run or a credential deployed to them.
    pub services: Vec<Key>,
    /// Runs that were reached, and those that made the artifacts.
    pub runs: Vec<RunReached>,
    /// Everything else that was reached: commits, credentials, cache entries …, with the steps.
    pub others: Vec<(Key, u8)>,
    /// Services whose running digest has no bill of materials, or that have no digest: nobody knows what is in them.
    pub unknown: Vec<Key>,
    /// Hubs at which the walk ended, with the joints of their worst day.
    pub hubs: Vec<(Key, usize)>,
    /// There was more than a walk may reach.
    pub is_cut: bool,
}

pub(super) fn reached(lineage: &Lineage, start: &Key) -> Reached {
    let walk = walk(lineage, start, Way::Down, ALL);
    let of_kind = |kind: Kind| walk.keys.iter().filter(move |(key, _)| key.kind == kind);
    let mut artifacts: Vec<Artifact> =
        of_kind(Kind::Digest).map(|(digest, hops)| artifact(lineage, digest, *hops)).collect();
    artifacts.sort_by(|a, b| (a.hops, &a.first, &a.digest).cmp(&(b.hops, &b.first, &b.digest)));
    let placed = |service: &Key| artifacts.iter().flat_map(|of| &of.services).any(|of| of.service == *service);
    let services = of_kind(Kind::Service).filter(|(key, _)| *key != start && !placed(key)).map(|(key, _)| key.clone());
    let mut others: Vec<(Key, u8)> = walk
        .keys
        .iter()
        .filter(|(key, _)| *key != start && !matches!(key.kind, Kind::Digest | Kind::Service | Kind::Run))
        .map(|(key, hops)| (key.clone(), *hops))
        .collect();
    others.sort_by(|a, b| (a.0.kind, a.1, &a.0).cmp(&(b.0.kind, b.1, &b.0)));
    let unknown = lineage.keys(Kind::Service).into_iter();
    let unknown = unknown.filter(|service| !current(lineage, service).is_some_and(|of| has(lineage, of, Stage::Sbom)));
    Reached {
        start: start.clone(),
        services: services.collect(),
        runs: runs(lineage, &walk.keys, &artifacts),
        others,
        unknown: unknown.cloned().collect(),
        artifacts,
        hubs: walk.hubs.into_iter().collect(),
        is_cut: walk.is_cut,
    }
}

fn artifact(lineage: &Lineage, digest: &Key, hops: u8) -> Artifact {
    let mut services: BTreeMap<&Key, (&Arc<Seen>, &Arc<Seen>)> = BTreeMap::new();
    let mut earliest: Option<&Arc<Seen>> = None;
    for (half, Half { first, last, .. }) in lineage.halves.of(digest) {
        earliest = earliest.into_iter().chain([first]).min();
        if half.is_down && half.far.kind == Kind::Service {
            let known = services.entry(&half.far).or_insert((first, last));
            *known = (known.0.min(first), known.1.max(last));
        }
    }
    let services = services.into_iter().map(|(service, (first, last))| Placed {
        service: service.clone(),
        first: first.clone(),
        last: last.clone(),
        is_current: current(lineage, service) == Some(digest),
    });
    Artifact {
        digest: digest.clone(),
        names: names(lineage, digest),
        hops,
        first: earliest.cloned(),
        has_sbom: has(lineage, digest, Stage::Sbom),
        services: services.collect(),
    }
}

/// The digest that was seen last at a service.
fn current<'t>(lineage: &'t Lineage, service: &'t Key) -> Option<&'t Key> {
    let digests = lineage.halves.of(service).filter(|(half, _)| half.far.kind == Kind::Digest && !half.is_down);
    digests.max_by(|a, b| (&a.1.last, a.0).cmp(&(&b.1.last, b.0))).map(|(half, _)| &half.far)
}

fn runs(lineage: &Lineage, keys: &BTreeMap<Key, u8>, artifacts: &[Artifact]) -> Vec<RunReached> {
    let reached = keys.iter().filter(|(key, _)| key.kind == Kind::Run).map(|(key, hops)| (key.clone(), Some(*hops)));
    let mut runs: BTreeMap<Key, Option<u8>> = reached.collect();
    for of in artifacts {
        for (half, _) in lineage.halves.of(&of.digest) {
            if half.far.kind == Kind::Run && !half.is_down && half.stage != Stage::Sbom {
                runs.entry(half.far.clone()).or_insert(None);
            }
        }
    }
    let told = |(run, hops): (Key, Option<u8>)| RunReached {
        names: names(lineage, &run),
        hops,
        first: lineage.halves.of(&run).map(|(_, half)| half.first.clone()).min(),
        run,
    };
    let mut runs: Vec<RunReached> = runs.into_iter().map(told).collect();
    runs.sort_by(|a, b| (&a.first, &a.run).cmp(&(&b.first, &b.run)));
    runs
}
