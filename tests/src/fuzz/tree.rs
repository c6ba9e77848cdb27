//! JSON as a fuzzer needs it: repeated keys, texts and numbers as they are written, valid or not.
//!
//! Must never repair what it holds: a tree is written as it was made.

use serde_json::Value;

use crate::generate::Random;

/// A value and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// Written as it stands here.
    Leaf(String),
    /// Elements.
    List(Vec<Tree>),
    /// Members, keys as they are written between their quotes.
    Object(Vec<(String, Tree)>),
}

/// Values that decoders have been known to trip over, as JSON writes them or does not.
const ODD: [&str; 60] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "1.5",
    "1e3",
    "1e300",
    "1e999",
    "-1e-400",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "123456789012345678901234567890",
    "253402300799",
    "253402300800",
    "1790000000",
    "1790000000000",
    "1790000000000000000",
    "0.1",
    "01",
    "+1",
    ".5",
    "NaN",
    "[]",
    "{}",
    "[[]]",
    "[{}]",
    "[null]",
    "\"\"",
    "\" \"",
    "\"\\u0000\"",
    "\"a\\u0000b\"",
    "\"\\ud800\"",
    "\"\\udc00x\"",
    "\"\\ud83d\\ude00\"",
    "\"\u{1}\"",
    "\"ß\u{feff}İ\"",
    "\"漢字\u{202e}\"",
    "\"0001-01-01T00:00:00Z\"",
    "\"9999-12-31T23:59:59.999Z\"",
    "\"10000-01-01T00:00:00Z\"",
    "\"-000001-01-01T00:00:00Z\"",
    "\"2026-02-30T25:61:61Z\"",
    "\"2026-09-01T10:00:00+23:59\"",
    "\"1790000000.5\"",
    "\"://\"",
    "\"pkg:@/@\"",
    "\"a@sha256:\"",
    "\"@\"",
    "\"/\"",
    "\":\"",
    "\"refs/heads/\"",
    "\"%3A%\"",
    "\"=\"",
];

const TIMES: [&str; 5] = [
    "\"2026-09-01T10:00:00Z\"",
    "\"2026-09-01 10:00:00 UTC\"",
    "1790000000",
    "1790000000123",
    "\"2026-09-01T10:00:00.123456789+02:00\"",
];

impl Tree {
    /// The tree of a parsed value.
    pub fn of(value: &Value) -> Tree {
        match value {
            Value::Array(elements) => Tree::List(elements.iter().map(Tree::of).collect()),
            Value::Object(members) => {
                Tree::Object(members.iter().map(|(key, of)| (quoted(key), Tree::of(of))).collect())
            }
            leaf => Tree::Leaf(leaf.to_string()),
        }
    }

