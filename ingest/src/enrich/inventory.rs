//! The inventory: who owns what, how critical it is, what is expected of it, by section and key, in versions by event time.
//!
//! What a section may say stands in one table, [`SECTIONS`]: reading, looking up and documentation follow it. Files are
//! read above. Must never answer with a version that was not yet true at the event's time.

use std::collections::BTreeMap;

use model::Timestamp;
use rustc_hash::FxHashMap;

/// What an attribute's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A whole number from 1.
    Whole,
    /// true or false.
    Flag,
    /// A list of texts.
    Texts,
}

/// One thing that an entry may say.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// Its key in the file.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The live list that it fills: key → texts; of a flag, the keys for which it is true.
    pub list: Option<&'static str>,
}

/// One map of the inventory: entries of one sort, by key.
#[derive(Debug)]
pub struct Section {
    /// Its key in the file.
    pub name: &'static str,
    /// Keys count in lower case.
    pub folds: bool,
    /// What an entry may say.
    pub attributes: &'static [Attribute],
}

const fn says(name: &'static str, kind: Kind) -> Attribute {
    Attribute { name, kind, list: None }
}

const fn fills(list: &'static str, name: &'static str, kind: Kind) -> Attribute {
    Attribute { name, kind, list: Some(list) }
}

const fn section(name: &'static str, attributes: &'static [Attribute]) -> Section {
    Section { name, folds: false, attributes }
}

const CHANNELS: Kind = Kind::OneOf(&["release", "candidate", "development"]);
const CLASSES: Kind = Kind::OneOf(&["dev", "staging", "prod"]);

pub(super) const REPOSITORIES: usize = 0;
pub(super) const SERVICES: usize = 1;
pub(super) const RUNNER_POOLS: usize = 2;
pub(super) const ENVIRONMENTS: usize = 3;
pub(super) const IDENTITIES: usize = 4;
pub(super) const SECRETS: usize = 5;
pub(super) const REGISTRIES: usize = 6;

/// Every section, in the order of documentation.
pub static SECTIONS: [Section; 9] = [
    Section {
        name: "repositories",
        folds: true,
        attributes: &[
            says("team", Kind::Text),
            says("tier", Kind::Whole),
            says("protected_refs", Kind::Texts),
            says("signed_refs", Kind::Texts),
            says("outputs", Kind::Texts),
            says("channel", CHANNELS),
            says("deterministic", Kind::Flag),
            fills("repo_runner_allowed", "own_runners", Kind::Flag),
        ],
    },
    section(
        "services",
        &[
            says("team", Kind::Text),
            says("tier", Kind::Whole),
            says("exposure", Kind::OneOf(&["internet", "internal"])),
        ],
    ),
    section(
        "runner_pools",
        &[
            says("ephemeral", Kind::Flag),
            says("image_digest", Kind::Text),
            fills("runner_net", "egress", Kind::Texts),
            fills("pool_daemons", "daemons", Kind::Texts),
        ],
    ),
    section("environments", &[says("class", CLASSES)]),
    section(
        "identities",
        &[
            says("role_class", Kind::OneOf(&["deployer", "builder", "signer", "service"])),
            fills("ci_identities", "ci", Kind::Flag),
            fills("role_teams", "teams", Kind::Texts),
            fills("secret_manifests", "secrets", Kind::Texts),
            fills("declared_outputs", "outputs", Kind::Texts),
        ],
    ),
    section("secrets", &[says("tier", CLASSES), fills("canary_secrets", "canary", Kind::Flag)]),
    section("registries", &[says("channel", CHANNELS), says("immutable", Kind::Flag)]),
    section("signers", &[fills("expected_signers", "allowed", Kind::Texts)]),
    section("egress", &[fills("ci_egress", "networks", Kind::Texts)]),
];

/// One value of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(Box<str>),
    /// A whole number.
    Whole(i64),
    /// true or false.
    Flag(bool),
    /// Texts.
    Texts(Vec<Box<str>>),
}

/// What an entry says from a time on, until its next version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// From this event time on.
    pub from: Timestamp,
    /// Values by attribute name. What is not named is unknown, whatever earlier versions said.
    pub values: BTreeMap<&'static str, Value>,
}

/// All sections with their entries.
#[derive(Debug)]
pub struct Inventory {
    sections: [Entries; SECTIONS.len()],
}

#[derive(Debug, Default)]
struct Entries {
    exact: FxHashMap<Box<str>, Vec<Version>>,
    /// Keys that end with `*`, without it, the longest first.
    prefixes: Vec<(Box<str>, Vec<Version>)>,
}

impl Default for Inventory {
    fn default() -> Inventory {
        Inventory { sections: std::array::from_fn(|_| Entries::default()) }
    }
}

impl Inventory {
    /// Adds an entry of the `section`-th of [`SECTIONS`]. A key that ends with `*` stands for all keys that begin so; the
    /// longest that fits counts, and a whole key before any of them. False: an equal key is there already, or there is no
    /// such section.
    pub fn add(&mut self, section: usize, key: &str, mut versions: Vec<Version>) -> bool {
        let (Some(entries), Some(doc)) = (self.sections.get_mut(section), SECTIONS.get(section)) else { return false };
        versions.sort_by_key(|version| version.from);
        let key: Box<str> = if doc.folds { key.to_lowercase().into() } else { key.into() };
        let Some(prefix) = key.strip_suffix('*') else { return entries.exact.insert(key, versions).is_none() };
        let longest_first =
            |(other, _): &(Box<str>, Vec<Version>)| (prefix.len(), &**other).cmp(&(other.len(), prefix));
        match entries.prefixes.binary_search_by(longest_first) {
            Ok(_) => false,
            Err(at) => {
                entries.prefixes.insert(at, (prefix.into(), versions));
                true
            }
        }
    }

