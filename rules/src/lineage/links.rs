//! The provenance keys of one event, read out of its fields.
//!
//! Must never remember anything between events.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{EventClass, Projection, Scalar, Slot, Timestamp, Verdict, View, cut};

use super::key::{Key, Kind, Part};
use super::pairs::{Pairs, Stage, TABLE};

/// An event as a witness of an edge. Ordered by time, then id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// When it happened.
    pub time: Timestamp,
    /// Its id: the evidence.
    pub id: Arc<str>,
    /// What kind of event it was.
    pub class: EventClass,
    /// Who acted, as the source names them.
    pub who: Option<Box<str>>,
}

/// The keys of one event.
#[derive(Debug, Clone)]
pub struct Links {
    /// The event.
    pub seen: Arc<Seen>,
    /// What was done.
    pub action: Box<str>,
    /// It did not fail and was not refused.
    pub succeeded: bool,
    /// The keys with their parts.
    pub keys: Vec<(Part, Key)>,
}

impl Links {
    /// The keys of an event of that time, id and class, without who acted.
    pub fn new(
        (time, id, class): (Timestamp, Arc<str>, EventClass),
        action: Box<str>,
        succeeded: bool,
        keys: Vec<(Part, Key)>,
    ) -> Links {
        Links { seen: Arc::new(Seen { time, id, class, who: None }), action, succeeded, keys }
    }

    /// The keys of a part.
    pub fn of(&self, part: Part) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(move |(played, _)| *played == part).map(|(_, key)| key)
    }
}

/// Which field holds the keys of which part.
const KEYS: &[(&str, Part)] = &[
    ("prov.token_id", Part::Token),
    ("issued_key", Part::Issued),
    ("prov.run_id", Part::Run),
    ("prov.job_id", Part::Job),
    ("prov.build_id", Part::Build),
    ("prov.commit", Part::Commit),
    ("prov.workflow", Part::Workflow),
    ("prov.digest", Part::Digest),
    ("outputs", Part::Digest),
    ("prov.attestation_id", Part::Attestation),
    ("entry", Part::Cache),
    ("components.purl", Part::Component),
    ("lockfile_diff", Part::Component),
    ("prov.repo", Part::Repo),
];

/// A runner, by its id; its name where it has none.
const RUNNER: [&str; 2] = ["prov.runner_id", "prov.runner_name"];

/// Keys longer than this are no keys of anybody's; the event is linked by its others.
const KEY_BYTES_MAX: usize = 1_024;

/// Who acted is kept so far: it is for people only.
const WHO_CHARACTERS_MAX: usize = 200;

/// No field.
const NONE: Slot = Slot::MAX;

/// Reads [`Links`] from views over its own projection.
#[derive(Debug)]
pub struct LinkReader {
    fields: Projection,
    keys: Vec<(Slot, Part)>,
    runner: [Slot; 2],
    who: [Slot; 2],
    service: Slot,
    env: Slot,
    artifact: Slot,
    version: Slot,
    /// What can make edges of a class's events; None: whoever reads takes every event.
    pairs: Option<Vec<&'static Pairs>>,
}

impl Default for LinkReader {
    fn default() -> LinkReader {
        let mut fields = Projection::default();
        LinkReader {
            keys: KEYS.iter().map(|(field, part)| (fields.ask(field), *part)).collect(),
            runner: RUNNER.map(|field| fields.ask(field)),
            who: ["prov.actor", "prov.actor_id"].map(|field| fields.ask(field)),
            service: fields.ask("prov.service"),
            env: fields.ask("prov.env"),
            artifact: fields.ask("prov.artifact"),
            version: fields.ask("prov.version"),
            fields,
            pairs: None,
        }
    }
}

impl LinkReader {
    /// Reads only the keys that walks go on through, of events of a class, out of views over `fields` and its own: for whoever
    /// sees every event.
    pub fn of_joints(class: EventClass, fields: Projection) -> LinkReader {
        let joints = Kind::ALL.into_iter().filter(|kind| kind.is_joint()).collect();
        LinkReader::of_kinds(class, fields, &joints)
    }

    /// The same of keys of some kinds.
    pub fn of_kinds(class: EventClass, mut fields: Projection, kinds: &BTreeSet<Kind>) -> LinkReader {
        let wanted = KEYS.iter().filter(|(_, part)| kinds.contains(&part.kind()));
        let mut ask = |kind: Kind, field: &str| if kinds.contains(&kind) { fields.ask(field) } else { NONE };
        let [service, env] = ["prov.service", "prov.env"].map(|field| ask(Kind::Service, field));
        let [artifact, version] = ["prov.artifact", "prov.version"].map(|field| ask(Kind::Purl, field));
        let runner = RUNNER.map(|field| ask(Kind::Runner, field));
        LinkReader {
            keys: wanted.map(|(field, part)| (fields.ask(field), *part)).collect(),
            runner,
            who: [NONE; 2],
            service,
            env,
            artifact,
            version,
            fields,
            pairs: Some(TABLE.iter().filter(|of| of.of_class(class)).collect()),
        }
    }

