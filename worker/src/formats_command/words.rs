//! Parts of a format in words: marks, containers, ids, times, classes.
//!
//! Must never say more than the format's table does.

use ingest::format::{Container, Format, Id, LATEST, MapRow};

/// What content tells a format by; nothing where only its name does.
pub(super) fn marks(format: &Format) -> Vec<String> {
    format.marks.iter().map(|set| set.join(" + ")).collect()
}

pub(super) fn container(container: Container) -> String {
    match container {
        Container::Array(path) => format!("{path}: an array of records"),
        Container::Envelope(path) => format!("{path}: one record"),
        Container::Encoded(path) => format!("{path}: one record, as base64 or JSON text"),
        Container::Foreign(path) => format!("{path}: a record of another format, told by its content"),
        Container::ForeignEncoded(path) => format!("{path}: a record of another format, as base64 or JSON text"),
        Container::Newest { versions, times } => {
            format!("{versions}: records under their versions; those that {times} dates at its last change")
        }
        Container::Parts(path) => format!("{path}: an array of records, beside the record itself"),
        Container::EncodedPart(path) => format!("{path}: one record as base64 or JSON text, beside the record itself"),
        Container::Members => "the record may be a map of records under any keys".to_owned(),
    }
}

/// The ways in which an id is made, first that works.
pub(super) fn ids(id: Id) -> Vec<String> {
    match id {
        Id::First(paths) => paths.iter().map(|path| (*path).to_owned()).collect(),
        Id::Joined(paths) => vec![format!("{} (those present; none without the first)", paths.join(" : "))],
        Id::Composed(paths) => vec![format!("{} (those present)", paths.join(" : "))],
        Id::FirstJoined(lists) => lists.iter().map(|paths| paths.join(" : ")).collect(),
    }
}

/// Where the time stands, first that is one.
pub(super) fn times(paths: &[&str]) -> Vec<String> {
    let mut parts = paths.splitn(2, |path| *path == LATEST);
    let mut times: Vec<String> = parts.next().unwrap_or_default().iter().map(|path| (*path).to_owned()).collect();
    times.extend(parts.next().map(|latest| format!("the latest of {}", latest.join(", "))));
    times
}

/// The classes that a row's field is on.
pub(super) fn classes(row: &MapRow) -> Vec<&'static str> {
    row.classes.iter().map(|class| class.name()).collect()
}

/// Where the documentation tells about a format.
pub(super) fn page(format: &Format) -> String {
    format!("docs/sources/{}.md", format.name)
}
