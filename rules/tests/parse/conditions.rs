//! Blocks D and E: keywords and conditions.

use super::*;

fn k(name: &str) -> Search {
    keyword(name)
}

/// What a condition over the keyword searches a, b, c, sel_1, sel_2, x_sel_y, order, selection_and and _hidden means.
fn condition(text: &str) -> Search {
    rule(&document(text)).condition
}

fn document(condition: &str) -> String {
    let names = ["a", "b", "c", "sel_1", "sel_2", "x_sel_y", "order", "selection_and", "_hidden"];
    let searches: String = names.iter().map(|name| format!("  {name}: [{name}]\n")).collect();
    rule_text(&format!("{searches}  condition: {condition}"))
}

#[test]
fn d_keywords() {
    for (body, expected) in [
        ("[Word, 'b*c']", Search::Any(vec![k("Word"), k("b*c")])),
        ("word", k("word")),
        ("[4688, 1.50]", Search::Any(vec![k("4688"), k("1.50")])),
        ("{'|all': [a, b]}", Search::All(vec![k("a"), k("b")])),
        ("{'|contains': a}", k("a")),
        ("{'|cased': aB}", Search::Keyword(cased("aB"))),
        ("{'|base64offset': foobar}", Search::Any(vec![k("Zm9vYmFy"), k("Zvb2Jhc"), k("mb29iYX")])),
    ] {
        assert_eq!(rule(&rule_text(&format!("  s: {body}\n  condition: s"))).condition, expected, "{body}");
    }
    for body in ["['']", "[null]", "{'|startswith': a}"] {
        assert!(refusal_of(&rule_text(&format!("  s: {body}\n  condition: s"))).contains("keyword"), "{body}");
    }
}

#[test]
fn e1_operators_and_precedence() {
    let all = |parts: Vec<Search>| Search::All(parts);
    let any = |parts: Vec<Search>| Search::Any(parts);
    for (text, expected) in [
        ("a and b", all(vec![k("a"), k("b")])),
        ("a or b and c", any(vec![k("a"), all(vec![k("b"), k("c")])])),
        ("(a or b) and c", all(vec![any(vec![k("a"), k("b")]), k("c")])),
        ("not a and b", all(vec![not(k("a")), k("b")])),
        ("not (a and b)", not(all(vec![k("a"), k("b")]))),
        ("not not a", not(not(k("a")))),
        ("a or b or c", any(vec![k("a"), k("b"), k("c")])),
        ("((a))", k("a")),
        ("a and(b)or c", any(vec![all(vec![k("a"), k("b")]), k("c")])),
    ] {
        assert_eq!(condition(text), expected, "{text}");
    }
}

#[test]
fn e2_to_e6_selectors_lists_and_names() {
    let visible = ["a", "b", "c", "sel_1", "sel_2", "x_sel_y", "order", "selection_and"];
    let them: Vec<Search> = visible.iter().map(|name| k(name)).collect();
    for (text, expected) in [
        ("1 of them", Search::Any(them.clone())),
        ("any of them", Search::Any(them.clone())),
        ("all of them", Search::All(them)),
        ("1 of sel_*", Search::Any(vec![k("sel_1"), k("sel_2")])),
        ("all of *sel_*", Search::All(vec![k("sel_1"), k("sel_2"), k("x_sel_y")])),
        ("1 of x_*_y", k("x_sel_y")),
        ("1 of sel_1", k("sel_1")),
        ("a and not 1 of sel_*", Search::All(vec![k("a"), not(Search::Any(vec![k("sel_1"), k("sel_2")]))])),
        ("[a, b and c]", Search::Any(vec![k("a"), Search::All(vec![k("b"), k("c")])])),
        ("order or selection_and", Search::Any(vec![k("order"), k("selection_and")])),
        ("_hidden", k("_hidden")),
    ] {
        assert_eq!(condition(text), expected, "{text}");
    }
}

#[test]
fn e7_what_no_condition_is() {
    for (text, why) in [
        (
            "selection_add",
            "unknown search `selection_add` at column 1 of the condition (hint: did you mean `selection_and`?)",
        ),
        ("''", "the condition is empty"),
        ("[]", "the condition is empty"),
        ("", "the condition is empty"),
        ("a and", "ends where a search is expected"),
        ("and a", "unexpected `and` at column 1"),
        ("a b", "unexpected `b` at column 3"),
        ("(a", "parenthesis at column 1 is never closed"),
        ("a)", "unexpected `)` at column 2"),
        ("a | count() > 5", "unexpected `|` at column 3 of the condition (hint: aggregations behind a pipe"),
        ("1 of nothing_*", "matches no search"),
        ("2 of sel_*", "`2 of` at column 1 is not in Sigma 2"),
        ("all of", "needs `them` or a pattern"),
        ("sel_*", "write `1 of sel_*` or `all of sel_*`"),
        ("{a: b}", "a condition must be text"),
    ] {
        let message = refusal_of(&document(text));
        assert!(message.starts_with("rule.yml:13: ") && message.contains(why), "{text}: {message}");
    }
    let deep = format!("{}a{}", "(".repeat(3000), ")".repeat(3000));
    assert!(refusal_of(&document(&deep)).contains("nested deeper"));
    assert!(refusal_of(&document(&"not ".repeat(500))).contains("nested deeper"));
}

#[test]
fn e8_upper_case_is_accepted_with_a_lint() {
    let loaded = load(&document("a AND NOT b OR 1 OF sel_*"));
    let both = Search::All(vec![k("a"), not(k("b"))]);
    assert_eq!(loaded.rules[0].condition, Search::Any(vec![both, Search::Any(vec![k("sel_1"), k("sel_2")])]));
    assert_eq!(loaded.warnings.iter().filter(|warning| warning.message.contains("upper case")).count(), 3);
}

#[test]
fn e9_a_rule_may_be_a_negation_alone() {
    assert_eq!(condition("not a"), not(k("a")));
}

#[test]
fn searches_keep_the_order_of_the_document() {
    let names: Vec<String> = rule(&document("all of *")).searches.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b", "c", "sel_1", "sel_2", "x_sel_y", "order", "selection_and", "_hidden"]);
}

#[test]
fn a_repeated_large_search_is_bounded() {
    let body = format!("  s:\n    f|windash: '-a -b -c -d -e -f'\n  condition: {}", vec!["s"; 200].join(" or "));
    assert!(refusal_of(&rule_text(&body)).contains("more than 500000 tests"));
}