    /// The fields that it wants of every event.
    pub fn fields(&self) -> &Projection {
        &self.fields
    }

    /// An event that has these fields may make an edge: nothing is built to find that out.
    pub fn joins(&self, view: View<'_>, action: &str, verdict: Verdict) -> bool {
        let Some(pairs) = &self.pairs else { return true };
        let parts = self.parts(|slot| view.has(slot));
        if parts & parts.wrapping_sub(1) == 0 && (parts == 0 || self.service == NONE) {
            return false;
        }
        let succeeded = succeeded(verdict);
        let made = pairs.iter().filter(|of| of.made_by(action, succeeded));
        made.into_iter().any(|of| self.makes(of, parts))
    }

    /// Some event of the class can make an edge, by a format that fills these fields and no others.
    pub fn may_join(&self, fills: impl Fn(&str) -> bool) -> bool {
        let parts = self.parts(|slot| fills(self.fields.name(slot)));
        self.pairs.as_ref().is_none_or(|pairs| pairs.iter().any(|of| self.makes(of, parts)))
    }

    /// The parts that are played, a bit each.
    fn parts(&self, has: impl Fn(Slot) -> bool) -> u32 {
        let runner = self.runner.map(|slot| (slot, Part::Runner));
        let others = [(self.service, Part::Service), (self.artifact, Part::Artifact)].into_iter().chain(runner);
        let slots = self.keys.iter().copied().chain(others.filter(|(slot, _)| *slot != NONE));
        let played = slots.map(|(slot, part)| (has(slot), part));
        played.fold(0, |parts, (has, part)| parts | u32::from(has) << part as u32)
    }

    /// Such parts make an edge that is wanted.
    fn makes(&self, of: &Pairs, parts: u32) -> bool {
        let has = |part: Part| parts >> part as u32 & 1 == 1;
        // That an artifact has a bill of materials is told by those that list nothing, too, where services are asked for.
        let alone = |stage: Stage| stage == Stage::Sbom && self.service != NONE;
        of.pairs.iter().any(|(from, to, stage)| (from != to || alone(*stage)) && has(*from) && has(*to))
    }

    /// The keys of an event of that time and id; None where it has none. `named`: what to keep instead of a text, where that
    /// may not be kept.
    pub fn read(
        &self,
        view: View<'_>,
        at: (Timestamp, &str),
        what: (EventClass, &str, Verdict),
        named: &mut dyn FnMut(Kind, &str) -> Option<String>,
    ) -> Option<Links> {
        let first = |slots: &[Slot]| slots.iter().find_map(|&slot| view.values(slot).find_map(Scalar::as_text));
        let mut keys = Vec::new();
        let mut put = |part: Part, text: &str| {
            if !text.is_empty() && text.len() <= KEY_BYTES_MAX {
                let kind = part.kind();
                keys.push((part, Key::new(kind, named(kind, text).as_deref().unwrap_or(text))));
            }
        };
        for &(slot, part) in &self.keys {
            for text in view.values(slot).filter_map(Scalar::as_text) {
                match part.kind() {
                    Kind::Commit | Kind::Digest => put(part, &text.to_ascii_lowercase()),
                    _ => put(part, &text),
                }
            }
        }
        if let Some(text) = first(&self.runner) {
            put(Part::Runner, &text);
        }
        let env = first(&[self.env]);
        for service in view.values(self.service).filter_map(Scalar::as_text) {
            match &env {
                Some(env) => put(Part::Service, &format!("{env}/{service}")),
                None => put(Part::Service, &service),
            }
        }
        if let Some(artifact) = first(&[self.artifact]).filter(|artifact| artifact.starts_with("pkg:")) {
            match first(&[self.version]) {
                Some(version) => put(Part::Artifact, &format!("{artifact}@{version}")),
                None => put(Part::Artifact, &artifact),
            }
        }
        if keys.is_empty() {
            return None;
        }
        let who = first(&self.who).map(|who| cut(&who, WHO_CHARACTERS_MAX).into());
        let ((time, id), (class, action, verdict)) = (at, what);
        let seen = Arc::new(Seen { time, id: id.into(), class, who });
        Some(Links { seen, action: action.into(), succeeded: succeeded(verdict), keys })
    }
}

fn succeeded(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Success | Verdict::Unknown)
}
