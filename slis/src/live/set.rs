//! Objectives that run: read from files, each with its indicator and with what its alerts say of it.
//!
//! Must never run an objective that pages and names nobody who is paged, nor what to do then.

use std::collections::BTreeSet;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use model::{
    Arrival, Carried, Event, EventClass, EventOrder, Occurrence, Position, RuleInfo, Severity, Sha256, Urgency,
};

use super::carried::Names;
use crate::definition::{Definition, Measure};
use crate::slo::Slo;

/// The objectives that come along.
static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/objectives");

/// One objective with its indicator's place and its rule.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) slo: Slo,
    pub(super) indicator: Arc<str>,
    pub(super) rule: Arc<RuleInfo>,
}

/// See the module.
#[derive(Debug)]
pub struct ObjectiveSet {
    pub(super) running: Vec<Running>,
    pub(super) definitions: Arc<[Definition]>,
    pub(super) names: Names,
    heard: BTreeSet<EventClass>,
    version: Sha256,
}

impl ObjectiveSet {
    /// Reads objectives: file names and their texts.
    ///
    /// # Errors
    /// Every problem at once, each with file, path and hint.
    pub fn read<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Result<ObjectiveSet, Vec<String>> {
        let all = Definition::shipped().map_err(|error| error.0)?;
        let (mut running, mut problems, mut hashed): (Vec<Running>, Vec<String>, String) = Default::default();
        for (file, text) in texts {
            match Slo::parse(text, &all) {
                Err(found) => problems.extend(found.into_iter().map(|problem| format!("{file}: {problem}"))),
                Ok(slo) if slo.pages() && (slo.owner.is_none() || slo.runbook.is_none()) => {
                    problems.push(format!("{file}: spec.x-alerting: pages nobody (hint: owner: TEAM, runbook: URL)"));
                }
                Ok(slo) if running.iter().any(|other| other.slo.name == slo.name) => {
                    problems.push(format!("{file}: metadata.name: {:?} is taken (hint: another name)", slo.name));
                }
                Ok(slo) => {
                    let rule = Arc::new(rule(&slo, text));
                    hashed.push_str(&rule.version.hex());
                    running.push(Running { indicator: slo.indicator.as_str().into(), slo, rule });
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let is_asked = |of: &Definition| running.iter().any(|running| running.indicator == of.code);
        let definitions: Arc<[Definition]> = all.into_iter().filter(is_asked).collect();
        for of in definitions.iter() {
            hashed.push_str(&format!("{of:?}"));
        }
        let (names, version) = (Names::of(&definitions), Sha256::of(hashed.as_bytes()));
        let of_one = |of: &Definition| -> Vec<EventClass> {
            let anchors = of.anchors.iter().flat_map(|of| &of.classes);
            anchors.chain(of.matches.iter().flat_map(|of| &of.classes)).chain(&of.hears).copied().collect()
        };
        let heard = definitions.iter().flat_map(of_one).chain([EventClass::OpsMaintenance]).collect();
        Ok(ObjectiveSet { running, definitions, names, heard, version })
    }

    /// The objectives that come along, by file name.
    pub fn shipped() -> impl Iterator<Item = (&'static str, &'static str)> {
        let mut files: Vec<_> = SHIPPED.files().collect();
        files.sort_by_key(|file| file.path());
        files.into_iter().filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)))
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Hash of all that decides: state of one version is no state of another.
    pub fn version(&self) -> Sha256 {
        self.version
    }

    /// Ids of the rules whose alerts these are.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<RuleInfo>> {
        self.running.iter().map(|of| &of.rule)
    }

    /// Names of the objectives, each with its objective in percent.
    pub fn objectives(&self) -> impl Iterator<Item = (&str, f64)> {
        self.running.iter().map(|of| (of.slo.name.as_str(), of.slo.policy.objective.as_percent()))
    }

    /// Some indicator looks at events of this class.
    pub fn hears(&self, class: EventClass) -> bool {
        self.heard.contains(&class)
    }

    /// An event as [`super::Objectives`] takes it. None: nothing looks at it, or it has no time.
    pub fn pack(&self, event: &Event, arrival: Arrival, position: Position) -> Option<Box<Occurrence>> {
        event.class.filter(|class| self.hears(*class))?;
        self.names.pack(event, arrival, position)
    }

    /// An event at which a rule holds and which alerts may name, of which nothing else is looked at. None: nobody asks since when
    /// there was evidence.
    pub fn pack_evidence(&self, order: &EventOrder, arrival: Arrival, position: Position) -> Option<Box<Occurrence>> {
        let is_asked = self.definitions.iter().any(|of| of.measure == Measure::Evidence);
        let (order, fields) = (order.clone(), Carried::default());
        is_asked.then(|| Box::new(Occurrence { order, arrival, position, gate: 0, fields, held: Vec::new() }))
    }
}

fn rule(slo: &Slo, text: &str) -> RuleInfo {
    RuleInfo {
        id: format!("slo:{}", slo.name).into(),
        name: Some(slo.name.clone()),
        title: slo.title.clone().unwrap_or_else(|| format!("Error budget of {} burns", slo.name)),
        severity: if slo.pages() { Severity::High } else { Severity::Medium },
        version: Sha256::of(text.as_bytes()),
        tags: slo.tags.clone(),
        realert_ms: None,
        owner: slo.owner.clone(),
        runbook: slo.runbook.clone(),
        group: Vec::new(),
        suppress_when: Vec::new(),
        shadow: false,
        custom: serde_json::Map::new(),
    }
}

impl Slo {
    /// One of its conditions pages.
    pub fn pages(&self) -> bool {
        self.policy.conditions.iter().any(|of| of.urgency == Urgency::Page)
    }
}
