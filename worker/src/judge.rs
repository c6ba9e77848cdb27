//! Stage one: bytes to judgements. Decodes each record, evaluates its rules, and builds findings for those that hold.
//!
//! Runs on any number of threads and remembers nothing between records, so it may run in any order. What depends on
//! order (lateness, duplicates, folding) must never be decided here.

use std::borrow::Cow;
use std::sync::Arc;

use ingest::enrich::Missed;
use ingest::format::Shape;
use ingest::{Identity, Read, Seen};
use model::{
    Arrival, Basis, Carrying, Event, EventOrder, Evidence, Finding, Fingerprint, Held, Invalid, Occurrence, Partition,
    Position, Row, Sha256, Timestamp, View,
};
use rules::lineage::{FROM, LinkReader, StartReader};
use rules::{AlertKey, Evaluator, Match, ToldOf};

use crate::engine::{DEFAULT_KEY, Engine, Route};
use crate::health::Spoken;
use crate::naming::Naming;
use crate::pipeline::Linked;

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
        /// What is remembered of it.
        occurrence: Option<Box<Occurrence>>,
        /// Its lineage keys, where somebody asks for them and it has some.
        links: Option<Box<Linked>>,
        /// Tables that rules asked for it in vain.
        missed: Missed,
        /// What it says of how sources are.
        said: Option<Box<Spoken>>,
        /// All of it, where an archive is written or objectives look at it.
        archived: Option<Box<Event>>,
    },
}

/// Judges records of one source. One per thread.
pub struct Judge {
    engine: Arc<Engine>,
    decoding: ingest::Scratch,
    scratch: Scratch,
}

/// Memory reused from record to record, apart from the engine: nothing that threads share is touched for each record.
struct Scratch {
    model: Row,
    facts: Row,
    facts_raw: Row,
    evaluator: Evaluator,
    matches: Vec<Match>,
    carrying: Carrying,
    naming: Naming,
}

impl Judge {
    /// A judge of a source.
    pub fn new(engine: Arc<Engine>) -> Judge {
        let fields = engine.rules.graph.named_fields().into_iter().map(|(_, name)| name);
        let scratch = Scratch {
            model: Row::default(),
            facts: Row::default(),
            facts_raw: Row::default(),
            evaluator: Evaluator::default(),
            matches: Vec::new(),
            carrying: Carrying::default(),
            naming: Naming::new(engine.keys.redaction, fields),
        };
        Judge { engine, decoding: Default::default(), scratch }
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
        let Judge { engine, decoding, scratch } = self;
        match simdutf8::basic::from_utf8(chunk.get(bounds.clone()).unwrap_or_default()) {
            Err(_) => judgements.push(Judgement { offset, bounds, fate: Fate::Invalid(Invalid::NotUtf8) }),
            Ok(text) => engine.decoder.read(decoding, text, bounds.start, &mut |bounds, read| {
                let fate = match read {
                    Read::Filtered => Fate::Filtered,
                    Read::Invalid(reason) => Fate::Invalid(reason),
                    Read::Event(seen) => scratch.event(engine, seen, partition, offset).unwrap_or_else(Fate::Invalid),
                };
                judgements.push(Judgement { offset, bounds, fate });
            }),
        }
    }
}

