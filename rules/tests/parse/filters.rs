//! Block H: filters.

use super::*;

const ID: &str = "00000000-0000-0000-0000-000000000001";

fn rules_text() -> String {
    let one = rule_text("  s: [a]\n  condition: s") + &format!("id: {ID}\n");
    let two = rule_text("  s: [b]\n  condition: s") + "name: two\n";
    let three = rule_text("  s: [c]\n  condition: s");
    format!("{one}---\n{two}---\n{three}")
}

fn filter_text(rules: &str, body: &str) -> String {
    format!("title: F\nlogsource: {{category: test}}\nfilter:\n  rules: {rules}\n{body}\n")
}

fn load_all(filters: &[&str]) -> Loaded {
    let rules = rules_text();
    // Filters first: references reach forward, across files.
    let mut texts: Vec<(PathBuf, &str)> = filters.iter().map(|text| (PathBuf::from("filter.yml"), *text)).collect();
    texts.push(("rules.yml".into(), &rules));
    let loaded = load_texts(&texts, &Settings::default());
    assert_eq!(loaded.documents, loaded.rules.len() + loaded.filters + loaded.refused.len() + loaded.skipped.len());
    loaded
}

fn conditions(loaded: &Loaded) -> Vec<Search> {
    loaded.rules.iter().map(|rule| rule.condition.clone()).collect()
}

fn and(a: Search, b: Search) -> Search {
    Search::All(vec![a, b])
}

#[test]
fn h1_h2_h6_by_id_and_name_as_written() {
    let text = filter_text(&format!("[{ID}, two]"), "  s: {f: x}\n  condition: not s");
    let loaded = load_all(&[&text]);
    let filter = || not(super::text("x"));
    assert_eq!(conditions(&loaded), [and(keyword("a"), filter()), and(keyword("b"), filter()), keyword("c")]);
    assert_eq!(loaded.filters, 1);
    let kept = filter_text("[two]", "  s: {f: x}\n  condition: s");
    assert_eq!(conditions(&load_all(&[&kept]))[1], and(keyword("b"), super::text("x")));
}

#[test]
fn h3_h4_several_filters_and_selections() {
    let first = filter_text("two", "  s: [x]\n  t: [y]\n  condition: not 1 of them");
    let second = filter_text("two", "  s: [z]\n  condition: not s");
    let loaded = load_all(&[&first, &second]);
    let inner = and(keyword("b"), not(Search::Any(vec![keyword("x"), keyword("y")])));
    assert_eq!(conditions(&loaded), [keyword("a"), and(inner, not(keyword("z"))), keyword("c")]);
    let any = filter_text("any", "  s: [x]\n  condition: not s");
    assert_eq!(conditions(&load_all(&[&any]))[2], and(keyword("c"), not(keyword("x"))));
}

#[test]
fn h5_h7_what_a_filter_may_not_do() {
    let other = filter_text("two", "  s: [x]\n  condition: s").replace("category: test", "category: other");
    let unknown = filter_text("[two, tow]", "  s: [x]\n  condition: s");
    let nothing = "title: F\nlogsource: {category: test}\nfilter: {s: [x], condition: s}";
    let extension = filter_text("two", "  s: [x]\n  condition: s\nx-where: a == 1");
    for (text, why) in [
        (other.as_str(), "filter.yml:1: the filter's log source fits none of its rules"),
        (&unknown, "filter.yml:4: the filter names an unknown rule `tow` (hint: did you mean `two`?)"),
        (nothing, "filter.yml:3: the filter names no `rules`"),
        (&extension, "filter.yml:7: unknown extension `x-where`"),
    ] {
        let loaded = load_all(&[text]);
        assert!(loaded.refused[0].to_string().starts_with(why), "{}", loaded.refused[0]);
        assert_eq!(conditions(&loaded), [keyword("a"), keyword("b"), keyword("c")]);
    }
}

#[test]
fn a_filter_goes_without_the_rules_that_did_not_load() {
    let skipped = rule_text("  s: [a]\n  condition: s") + "name: old\nstatus: deprecated\n";
    let filter = filter_text("[old, two]", "  s: [x]\n  condition: s");
    let loaded = load_all(&[&skipped, &filter]);
    assert_eq!((loaded.skipped.len(), loaded.filters, loaded.refused.len()), (1, 1, 0));
    assert!(loaded.warnings[0].message.contains("rule `old` did not load (filter.yml:1)"));
    assert_eq!(conditions(&loaded)[1], and(keyword("b"), keyword("x")));
}
