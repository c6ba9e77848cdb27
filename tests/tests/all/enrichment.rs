//! Enrichment through the binary: rules on fields that only tables know, versions by event time, what is missing counted,
//! and the same bytes in any order of arrival. The tables are the ones that the guide shows.

use std::fmt::Write as _;

use harness::cli;
use serde_json::{Value, json};

use super::replay::Desk;

const RULE: &str = "title: Push from outside\nid: 6a0f0000-0000-4000-8000-0000000000e1\n\
    logsource: {product: pipewarden, category: scm.push}\n\
    detection:\n  ours: {prov.team: [checkout, payments], ref_protected: true}\n  away: {src.country: NL, src.proxy: hosting}\n  \
    condition: ours and away\nlevel: high\n\
    x-alert: {route: ticket, fingerprint: [prov.team, event.id], realert: 1h}\n";

fn push(n: usize, time: &str, repo: &str, ip: &str) -> String {
    let event = json!({
        "event": {"id": format!("e{n}"), "class": "scm.push", "action": "push", "time": time},
        "prov": {"repo": format!("git.example.org/acme/{repo}"), "ref": "refs/heads/main"},
        "src": {"ip": ip},
    });
    format!("{event}\n")
}

fn desk(events: &[String]) -> (Desk, String) {
    let desk = Desk::new();
    desk.put("rule.yml", RULE);
    desk.put("in.jsonl", events.concat());
    let docs = cli::workspace().join("docs");
    let tables = format!(
        "--inventory {} --network {}",
        docs.join("inventory.example.yaml").display(),
        docs.join("network.example.csv").display()
    );
    (desk, tables)
}

fn replay(desk: &Desk, words: &str) -> Value {
    let all =
        format!("--rules @rule.yml --format normal --lateness 60d --alerts @alerts.jsonl --json {words} @in.jsonl");
    desk.replay(&all, b"").expect_code(0).json()
}

fn events() -> Vec<String> {
    vec![
        push(0, "2026-10-20T10:00:00Z", "shop", "198.51.100.7"),
        push(1, "2026-10-20T10:00:01Z", "shop", "192.0.2.7"),
        push(2, "2026-10-20T10:00:02Z", "other", "198.51.100.7"),
        push(3, "2026-10-20T10:00:03Z", "shop", "203.0.113.1"),
        push(4, "2026-11-20T10:00:00Z", "shop", "198.51.100.7"),
        push(5, "2026-11-20T10:00:01Z", "shop", "::ffff:198.51.100.7").replace("refs/heads/main", "refs/heads/main2"),
        push(6, "2026-11-20T10:00:02Z", "../elsewhere", "198.51.100.7").replace("git.example.org/acme", "host.example"),
    ]
}

#[test]
fn rules_on_what_only_tables_know_need_the_tables() {
    let (desk, tables) = desk(&events());
    let without = replay(&desk, "");
    assert_eq!((&without["alerts"]["tickets"], &without["enrichment_misses"]), (&json!(0), &json!({})), "{without}");
    let with = replay(&desk, &tables);
    assert_eq!(with["alerts"]["tickets"], 2, "{with}");
    assert_eq!(with["enrichment_misses"], json!({"network": 1, "repositories": 1}), "one stranger in each");
    let told: Vec<Value> =
        desk.lines("alerts.jsonl").into_iter().filter(|record| record["state"] == "firing").collect();
    let team = |at: usize| told[at]["facts"]["prov.team"].clone();
    assert_eq!((team(0), team(1)), (json!("checkout"), json!("payments")), "as of each event: {told:#?}");
    assert_eq!(told[0]["facts"]["src.country"], "NL", "{told:#?}");
}

#[test]
fn what_the_event_says_itself_wins() {
    let own =
        push(0, "2026-10-20T10:00:00Z", "shop", "198.51.100.7").replace("\"prov\":{", "\"prov\":{\"team\":\"red\",");
    let (desk, tables) = desk(&[own]);
    assert_eq!(replay(&desk, &tables)["alerts"]["tickets"], 0);
}

#[test]
fn the_order_of_arrival_changes_no_byte() {
    let mut all = events();
    let (desk, tables) = desk(&all);
    replay(&desk, &tables);
    let wanted = desk.read("alerts.jsonl");
    assert!(wanted.lines().count() >= 2, "{wanted}");
    for turn in 1..4 {
        all.rotate_left(turn);
        all.swap(0, 3);
        desk.put("in.jsonl", all.concat());
        let summary = replay(&desk, &format!("{tables} --threads {turn}"));
        assert_eq!(desk.read("alerts.jsonl"), wanted, "turn {turn}");
        assert_eq!(summary["enrichment_misses"], json!({"network": 1, "repositories": 1}));
    }
}

#[test]
fn an_imported_dump_is_a_table_and_bad_tables_are_all_told() {
    let (desk, _) = desk(&events());
    desk.put("dump.tsv", "198.51.100.0\t198.51.100.255\t64511\tNL\tEXAMPLE\n");
    let import = |from: &str, stdin: &[u8], file: &str| cli::run(["network", "import", "--from", from, file], stdin);
    let systems = import("iptoasn", b"", &desk.path("dump.tsv").display().to_string());
    let ranges = import("cloud", br#"{"prefixes":[{"ip_prefix":"198.51.0.0/16"}]}"#, "-");
    let table = format!("{}{}", systems.expect_code(0).stdout, ranges.expect_code(0).stdout);
    assert_eq!(table.matches("prefix,asn").count(), 2, "{table}");
    desk.put("table.csv", &table);
    let inventory = cli::workspace().join("docs/inventory.example.yaml");
    let summary = replay(&desk, &format!("--network @table.csv --inventory {}", inventory.display()));
    assert_eq!(summary["alerts"]["tickets"], 2, "country of one dump, kind of proxy of the other: {summary}");

    let mut bad = String::from("services: {shop: {exposre: internet}}\n");
    let _ = writeln!(bad, "signers: {{pkg: {{allowed: {{a: b}}}}}}");
    desk.put("bad.yaml", bad);
    desk.put("bad.csv", "198.51.100.1/24,,,,\n");
    let ran = desk.replay("--rules @rule.yml --inventory @bad.yaml --network @bad.csv @in.jsonl", b"");
    let told = &ran.expect_code(1).stderr;
    for part in [
        "bad.yaml:1: services.shop.exposre: unknown key",
        "bad.yaml:2: signers.pkg.allowed",
        "bad.csv:1: 198.51.100.1/24",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let unknown = import("mmdb", b"", "-");
    assert!(unknown.expect_code(1).stderr.contains("hint: iptoasn, rir"), "{unknown:?}");
}

/// The page shows the fields that the code fills, and the sections that it reads.
#[test]
fn the_page_names_every_field_and_attribute() {
    let page = std::fs::read_to_string(cli::workspace().join("docs/enrichment.md")).expect("the page");
    for row in ingest::enrich::documentation().lines() {
        assert!(page.contains(row), "docs/enrichment.md lacks: {row}");
    }
    let example = std::fs::read_to_string(cli::workspace().join("docs/inventory.example.yaml")).expect("the example");
    for section in &ingest::enrich::SECTIONS {
        assert!(example.contains(&format!("\n{}:", section.name)), "{}", section.name);
        for attribute in section.attributes {
            assert!(example.contains(&format!("{}:", attribute.name)), "{}.{}", section.name, attribute.name);
            assert!(
                attribute.list.is_none_or(|list| example.contains(&format!("list {list}"))),
                "{:?}",
                attribute.list
            );
        }
    }
}
