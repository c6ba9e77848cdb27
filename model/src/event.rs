//! An event in full: envelope, provenance and class fields by name.
//!
//! The hot path reads rows instead and builds an `Event` only for people (`formats try`, evidence, tests); nothing may
//! decide anything on an `Event` that a row would decide differently.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::{EventClass, Sha256, Timestamp, Trust, Verdict};

/// One thing that happened, normalised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Provider id and part; None where the provider gives none.
    pub id: Option<Arc<str>>,
    /// `event.class`; None for raw JSON, which has only the record's own fields.
    pub class: Option<EventClass>,
    /// `event.action`.
    pub action: Option<String>,
    /// `event.outcome`.
    pub outcome: Verdict,
    /// `event.time`.
    pub time: Option<Timestamp>,
    /// `event.source`.
    pub source: Arc<str>,
    /// `event.trust`.
    pub trust: Trust,
    /// SHA-256 of the event's own bytes.
    pub sha256: Sha256,
    /// Model fields that have a value: text, number, boolean, or an array of them.
    pub fields: BTreeMap<String, serde_json::Value>,
}
