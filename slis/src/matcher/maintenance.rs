//! Announced maintenance: which anchors lie within it.
//!
//! What is announced counts from the announced start, whenever it was said. Must never take the word of anybody but a
//! control source: which classes a source may speak is its configuration.

use std::sync::Arc;

use model::Event;
use serde::{Deserialize, Serialize};

use super::held::Waiting;
use crate::definition::values;

/// Windows that are kept; the oldest go first.
const WINDOWS_MAX: usize = 10_000;

/// Without an end, it lasts this long.
const DEFAULT_MS: i64 = 4 * 3_600_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Window {
    from_ms: i64,
    to_ms: i64,
    team: Arc<str>,
    environment: Arc<str>,
    repository: Arc<str>,
}

/// See the module.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Maintenance(std::collections::BTreeSet<Window>);

impl Maintenance {
    /// An announcement. Returns whether it says anything new.
    pub(super) fn add(&mut self, event: &Event, at_ms: i64) -> bool {
        let time = |field: &str| values(event, field).into_iter().next()?.parse::<i64>().ok();
        let text = |field: &str| first(event, field);
        let from_ms = time("from").unwrap_or(at_ms);
        let window = Window {
            from_ms,
            to_ms: time("to").unwrap_or(from_ms.saturating_add(DEFAULT_MS)),
            team: text("prov.team"),
            environment: text("prov.env"),
            repository: text("prov.repo"),
        };
        let is_new = self.0.insert(window);
        if self.0.len() > WINDOWS_MAX {
            self.0.pop_first();
        }
        is_new
    }

    /// The anchor lies within a window whose team, environment and repository are its own, as far as they are named.
    pub(super) fn covers(&self, anchor: &Waiting) -> bool {
        let names = |named: &Arc<str>, own: &Arc<str>| named.is_empty() || named == own;
        self.0.iter().take_while(|window| window.from_ms <= anchor.at_ms).any(|window| {
            anchor.at_ms <= window.to_ms
                && names(&window.team, anchor.scope.team())
                && names(&window.environment, anchor.scope.environment())
                && names(&window.repository, anchor.scope.repository())
        })
    }
}

fn first(event: &Event, field: &str) -> Arc<str> {
    values(event, field).into_iter().next().map_or_else(|| "".into(), |text| Arc::from(text.as_ref()))
}
