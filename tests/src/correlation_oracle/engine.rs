//! The product's own parts in one process: gate, program, correlations and sealing, wired as the worker wires them.
//!
//! One source, one lane, one thread. What holds the worker's wiring itself is a run of the binary.

use std::path::PathBuf;
use std::sync::Arc;

use ingest::{Gate, IdentityKey, TimePolicy, scan};
use model::{
    AlertRecord, Arrival, Basis, Carrying, DetectorSpec, EventOrder, EventOutcome, Evidence, Finding, Fingerprint,
    Held, Occurrence, Partition, Position, Row, RuleInfo, Sha256, SourceHealth, Timestamp,
};
use rules::ast::{AlertSpec, Correlation, Rule};
use rules::correlation::{Correlations, Graph, Limits};
use rules::parse::{Settings, load_texts};
use rules::{AlertKey, Evaluator, Lists, Match, Program};
use serde_json::Value;
use sinks::{LaneId, Mode, Sealed, Sealer};

use super::SOURCE;
use super::draw::Case;
use super::health::Said;

/// The parts, in one lane.
pub(super) struct Wired {
    infos: Vec<Arc<RuleInfo>>,
    graph: Arc<Graph>,
    program: Program,
    lists: Arc<Lists>,
    pub(super) sealer: Sealer,
    pub(super) lane: LaneId,
    evaluator: Evaluator,
    row: Row,
    carrying: Carrying,
    /// What was told ahead, where somebody asks.
    previews: Option<Vec<Value>>,
}

/// Everything that is told of a case, in the order in which it leaves. None: a document is refused.
pub fn told(case: &Case) -> Option<Vec<Value>> {
    run(case, false).map(|(records, _)| records)
}

/// The same, and what is told ahead of it and taken back.
pub fn told_ahead(case: &Case) -> Option<(Vec<Value>, Vec<Value>)> {
    run(case, true)
}

fn run(case: &Case, previews: bool) -> Option<(Vec<Value>, Vec<Value>)> {
    let mut wired = Wired::new(case)?;
    wired.previews = previews.then(Vec::new);
    let lateness_ms = case.lateness_s * 1000;
    let mut gate = Gate::new(TimePolicy { lateness_ms, duplicates_max: 10_000 });
    let mut records = Vec::new();
    let mut tell = |sealed: Sealed| records.push(serde_json::to_value(sealed.1).expect("a record"));
    let mut read = vec![0; case.files.len()];
    case.files.iter().for_each(|_| {
        gate.add_partition();
    });
    let mut ended = vec![false; case.files.len()];
    let mut said = case.health.clone();
    if case.chunk > 1 {
        // As who reads a control log that is written; the others learn it when it comes to count.
        wired.heed(&mut said, i64::MAX);
    }
    // The input whose watermark is lowest comes next.
    while let Some(at) = (0..read.len()).filter(|&at| !ended[at]).min_by_key(|&at| (gate.watermark(at), at)) {
        let lines = &case.files[at][read[at]..];
        let chunk = &lines[..case.chunk.min(lines.len())];
        for (number, line) in chunk.iter().enumerate() {
            wired.record(&mut gate, at, (read[at] + number) as i64, line, &mut tell);
        }
        read[at] += chunk.len();
        if chunk.is_empty() {
            ended[at] = true;
            gate.complete(at, Timestamp::MAX);
        }
        let cursor = gate.advance();
        wired.heed(&mut said, cursor.ms());
        wired.sealer.advance(wired.lane, cursor, &mut tell);
        let withdrawn = wired.sealer.withdrawn();
        wired.ahead(withdrawn);
        if case.chunk == 3 && !case.health.is_empty() {
            wired = wired.again(case)?;
        }
    }
    Some((records, wired.previews.unwrap_or_default()))
}

