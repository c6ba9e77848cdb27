//! Decoding, rules, lanes and correlations in one process, as the worker wires them, for records of raw JSON: what a job costs
//! without files, outlets, duplicates and books.
//!
//! Must never leave out what makes it exact: lateness, total order, cursors, evidence.

use std::path::PathBuf;
use std::sync::Arc;

use ingest::format::{Wanted, json};
use ingest::{Decoder, Gate, Read, Scratch, TimePolicy};
use model::{
    Arrival, Carrying, DetectorSpec, EventOrder, EventOutcome, Held, Occurrence, Partition, Position, RuleInfo, Sha256,
};
use rules::ast::Rule;
use rules::correlation::{Correlations, Graph, Limits};
use rules::parse::{Settings, load_texts};
use rules::{Evaluator, Lists, Match, Program};
use sinks::{CorrelatorId, LaneId, Mode, Sealer};

use crate::feed::info;

/// The same bounds as a replay's.
const LIMITS: sinks::Limits = sinks::Limits {
    open_alerts_max: 1_000_000,
    findings_waiting_max: 4_000_000,
    occurrences_waiting_max: 4_000_000,
    silences_max: 10_000,
};

/// Lines between two moves of the cursor: about what a chunk of a file holds.
const LINES: i64 = 100;

/// See the module.
pub struct Stages {
    decoder: Decoder,
    scratch: Scratch,
    program: Program,
    evaluator: Evaluator,
    matches: Vec<Match>,
    carrying: Carrying,
    lists: Lists,
    gate: Gate,
    sealer: Sealer,
    place: (LaneId, CorrelatorId),
    partition: Partition,
    offset: i64,
    told: u64,
}

impl Stages {
    /// One lane for the correlations of some documents over records with their time and id in these fields.
    ///
    /// # Panics
    /// When a document is refused.
    pub fn new(documents: &str, time: &str, id: &str, lateness_ms: i64) -> Stages {
        let loaded = load_texts(&[(PathBuf::from("rules.yml"), documents)], &Settings::default());
        assert!(loaded.refused.is_empty(), "{}", loaded.refused[0]);
        let rules: Vec<Arc<Rule>> = loaded.rules.into_iter().map(Arc::new).collect();
        let correlations: Vec<_> = loaded.correlations.into_iter().map(Arc::new).collect();
        let graph = Arc::new(Graph::new(&rules, &correlations, |index| index as usize >= rules.len()));
        let program = Program::compile_with(&rules, &graph, |at, _| graph.watched(at).is_some()).expect("compiles");
        let of_rules = rules.iter().map(|rule| info((rule.id.clone(), rule.title.clone(), rule.version)));
        let of_correlations = correlations.iter().map(|of| info((of.id.clone(), of.title.clone(), of.version)));
        let infos: Vec<Arc<RuleInfo>> = of_rules.chain(of_correlations).collect();
        let keys_max = 4_000_000;
        let correlations = Correlations::new(
            graph.clone(),
            Arc::new(Lists::default()),
            Limits { keys_max },
            |index| infos.get(index as usize).cloned(),
            |index| graph.decides(index),
            &|spec: &DetectorSpec| detectors::detector(spec, detectors::Limits { keys_max }),
        );
        let mut sealer = Sealer::new(Mode::EveryMatch, LIMITS, true);
        let lane = sealer.add_lane();
        let place = (lane, sealer.add_correlator(lane, Box::new(correlations.expect("compiles"))));
        let raw = program.projection().clone();
        let wanted = Wanted { raw, id: vec![id.to_owned()], time: vec![time.to_owned()], ..Wanted::default() };
        let mut gate = Gate::new(TimePolicy { lateness_ms, duplicates_max: 1 });
        gate.add_partition();
        Stages {
            decoder: Decoder::new(vec![(&json::FORMAT, wanted)], None, true),
            scratch: Scratch::default(),
            program,
            evaluator: Evaluator::default(),
            matches: Vec::new(),
            carrying: Carrying::default(),
            lists: Lists::default(),
            gate,
            sealer,
            place,
            partition: Partition { source: "stages".into(), name: "0".into() },
            offset: 0,
            told: 0,
        }
    }

    /// Takes a record in its order of arrival.
    ///
    /// # Panics
    /// When it is no event with a time, or comes later than it may.
    pub fn line(&mut self, line: &[u8]) {
        let Stages { decoder, scratch, program, evaluator, matches, carrying, lists, gate, .. } = self;
        let text = simdutf8::basic::from_utf8(line).expect("UTF-8");
        let mut remembered = None;
        decoder.read(scratch, text, 0, &mut |_, read| {
            let Read::Event(seen) = read else { panic!("no event: {text}") };
            let time = seen.decoded.time.expect("a time");
            assert_eq!(gate.admit(0, None, Some(time), None).outcome, EventOutcome::Accepted);
            matches.clear();
            evaluator.matches(program, seen.raw, (&*lists, Some(time)), matches, carrying);
            if !matches.is_empty() {
                let id = seen.decoded.id.as_deref().expect("an id").into();
                let sha256 = Sha256::of(text.as_bytes());
                remembered = Some((time, id, sha256));
            }
        });
        if let Some((time, id, sha256)) = remembered {
            let event = Occurrence {
                order: EventOrder { time, source: self.partition.source.clone(), id, sha256 },
                arrival: Arrival::OnTime,
                position: Position { partition: self.partition.clone(), offset: self.offset },
                fields: self.carrying.take(),
                held: self.matches.drain(..).map(|found| Held { rule: found.rule, finding: None }).collect(),
                gate: 0,
            };
            let told = &mut self.told;
            self.sealer.offer_event(self.place, Box::new(event), &mut |_| *told += 1);
        }
        self.offset += 1;
        if self.offset % LINES == 0 {
            self.advance();
        }
    }

    fn advance(&mut self) {
        let (watermark, told) = (self.gate.advance(), &mut self.told);
        self.sealer.advance(self.place.0, watermark, &mut |_| *told += 1);
    }

    /// The input has ended: gives how often a correlation held.
    pub fn end(mut self) -> u64 {
        self.gate.complete(0, model::Timestamp::MAX);
        self.advance();
        self.told
    }
}
