//! OSV records (schema 1.x): packages known to be malicious or vulnerable, each affected package an event.
//!
//! Must never read a report's text: what a record is follows from its ids and marks alone.

use EventClass as C;
use model::{EventClass, Scalar, Timestamp, Trust, Verdict};

use super::fill::coalesce;
use super::purl;
use super::{Class, Classified, Container, Format, Id, Inputs, MapRow, Mapping, Output, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "osv",
    title: "OSV records: malicious and vulnerable packages",
    product: "osv",
    service: "",
    marks: &[
        &["id", "modified", "affected.package.ecosystem"],
        &["id", "modified", "affected.ranges.events"],
        &["id", "modified", "published", "schema_version"],
        &["vulns.id", "vulns.modified"],
    ],
    containers: &[Container::Array("vulns"), Container::Array("affected")],
    mapping: Some(&MAPPING),
    trust: Trust::Agent,
};

static MAPPING: Mapping = Mapping {
    // A record that is written again is news again.
    id: Id::Joined(&["^.id", "^.modified", "^index"]),
    time: &["^.modified", "^.published"],
    action: "^.id",
    classify_paths: &[
        "^.id",
        "^.aliases",
        "^.database_specific.malicious-packages-origins.source",
        "^.database_specific.cwe_ids",
        "database_specific.cwes.cweId",
        "^.withdrawn",
        "package.name",
        "package.purl",
        "id",
    ],
    classify,
    rows: ROWS,
};

const INTEL: &[EventClass] = &[C::ThreatIntel];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    on(INTEL, "purl", &["package.purl", "package.ecosystem", "package.name"], package),
    on(
        INTEL, "versions",
        &[
            "versions", "ranges.events.introduced", "ranges.events.fixed", "ranges.events.last_affected",
            "ranges.events.limit",
        ],
        versions,
    ),
    on(INTEL, "valid_from", &["^.published", "^.modified"], since),
    on(INTEL, "source", &["^.database_specific.malicious-packages-origins.source", "^.id"], source),
    on(INTEL, "cve", &["^.id"], coalesce),
];

/// Embedded malicious code, in the list of weaknesses.
const MALICIOUS_CODE: &str = "CWE-506";

/// Malice and mere weakness are told apart: one is a reason to wake somebody, the other a reason to update.
fn classify(inputs: &Inputs<'_>) -> Classified {
    let event = |action| Classified::Event(Class { class: C::ThreatIntel, action, verdict: Verdict::Success });
    if inputs.text(0).is_none() {
        // A record that names no package (yet) can match nothing.
        return if inputs.first(8).is_some() { Classified::Filtered } else { Classified::Invalid("no `id`") };
    }
    if inputs.text(6).or(inputs.text(7)).is_none() {
        return Classified::Filtered;
    }
    let says = |i, is: fn(&str) -> bool| inputs.all(i).any(|value| matches!(value, Scalar::Text(text) if is(text)));
    let named = |id: &str| id.starts_with("MAL-");
    let code = |cwe: &str| cwe == MALICIOUS_CODE;
    let malicious = says(0, named) || says(1, named) || inputs.first(2).is_some() || says(3, code) || says(4, code);
    match (inputs.first(5).is_some(), malicious) {
        (true, _) => event("withdrawn"),
        (false, true) => event("malicious"),
        (false, false) => event("vulnerable"),
    }
}

/// The record's own package URL, without version; else one built of ecosystem and name.
fn package(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match (inputs.text(0), inputs.text(1), inputs.text(2)) {
        (Some(url), ..) => output.text(purl::without_version(url)),
        (None, Some(ecosystem), Some(name)) => {
            if let Some(url) = purl::of(ecosystem, name) {
                output.text(&url);
            }
        }
        _ => {}
    }
}

/// The versions that the record lists; `*` where it lists none and says that all are bad. A range with an end that is
/// not spelled out gives none: whether a version lies in it depends on its ecosystem.
fn versions(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.first(0).is_some() {
        return coalesce(inputs, output);
    }
    let zero = |value| matches!(value, Scalar::Text("0"));
    let all = inputs.all(1).next().is_some() && inputs.all(1).all(zero);
    if all && !(2..5).any(|end| inputs.has(end)) {
        output.text("*");
    }
}

/// Milliseconds.
fn since(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(time) = (0..2).find_map(|i| inputs.text(i).and_then(Timestamp::parse)) {
        output.scalar(Scalar::Int(time.ms()));
    }
}

/// Who reported the package; else the database, which gives its ids their first part.
fn source(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(reporter) = inputs.text(0) {
        output.text(reporter);
    } else if let Some((database, _)) = inputs.text(1).and_then(|id| id.split_once('-')) {
        output.text(database);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }
}