impl Wired {
    pub(super) fn new(case: &Case) -> Option<Wired> {
        let loaded = load_texts(&[(PathBuf::from("rules.yml"), case.documents.as_str())], &Settings::default());
        if !loaded.refused.is_empty() {
            return None;
        }
        let rules: Vec<Arc<Rule>> = loaded.rules.into_iter().map(Arc::new).collect();
        let correlations: Vec<Arc<Correlation>> = loaded.correlations.into_iter().map(Arc::new).collect();
        let silent = |index: u32| match (index as usize).checked_sub(rules.len()) {
            None => loaded.silent_rules.contains(&(index as usize)),
            Some(at) => loaded.silent_correlations.contains(&at),
        };
        let graph = Arc::new(Graph::new(&rules, &correlations, |index| !silent(index)));
        let takes_part = |at: u32, _: &Rule| !silent(at) || graph.watched(at).is_some();
        let program = Program::compile_with(&rules, &graph, takes_part).expect("compiles");
        let of_rules = rules.iter().map(|rule| info(&rule.id, &rule.title, rule.version, rule.alert.as_ref()));
        let of_correlations = correlations.iter().map(|of| info(&of.id, &of.title, of.version, of.alert.as_ref()));
        let infos: Vec<Arc<RuleInfo>> = of_rules.chain(of_correlations).collect();
        let lists = Arc::new(Lists::default());
        let limits = sinks::Limits {
            open_alerts_max: 100_000,
            findings_waiting_max: 100_000,
            occurrences_waiting_max: 100_000,
            silences_max: 100,
        };
        let mode = if case.every_match { Mode::EveryMatch } else { Mode::Alerts };
        let mut sealer = Sealer::new(mode, limits, true);
        let lane = sealer.add_lane();
        let (evaluator, row, carrying) = Default::default();
        let mut wired = Wired { infos, graph, program, lists, sealer, lane, evaluator, row, carrying, previews: None };
        let correlator = wired.correlator();
        wired.sealer.add_correlator(lane, Box::new(correlator));
        Some(wired)
    }

    /// The correlations of the case, with no state yet.
    pub(super) fn correlator(&self) -> Correlations {
        let of = |index: u32| self.infos.get(index as usize).cloned();
        let decides = |index| self.graph.decides(index);
        let limits = Limits { keys_max: 1 << 20 };
        let detector = |spec: &DetectorSpec| detectors::detector(spec, detectors::Limits { keys_max: limits.keys_max });
        Correlations::new(self.graph.clone(), self.lists.clone(), limits, of, decides, &detector)
            .expect("compiles")
            .heeding(&|_| vec![SOURCE.into()])
    }

    /// Tells what is said of the source: all of it before anything is read, or what comes to count before a time.
    fn heed(&mut self, said: &mut Vec<Said>, before: i64) {
        let (now, later): (Vec<Said>, Vec<Said>) = said.iter().partition(|of| of.known_ms < before);
        *said = later;
        for Said { known_ms, state } in now {
            let said = SourceHealth { source: SOURCE.into(), state };
            self.sealer.heed(self.lane, &said, Timestamp::from_ms(known_ms));
        }
    }

    /// The same after a kill: all that is remembered comes out of a snapshot.
    fn again(self, case: &Case) -> Option<Wired> {
        let saved = self.sealer.snapshot(self.lane).expect("a snapshot");
        let mut next = Wired::new(case)?;
        next.previews = self.previews;
        next.sealer.restore(next.lane, &saved, &[Some(0)], next.previews.is_some()).expect("restored");
        Some(next)
    }

    fn ahead(&mut self, records: Vec<AlertRecord>) {
        if let Some(previews) = &mut self.previews {
            previews.extend(records.iter().map(|record| serde_json::to_value(record).expect("a record")));
        }
    }

