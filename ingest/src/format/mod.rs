//! Wire formats: what a record of each looks like and how its fields become ours.
//!
//! Adding a format is one file (or folder) with a [`Format`], one `mod` line and one line in [`FORMATS`]. A format is a
//! table plus small pure functions; it must never keep state, and never decide on anything but the record itself.

use std::borrow::Cow;
use std::rc::Rc;

use model::{EventClass, Row, Scalar, Slot, Timestamp, Trust, Verdict};

pub mod argocd;
pub mod aws_codebuild_codepipeline;
pub mod cdevents;
mod certificate;
pub mod cloudevents;
pub mod cloudtrail;
pub mod cyclonedx;
pub mod ecr_eventbridge;
pub mod falco;
pub mod fill;
pub mod flux;
mod fulcio;
pub mod github_audit;
pub mod github_webhook;
pub mod gitlab_audit;
pub mod gitlab_webhook;
pub mod harbor;
pub mod in_toto;
pub mod jenkins_cloudevents;
pub mod json;
pub mod kubernetes_audit;
pub mod normal;
pub mod oci_distribution;
pub mod oidc_exchange;
pub mod opa_decision_log;
mod opened;
pub mod osv;
pub mod package_feed;
mod plan;
pub mod policy_report;
mod purl;
pub mod rekor;
pub mod rollouts;
pub mod sarif;
pub mod secret_scan;
pub mod spdx;
pub mod tekton_cloudevents;
pub mod vault_audit;
mod workload;

pub use opened::Memo;
pub use plan::{Decoded, Fields, Held, Outer, Plan, Shape, Wanted};

/// Every format, in the order in which content is guessed: the more particular first.
pub static FORMATS: &[&Format] = &[
    &github_audit::FORMAT,
    &ecr_eventbridge::FORMAT,
    &aws_codebuild_codepipeline::FORMAT,
    &cloudtrail::FORMAT,
    &vault_audit::FORMAT,
    &kubernetes_audit::FORMAT,
    &policy_report::FORMAT,
    &opa_decision_log::FORMAT,
    &falco::FORMAT,
    &argocd::FORMAT,
    &flux::FORMAT,
    &rollouts::FORMAT,
    &in_toto::BUNDLE,
    &in_toto::FORMAT,
    &rekor::FORMAT,
    &cyclonedx::FORMAT,
    &spdx::FORMAT,
    &sarif::FORMAT,
    &secret_scan::FORMAT,
    &oidc_exchange::FORMAT,
    &harbor::FORMAT,
    &oci_distribution::FORMAT,
    &package_feed::FORMAT,
    &osv::FORMAT,
    &gitlab_webhook::FORMAT,
    &gitlab_audit::FORMAT,
    &github_webhook::FORMAT,
    &cdevents::FORMAT,
    &jenkins_cloudevents::FORMAT,
    &tekton_cloudevents::FORMAT,
    &cloudevents::FORMAT,
    &normal::FORMAT,
    &json::FORMAT,
];

/// The format of that name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|format| format.name == name)
}

/// One wire format.
#[derive(Debug)]
pub struct Format {
    /// Its name on the command line and in configuration.
    pub name: &'static str,
    /// What it is, in a line.
    pub title: &'static str,
    /// Sigma product and service of its raw records (`raw.*`), for rules written against them.
    pub product: &'static str,
    /// See `product`.
    pub service: &'static str,
    /// A record of this format has all keys of one of these sets. Empty: never guessed.
    pub marks: &'static [&'static [&'static str]],
    /// Where a record carries other records.
    pub containers: &'static [Container],
    /// How raw fields become ours; none for raw JSON.
    pub mapping: Option<&'static Mapping>,
    /// Who writes it, unless the source's configuration says otherwise.
    pub trust: Trust,
}

impl Format {
    /// Records of other formats stand in its own.
    pub fn carries_others(&self) -> bool {
        self.containers.iter().any(|container| container.is_foreign())
    }

