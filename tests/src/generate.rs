//! Random rules and events from a seed, made to meet: few fields, short texts over few letters, so that needles overlap,
//! nest and differ in case or escapes only.
//!
//! The same seed gives the same rules everywhere. Must never make a rule that the parser refuses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rules::ast::Rule;
use rules::parse::{Settings, load_texts};
use serde_json::{Map, Value, json};

use crate::oracle::ListTexts;

/// SplitMix64: small, fast, and the same on every machine.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// True so many times of a hundred.
    pub fn percent(&mut self, of_hundred: usize) -> bool {
        self.below(100) < of_hundred
    }

    /// One of them.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

const FIELDS: [&str; 9] = ["a", "b", "A", "c", "c.d", "c.d.e", "x y", "ä", "time"];

const SYLLABLES: [&str; 26] = [
    "a", "b", "ab", "ba", "A", "B", "É", "é", "ß", "ẞ", "K", "k", "\u{212A}", "ſ", "s", "ς", "Σ", "σ", "İ", "i", "ı",
    "-", " ", "\n", "4", "漢",
];

/// What stands in rules only behind a backslash, or has a meaning in JSON.
const SPECIAL: [&str; 9] = ["*", "?", "\\", "\"", "/", ".", "%", "{", "\u{1}"];

const NUMBERS: [&str; 12] =
    ["0", "1", "4", "42", "-3", "1.5", "4.0", "1e20", "0.00001", "9007199254740993", "18446744073709551615", "-0.5"];

/// The second half holds texts long enough to be looked for, certain ones and others that a match may lack.
const REGEXES: [&str; 18] = [
    "a",
    "^a",
    "b$",
    "^[ab]+$",
    "a.b",
    "(ab|ba)+",
    "^\\d+$",
    "^$",
    "k",
    "aab|baa",
    "(ab)?aba",
    "ab(ab)*ba",
    "[aA]bab?",
    "^(aba)+$",
    "a\\bb|ba\\b.*",
    "(aba){0,2}ab",
    "b(aba|abb)?ba",
    "sss?",
];

const ADDRESSES: [&str; 6] = ["10.1.2.3", "10.2.0.1", " 10.1.2.3 ", "2001:db8::1", "::ffff:10.1.2.3", "10.1.2"];
const NETWORKS: [&str; 6] = ["10.0.0.0/8", "10.1.2.0/24", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0", "10.1.2.2/31"];

const TIMES: [&str; 9] = [
    "2026-03-29T23:59:59Z",
    "2026-01-01T00:30:00+02:00",
    "2024-12-30 10:00:00",
    "2021-01-03T05:06:07.123456Z",
    "1969-12-31T23:59:59.999Z",
    "1767225600",
    "1767225600123",
    "2024-02-29T12:00:00Z",
    "no time",
];

/// Flags with all characters that `windash` takes for one, at the beginning of words, inside of them and alone.
const FLAGS: [&str; 13] = ["-", "-", "/", "\u{2013}", "\u{2014}", "\u{2015}", "a", "b", "ab", " ", " -a", " /b", "*"];

/// Backslashes before what they escape and before what they do not.
const PATHS: [&str; 11] = ["\\", "\\", "\\\\", "\\*", "\\?", "*", "?", "a", "b", ".", "\\a"];

/// Texts to encode: one to five bytes, in and outside ASCII.
const PLAIN: [&str; 9] = ["a", "ab", "b a", "ab4b", "\u{e9}", "k\u{e9}a", "\u{6f22}", "B-a ", "ab ab"];

const EXPRESSIONS: [&str; 22] = [
    "any(a, 'a*')",
    "all(c.d, '*b')",
    "none(a, '?')",
    "not none(b, '*a*')",
    "len(a) > 1",
    "len(minus(a, b)) >= 1",
    "len(union(a, b)) == 2",
    "len(intersect(a, c.d)) != 0",
    "a == b",
    "a != 'ab'",
    "not (a == 4)",
    "c.d == null or b == null",
    "a != null and exists(b)",
    "in(a, ['a', 'B', 4, b])",
    "in(a, list('known'))",
    "not in(b, list('known'))",
    "cidr_in(a, ['10.0.0.0/8', '2001:db8::1'])",
    "cidr_in(b, list('known'))",
    "lower(a) == 'ab'",
    "startswith(a, 'a') and not endswith(a, b)",
    "contains(a, 'b') or a > 3",
    "a <= 42 and true",
];

/// The lists that generated rules ask.
pub fn lists() -> ListTexts {
    let known = ["ab", "B*", "?é", "10.0.0.0/8", "4", "k"];
    [("known".to_owned(), known.map(str::to_owned).to_vec())].into()
}

/// A short text.
pub fn text(random: &mut Random) -> String {
    let length = [0, 1, 1, 2, 2, 3, 5][random.below(7)];
    (0..length).map(|_| if random.percent(8) { random.pick(&SPECIAL) } else { random.pick(&SYLLABLES) }).collect()
}

fn number(random: &mut Random) -> Value {
    serde_json::from_str(random.pick(&NUMBERS)).expect("a number")
}

/// An event: an object with some of the fields, nested or under literal keys.
pub fn event(random: &mut Random) -> Value {
    let mut event = Map::new();
    for _ in 0..1 + random.below(6) {
        let value = value(random, 3);
        match random.pick(&FIELDS) {
            path if random.percent(70) => put(&mut event, path, value),
            path => {
                event.insert(path.to_owned(), value);
            }
        }
    }
    Value::Object(event)
}

/// Puts a value at a path of nested objects; where something else stands in the way it is replaced.
pub fn put(object: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            object.insert(path.to_owned(), value);
        }
        Some((key, rest)) => {
            let inner = object.entry(key).or_insert_with(|| json!({}));
            if !inner.is_object() {
                *inner = json!({});
            }
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// Up to so many of them, one after the other.
fn joined(random: &mut Random, of: &[&str], most: usize) -> String {
    (0..1 + random.below(most)).map(|_| random.pick(of)).collect()
}

/// Base64 of a text that stands at any offset inside another, sometimes as UTF-16.
fn encoded(random: &mut Random) -> String {
    let text = format!("{}{}{}", &"xyz"[..random.below(4)], random.pick(&PLAIN), &"!?"[..random.below(3)]);
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let bytes = match random.below(4) {
        0 => wide(u16::to_le_bytes),
        1 => wide(u16::to_be_bytes),
        _ => text.into_bytes(),
    };
    STANDARD.encode(bytes)
}

fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 15 } else { 19 }) {
        0..6 => json!(text(random)),
        6 => number(random),
        7 => json!(random.percent(50)),
        8 => Value::Null,
        9 => json!(random.pick(&ADDRESSES)),
        10 => json!(random.pick(&TIMES)),
        11 => json!(random.pick(&NUMBERS)),
        12 => json!(joined(random, &FLAGS, 4)),
        13 => json!(joined(random, &PATHS, 4)),
        14 => json!(encoded(random)),
        15 | 16 => (0..random.below(4)).map(|_| value(random, depth - 1)).collect(),
        _ => {
            let keys = ["a", "d", "e", "d.e", "x"];
            let members = (0..random.below(3)).map(|_| (random.pick(&keys).to_owned(), value(random, depth - 1)));
            Value::Object(members.collect())
        }
    }
}

