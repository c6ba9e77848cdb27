//! The life of alerts: for each fingerprint its holds one after another, and what is told of them.
//!
//! Must never know what a document looks at.

use std::collections::BTreeMap;

use model::{Fingerprint, Timestamp};
use rules::ast::{Rule, Target};
use serde_json::{Value, json};

use super::{Documents, Event, Place, Told};
use crate::oracle;

/// The key of a rule's alert: the declared fields (several values as a list), else the event.
pub(super) fn rule_key(rule: &Rule, event: &Event) -> Vec<(String, String)> {
    let by_event = || vec![("event.id".to_owned(), event.id.clone())];
    let Some(declared) = rule.alert.as_ref().and_then(|alert| alert.fingerprint.as_ref()) else { return by_event() };
    let pair = |field: &String| {
        let texts = event.texts(field);
        let text = match texts.as_slice() {
            [] => return None,
            [one] => one.clone(),
            several => json!(several).to_string(),
        };
        Some((field.clone(), text))
    };
    declared.iter().map(pair).collect::<Option<Vec<_>>>().unwrap_or_else(by_event)
}

/// Place, rule id, fingerprint.
type Order = (Place, String, String);

struct Alert<'a> {
    documents: &'a Documents,
    events: &'a [Event],
    id: String,
    print: String,
    key: BTreeMap<String, String>,
    target: Target,
    told: Vec<(Order, Value)>,
}

/// An alert that stands.
struct Open {
    pages: bool,
    told_at: i64,
    held_at: i64,
    count: usize,
    suppressed: usize,
    evidence: Vec<usize>,
}

/// The records of everything that was told, in order.
pub(super) fn records(documents: &Documents, events: &[Event], told: Vec<Told>, every_match: bool) -> Vec<Value> {
    let mut by_print: BTreeMap<(String, String), Vec<Told>> = BTreeMap::new();
    for of in told {
        let id = documents.id(of.target).to_owned();
        let print = Fingerprint::new(&id, of.key.iter().map(|(field, text)| (field.as_str(), text.as_str()))).hex();
        by_print.entry((id, print)).or_default().push(of);
    }
    let mut records = Vec::new();
    for ((id, print), told) in by_print {
        let first = &told[0];
        let key = first.key.iter().cloned().collect();
        let mut alert = Alert { documents, events, id, print, key, target: first.target, told: Vec::new() };
        match every_match {
            true => alert.matches(&told),
            false => alert.live(&told),
        }
        records.extend(alert.told);
    }
    records.sort_by(|(a, _), (b, _)| a.cmp(b));
    records.into_iter().map(|(_, record)| record).collect()
}

impl Alert<'_> {
    fn say(&mut self, state: &str, place: Place, value: Option<f64>, open: &Open) {
        let evidence = &open.evidence[open.evidence.len().saturating_sub(model::EVIDENCE_MAX)..];
        let evidence: Vec<Value> = evidence
            .iter()
            .map(|&at| &self.events[at])
            .map(|event| json!({"id": event.id, "sha256": event.sha256()}))
            .collect();
        let record = json!({
            "state": state,
            "event_time": Timestamp::from_ms(place.at_ms).to_string(),
            "urgency": if open.pages { "page" } else { "ticket" },
            "rule": self.id,
            "fingerprint": self.print,
            "group": self.key,
            "count": open.count,
            "suppressed": open.suppressed,
            "value": value.map(super::arrival::measured),
            "evidence": evidence,
            "late": false,
        });
        self.told.push(((place, self.id.clone(), self.print.clone()), record));
    }

    fn realert_ms(&self, pages: bool) -> i64 {
        let own = self.documents.alert(self.target).and_then(|alert| alert.realert_ms);
        own.unwrap_or(if pages { 3_600_000 } else { 86_400_000 })
    }

    fn matches(&mut self, told: &[Told]) {
        for of in told.iter().filter(|of| !of.resolves) {
            self.say("match", of.place, of.value, &Open::new(of));
        }
    }

    fn live(&mut self, told: &[Told]) {
        let mut standing: Option<Open> = None;
        for of in told {
            if let Some(open) = standing.take_if(|open| of.place.at_ms > open.held_at + self.realert_ms(open.pages)) {
                self.expire(open);
            }
            let Some(open) = &mut standing else {
                if !of.resolves {
                    let mut open = Open::new(of);
                    self.say("firing", of.place, of.value, &open);
                    open.evidence.clear();
                    standing = Some(open);
                }
                continue;
            };
            if of.resolves {
                open.evidence.extend(&of.evidence);
                self.say("resolved", of.place, None, open);
                standing = None;
                continue;
            }
            open.count += 1;
            open.held_at = of.place.at_ms;
            if !of.by_one_event {
                open.evidence.clear();
            }
            open.evidence.extend(&of.evidence);
            let state = match () {
                () if of.pages && !open.pages => "raised",
                () if of.place.at_ms > open.told_at + self.realert_ms(open.pages) => "repeat",
                () => {
                    open.suppressed += 1;
                    continue;
                }
            };
            open.pages |= of.pages;
            open.told_at = of.place.at_ms;
            self.say(state, of.place, of.value, open);
            open.suppressed = 0;
            open.evidence.clear();
        }
        if let Some(open) = standing {
            self.expire(open);
        }
    }

    fn expire(&mut self, open: Open) {
        let at_ms = open.held_at + self.realert_ms(open.pages);
        self.say("expired", Place { at_ms, kind: 2, event: 0 }, None, &open);
    }
}

impl Open {
    fn new(of: &Told) -> Open {
        let at = of.place.at_ms;
        let evidence = of.evidence.clone();
        Open { pages: of.pages, told_at: at, held_at: at, count: 1, suppressed: 0, evidence }
    }
}

/// Records of late events: of rules that one event decides, one each.
pub(super) fn alone(documents: &Documents, late: &[Event], every_match: bool) -> Vec<Value> {
    let mut records = Vec::new();
    for (number, event) in late.iter().enumerate() {
        let place = Place { at_ms: event.at_ms, kind: 0, event: number };
        for (at, rule) in documents.rules.iter().enumerate() {
            let target = Target::Rule(at);
            let holds = rule.memories.is_empty() && oracle::holds(rule, &event.fields, &BTreeMap::new());
            if !holds || !documents.speaks(target) {
                continue;
            }
            let key = rule_key(rule, event);
            let print = Fingerprint::new(&rule.id, key.iter().map(|(field, text)| (field.as_str(), text.as_str())));
            let (id, print) = (rule.id.clone(), print.hex());
            let key = key.into_iter().collect();
            let mut alert = Alert { documents, events: late, id, print, key, target, told: Vec::new() };
            let pages = super::world::pages(rule.alert.as_ref(), event);
            let (told_at, held_at) = (event.at_ms, event.at_ms);
            let open = Open { pages, told_at, held_at, count: 1, suppressed: 0, evidence: vec![number] };
            alert.say(if every_match { "match" } else { "firing" }, place, None, &open);
            records.extend(alert.told.into_iter().map(|(_, mut record)| {
                record["late"] = json!(true);
                super::arrival::in_one_order(record)
            }));
        }
    }
    records.sort_by_key(Value::to_string);
    records
}
