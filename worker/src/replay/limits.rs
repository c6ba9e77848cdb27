//! What a replay may hold: more than a worker, which shares its machine.
//!
//! Must never leave anything without a limit.

use model::RedactionKey;
use sinks::{Limits, Mode};

use crate::pipeline::Settings;

/// What a replay holds.
const LIMITS: Limits = Limits {
    open_alerts_max: 1_000_000,
    findings_waiting_max: 4_000_000,
    occurrences_waiting_max: 4_000_000,
    silences_max: 10_000,
};

/// The same of correlations.
const CORRELATIONS: rules::correlation::Limits = rules::correlation::Limits { keys_max: 4_000_000 };

/// Settings of a replay: records of all rules leave in one order.
pub(super) fn settings(mode: Mode, id_reuse: bool) -> Settings {
    let redaction = RedactionKey::default();
    Settings { mode, merge: true, id_reuse, limits: LIMITS, correlations: CORRELATIONS, redaction }
}
