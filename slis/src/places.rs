//! YAML with paths: every problem of a file is collected, each with its path and a hint.
//!
//! Builds nothing; a key that nobody asked for is a problem too. Must never stop at the first problem.

use std::cell::RefCell;

use saphyr::{LoadableYamlNode, Scalar, Yaml};

/// The problems of a file.
#[derive(Debug, Default)]
pub struct Problems(RefCell<Vec<String>>);

impl Problems {
    /// Adds one.
    pub fn add(&self, path: &str, message: &str) {
        let place = if path.is_empty() { "the file" } else { path };
        self.0.borrow_mut().push(format!("{place}: {message}"));
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<String> {
        self.0.into_inner()
    }
}

/// The one document of a text.
///
/// # Errors
/// When it is no YAML, or not one document.
pub fn document(text: &str) -> Result<Yaml<'_>, String> {
    let mut documents = Yaml::load_from_str(text).map_err(|error| format!("is no YAML: {error}"))?;
    match (documents.pop(), documents.is_empty()) {
        (Some(document), true) => Ok(document),
        _ => Err("holds not exactly one document (hint: one definition a file)".to_owned()),
    }
}

/// One map of the file.
pub struct Section<'y> {
    path: String,
    node: &'y Yaml<'y>,
    asked: RefCell<Vec<&'static str>>,
    problems: &'y Problems,
}

impl<'y> Section<'y> {
    /// The map at a path.
    pub fn new(path: String, node: &'y Yaml<'y>, problems: &'y Problems) -> Section<'y> {
        if node.as_mapping().is_none() {
            problems.add(&path, "a map is expected here (hint: key: value)");
        }
        Section { path, node, asked: RefCell::default(), problems }
    }

    /// The path of a key.
    pub fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Says what is wrong with a key.
    pub fn problem(&self, key: &str, message: &str) {
        self.problems.add(&self.path(key), message);
    }

    /// What stands under a key.
    pub fn get(&self, key: &'static str) -> Option<&'y Yaml<'y>> {
        self.asked.borrow_mut().push(key);
        self.node.as_mapping()?.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// All entries of the map, by key.
    pub fn entries(&self) -> Vec<(String, &'y Yaml<'y>)> {
        let entries = self.node.as_mapping().into_iter().flatten();
        entries.filter_map(|(name, value)| Some((text_of(name)?, value))).collect()
    }

    /// A text; numbers and booleans count as their text.
    pub fn text(&self, key: &'static str) -> Option<String> {
        let text = text_of(self.get(key)?);
        if text.is_none() {
            self.problem(key, "a text is expected here");
        }
        text
    }

    /// A text that has to be there.
    pub fn required(&self, key: &'static str, hint: &str) -> String {
        if self.get(key).is_none() {
            self.problem(key, &format!("is missing (hint: {hint})"));
        }
        self.text(key).unwrap_or_default()
    }

    /// A text turned into something.
    pub fn parsed<T>(&self, key: &'static str, parse: impl Fn(&str) -> Option<T>, hint: &str) -> Option<T> {
        let text = self.text(key)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            self.problem(key, &format!("{text:?} does not fit (hint: {hint})"));
        }
        parsed
    }

    /// A list of texts; one text is a list of one.
    pub fn texts(&self, key: &'static str) -> Vec<String> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let texts = texts_of(node);
        if texts.is_none() {
            self.problem(key, "a text or a list of texts is expected here");
        }
        texts.unwrap_or_default()
    }

    /// A map under a key.
    pub fn section(&self, key: &'static str) -> Option<Section<'y>> {
        Some(Section::new(self.path(key), self.get(key)?, self.problems))
    }

    /// The maps of a list.
    pub fn items(&self, key: &'static str) -> Vec<Section<'y>> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Some(items) = node.as_sequence() else {
            self.problem(key, "a list is expected here (hint: - key: value)");
            return Vec::new();
        };
        let path = |at: usize| format!("{}[{at}]", self.path(key));
        items.iter().enumerate().map(|(at, node)| Section::new(path(at), node, self.problems)).collect()
    }

    /// Every key that nobody asked for is a problem.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        for (key, _) in self.entries().into_iter().filter(|(key, _)| !asked.contains(&key.as_str())) {
            let mut known = asked.clone();
            known.sort_unstable();
            known.dedup();
            self.problem(&key, &format!("unknown key (hint: {})", known.join(", ")));
        }
    }
}

/// A list of texts; one text is a list of one.
pub fn texts_of(node: &Yaml<'_>) -> Option<Vec<String>> {
    match node.as_sequence() {
        Some(items) => items.iter().map(text_of).collect(),
        None => text_of(node).map(|text| vec![text]),
    }
}

/// A scalar as text.
pub fn text_of(node: &Yaml<'_>) -> Option<String> {
    match node {
        Yaml::Value(Scalar::String(text)) => Some(text.to_string()),
        Yaml::Value(Scalar::Integer(n)) => Some(n.to_string()),
        Yaml::Value(Scalar::Boolean(b)) => Some(b.to_string()),
        Yaml::Value(Scalar::FloatingPoint(n)) => Some(n.to_string()),
        _ => None,
    }
}
