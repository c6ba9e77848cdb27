//! YAML with places: every problem of a configuration file is collected, each with its path, its line and a hint.
//!
//! Nothing is built here; a key that nobody asked for is a problem too.

use std::cell::RefCell;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems(RefCell<Vec<(usize, String)>>);

impl Problems {
    fn add(&self, line: usize, message: String) {
        self.0.borrow_mut().push((line, message));
    }

    /// All of them, one a line, by line number.
    pub(crate) fn list(&self, file: &str) -> Vec<String> {
        let mut all = self.0.borrow().clone();
        all.sort();
        all.into_iter().map(|(line, message)| format!("{file}:{line}: {message}")).collect()
    }
}

/// One map of the file.
pub(crate) struct Section<'y> {
    path: String,
    node: Option<&'y MarkedYaml<'y>>,
    asked: RefCell<Vec<&'static str>>,
    problems: &'y Problems,
}

/// Reads the text; None (and a problem) where it is no YAML map.
pub(crate) fn parse(text: &str) -> Result<Vec<MarkedYaml<'_>>, String> {
    MarkedYaml::load_from_str(text).map_err(|error| error.to_string())
}

impl<'y> Section<'y> {
    /// The root of a document.
    pub(crate) fn root(document: Option<&'y MarkedYaml<'y>>, problems: &'y Problems) -> Section<'y> {
        Section::of(String::new(), document, problems)
    }

    fn of(path: String, node: Option<&'y MarkedYaml<'y>>, problems: &'y Problems) -> Section<'y> {
        if let Some(node) = node
            && node.data.as_mapping().is_none()
        {
            let place = if path.is_empty() { "the file" } else { &path };
            problems.add(node.span.start.line(), format!("{place}: a map is expected here (hint: key: value)"));
        }
        Section { path, node, asked: RefCell::default(), problems }
    }

    /// The section is in the file.
    pub(crate) fn is_there(&self) -> bool {
        self.node.is_some()
    }

    /// A map that has to hold something is not there, or holds nothing.
    pub(crate) fn lacks(&self, key: &'static str) -> bool {
        self.get(key).is_none_or(|node| node.data.as_mapping().is_some_and(|map| map.is_empty()))
    }

    /// The key is there.
    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.get(key).is_some()
    }

    /// A list that is there and holds nothing.
    pub(crate) fn is_empty_list(&self, key: &'static str) -> bool {
        self.get(key).is_some_and(|node| node.data.as_sequence().is_some_and(|items| items.is_empty()))
    }

    fn line(&self) -> usize {
        self.node.map_or(1, |node| node.span.start.line())
    }

    fn path(&self, key: &str) -> String {
        match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        }
    }

    fn get(&self, key: &'static str) -> Option<&'y MarkedYaml<'y>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        let map = self.node?.data.as_mapping()?;
        map.iter().find(|(name, _)| name.data.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// Says that something is wrong with a key.
    pub(crate) fn problem(&self, key: &str, message: &str) {
        let line = self
            .node
            .and_then(|node| node.data.as_mapping())
            .and_then(|map| map.iter().find(|(name, _)| name.data.as_str() == Some(key)))
            .map_or(self.line(), |(name, _)| name.span.start.line());
        self.problems.add(line, format!("{}: {message}", self.path(key)));
    }

    /// A text (numbers and booleans count as their text).
    pub(crate) fn text(&self, key: &'static str) -> Option<String> {
        let value = self.get(key)?;
        let text = text_of(value);
        if text.is_none() {
            self.problem(key, "a text is expected here");
        }
        text
    }

    /// The text that stands in the place of a map.
    pub(crate) fn own_text(&self) -> Option<String> {
        self.node.and_then(text_of)
    }

    /// A text that has to be there.
    pub(crate) fn required(&self, key: &'static str, hint: &str) -> String {
        self.text(key).unwrap_or_else(|| {
            if self.get(key).is_none() {
                self.problem(key, &format!("is missing (hint: {hint})"));
            }
            String::new()
        })
    }

    /// A text turned into something; what is wrong is a problem.
    pub(crate) fn parsed<T>(&self, key: &'static str, parse: impl Fn(&str) -> Option<T>, hint: &str) -> Option<T> {
        let text = self.text(key)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            self.problem(key, &format!("{text:?} does not fit (hint: {hint})"));
        }
        parsed
    }

    /// A list of texts; one text counts as a list of one.
    pub(crate) fn texts(&self, key: &'static str) -> Vec<String> {
        let Some(value) = self.get(key) else { return Vec::new() };
        self.list(key, value)
    }

    fn list(&self, key: &str, value: &MarkedYaml<'_>) -> Vec<String> {
        let Some(items) = value.data.as_sequence() else {
            let text = text_of(value);
            if text.is_none() {
                self.problem(key, "a text or a list of texts is expected here");
            }
            return text.into_iter().collect();
        };
        let texts: Vec<String> = items.iter().filter_map(text_of).collect();
        if texts.len() != items.len() {
            self.problem(key, "a list of texts is expected here");
        }
        texts
    }

    /// A map inside this one.
    pub(crate) fn section(&self, key: &'static str) -> Section<'y> {
        Section::of(self.path(key), self.get(key), self.problems)
    }

    /// All entries of a map whose keys are free.
    pub(crate) fn entries(&self, key: &'static str) -> Vec<(String, Section<'y>)> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Some(map) = node.data.as_mapping() else {
            self.problem(key, "a map is expected here (hint: name: value)");
            return Vec::new();
        };
        let named = map.iter().filter_map(|(name, value)| Some((text_of(name)?, value)));
        named
            .map(|(name, value)| {
                let path = format!("{}.{name}", self.path(key));
                (name, Section { path, node: Some(value), asked: RefCell::default(), problems: self.problems })
            })
            .collect()
    }

    /// Each map of a list of maps; nothing where the key is not there.
    pub(crate) fn items(&self, key: &'static str) -> Vec<Section<'y>> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Some(items) = node.data.as_sequence() else {
            self.problem(key, "a list is expected here (hint: - {key: value})");
            return Vec::new();
        };
        let path = |at: usize| format!("{}[{at}]", self.path(key));
        items.iter().enumerate().map(|(at, node)| Section::of(path(at), Some(node), self.problems)).collect()
    }

    /// An entry's versions: each of a list of maps, or the one map that it is.
    pub(crate) fn versions(&self) -> Vec<Section<'y>> {
        let one = || vec![Section::of(self.path.clone(), self.node, self.problems)];
        let Some(items) = self.node.and_then(|node| node.data.as_sequence()) else { return one() };
        let item = |(at, node): (usize, &'y MarkedYaml<'y>)| {
            Section::of(format!("{}[{at}]", self.path), Some(node), self.problems)
        };
        items.iter().enumerate().map(item).collect()
    }

