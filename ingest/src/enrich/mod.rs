//! Enrichment: fields that no record carries, looked up in an inventory and a network table by those it does carry.
//!
//! Runs directly behind a format's mapping, in the same row, and only for fields that some rule wants. What the event
//! says itself always wins; what no table knows stays absent and is counted. Must never do I/O, and never depend on
//! anything but the event and the tables.

mod import;
mod inventory;
mod line;
mod network;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;

use model::{EventClass, Projection, Row, Scalar, Slot, Timestamp};

pub use import::{Import, ImportFormat};
pub use inventory::{Attribute, Inventory, Kind, SECTIONS, Section, Value, Version};
use inventory::{ENVIRONMENTS, IDENTITIES, REGISTRIES, REPOSITORIES, RUNNER_POOLS, SECRETS, SERVICES};
pub use line::BadLine;
pub use network::{HEADER, Network, NetworkLines, NetworkTable, PROXIES};

/// What is looked up in.
#[derive(Debug, Default)]
pub struct Tables {
    /// Owners, tiers, expectations.
    pub inventory: Inventory,
    /// Addresses; None: no table was given.
    pub network: Option<NetworkTable>,
}

/// Name of the network table among those that are missed.
pub const NETWORK: &str = "network";

/// The tables that were asked for something they do not have, for one event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Missed(u16);

impl Missed {
    /// Names of all tables that can be missed.
    pub fn tables() -> impl Iterator<Item = &'static str> {
        SECTIONS.iter().map(|section| section.name).chain([NETWORK])
    }

    /// Names of the tables.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Missed::tables().enumerate().filter(move |(at, _)| self.0 & (1 << at) != 0).map(|(_, name)| name)
    }

    fn add(&mut self, table: Table) {
        self.0 |= match table {
            Table::Section(at) => 1 << at,
            Table::Network => 1 << SECTIONS.len(),
        };
    }
}

/// How often each table was asked in vain: once an event, however many fields wanted it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Misses(BTreeMap<&'static str, u64>);

impl Misses {
    /// Counts one event's.
    pub fn add(&mut self, missed: Missed) {
        // Nearly every event: not worth a look at the names.
        if missed == Missed::default() {
            return;
        }
        missed.names().for_each(|name| *self.0.entry(name).or_default() += 1);
    }

    /// Table → events, in order of names; tables that never were are left out.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.0.iter().map(|(name, count)| (*name, *count))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    /// A section of the inventory.
    Section(usize),
    Network,
}

/// What of an entry becomes the field's value.
#[derive(Debug, Clone, Copy)]
enum Take {
    /// An attribute as it stands.
    Attribute(&'static str),
    /// Whether the ref of the event is one of an attribute's.
    HasRef(&'static str),
    Asn,
    Organisation,
    Country,
    Proxy,
}

/// One field of ours and where it is looked up.
struct Enriched {
    field: &'static str,
    /// Key fields with their tables: the first that gives a value counts.
    by: &'static [(&'static str, Table)],
    take: Take,
}

