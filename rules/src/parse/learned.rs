//! `x-new-terms` (E4) and `x-risk` (E11).
//!
//! Must never let one of them pass unread: a document that has them means less without them.

use super::alert::flag;
use super::context::Context;
use super::extension::{check_keys, entries};
use super::header::{self, scalar};
use super::problem::Problem;
use super::span;
use super::yaml::Node;
use crate::ast::{Condition, CorrelationType, NewTerms, Prevalence, RiskSum};

/// How long a new tuple waits before it counts as known, where nothing else is said: a day.
const QUARANTINE_MS: i64 = 86_400_000;
/// The field of alerts that a sum of risk adds up.
const RISK: &str = "alert.risk";

/// Reads `x-new-terms`.
pub(super) fn new_terms(cx: &mut Context<'_>, document: &Node) -> Result<Option<NewTerms>, Problem> {
    let Some(body) = document.get("x-new-terms") else { return Ok(None) };
    let keys = ["fields", "memory", "prevalence", "warmup", "novelty_max", "quarantine"];
    check_keys(entries(body, "x-new-terms")?, "x-new-terms", &keys)?;
    let hint = "for example `x-new-terms: {fields: [prov.repo, dst.etld1], memory: 30d}`";
    let fields = header::texts(body, "fields")?;
    if fields.is_empty() {
        return Err(Problem::new(body.line, "`x-new-terms` has no `fields`").hint(hint));
    }
    fields.iter().try_for_each(|field| cx.check_field(field, body.line))?;
    let Some(memory) = body.get("memory") else {
        return Err(Problem::new(body.line, "`x-new-terms` has no `memory`").hint(hint));
    };
    let quarantine = body.get("quarantine").map(|node| span::or_zero(node, "quarantine")).transpose()?;
    let (warmup_events, warmup_days) = match body.get("warmup") {
        None => (0, 0),
        Some(node) => {
            check_keys(entries(node, "warmup")?, "x-new-terms.warmup", &["events", "days"])?;
            (count(node, "events", 0)?, count(node, "days", 0)?)
        }
    };
    Ok(Some(NewTerms {
        fields,
        memory_ms: span::window(memory, "memory")?,
        prevalence: body.get("prevalence").map(|node| prevalence(cx, node)).transpose()?,
        warmup_events,
        warmup_days,
        novelty_max: body.get("novelty_max").map(|node| number(node, "novelty_max", 0.0, 1.0)).transpose()?,
        quarantine_ms: quarantine.unwrap_or(QUARANTINE_MS),
    }))
}

fn prevalence(cx: &mut Context<'_>, node: &Node) -> Result<Prevalence, Problem> {
    let hint = "write `prevalence: {over: prov.repo, lt: 3}`";
    check_keys(entries(node, "prevalence")?, "x-new-terms.prevalence", &["over", "lt"])?;
    let Some(over) = scalar(node, "over")? else {
        return Err(Problem::new(node.line, "`prevalence` has no `over`").hint(hint));
    };
    cx.check_field(&over, node.line)?;
    match count(node, "lt", 0)? {
        0 => Err(Problem::new(node.line, "`prevalence` has no `lt` above 0").hint(hint)),
        below => Ok(Prevalence { over, below }),
    }
}

/// Reads `x-risk` of a rule: the weight that its alerts add.
pub(super) fn weight(document: &Node) -> Result<Option<f64>, Problem> {
    let Some(body) = document.get("x-risk") else { return Ok(None) };
    check_keys(entries(body, "x-risk")?, "x-risk", &["weight"])?;
    match body.get("weight") {
        Some(node) => number(node, "weight", f64::MIN_POSITIVE, 1_000_000.0).map(Some),
        None => Err(Problem::new(body.line, "`x-risk` has no `weight`").hint("write `x-risk: {weight: 60}`")),
    }
}

/// Reads `x-risk` of a correlation. A sum of risk without it is a plain one: nothing fades, everything counts.
pub(super) fn sum(document: &Node, kind: CorrelationType, condition: &Condition) -> Result<Option<RiskSum>, Problem> {
    let adds_risk = kind == CorrelationType::ValueSum
        && matches!(condition, Condition::Measure { fields, .. } if *fields == [RISK]);
    let plain = RiskSum { half_life_ms: None, cap_per_detector: false, detectors_min: 1, classes_min: 0 };
    let Some(body) = document.get("x-risk") else { return Ok(adds_risk.then_some(plain)) };
    let keys = ["half_life", "cap_per_detector", "detectors_min", "classes_min"];
    check_keys(entries(body, "x-risk")?, "x-risk", &keys)?;
    if !adds_risk {
        return Err(Problem::new(body.line, "`x-risk` of a correlation is for sums of risk")
            .hint("write `type: value_sum` and `condition: {field: alert.risk, gte: 100}`"));
    }
    Ok(Some(RiskSum {
        half_life_ms: body.get("half_life").map(|node| span::window(node, "half_life")).transpose()?,
        cap_per_detector: flag(body, "cap_per_detector")?,
        detectors_min: count(body, "detectors_min", 1)?,
        classes_min: count(body, "classes_min", plain.classes_min)?,
    }))
}