    /// Records of other formats are all that it holds.
    pub fn is_envelope(&self) -> bool {
        self.carries_others() && self.mapping.is_some_and(|mapping| mapping.rows.is_empty())
    }
}

/// A path of a record under which other records stand. Each of them is a record of its own; of the same format, unless
/// it is foreign. What stands beside it in its container it reads by paths that begin with `^.`, and its number there,
/// from 0, by `^index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// An array of records.
    Array(&'static str),
    /// One record, in an envelope.
    Envelope(&'static str),
    /// One record, as the base64 of its JSON or as JSON text.
    Encoded(&'static str),
    /// One record of another format, told by its content.
    Foreign(&'static str),
    /// The same, as base64 or JSON text.
    ForeignEncoded(&'static str),
    /// An object of records under their versions, with another one that dates them by the same keys and has the last
    /// change of all under `modified`. The records that this change brought; the others are history.
    Newest {
        /// Path of the records.
        versions: &'static str,
        /// Path of their times.
        times: &'static str,
    },
    /// An array of records; the record that holds it is an event too (a scan and what it found). None, null and an empty
    /// one are no parts.
    Parts(&'static str),
    /// One more record as base64 or JSON text; the record that holds it is an event too (a signature and what it signs).
    EncodedPart(&'static str),
    /// The record is a map whose values are records, under keys that nobody knows before (ids). Only what nothing else
    /// recognises is looked at so.
    Members,
}

impl Container {
    /// The path.
    pub fn path(self) -> &'static str {
        match self {
            Container::Array(path)
            | Container::Envelope(path)
            | Container::Encoded(path)
            | Container::Foreign(path)
            | Container::ForeignEncoded(path)
            | Container::Newest { versions: path, .. }
            | Container::Parts(path)
            | Container::EncodedPart(path) => path,
            Container::Members => "",
        }
    }

    /// The record that holds it is an event of its own.
    pub fn is_beside(self) -> bool {
        matches!(self, Container::Parts(_) | Container::EncodedPart(_))
    }

    /// What stands there is of another format.
    pub fn is_foreign(self) -> bool {
        matches!(self, Container::Foreign(_) | Container::ForeignEncoded(_))
    }
}

/// How a record's id is made.
#[derive(Debug, Clone, Copy)]
pub enum Id {
    /// The first of these paths that is present.
    First(&'static [&'static str]),
    /// All of these paths that are present, with a colon between them; none when the first is missing. For records
    /// whose id names only part of them: a request and its response, the stages of one call.
    Joined(&'static [&'static str]),
    /// All of these paths that are present, with a colon between them, whichever they are. For a source that speaks of
    /// many kinds of things and gives its messages no id of their own.
    Composed(&'static [&'static str]),
    /// The first of these lists whose first path is present, joined: for formats whose records stand alone and in
    /// containers.
    FirstJoined(&'static [&'static [&'static str]]),
}

/// Stands in a mapping's times: of the paths behind it the latest time counts. For records that say when things they
/// name last changed, but not when they themselves came about: none of those is later than that.
pub const LATEST: &str = "^latest";

/// How a format's raw fields become ours.
#[derive(Debug)]
pub struct Mapping {
    /// The provider's event id.
    pub id: Id,
    /// Paths of the event time, first that parses wins; see [`LATEST`].
    pub time: &'static [&'static str],
    /// Path of the native action.
    pub action: &'static str,
    /// Paths that `classify` reads.
    pub classify_paths: &'static [&'static str],
    /// Which class the record is of.
    pub classify: fn(&Inputs<'_>) -> Classified,
    /// One row for each field (and set of classes).
    pub rows: &'static [MapRow],
}

/// One field of ours and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct MapRow {
    /// Our field.
    pub field: &'static str,
    /// The raw paths that `fill` reads, in its order.
    pub paths: &'static [&'static str],
    /// Makes our value (or values, or none) of them.
    pub fill: Fill,
    /// The classes that have the field; empty: all.
    pub classes: &'static [EventClass],
}

/// A row for all classes.
const fn all(field: &'static str, paths: &'static [&'static str], fill: Fill) -> MapRow {
    MapRow { field, paths, fill, classes: &[] }
}

/// A row for some classes.
const fn on(classes: &'static [EventClass], field: &'static str, paths: &'static [&'static str], fill: Fill) -> MapRow {
    MapRow { field, paths, fill, classes }
}

/// Makes values of one field from raw values.
pub type Fill = fn(&Inputs<'_>, &mut Output<'_>);

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Classified {
    /// An event.
    Event(Class),
    /// An event whose time stands in no field of the record but inside one (a certificate): used where no path of the
    /// mapping gives a time.
    Dated(Class, Timestamp),
    /// Of no interest to anybody: counted as filtered.
    Filtered,
    /// Not a record of this format after all.
    Invalid(&'static str),
    /// A record of this format that says nothing any format knows: invalid(unknown_format), so that it is seen.
    Unknown,
}

/// Class, action and outcome of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// `event.class`.
    pub class: EventClass,
    /// `event.action`; empty: the native action as it is.
    pub action: &'static str,
    /// `event.outcome`.
    pub verdict: Verdict,
}

/// What a row may read: the values of the paths it names, in that order.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    fields: Fields<'a>,
    slots: &'a [Slot],
    memo: &'a Memo,
    is_dated: bool,
}

impl<'a> Inputs<'a> {
    /// Inputs of a row whose paths have these slots, with what the record's other rows have opened.
    pub fn new(fields: Fields<'a>, slots: &'a [Slot], memo: &'a Memo) -> Self {
        Inputs { fields, slots, memo, is_dated: false }
    }

