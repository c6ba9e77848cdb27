//! `enrichment` and `redaction`: files that a worker reads beside its rules and lists.
//!
//! Must never open one: that is done where it is used.

use std::path::Path;

use ingest::kafka::SecretFrom;

use super::EnrichmentConfig;
use super::yaml::Section;

pub(super) fn enrichment(root: &Section<'_>, folder: &Path) -> EnrichmentConfig {
    let at = root.section("enrichment");
    let config = EnrichmentConfig {
        inventory: at.text("inventory").map(|file| folder.join(file)),
        network: at.texts("network").into_iter().map(|file| folder.join(file)).collect(),
    };
    at.finish();
    config
}

pub(super) fn redaction_key(root: &Section<'_>, folder: &Path) -> Option<SecretFrom> {
    let at = root.section("redaction");
    let key = match (at.text("key_file"), at.text("key_env")) {
        (Some(file), None) => Some(SecretFrom::File(folder.join(file))),
        (None, Some(name)) => Some(SecretFrom::Env(name)),
        (None, None) => None,
        _ => {
            at.problem("key_file", "stands beside key_env (hint: one of them)");
            None
        }
    };
    at.finish();
    key
}