fn count(node: &Node, key: &str, missing: u64) -> Result<u64, Problem> {
    let Some(member) = node.get(key) else { return Ok(missing) };
    member.text().and_then(|text| text.parse().ok()).ok_or_else(|| {
        Problem::new(member.line, format!("`{key}` needs a whole number")).hint(format!("write `{key}: 3`"))
    })
}

fn number(node: &Node, key: &str, least: f64, most: f64) -> Result<f64, Problem> {
    let found = node.text().and_then(|text| text.parse::<f64>().ok()).filter(|found| (least..=most).contains(found));
    found.ok_or_else(|| {
        let range = if least > 0.0 { "above 0".to_owned() } else { format!("from {least}") };
        Problem::new(node.line, format!("`{key}` needs a number {range} to {most}")).hint("write it without quotes")
    })
}

#[cfg(test)]
mod tests {
    use super::super::context::Fields;
    use super::super::{Settings, yaml};
    use super::*;

    fn node(text: &str) -> Node {
        yaml::documents(text).remove(0).node.unwrap()
    }

    fn terms(text: &str) -> Result<Option<NewTerms>, Problem> {
        let settings = Settings::default();
        let mut cx = Context::new(&settings, Vec::new(), Fields::Any);
        new_terms(&mut cx, &node(text))
    }

    #[test]
    fn new_terms_are_read_whole() {
        let text = "x-new-terms: {fields: [r, d], memory: 30d, prevalence: {over: r, lt: 3}, warmup: {events: 10, days: 7}, \
                    novelty_max: 0.05, quarantine: 12h}";
        let found = terms(text).unwrap().unwrap();
        assert_eq!(
            (found.fields.join(" "), found.memory_ms, found.quarantine_ms),
            ("r d".into(), 2_592_000_000, 43_200_000)
        );
        assert_eq!(found.prevalence, Some(Prevalence { over: "r".into(), below: 3 }));
        assert_eq!((found.warmup_events, found.warmup_days, found.novelty_max), (10, 7, Some(0.05)));
        let least = terms("x-new-terms: {fields: r, memory: 1d}").unwrap().unwrap();
        assert_eq!((least.quarantine_ms, least.prevalence, least.novelty_max), (QUARANTINE_MS, None, None));
        for (body, why) in [
            ("{memory: 1d}", "`x-new-terms` has no `fields`"),
            ("{fields: r}", "`x-new-terms` has no `memory`"),
            ("{fields: r, memory: 0d}", "memory is zero"),
            ("{fields: r, memory: 1d, prevalence: {over: r}}", "`prevalence` has no `lt` above 0"),
            ("{fields: r, memory: 1d, novelty_max: 2}", "`novelty_max` needs a number from 0 to 1"),
            ("{fields: r, memory: 1d, warmup: {runs: 1}}", "unknown key `runs` in x-new-terms.warmup"),
        ] {
            let problem = terms(&format!("x-new-terms: {body}")).unwrap_err();
            assert!(problem.message == why && problem.hint.is_some(), "{body}: {problem:?}");
        }
    }

    #[test]
    fn risk_is_a_weight_or_a_sum() {
        assert_eq!(weight(&node("x-risk: {weight: 60}")).unwrap(), Some(60.0));
        assert_eq!(
            weight(&node("x-risk: {weight: 0}")).unwrap_err().message,
            "`weight` needs a number above 0 to 1000000"
        );
        assert_eq!(weight(&node("x-risk: {}")).unwrap_err().message, "`x-risk` has no `weight`");
        let of = |field: &str| Condition::Measure { fields: vec![field.into()], tests: Vec::new(), percentile: 50.0 };
        let text = node("x-risk: {half_life: 30m, cap_per_detector: true, detectors_min: 2, classes_min: 3}");
        let found = sum(&text, CorrelationType::ValueSum, &of(RISK)).unwrap().unwrap();
        let wanted =
            RiskSum { half_life_ms: Some(1_800_000), cap_per_detector: true, detectors_min: 2, classes_min: 3 };
        assert_eq!(found, wanted);
        assert_eq!(sum(&node("a: b"), CorrelationType::ValueSum, &of("size")).unwrap(), None);
        let plain = sum(&node("a: b"), CorrelationType::ValueSum, &of(RISK)).unwrap();
        assert_eq!(plain.map(|plain| (plain.half_life_ms, plain.detectors_min)), Some((None, 1)));
        for (kind, condition) in [(CorrelationType::ValueAvg, of(RISK)), (CorrelationType::ValueSum, of("size"))] {
            assert!(sum(&text, kind, &condition).unwrap_err().message.ends_with("is for sums of risk"));
        }
    }
}