    fn record(&mut self, gate: &mut Gate, partition: usize, offset: i64, line: &str, tell: &mut impl FnMut(Sealed)) {
        let event = super::Event::read(line);
        let identity = event.has_id.then(|| IdentityKey([1, 2, 3, 4]).identity(event.id.as_bytes(), line.as_bytes()));
        let time = Timestamp::from_ms(event.at_ms);
        let arrival = match gate.admit(partition, identity, Some(time), None).outcome {
            EventOutcome::Accepted => Arrival::OnTime,
            EventOutcome::Late { .. } => Arrival::Late,
            EventOutcome::Duplicate | EventOutcome::Dropped => return,
        };
        let (findings, occurrence) = self.judged(&event, (partition, offset), arrival);
        if self.previews.is_some() && arrival == Arrival::OnTime {
            let mut records = self.sealer.preview_timers(self.lane, gate.newest());
            records.extend(findings.iter().filter_map(|finding| self.sealer.preview(self.lane, finding)));
            records.extend(occurrence.iter().flat_map(|event| self.sealer.preview_event((self.lane, 0), event)));
            self.ahead(records);
        }
        findings.into_iter().for_each(|finding| self.sealer.offer(self.lane, finding, tell));
        if let Some(occurrence) = occurrence {
            self.sealer.offer_event((self.lane, 0), Box::new(occurrence), tell);
        }
    }

    /// The findings of one event and what is remembered of it.
    pub(super) fn judged(
        &mut self,
        event: &super::Event,
        (partition, offset): (usize, i64),
        arrival: Arrival,
    ) -> (Vec<Finding>, Option<Occurrence>) {
        let (line, time) = (event.line.as_str(), Timestamp::from_ms(event.at_ms));
        scan(line, self.program.projection(), &mut self.row).expect("scanned");
        let mut matches = Vec::new();
        let when = (&*self.lists, Some(time));
        self.evaluator.matches(&self.program, self.row.view(line), when, &mut matches, &mut self.carrying);
        let sha256 = Sha256::of(line.as_bytes());
        let order = EventOrder { time, source: SOURCE.into(), id: event.id.as_str().into(), sha256 };
        let name = Partition { source: SOURCE.into(), name: partition.to_string().into() };
        let position = Position { partition: name, offset };
        let (mut findings, mut held) = (Vec::new(), Vec::new());
        for Match { rule, told, is_watched } in matches {
            let finding = told.map(|told| {
                let key = match told.key {
                    AlertKey::Declared(key) => key,
                    AlertKey::Event | AlertKey::Default => vec![("event.id".to_owned(), order.id.to_string())],
                };
                self.finding(rule, key, told.urgency, (&order, &position, arrival))
            });
            if is_watched && self.graph.watched(rule).is_some_and(|watched| watched.remembers) {
                held.push(Held { rule, finding: finding.map(Box::new) });
                continue;
            }
            findings.extend(finding);
            if is_watched {
                held.push(Held { rule, finding: None });
            }
        }
        let fields = self.carrying.take();
        let occurrence = (!held.is_empty()).then(|| Occurrence { order, arrival, position, fields, held, gate: 0 });
        (findings, occurrence)
    }

    fn finding(
        &self,
        rule: u32,
        key: Vec<(String, String)>,
        urgency: model::Urgency,
        (order, position, arrival): (&EventOrder, &Position, Arrival),
    ) -> Finding {
        let rule = self.infos[rule as usize].clone();
        let fingerprint = Fingerprint::new(&rule.id, key.iter().map(|(field, text)| (field.as_str(), text.as_str())));
        Finding {
            rule,
            order: order.clone(),
            timeless: false,
            key,
            fingerprint,
            urgency,
            arrival,
            facts: Vec::new(),
            evidence: vec![Evidence { id: order.id.clone(), sha256: order.sha256 }],
            basis: Basis::Event,
            position: position.clone(),
        }
    }
}

fn info(id: &str, title: &str, version: Sha256, alert: Option<&AlertSpec>) -> Arc<RuleInfo> {
    Arc::new(RuleInfo {
        id: id.into(),
        name: None,
        title: title.to_owned(),
        severity: model::Severity::Medium,
        version,
        tags: Vec::new(),
        realert_ms: alert.and_then(|alert| alert.realert_ms),
        owner: None,
        runbook: None,
        group: Vec::new(),
        suppress_when: Vec::new(),
        shadow: false,
        custom: serde_json::Map::new(),
    })
}
