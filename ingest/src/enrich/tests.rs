//! Events of formats enriched from tables, as a rule set would have it: what is filled, what is left, what is counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::format::{Wanted, by_name};
use crate::{Decoder, Read, Scratch};

fn texts(texts: &[&str]) -> Value {
    Value::Texts(texts.iter().map(|text| (*text).into()).collect())
}

fn entry(tables: &mut Tables, section: &str, key: &str, from: &str, values: &[(&'static str, Value)]) {
    let section = SECTIONS.iter().position(|known| known.name == section).expect("a section");
    let from = Timestamp::parse(from).expect("a time");
    let version = Version { from, values: values.iter().cloned().collect::<BTreeMap<_, _>>() };
    assert!(tables.inventory.add(section, key, vec![version]), "{key}");
}

fn tables() -> Tables {
    let mut tables = Tables::default();
    let always = "1970-01-01T00:00:01Z";
    let team = |name: &str| ("team", Value::Text(name.into()));
    let shop = [
        team("checkout"),
        ("tier", Value::Whole(2)),
        ("protected_refs", texts(&["main", "refs/heads/release/*"])),
        ("outputs", texts(&["registry.example/shop", "registry.example/shop-db"])),
    ];
    entry(&mut tables, "repositories", "git.example/acme/shop", "2026-09-01T00:00:00Z", &shop);
    entry(&mut tables, "services", "shop", always, &[team("platform"), ("tier", Value::Whole(1))]);
    entry(&mut tables, "secrets", "prod/*", always, &[("tier", Value::Text("prod".into()))]);
    entry(&mut tables, "secrets", "dev/bait", always, &[("canary", Value::Flag(true))]);
    entry(&mut tables, "environments", "eu-1", always, &[("class", Value::Text("prod".into()))]);
    let mut lines = NetworkLines::default();
    lines.read("198.51.100.0/24,64500,Acme,DE,hosting\n").expect("good lines");
    tables.network = Some(lines.table());
    tables
}

/// Wanted fields of one event of the normal form, and the tables it missed.
fn enriched(class: EventClass, wanted: &[&str], event: &str) -> (String, Vec<&'static str>) {
    let mut fields = Projection::default();
    for field in wanted {
        fields.ask(field);
    }
    let of_class =
        Wanted { classes: [(class, fields.clone())].into(), tables: Some(Arc::new(tables())), ..Wanted::default() };
    let decoder = Decoder::new(vec![(by_name("normal").expect("a format"), of_class)], None, true);
    let mut answer = None;
    decoder.read(&mut Scratch::default(), event, 0, &mut |_, read| {
        let Read::Event(seen) = read else { panic!("{read:?}") };
        let mut row = Row::default();
        let missed = decoder.plans()[0].map(&seen.decoded, seen.raw, "test", &mut row).expect("asked");
        let view = row.view(seen.text);
        let told = wanted.iter().map(|field| {
            let slot = fields.slot(field).expect("asked");
            view.values(slot).filter_map(Scalar::as_text).collect::<Vec<_>>().join("+")
        });
        answer = Some((told.collect::<Vec<_>>().join(" "), missed.names().collect()));
    });
    answer.expect("one event")
}

fn event(class: &str, time: &str, rest: &str) -> String {
    format!(r#"{{"event":{{"id":"1","class":"{class}","time":"{time}"}},{rest}}}"#)
}

#[test]
fn fields_come_from_the_tables_and_what_the_event_says_wins() {
    let at = "2026-09-02T00:00:00Z";
    let repo = r#""prov.repo":"git.example/acme/shop""#;
    let wanted = ["prov.team", "prov.tier", "ref_protected"];
    for (rest, told) in [
        (format!(r#"{repo},"prov.ref":"refs/heads/main""#), "checkout 2 true"),
        (format!(r#"{repo},"prov.ref":"refs/heads/release/9""#), "checkout 2 true"),
        (format!(r#"{repo},"prov.ref":"refs/heads/mainly","prov.service":"shop""#), "checkout 1 false"),
        (repo.to_owned(), "checkout 2 "),
        (r#""prov.service":"shop""#.to_owned(), "platform 1 "),
        (format!(r#"{repo},"prov.team":"own","prov.tier":9,"ref_protected":false,"prov.ref":"main""#), "own 9 false"),
    ] {
        let found = enriched(EventClass::ScmPush, &wanted, &event("scm.push", at, &rest));
        assert_eq!(found, (told.to_owned(), Vec::new()), "{rest}");
    }
}

#[test]
fn an_inventory_answers_as_of_the_event() {
    let rest = r#""prov":{"repo":"git.example/acme/shop"}"#;
    let found = |at| enriched(EventClass::ScmPush, &["prov.team"], &event("scm.push", at, rest));
    assert_eq!(found("2026-09-01T00:00:00Z"), ("checkout".to_owned(), Vec::new()));
    assert_eq!(found("2026-08-31T23:59:59.999Z"), (String::new(), vec!["repositories"]));
}

#[test]
fn addresses_are_looked_up_and_strangers_are_counted() {
    let at = "2026-09-02T00:00:00Z";
    let wanted = ["src.asn", "src.as_org", "src.country", "src.proxy", "dst.asn"];
    let found = |rest| enriched(EventClass::RunnerNet, &wanted, &event("runner.net", at, rest));
    assert_eq!(found(r#""src":{"ip":"198.51.100.9"}"#), ("64500 Acme DE hosting ".to_owned(), vec![]));
    assert_eq!(found(r#""src":{"ip":"198.51.100.9","country":"FR"}"#), ("64500 Acme FR hosting ".to_owned(), vec![]));
    assert_eq!(
        found(r#""src":{"ip":"192.0.2.1"},"dst":{"ip":"198.51.100.1"}"#),
        ("    64500".to_owned(), vec!["network"])
    );
    assert_eq!(found(r#""src":{"ip":"somewhere"}"#), ("    ".to_owned(), vec!["network"]));
    assert_eq!(found(r#""ua":"x""#), ("    ".to_owned(), vec![]), "nothing was asked for");
}

#[test]
fn each_of_several_keys_counts_and_so_does_the_next_field() {
    let at = "2026-09-02T00:00:00Z";
    let read = |rest| enriched(EventClass::SecretAccess, &["tier", "canary"], &event("secret.access", at, rest));
    assert_eq!(read(r#""secret":["prod/a","dev/bait","prod/b"]"#), ("prod true".to_owned(), vec![]));
    assert_eq!(read(r#""secret":["prod/a","test/x"]"#).0, "prod ");
    assert_eq!(read(r#""secret":"test/x""#), (" ".to_owned(), vec!["secrets"]));
    let job = |rest| enriched(EventClass::CiJob, &["prov.env", "declared_outputs"], &event("ci.job", at, rest));
    assert_eq!(job(r#""env":"blue","prov":{"cluster":"eu-1"}"#), ("prod ".to_owned(), vec![]));
    let outputs = "registry.example/shop+registry.example/shop-db";
    assert_eq!(job(r#""prov":{"env":"dev","repo":"git.example/acme/shop"}"#), (format!("dev {outputs}"), vec![]));
}

#[test]
fn every_row_names_fields_of_the_model_that_enrichment_fills() {
    for row in ROWS {
        let doc = model::field(row.field).unwrap_or_else(|| panic!("{}", row.field));
        assert!(
            doc.sources.iter().any(|(format, _)| *format == "enrichment"),
            "{}: the model names no table",
            row.field
        );
        for (key, table) in row.by {
            assert!(model::field(key).is_some(), "{key}");
            if let (Table::Section(at), Take::Attribute(name) | Take::HasRef(name)) = (table, row.take) {
                assert!(SECTIONS[*at].attributes.iter().any(|of| of.name == name), "{}: {name}", row.field);
            }
        }
        let classes = EventClass::ALL.iter().filter(|class| {
            let is_on = |name: &str| model::field(name).is_some_and(|doc| doc.is_on(**class));
            is_on(row.field) && row.by.iter().any(|(key, _)| is_on(key))
        });
        assert!(classes.count() > 0, "{}: no class has it and a key of it", row.field);
    }
    assert_eq!(SECTIONS[RUNNER_POOLS].name, "runner_pools");
    assert_eq!(SECTIONS[REGISTRIES].name, "registries");
}
