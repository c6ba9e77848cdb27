//! Correlations, and rules that remember, with one part changed: what a proof of several events must notice.
//!
//! Pure. Must never change more than one part at a time, nor make a change that cannot matter.

use super::mutants::{Mutant, mutants};
use crate::ast::{
    Absence, Condition, Correlation, CorrelationType, Interval, Memory, Occur, Operator, Previous, PreviousTest, Rule,
};

/// Longer than any window, in milliseconds: four hundred days.
const FAR_LONGER_MS: i64 = 400 * 86_400_000;

/// The rule's mutants, and those of what it remembers.
pub(super) fn of_rule(rule: &Rule) -> Vec<Mutant> {
    let mut found = mutants(rule);
    let mut changed = |change: String, rule: Rule| found.push(Mutant { change, rule });
    for (at, memory) in rule.memories.iter().enumerate() {
        let key = match memory {
            Memory::Previous(_) => "x-prev",
            Memory::Interval(_) => "x-interval",
        };
        let mut without = rule.clone();
        without.memories.remove(at);
        changed(format!("without {key}"), without);
        for (change, memory) in of_memory(memory) {
            let mut with = rule.clone();
            if let Some(place) = with.memories.get_mut(at) {
                *place = memory;
            }
            changed(format!("{key} {change}"), with);
        }
    }
    if let Some(detector) = &rule.detector {
        changed("without x-detector".to_owned(), Rule { detector: None, ..rule.clone() });
        for at in (0..detector.key.len()).filter(|_| detector.key.len() > 1) {
            let mut fewer = rule.clone();
            let field = fewer.detector.as_mut().map(|of| of.key.remove(at)).unwrap_or_default();
            changed(format!("x-detector without the key field {field}"), fewer);
        }
    }
    if let Some(terms) = &rule.new_terms {
        changed("without x-new-terms".to_owned(), Rule { new_terms: None, ..rule.clone() });
        for at in (0..terms.fields.len()).filter(|_| terms.fields.len() > 1) {
            let mut fewer = terms.clone();
            let field = fewer.fields.remove(at);
            changed(format!("x-new-terms without the field {field}"), Rule { new_terms: Some(fewer), ..rule.clone() });
        }
    }
    found
}

fn of_memory(memory: &Memory) -> Vec<(String, Memory)> {
    let mut found = Vec::new();
    match memory {
        Memory::Previous(previous) => {
            for at in (0..previous.key.len()).filter(|_| previous.key.len() > 1) {
                let mut fewer = previous.clone();
                let field = fewer.key.remove(at);
                found.push((format!("without the key field {field}"), Memory::Previous(fewer)));
            }
            for at in 0..previous.ignore_same.len() {
                let mut fewer = previous.clone();
                let field = fewer.ignore_same.remove(at);
                found.push((format!("without ignore_same {field}"), Memory::Previous(fewer)));
            }
            let other = |test| Memory::Previous(Previous { test, ..previous.clone() });
            match previous.test {
                PreviousTest::Changed => {}
                PreviousTest::Gap(gap) => {
                    found.push((format!("with gap {}", gap + 1), other(PreviousTest::Gap(gap + 1))))
                }
                PreviousTest::Returns(_) => {
                    found.push(("with far longer returns".to_owned(), other(PreviousTest::Returns(FAR_LONGER_MS))));
                }
            }
        }
        Memory::Interval(interval) => {
            for at in (0..interval.key.len()).filter(|_| interval.key.len() > 1) {
                let mut fewer = interval.clone();
                let [field, ..] = fewer.key.remove(at);
                found.push((format!("without the key field {field}"), Memory::Interval(fewer)));
            }
            let mut pad = |what: &str, with: Interval| {
                if with != *interval {
                    found.push((format!("without the pad {what}"), Memory::Interval(with)));
                }
            };
            pad("before", Interval { pad_before_ms: 0, ..interval.clone() });
            pad("after", Interval { pad_after_ms: 0, ..interval.clone() });
        }
    }
    found
}

/// Every way of changing one part of a correlation.
pub(super) fn of_correlation(correlation: &Correlation) -> Vec<(String, Correlation)> {
    let mut found = Vec::new();
    for (at, field) in correlation.group_by.iter().enumerate() {
        let mut without = correlation.clone();
        without.group_by.remove(at);
        found.push((format!("without group-by {}", field.name), without));
    }
    for (at, expression) in correlation.wheres.iter().enumerate() {
        let mut without = correlation.clone();
        without.wheres.remove(at);
        found.push((format!("without x-where `{}`", expression.source), without));
    }
    match &correlation.absence {
        Some(absence) => {
            let changed = of_absence(correlation, absence).into_iter();
            found.extend(changed.map(|(change, absence)| {
                (format!("x-absence {change}"), Correlation { absence: Some(absence), ..correlation.clone() })
            }));
        }
        None => {
            let longer = Correlation { timespan_ms: FAR_LONGER_MS, ..correlation.clone() };
            found.push(("with a far longer timespan".to_owned(), longer));
            found.extend(of_references(correlation));
            found.extend(of_condition(correlation).into_iter().filter(|_| correlation.risk.is_none()));
            if correlation.kind == CorrelationType::TemporalOrdered {
                let unordered = Correlation { kind: CorrelationType::Temporal, ..correlation.clone() };
                found.push(("in any order".to_owned(), unordered));
            }
        }
    }
    found.extend(of_risk(correlation));
    found
}

