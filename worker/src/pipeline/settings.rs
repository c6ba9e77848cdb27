//! What a pipeline is told when it is made.
//!
//! Must never hold anything that changes while it runs.

use model::{RedactionKey, Timestamp};
use sinks::{IncidentLimits, Limits, Mode};

use super::LineageLimits;

/// Limits and modes of a pipeline.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Fold findings into alerts, or print each.
    pub mode: Mode,
    /// Records of all rules leave in one total order.
    pub merge: bool,
    /// The built-in rule `id-reuse` is on.
    pub id_reuse: bool,
    /// Limits of each lane.
    pub limits: Limits,
    /// Limits of each lane's correlations.
    pub correlations: rules::correlation::Limits,
    /// Lineage is kept, within these limits, and alerts are joined by it; None: only where a rule asks for it. The engines'
    /// sources tell of it, or do not.
    pub lineage: Option<LineageLimits>,
    /// What incidents may hold; there are none without lineage.
    pub incidents: IncidentLimits,
    /// What happened before is history: rules remember it, and nobody is told.
    pub since: Timestamp,
    /// Where input is over, buckets close up to here, or to the last event.
    pub end: Timestamp,
    /// Names secrets in keys and ids.
    pub redaction: RedactionKey,
}
