//! `lists`: where live lists come from, a file or a topic.
//!
//! Must never let a topic feed a list that others than control sources write to.

use std::path::{Path, PathBuf};

use model::Trust;

use super::SourceConfig;
use super::yaml::Section;

/// Where a list comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListFrom {
    /// A file, read at the start and at a reload.
    File(PathBuf),
    /// A topic of whole versions, each under the list's name as its key.
    Topic(String),
}

pub(super) fn lists(root: &Section<'_>, folder: &Path, sources: &[SourceConfig]) -> Vec<(String, ListFrom)> {
    let list = |(name, at): (String, Section<'_>)| {
        if let Some(file) = at.own_text() {
            return Some((name, ListFrom::File(folder.join(file))));
        }
        let topic = at.required("topic", "NAME: FILE, or NAME: {topic: TOPIC}");
        let is_control =
            |of: &SourceConfig| of.formats.iter().all(|format| of.trust.unwrap_or(format.trust) == Trust::ControlPlane);
        let writers = sources.iter().filter(|source| source.topics.contains(&topic));
        for source in writers.filter(|source| !is_control(source)) {
            let why = "a source that is not a control source reads the same topic";
            at.problem("topic", &format!("{topic:?}: {why}: {} (hint: a topic that only you write to)", source.name));
        }
        at.finish();
        (!topic.is_empty()).then_some((name, ListFrom::Topic(topic)))
    };
    root.entries("lists").into_iter().filter_map(list).collect()
}
