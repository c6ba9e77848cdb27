//! Lines of address data: CSV and its like taken apart, columns checked, what is wrong told with its line and a hint.
//!
//! Must never let a value through that only looks like what it should be.

use std::net::IpAddr;

use ipnet::IpNet;

/// What is wrong, and what would be right.
pub(super) type Wrong = (String, String);

/// A line that is no line of a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason} (hint: {hint})")]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong.
    pub reason: String,
    /// What would be right.
    pub hint: String,
}

impl BadLine {
    pub(super) fn new(line: u64, reason: impl Into<String>, hint: impl Into<String>) -> BadLine {
        BadLine { line, reason: reason.into(), hint: hint.into() }
    }
}

/// The records of a text with separators, with the numbers of their lines; lines that begin with `#` are comments.
pub(super) fn records(
    text: &str,
    separator: u8,
) -> impl Iterator<Item = Result<(u64, Vec<String>), BadLine>> + use<'_> {
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .quoting(separator == b',')
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    reader.into_records().map(move |record| match record {
        Ok(record) => {
            let line = record.position().map_or(0, |at| line_of(text, at));
            Ok((line, record.iter().map(str::to_owned).collect()))
        }
        Err(error) => {
            let line = error.position().map_or(0, |at| line_of(text, at));
            Err(BadLine::new(line, format!("{error}"), "CSV as in RFC 4180, in UTF-8"))
        }
    })
}

/// The line on which a record begins: the reader's position stands before the empty lines and comments that it skips.
fn line_of(text: &str, at: &csv::Position) -> u64 {
    let rest = text.get(at.byte() as usize..).unwrap_or_default();
    let skipped = rest.lines().take_while(|line| line.is_empty() || line.starts_with('#'));
    at.line() + skipped.count() as u64
}

/// A prefix, or one address.
pub(super) fn prefix_of(text: &str) -> Result<IpNet, Wrong> {
    let parsed = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let prefix =
        parsed.map_err(|_| (format!("{text:?} is no prefix"), "like 192.0.2.0/24 or 2001:db8::/32".to_owned()))?;
    if prefix.trunc() != prefix {
        return Err((
            format!("{text} names an address inside of a prefix"),
            format!("the prefix is {}", prefix.trunc()),
        ));
    }
    Ok(prefix)
}

/// `64500` or `AS64500`; 0 and nothing are unknown.
pub(super) fn asn_of(text: &str) -> Result<Option<u32>, Wrong> {
    let digits = text.strip_prefix("AS").unwrap_or(text);
    if digits.is_empty() {
        return Ok(None);
    }
    let asn = digits.parse::<u32>();
    asn.map(|asn| (asn != 0).then_some(asn))
        .map_err(|_| (format!("{text:?} is no number of an autonomous system"), "like 64500".to_owned()))
}

/// Two letters, in upper case; nothing is unknown.
pub(super) fn country_of(text: &str) -> Result<Option<String>, Wrong> {
    match text.len() {
        0 => Ok(None),
        2 if text.bytes().all(|b| b.is_ascii_alphabetic()) => Ok(Some(text.to_ascii_uppercase())),
        _ => Err((format!("{text:?} is no country code"), "two letters as in ISO 3166-1, like DE".to_owned())),
    }
}