    /// The same where a path of the mapping has given the time: nobody needs to look for another.
    pub fn dated(self, is_dated: bool) -> Self {
        Inputs { is_dated, ..self }
    }

    /// The time is known.
    pub fn is_dated(&self) -> bool {
        self.is_dated
    }

    /// How many paths there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// What was opened of the record.
    pub(in crate::format) fn memo(&self) -> &'a Memo {
        self.memo
    }

    /// The certificate that the first text of the `i`-th path is.
    fn certificate(&self, i: usize) -> Option<Rc<certificate::Certificate>> {
        self.text(i).and_then(|text| self.memo.certificate(text))
    }

    /// All values of the `i`-th path, nulls and empties included.
    pub fn all(&self, i: usize) -> impl Iterator<Item = Scalar<'a>> + use<'a> {
        let slot = self.slots.get(i).copied().unwrap_or(Slot::MAX);
        self.fields.values(slot)
    }

    /// The first value of the `i`-th path that is neither null nor empty.
    pub fn first(&self, i: usize) -> Option<Scalar<'a>> {
        self.all(i).find(|value| !matches!(value, Scalar::Null | Scalar::Empty | Scalar::Text("")))
    }

    /// The first text of the `i`-th path.
    pub fn text(&self, i: usize) -> Option<&'a str> {
        self.all(i).find_map(|value| match value {
            Scalar::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        })
    }

    /// The first value of the `i`-th path as text: numbers and booleans as JSON writes them.
    pub fn string(&self, i: usize) -> Option<Cow<'a, str>> {
        self.first(i).and_then(Scalar::as_text)
    }

    /// The first boolean of the `i`-th path; the texts `true` and `false` count.
    pub fn bool(&self, i: usize) -> Option<bool> {
        self.all(i).find_map(|value| match value {
            Scalar::Bool(b) => Some(b),
            Scalar::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Scalar::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        })
    }

    /// The `i`-th path has a value, null and empty ones included.
    pub fn has(&self, i: usize) -> bool {
        self.all(i).next().is_some()
    }
}

/// Where a row's values go.
#[derive(Debug)]
pub struct Output<'o> {
    row: &'o mut Row,
    slot: Slot,
    record: &'o str,
}

impl<'o> Output<'o> {
    /// Values of a slot of `row`; texts that stand in `record` are not copied.
    pub fn new(row: &'o mut Row, slot: Slot, record: &'o str) -> Self {
        Output { row, slot, record }
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) {
        let (base, at) = (self.record.as_ptr() as usize, text.as_ptr() as usize);
        if at >= base && at + text.len() <= base + self.record.len() {
            self.row.push_record_text(self.slot, at - base, text.len());
        } else {
            self.row.push_text(self.slot, text);
        }
    }

    /// Adds any value.
    pub fn scalar(&mut self, value: Scalar<'_>) {
        match value {
            Scalar::Text(text) => self.text(text),
            other => self.row.push_scalar(self.slot, other),
        }
    }
}
