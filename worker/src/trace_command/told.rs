//! Keys and evidence as they may leave: redacted first, cut second, one line.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{RedactionKey, cut, redact, redact_field};
use rules::lineage::{Key, Kind, Seen};
use serde_json::{Value, json};

/// A text is cut after this many characters, as in an alert.
const CHARACTERS_MAX: usize = 512;

/// And in a table after this many.
const CELL_MAX: usize = 48;

/// Characters of a hash that people need to tell it from others, the mark of the cut among them.
const DIGITS: usize = 13;

/// Evidence that a table names; the rest is counted.
const EVIDENCE_MAX: usize = 3;

/// How texts of records are told.
pub(super) struct Words {
    pub(super) redaction: RedactionKey,
}

impl Words {
    /// A key, whole. A secret in it is its HMAC.
    pub(super) fn key(&self, key: &Key) -> String {
        printable(&cut(&self.redaction.name_field(key.kind.field(), &key.text), CHARACTERS_MAX))
    }

    /// A key in a table.
    pub(super) fn short(&self, key: &Key) -> String {
        let whole = self.key(key);
        match key.kind {
            Kind::Digest => match whole.split_once(':') {
                Some((algorithm, digits)) => format!("{algorithm}:{}", cut(digits, DIGITS)),
                None => whole,
            },
            Kind::Commit => cut(&whole, DIGITS).into_owned(),
            _ => cut(&whole, CELL_MAX).into_owned(),
        }
    }

    /// A key with what people call it, in a table.
    pub(super) fn named(&self, key: &Key, names: &[Arc<str>]) -> String {
        match self.name(key.kind, names) {
            Some(name) => format!("{} ({})", self.short(key), cut(&name, CELL_MAX)),
            None => self.short(key),
        }
    }

    /// The name of a key that a table shows: the last, which has a version where one has.
    pub(super) fn name(&self, kind: Kind, names: &[Arc<str>]) -> Option<String> {
        self.names(kind, names).pop()
    }

    /// All names of a key.
    pub(super) fn names(&self, kind: Kind, names: &[Arc<str>]) -> Vec<String> {
        let field = if kind == Kind::Digest { Kind::Purl.field() } else { Kind::Repo.field() };
        names.iter().map(|name| printable(&cut(&self.redaction.name_field(field, name), CHARACTERS_MAX))).collect()
    }

    /// A key with its kind, as `--kind` takes it.
    pub(super) fn candidate(&self, key: &Key) -> String {
        format!("  {:<11}  {}", key.kind.name(), self.key(key))
    }

    /// What was typed.
    pub(super) fn asked(&self, text: &str) -> String {
        printable(&cut(&redact(text), CHARACTERS_MAX))
    }

    /// Who acted in some events.
    pub(super) fn who<'e>(&self, seen: impl IntoIterator<Item = &'e Arc<Seen>>) -> Vec<String> {
        let who: BTreeSet<&str> = seen.into_iter().filter_map(|seen| seen.who.as_deref()).collect();
        who.into_iter().map(|who| printable(&cut(&redact_field("prov.actor", who), CELL_MAX))).collect()
    }

    /// The id of an event.
    pub(super) fn id(&self, seen: &Seen) -> String {
        printable(&cut(&self.redaction.name_field("event.id", &seen.id), CHARACTERS_MAX))
    }

    /// Evidence, in a table.
    pub(super) fn evidence(&self, seen: &[Arc<Seen>]) -> String {
        let told = seen.iter().take(EVIDENCE_MAX);
        let mut told: Vec<String> =
            told.map(|seen| format!("{} {}", seen.class.name(), cut(&self.id(seen), CELL_MAX))).collect();
        if seen.len() > EVIDENCE_MAX {
            told.push(format!("{} more", seen.len() - EVIDENCE_MAX));
        }
        told.join("\n")
    }

    /// A key, for scripts.
    pub(super) fn as_json(&self, key: &Key) -> Value {
        json!({ "kind": key.kind.name(), "id": self.key(key) })
    }

    /// An event, for scripts.
    pub(super) fn seen_json(&self, seen: &Seen) -> Value {
        json!({ "id": self.id(seen), "class": seen.class.name(), "time": seen.time.to_string() })
    }

    /// Hubs, for scripts.
    pub(super) fn hubs_json(&self, hubs: &[(Key, usize)]) -> Vec<Value> {
        let hub =
            |(key, degree): &(Key, usize)| json!({ "kind": key.kind.name(), "id": self.key(key), "degree": degree });
        hubs.iter().map(hub).collect()
    }

    /// What a walk has left out, in words; empty: nothing.
    pub(super) fn left_out(&self, hubs: &[(Key, usize)], is_cut: bool) -> String {
        let hub = |(key, degree): &(Key, usize)| {
            let kind = key.kind.name();
            format!("not followed: {kind} {}, a hub: {degree} came to it on one day\n", self.short(key))
        };
        let mut text: String = hubs.iter().map(hub).collect();
        if is_cut {
            text.push_str("there is more than can be listed: ask for something nearer\n");
        }
        text
    }
}

/// Text that records wrote: one line, no control characters.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
