//! YAML text to documents whose every key and value knows its line.
//!
//! Documents are cut apart before they are read, so that one that is no YAML cannot take its neighbours along. Must
//! never panic or recurse without bound on hostile text.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

use super::problem::Problem;

/// Nesting of one document.
const DEPTH_MAX: usize = 48;
/// Size of one document in bytes.
const SIZE_MAX: usize = 1 << 20;
/// Nodes that one document may have once its aliases and merge keys are resolved.
const NODES_MAX: usize = 200_000;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

/// A YAML value under the core schema.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A number and its spelling.
    Number(f64, String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map with its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) node: Node,
}

impl Node {
    /// The entries, where it is a map.
    pub(super) fn map(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value under a key, where it is a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The text of a scalar other than null, as written.
    pub(super) fn text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) | Value::Number(_, text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The members of a list; anything else is its own only member.
    pub(super) fn members(&self) -> &[Node] {
        match &self.value {
            Value::List(members) => members,
            _ => std::slice::from_ref(self),
        }
    }

    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(..) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The same as JSON, for keys that are passed on.
    pub(super) fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number, text) => match text.parse::<i64>() {
                Ok(integer) => integer.into(),
                Err(_) => (*number).into(),
            },
            Value::Text(text) => text.as_str().into(),
            Value::List(members) => members.iter().map(Node::json).collect(),
            Value::Map(entries) => {
                serde_json::Value::Object(entries.iter().map(|entry| (entry.key.clone(), entry.node.json())).collect())
            }
        }
    }
}

/// One document of a file.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// Line of its first key (of its first text, when it could not be read).
    pub(super) line: usize,
    /// Its text without surrounding space.
    pub(super) text: &'a str,
    /// Its content, or why it has none.
    pub(super) node: Result<Node, Problem>,
}

/// Cuts a text at `---` and `...` lines and reads each part that holds more than comments.
pub(super) fn documents(text: &str) -> Vec<Document<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut documents = Vec::new();
    let (mut part_start, mut part_line) = (0, 1);
    let (mut at, mut line) = (0, 1);
    for row in text.split_inclusive('\n') {
        let end = at + row.len();
        if let Some(used) = marker(row) {
            documents.extend(document(text.get(part_start..at).unwrap_or_default(), part_line));
            (part_start, part_line) = (at + used, line);
        }
        (at, line) = (end, line + 1);
    }
    documents.extend(document(text.get(part_start..).unwrap_or_default(), part_line));
    documents
}

/// How many bytes of the line belong to a document marker.
fn marker(row: &str) -> Option<usize> {
    let rest = row.strip_prefix("---").or_else(|| row.strip_prefix("..."))?;
    (rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n'])).then_some(3)
}

fn document(text: &str, first_line: usize) -> Option<Document<'_>> {
    let is_content = |row: &&str| !row.trim().is_empty() && !row.trim_start().starts_with('#') && !row.starts_with('%');
    let before = text.lines().position(|row| is_content(&row))?;
    let line = first_line + before;
    Some(Document { line, text: text.trim(), node: read(text, first_line, line) })
}

fn read(text: &str, first_line: usize, line: usize) -> Result<Node, Problem> {
    if text.len() > SIZE_MAX {
        return Err(Problem::new(line, format!("document larger than {SIZE_MAX} bytes")).hint("split it with `---`"));
    }
    // The YAML library recurses once for each `- ` or `? ` in front of a value, without a bound of its own.
    let too_deep = |row: &str| row.split_whitespace().take_while(|word| matches!(*word, "-" | "?")).count() > DEPTH_MAX;
    if let Some(at) = text.lines().position(too_deep) {
        return Err(
            Problem::new(first_line + at, format!("nested deeper than {DEPTH_MAX}")).hint("no rule needs that depth")
        );
    }
    let roots = MarkedYaml::load_from_str(text).map_err(|error| {
        let hint = match error.info() {
            info if info.contains("duplicated key") => {
                "a key may stand once in a map: use a list of maps for alternatives"
            }
            _ => "check indentation and quotes; values that start with * & ! % @ or hold `: ` need quotes",
        };
        Problem::new(first_line + error.marker().line().max(1) - 1, format!("no YAML: {}", error.info())).hint(hint)
    })?;
    let root =
        roots.first().ok_or_else(|| Problem::new(line, "no YAML: empty document").hint("start with `title:`"))?;
    let mut reader = Reader { rows: text.lines().collect(), first_line, nodes: 0 };
    reader.node(root, 0)
}

