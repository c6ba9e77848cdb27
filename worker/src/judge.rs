//! Stage one: bytes to judgements. Decodes each record, evaluates its rules, and builds findings for those that hold.
//!
//! Runs on any number of threads and remembers nothing between records, so it may run in any order. What depends on
//! order (lateness, duplicates, folding) must never be decided here.

use std::borrow::Cow;
use std::sync::Arc;

use ingest::Identity;
use ingest::format::{Container, Decoded, Shape};
use model::{
    Arrival, EventOrder, Evidence, Finding, Fingerprint, Invalid, Partition, Position, Row, Sha256, Timestamp, View,
};
use rules::{AlertKey, Evaluator, Match};

use crate::engine::{DEFAULT_KEY, Engine, Route, Speaks};

/// What became of one record (or of one record in a container).
#[derive(Debug)]
pub struct Judgement {
    /// Offset of the record in its partition.
    pub offset: i64,
    /// Where its bytes stand in the chunk.
    pub bounds: std::ops::Range<usize>,
    /// Its fate so far.
    pub fate: Fate,
}

/// See [`Judgement::fate`].
#[derive(Debug)]
pub enum Fate {
    /// Of no interest.
    Filtered,
    /// Cannot be decoded.
    Invalid(Invalid),
    /// An event, with the findings of the rules that hold at it.
    Event {
        /// Event time; None where the source has none.
        time: Option<Timestamp>,
        /// Of id and bytes; None where the event has no id.
        identity: Option<Identity>,
        /// Nearly always empty, and then without memory of its own.
        findings: Vec<Finding>,
    },
}

/// Judges records of one source. One per thread.
pub struct Judge {
    engine: Arc<Engine>,
    scratch: Scratch,
}

/// Memory reused from record to record, apart from the engine: nothing that threads share is touched for each record.
#[derive(Default)]
struct Scratch {
    raw: Row,
    model: Row,
    facts: Row,
    evaluator: Evaluator,
    matches: Vec<Match>,
    /// The format that recognised the last record: nearly always the next one's too.
    last_route: usize,
}

/// Containers within containers end here.
const CONTAINER_DEPTH_MAX: usize = 4;

impl Judge {
    /// A judge of a source.
    pub fn new(engine: Arc<Engine>) -> Judge {
        Judge { engine, scratch: Scratch::default() }
    }

    /// Judges one record of a chunk; a container gives a judgement for each record in it.
    pub fn record(
        &mut self,
        chunk: &[u8],
        bounds: std::ops::Range<usize>,
        partition: &Partition,
        offset: i64,
        judgements: &mut Vec<Judgement>,
    ) {
        let fate = match simdutf8::basic::from_utf8(chunk.get(bounds.clone()).unwrap_or_default()) {
            Err(_) => Err(Invalid::NotUtf8),
            Ok(text) => {
                let base = bounds.start;
                self.scratch.text(&self.engine, text, base, partition, offset, judgements, 0)
            }
        };
        if let Err(reason) = fate {
            judgements.push(Judgement { offset, bounds, fate: Fate::Invalid(reason) });
        }
    }
}

impl Scratch {
    #[allow(clippy::too_many_arguments, reason = "a record and its place")]
    fn text(
        &mut self,
        engine: &Engine,
        text: &str,
        base: usize,
        partition: &Partition,
        offset: i64,
        judgements: &mut Vec<Judgement>,
        depth: usize,
    ) -> Result<(), Invalid> {
        let elements = match text.as_bytes().first() {
            Some(b'[') => ingest::array(text)?,
            Some(b'{') => match self.object(engine, text, partition, offset)? {
                Judged::Fate(fate) => {
                    judgements.push(Judgement { offset, bounds: base..base + text.len(), fate });
                    return Ok(());
                }
                Judged::Container(container) => ingest::elements(text, container)?,
            },
            // White space before the value: rare, and then not part of the record.
            Some(b) if b.is_ascii_whitespace() => {
                let trimmed = text.trim_ascii_start();
                return self.text(
                    engine,
                    trimmed,
                    base + (text.len() - trimmed.len()),
                    partition,
                    offset,
                    judgements,
                    depth,
                );
            }
            _ => return Err(if ingest::is_json(text) { Invalid::WrongShape } else { Invalid::NotJson }),
        };
        if depth >= CONTAINER_DEPTH_MAX {
            return Err(Invalid::TooDeep);
        }
        if elements.is_empty() {
            judgements.push(Judgement { offset, bounds: base..base + text.len(), fate: Fate::Filtered });
        }
        for element in elements {
            let at = base + (element.as_ptr() as usize - text.as_ptr() as usize);
            if let Err(reason) = self.text(engine, element, at, partition, offset, judgements, depth + 1) {
                judgements.push(Judgement { offset, bounds: at..at + element.len(), fate: Fate::Invalid(reason) });
            }
        }
        Ok(())
    }

