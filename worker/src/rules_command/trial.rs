//! One rule tried on single records, decoded as a run would decode them: what proofs are judged by.
//!
//! Formats are guessed from content, record by record. Must never differ from a run in what it answers: decoding and
//! evaluation are the same code, only without sources, order and deduplication.

use std::slice;
use std::sync::Arc;

use ingest::format::{FORMATS, Format, Wanted, json};
use ingest::{Decoder, Read, Scratch, Seen};
use model::{Carrying, EventClass, Invalid, Row, Timestamp, Urgency, View};
use rules::ast::{LogSource, Rule};
use rules::{Evaluator, Lists, Program};

/// Log source product of pipewarden's own events.
const OWN_PRODUCT: &str = "pipewarden";

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
    // Raw JSON last: what no other format recognises is the event itself, where the rule is not about events of ours.
    let formats = FORMATS.iter().filter(|format| !format.marks.is_empty());
    let formats = formats.map(|format| (*format, wanted(&rule, &program, is_own))).collect();
    let decoder = Decoder::new(formats, None, false);
    let raw = Decoder::new(vec![(&json::FORMAT, wanted(&rule, &program, is_own))], None, true);
    let mut trial = Trial { rule: &rule, program, decoder, raw, lists, is_own, evaluator: Evaluator::default() };
    Ok(records.iter().map(|record| trial.record(record)).collect())
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
    decoder: Decoder,
    raw: Decoder,
    lists: &'t Lists,
    is_own: bool,
    evaluator: Evaluator,
}

impl Trial<'_> {
    /// A record that carries others: the first that the rule holds at answers for all.
    fn record(&mut self, record: &str) -> Answer {
        let mut answer: Answer = Ok(None);
        let mut unknown = false;
        let Trial { rule, program, decoder, raw, lists, is_own, evaluator } = self;
        let mut judge = |view: View<'_>, at: Option<Timestamp>| {
            let mut found = Vec::new();
            evaluator.matches(program, view, (&**lists, at), &mut found, &mut Carrying::default());
            found.first().and_then(|found| found.told.as_ref()).map(|told| told.urgency)
        };
        decoder.read(&mut Scratch::default(), record, 0, &mut |_, read| match read {
            _ if !matches!(answer, Ok(None)) => {}
            Read::Filtered => {}
            Read::Invalid(Invalid::UnknownFormat) => unknown = true,
            Read::Invalid(reason) => answer = Err(unreadable(reason)),
            Read::Event(seen) if *is_own => answer = Ok(mapped(decoder, &seen, &mut judge)),
            Read::Event(seen) => {
                let fits = decoder.plans().get(seen.plan).is_some_and(|plan| fits(plan.format(), &rule.logsource));
                answer = Ok(if fits { judge(seen.raw, seen.decoded.time) } else { None });
            }
        });
        if !unknown || !matches!(answer, Ok(None)) {
            return answer;
        }
        if *is_own {
            let known = FORMATS.iter().filter(|format| !format.marks.is_empty()).map(|format| format.name);
            let known = known.collect::<Vec<_>>().join(", ");
            return Err(format!("the record is of no format that can be told by its content (these can: {known})"));
        }
        raw.read(&mut Scratch::default(), record, 0, &mut |_, read| match read {
            Read::Invalid(reason) => answer = Err(unreadable(reason)),
            Read::Event(seen) => answer = Ok(judge(seen.raw, None)),
            Read::Filtered => {}
        });
        answer
    }
}

/// The answer at an event in the model's fields.
fn mapped(
    decoder: &Decoder,
    seen: &Seen<'_>,
    judge: &mut impl FnMut(View<'_>, Option<Timestamp>) -> Option<Urgency>,
) -> Option<Urgency> {
    let mut row = Row::default();
    let plan = decoder.plans().get(seen.plan)?;
    let is_asked = plan.map(&seen.decoded, seen.raw, "proof", &mut row);
    is_asked.and_then(|_| judge(row.view(seen.text), seen.decoded.time))
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
