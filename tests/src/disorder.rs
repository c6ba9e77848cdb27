//! Timelines that were never in order: random events with ties, rules of every life, and what must come of them by a model
//! too simple to be wrong.
//!
//! The same seed gives the same timeline everywhere. The model must never share code with the product's sealing.

use std::collections::BTreeMap;

use model::{Fingerprint, Sha256, Timestamp};
use serde_json::{Value, json};

use crate::arrivals::Arrivals;
use crate::generate::Random;

/// 2026-10-05T08:00:00Z.
const START_MS: i64 = 1_791_187_200_000;

/// Name of the source in every record.
pub const SOURCE: &str = "replay";

/// One event.
#[derive(Debug, Clone)]
pub struct Event {
    /// Event time in milliseconds.
    pub at_ms: i64,
    /// Event id: the record's own, else the hash of its bytes.
    pub id: String,
    /// It has an id of its own, so that a copy of it is a duplicate.
    pub has_id: bool,
    /// Its bytes.
    pub line: String,
    /// Its fields.
    pub fields: BTreeMap<&'static str, String>,
}

/// How urgent a rule's alerts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// No `x-alert` at all.
    Unsaid,
    /// `ticket`.
    Ticket,
    /// `page`.
    Page,
    /// `page` where `env` is prod, else `ticket`.
    PageInProd,
}

/// A rule: it holds where field `k` is its letter.
#[derive(Debug, Clone)]
pub struct RuleSpec {
    /// Rule id.
    pub id: String,
    /// Value of `k`; `*` for any.
    pub letter: &'static str,
    /// Where it is told.
    pub route: Route,
    /// Fields of its fingerprint; empty: the event id.
    pub key: Vec<&'static str>,
    /// Its own re-alert period in seconds.
    pub realert_s: Option<i64>,
}

/// Events and rules.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// In total order, each once.
    pub events: Vec<Event>,
    /// By rule id.
    pub rules: Vec<RuleSpec>,
    /// Allowed lateness in seconds.
    pub lateness_s: i64,
}

/// A timeline of up to 60 events over some hours, many of them at the same times.
pub fn timeline(random: &mut Random) -> Timeline {
    let rules = (0..1 + random.below(4)).map(|at| rule(random, at)).collect();
    let lateness_s = random.pick(&[0, 1, 60, 1800, 7200]);
    let step_s = random.pick(&[1, 60, 600, 1800, 3600]) as usize;
    let mut events: Vec<Event> = (0..random.below(60)).map(|at| event(random, at, step_s)).collect();
    events.sort_by_cached_key(|event| (event.at_ms, event.id.clone(), Sha256::of(event.line.as_bytes()).hex()));
    Timeline { events, rules, lateness_s }
}

fn rule(random: &mut Random, at: usize) -> RuleSpec {
    let route = random.pick(&[Route::Unsaid, Route::Ticket, Route::Page, Route::PageInProd, Route::PageInProd]);
    let key = match random.below(4) {
        _ if route == Route::Unsaid => vec![],
        0 => vec![],
        1 => vec!["u", "v"],
        _ => vec!["u"],
    };
    let realert_s = random.percent(60).then(|| random.pick(&[1, 60, 600, 3600])).filter(|_| route != Route::Unsaid);
    // Ids whose order is not the order of the rules.
    let id = format!("{:08x}-0000-4000-8000-{at:012}", random.bits() as u32);
    RuleSpec { id, letter: random.pick(&["a", "a", "b", "*"]), route, key, realert_s }
}

fn event(random: &mut Random, at: usize, step_s: usize) -> Event {
    let ms = if random.percent(10) { random.pick(&[1, 999]) } else { 0 };
    let at_ms = START_MS + (random.below(12) * step_s) as i64 * 1000 + ms;
    let mut fields = BTreeMap::new();
    fields.insert("k", random.pick(&["a", "a", "b", "c"]).to_owned());
    for (name, of_hundred, values) in [("u", 85, ["x", "y"]), ("v", 60, ["1", "2"]), ("env", 50, ["prod", "dev"])] {
        if random.percent(of_hundred) {
            fields.insert(name, random.pick(&values).to_owned());
        }
    }
    let has_id = random.percent(85);
    // Few ids, so that one id comes with other bytes, too.
    let own_id = if random.percent(90) { format!("e{at}") } else { format!("e{}", random.below(8)) };
    let mut record = json!({"t": Timestamp::from_ms(at_ms).to_string()});
    if has_id {
        record["id"] = json!(own_id);
    }
    for (name, value) in &fields {
        record[*name] = json!(value);
    }
    let line = record.to_string();
    let id = if has_id { own_id } else { Sha256::of(line.as_bytes()).hex() };
    Event { at_ms, id, has_id, line, fields }
}

impl Timeline {
    /// The rules as one YAML file; their order in it is not the order of their ids.
    pub fn rules_text(&self) -> String {
        self.rules.iter().map(RuleSpec::text).collect::<Vec<_>>().join("---\n")
    }

    /// The lines of some files as they might arrive: each event in one of them, none later than lateness allows, and
    /// copies of those that have an id.
    pub fn arrivals(&self, random: &mut Random, files: usize, copies: bool) -> Vec<Vec<String>> {
        let mut arriving = Arrivals::new(files);
        let lateness_ms = self.lateness_s * 1000;
        let late = |random: &mut Random| random.below(lateness_ms as usize + 1) as i64;
        for event in &self.events {
            let place = (event.at_ms + late(random), random.below(files));
            arriving.add(random, place, &event.line);
            while copies && event.has_id && random.percent(25) {
                let on_time_ms = event.at_ms + late(random);
                arriving.add_copy(random, on_time_ms, place, &event.line);
            }
        }
        arriving.lines()
    }