/// A rule document. `plain` ones keep to what other engines have too: Sigma proper, without this product's extensions.
pub fn rule(random: &mut Random, id: usize, plain: bool) -> Value {
    let count = 1 + random.below(3);
    let names = ["s0", "s1", "f0"];
    let mut detection: Map<String, Value> =
        names.iter().take(count).map(|name| ((*name).to_owned(), selection(random, plain))).collect();
    let conditions: &[&str] = match count {
        1 => &["s0", "s0", "not s0", "1 of them", "all of s*"],
        2 => &["s0 and s1", "s0 or s1", "s0 and not s1", "not (s0 and s1)", "1 of s*", "all of them", "s0 or not s1"],
        _ => &[
            "s0 and s1 and not f0",
            "1 of s* and not 1 of f*",
            "(s0 or s1) and f0",
            "all of them",
            "not 1 of s* and f0",
        ],
    };
    detection.insert("condition".to_owned(), json!(random.pick(conditions)));
    let mut rule = json!({
        "title": format!("rule {id}"),
        "id": format!("00000000-0000-4000-8000-{id:012}"),
        "logsource": {"category": "test"},
        "detection": detection,
        "level": "low",
    });
    if !plain {
        rule["x-lists"] = json!({"known": {"on_missing": "fail_closed"}});
        if random.percent(25) {
            rule["x-where"] = json!(random.pick(&EXPRESSIONS));
        }
    }
    rule
}

fn selection(random: &mut Random, plain: bool) -> Value {
    match random.below(10) {
        0 => (0..1 + random.below(3)).map(|_| keyword(random)).collect(),
        1 => json!({"|all": [keyword(random), keyword(random)]}),
        2 | 3 => (0..2).map(|_| fields(random, plain)).collect(),
        _ => fields(random, plain),
    }
}

fn fields(random: &mut Random, plain: bool) -> Value {
    let tests = (0..1 + random.below(3)).map(|_| {
        let (modifiers, values) = test(random, plain);
        (format!("{}{modifiers}", random.pick(&FIELDS)), values)
    });
    Value::Object(tests.collect())
}

/// A text of a rule: sometimes wildcards, escapes, lone backslashes.
fn pattern(random: &mut Random) -> String {
    let mut pattern = String::new();
    for _ in 0..[0, 1, 1, 2, 2, 3, 4][random.below(7)] {
        match random.below(12) {
            0 => pattern.push('*'),
            1 => pattern.push('?'),
            2 => pattern.push_str(random.pick(&["\\*", "\\?", "\\\\", "\\", "\"", ".", "{", "\u{1}"])),
            _ => pattern.push_str(random.pick(&SYLLABLES)),
        }
    }
    pattern
}

