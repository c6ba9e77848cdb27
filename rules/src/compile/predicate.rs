//! Tests of one field that are answered when somebody asks, once for each event.
//!
//! Tests that an index answers for all rules at once are in `index`; nothing here may be asked about a value twice.

use std::net::IpAddr;

use model::{Scalar, Slot, Timestamp, View};
use regex::Regex;

use crate::ast::{Comparison, ListHow, TextHow, TimePart};
use crate::compile::Glob;
use crate::fold::fold;
use crate::lists::Lists;

/// A field and what is asked of it.
#[derive(Debug)]
pub(crate) struct Predicate {
    pub(crate) slot: Slot,
    pub(crate) check: Check,
}

/// The compiled form of [`crate::ast::Test`], without the texts that an index answers.
#[derive(Debug)]
pub(crate) enum Check {
    /// Answered by the slot's index; never asked here.
    Indexed,
    /// Answered by the keyword index; never asked here.
    Keyword,
    Glob {
        glob: Glob,
        cased: bool,
    },
    Number(f64),
    Null,
    Exists(bool),
    Regex(Regex),
    Cidr(ipnet::IpNet),
    Compare(Comparison, f64),
    FieldRef {
        other: Slot,
        how: TextHow,
        cased: bool,
    },
    TimePart(TimePart, Comparison, i64),
    InList {
        list: String,
        how: ListHow,
        cased: bool,
    },
}

impl Predicate {
    /// The answer for one event.
    pub(crate) fn holds(&self, view: View<'_>, lists: &Lists) -> bool {
        let mut values = view.values(self.slot);
        match &self.check {
            Check::Indexed | Check::Keyword => false,
            Check::Null => !view.has(self.slot) || values.any(|value| value == Scalar::Null),
            Check::Exists(wanted) => view.has(self.slot) == *wanted,
            Check::Number(number) => values.any(|value| value.as_number() == Some(*number)),
            Check::Compare(how, number) => {
                values.any(|value| value.as_number().is_some_and(|n| compare(*how, n.partial_cmp(number))))
            }
            Check::Glob { glob, cased } => values.any(|value| {
                value
                    .as_text()
                    .is_some_and(|text| if *cased { glob.matches(&text) } else { glob.matches(&fold(&text)) })
            }),
            Check::Regex(regex) => values.any(|value| value.as_text().is_some_and(|text| regex.is_match(&text))),
            Check::Cidr(network) => values.any(|value| match value {
                Scalar::Text(text) => text.trim().parse::<IpAddr>().is_ok_and(|ip| network.contains(&ip)),
                _ => false,
            }),
            Check::FieldRef { other, how, cased } => values.any(|value| {
                view.values(*other).any(|other| match (value.as_text(), other.as_text()) {
                    (Some(a), Some(b)) if *cased => compare_texts(*how, &a, &b),
                    (Some(a), Some(b)) => compare_texts(*how, &fold(&a), &fold(&b)),
                    _ => false,
                })
            }),
            Check::TimePart(part, how, number) => values.any(|value| {
                time_of(value)
                    .and_then(|time| time_part(*part, time))
                    .is_some_and(|n| compare(*how, Some(n.cmp(number))))
            }),
            Check::InList { list, how, cased } => {
                let Some(list) = lists.get(list) else { return false };
                values.any(|value| value.as_text().is_some_and(|text| list.all.has(&text, *how, *cased)))
            }
        }
    }

    /// It can only hold where the field is present.
    pub(crate) fn needs_presence(&self) -> bool {
        !matches!(self.check, Check::Null | Check::Exists(false))
    }
}

/// An ordering satisfies a comparison; unordered (not a number) never does.
pub(crate) fn compare(how: Comparison, order: Option<std::cmp::Ordering>) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    matches!(
        (how, order),
        (Comparison::Eq, Some(Equal))
            | (Comparison::Lt, Some(Less))
            | (Comparison::Lte, Some(Less | Equal))
            | (Comparison::Gt, Some(Greater))
            | (Comparison::Gte, Some(Greater | Equal))
    )
}

/// A text compared with another one.
pub(crate) fn compare_texts(how: TextHow, text: &str, other: &str) -> bool {
    match how {
        TextHow::Equals => text == other,
        TextHow::Contains => text.contains(other),
        TextHow::StartsWith => text.starts_with(other),
        TextHow::EndsWith => text.ends_with(other),
    }
}

fn time_of(value: Scalar<'_>) -> Option<Timestamp> {
    match value {
        Scalar::Text(text) => Timestamp::parse(text),
        other => other.as_number().and_then(Timestamp::from_epoch),
    }
}

/// The calendar part of a time in UTC; weeks are those of ISO 8601.
pub(crate) fn time_part(part: TimePart, time: Timestamp) -> Option<i64> {
    let utc = time.instant()?.to_zoned(jiff::tz::TimeZone::UTC);
    Some(match part {
        TimePart::Minute => utc.minute().into(),
        TimePart::Hour => utc.hour().into(),
        TimePart::Day => utc.day().into(),
        TimePart::Week => utc.date().iso_week_date().week().into(),
        TimePart::Month => utc.month().into(),
        TimePart::Year => utc.year().into(),
    })
}