struct Reader<'a> {
    rows: Vec<&'a str>,
    first_line: usize,
    nodes: usize,
}

impl Reader<'_> {
    fn node(&mut self, yaml: &MarkedYaml<'_>, depth: usize) -> Result<Node, Problem> {
        let line = self.first_line + yaml.span.start.line().max(1) - 1;
        self.nodes += 1;
        if depth > DEPTH_MAX || self.nodes > NODES_MAX {
            return Err(Problem::new(line, format!("nested deeper than {DEPTH_MAX}, or more than {NODES_MAX} values"))
                .hint("no rule needs that depth; split long lists"));
        }
        let value = match &yaml.data {
            YamlData::Value(scalar) => self.scalar(scalar, yaml, line)?,
            YamlData::Sequence(members) => {
                Value::List(members.iter().map(|member| self.node(member, depth + 1)).collect::<Result<_, _>>()?)
            }
            YamlData::Mapping(map) => {
                let mut entries = Vec::with_capacity(map.len());
                for (key, value) in map {
                    entries.push(self.entry(key, value, depth)?);
                }
                Value::Map(merged(entries)?)
            }
            YamlData::Tagged(_, inner) => return self.node(inner, depth + 1),
            YamlData::Representation(text, ..) => Value::Text(text.to_string()),
            YamlData::BadValue | YamlData::Alias(_) => {
                return Err(Problem::new(line, "no YAML: a value that its tag or alias does not allow")
                    .hint("drop the `!!tag`, or define the `&anchor` above"));
            }
        };
        Ok(Node { line, value })
    }

    fn entry(&mut self, key: &MarkedYaml<'_>, value: &MarkedYaml<'_>, depth: usize) -> Result<Entry, Problem> {
        let key = self.node(key, depth + 1)?;
        let text = match key.value {
            Value::Null => "null".to_owned(),
            _ => key.text().ok_or_else(|| {
                Problem::new(key.line, format!("a key must be text, not {}", key.kind())).hint("put it in quotes")
            })?,
        };
        Ok(Entry { key: text, line: key.line, node: self.node(value, depth + 1)? })
    }

    fn scalar(&self, scalar: &Scalar<'_>, yaml: &MarkedYaml<'_>, line: usize) -> Result<Value, Problem> {
        let number = match scalar {
            Scalar::Null => return Ok(Value::Null),
            Scalar::Boolean(value) => return Ok(Value::Bool(*value)),
            Scalar::String(text) => return Ok(Value::Text(text.to_string())),
            Scalar::Integer(number) => *number as f64,
            Scalar::FloatingPoint(number) => number.into_inner(),
        };
        if !number.is_finite() {
            return Err(Problem::new(line, "a number must be finite").hint("put it in quotes when it is text"));
        }
        Ok(Value::Number(number, self.spelling(yaml).unwrap_or_else(|| number.to_string())))
    }

    /// The characters of a scalar as they stand in the text.
    fn spelling(&self, yaml: &MarkedYaml<'_>) -> Option<String> {
        let (start, end) = (yaml.span.start, yaml.span.end);
        let row = self.rows.get(start.line().checked_sub(1)?)?;
        let text: String = row.chars().skip(start.col()).take(end.index().checked_sub(start.index())?).collect();
        let text = text.trim();
        text.parse::<f64>().is_ok().then(|| text.to_owned())
    }
}

/// Puts the entries of merge keys (`<<`) behind the map's own, which win.
fn merged(mut entries: Vec<Entry>) -> Result<Vec<Entry>, Problem> {
    let Some(at) = entries.iter().position(|entry| entry.key == "<<") else { return Ok(entries) };
    let merge = entries.remove(at);
    for source in merge.node.members() {
        let Some(inherited) = source.map() else {
            return Err(Problem::new(merge.line, format!("`<<` needs a map, here is {}", source.kind()))
                .hint("name an anchor that stands before a map"));
        };
        for entry in inherited {
            if !entries.iter().any(|own| own.key == entry.key) {
                entries.push(entry.clone());
            }
        }
    }
    Ok(entries)
}