    /// Puts a value under a path, through what stands there.
    pub fn put(&mut self, path: &[String], value: Tree) {
        let Some((key, rest)) = path.split_first() else {
            *self = value;
            return;
        };
        match self {
            Tree::Object(members) => {
                let at = members.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
                    members.push((key.clone(), Tree::Object(Vec::new())));
                    members.len() - 1
                });
                members[at].1.put(rest, value);
            }
            Tree::List(elements) if !elements.is_empty() => elements[0].put(path, value),
            other => {
                *other = Tree::Object(Vec::new());
                other.put(path, value);
            }
        }
    }

    /// Writes it.
    pub fn write(&self, to: &mut String) {
        match self {
            Tree::Leaf(text) => to.push_str(text),
            Tree::List(elements) => {
                to.push('[');
                for (at, element) in elements.iter().enumerate() {
                    to.push_str(if at == 0 { "" } else { "," });
                    element.write(to);
                }
                to.push(']');
            }
            Tree::Object(members) => {
                to.push('{');
                for (at, (key, value)) in members.iter().enumerate() {
                    to.push_str(if at == 0 { "\"" } else { ",\"" });
                    to.push_str(key);
                    to.push_str("\":");
                    value.write(to);
                }
                to.push('}');
            }
        }
    }

    /// Its text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// Without the members whose keys nobody asks for: what is left is what a decoder looks at.
    pub fn prune(&mut self, keeps: &dyn Fn(&str) -> bool) {
        match self {
            Tree::Leaf(_) => {}
            Tree::List(elements) => {
                elements.truncate(3);
                elements.iter_mut().for_each(|element| element.prune(keeps));
            }
            Tree::Object(members) => {
                members.retain(|(key, _)| keeps(key));
                members.iter_mut().for_each(|(_, value)| value.prune(keeps));
            }
        }
    }

    /// Each leaf, with the key it stands under.
    pub fn leaves<'t>(&'t self, key: &'t str, told: &mut impl FnMut(&'t str, &'t str)) {
        match self {
            Tree::Leaf(text) => told(key, text),
            Tree::List(elements) => elements.iter().for_each(|element| element.leaves(key, told)),
            Tree::Object(members) => members.iter().for_each(|(key, value)| value.leaves(key, told)),
        }
    }

    /// Changes one place at random: another value, a member twice, gone, wrapped, or under another key.
    pub fn disturb(&mut self, random: &mut Random, words: &[String]) {
        let deeper = random.percent(70);
        match self {
            Tree::Object(members) if deeper && !members.is_empty() => {
                let at = random.below(members.len());
                match random.below(12) {
                    0 => {
                        members.remove(at);
                    }
                    1 => {
                        let mut again = members[at].clone();
                        again.1.disturb(random, words);
                        members.push(again);
                    }
                    2 => members[at].0 = if random.percent(30) { String::new() } else { key(random, words) },
                    _ => members[at].1.disturb(random, words),
                }
            }
            Tree::List(elements) if deeper && !elements.is_empty() => {
                let at = random.below(elements.len());
                match random.below(6) {
                    0 => {
                        elements.remove(at);
                    }
                    1 => elements.push(elements[at].clone()),
                    _ => elements[at].disturb(random, words),
                }
            }
            _ if random.percent(20) => {
                let inner = std::mem::replace(self, Tree::List(Vec::new()));
                *self = match random.below(3) {
                    0 => Tree::List(vec![inner]),
                    1 => Tree::List(vec![inner.clone(), inner]),
                    _ => Tree::Object(vec![(key(random, words), inner)]),
                };
            }
            _ => *self = any(random, words),
        }
    }
}

/// Any value at all, mostly small.
pub fn any(random: &mut Random, words: &[String]) -> Tree {
    match random.below(40) {
        0..13 => Tree::Leaf(random.pick(&ODD).to_owned()),
        13..28 if !words.is_empty() => Tree::Leaf(format!("\"{}\"", words[random.below(words.len())])),
        28..32 => time(random),
        32 => Tree::Leaf(format!("\"{}\"", random.pick(&["x", "\\n", "é", "/a", "[{"]).repeat(1 + random.below(400)))),
        33 => {
            let most = if random.percent(10) { 400 } else { 12 };
            let depth = 1 + random.below(most);
            Tree::Leaf(format!("{}1{}", "[".repeat(depth), "]".repeat(depth)))
        }
        34 => {
            let most = if random.percent(10) { 300 } else { 12 };
            let depth = 1 + random.below(most);
            Tree::Leaf(format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)))
        }
        35 => Tree::List((0..random.below(4)).map(|_| any(random, words)).collect()),
        36 => Tree::Object((0..random.below(4)).map(|_| (key(random, words), any(random, words))).collect()),
        _ => Tree::Leaf((random.bits() as i64 >> random.below(64)).to_string()),
    }
}

/// A time, most often of the same day.
pub fn time(random: &mut Random) -> Tree {
    Tree::Leaf(random.pick(&TIMES).to_owned())
}

fn key(random: &mut Random, words: &[String]) -> String {
    match random.below(4) {
        0 => random.pick(&["", "a", "\\u0000", "a.b", "^index", "^.a", "ß"]).to_owned(),
        _ if !words.is_empty() => words[random.below(words.len())].clone(),
        _ => "b".to_owned(),
    }
}

/// A text as JSON writes it, without the quotes.
pub fn quoted(text: &str) -> String {
    let written = Value::from(text).to_string();
    written[1..written.len() - 1].to_owned()
}
