//! The words every stage shares: events, outcomes, findings, alerts, fingerprints and keyed state.
//!
//! No I/O, no clock, no async, no randomness: everything else stands on this crate, and it stands on none of the others.

mod projection;
mod severity;
mod time;

pub use projection::{Edge, NodeId, Projection, Row, Scalar, Slot, Values, View};
pub use severity::{Severity, Urgency};
pub use time::{Timestamp, parse_span_ms};
