//! Correlation documents: every accepted form once, every mistake once.

use super::*;
use rules::ast::{Condition, Correlation, CorrelationType, GroupField, Occur, Operator, Reference, Target};

/// Rules `a`, `b`, `c` and one that is known by its id.
pub(super) const ID: &str = "00000000-0000-0000-0000-00000000000a";

pub(super) fn base() -> String {
    let named = ["a", "b", "c"].map(|name| {
        rule_text("  s: [x]\n  condition: s").replace("[x]", &format!("[{name}]")) + &format!("name: {name}\n")
    });
    let by_id = rule_text("  s: [y]\n  condition: s") + &format!("id: {ID}\n");
    [&named[..], &[by_id]].concat().join("---\n")
}

/// A document with this body of `correlation` (one line each) and these keys behind it, before the rules it names.
pub(super) fn with_base(body: &[&str], keys: &str) -> Loaded {
    let lines: Vec<String> = body.iter().map(|line| format!("  {line}\n")).collect();
    let text = format!("title: C\ncorrelation:\n{}{keys}\n---\n{}", lines.concat(), base());
    load(&text)
}

pub(super) fn correlation_with(body: &[&str], keys: &str) -> Correlation {
    let mut loaded = with_base(body, keys);
    assert!(loaded.refused.is_empty(), "{body:?} {keys}: {}", loaded.refused[0]);
    assert_eq!(loaded.rules.len(), 4);
    loaded.correlations.remove(0)
}

pub(super) fn refusal_with(body: &[&str], keys: &str) -> String {
    let loaded = with_base(body, keys);
    assert_eq!((loaded.refused.len(), loaded.rules.len()), (1, 4), "{body:?} {keys}: {:?}", loaded.refused);
    assert!(loaded.refused[0].hint.is_some());
    loaded.refused[0].to_string()
}

pub(super) const COUNT: [&str; 4] = ["type: event_count", "rules: [a]", "timespan: 1m", "condition: {gte: 3}"];

/// The count with one line in another's place.
pub(super) fn count_but(at: usize, line: &'static str) -> [&'static str; 4] {
    let mut body = COUNT;
    body[at] = line;
    body
}

pub(super) fn temporal(kind: &'static str, condition: &'static str) -> [&'static str; 4] {
    [kind, "rules: [a, b, c]", "timespan: 1m", condition]
}

pub(super) fn occur_of(condition: &'static str) -> Occur {
    match correlation_with(&temporal("type: temporal", condition), "").condition {
        Condition::Occur(occur) => occur,
        other => panic!("{other:?}"),
    }
}

