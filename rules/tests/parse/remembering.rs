//! Extensions that remember, and what alerts of several events may say: each form once, each mistake with its line.

use super::*;
use crate::correlations::*;
use rules::ast::{Absence, Interval, Memory, Previous, PreviousTest, Reference, Target};

#[test]
fn e1_absence() {
    let body = temporal("type: temporal_ordered", "condition: a and not b and not c");
    let keys = "x-requires: [E1]\nx-absence: {start: a, expect: [c, b], deadline: 10m, before: 1d, grace: 2m, until: 00000000-0000-0000-0000-00000000000a}";
    let found = correlation_with(&body, keys);
    let absence = Absence {
        start: 0,
        expect: vec![2, 1],
        until: vec![3],
        deadline_ms: 600_000,
        before_ms: 86_400_000,
        grace_ms: 120_000,
    };
    assert_eq!(found.absence, Some(absence));
    assert_eq!((found.listed, found.references[3].target), (3, Target::Rule(3)));
    let before = correlation_with(
        &["type: temporal", "rules: [a, b]", "timespan: 1h", "condition: a and not b"],
        "x-requires: [E1]\nx-absence: {start: a, expect: b, before: 24h, deadline: 0s}",
    );
    assert_eq!(before.absence.map(|of| (of.deadline_ms, of.before_ms, of.grace_ms)), Some((0, 86_400_000, 0)));
    for (condition, keys, why) in [
        (
            "condition: a and not b",
            "x-absence: {start: a, expect: [b, c], deadline: 1m}",
            "6: the condition does not say what",
        ),
        ("condition: a and b", "x-absence: {start: a, expect: b, deadline: 1m}", "6: the condition does not say what"),
        ("group-by: u", "x-absence: {start: a, expect: b, deadline: 1m}", "3: the condition does not say what"),
        (
            "condition: a and not b",
            "x-absence: {start: a, expect: b}",
            "7: `x-absence` has neither `deadline` nor `before`",
        ),
        ("condition: a and not b", "x-absence: {expect: b, deadline: 1m}", "7: `x-absence` has no `start`"),
        (
            "condition: a and not b",
            "x-absence: {start: a, expect: d, deadline: 1m}",
            "7: `expect` names `d`, which `rules` does not",
        ),
        ("condition: a and not b", "x-absence: {start: a, expect: b, deadline: 1m, until: b}", "7: `until` names what"),
        (
            "condition: a and not b",
            "x-absence: {start: a, expect: b, deadline: 1m, until: gone}",
            "7: refers to an unknown rule `gone`",
        ),
        (
            "condition: a and not b",
            "x-absence: {start: a, expect: b, deadlin: 1m}",
            "7: unknown key `deadlin` in x-absence",
        ),
        ("condition: a and not b", "x-absence: {start: a, expect: b, deadline: 1x}", "7: deadline `1x` is no span"),
    ] {
        let message = refusal_with(&temporal("type: temporal", condition), keys);
        assert!(message.starts_with(&format!("rule.yml:{why}")), "{keys}: {message}");
    }
    assert!(
        refusal_with(&COUNT, "x-absence: {start: a, expect: a, deadline: 1m}")
            .contains("is for temporal and temporal_ordered only")
    );
    let lint = with_base(&body, "x-absence: {start: a, expect: [b, c], deadline: 10m}");
    assert!(lint.warnings[0].message.contains("`x-requires` does not name E1"));
}

#[test]
fn e2_where_over_several_events() {
    let body = temporal("type: temporal", "condition: a and b and c");
    let keys = "x-requires: [E2]\nx-lists: {egress: }\nx-where: [\"a.prov.commit != b.prov.commit\", \"not cidr_in(b.src.ip, list('egress', a.prov.runner_pool))\"]";
    let found = correlation_with(&body, keys);
    assert_eq!(found.wheres[0].fields(), ["a.prov.commit", "b.prov.commit"]);
    assert_eq!(found.lists[0].name, "egress");
    for (expression, why) in [
        ("d.x == 1", "x-where: `d` of `d.x` is not among the correlation's `rules`"),
        ("a == 1", "x-where: `a` names no rule and field"),
        ("A.x == 1", "x-where: `A` of `A.x` is no name of [a-z0-9_]"),
        ("in(a.x, list('n'))", "x-where: list `n` is not declared"),
    ] {
        let message = refusal_with(&body, &format!("x-where: \"{expression}\""));
        assert!(message.starts_with(&format!("rule.yml:7: {why}")), "{message}");
    }
    assert!(refusal_with(&COUNT, "x-where: a.x == 1").contains("is for temporal and temporal_ordered only"));
}