    /// Texts by key; a list without keys stands under the empty one.
    pub(crate) fn keyed_texts(&self) -> Vec<(String, Vec<String>)> {
        let Some(node) = self.node else { return Vec::new() };
        let Some(map) = node.data.as_mapping() else { return vec![(String::new(), self.list("", node))] };
        let named = map.iter().filter_map(|(name, value)| Some((text_of(name)?, value)));
        named.map(|(name, value)| (name.clone(), self.list(&name, value))).collect()
    }

    /// All entries of a map of names and texts.
    pub(crate) fn named_texts(&self, key: &'static str) -> Vec<(String, String)> {
        let text = |(name, at): (String, Section<'_>)| {
            let text = at.node.and_then(text_of);
            if text.is_none() {
                self.problems.add(at.line(), format!("{}: a text is expected here", at.path));
            }
            Some((name, text?))
        };
        self.entries(key).into_iter().filter_map(text).collect()
    }

    /// All entries of a map of names and lists of texts.
    pub(crate) fn named_lists(&self, key: &'static str) -> Vec<(String, Vec<String>)> {
        let list = |(name, at): (String, Section<'_>)| {
            let texts = at.node.map(|node| self.list(key, node)).unwrap_or_default();
            (name, texts)
        };
        self.entries(key).into_iter().map(list).collect()
    }

    /// Every key that nobody asked for is a problem.
    pub(crate) fn finish(self) {
        let asked = self.asked.borrow();
        let Some(map) = self.node.and_then(|node| node.data.as_mapping()) else { return };
        for (name, _) in map {
            let key = text_of(name).unwrap_or_default();
            if !asked.iter().any(|known| *known == key) {
                let nearest = asked.iter().min_by_key(|known| distance(known, &key));
                let hint = nearest
                    .map_or_else(String::new, |nearest| format!(" (hint: {nearest}? known: {})", asked.join(", ")));
                self.problems.add(name.span.start.line(), format!("{}: unknown key{hint}", self.path(&key)));
            }
        }
    }
}

fn text_of(node: &MarkedYaml<'_>) -> Option<String> {
    match &node.data {
        YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
        YamlData::Value(Scalar::Integer(n)) => Some(n.to_string()),
        YamlData::Value(Scalar::Boolean(b)) => Some(b.to_string()),
        YamlData::Value(Scalar::FloatingPoint(n)) => Some(n.to_string()),
        _ => None,
    }
}

/// How many letters two keys differ by, about: enough to name the one that was meant.
fn distance(a: &str, b: &str) -> usize {
    let common = a.bytes().filter(|byte| b.as_bytes().contains(byte)).count();
    a.len().max(b.len()) - common.min(b.len())
}
