//! Block C: modifiers, alone and in chains.

use super::*;
use rules::ast::{Comparison, ListHow, ListUse, OnMissing, TextHow, TimePart};

fn any(parts: &[&str]) -> Search {
    Search::Any(parts.iter().map(|part| text(part)).collect())
}

#[test]
fn c1_to_c7_text_exists_cased_neq() {
    let present = || f(Test::Exists(true));
    for (line, expected) in [
        ("f|contains: a", text("*a*")),
        ("f|startswith: a*b", text("a*b*")),
        ("f|endswith: a?", text("*a?")),
        ("f|contains: '*a'", text("*a*")),
        ("f|contains: 23", text("*23*")),
        ("f|contains: true", text("*true*")),
        ("f|contains: [a, b]", any(&["*a*", "*b*"])),
        ("f|all|contains: [a, b]", Search::All(vec![text("*a*"), text("*b*")])),
        ("f|contains|all: [a, b]", Search::All(vec![text("*a*"), text("*b*")])),
        ("f|exists: true", present()),
        ("f|exists: false", f(Test::Exists(false))),
        ("f|exists: 'no'", f(Test::Exists(false))),
        ("f|cased: aB", f(Test::Text(cased("aB")))),
        ("f|contains|cased: aB", f(Test::Text(cased("*aB*")))),
        ("f|cased: 4", f(Test::Number(4.0))),
        ("f|neq: a", Search::All(vec![present(), not(text("a"))])),
        ("f|neq: 4", Search::All(vec![present(), not(f(Test::Number(4.0)))])),
        ("f|neq: [a, b]", Search::All(vec![present(), not(any(&["a", "b"]))])),
        ("f|contains|neq: a", Search::All(vec![present(), not(text("*a*"))])),
    ] {
        assert_eq!(selection(line), expected, "{line}");
    }
}

#[test]
fn c4_all_on_one_value_warns() {
    let loaded = load(&rule_text("  s:\n    f|all: a\n  condition: s"));
    assert_eq!(loaded.rules[0].condition, text("a"));
    assert_eq!(
        loaded.warnings[0].to_string(),
        "rule.yml:5: `all` on a single value (hint: drop `all`, or list several values)"
    );
}

#[test]
fn c8_windash_makes_every_permutation() {
    let Search::Any(two) = selection("f|windash|contains: ' -a --b'") else { panic!() };
    assert_eq!(two.len(), 125);
    assert!(two.contains(&text("* -a --b*")) && two.contains(&text("* \u{2014}a /\u{2015}b*")));
    assert_eq!(selection("f|contains|windash: '-a*'"), any(&["*-a*", "*/a*", "*–a*", "*—a*", "*―a*"]));
    assert_eq!(selection("f|windash: /a"), any(&["-a", "/a", "–a", "—a", "―a"]));
    assert_eq!(selection("f|windash: http://a/b"), {
        // Only the slash that opens a word behind no other word is a flag.
        any(&["http:/-a/b", "http://a/b", "http:/–a/b", "http:/—a/b", "http:/―a/b"])
    });
    assert!(refusal("f|windash: '-a -b -c -d -e -f -g'").contains("more than 6 dashes"));
}

#[test]
fn c9_to_c12_regular_expressions() {
    for (line, expected) in [
        ("f|re: '^a.*$'", "^a.*$"),
        ("f|re|i: a", "(?i)a"),
        ("f|re|s|m: a", "(?ms)a"),
        ("f|re|ignorecase|multiline|dotall: a", "(?ims)a"),
    ] {
        assert_eq!(selection(line), f(Test::Regex(expected.to_owned())), "{line}");
    }
    assert_eq!(selection("f|re|neq: a"), Search::All(vec![f(Test::Exists(true)), not(f(Test::Regex("a".into())))]));
    assert!(refusal("f|re: '('").contains("rule.yml:5: bad regular expression `(`: unclosed group"));
    assert!(refusal("f|re: '(?=a)b'").contains("look-around has no linear-time match"));
}