fn remembering(keys: &str) -> Loaded {
    load(&format!("{}{keys}\n---\n{}", rule_text("  s: [z]\n  condition: s"), base()))
}

#[test]
fn e8_previous_values() {
    let memory = |test: &str| {
        let loaded = remembering(&format!(
            "x-requires: [E8]\nx-prev: {{key: [r, t], field: d, {test}, ignore_same: [run], ttl: 30d}}"
        ));
        assert!(loaded.refused.is_empty() && loaded.warnings.is_empty(), "{:?}", loaded.refused);
        loaded.rules[0].memories.clone()
    };
    let previous = |test| {
        let texts = |of: &[&str]| of.iter().map(|text| (*text).to_owned()).collect();
        vec![Memory::Previous(Previous {
            key: texts(&["r", "t"]),
            field: "d".into(),
            test,
            ignore_same: texts(&["run"]),
            ttl_ms: 2_592_000_000,
        })]
    };
    assert_eq!(memory("changed: true"), previous(PreviousTest::Changed));
    assert_eq!(memory("gap: 1"), previous(PreviousTest::Gap(1)));
    assert_eq!(memory("returns: 30m"), previous(PreviousTest::Returns(1_800_000)));
    for (body, why) in [
        ("{field: d, changed: true}", "`x-prev` has no `key`"),
        ("{key: k, changed: true}", "`x-prev` has no `field`"),
        ("{key: k, field: d}", "`x-prev` does not say how"),
        ("{key: k, field: d, changed: false}", "`changed: false` asks for nothing"),
        ("{key: k, field: d, changed: true, gap: 1}", "`x-prev` compares in more than one way"),
        ("{key: k, field: d, gap: 0}", "`gap` needs a whole number above 0"),
        ("{key: k, field: d, returns: 0m}", "returns is zero"),
        ("{key: k, fild: d}", "unknown key `fild` in x-prev"),
        ("{key: k, field: d, changed: true, ttl: 2y}", "ttl `2y` is longer than 400 days"),
    ] {
        let message = remembering(&format!("x-prev: {body}")).refused[0].to_string();
        assert!(message.starts_with(&format!("rule.yml:6: {why}")), "{body}: {message}");
    }
}

#[test]
fn e10_intervals() {
    let keys = "x-requires: [E10]\nx-interval: {open: a, close: b, key: [r, {this: j, open: k, close: l}], pad: [30s, 1m], expect: inside, ttl: 12h}";
    let loaded = remembering(keys);
    assert!(loaded.refused.is_empty(), "{:?}", loaded.refused);
    let reference = |name: &str, at| Reference { name: name.into(), target: Target::Rule(at) };
    let interval = Interval {
        open: reference("a", 1),
        close: reference("b", 2),
        key: [["r", "r", "r"], ["j", "k", "l"]].map(|fields| fields.map(str::to_owned)).to_vec(),
        pad_before_ms: 30_000,
        pad_after_ms: 60_000,
        inside: true,
        ttl_ms: 43_200_000,
    };
    assert_eq!(loaded.rules[0].memories, [Memory::Interval(interval)]);
    for (body, why) in [
        ("{close: b, key: k, expect: inside}", "`x-interval` has no `open`"),
        ("{open: a, close: a, key: k, expect: inside}", "`open` and `close` name the same rule"),
        ("{open: a, close: b, expect: inside}", "`x-interval` has no `key`"),
        ("{open: a, close: b, key: [{this: x}], expect: inside}", "an entry of `key` has no `open`"),
        ("{open: a, close: b, key: k}", "`x-interval` has no `expect`"),
        ("{open: a, close: b, key: k, expect: insid}", "unknown `expect`"),
        ("{open: a, close: b, key: k, expect: inside, pad: [1s, 2s, 3s]}", "`pad` has two spans"),
        ("{open: a, close: gone, key: k, expect: inside}", "refers to an unknown rule `gone`"),
    ] {
        let message = remembering(&format!("x-interval: {body}")).refused[0].to_string();
        assert!(message.starts_with(&format!("rule.yml:6: {why}")), "{body}: {message}");
    }
    let over = remembering("x-interval: {open: n, close: b, key: k, expect: inside}\n---\n".to_owned().as_str());
    assert!(over.refused[0].message.contains("unknown rule `n`"));
    let text = format!(
        "{}x-interval: {{open: n, close: b, key: k, expect: inside}}\n---\n{}---\n{}",
        rule_text("  s: [z]\n  condition: s"),
        counted("n", "[a]", ""),
        base()
    );
    assert!(load(&text).refused[0].message.starts_with("`n` is a correlation (n): an interval is opened"));
    let own = rule_text("  s: [z]\n  condition: s")
        + "name: me\nx-interval: {open: me, close: b, key: k, expect: inside}\n---\n"
        + &base();
    assert!(load(&own).refused[0].message.starts_with("refers to itself: me → me"));
}

