//! Time in which the source could not be heard does not count for an absence, by brute force: for every question the outages
//! that were known then are laid out anew, and time is counted piece by piece.
//!
//! Must never keep an outage between two questions.

use model::{HealthState, OUTAGE_MAX_MS};
use rules::ast::Absence;

use super::world::{Input, World};

/// A statement about the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// It counts from this time on.
    pub known_ms: i64,
    /// What is said.
    pub state: HealthState,
}

/// The outages known at a time, each from its first time to the first time behind it.
struct Outages(Vec<(i64, i64)>);

impl Outages {
    fn known(said: &[Said], at_ms: i64) -> Outages {
        let known = || said.iter().filter(|of| of.known_ms <= at_ms).map(|of| of.state);
        let ends = |state| match state {
            HealthState::Unhealthy { from, to } => {
                let heard = known().filter_map(|state| match state {
                    HealthState::Healthy { at } if at > from => Some(at),
                    _ => None,
                });
                let end = heard.chain(to).min().map_or(i64::MAX, |end| end.ms()).min(from.ms() + OUTAGE_MAX_MS);
                Some((from.ms(), end))
            }
            HealthState::Healthy { .. } => None,
        };
        Outages(known().filter_map(ends).collect())
    }

    /// The pieces of time behind `from` at whose ends an outage begins or ends, with whether they count.
    fn pieces(&self, from: i64, to: i64) -> Vec<(i64, i64, bool)> {
        let mut cuts: Vec<i64> =
            self.0.iter().flat_map(|(a, b)| [*a, *b]).filter(|at| from < *at && *at < to).collect();
        cuts.extend([from, to]);
        cuts.sort_unstable();
        cuts.dedup();
        let counts = |at: i64| !self.0.iter().any(|(a, b)| *a <= at && at < *b);
        cuts.windows(2).map(|of| (of[0], of[1], counts(of[0]))).collect()
    }

    /// Milliseconds that count.
    fn counted(&self, from: i64, to: i64) -> i64 {
        self.pieces(from, to).iter().filter(|(.., counts)| *counts).map(|(from, to, _)| to - from).sum()
    }

    /// The last time until which no more than so many count.
    fn last(&self, from: i64, counted: i64) -> i64 {
        let mut left = counted;
        for (start, end, counts) in self.pieces(from, i64::MAX) {
            match counts {
                true if left < end - start => return start + left,
                true => left -= end - start,
                false => {}
            }
        }
        i64::MAX
    }
}

impl World<'_> {
    /// Times at which other statements come to count.
    fn epochs(&self) -> Vec<i64> {
        let mut times: Vec<i64> = self.health.iter().map(|said| said.known_ms).collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// When a start is judged: at its due time as known then, and not before what moved it was known.
    pub(super) fn absence_due(&self, absence: &Absence, start: &Input) -> i64 {
        let wait_ms = absence.deadline_ms + absence.grace_ms;
        let due = |known: i64| Outages::known(self.health, known).last(start.at_ms, wait_ms);
        let later = self.epochs().into_iter().filter(|epoch| *epoch > start.at_ms);
        let mut judged = due(start.at_ms);
        for epoch in later {
            if judged < epoch {
                break;
            }
            judged = due(epoch).max(epoch);
        }
        judged
    }

    /// What came before a start counts for it: not too long ago, and never forgotten in between.
    pub(super) fn precedes(&self, absence: &Absence, start: &Input, came: &Input) -> bool {
        let known = |at: i64| Outages::known(self.health, at);
        let kept = |epoch: &i64| known(epoch - 1).last(came.at_ms, absence.before_ms) >= *epoch;
        let epochs = self.epochs();
        let mut between = epochs.iter().filter(|epoch| (came.at_ms + 1..=start.at_ms).contains(*epoch));
        known(start.at_ms).counted(came.at_ms, start.at_ms) <= absence.before_ms && between.all(kept)
    }
}