pub(super) fn measure_of(body: &[&str]) -> (Vec<String>, Vec<(Operator, f64)>, f64) {
    match correlation_with(body, "").condition {
        Condition::Measure { fields, tests, percentile } => (fields, tests, percentile),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_header_as_rules_have_it() {
    let keys = "id: 00000000-0000-0000-0000-0000000000FF\nname: n\nlevel: high\nstatus: test\ntags: [t.a]\nfalsepositives: [f]\n\
                description: d\nauthor: me\nregression: 1";
    let found = correlation_with(&COUNT, keys);
    assert_eq!(found.id, "00000000-0000-0000-0000-0000000000ff");
    assert_eq!((found.name.as_deref(), found.title.as_str(), found.level), (Some("n"), "C", model::Severity::High));
    assert_eq!((found.tags, found.falsepositives), (vec!["t.a".to_owned()], vec!["f".to_owned()]));
    assert_eq!((found.description.as_deref(), found.custom.len()), (Some("d"), 1));
    let plain = correlation_with(&COUNT, "");
    assert_eq!((plain.origin.line, plain.id.len(), plain.timespan_ms, plain.generate), (1, 32, 60_000, false));
    assert_eq!(plain.kind, CorrelationType::EventCount);
    assert_eq!(plain.references, [Reference { name: "a".into(), target: Target::Rule(0) }]);
    assert_eq!(plain.listed, 1);
}

#[test]
fn f1_operators_ranges_and_floats() {
    use Operator::{Eq, Gt, Gte, Lt, Lte, Neq};
    for (condition, tests) in [
        ("condition: {gt: 3}", vec![(Gt, 3.0)]),
        ("condition: {gte: 0.5}", vec![(Gte, 0.5)]),
        ("condition: {lt: 3}", vec![(Lt, 3.0)]),
        ("condition: {lte: -1.5}", vec![(Lte, -1.5)]),
        ("condition: {eq: 0}", vec![(Eq, 0.0)]),
        ("condition: {neq: '7'}", vec![(Neq, 7.0)]),
        ("condition: {lt: 10, gte: 3}", vec![(Gte, 3.0), (Lt, 10.0)]),
    ] {
        assert_eq!(measure_of(&count_but(3, condition)), (Vec::new(), tests, 50.0), "{condition}");
    }
}

#[test]
fn f2_spans() {
    for (line, ms) in [
        ("timespan: 90s", 90_000),
        ("timespan: 2h", 7_200_000),
        ("timespan: 1w", 604_800_000),
        ("timespan: 1M", 2_592_000_000),
        ("timespan: 1y", 31_536_000_000),
        ("timespan: 400d", 34_560_000_000),
    ] {
        assert_eq!(correlation_with(&count_but(2, line), "").timespan_ms, ms);
    }
    for (line, why) in [
        ("timespan: 0m", "timespan is zero"),
        ("timespan: 5 m", "timespan `5 m` is no span"),
        ("timespan: 5x", "timespan `5x` is no span"),
        ("timespan: 401d", "timespan `401d` is longer than 400 days"),
        ("timespan: 14M", "timespan `14M` is longer than 400 days"),
    ] {
        let message = refusal_with(&count_but(2, line), "");
        assert!(message.starts_with(&format!("rule.yml:5: {why}")), "{message}");
    }
}

#[test]
fn g_values_and_percentiles() {
    let of = |kind, condition| measure_of(&[kind, "rules: [a]", "timespan: 1m", condition]);
    let (fields, _, percentile) = of("type: value_count", "condition: {field: u, gte: 3}");
    assert_eq!((fields, percentile), (vec!["u".to_owned()], 50.0));
    assert_eq!(of("type: value_count", "condition: {field: [u, v], gte: 3}").0, ["u", "v"]);
    for kind in ["type: value_sum", "type: value_avg", "type: value_median"] {
        assert_eq!(of(kind, "condition: {field: n, gt: 1.5}"), (vec!["n".into()], vec![(Operator::Gt, 1.5)], 50.0));
    }
    assert_eq!(of("type: value_percentile", "condition: {field: n, gt: 1, percentile: 95}").2, 95.0);
    assert_eq!(of("type: value_percentile", "condition: {field: n, gt: 1}").2, 50.0);
}

#[test]
fn g3_g8_what_occurs() {
    let reference = Occur::Reference;
    assert_eq!(occur_of("generate: false"), Occur::All(vec![reference(0), reference(1), reference(2)]));
    let neither = Occur::Not(Box::new(reference(2)));
    assert_eq!(occur_of("condition: a and b and not c"), Occur::All(vec![reference(0), reference(1), neither]));
    let either = Occur::Any(vec![reference(0), reference(1)]);
    assert_eq!(occur_of("condition: (a or b) and c"), Occur::All(vec![either, reference(2)]));
    let ordered = correlation_with(&temporal("type: temporal_ordered", "condition: a and not b and c"), "");
    assert!(matches!(ordered.condition, Condition::Occur(Occur::All(parts)) if parts.len() == 3));
    assert_eq!(measure_of(&temporal("type: temporal", "condition: {gte: 2}")).1, [(Operator::Gte, 2.0)]);
    let loaded = with_base(&temporal("type: temporal", "condition: a AND b"), "");
    let warnings: Vec<&str> = loaded.warnings.iter().map(|why| why.message.as_str()).collect();
    assert_eq!(warnings, ["`c` is listed and the condition does not name it", "operator `AND` in upper case"]);
}

#[test]
fn f6_f7_keys_and_aliases() {
    let mut body = temporal("type: temporal", "group-by: [u, v]").to_vec();
    body.push("aliases: {u: {a: src.ip, b: dst.ip, c: ip}}");
    let field =
        |name: &str, fields: [&str; 3]| GroupField { name: name.into(), fields: fields.map(str::to_owned).to_vec() };
    let found = correlation_with(&body, "");
    assert_eq!(found.group_by, [field("u", ["src.ip", "dst.ip", "ip"]), field("v", ["v", "v", "v"])]);
    let text = ["type: event_count", "rules: a", "timespan: 1m", "group-by: u", "condition: {gt: 1}"];
    assert_eq!(correlation_with(&text, "").group_by.len(), 1);
    body[4] = "aliases: {u: {a: src.ip, b: dst.ip}, w: {a: x, b: x, c: x}}";
    let loaded = with_base(&body, "");
    let warnings: Vec<&str> = loaded.warnings.iter().map(|why| why.message.as_str()).collect();
    assert_eq!(warnings, ["alias `u` says nothing of rule `c`", "alias `w` is not in `group-by`"]);
    assert_eq!(loaded.correlations[0].group_by[0].fields, ["src.ip", "dst.ip", "u"]);
}

/// A line in another's place, and why it is refused.
const MISSING: &[(usize, &str, &str)] = &[
    (0, "type: event_cont", "rule.yml:3: unknown correlation type `event_cont` (hint: did you mean `event_count`?)"),
    (0, "generate: false", "rule.yml:3: no `type` in the correlation"),
    (1, "generate: false", "rule.yml:3: no `rules` in the correlation"),
    (1, "rules: []", "rule.yml:4: the correlation names no `rules`"),
    (1, "rules: [a, a]", "rule.yml:4: `a` stands twice in `rules`"),
    (1, "rules: [ax]", "rule.yml:4: refers to an unknown rule `ax` (hint: did you mean `a`?)"),
    (2, "generate: false", "rule.yml:3: no `timespan` in the correlation"),
    (2, "timespn: 1m", "rule.yml:5: unknown key `timespn` in correlation (hint: did you mean `timespan`?)"),
    (2, "generate: maybe", "rule.yml:3: no `timespan`"),
    (3, "generate: false", "rule.yml:3: no `condition` in the correlation"),
    (3, "condition: {ge: 3}", "rule.yml:6: unknown key `ge` in condition"),
    (3, "condition: {}", "rule.yml:6: the condition compares with nothing"),
    (3, "condition: {gte: many}", "rule.yml:6: `gte` needs a number, not text"),
    (3, "condition: {gt: 1, gte: 2, lt: 3}", "rule.yml:6: the condition has more than two bounds"),
    (3, "condition: {gt: 5, lt: 5}", "rule.yml:6: no number satisfies both bounds"),
    (3, "condition: {gte: 3, field: u}", "rule.yml:6: `field` has no meaning"),
    (3, "condition: {gte: 3, percentile: 5}", "rule.yml:6: `percentile` is for value_percentile only"),
    (3, "condition: [3]", "rule.yml:6: a condition must be a map or text, not a list"),
    (3, "condition: a and b", "rule.yml:6: a text condition is for temporal correlations only"),
];

#[test]
fn f13_what_a_correlation_must_say() {
    for &(at, line, why) in MISSING {
        let message = refusal_with(&count_but(at, line), "");
        assert!(message.starts_with(why), "{line}: {message}");
    }
    for (kind, condition, why) in [
        ("type: value_sum", "condition: {gte: 3}", "the condition names no `field`"),
        ("type: value_sum", "condition: {gte: 3, field: [u, v]}", "several fields are for value_count only"),
        ("type: value_count", "condition: {gte: 3, field: []}", "`field` names no field"),
        ("type: value_percentile", "condition: {gte: 3, field: u, percentile: 101}", "percentile 101 is not between"),
        (
            "type: temporal",
            "condition: a and x",
            "`x` at column 7 of the condition is not among the correlation's `rules`",
        ),
        ("type: temporal", "condition: not a", "the condition is true when nothing happens"),
        ("type: temporal", "condition: 1 of them", "`1 of` at column 1 is not for correlations"),
        ("type: temporal", "condition: a b", "unexpected `b` at column 3"),
        ("type: temporal", "condition: a and", "the condition ends where a rule is expected"),
        ("type: temporal", "condition: ''", "the condition is empty"),
        ("type: temporal_ordered", "condition: b and a", "the condition names its rules in another order"),
        ("type: temporal_ordered", "condition: a or b", "an ordered condition joins rules by `and`"),
    ] {
        let message = refusal_with(&temporal(kind, condition), "");
        assert!(message.starts_with(&format!("rule.yml:6: {why}")), "{condition}: {message}");
    }
    for (keys, why) in [
        ("detection: {s: [a], condition: s}", "rule.yml:7: a correlation has no `detection`"),
        ("logsource: {product: x}", "rule.yml:7: a correlation has no `logsource`"),
        ("x-prev: {key: [u]}", "rule.yml:7: `x-prev` is an extension of rules"),
        ("generate: maybe", "rule.yml:7: `generate` must be true or false, not text"),
        ("level: hgh", "rule.yml:7: unknown level `hgh`"),
    ] {
        let message = refusal_with(&COUNT, keys);
        assert!(message.starts_with(why), "{keys}: {message}");
    }
    for (line, why) in [
        ("aliases: {u: {z: f}}", "rule.yml:7: alias `u` names rule `z`, which `rules` does not list"),
        ("aliases: {u: {a: }}", "rule.yml:7: alias `u` names no field for rule `a`"),
        ("aliases: [u]", "rule.yml:7: `aliases` must be a map, not a list"),
        ("group-by: [u, u]", "rule.yml:7: `group-by` names `u` twice"),
    ] {
        let message = refusal_with(&[&COUNT[..], &[line]].concat(), "");
        assert!(message.starts_with(why), "{line}: {message}");
    }
    assert!(refusal_of("title: C\ncorrelation: x").starts_with("rule.yml:2: `correlation` must be a map, not text"));
}

pub(super) fn documents(texts: &[&str]) -> Loaded {
    let names = ["one.yml", "two.yml", "three.yml"];
    let texts: Vec<(PathBuf, &str)> =
        names.iter().zip(texts).map(|(name, text)| (PathBuf::from(name), *text)).collect();
    load_texts(&texts, &Settings::default())
}

pub(super) fn counted(name: &str, rules: &str, keys: &str) -> String {
    format!(
        "title: {name}\nname: {name}\n{keys}\ncorrelation: {{type: event_count, rules: {rules}, timespan: 1m, condition: {{gt: 1}}}}\n"
    )
}

pub(super) fn messages(loaded: &Loaded) -> Vec<String> {
    loaded.refused.iter().map(ToString::to_string).collect()
}

#[test]
fn a1_a2_references_reach_forward_and_across_files() {
    let outer = counted("outer", "[inner, 00000000-0000-0000-0000-00000000000A]", "");
    let loaded = documents(&[&outer, &counted("inner", "[b]", ""), &base()]);
    assert!(loaded.refused.is_empty(), "{:?}", messages(&loaded));
    let targets = |at: usize| loaded.correlations[at].references.iter().map(|of| of.target).collect::<Vec<_>>();
    assert_eq!(targets(0), [Target::Correlation(1), Target::Rule(3)]);
    assert_eq!(targets(1), [Target::Rule(1)]);
}

#[test]
fn f10_f13_broken_references_take_only_those_along_that_need_them() {
    // Indexes are those of what is left: `broken` stands before the two that load.
    let broken = counted("broken", "[gone]", "") + "---\n" + &counted("above", "[broken, a]", "") + "---\n";
    let fine = counted("top", "[below]", "") + "---\n" + &counted("below", "[a]", "");
    let loaded = documents(&[&(broken + &fine), &base()]);
    assert_eq!(
        messages(&loaded),
        [
            format!("one.yml:4: refers to an unknown rule `gone` (hint: known: a, b, c, {ID}, above, top, below)"),
            "one.yml:9: refers to `broken`, which is refused (one.yml:4) (hint: see the message about that document)"
                .to_owned(),
        ]
    );
    assert_eq!(loaded.correlations.len(), 2);
    assert_eq!(loaded.correlations[0].references[0].target, Target::Correlation(1));
    assert_eq!(loaded.rules.len(), 4);
    let unread = documents(&[&counted("n", "[old]", ""), "title: T\nname: old\nlevel: hgh"]);
    assert_eq!(
        messages(&unread)[0],
        "one.yml:4: refers to `old`, which did not load (two.yml:1) (hint: see the message about that document)"
    );
    let twice = documents(&[
        &counted("n", "[a]", ""),
        &base(),
        "title: T\nname: a\nlogsource: {product: x}\ndetection: {s: [q], condition: s}",
    ]);
    assert_eq!(
        messages(&twice)[0],
        "one.yml:4: `a` is what several documents call themselves: three.yml:1, two.yml:1 (hint: give each document an id \
         and a name of its own)"
    );
    let same = documents(&[
        "title: T\nname: t\nid: 00000000-0000-0000-0000-000000000001\nlogsource: {product: x}\n\
                            detection: {s: [q], condition: s}",
        &counted("n", "[t, 00000000-0000-0000-0000-000000000001]", ""),
    ]);
    assert!(
        messages(&same)[0]
            .starts_with("two.yml:4: `00000000-0000-0000-0000-000000000001` and `t` in `rules` are the same")
    );
}

#[test]
fn f10_circles_are_refused_and_what_stands_on_them() {
    let circle = [
        counted("x", "[y]", ""),
        counted("y", "[a, z]", ""),
        counted("z", "[x]", ""),
        counted("over", "[z]", ""),
        counted("self", "[self]", ""),
        counted("good", "[a]", ""),
    ];
    let loaded = documents(&[&circle.join("---\n"), &base()]);
    let told = messages(&loaded);
    assert!(told[0].starts_with("one.yml:4: refers to itself: x → y → z → x"), "{told:?}");
    assert!(told[1].starts_with("one.yml:9: refers to itself: y → z → x → y"), "{told:?}");
    assert!(told[2].starts_with("one.yml:14: refers to itself: z → x → y → z"), "{told:?}");
    assert!(told[3].starts_with("one.yml:19: refers to `z`, which is refused (one.yml:14)"), "{told:?}");
    assert!(told[4].starts_with("one.yml:24: refers to itself: self → self"), "{told:?}");
    assert_eq!((told.len(), loaded.correlations.len(), loaded.rules.len()), (5, 1, 4));
}

#[test]
fn a_long_chain_and_a_wide_fan_are_no_burden() {
    let count = 20_000;
    let chain: Vec<String> = (0..count).map(|at| counted(&format!("n{at}"), &format!("[n{}]", at + 1), "")).collect();
    let loaded = load(&(chain.join("---\n") + "---\n" + &counted(&format!("n{count}"), "[a]", "") + "---\n" + &base()));
    assert_eq!((loaded.correlations.len(), loaded.refused.len()), (count + 1, 0));
    let broken = load(&chain.join("---\n"));
    assert_eq!((broken.correlations.len(), broken.refused.len()), (0, count));
}

#[test]
fn f11_who_is_silent() {
    let silent = |text: &str| {
        let loaded = load(&(text.to_owned() + "---\n" + &base()));
        assert!(loaded.refused.is_empty(), "{:?}", messages(&loaded));
        (Vec::from_iter(loaded.silent_rules), Vec::from_iter(loaded.silent_correlations))
    };
    let outer = |keys: &str| counted("outer", "[inner, a]", keys) + "---\n" + &counted("inner", "[b]", "");
    assert_eq!(silent(&outer("")), (vec![0, 1], vec![1]));
    assert_eq!(silent(&outer("generate: true")), (vec![1], vec![]));
    assert_eq!(silent(&(outer("generate: true") + "---\n" + &counted("other", "[a]", ""))), (vec![1], vec![]));
    assert_eq!(silent(&outer("").replace("gt: 1}", "gt: 1}, generate: true")), (vec![], vec![]));
    assert_eq!(
        silent(&(counted("inner", "[b]", "x-alert: {route: ticket}") + "---\n" + &counted("o", "[inner]", ""))),
        (vec![1], vec![])
    );
    let absence = "title: A\ngenerate: true\nx-requires: [E1]\ncorrelation: {type: temporal, rules: [a, b], timespan: 1m, condition: a and not b}\n\
                   x-absence: {start: a, expect: b, deadline: 1m, until: c}\n";
    assert_eq!(silent(absence), (vec![2], vec![]), "`until` is no rule that `generate` speaks of");
    let inside = rule_text("  s: [z]\n  condition: s")
        + "x-requires: [E10]\nx-interval: {open: a, close: b, key: [u], expect: outside}\n";
    assert_eq!(silent(&inside), (vec![1, 2], vec![]));
    let speaking = base().replace("name: a\n", "name: a\nx-alert: {route: ticket}\n");
    assert_eq!(load(&(outer("") + "---\n" + &speaking)).silent_rules, [1].into());
}

#[test]
fn h8_filters_act_inside_correlations() {
    let filter = "title: F\nlogsource: {category: test}\nfilter: {rules: [a], s: [robot], condition: not s}\n---\n";
    let loaded = load(&format!("{filter}{}---\n{}", counted("n", "[a]", ""), base()));
    assert_eq!(loaded.rules[0].condition, Search::All(vec![keyword("a"), not(keyword("robot"))]));
}