#[test]
fn own_events_have_known_fields_only() {
    fn known(field: &str) -> Option<String> {
        (!matches!(field, "repo" | "token" | "size")).then(|| "did you mean `repo`?".to_owned())
    }
    let settings = Settings { model_fields: Some(known), ..Settings::default() };
    let own = base().replace("category: test", "product: pipewarden, category: ci.job");
    let refused = |document: &str, rules: &str| {
        let loaded = load_with(&format!("{document}\n---\n{rules}"), &settings);
        loaded.refused.first().map(|why| why.message.clone())
    };
    let unknown = Some("unknown field `ropo`".to_owned());
    let temporal = "title: C\ncorrelation: {type: temporal, rules: [a, b], timespan: 1m, condition: a and b, group-by: [g], aliases: {g: {a: repo, b: GROUP}}}\n\
                    x-requires: [E2]\nx-where: a.WHERE == b.token\nx-alert: {fingerprint: [g, PRINT], route: [{when: {WHEN: x}, route: page}]}";
    let fill = |wrong: &str| {
        ["GROUP", "WHERE", "PRINT", "WHEN"]
            .iter()
            .fold(temporal.to_owned(), |text, place| text.replace(place, if *place == wrong { "ropo" } else { "repo" }))
    };
    assert_eq!(refused(&fill(""), &own), None);
    for place in ["GROUP", "WHERE", "PRINT", "WHEN"] {
        assert_eq!(refused(&fill(place), &own), unknown, "{place}");
        assert_eq!(refused(&fill(place), &base()), None, "other products are not checked");
    }
    let sum = "title: C\ncorrelation: {type: value_sum, rules: [a], timespan: 1m, condition: {gt: 1, field: FIELD}}";
    assert_eq!(refused(&sum.replace("FIELD", "size"), &own), None);
    assert_eq!(refused(&sum.replace("FIELD", "alert.risk"), &own), None);
    assert_eq!(refused(&sum.replace("FIELD", "ropo"), &own), unknown);
    let through = format!("{}---\n{}", counted("n", "[a]", ""), sum.replace("[a]", "[n]").replace("FIELD", "ropo"));
    assert_eq!(refused(&through, &own), unknown, "what reaches a correlation are events of its rules");
    let interval = rule_text("  s: [z]\n  condition: s")
        + "x-requires: [E10]\nx-interval: {open: a, close: b, key: [{this: x, open: repo, close: ropo}], expect: inside}\n";
    assert_eq!(refused(&interval, &own), unknown);
}

#[test]
fn alerts_group_and_are_silenced() {
    let alert =
        correlation_with(&COUNT, "x-alert: {group: [u], suppress_when: [ops_change], composite: true}").alert.unwrap();
    assert_eq!((alert.group, alert.suppress_when), (Some(vec!["u".to_owned()]), vec!["ops_change".to_owned()]));
    assert_eq!((alert.composite, alert.never_suppress), (true, false));
    let never = correlation_with(&COUNT, "x-alert: {never_suppress: true, group: u}").alert.unwrap();
    assert!(never.never_suppress && never.suppress_when.is_empty());
    for (keys, why) in [
        ("x-alert: {never_suppress: true, suppress_when: [a]}", "`suppress_when` beside `never_suppress: true`"),
        ("x-alert: {never_suppress: 1}", "`never_suppress` must be true or false, not a number"),
        ("x-alert: {group: []}", "`group` is an empty list"),
    ] {
        let message = refusal_with(&COUNT, keys);
        assert!(message.starts_with(&format!("rule.yml:7: {why}")), "{message}");
    }
}
