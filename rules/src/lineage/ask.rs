//! `x-lineage` (E13): what a rule wants to know of lineage at one event, and the answer.
//!
//! The answer holds nothing that was seen after the event. Must never call a service unaffected of which nobody knows what
//! runs there, nor leave out that a walk ended early.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use model::{Projection, Scalar, Slot, Timestamp, View};

use super::key::{Key, Kind, Kinds};
use super::pairs::Stage;
use super::walk::{Way, walk};
use super::{Limits, Lineage};

/// The fact that holds the keys from which a rule asks, with a blank between them.
pub const FROM: &str = "reached.from";

/// So many of each kind are named; of the others it is said how many they are.
const NAMED_MAX: usize = 8;

/// From more keys than this nobody walks at one event; what is left out is counted with the walks that a limit ended.
const STARTS_MAX: usize = 256;

/// Fields from which a rule may ask, with the kind of their keys.
pub const ASKED_FROM: [(&str, Kind); 9] = [
    ("purl", Kind::Purl),
    ("prov.digest", Kind::Digest),
    ("prov.token_id", Kind::Token),
    ("issued_key", Kind::Token),
    ("prov.run_id", Kind::Run),
    ("prov.job_id", Kind::Job),
    ("prov.runner_id", Kind::Runner),
    ("prov.build_id", Kind::Build),
    ("entry", Kind::Cache),
];

/// What a rule may ask for, with the word for several.
pub const ASKED_FOR: [(&str, Kind, &str); 8] = [
    ("artifact", Kind::Digest, "artifacts"),
    ("service", Kind::Service, "services"),
    ("run", Kind::Run, "runs"),
    ("job", Kind::Job, "jobs"),
    ("runner", Kind::Runner, "runners"),
    ("build", Kind::Build, "builds"),
    ("token", Kind::Token, "tokens"),
    ("cache", Kind::Cache, "caches"),
];

/// How much of what is asked for has to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enough {
    /// So many; with 0 the rule holds as it is, and its alert lists what was reached.
    AtLeast(usize),
    /// Nothing.
    None,
}

/// `x-lineage` of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The field with the keys.
    pub from: String,
    /// Their kind.
    pub kind: Kind,
    /// Of a package URL without version: the field with the versions, `*` among them for all.
    pub versions: Option<String>,
    /// The kinds that are asked for, in the order in which the alert lists them.
    pub kinds: Vec<Kind>,
    /// The joints that the way goes through, beside the kinds that are asked for; None: any.
    pub through: Option<Vec<Kind>>,
    /// How many of them there must be.
    pub enough: Enough,
}

/// What was reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Keys of the kinds that were asked for.
    pub count: usize,
    /// A limit ended a walk: there may be more.
    pub is_cut: bool,
    /// What the alert says of them, (field, text).
    pub facts: Vec<(String, String)>,
}

impl Ask {
    /// The kinds of keys without which the answer would be another.
    pub fn needs(&self) -> impl Iterator<Item = Kind> {
        // Digests are told by their package URLs.
        let named = self.kinds.contains(&Kind::Digest).then_some(Kind::Purl);
        // Where they run is asked of artifacts, too.
        let placed = self.kinds.contains(&Kind::Digest).then_some(Kind::Service);
        self.way().chain(named).chain(placed)
    }

    /// The kinds of keys on the way.
    fn way(&self) -> impl Iterator<Item = Kind> {
        let through = self.through.as_ref();
        let joints = Kind::ALL.into_iter().filter(move |kind| match through {
            Some(kinds) => kinds.contains(kind),
            None => kind.is_joint(),
        });
        self.kinds.iter().copied().chain([self.kind]).chain(joints)
    }

    /// Services of which nobody knows what runs there are told of.
    fn asks_unknown(&self) -> bool {
        self.kind == Kind::Purl && self.kinds.contains(&Kind::Service)
    }

    /// The rule holds at an event with this answer.
    pub fn is_met(&self, answer: &Answer) -> bool {
        match self.enough {
            Enough::AtLeast(count) => answer.count >= count,
            Enough::None => answer.count == 0,
        }
    }
}

/// Reads the keys from which a rule asks.
#[derive(Debug)]
pub struct StartReader {
    kind: Kind,
    from: Slot,
    versions: Option<Slot>,
}

impl StartReader {
    /// Of an ask; `fields` are asked for what it reads.
    pub fn new(ask: &Ask, fields: &mut Projection) -> StartReader {
        let from = fields.ask(&ask.from);
        StartReader { kind: ask.kind, from, versions: ask.versions.as_ref().map(|name| fields.ask(name)) }
    }

    /// The keys of an event, with a blank between them. `named`: what to keep instead of a text that may not be kept.
    pub fn read(&self, view: View<'_>, named: &mut dyn FnMut(Kind, &str) -> Option<String>) -> String {
        let texts = |slot: Slot| view.values(slot).filter_map(Scalar::as_text);
        let mut starts: BTreeSet<String> = BTreeSet::new();
        for text in texts(self.from) {
            match self.versions {
                Some(slot) => starts.extend(texts(slot).map(|version| format!("{text}@{version}"))),
                None if self.kind == Kind::Digest => _ = starts.insert(text.to_ascii_lowercase()),
                None => _ = starts.insert(text.into_owned()),
            }
        }
        // No key that is joined has a blank in it, but for those that nobody else has either.
        let starts = starts.into_iter().filter(|text| !text.contains(char::is_whitespace));
        // One more than anybody walks from says that there were more.
        let starts = starts.take(STARTS_MAX + 1);
        let kept = starts.map(|text| named(self.kind, &text).unwrap_or(text));
        kept.collect::<Vec<_>>().join(" ")
    }
}

