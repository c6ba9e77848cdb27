//! Block A: documents, their keys, and the extensions at top level.

use super::*;
use model::{Severity, Urgency};
use rules::ast::{OnMissing, Status};

const DETECTION: &str = "detection: {s: {f: a}, condition: s}";

fn with(keys: &str) -> String {
    format!("title: T\nlogsource: {{category: test}}\n{DETECTION}\n{keys}\n")
}

#[test]
fn a1_documents_of_one_file_stand_alone() {
    let good = rule_text("  s: [a]\n  condition: s");
    let other = good.replace("[a]", "[b]");
    let text = format!("# comment\n---\n{good}---\ntitle: [\n--- # next\n{other}...\n---\n# nothing\n");
    let loaded = load(&text);
    assert_eq!((loaded.documents, loaded.rules.len(), loaded.refused.len()), (3, 2, 1));
    assert_eq!(loaded.rules.iter().map(|rule| rule.origin.line).collect::<Vec<_>>(), [3, 11]);
    assert!(loaded.refused[0].to_string().starts_with("rule.yml:"), "{}", loaded.refused[0]);
    assert_eq!(load("# nothing\n").warnings[0].message, "holds no document");
    assert!(refusal_of("- a\n").contains("a document must be a map, not a list"));
}

#[test]
fn a3_what_a_rule_must_have() {
    for (missing, why) in [
        ("logsource: {category: test}\ndetection: {s: [a], condition: s}", "rule.yml:1: no `title`"),
        ("title: T\ndetection: {s: [a], condition: s}", "rule.yml:1: no `logsource`"),
        ("title: T\nlogsource: {definition: x}\ndetection: {s: [a], condition: s}", "rule.yml:2: `logsource` names no"),
        ("title: T\nlogsource: {category: test}", "rule.yml:1: no `detection`"),
        ("title: T\nlogsource: {category: test}\ndetection: {s: [a]}", "rule.yml:3: no `condition`"),
        ("title: T\nlogsource: {category: test}\ndetection: {condition: s}", "rule.yml:3: no search beside"),
        ("title: T\ncorrelation: {type: event_count}", "rule.yml:2: no `rules` in the correlation"),
        ("action: global\ntitle: T", "`action` documents"),
    ] {
        let message = refusal_of(missing);
        assert!(message.starts_with(why) || message.contains(why), "{message}");
        assert!(message.contains("(hint: "), "{message}");
    }
}