fn of_absence(correlation: &Correlation, absence: &Absence) -> Vec<(String, Absence)> {
    let name = |at: usize| correlation.references.get(at).map_or("", |reference| reference.name.as_str());
    let mut found = Vec::new();
    for (at, reference) in absence.expect.iter().enumerate() {
        let mut fewer = absence.clone();
        fewer.expect.remove(at);
        found.push((format!("without expect {}", name(*reference)), fewer));
    }
    for (at, reference) in absence.until.iter().enumerate() {
        let mut fewer = absence.clone();
        fewer.until.remove(at);
        found.push((format!("without until {}", name(*reference)), fewer));
    }
    for (change, with) in [
        ("without before", Absence { before_ms: 0, ..absence.clone() }),
        ("without grace", Absence { grace_ms: 0, ..absence.clone() }),
    ] {
        if with != *absence {
            found.push((change.to_owned(), with));
        }
    }
    if absence.deadline_ms > 0 {
        found.push(("without deadline".to_owned(), Absence { deadline_ms: 0, ..absence.clone() }));
        let longer = Absence { deadline_ms: FAR_LONGER_MS, ..absence.clone() };
        found.push(("with a far longer deadline".to_owned(), longer));
    }
    found
}

/// Without each of the rules that it lists, and without what its predicates say of that rule. Weights in a sum of
/// risk are data, not logic.
fn of_references(correlation: &Correlation) -> Vec<(String, Correlation)> {
    let mut found = Vec::new();
    for at in (0..correlation.listed).filter(|_| correlation.listed > 1 && correlation.risk.is_none()) {
        let mut fewer = correlation.clone();
        let reference = fewer.references.remove(at);
        fewer.listed -= 1;
        for field in fewer.group_by.iter_mut().filter(|field| at < field.fields.len()) {
            field.fields.remove(at);
        }
        let speaks_of = |path: &&str| path.strip_prefix(&reference.name).is_some_and(|rest| rest.starts_with('.'));
        fewer.wheres.retain(|expression| !expression.fields().iter().any(speaks_of));
        if let Condition::Occur(occur) = &correlation.condition {
            let Some(occur) = without(occur, at) else { continue };
            fewer.condition = Condition::Occur(occur);
        }
        found.push((format!("without the reference {}", reference.name), fewer));
    }
    found
}

/// The expression without a reference; those behind it move up. None: nothing is left.
fn without(occur: &Occur, dropped: usize) -> Option<Occur> {
    let rest = |parts: &[Occur]| parts.iter().filter_map(|part| without(part, dropped)).collect::<Vec<_>>();
    match occur {
        Occur::Reference(at) if *at == dropped => None,
        Occur::Reference(at) => Some(Occur::Reference(at - usize::from(*at > dropped))),
        Occur::All(parts) => Some(rest(parts)).filter(|parts| !parts.is_empty()).map(Occur::All),
        Occur::Any(parts) => Some(rest(parts)).filter(|parts| !parts.is_empty()).map(Occur::Any),
        Occur::Not(part) => without(part, dropped).map(|part| Occur::Not(Box::new(part))),
    }
}

/// Every bound one higher and one lower; a count that every event reaches is no bound.
fn of_condition(correlation: &Correlation) -> Vec<(String, Correlation)> {
    let Condition::Measure { fields, tests, percentile } = &correlation.condition else { return Vec::new() };
    let mut found = Vec::new();
    for (at, (operator, bound)) in tests.iter().enumerate() {
        let least = if matches!(operator, Operator::Gte | Operator::Eq) { 1.0 } else { 0.0 };
        for other in [bound + 1.0, bound - 1.0].into_iter().filter(|other| *other >= least) {
            let mut tests = tests.clone();
            if let Some(test) = tests.get_mut(at) {
                test.1 = other;
            }
            let condition = Condition::Measure { fields: fields.clone(), tests, percentile: *percentile };
            found.push((
                format!("with the bound {other} for {bound}"),
                Correlation { condition, ..correlation.clone() },
            ));
        }
    }
    found
}

fn of_risk(correlation: &Correlation) -> Vec<(String, Correlation)> {
    let Some(risk) = &correlation.risk else { return Vec::new() };
    let changes = [
        ("without x-risk.half_life", crate::ast::RiskSum { half_life_ms: None, ..risk.clone() }),
        ("without x-risk.cap_per_detector", crate::ast::RiskSum { cap_per_detector: false, ..risk.clone() }),
        ("without x-risk.detectors_min", crate::ast::RiskSum { detectors_min: 0, ..risk.clone() }),
        ("without x-risk.classes_min", crate::ast::RiskSum { classes_min: 0, ..risk.clone() }),
    ];
    let real = changes.into_iter().filter(|(_, changed)| changed != risk);
    real.map(|(change, risk)| (change.to_owned(), Correlation { risk: Some(risk), ..correlation.clone() })).collect()
}
