//! Conditions in words, for the person who asks what a rule looks for.
//!
//! Must never leave a part out: what is not said here is not known to who reads an alert.

mod correlation;
mod learned;

pub use correlation::{correlation, memory, span};
pub use learned::{detector, new_terms};

use crate::ast::{Comparison, FieldTest, ListHow, Pattern, Piece, Search, Test, TextHow, TimePart};

/// The search on one line.
pub fn one_line(search: &Search) -> String {
    match search {
        Search::All(parts) if parts.is_empty() => "anything".to_owned(),
        Search::Any(parts) if parts.is_empty() => "nothing".to_owned(),
        Search::All(parts) => joined(parts, " and "),
        Search::Any(parts) => values_of_one_field(parts).unwrap_or_else(|| joined(parts, " or ")),
        Search::Not(part) => format!("not {}", bracketed(part)),
        Search::Field(test) => field(test),
        Search::Keyword(pattern) => format!("some value contains {}", quoted(pattern)),
    }
}

/// The search as an indented tree, a line for each test.
pub fn tree(search: &Search) -> Vec<String> {
    let mut lines = Vec::new();
    branch(search, 0, "", &mut lines);
    lines
}

fn branch(search: &Search, depth: usize, before: &str, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let (head, parts) = match search {
        Search::All(parts) if parts.len() > 1 => ("all of", parts),
        Search::Any(parts) if parts.len() > 1 && values_of_one_field(parts).is_none() => ("any of", parts),
        Search::Not(part) => return branch(part, depth, &format!("{before}not "), lines),
        other => return lines.push(format!("{indent}- {before}{}", one_line(other))),
    };
    lines.push(format!("{indent}- {before}{head}"));
    parts.iter().for_each(|part| branch(part, depth + 1, "", lines));
}

fn joined(parts: &[Search], with: &str) -> String {
    parts.iter().map(bracketed).collect::<Vec<_>>().join(with)
}

fn bracketed(part: &Search) -> String {
    match part {
        Search::All(parts) if parts.len() > 1 => format!("({})", one_line(part)),
        Search::Any(parts) if parts.len() > 1 && values_of_one_field(parts).is_none() => {
            format!("({})", one_line(part))
        }
        _ => one_line(part),
    }
}

/// `field is one of 'a', 'b'`, where all parts ask the same of one field.
fn values_of_one_field(parts: &[Search]) -> Option<String> {
    let mut heads = Vec::new();
    let mut values = Vec::new();
    for part in parts {
        let Search::Field(test) = part else { return None };
        let Test::Text(pattern) = &test.test else { return None };
        let (how, text) = pattern_words(pattern);
        heads.push(format!("{} {how}", test.field));
        values.push(text);
    }
    let head = heads.first()?;
    (heads.len() > 1 && heads.iter().all(|other| other == head)).then(|| format!("{head} one of {}", values.join(", ")))
}

fn field(test: &FieldTest) -> String {
    let name = &test.field;
    match &test.test {
        Test::Text(pattern) => {
            let (how, text) = pattern_words(pattern);
            format!("{name} {how} {text}")
        }
        Test::Number(number) => format!("{name} is {number}"),
        Test::Null => format!("{name} is missing or null"),
        Test::Exists(true) => format!("{name} is present"),
        Test::Exists(false) => format!("{name} is missing"),
        Test::Regex(regex) => format!("{name} matches /{regex}/"),
        Test::Cidr(network) => format!("{name} lies in {network}"),
        Test::Compare(how, number) => format!("{name} {} {number}", comparison(*how)),
        Test::FieldRef { other, how, .. } => format!("{name} {} the field {other}", text_how(*how)),
        Test::TimePart(part, how, number) => {
            format!("the {} of {name} {} {number}", time_part(*part), comparison(*how))
        }
        Test::InList { list, how, .. } => match how {
            ListHow::Equals => format!("{name} is in the list {list}"),
            ListHow::Contains => format!("{name} contains an entry of the list {list}"),
            ListHow::StartsWith => format!("{name} starts with an entry of the list {list}"),
            ListHow::EndsWith => format!("{name} ends with an entry of the list {list}"),
            ListHow::Cidr => format!("{name} lies in a network of the list {list}"),
        },
    }
}

fn comparison(how: Comparison) -> &'static str {
    match how {
        Comparison::Eq => "is",
        Comparison::Lt => "is below",
        Comparison::Lte => "is at most",
        Comparison::Gt => "is above",
        Comparison::Gte => "is at least",
    }
}

fn text_how(how: TextHow) -> &'static str {
    match how {
        TextHow::Equals => "equals",
        TextHow::Contains => "contains",
        TextHow::StartsWith => "starts with",
        TextHow::EndsWith => "ends with",
    }
}

fn time_part(part: TimePart) -> &'static str {
    match part {
        TimePart::Minute => "minute",
        TimePart::Hour => "hour",
        TimePart::Day => "day of the month",
        TimePart::Week => "week",
        TimePart::Month => "month",
        TimePart::Year => "year",
    }
}

/// How a field and the pattern are compared, and the text.
fn pattern_words(pattern: &Pattern) -> (&'static str, String) {
    match pattern.pieces.as_slice() {
        [] => ("is", "empty".to_owned()),
        [Piece::Literal(text)] => ("is", format!("'{text}'")),
        [Piece::Many, Piece::Literal(text), Piece::Many] => ("contains", format!("'{text}'")),
        [Piece::Literal(text), Piece::Many] => ("starts with", format!("'{text}'")),
        [Piece::Many, Piece::Literal(text)] => ("ends with", format!("'{text}'")),
        _ => ("is like", quoted(pattern)),
    }
}

fn quoted(pattern: &Pattern) -> String {
    let pieces = pattern.pieces.iter().map(|piece| match piece {
        Piece::Literal(text) => text.as_str(),
        Piece::Many => "*",
        Piece::One => "?",
    });
    format!("'{}'", pieces.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Settings, load_texts};

    fn condition(detection: &str) -> Search {
        let text = format!("title: t\nlogsource: {{product: x}}\nx-lists: {{known: }}\ndetection:\n{detection}");
        let mut loaded = load_texts(&[("r.yml".into(), text.as_str())], &Settings::default());
        assert!(loaded.refused.is_empty(), "{:?}", loaded.refused);
        loaded.rules.remove(0).condition
    }

    #[test]
    fn a_condition_reads_as_words() {
        let search = condition(concat!(
            "  a: {action: push, tag|startswith: [v1, v2], size|gt: 10}\n",
            "  b: {actor|expand: '%known%'}\n  c: {ip|cidr: 10.0.0.0/8}\n  d: {name: 'a*b'}\n",
            "  condition: a and not (b or c) and not d\n"
        ));
        assert_eq!(
            one_line(&search),
            "(action is 'push' and tag starts with one of 'v1', 'v2' and size is above 10) and \
             not (actor is in the list known or ip lies in 10.0.0.0/8) and not name is like 'a*b'"
        );
        assert_eq!(
            tree(&search).join("\n"),
            "- all of\n  - all of\n    - action is 'push'\n    - tag starts with one of 'v1', 'v2'\n    - size is above 10\n  \
             - not any of\n    - actor is in the list known\n    - ip lies in 10.0.0.0/8\n  - not name is like 'a*b'"
        );
    }
}
