//! Which inputs a scenario.yaml names, with their formats, and its inventory.
//!
//! What else it says is about alerts, and no business of lineage. Paths are relative to its folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use saphyr::{LoadableYamlNode, Yaml};

/// What lineage wants to know of a scenario.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scenario {
    /// The inputs, each with its format; None: content tells.
    pub(super) inputs: Vec<(PathBuf, Option<String>)>,
    /// The inventory.
    pub(super) inventory: Option<PathBuf>,
}

/// Reads a scenario.
///
/// # Errors
/// When it cannot be read, or names no input.
pub(super) fn read(file: &Path) -> anyhow::Result<Scenario> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))?;
    let documents = Yaml::load_from_str(&text).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let Some(root) = documents.first() else { bail!("{}: is empty (hint: inputs: [FILE])", file.display()) };
    let named = |format: &str| (format != "auto").then(|| format.to_owned());
    let format = member(root, "format").and_then(named);
    let mut scenario =
        Scenario { inventory: member(root, "inventory").map(|path| folder.join(path)), ..Scenario::default() };
    for input in value(root, "inputs").and_then(Yaml::as_sequence).into_iter().flatten() {
        let Some(path) = input.as_str().or_else(|| member(input, "file")) else {
            bail!("{}: inputs: one names no file (hint: a path, or {{file: PATH, format: NAME}})", file.display());
        };
        scenario.inputs.push((folder.join(path), member(input, "format").map_or_else(|| format.clone(), named)));
    }
    if scenario.inputs.is_empty() {
        bail!("{}: inputs: is missing (hint: inputs: [FILE])", file.display());
    }
    Ok(scenario)
}

fn value<'y>(of: &'y Yaml<'y>, name: &str) -> Option<&'y Yaml<'y>> {
    of.as_mapping()?.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
}

fn member<'y>(of: &'y Yaml<'y>, name: &str) -> Option<&'y str> {
    value(of, name)?.as_str()
}