    /// What must be told: each alert's life by going through its matches one after another.
    pub fn expected(&self) -> Vec<Value> {
        let mut told: Vec<(Place, Value)> = Vec::new();
        for rule in &self.rules {
            let mut by_key: BTreeMap<Vec<(String, String)>, Vec<&Event>> = BTreeMap::new();
            let mut seen: Vec<&str> = Vec::new();
            for event in self.events.iter().filter(|event| rule.holds(event)) {
                if event.has_id && seen.contains(&event.line.as_str()) {
                    continue;
                }
                seen.push(&event.line);
                by_key.entry(rule.key_of(event)).or_default().push(event);
            }
            for (key, events) in by_key {
                rule.life(&key, &events, &mut told);
            }
        }
        told.sort_by(|(a, _), (b, _)| a.cmp(b));
        told.into_iter().map(|(_, record)| record).collect()
    }
}

/// Time, event before timer, event id, event hash, rule id, fingerprint.
type Place = (i64, bool, String, String, String, String);

impl RuleSpec {
    fn text(&self) -> String {
        let RuleSpec { id, letter, .. } = self;
        let mut text = format!(
            "title: Rule {id}\nid: {id}\nlogsource: {{category: test}}\ndetection:\n  s: {{k: '{letter}'}}\n  condition: s\nlevel: low\n"
        );
        let route = match self.route {
            Route::Unsaid => return text,
            Route::Ticket => "ticket",
            Route::Page => "page",
            Route::PageInProd => "[{when: {env: prod}, route: page}, {route: ticket}]",
        };
        text += &format!("x-alert:\n  route: {route}\n");
        if !self.key.is_empty() {
            text += &format!("  fingerprint: [{}]\n", self.key.join(", "));
        }
        if let Some(seconds) = self.realert_s {
            text += &format!("  realert: {seconds}s\n");
        }
        text
    }

    fn holds(&self, event: &Event) -> bool {
        self.letter == "*" || event.fields["k"] == self.letter
    }

    fn key_of(&self, event: &Event) -> Vec<(String, String)> {
        let declared = self.key.iter().map(|field| Some(((*field).to_owned(), event.fields.get(field)?.clone())));
        match declared.collect::<Option<Vec<_>>>() {
            Some(key) if !key.is_empty() => key,
            _ => vec![("event.id".to_owned(), event.id.clone())],
        }
    }

    fn pages(&self, event: &Event) -> bool {
        match self.route {
            Route::Unsaid | Route::Ticket => false,
            Route::Page => true,
            Route::PageInProd => event.fields.get("env").is_some_and(|env| env == "prod"),
        }
    }

    fn realert_ms(&self, page: bool) -> i64 {
        self.realert_s.unwrap_or(if page { 3_600 } else { 86_400 }) * 1000
    }

    /// The records of one fingerprint. `events`: where the rule holds, in total order.
    fn life(&self, key: &[(String, String)], events: &[&Event], told: &mut Vec<(Place, Value)>) {
        let print = Fingerprint::new(&self.id, key.iter().map(|(field, text)| (field.as_str(), text.as_str()))).hex();
        let mut say = |state: &str, at_ms: i64, event: Option<&Event>, page: bool, since: &[&Event], count: usize| {
            let hash = |event: &Event| Sha256::of(event.line.as_bytes()).hex();
            let place = (
                at_ms,
                event.is_none(),
                event.map_or(String::new(), |e| e.id.clone()),
                event.map_or(String::new(), hash),
            );
            let newest = &since[since.len().saturating_sub(16)..];
            let evidence: Vec<Value> = newest.iter().map(|e| json!({"id": e.id, "sha256": hash(e)})).collect();
            let record = json!({
                "state": state,
                "event_time": Timestamp::from_ms(at_ms).to_string(),
                "urgency": if page { "page" } else { "ticket" },
                "rule": self.id,
                "fingerprint": print,
                "group": key.iter().cloned().collect::<BTreeMap<_, _>>(),
                "count": count,
                "suppressed": since.len() - usize::from(event.is_some()),
                "evidence": evidence,
            });
            told.push(((place.0, place.1, place.2, place.3, self.id.clone(), print.clone()), record));
        };
        let mut rest = events;
        while let Some((first, behind)) = rest.split_first() {
            rest = behind;
            let (mut page, mut told_at, mut held_at, mut count) = (self.pages(first), first.at_ms, first.at_ms, 1);
            let mut since = Vec::new();
            say("firing", first.at_ms, Some(first), page, &[first], count);
            while let Some((next, behind)) = rest.split_first() {
                if next.at_ms > held_at + self.realert_ms(page) {
                    break;
                }
                rest = behind;
                count += 1;
                held_at = next.at_ms;
                since.push(*next);
                let state = match () {
                    () if self.pages(next) && !page => "raised",
                    () if next.at_ms > told_at + self.realert_ms(page) => "repeat",
                    () => continue,
                };
                page |= self.pages(next);
                told_at = next.at_ms;
                say(state, next.at_ms, Some(next), page, &since, count);
                since.clear();
            }
            say("expired", held_at + self.realert_ms(page), None, page, &since, count);
        }
    }
}

/// The part of a record that the model speaks of.
pub fn compared(record: &Value) -> Value {
    let mut part = serde_json::Map::new();
    for name in ["state", "event_time", "urgency", "fingerprint", "group", "count", "suppressed", "evidence"] {
        part.insert(name.to_owned(), record[name].clone());
    }
    part.insert("rule".to_owned(), record["rule"]["id"].clone());
    Value::Object(part)
}
