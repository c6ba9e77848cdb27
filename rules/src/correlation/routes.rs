//! Where a correlation's alert is told: `when` is a selection on the event that decides.
//!
//! Must never look at any other event.

use std::sync::Arc;

use model::{Carried, CarriedField, Row, Severity, Sha256, Slot, Urgency};

use super::graph::Graph;
use crate::ast::{AlertRoute, LogSource, Origin, Rule, Search};
use crate::lists::Lists;
use crate::{Evaluator, Program};

/// Routes in order; the first that is true wins.
#[derive(Debug, Default)]
pub(super) struct Routes(Vec<(Option<Selection>, Urgency)>);

#[derive(Debug)]
struct Selection {
    program: Program,
    fields: Vec<(Slot, CarriedField)>,
}

impl Routes {
    pub(super) fn new(graph: &Graph, routes: &[AlertRoute]) -> Result<Routes, crate::CompileError> {
        let route = |route: &AlertRoute| {
            let selection = route.when.as_ref().map(|when| Selection::new(graph, when)).transpose()?;
            Ok((selection, route.urgency))
        };
        routes.iter().map(route).collect::<Result<_, _>>().map(Routes)
    }

    pub(super) fn urgency(
        &self,
        fields: &Carried,
        lists: &Lists,
        (evaluator, row): (&mut Evaluator, &mut Row),
    ) -> Urgency {
        let mut holds = |selection: &Selection| {
            row.reset(selection.program.projection().len());
            for (slot, field) in &selection.fields {
                fields.texts(*field).for_each(|text| row.push_text(*slot, text));
            }
            !evaluator.holding(&selection.program, row.view(""), lists).is_empty()
        };
        let first = self.0.iter().find(|(when, _)| when.as_ref().is_none_or(&mut holds));
        first.map_or(Urgency::Ticket, |(_, urgency)| *urgency)
    }
}

impl Selection {
    fn new(graph: &Graph, when: &Search) -> Result<Selection, crate::CompileError> {
        let rule = Rule {
            origin: Origin { file: Arc::default(), line: 0 },
            id: String::new(),
            version: Sha256::of(b""),
            name: None,
            title: "x-alert.route".to_owned(),
            status: None,
            level: Severity::Medium,
            description: None,
            tags: Vec::new(),
            falsepositives: Vec::new(),
            logsource: LogSource::default(),
            searches: Vec::new(),
            condition: when.clone(),
            wheres: Vec::new(),
            memories: Vec::new(),
            new_terms: None,
            lineage: None,
            detector: None,
            risk_weight: None,
            lists: Vec::new(),
            alert: None,
            custom: serde_json::Map::new(),
        };
        let program = Program::compile(&[Arc::new(rule)], |_| true)?;
        let mut names = Vec::new();
        crate::compile::searched_fields(when, &mut names);
        let place = |name: &str| Some((program.projection().slot(name)?, graph.field(name)?));
        let mut fields: Vec<_> = names.into_iter().filter_map(place).collect();
        fields.sort_unstable();
        fields.dedup();
        Ok(Selection { program, fields })
    }
}