/// The keys that a text of [`StartReader::read`] names: all versions of a package where it says so.
fn starts(lineage: &Lineage, kind: Kind, from: &str) -> (BTreeSet<Key>, bool) {
    let mut keys = BTreeSet::new();
    for text in from.split(' ').filter(|text| !text.is_empty()) {
        match text.strip_suffix('*').filter(|of| kind == Kind::Purl && of.ends_with('@')) {
            Some(of) => {
                keys.insert(Key::new(kind, of.trim_end_matches('@')));
                let versions = lineage.halves.listed(kind, of).take_while(|key| key.text.starts_with(of));
                keys.extend(versions.take(STARTS_MAX + 1).cloned());
            }
            None => _ = keys.insert(Key::new(kind, text)),
        }
    }
    let is_cut = keys.len() > STARTS_MAX;
    (keys.into_iter().take(STARTS_MAX).collect(), is_cut)
}

/// What was reached from some keys (a text of [`StartReader::read`]) over edges that were seen by a time.
pub(super) fn answer(lineage: &Lineage, ask: &Ask, from: &str, as_of: Timestamp) -> Answer {
    let (starts, mut is_cut) = starts(lineage, ask.kind, from);
    let Limits { reached_max, .. } = lineage.limits;
    let (mut reached, way): (BTreeSet<Key>, Kinds) = (BTreeSet::new(), Kinds::of(ask.way()));
    for start in &starts {
        let walk = walk(lineage, start, Way::Down, (as_of, way));
        is_cut |= walk.is_cut || !walk.hubs.is_empty();
        reached.extend(walk.keys.into_keys().filter(|key| !starts.contains(key)));
        if reached.len() > reached_max {
            is_cut = true;
            break;
        }
    }
    let (unplaced, more) = if ask.asks_unknown() { unknown(lineage, as_of) } else { Default::default() };
    is_cut |= more;
    let mut answer = Answer { is_cut, ..Answer::default() };
    for (_, kind, several) in ask.kinds.iter().filter_map(|kind| ASKED_FOR.iter().find(|(_, of, _)| of == kind)) {
        let of_kind: Vec<&Key> = reached.iter().filter(|key| key.kind == *kind).collect();
        answer.count += of_kind.len();
        let named = |key: &&Key| if *kind == Kind::Digest { name(lineage, key, as_of) } else { key.text.to_string() };
        let mut told =
            |what: &str, names: Vec<String>| answer.facts.push((format!("reached.{what}"), list(names, is_cut)));
        told(several, of_kind.iter().map(named).collect());
        if *kind == Kind::Digest {
            told("deployed", of_kind.iter().filter_map(|digest| deployed(lineage, digest, as_of)).collect());
        }
        if *kind == Kind::Service && ask.asks_unknown() {
            told("services_without_sbom", unplaced.clone());
        }
    }
    if is_cut {
        answer.facts.push(("reached.incomplete".to_owned(), "a limit ended the walk: there may be more".to_owned()));
    }
    answer
}

/// How many there are, and the first of them; `at_least`: there may be more.
fn list(mut names: Vec<String>, at_least: bool) -> String {
    names.sort_unstable();
    let mut text = format!("{}{}", if at_least { "at least " } else { "" }, names.len());
    for (at, name) in names.iter().take(NAMED_MAX).enumerate() {
        let between = if at == 0 { ": " } else { ", " };
        text.push_str(between);
        text.push_str(name);
    }
    if names.len() > NAMED_MAX {
        // Writing to memory cannot fail.
        let _ = write!(text, " and {} more", names.len() - NAMED_MAX);
    }
    text
}

/// A digest as people know it: by its package URL, where it has one.
fn name(lineage: &Lineage, digest: &Key, as_of: Timestamp) -> String {
    let mut names = lineage.halves.by(digest, as_of).filter(|(half, _)| half.stage == Stage::Name && !half.is_down);
    let name = names.find(|(half, _)| half.far.kind == Kind::Purl).map(|(half, _)| half.far.text.to_string());
    name.unwrap_or_else(|| digest.text.to_string())
}

/// Where a digest has been deployed; None: nowhere.
fn deployed(lineage: &Lineage, digest: &Key, as_of: Timestamp) -> Option<String> {
    let halves = lineage.halves.by(digest, as_of).filter(|(half, _)| half.is_down && half.far.kind == Kind::Service);
    let services: BTreeSet<&Arc<str>> = halves.map(|(half, _)| &half.far.text).collect();
    let services: Vec<&str> = services.into_iter().map(AsRef::as_ref).collect();
    (!services.is_empty()).then(|| services.join("+"))
}

/// Services at which something runs of which no bill of materials tells, and whether there are more than are looked at.
fn unknown(lineage: &Lineage, as_of: Timestamp) -> (Vec<String>, bool) {
    let has_sbom = |digest: &Key| lineage.halves.by(digest, as_of).any(|(half, _)| half.stage == Stage::Sbom);
    let mut unknown = Vec::new();
    let mut services = lineage.halves.listed(Kind::Service, "");
    for service in services.by_ref().take(lineage.limits.reached_max) {
        let seen: Vec<_> = lineage.halves.by(service, as_of).filter(|(half, _)| !half.is_down).collect();
        let digests = seen.iter().filter(|(half, _)| half.far.kind == Kind::Digest);
        let newest = digests.map(|(half, times)| (&times.last, &half.far)).max();
        if !seen.is_empty() && !newest.is_some_and(|(_, digest)| has_sbom(digest)) {
            unknown.push(service.text.to_string());
        }
    }
    (unknown, services.next().is_some())
}
