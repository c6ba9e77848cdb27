//! The built-in rule `id-reuse`: an event repeats the id of another one with other bytes.
//!
//! Both events are evaluated; this finding says that one source told two stories under one id. It is a ticket, and it is
//! off with `--no-pack`. It names no bytes: the event seen first is no longer at hand.

use std::sync::{Arc, LazyLock};

use model::{
    Arrival, Basis, EventOrder, Finding, Fingerprint, Position, RuleInfo, Severity, Sha256, Timestamp, Urgency,
};

/// Id of the rule.
pub const RULE_ID: &str = "2b9a7c54-6a0e-4d0b-9f6a-31d2c8f5e0a7";

static RULE: LazyLock<Arc<RuleInfo>> = LazyLock::new(|| {
    Arc::new(RuleInfo {
        id: RULE_ID.into(),
        name: Some("id-reuse".to_owned()),
        title: "Event id reused with other bytes".to_owned(),
        severity: Severity::Medium,
        version: Sha256::of(b"id-reuse/1"),
        tags: vec!["cicd-sec.10".to_owned()],
        realert_ms: None,
        owner: Some("platform-security".to_owned()),
        runbook: Some("docs/outcomes.md#id-reuse".to_owned()),
        group: Vec::new(),
        suppress_when: Vec::new(),
        shadow: false,
        custom: serde_json::Map::new(),
    })
});

/// The rule holds at a time: the reuse of an id of a source.
pub fn finding(source: &Arc<str>, id: &str, at: Timestamp, position: Position) -> Finding {
    let rule = RULE.clone();
    let key = vec![("event.source".to_owned(), source.to_string()), ("event.id".to_owned(), id.to_owned())];
    let fingerprint = Fingerprint::new(&rule.id, key.iter().map(|(field, text)| (field.as_str(), text.as_str())));
    // The hash stands for the pair (source, id): which variant came first must not show.
    let sha256 = Sha256::of(format!("{source}\n{id}").as_bytes());
    Finding {
        rule,
        order: EventOrder { time: at, source: source.clone(), id: id.into(), sha256 },
        timeless: false,
        key,
        fingerprint,
        urgency: Urgency::Ticket,
        arrival: Arrival::OnTime,
        facts: Vec::new(),
        evidence: Vec::new(),
        basis: Basis::Event,
        position,
    }
}
