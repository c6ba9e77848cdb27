//! `x-prev` (E8): the value that a key had before.
//!
//! Must never compare with a value that is older than its time to live.

use serde::{Deserialize, Serialize};

use crate::ast::{Previous, PreviousTest};

/// The last values of one key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Last {
    value: Option<(String, i64)>,
    /// The one before, and when it was last seen.
    before: Option<(String, i64)>,
    same: Vec<Option<String>>,
}

impl Last {
    /// Remembers a value and says whether the test holds at it. `same`: the texts of `ignore_same`.
    pub(super) fn see(&mut self, rule: &Previous, value: &str, same: Vec<Option<String>>, at: i64) -> bool {
        let alive = |known: &&(String, i64)| known.1 >= at.saturating_sub(rule.ttl_ms);
        let last = self.value.as_ref().filter(alive);
        let ignored = same.iter().zip(&self.same).any(|(new, old)| new.is_some() && new == old);
        let holds = last.is_some_and(|(last, _)| match rule.test {
            PreviousTest::Changed => last != value,
            PreviousTest::Gap(gap) => match (last.parse::<i64>(), value.parse::<i64>()) {
                (Ok(last), Ok(value)) => value > last.saturating_add(gap),
                _ => false,
            },
            PreviousTest::Returns(span_ms) => {
                let from = at.saturating_sub(span_ms.min(rule.ttl_ms));
                let before = self.before.as_ref().filter(|(_, seen)| *seen >= from);
                last != value && before.is_some_and(|(before, _)| before == value)
            }
        });
        match &mut self.value {
            Some((last, seen)) if last == value => *seen = at,
            _ => self.before = self.value.replace((value.to_owned(), at)),
        }
        self.same = same;
        holds && !ignored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_returns_only_while_it_is_remembered() {
        let rule = |ttl_ms| {
            let (key, field, ignore_same) = (Vec::new(), "f".to_owned(), Vec::new());
            Previous { key, field, test: PreviousTest::Returns(100), ignore_same, ttl_ms }
        };
        for (ttl_ms, holds) in [(60, true), (59, false)] {
            let mut last = Last::default();
            let mut see = |value, at| last.see(&rule(ttl_ms), value, Vec::new(), at);
            assert_eq!([see("a", 0), see("b", 30), see("a", 60)], [false, false, holds], "{ttl_ms}");
        }
    }
}
