//! Correlations and what rules remember, in words.
//!
//! Must never leave a part out that decides whether an alert is told.

use crate::ast::{
    Absence, Condition, Correlation, CorrelationType, Interval, Memory, Occur, Operator, Previous, PreviousTest,
};

/// When a correlation holds, a line for each part: the first says what of which rules, the others what else must be true.
pub fn correlation(of: &Correlation) -> Vec<String> {
    let within = match &of.absence {
        Some(absence) => absence_words(of, absence),
        None => format!("{} within {}", condition(of), span(of.timespan_ms)),
    };
    let same: Vec<&str> = of.group_by.iter().map(|field| field.name.as_str()).collect();
    let mut lines = vec![match same.is_empty() {
        true => within,
        false => format!("{within}, all with the same {}", same.join(" and ")),
    }];
    for field in of.group_by.iter().filter(|field| field.fields.iter().any(|other| *other != field.name)) {
        let fields = field.fields.iter().enumerate().map(|(at, native)| format!("{native} of {}", name(of, at)));
        lines.push(format!("where {} is {}", field.name, fields.collect::<Vec<_>>().join(", ")));
    }
    lines.extend(of.wheres.iter().map(|expression| format!("and {}", expression.source)));
    lines.extend(of.risk.as_ref().map(super::learned::risk));
    lines
}

/// What else must hold of a rule's event: one clause.
pub fn memory(of: &Memory) -> String {
    match of {
        Memory::Previous(previous) => previous_words(previous),
        Memory::Interval(interval) => interval_words(interval),
    }
}

/// Milliseconds in the largest unit that divides them.
pub fn span(ms: i64) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    let unit = units.into_iter().find(|(_, length)| ms != 0 && ms % length == 0);
    unit.map_or_else(|| format!("{ms}ms"), |(name, length)| format!("{}{name}", ms / length))
}

fn name(of: &Correlation, at: usize) -> &str {
    of.references.get(at).map_or("?", |reference| reference.name.as_str())
}

/// `rule a`, `rules a, b`.
fn rules(of: &Correlation) -> String {
    let names: Vec<&str> = (0..of.listed).map(|at| name(of, at)).collect();
    match names.as_slice() {
        [only] => format!("rule {only}"),
        _ => format!("rules {}", names.join(", ")),
    }
}

fn condition(of: &Correlation) -> String {
    let (fields, tests, percentile) = match &of.condition {
        Condition::Occur(tree) => {
            let order = if of.kind == CorrelationType::TemporalOrdered { " in this order" } else { "" };
            return format!("{}{order}", occur(of, tree));
        }
        Condition::Measure { fields, tests, percentile } => (fields.join(" and "), tests, percentile),
    };
    let bounds = tests.iter().map(|(how, bound)| format!("{} {bound}", operator(*how)));
    let bounds = bounds.collect::<Vec<_>>().join(" and ");
    match of.kind {
        CorrelationType::EventCount => format!("{bounds} events of {}", rules(of)),
        CorrelationType::ValueCount => format!("{bounds} distinct values of {fields} in events of {}", rules(of)),
        CorrelationType::Temporal | CorrelationType::TemporalOrdered => {
            let order = if of.kind == CorrelationType::TemporalOrdered { " in this order" } else { "" };
            format!("{bounds} of the {}{order}", rules(of))
        }
        CorrelationType::ValueSum => format!("the sum of {fields} in events of {} is {bounds}", rules(of)),
        CorrelationType::ValueAvg => format!("the average of {fields} in events of {} is {bounds}", rules(of)),
        CorrelationType::ValueMedian => format!("the median of {fields} in events of {} is {bounds}", rules(of)),
        CorrelationType::ValuePercentile => {
            format!("percentile {percentile} of {fields} in events of {} is {bounds}", rules(of))
        }
    }
}

fn operator(how: Operator) -> &'static str {
    match how {
        Operator::Gt => "more than",
        Operator::Gte => "at least",
        Operator::Lt => "less than",
        Operator::Lte => "at most",
        Operator::Eq => "exactly",
        Operator::Neq => "other than",
    }
}

fn occur(of: &Correlation, tree: &Occur) -> String {
    let part = |part: &Occur| match part {
        Occur::All(parts) | Occur::Any(parts) if parts.len() > 1 => format!("({})", occur(of, part)),
        _ => occur(of, part),
    };
    let joined = |parts: &[Occur], with: &str| parts.iter().map(part).collect::<Vec<_>>().join(with);
    match tree {
        Occur::Reference(at) => name(of, *at).to_owned(),
        Occur::All(parts) => joined(parts, " and "),
        Occur::Any(parts) => joined(parts, " or "),
        Occur::Not(inner) => format!("no {}", part(inner)),
    }
}