    fn object(&mut self, engine: &Engine, text: &str, partition: &Partition, offset: i64) -> Result<Judged, Invalid> {
        let Some(route) = engine.routes.get(self.route(engine, text)?) else { return Err(Invalid::UnknownFormat) };
        let view = self.raw.view(text);
        let decoded = match route.plan.shape(view)? {
            Shape::Container(container) => return Ok(Judged::Container(container)),
            Shape::Filtered => return Ok(Judged::Fate(Fate::Filtered)),
            Shape::Event(decoded) => decoded,
        };
        if decoded.time.is_none() && (route.plan.format().mapping.is_some() || !engine.reading.time.is_empty()) {
            return Err(Invalid::NoTime);
        }
        if let (Some(allowed), Some(class)) = (&engine.reading.classes, decoded.class)
            && !allowed.contains(&class)
        {
            return Err(Invalid::ClassNotAllowed);
        }
        let identity = decoded.id.as_deref().map(|id| engine.key.identity(id.as_bytes(), text.as_bytes()));
        let matches = &mut self.matches;
        matches.clear();
        if !route.raw.is_empty() {
            self.evaluator.matches(&route.raw, view, &engine.lists, decoded.time, matches);
        }
        if let Some(program) = decoded.class.and_then(|class| route.classes.get(&class))
            && route.plan.map(&decoded, view, &engine.reading.source, &mut self.model)
        {
            self.evaluator.matches(program, self.model.view(text), &engine.lists, decoded.time, matches);
        }
        let findings = if matches.is_empty() {
            Vec::new()
        } else {
            let at = Seen { engine, route, text, decoded: &decoded, partition, offset };
            at.findings(std::mem::take(matches), &mut self.facts)
        };
        Ok(Judged::Fate(Fate::Event { time: decoded.time, identity, findings }))
    }

    /// Scans a record as the format that it is of: the source's one, or the first that recognises it, the last record's
    /// format first.
    fn route(&mut self, engine: &Engine, text: &str) -> Result<usize, Invalid> {
        let guess = matches!(engine.reading.speaks, Speaks::Guess(_));
        let last = self.last_route;
        let others = (0..engine.routes.len()).filter(|&at| at != last);
        for at in std::iter::once(last).chain(others) {
            let Some(route) = engine.routes.get(at) else { continue };
            route.plan.scan(text, &mut self.raw)?;
            if !guess || route.plan.recognises(self.raw.view(text)) {
                self.last_route = at;
                return Ok(at);
            }
        }
        Err(Invalid::UnknownFormat)
    }
}

enum Judged {
    Fate(Fate),
    Container(Container),
}

/// An event at which rules hold.
struct Seen<'e> {
    engine: &'e Engine,
    route: &'e Route,
    text: &'e str,
    decoded: &'e Decoded<'e>,
    partition: &'e Partition,
    offset: i64,
}

impl Seen<'_> {
    fn findings(&self, matches: Vec<Match>, facts: &mut Row) -> Vec<Finding> {
        let sha256 = Sha256::of(self.text.as_bytes());
        let id: Arc<str> = match &self.decoded.id {
            Some(id) => id.as_ref().into(),
            None => sha256.hex().into(),
        };
        let source = self.engine.reading.source.clone();
        let time = self.decoded.time;
        let order = EventOrder { time: time.unwrap_or(Timestamp::from_ms(self.offset)), source, id, sha256 };
        let known = self.facts(facts);
        matches.into_iter().filter_map(|found| self.finding(found, &order, &known)).collect()
    }

    fn finding(&self, found: Match, order: &EventOrder, known: &[(String, String)]) -> Option<Finding> {
        let rule = self.engine.rules.infos.get(found.rule as usize)?.clone();
        let by_event = || vec![("event.id".to_owned(), order.id.to_string())];
        let key = match found.key {
            AlertKey::Declared(key) => key,
            AlertKey::Event => by_event(),
            AlertKey::Default => DEFAULT_KEY
                .iter()
                .find_map(|field| known.iter().find(|(name, _)| name == field))
                .map_or_else(by_event, |pair| vec![pair.clone()]),
        };
        let fingerprint = Fingerprint::new(&rule.id, key.iter().map(|(field, text)| (field.as_str(), text.as_str())));
        let mut facts = found.facts;
        facts.extend(
            known.iter().filter(|(name, _)| !facts.iter().any(|(seen, _)| seen == name)).cloned().collect::<Vec<_>>(),
        );
        Some(Finding {
            rule,
            order: order.clone(),
            timeless: self.decoded.time.is_none(),
            key,
            fingerprint,
            urgency: found.urgency,
            arrival: Arrival::OnTime,
            facts,
            evidence: Some(Evidence { id: order.id.clone(), sha256: order.sha256 }),
            position: Position { partition: self.partition.clone(), offset: self.offset },
        })
    }

    /// Who did what, in the model's words; nothing for raw JSON.
    fn facts(&self, row: &mut Row) -> Vec<(String, String)> {
        if self.decoded.class.is_none() {
            return Vec::new();
        }
        let mut raw = Row::default();
        if self.route.facts.scan(self.text, &mut raw).is_err() {
            return Vec::new();
        }
        let view = raw.view(self.text);
        let Ok(Shape::Event(decoded)) = self.route.facts.shape(view) else { return Vec::new() };
        self.route.facts.map(&decoded, view, &self.engine.reading.source, row);
        let view: View<'_> = row.view(self.text);
        let fields = &self.route.fact_fields;
        let mut facts = Vec::new();
        for slot in 0..fields.len() as model::Slot {
            let text = view.values(slot).find_map(model::Scalar::as_text).map(Cow::into_owned);
            facts.extend(text.map(|text| (fields.name(slot).to_owned(), text)));
        }
        facts
    }
}