    /// What is known of a key at a time: the last version at or before it.
    pub fn find(&self, section: usize, key: &str, at: Timestamp) -> Option<&Version> {
        let entries = self.sections.get(section)?;
        let folded;
        let key = if SECTIONS.get(section)?.folds {
            folded = crate::format::fill::lower_case(key);
            &*folded
        } else {
            key
        };
        let last = |versions: &'_ Vec<Version>| versions.partition_point(|version| version.from <= at).checked_sub(1);
        let exact = entries.exact.get(key).into_iter();
        let prefixes = entries.prefixes.iter().filter(|(prefix, _)| key.starts_with(&**prefix));
        exact.chain(prefixes.map(|(_, versions)| versions)).find_map(|versions| versions.get(last(versions)?))
    }

    /// The section has an entry: looking there can find something.
    pub fn has(&self, section: usize) -> bool {
        self.sections.get(section).is_some_and(|entries| !entries.exact.is_empty() || !entries.prefixes.is_empty())
    }

    /// The live lists that it fills, with what each key's last version says: name → key → texts; of flags, the key.
    pub fn lists(&self) -> BTreeMap<&'static str, BTreeMap<String, Vec<String>>> {
        let mut lists: BTreeMap<_, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for (entries, doc) in self.sections.iter().zip(&SECTIONS) {
            let exact = entries.exact.iter().map(|(key, versions)| (key.to_string(), versions));
            let prefixes = entries.prefixes.iter().map(|(key, versions)| (format!("{key}*"), versions));
            for (key, versions) in exact.chain(prefixes) {
                let Some(last) = versions.last() else { continue };
                for attribute in doc.attributes {
                    let Some(list) = attribute.list else { continue };
                    match last.values.get(attribute.name) {
                        Some(Value::Texts(texts)) => {
                            let texts = texts.iter().map(ToString::to_string).collect();
                            lists.entry(list).or_default().insert(key.clone(), texts);
                        }
                        Some(Value::Flag(true)) => {
                            lists.entry(list).or_default().insert(key.clone(), vec![key.clone()]);
                        }
                        _ => {}
                    }
                }
            }
        }
        lists
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(from: i64, team: &str) -> Version {
        let values = BTreeMap::from([("team", Value::Text(team.into()))]);
        Version { from: Timestamp::from_ms(from), values }
    }

    fn team(inventory: &Inventory, key: &str, at: i64) -> Option<String> {
        let found = inventory.find(REPOSITORIES, key, Timestamp::from_ms(at))?;
        match found.values.get("team") {
            Some(Value::Text(team)) => Some(team.to_string()),
            _ => None,
        }
    }

    #[test]
    fn the_last_version_at_or_before_the_event_counts() {
        let mut inventory = Inventory::default();
        assert!(inventory.add(REPOSITORIES, "host/Acme/shop", vec![version(200, "new"), version(100, "old")]));
        for (at, wanted) in [(99, None), (100, Some("old")), (199, Some("old")), (200, Some("new")), (999, Some("new"))]
        {
            assert_eq!(team(&inventory, "host/acme/SHOP", at).as_deref(), wanted, "at {at}");
        }
        assert!(!inventory.add(REPOSITORIES, "HOST/acme/shop", vec![version(0, "again")]), "one entry a key");
    }

    #[test]
    fn whole_keys_come_first_and_then_the_longest_beginning() {
        let mut inventory = Inventory::default();
        for (key, from) in [("h/a/*", 0), ("h/*", 0), ("h/a/b*", 0), ("h/a/shop", 50), ("h/x/*", 0)] {
            assert!(inventory.add(REPOSITORIES, key, vec![version(from, key)]), "{key}");
        }
        assert!(!inventory.add(REPOSITORIES, "h/a/*", Vec::new()));
        for (key, at, wanted) in [
            ("h/a/shop", 60, Some("h/a/shop")),
            ("h/a/shop", 10, Some("h/a/*")),
            ("h/a/bc", 10, Some("h/a/b*")),
            ("h/c/d", 10, Some("h/*")),
            ("i/c/d", 10, None),
        ] {
            assert_eq!(team(&inventory, key, at).as_deref(), wanted, "{key} at {at}");
        }
    }

    #[test]
    fn lists_hold_what_the_last_version_says() {
        let mut inventory = Inventory::default();
        let says = |from, secrets: &[&str], ci| Version {
            from: Timestamp::from_ms(from),
            values: BTreeMap::from([
                ("secrets", Value::Texts(secrets.iter().map(|text| (*text).into()).collect())),
                ("ci", Value::Flag(ci)),
            ]),
        };
        inventory.add(IDENTITIES, "role/a", vec![says(0, &["x"], true), says(9, &["y", "z"], true)]);
        inventory.add(IDENTITIES, "role/b", vec![says(0, &["x"], false)]);
        let lists = inventory.lists();
        assert_eq!(lists["secret_manifests"]["role/a"], ["y", "z"]);
        assert_eq!(lists["secret_manifests"]["role/b"], ["x"]);
        assert_eq!(lists["ci_identities"].keys().collect::<Vec<_>>(), ["role/a"]);
    }
}