const fn row(field: &'static str, by: &'static [(&'static str, Table)], take: Take) -> Enriched {
    Enriched { field, by, take }
}

const BY_REPO: &[(&str, Table)] = &[("prov.repo", Table::Section(REPOSITORIES))];
const BY_SERVICE: &[(&str, Table)] = &[("prov.service", Table::Section(SERVICES))];
const BY_POOL: &[(&str, Table)] = &[("prov.runner_pool", Table::Section(RUNNER_POOLS))];
const BY_SECRET: &[(&str, Table)] = &[("secret", Table::Section(SECRETS))];
const BY_ACTOR: &[(&str, Table)] = &[("prov.actor_id", Table::Section(IDENTITIES))];
const BY_SOURCE: &[(&str, Table)] = &[("src.ip", Table::Network)];

/// Every field that tables fill.
static ROWS: &[Enriched] = &[
    row(
        "prov.team",
        &[("prov.repo", Table::Section(REPOSITORIES)), ("prov.service", Table::Section(SERVICES))],
        Take::Attribute("team"),
    ),
    row(
        "prov.tier",
        &[("prov.service", Table::Section(SERVICES)), ("prov.repo", Table::Section(REPOSITORIES))],
        Take::Attribute("tier"),
    ),
    row(
        "prov.env",
        &[
            ("env", Table::Section(ENVIRONMENTS)),
            ("prov.cluster", Table::Section(ENVIRONMENTS)),
            ("prov.org", Table::Section(ENVIRONMENTS)),
        ],
        Take::Attribute("class"),
    ),
    row("team_target", BY_SERVICE, Take::Attribute("team")),
    row("exposure", BY_SERVICE, Take::Attribute("exposure")),
    row("ref_protected", BY_REPO, Take::HasRef("protected_refs")),
    row("repo_requires_signing", BY_REPO, Take::HasRef("signed_refs")),
    row("declared_outputs", BY_REPO, Take::Attribute("outputs")),
    row("deterministic", BY_REPO, Take::Attribute("deterministic")),
    row(
        "channel",
        &[("repo", Table::Section(REGISTRIES)), ("prov.repo", Table::Section(REPOSITORIES))],
        Take::Attribute("channel"),
    ),
    row("immutable", &[("repo", Table::Section(REGISTRIES))], Take::Attribute("immutable")),
    row("prov.runner_ephemeral", BY_POOL, Take::Attribute("ephemeral")),
    row("image_digest", BY_POOL, Take::Attribute("image_digest")),
    row("tier", BY_SECRET, Take::Attribute("tier")),
    row("canary", BY_SECRET, Take::Attribute("canary")),
    row("is_ci", BY_ACTOR, Take::Attribute("ci")),
    row(
        "role_class",
        &[("role", Table::Section(IDENTITIES)), ("prov.actor_id", Table::Section(IDENTITIES))],
        Take::Attribute("role_class"),
    ),
    row("src.asn", BY_SOURCE, Take::Asn),
    row("src.as_org", BY_SOURCE, Take::Organisation),
    row("src.country", BY_SOURCE, Take::Country),
    row("src.proxy", BY_SOURCE, Take::Proxy),
    row("dst.asn", &[("dst.ip", Table::Network)], Take::Asn),
];

/// Field that [`Take::HasRef`] compares.
const REF: &str = "prov.ref";

/// The rows of [`ROWS`] that a rule set wants of one class.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    rows: Vec<Lookup>,
}

#[derive(Debug)]
struct Lookup {
    slot: Slot,
    by: Vec<(Slot, Table)>,
    take: Take,
    branch: Slot,
}

impl Lookups {
    /// Compiles what `fields` wants of events of a class, as far as the tables have anything of the kind, and asks for the
    /// key fields that this needs.
    pub(crate) fn new(tables: &Tables, class: EventClass, fields: &mut Projection) -> Lookups {
        let is_on = |field: &str| model::field(field).is_some_and(|doc| doc.is_on(class));
        let has = |table: Table| match table {
            Table::Section(at) => tables.inventory.has(at),
            Table::Network => tables.network.is_some(),
        };
        let mut rows = Vec::new();
        for row in ROWS {
            let Some(slot) = fields.slot(row.field).filter(|_| is_on(row.field)) else { continue };
            let by = row.by.iter().filter(|(key, table)| is_on(key) && has(*table));
            let by: Vec<(Slot, Table)> = by.map(|(key, table)| (fields.ask(key), *table)).collect();
            if !by.is_empty() {
                let branch = if matches!(row.take, Take::HasRef(_)) { fields.ask(REF) } else { Slot::MAX };
                rows.push(Lookup { slot, by, take: row.take, branch });
            }
        }
        Lookups { rows }
    }

    /// Fills what the row does not have yet, and says which tables were asked in vain.
    pub(crate) fn fill(&self, tables: &Tables, at: Option<Timestamp>, record: &str, row: &mut Row) -> Missed {
        let mut missed = Missed::default();
        // A source without times knows the present only.
        let at = at.unwrap_or(Timestamp::MAX);
        let mut found = Vec::new();
        for lookup in &self.rows {
            let view = row.view(record);
            if view.values(lookup.slot).any(|value| !matches!(value, Scalar::Null | Scalar::Empty)) {
                continue;
            }
            let mut in_vain = Missed::default();
            for &(key, table) in &lookup.by {
                for key in view.values(key).filter_map(Scalar::as_text).filter(|key| !key.is_empty()) {
                    let told = |answer| {
                        if !found.contains(&answer) {
                            found.push(answer);
                        }
                    };
                    if tables.answer(table, &key, at, (lookup.take, view.text(lookup.branch)), told).is_none() {
                        in_vain.add(table);
                    }
                }
                if !found.is_empty() {
                    in_vain = Missed::default();
                    break;
                }
            }
            missed.0 |= in_vain.0;
            found.drain(..).for_each(|value| row.push_scalar(lookup.slot, value));
        }
        missed
    }
}

impl Tables {
    /// Tells `told` what a table says of a key; None: the key is not in it. An entry that does not say this gives no value.
    fn answer<'t>(
        &'t self,
        table: Table,
        key: &str,
        at: Timestamp,
        (take, branch): (Take, Option<&str>),
        mut told: impl FnMut(Scalar<'t>),
    ) -> Option<()> {
        let network = || self.network.as_ref()?.find(key.parse::<IpAddr>().ok()?);
        match (table, take) {
            (Table::Section(section), Take::Attribute(name)) => {
                match self.inventory.find(section, key, at)?.values.get(name) {
                    Some(Value::Text(text)) => told(Scalar::Text(text)),
                    Some(Value::Whole(n)) => told(Scalar::Int(*n)),
                    Some(Value::Flag(is)) => told(Scalar::Bool(*is)),
                    Some(Value::Texts(texts)) => texts.iter().for_each(|text| told(Scalar::Text(text))),
                    None => {}
                }
            }
            (Table::Section(section), Take::HasRef(name)) => {
                let refs = self.inventory.find(section, key, at)?.values.get(name);
                if let (Some(Value::Texts(refs)), Some(branch)) = (refs, branch) {
                    told(Scalar::Bool(refs.iter().any(|of| is_ref(of, branch))));
                }
            }
            (_, Take::Asn) => network()?.asn.into_iter().for_each(|asn| told(Scalar::Int(asn.into()))),
            (_, Take::Organisation) => network()?.organisation.iter().for_each(|name| told(Scalar::Text(name))),
            (_, Take::Country) => network()?.country.iter().for_each(|code| told(Scalar::Text(code))),
            (_, Take::Proxy) => network()?.proxy.into_iter().for_each(|kind| told(Scalar::Text(kind))),
            (Table::Network, Take::Attribute(_) | Take::HasRef(_)) => {}
        }
        Some(())
    }
}

/// `main`, `refs/heads/main`, `release/*`: a branch is meant where the name does not begin with `refs/`.
fn is_ref(wanted: &str, branch: &str) -> bool {
    let [wanted, branch] = [wanted, branch].map(|text| text.strip_prefix("refs/heads/").unwrap_or(text));
    match wanted.strip_suffix('*') {
        Some(prefix) => branch.starts_with(prefix),
        None => branch == wanted,
    }
}

/// The fields that tables fill, with their keys and what is taken: one row of Markdown each.
pub fn documentation() -> String {
    let mut text = String::from("| field | looked up by | in | takes |\n|---|---|---|---|\n");
    for row in ROWS {
        let table = |table: Table| match table {
            Table::Section(at) => SECTIONS.get(at).map_or("", |section| section.name),
            Table::Network => NETWORK,
        };
        let keys: Vec<String> = row.by.iter().map(|(key, _)| format!("`{key}`")).collect();
        let mut tables: Vec<String> = row.by.iter().map(|(_, at)| format!("`{}`", table(*at))).collect();
        tables.dedup();
        let takes = match row.take {
            Take::Attribute(name) => format!("`{name}`"),
            Take::HasRef(name) => format!("whether `{name}` has `{REF}`"),
            Take::Asn => "`asn`".to_owned(),
            Take::Organisation => "`organisation`".to_owned(),
            Take::Country => "`country`".to_owned(),
            Take::Proxy => "`proxy`".to_owned(),
        };
        let _ = writeln!(text, "| `{}` | {} | {} | {takes} |", row.field, keys.join(", else "), tables.join(", "));
    }
    text
}

#[cfg(test)]
mod tests;