#[test]
fn c13_to_c19_encodings() {
    for (line, expected) in [
        ("f|base64: foo", text("Zm9v")),
        ("f|base64: 'a\\*'", text("YSo=")),
        // "foobar" at the three offsets, without the characters that neighbours share.
        ("f|base64offset|contains: foobar", any(&["*Zm9vYmFy*", "*Zvb2Jhc*", "*mb29iYX*"])),
        ("f|base64offset: foobar", any(&["*Zm9vYmFy*", "*Zvb2Jhc*", "*mb29iYX*"])),
        ("f|wide: ab", text("a\0b\0")),
        ("f|utf16le|base64: ab", text("YQBiAA==")),
        ("f|wide|base64: ab", text("YQBiAA==")),
        ("f|utf16be|base64: ab", text("AGEAYg==")),
        ("f|utf16|base64: ab", text("//5hAGIA")),
        ("f|wide|base64: é", text("6QA=")),
        ("f|base64: 42", text("NDI=")),
    ] {
        assert_eq!(selection(line), expected, "{line}");
    }
    let Search::Any(parts) = selection("f|wide|base64offset|contains: [ab, cd]") else { panic!() };
    assert_eq!(parts[0], any(&["*YQBiA*", "*EAYg*", "*hAGIA*"]));
    for (line, why) in [
        ("f|base64: a*", "a wildcard cannot be encoded"),
        ("f|base64: ''", "an empty value cannot be encoded"),
        ("f|utf16: ab", "the encoded value is no text"),
        ("f|base64|wide: ab", "`wide` must stand before base64"),
        ("f|contains|base64: ab", "must stand before the text comparison"),
        ("f|base64|base64offset: ab", "exclude each other"),
        ("f|wide|utf16: ab", "exclude each other"),
    ] {
        assert!(refusal(line).contains(why), "{line}: {}", refusal(line));
    }
}

#[test]
fn c20_to_c24_numbers_and_networks() {
    use Comparison::{Gt, Gte, Lt, Lte};
    for (line, how, number) in
        [("f|lt: 1", Lt, 1.0), ("f|lte: -1.5", Lte, -1.5), ("f|gt: '7'", Gt, 7.0), ("f|gte: 1e3", Gte, 1000.0)]
    {
        assert_eq!(selection(line), f(Test::Compare(how, number)), "{line}");
    }
    for (written, network) in
        [("10.0.0.0/8", "10.0.0.0/8"), ("2001:db8::/32", "2001:db8::/32"), ("10.1.2.3", "10.1.2.3/32")]
    {
        assert_eq!(selection(&format!("f|cidr: {written}")), f(Test::Cidr(network.parse().unwrap())), "{written}");
    }
    for (line, why) in [
        ("f|lt: a", "`a` is no number"),
        ("f|lt: inf", "`inf` is no number"),
        ("f|cidr: 10.0.0.1/8", "did you mean 10.0.0.0/8?"),
        ("f|cidr: 10.0.0.0/33", "bad network"),
        ("f|cidr: 10.*", "bad network"),
    ] {
        assert!(refusal(line).contains(why), "{line}: {}", refusal(line));
    }
}

#[test]
fn c25_field_references() {
    let test = |how, cased| Test::FieldRef { other: "g".to_owned(), how, cased };
    for (line, expected) in [
        ("f|fieldref: g", f(test(TextHow::Equals, false))),
        ("f|fieldref|startswith: g", f(test(TextHow::StartsWith, false))),
        ("f|fieldref|endswith|cased: g", f(test(TextHow::EndsWith, true))),
        ("f|fieldref|contains: g", f(test(TextHow::Contains, false))),
        (
            "f|fieldref|neq: g",
            Search::All(vec![
                f(Test::Exists(true)),
                field("g", Test::Exists(true)),
                not(f(test(TextHow::Equals, false))),
            ]),
        ),
    ] {
        assert_eq!(selection(line), expected, "{line}");
    }
    assert!(refusal("f|contains|fieldref: g").contains("`fieldref` must stand first"));
    assert!(refusal("f|fieldref: g*").contains("no field name"));
}