fn keyword(random: &mut Random) -> Value {
    match random.below(8) {
        0 => json!(42),
        _ => json!(format!("{}{}", random.pick(&SYLLABLES), pattern(random))),
    }
}

/// One value, or a list of two or three.
fn some(random: &mut Random, mut one: impl FnMut(&mut Random) -> Value) -> Value {
    match random.below(3) {
        0 => (0..2 + random.below(2)).map(|_| one(random)).collect(),
        _ => one(random),
    }
}

/// Encodings, flags with dashes, and paths with backslashes.
fn escaped(random: &mut Random) -> (String, Value) {
    match random.below(5) {
        0 | 1 => {
            let encodings = [
                "|base64",
                "|base64|contains",
                "|wide|base64",
                "|utf16be|base64",
                "|base64offset",
                "|base64offset|contains",
                "|base64offset|contains|cased",
                "|wide|base64offset|contains",
                "|utf16be|base64offset|contains",
                "|utf16|base64offset|contains",
                "|base64offset|startswith",
                "|windash|base64offset|contains",
            ];
            (random.pick(&encodings).to_owned(), some(random, |random| json!(random.pick(&PLAIN))))
        }
        2 | 3 => {
            let how = random.pick(&["", "|contains", "|contains", "|startswith", "|endswith|cased", "|contains|neq"]);
            (format!("|windash{how}"), some(random, |random| json!(joined(random, &FLAGS, 3))))
        }
        _ => {
            let how = random.pick(&["", "|contains", "|startswith", "|endswith", "|cased", "|neq"]);
            (how.to_owned(), some(random, |random| json!(joined(random, &PATHS, 4))))
        }
    }
}

/// Modifiers and values that go together.
fn test(random: &mut Random, plain: bool) -> (String, Value) {
    let word = |random: &mut Random| json!(pattern(random));
    let neq = if random.percent(12) { "|neq" } else { "" };
    match random.below(if plain { 30 } else { 32 }) {
        0..5 => (neq.to_owned(), some(random, word)),
        5 => (neq.to_owned(), some(random, number)),
        6 => (neq.to_owned(), some(random, |random| [json!(true), json!(false), Value::Null][random.below(3)].clone())),
        7..13 => {
            let how = random.pick(&["|contains", "|startswith", "|endswith"]);
            let modifiers = format!("{how}{}", random.pick(&["", "", "", "|cased", "|neq"]));
            (modifiers, some(random, |random| json!(format!("{}{}", pattern(random), random.pick(&SYLLABLES)))))
        }
        13 => {
            let how = random.pick(&["|contains|all", "|startswith|all", "|all"]);
            (how.to_owned(), (0..2).map(|_| json!(random.pick(&SYLLABLES))).collect())
        }
        14 => ("|cased".to_owned(), some(random, word)),
        15 | 16 => {
            let flags = random.pick(&["", "", "|i", "|m", "|s", "|i|s"]);
            (format!("|re{flags}"), some(random, |random| json!(random.pick(&REGEXES))))
        }
        17 => (format!("|cidr{neq}"), some(random, |random| json!(random.pick(&NETWORKS)))),
        18 | 19 => ("|exists".to_owned(), json!(random.percent(50))),
        20 => (random.pick(&["|lt", "|lte", "|gt", "|gte"]).to_owned(), number(random)),
        21 | 22 => {
            let how = random.pick(&["", "|startswith", "|endswith", "|contains", "|neq"]);
            (format!("|fieldref{how}"), json!(random.pick(&FIELDS)))
        }
        23 | 26..=29 => escaped(random),
        24 | 25 => {
            let parts = [
                ("minute", 59),
                ("minute", 6),
                ("hour", 23),
                ("hour", 5),
                ("day", 31),
                ("week", 1),
                ("week", 53),
                ("month", 12),
                ("month", 3),
                ("year", 2026),
                ("year", 2021),
            ];
            let (part, number) = random.pick(&parts);
            let how = if plain { "" } else { random.pick(&["", "|gte", "|lt"]) };
            (format!("|{part}{how}"), json!(number))
        }
        _ => {
            let how = random.pick(&["", "|contains", "|startswith", "|endswith", "|cidr", "|cased"]);
            (format!("|expand{how}"), json!("%known%"))
        }
    }
}

/// Reads generated documents: each must load.
pub fn load(documents: &[Value]) -> Vec<Rule> {
    let texts: Vec<_> = documents.iter().map(|rule| (rule["title"].to_string().into(), rule.to_string())).collect();
    let texts: Vec<(std::path::PathBuf, &str)> =
        texts.iter().map(|(path, text)| (std::path::PathBuf::clone(path), text.as_str())).collect();
    let loaded = load_texts(&texts, &Settings::default());
    assert!(loaded.refused.is_empty(), "{}", loaded.refused[0]);
    loaded.rules
}
