//! One rule tried on single records, decoded as a run would decode them: what proofs are judged by.
//!
//! Formats are guessed from content, record by record. Must never differ from a run in what it answers: decoding and
//! evaluation are the same code, only without sources, order and deduplication.

use std::slice;
use std::sync::Arc;

use ingest::format::{FORMATS, Format, Plan, Shape, Wanted};
use model::{EventClass, Invalid, Row, Timestamp, Urgency, View};
use rules::ast::{LogSource, Rule};
use rules::{Evaluator, Lists, Program};

/// Log source product of pipewarden's own events.
const OWN_PRODUCT: &str = "pipewarden";

/// Containers within containers end here.
const CONTAINER_DEPTH_MAX: usize = 4;

/// Where the rule's alert goes for a record (None: the rule does not hold), or why the record cannot be read.
pub type Answer = Result<Option<Urgency>, String>;

/// Tries the rule on each record.
///
/// # Errors
/// When the rule cannot be compiled.
pub fn answers(rule: &Rule, records: &[&str], lists: &Lists) -> Result<Vec<Answer>, String> {
    let rule = Arc::new(rule.clone());
    let program = Program::compile(slice::from_ref(&rule), |_| true).map_err(|error| error.to_string())?;
    let is_own = rule.logsource.product.as_deref() == Some(OWN_PRODUCT);
    let plans = FORMATS.iter().map(|format| Plan::new(format, wanted(&rule, &program, is_own), None)).collect();
    let mut trial = Trial { rule: &rule, program, plans, lists, is_own, evaluator: Evaluator::default() };
    Ok(records.iter().map(|record| trial.record(record, 0)).collect())
}

/// Whether the rule holds at each record: the answers without their routes, as a proof wants them.
///
/// # Errors
/// When the rule cannot be compiled.
pub fn holds(rule: &Rule, records: &[&str], lists: &Lists) -> Result<Vec<Result<bool, String>>, String> {
    let answers = answers(rule, records, lists)?;
    Ok(answers.into_iter().map(|answer| answer.map(|urgency| urgency.is_some())).collect())
}

fn wanted(rule: &Rule, program: &Program, is_own: bool) -> Wanted {
    if !is_own {
        return Wanted { raw: program.projection().clone(), ..Wanted::default() };
    }
    let category = rule.logsource.category.as_deref();
    let classes = EventClass::ALL.iter().filter(|class| category.is_none_or(|category| category == class.name()));
    Wanted { classes: classes.map(|class| (*class, program.projection().clone())).collect(), ..Wanted::default() }
}

struct Trial<'t> {
    rule: &'t Rule,
    program: Program,
    plans: Vec<Plan>,
    lists: &'t Lists,
    is_own: bool,
    evaluator: Evaluator,
}

impl Trial<'_> {
    fn record(&mut self, record: &str, depth: usize) -> Answer {
        let mut raw = Row::default();
        for at in 0..self.plans.len() {
            let Some(plan) = self.plans.get(at) else { continue };
            plan.scan(record, &mut raw).map_err(unreadable)?;
            let view = raw.view(record);
            let shape = plan.shape(view);
            if let Ok(Shape::Container(container)) = shape {
                return self.container(record, container, depth);
            }
            if !plan.recognises(view) {
                continue;
            }
            return match shape.map_err(unreadable)? {
                Shape::Event(decoded) if self.is_own => {
                    let mut row = Row::default();
                    let mapped = plan.map(&decoded, view, "proof", &mut row);
                    Ok(if mapped { self.judge(row.view(record), decoded.time) } else { None })
                }
                Shape::Event(decoded) if fits(plan.format(), &self.rule.logsource) => {
                    Ok(self.judge(view, decoded.time))
                }
                _ => Ok(None),
            };
        }
        if self.is_own {
            let known = FORMATS.iter().filter(|format| !format.marks.is_empty()).map(|format| format.name);
            let known = known.collect::<Vec<_>>().join(", ");
            return Err(format!("the record is of no format that can be told by its content (these can: {known})"));
        }
        // No format of ours: the record is the event, and its log source is what the rule says.
        let Some(plan) = self.plans.iter().find(|plan| plan.format().mapping.is_none()) else { return Ok(None) };
        plan.scan(record, &mut raw).map_err(unreadable)?;
        Ok(self.judge(raw.view(record), None))
    }

    /// A record that carries others: the first that the rule holds at answers for all.
    fn container(&mut self, record: &str, container: ingest::format::Container, depth: usize) -> Answer {
        if depth >= CONTAINER_DEPTH_MAX {
            return Err(format!("records lie in more than {CONTAINER_DEPTH_MAX} containers"));
        }
        for element in ingest::elements(record, container).map_err(unreadable)? {
            if let Some(urgency) = self.record(element, depth + 1)? {
                return Ok(Some(urgency));
            }
        }
        Ok(None)
    }

    fn judge(&mut self, view: View<'_>, at: Option<Timestamp>) -> Option<Urgency> {
        let mut found = Vec::new();
        self.evaluator.matches(&self.program, view, self.lists, at, &mut found);
        found.first().map(|found| found.urgency)
    }
}

fn unreadable(why: Invalid) -> String {
    format!("the record cannot be read: {}", why.name())
}

/// A rule about native records names the format's product and service, or leaves them open.
fn fits(format: &Format, rule: &LogSource) -> bool {
    let agrees =
        |ours: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| ours.eq_ignore_ascii_case(wanted));
    rule.category.is_none() && agrees(format.product, &rule.product) && agrees(format.service, &rule.service)
}