#[test]
fn a4_custom_keys_are_kept() {
    let found = rule(&with("regression: {a: [1, 2.5, null, x]}\nauthor: somebody\nfalsepositives: none\ntags: [a.b]"));
    assert_eq!(serde_json::to_string(&found.custom).unwrap(), r#"{"regression":{"a":[1,2.5,null,"x"]}}"#);
    assert_eq!((found.falsepositives, found.tags), (vec!["none".to_owned()], vec!["a.b".to_owned()]));
}

#[test]
fn a5_status_level_and_related() {
    assert_eq!(rule(&with("")).level, Severity::Medium);
    for level in Severity::ALL {
        assert_eq!(rule(&with(&format!("level: {}", level.name()))).level, level);
    }
    for kind in ["derived", "obsolete", "merged", "renamed", "similar"] {
        rule(&with(&format!("related: [{{id: 00000000-0000-0000-0000-000000000001, type: {kind}}}]")));
    }
    for status in ["deprecated", "unsupported"] {
        let text = with(&format!("status: {status}"));
        let loaded = load(&text);
        assert_eq!((loaded.rules.len(), loaded.skipped.len()), (0, 1));
        assert!(loaded.skipped[0].to_string().starts_with(&format!("rule.yml:4: skipped: its status is {status}")));
        let all = rule_with(&text, &Settings { include_deprecated: true, ..Settings::default() });
        assert!(matches!(all.status, Some(Status::Deprecated | Status::Unsupported)));
    }
}

#[test]
fn a6_logsource_keys() {
    let text = rule_text("  s: [a]\n  condition: s")
        .replace("{category: test}", "{product: P, service: s, definition: d, other: o}");
    let found = rule(&text).logsource;
    assert_eq!((found.category, found.product.as_deref(), found.service.as_deref()), (None, Some("P"), Some("s")));
}

#[test]
fn a8_ids_and_names_are_unique() {
    let id = "id: 00000000-0000-0000-0000-00000000000A";
    for (keys, claim) in [(id, "00000000-0000-0000-0000-00000000000a"), ("name: n", "n")] {
        let (first, second) = (with(keys), with(keys).replace("f: a", "f: b"));
        let loaded = load_texts(&[("a.yml".into(), &first), ("b.yml".into(), &second)], &Settings::default());
        assert_eq!((loaded.rules.len(), loaded.refused.len()), (1, 1));
        assert_eq!(
            loaded.refused[0].to_string(),
            format!("b.yml:1: duplicate id or name `{claim}`: first at a.yml:1 (hint: give each document its own)")
        );
    }
    assert_eq!(rule(&with(id)).id, "00000000-0000-0000-0000-00000000000a");
}

#[test]
fn a_rule_without_id_is_known_by_its_text() {
    assert_eq!(rule(&with("level: low")).id, rule(&format!("---\n\n{}\n", with("level: low"))).id);
    assert_ne!(rule(&with("level: low")).id, rule(&with("level: high")).id);
    assert_eq!(rule(&with("")).id.len(), 32);
}

#[test]
fn extensions_are_read() {
    let found = rule(&with(
        "x-requires: [E3, E9, E12]\nx-lists: {egress: {ttl: 12h}, plain: }\n\
         x-where: [\"cidr_in(src.ip, list('egress'))\", \"not in(repo, list('plain'))\"]\n\
         x-alert:\n  route:\n    - {when: {f|startswith: a}, route: page}\n    - {route: ticket}\n  fingerprint: [token]\n  \
         realert: 1h\n  owner: team\n  runbook: runbook.md",
    ));
    assert_eq!(
        found.lists.iter().map(|list| (list.name.as_str(), list.ttl_ms)).collect::<Vec<_>>(),
        [("egress", Some(43_200_000)), ("plain", None)]
    );
    assert!(found.lists.iter().all(|list| list.on_missing == OnMissing::FailOpenTicket));
    assert_eq!(found.wheres[0].fields(), ["src.ip"]);
    let alert = found.alert.unwrap();
    assert_eq!((alert.routes[0].when.clone(), alert.routes[0].urgency), (Some(text("a*")), Urgency::Page));
    assert_eq!((alert.routes[1].when.clone(), alert.routes[1].urgency), (None, Urgency::Ticket));
    assert_eq!((alert.fingerprint, alert.realert_ms), (Some(vec!["token".to_owned()]), Some(3_600_000)));
    assert_eq!((alert.owner.as_deref(), alert.runbook.as_deref()), (Some("team"), Some("runbook.md")));
    assert!(found.custom.is_empty());
    assert_eq!(rule(&with("x-alert: {route: page}")).alert.unwrap().routes[0].urgency, Urgency::Page);
}

#[test]
fn extensions_are_refused_where_they_are_wrong() {
    for (keys, why) in [
        ("x-requires: [E5]", "needs E5, which this version does not have"),
        (
            "x-absence: {start: a}",
            "`x-absence` is an extension of correlations (hint: here can stand: x-alert, x-detector, x-interval, x-lineage, x-lists",
        ),
        ("x-new-terms: {fields: f}", "`x-new-terms` has no `memory`"),
        ("x-risk: {weight: sixty}", "`weight` needs a number above 0 to 1000000"),
        ("x-where: geo_speed_kmh('f') > 900", "x-where: "),
        ("x-lists: {a: {tll: 1d}}", "unknown key `tll` in x-lists (hint: did you mean `ttl`?)"),
        ("x-lists: {a: {ttl: 1w}}", "ttl `1w` is no span"),
        ("x-lists: {a: {on_missing: fail_open}}", "unknown on_missing `fail_open`"),
        ("x-where: \"in(a, list('b'))\"", "x-where: list `b` is not declared"),
        (
            "x-where: \"exsts(a)\"",
            "x-where: unknown function `exsts` at column 1 of `exsts(a)` (hint: did you mean `exists`?)",
        ),
        ("x-alert: {rout: page}", "unknown key `rout` in x-alert (hint: did you mean `route`?)"),
        ("x-alert: {route: wake}", "unknown route `wake`"),
        ("x-alert: {route: [{when: {f: a}}]}", "has no `route`"),
        ("x-alert: {realert: soon}", "realert `soon` is no span"),
        ("x-alert: {realert: 0h}", "realert `0h` is no span"),
        ("x-alert: {fingerprint: []}", "names no field"),
    ] {
        let message = refusal_of(&with(keys));
        assert!(message.starts_with("rule.yml:4: ") && message.contains(why), "{keys}: {message}");
    }
}

#[test]
fn what_is_learned_loads_and_says_what_it_needs() {
    let found = rule(&with(
        "x-requires: [E4, E7, E11]\nx-new-terms: {fields: [f, g], memory: 30d}\nx-risk: {weight: 60}\nx-where: geo_speed_kmh(f) > 900",
    ));
    assert_eq!(found.new_terms.map(|terms| terms.fields.join(" ")), Some("f g".to_owned()));
    assert_eq!((found.risk_weight, found.wheres[0].fields()), (Some(60.0), vec!["f"]));
    for (keys, code) in [("x-new-terms: {fields: f, memory: 30d}", "E4"), ("x-where: geo_speed_kmh(f) > 900", "E7")] {
        let loaded = load(&with(keys));
        let lint = format!("and `x-requires` does not name {code}");
        assert!(loaded.warnings.len() == 1 && loaded.warnings[0].message.ends_with(&lint), "{:?}", loaded.warnings);
    }
    assert!(load(&with("x-risk: {weight: 60}")).warnings.is_empty(), "alone it changes nothing");
}

#[test]
fn own_events_have_known_fields_only() {
    fn known(field: &str) -> Option<String> {
        (!matches!(field, "repo" | "token")).then(|| "did you mean `repo`?".to_owned())
    }
    let settings = Settings { model_fields: Some(known), ..Settings::default() };
    let own =
        |text: String| load_with(&text.replace("category: test", "product: pipewarden, category: ci.job"), &settings);
    for (field, where_field, fingerprint, when, other) in [
        ("ropo", "repo", "repo", "repo", "repo"),
        ("repo", "ropo", "repo", "repo", "repo"),
        ("repo", "repo", "ropo", "repo", "repo"),
        ("repo", "repo", "repo", "ropo", "repo"),
        ("repo", "repo", "repo", "repo", "ropo"),
        ("repo", "repo", "repo", "repo", "token"),
    ] {
        let text = format!(
            "title: T\nlogsource: {{category: test}}\ndetection: {{s: {{{field}: a, token|fieldref: {other}}}, condition: s}}\n\
             x-where: exists({where_field})\nx-alert: {{fingerprint: [{fingerprint}], route: [{{when: {{{when}: a}}, route: page}}]}}\n"
        );
        let loaded = own(text.clone());
        match text.contains("ropo") {
            true => assert!(loaded.refused[0].message.contains("unknown field `ropo`"), "{}", loaded.refused[0]),
            false => assert_eq!(loaded.rules.len(), 1),
        }
        assert_eq!(load_with(&text, &settings).rules.len(), 1, "other products are not checked");
    }
}

#[test]
fn files_and_folders_are_read_once_and_in_order() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("folders");
    std::fs::remove_dir_all(&folder).ok();
    let rule_of = |word: &str| rule_text(&format!("  s: [{word}]\n  condition: s"));
    let files = [("b/one.yml", "b1"), ("a.yaml", "a"), ("b/.hidden/x.yml", "x"), ("notes.txt", "n"), ("c.rules", "c")];
    for (name, word) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, rule_of(word)).unwrap();
    }
    std::fs::write(folder.join("z.yml"), b"title: \xff\xfe").unwrap();
    let paths = [folder.clone(), folder.join("a.yaml"), folder.join("c.rules"), folder.join("missing")];
    let loaded = rules::parse::load_paths(&paths, &Settings::default());
    let read: Vec<Search> = loaded.rules.into_iter().map(|rule| rule.condition).collect();
    assert_eq!(read, [keyword("a"), keyword("b1"), keyword("c")]);
    let refused: Vec<String> = loaded.refused.iter().map(ToString::to_string).collect();
    assert!(refused[0].contains("missing: No such file") && refused[1].contains("z.yml: is not UTF-8"), "{refused:?}");
    assert_eq!((refused.len(), loaded.documents), (2, 5));
}
