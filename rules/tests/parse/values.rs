//! Block B: how values are read.

use super::*;

#[test]
fn b2_b3_b4_scalars() {
    for (line, expected) in [
        ("f: 42", f(Test::Number(42.0))),
        ("f: -1.5", f(Test::Number(-1.5))),
        ("f: '42'", text("42")),
        ("f: true", text("true")),
        ("f: 'true'", text("true")),
        ("f: null", f(Test::Null)),
        ("f:", f(Test::Null)),
        ("f: ''", text("")),
        ("f: '*'", text("*")),
        // Beyond what a double holds exactly, digits count.
        ("f: 123456789012345678", text("123456789012345678")),
        ("f: -9007199254740993", text("-9007199254740993")),
        ("f: 9007199254740992", text("9007199254740992")),
        ("f: 9007199254740991", f(Test::Number(9_007_199_254_740_991.0))),
    ] {
        assert_eq!(selection(line), expected, "{line}");
    }
}

#[test]
fn b5_lists_and_maps() {
    assert_eq!(selection("f: [a, 1]"), Search::Any(vec![text("a"), f(Test::Number(1.0))]));
    assert_eq!(selection("f: [a]"), text("a"));
    assert_eq!(selection("f: a\n    g: b"), Search::All(vec![text("a"), field("g", Test::Text(pattern("b")))]));
    let list = rule(&rule_text("  s:\n    - f: a\n      g: b\n    - f: c\n    - word\n  condition: s")).condition;
    let first = Search::All(vec![text("a"), field("g", Test::Text(pattern("b")))]);
    assert_eq!(list, Search::Any(vec![first, text("c"), keyword("word")]));
    for (line, why) in [("f: []", "empty list of values"), ("f: {a: b}", "found a map"), ("f: [[a]]", "found a list")] {
        assert!(refusal(line).contains(why), "{line}: {}", refusal(line));
    }
    for (body, why) in
        [("  s: {}\n", "empty"), ("  s: []\n", "empty"), ("  s:\n", "empty"), ("  s: [[a]]\n", "list inside a list")]
    {
        let message = refusal_of(&rule_text(&format!("{body}  condition: s")));
        assert!(message.contains(why), "{message}");
    }
}

#[test]
fn b8_field_names_stay_as_written() {
    assert_eq!(selection("Event.Name: x"), field("Event.Name", Test::Text(pattern("x"))));
}

#[test]
fn b9_b10_b12_wildcards_and_escapes() {
    use Piece::{Literal, Many, One};
    let lit = |text: &str| Literal(text.to_owned());
    for (written, pieces) in [
        (r"a*b", vec![lit("a"), Many, lit("b")]),
        (r"a?b", vec![lit("a"), One, lit("b")]),
        (r"a**b", vec![lit("a"), Many, lit("b")]),
        (r"\*", vec![lit("*")]),
        (r"\?", vec![lit("?")]),
        (r"a\b", vec![lit(r"a\b")]),
        (r"a\", vec![lit(r"a\")]),
        (r"a\\b", vec![lit(r"a\b")]),
        (r"\\*", vec![lit(r"\"), Many]),
        (r"\\\*", vec![lit(r"\*")]),
        (r"\\\\", vec![lit(r"\\")]),
        (r"%x%", vec![lit("%x%")]),
        (r"\%x\%", vec![lit(r"\%x\%")]),
    ] {
        let expected = f(Test::Text(Pattern { pieces, cased: false }));
        assert_eq!(selection(&format!("f: '{written}'")), expected, "{written}");
    }
}

#[test]
fn numbers_keep_their_spelling_as_text() {
    assert_eq!(selection("f|contains: 0x1F"), text("*31*"), "a spelling that no decimal has is its value");
    assert_eq!(selection("f|startswith: 1.50"), text("1.50*"));
    // The spelling is looked up by character: text outside ASCII before it must not shift it.
    assert_eq!(selection("ä|contains: [ö, 1.50]"), {
        let part = |text| field("ä", Test::Text(pattern(text)));
        Search::Any(vec![part("*ö*"), part("*1.50*")])
    });
}

#[test]
fn yaml_is_read_with_care() {
    let anchors = "  a: &x\n    f: a\n    g: b\n  b:\n    <<: *x\n    f: c\n  condition: 1 of *";
    let found = rule(&rule_text(anchors));
    let b = Search::All(vec![text("c"), field("g", Test::Text(pattern("b")))]);
    assert_eq!(found.searches[1], ("b".to_owned(), b));
    for (line, why) in
        [("f: .nan", "finite"), ("f: a\n    f: b", "duplicated key"), ("f: [a", "no YAML"), ("f: !!int x", "no YAML")]
    {
        assert!(refusal(line).contains(why), "{line}: {}", refusal(line));
    }
    for deep in [
        format!("f: {}", "[".repeat(100_000)),
        format!("\n     {}a", "- ".repeat(100_000)),
        format!("f: {}1{}", "[".repeat(60), "]".repeat(60)),
    ] {
        assert_eq!(load(&rule_text(&format!("  s:\n    {deep}\n  condition: s"))).refused.len(), 1);
    }
}