impl Scratch {
    fn event(&mut self, engine: &Engine, seen: Seen<'_>, partition: &Partition, offset: i64) -> Result<Fate, Invalid> {
        let plan = engine.decoder.plans().get(seen.plan).ok_or(Invalid::UnknownFormat)?;
        let route = engine.routes.get(seen.plan).ok_or(Invalid::UnknownFormat)?;
        let (text, decoded) = (seen.text, &seen.decoded);
        if decoded.time.is_none() && (plan.format().mapping.is_some() || !engine.reading.time.is_empty()) {
            return Err(Invalid::NoTime);
        }
        if let (Some(allowed), Some(class)) = (&engine.reading.classes, decoded.class)
            && !allowed.contains(&class)
        {
            return Err(Invalid::ClassNotAllowed);
        }
        let identity = decoded.id.as_deref().map(|id| engine.keys.identity.identity(id.as_bytes(), text.as_bytes()));
        let matches = &mut self.matches;
        matches.clear();
        if !route.raw.is_empty() {
            let when = (&*engine.lists, decoded.time);
            self.evaluator.matches(&route.raw, seen.raw, when, matches, &mut self.carrying);
        }
        let mut missed = Missed::default();
        let program = decoded.class.and_then(|class| route.classes.get(&class));
        let mut reader = decoded.class.and_then(|class| route.links.get(&class));
        if (program.is_some() || reader.is_some())
            && let Some(in_vain) = plan.map(decoded, seen.raw, &engine.reading.source, &mut self.model)
        {
            missed = in_vain;
            let when = (&*engine.lists, decoded.time);
            if let Some(program) = program {
                self.evaluator.matches(program, self.model.view(text), when, matches, &mut self.carrying);
            }
        } else {
            reader = None;
        }
        let (mut findings, occurrence) = if matches.is_empty() {
            (Vec::new(), None)
        } else {
            let at = Matched { engine, route, seen: &seen, partition, offset };
            at.told(matches, (&mut self.carrying, &mut self.naming), &mut self.facts_raw, &mut self.facts)
        };
        let asked = decoded.class.and_then(|class| route.starts.get(&class)).filter(|_| !findings.is_empty());
        asked.into_iter().flatten().for_each(|asked| self.ask(asked, text, &mut findings));
        let listening = route.listening.as_ref();
        let said =
            listening.and_then(|of| of.hear(&seen, &engine.reading.source, &mut self.facts_raw, &mut self.facts));
        let links = reader.and_then(|reader| {
            let of_finding = findings.first().map(|finding| finding.order.sha256);
            let evidence = of_finding.or(occurrence.as_ref().map(|event| event.order.sha256));
            // Without incidents nobody asks where evidence stands.
            self.links(reader, &seen, evidence.filter(|_| engine.reading.lineage))
        });
        let archiving = engine.archiving.get(seen.plan).filter(|_| engine.wants_all(decoded.class));
        let archived = archiving.map(|archiving| {
            let rows = (&mut self.facts_raw, &mut self.facts);
            archiving.event(&seen, &engine.reading.source, engine.keys.redaction, rows)
        });
        Ok(Fate::Event { time: decoded.time, identity, findings, occurrence, links, missed, said, archived })
    }

    /// The keys of the event at hand from which a rule asks lineage go with its finding.
    fn ask(&mut self, (version, reader): &(Sha256, StartReader), text: &str, findings: &mut [Finding]) {
        let Scratch { model, naming, .. } = self;
        for finding in findings.iter_mut().filter(|finding| finding.rule.version == *version) {
            let from = reader.read(model.view(text), &mut |kind, text| naming.key(kind, text));
            finding.facts.push((FROM.to_owned(), from));
        }
    }

    /// The lineage keys of the event at hand, where they can make an edge or the event may become evidence.
    fn links(&mut self, reader: &LinkReader, seen: &Seen<'_>, evidence: Option<Sha256>) -> Option<Box<Linked>> {
        let Scratch { model, naming, .. } = self;
        let (view, decoded) = (model.view(seen.text), &seen.decoded);
        let (time, class) = (decoded.time?, decoded.class?);
        if evidence.is_none() && !reader.joins(view, decoded.action, decoded.verdict) {
            return None;
        }
        let hash;
        let id = match decoded.id.as_deref() {
            Some(id) => naming.id(id),
            None => {
                hash = evidence.unwrap_or_else(|| Sha256::of(seen.text.as_bytes())).hex();
                Cow::Borrowed(hash.as_str())
            }
        };
        // A source may write anything there.
        let action = naming.id(decoded.action);
        let what = (class, &*action, decoded.verdict);
        let links = reader.read(view, (time, &id), what, &mut |kind, text| naming.key(kind, text))?;
        Some(Box::new(Linked::new(&links, evidence)))
    }
}

