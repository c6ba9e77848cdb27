//! What a replay may hold: more than a worker, which shares its machine.
//!
//! Must never leave anything without a limit.

use model::{RedactionKey, Timestamp};
use sinks::{IncidentLimits, Limits, Mode};

use crate::pipeline::{LineageLimits, Settings};

/// What a replay holds.
const LIMITS: Limits = Limits {
    open_alerts_max: 1_000_000,
    findings_waiting_max: 4_000_000,
    occurrences_waiting_max: 4_000_000,
    silences_max: 10_000,
};

/// The same of correlations.
const CORRELATIONS: rules::correlation::Limits = rules::correlation::Limits { keys_max: 4_000_000 };

/// The same of lineage.
const LINEAGE: LineageLimits = LineageLimits { waiting_max: 4_000_000, ..LineageLimits::DEFAULT };

/// Settings of a replay: records of all rules leave in one order. `lineage`: somebody asks for it. See [`Settings`] for the times.
pub(super) fn settings(mode: Mode, id_reuse: bool, lineage: bool, (since, end): (Timestamp, Timestamp)) -> Settings {
    let (redaction, lineage) = (RedactionKey::default(), lineage.then_some(LINEAGE));
    let (limits, correlations, incidents) = (LIMITS, CORRELATIONS, IncidentLimits::DEFAULT);
    Settings { mode, merge: true, id_reuse, limits, correlations, lineage, incidents, since, end, redaction }
}