fn absence_words(of: &Correlation, absence: &Absence) -> String {
    let start = name(of, absence.start);
    let names = |positions: &[usize]| positions.iter().map(|at| name(of, *at)).collect::<Vec<_>>().join(" or ");
    let mut places = Vec::new();
    if absence.deadline_ms > 0 {
        places.push(format!("within {} after {start}", span(absence.deadline_ms)));
    }
    if absence.before_ms > 0 {
        places.push(format!("within {} before {start}", span(absence.before_ms)));
    }
    let mut words = format!("{} {} is missing", names(&absence.expect), places.join(" or "));
    if absence.grace_ms > 0 {
        words.push_str(&format!(" ({} of grace)", span(absence.grace_ms)));
    }
    if !absence.until.is_empty() {
        words.push_str(&format!(", unless {} comes first", names(&absence.until)));
    }
    words
}

fn previous_words(of: &Previous) -> String {
    let key = of.key.join(" and ");
    let how = match of.test {
        PreviousTest::Changed => format!("{} is another one than the last with the same {key}", of.field),
        PreviousTest::Gap(gap) => {
            format!("{} is more than {gap} above the last with the same {key}", of.field)
        }
        PreviousTest::Returns(ms) => {
            format!("{} goes back, within {}, to what it was before the last with the same {key}", of.field, span(ms))
        }
    };
    let unless = match of.ignore_same.is_empty() {
        true => String::new(),
        false => format!(", unless {} is the same in both", of.ignore_same.join(" or ")),
    };
    format!("{how}{unless} (remembered for {})", span(of.ttl_ms))
}

fn interval_words(of: &Interval) -> String {
    let place = if of.inside { "inside an interval" } else { "outside every interval" };
    let key: Vec<&str> = of.key.iter().map(|[this, ..]| this.as_str()).collect();
    let pad = match (of.pad_before_ms, of.pad_after_ms) {
        (0, 0) => String::new(),
        (before, after) => format!(", widened by {} before and {} after", span(before), span(after)),
    };
    format!(
        "it lies {place} from {} to {} with the same {}{pad} (open for {} at most)",
        of.open.name,
        of.close.name,
        key.join(" and "),
        span(of.ttl_ms)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Loaded, Settings, load_texts};

    fn loaded(document: &str) -> Loaded {
        let rules = ["a", "b", "c"].map(|name| {
            format!("title: {name}\nname: {name}\nlogsource: {{product: x}}\ndetection: {{s: [{name}], condition: s}}\n---\n")
        });
        let text = format!("{}{document}", rules.concat());
        let loaded = load_texts(&[("r.yml".into(), text.as_str())], &Settings::default());
        assert!(loaded.refused.is_empty(), "{:?}", loaded.refused);
        loaded
    }

    fn told(body: &str, keys: &str) -> String {
        let of = loaded(&format!("title: C\ncorrelation: {{{body}}}\n{keys}"));
        correlation(&of.correlations[0]).join("; ")
    }

    #[test]
    fn correlations_read_as_words() {
        for (body, words) in [
            (
                "type: event_count, rules: [a], group-by: [u], timespan: 1m, condition: {gte: 3}",
                "at least 3 events of rule a within 1m, all with the same u",
            ),
            (
                "type: value_count, rules: [a, b], timespan: 90s, condition: {field: [u, v], gt: 2, lt: 9}",
                "more than 2 and less than 9 distinct values of u and v in events of rules a, b within 90s",
            ),
            (
                "type: value_percentile, rules: [a], timespan: 1h, condition: {field: n, gte: 5, percentile: 95}",
                "percentile 95 of n in events of rule a is at least 5 within 1h",
            ),
            (
                "type: temporal, rules: [a, b, c], timespan: 1d, condition: (a or b) and not c",
                "(a or b) and no c within 1d",
            ),
            (
                "type: temporal_ordered, rules: [a, b], timespan: 1d, group-by: [u], aliases: {u: {a: x, b: y}}",
                "a and b in this order within 1d, all with the same u; where u is x of a, y of b",
            ),
        ] {
            assert_eq!(told(body, ""), words);
        }
        let body = "type: temporal, rules: [a, b], timespan: 1h, condition: a and not b";
        let keys =
            "x-absence: {start: a, expect: b, deadline: 10m, before: 1d, grace: 2m, until: c}\nx-where: a.u != b.u";
        assert_eq!(
            told(body, keys),
            "b within 10m after a or within 1d before a is missing (2m of grace), unless c comes first; and a.u != b.u"
        );
    }

    #[test]
    fn memories_read_as_words() {
        let keys = "title: M\nlogsource: {product: x}\ndetection: {s: [z], condition: s}\nx-prev: {key: [r, t], field: d, changed: true, ignore_same: run}\n\
                    x-interval: {open: a, close: b, key: [k], pad: [30s, 1m], expect: outside}";
        let words: Vec<String> = loaded(keys).rules[3].memories.iter().map(memory).collect();
        assert_eq!(
            words,
            [
                "d is another one than the last with the same r and t, unless run is the same in both (remembered for 400d)",
                "it lies outside every interval from a to b with the same k, widened by 30s before and 1m after (open for 1d at most)",
            ]
        );
    }
}