/// An event at which rules hold.
struct Matched<'e> {
    engine: &'e Engine,
    route: &'e Route,
    seen: &'e Seen<'e>,
    partition: &'e Partition,
    offset: i64,
}

impl Matched<'_> {
    /// The findings of rules that one event decides, and what is remembered of it.
    fn told(
        &self,
        matches: &mut Vec<Match>,
        (carrying, naming): (&mut Carrying, &mut Naming),
        raw: &mut Row,
        facts: &mut Row,
    ) -> (Vec<Finding>, Option<Box<Occurrence>>) {
        let sha256 = Sha256::of(self.seen.text.as_bytes());
        let id: Arc<str> = match &self.seen.decoded.id {
            Some(id) => naming.id(id).as_ref().into(),
            None => sha256.hex().into(),
        };
        let source = self.engine.reading.source.clone();
        let time = self.seen.decoded.time;
        let order = EventOrder { time: time.unwrap_or(Timestamp::from_ms(self.offset)), source, id, sha256 };
        let known = if matches.iter().any(|found| found.told.is_some()) { self.facts(raw, facts) } else { Vec::new() };
        let (mut findings, mut held) = (Vec::new(), Vec::new());
        for found in matches.drain(..) {
            let Match { rule, told, is_watched } = found;
            let finding = told.and_then(|told| self.finding(rule, told, &order, &known));
            if !is_watched {
                findings.extend(finding);
            } else if self.engine.rules.graph.watched(rule).is_some_and(|watched| watched.remembers) {
                held.push(Held { rule, finding: finding.map(Box::new) });
            } else {
                findings.extend(finding);
                held.push(Held { rule, finding: None });
            }
        }
        if !held.is_empty() {
            carrying.replace(|field, text| naming.carried(field, text));
        }
        let carried = carrying.take();
        // Without a time an event is in no window.
        let occurrence = (!held.is_empty() && time.is_some()).then(|| {
            let position = Position { partition: self.partition.clone(), offset: self.offset };
            Box::new(Occurrence { order, arrival: Arrival::OnTime, position, fields: carried, held, gate: 0 })
        });
        (findings, occurrence)
    }

    fn finding(&self, rule: u32, found: ToldOf, order: &EventOrder, known: &[(String, String)]) -> Option<Finding> {
        let rule = self.engine.rules.infos.get(rule as usize)?.clone();
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
        let own = facts.len();
        for pair in known {
            let is_told = facts.iter().take(own).any(|(seen, _)| *seen == pair.0);
            if !is_told {
                facts.push(pair.clone());
            }
        }
        Some(Finding {
            rule,
            order: order.clone(),
            timeless: self.seen.decoded.time.is_none(),
            key,
            fingerprint,
            urgency: found.urgency,
            arrival: Arrival::OnTime,
            facts,
            evidence: vec![Evidence { id: order.id.clone(), sha256: order.sha256 }],
            basis: Basis::Event,
            position: Position { partition: self.partition.clone(), offset: self.offset },
        })
    }

    /// Who did what, in the model's words; nothing for raw JSON.
    fn facts(&self, raw: &mut Row, row: &mut Row) -> Vec<(String, String)> {
        if self.seen.decoded.class.is_none() {
            return Vec::new();
        }
        if self.route.facts.scan(self.seen.text, raw).is_err() {
            return Vec::new();
        }
        let view = raw.view(self.seen.text);
        let outer = self.seen.outer.as_ref();
        let Ok(Shape::Event(decoded)) = self.route.facts.shape(view, outer) else { return Vec::new() };
        self.route.facts.map(&decoded, view, &self.engine.reading.source, row);
        let view: View<'_> = row.view(self.seen.text);
        let fields = &self.route.fact_fields;
        let mut facts = Vec::new();
        for slot in 0..fields.len() as model::Slot {
            let text = view.values(slot).find_map(model::Scalar::as_text).map(Cow::into_owned);
            facts.extend(text.map(|text| (fields.name(slot).to_owned(), text)));
        }
        facts
    }
}