#[test]
fn c26_expand() {
    let settings = Settings {
        placeholders: [("a".into(), vec!["x".into(), "y*".into()]), ("b".into(), vec!["1".into(), "2".into()])].into(),
        ..Settings::default()
    };
    let resolved =
        |line: &str| rule_with(&rule_text(&format!("  s:\n    {line}\n  condition: s")), &settings).condition;
    assert_eq!(resolved("f|expand: '%a%'"), any(&["x", "y*"]));
    assert_eq!(resolved("f|contains|expand: 'p%a%-%b%'"), any(&["*px-1*", "*px-2*", "*py*-1*", "*py*-2*"]));
    assert_eq!(resolved("f|expand: '\\%a\\%'"), text("%a%"));
    assert_eq!(resolved("f|gt|expand: '%b%'"), {
        Search::Any(vec![f(Test::Compare(Comparison::Gt, 1.0)), f(Test::Compare(Comparison::Gt, 2.0))])
    });
    assert_eq!(
        refusal("f|expand: '%a%'"),
        "rule.yml:5: unresolved placeholder `%a%` (hint: give `a` values in the configuration, or declare it under x-lists)"
    );
    let lists = "\nx-lists: {ci: {source: topic, ttl: 7d, on_missing: fail_closed}}";
    let of = |line: &str| rule(&(rule_text(&format!("  s:\n    {line}\n  condition: s")) + lists));
    let list = |how| f(Test::InList { list: "ci".to_owned(), how, cased: false });
    for (line, expected) in [
        ("f|expand: '%ci%'", list(ListHow::Equals)),
        ("f|expand|contains: '%ci%'", list(ListHow::Contains)),
        ("f|startswith|expand: '%ci%'", list(ListHow::StartsWith)),
        ("f|endswith|expand: '%ci%'", list(ListHow::EndsWith)),
        ("f|cidr|expand: '%ci%'", list(ListHow::Cidr)),
    ] {
        assert_eq!(of(line).condition, expected, "{line}");
    }
    let declared = ListUse { name: "ci".into(), ttl_ms: Some(604_800_000), on_missing: OnMissing::FailClosed };
    assert_eq!(of("f|expand: '%ci%'").lists, [declared]);
    let inside = refusal_of(&(rule_text("  s:\n    f|expand: 'x%ci%'\n  condition: s") + lists));
    assert!(inside.contains("live list `ci` inside a longer text"), "{inside}");
}

#[test]
fn c27_to_c33_parts_of_a_time() {
    use TimePart::{Day, Hour, Minute, Month, Week, Year};
    for (name, part) in
        [("minute", Minute), ("hour", Hour), ("day", Day), ("week", Week), ("month", Month), ("year", Year)]
    {
        assert_eq!(selection(&format!("f|{name}: 7")), f(Test::TimePart(part, Comparison::Eq, 7)), "{name}");
        assert_eq!(selection(&format!("f|{name}|gte: 7")), f(Test::TimePart(part, Comparison::Gte, 7)), "{name}");
    }
    assert!(refusal("f|hour: 24").contains("hour is never 24"));
    assert!(refusal("f|hour: x").contains("no whole number"));
}

#[test]
fn c34_unknown_and_contradictory_modifiers() {
    for (line, why) in [
        ("f|contians: a", "unknown modifier `contians` in `f|contians` (hint: did you mean `contains`?)"),
        ("f|not: a", "negate in the condition"),
        ("f|: a", "unknown modifier ``"),
        ("f|re|cidr: a", "contradictory modifiers in `f|re|cidr`: `cidr` cannot join"),
        ("f|re|contains: a", "`contains` cannot join"),
        ("f|contains|startswith: a", "`startswith` cannot join"),
        ("f|lt|gt: 1", "`gt` cannot join"),
        ("f|exists|all: [true]", "`exists` stands alone"),
        ("f|exists|neq: true", "`exists` stands alone"),
        ("f|i: a", "is a flag of `re`"),
        ("f|i|re: a", "is a flag of `re`"),
        ("f|re|cased: a", "`cased` works on text comparisons only"),
        ("f|cidr|windash: 10.0.0.0/8", "an encoding works on text comparisons only"),
        ("f|re|expand: a", "`expand` works on"),
        ("f|contains|contains: a", "stands twice"),
        ("f|exists: maybe", "takes true or false"),
        ("f|contains: null", "expected a value, found nothing"),
        ("'|re': a", "this modifier needs a field"),
    ] {
        let message = refusal(line);
        assert!(message.starts_with("rule.yml:5: ") && message.contains(why), "{line}: {message}");
    }
}
