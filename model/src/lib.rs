//! The words every stage shares: events, outcomes, findings, alerts, fingerprints and keyed state.
//!
//! No I/O, no clock, no async, no randomness: everything else stands on this crate, and it stands on none of the others.

mod alert;
mod class;
mod correlator;
mod detector;
mod detector_spec;
mod event;
mod field;
mod finding;
mod fingerprint;
mod health;
mod incident;
mod occurrence;
mod order;
mod outcome;
mod position;
mod projection;
mod redact;
mod row;
mod severity;
mod silence;
mod snapshot;
mod table;
mod texts;
mod time;
mod verdict;

pub use alert::{ALERT_SCHEMA, AlertRecord, AlertState, EVIDENCE_MAX, RuleRef, SuppressedBy};
pub use class::EventClass;
pub use correlator::{Correlator, CorrelatorHeld, Derived, EVENTS_AT_ONCE, Resolution};
pub use detector::{
    Anomaly, Change, Detector, DetectorHeld, Figures, KEY_SEPARATOR, Observation, Period, Standing, Told, key_of,
    part_of,
};
pub use detector_spec::{
    BeaconSpec, CountsSpec, CusumSpec, DetectorSpec, Draw, DurationSpec, EntropySpec, Feature, FirstSeenSpec, Frame,
    GeoVelocitySpec, MixSpec, PeerZSpec, RatioSpec, RiskSpec, SilenceSpec,
};
pub use event::Event;
pub use field::{FIELDS, FieldDoc, FieldKind, field, field_hint};
pub use finding::{Arrival, Basis, Evidence, Finding, Measured, RuleInfo};
pub use fingerprint::{Fingerprint, Sha256};
pub use health::{HEALTH_STATEMENTS_MAX, HealthState, KnownFrom, OUTAGE_MAX_MS, Outages, SourceHealth};
pub use incident::{INCIDENT_SCHEMA, IncidentRecord, IncidentState, IncidentType, Join, Joint, Member, ToldBecause};
pub use occurrence::{Carried, CarriedField, Carrying, Held, Occurrence};
pub use order::{EventOrder, Place, RecordOrder};
pub use outcome::{EventCounts, EventOutcome, Invalid, Ledger, RecordCounts, RecordOutcome};
pub use position::{Checkpoint, Partition, Position};
pub use projection::{Cut, Edge, NodeId, Projection, Slot};
pub use redact::{RedactionKey, cut, redact, redact_field};
pub use row::{Row, Scalar, Values, View};
pub use severity::{Severity, Urgency};
pub use silence::{SCOPE_FIELDS, SILENCE_DEFAULT_MS, SILENCE_MAX_MS, Silence};
pub use snapshot::{Malformed, from_snapshot, to_snapshot};
pub use table::{SnapshotMismatch, Table, TableSnapshot, VIRTUAL_SHARDS};
pub use texts::Texts;
pub use time::{Rfc3339, Timestamp, parse_span_ms};
pub use verdict::{Trust, Verdict};
