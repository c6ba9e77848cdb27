//! What is kept over a restart holds no secret, and still compares equal ones.

use std::fs;

use harness::cli;

const RULES: &str = "\
title: seen
name: seen
id: 00000000-0000-4000-8000-000000000051
logsource: {product: shop, service: web}
detection: {s: {kind: call}, condition: s}
---
title: Twice with one token
id: 00000000-0000-4000-8000-000000000052
correlation: {type: event_count, rules: [seen], group-by: [agent], timespan: 1h, condition: {gte: 2}}
---
title: Waits for its cursor
id: 00000000-0000-4000-8000-000000000053
logsource: {product: shop, service: web}
detection: {s: {kind: call}, condition: s}
x-alert: {route: ticket, fingerprint: [agent]}
x-requires: [E12]
";

#[test]
fn a_state_holds_no_secret_and_groups_by_it_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let token = format!("ghp_{}", "a1B2c3D4e5".repeat(4));
    let call = |number: u32| {
        let time = format!("2026-09-01T10:{number:02}:00Z");
        format!(r#"{{"ts":"{time}","id":"{token}-{number}","kind":"call","agent":"curl {token}"}}"#)
    };
    fs::write(path("rules.yml"), RULES).expect("written");
    fs::create_dir_all(path("1")).and_then(|()| fs::create_dir_all(path("2"))).expect("made");
    fs::write(path("1/events.jsonl"), call(1) + "\n").expect("written");
    fs::write(path("2/events.jsonl"), call(2) + "\n").expect("written");
    let replay = |more: &[&str]| {
        let fixed =
            "replay --rules rules.yml --format json --time-field ts --id-field id --logsource product=shop,service=web";
        let is_file = |word: &str| word.starts_with("state") || word.contains('.');
        let words = fixed.split(' ').chain(more.iter().copied());
        let args = words.map(|word| if is_file(word) { path(word).into_os_string() } else { word.into() });
        cli::run(args.collect::<Vec<std::ffi::OsString>>(), b"").expect_code(0);
    };
    replay(&["--state-out", "state", "--alerts", "first.jsonl", "1/events.jsonl"]);
    replay(&["--state-in", "state", "--state-out", "state2", "--alerts", "second.jsonl", "2/events.jsonl"]);
    replay(&["--state-in", "state2", "--alerts", "third.jsonl", "2/events.jsonl"]);
    for name in ["state", "state2", "first.jsonl", "second.jsonl", "third.jsonl"] {
        let bytes = fs::read(path(name)).expect("read");
        let found = bytes.windows(token.len()).position(|part| part == token.as_bytes());
        assert_eq!(found, None, "{name} holds the token");
    }
    let told: String = ["first.jsonl", "second.jsonl", "third.jsonl"]
        .map(|name| fs::read_to_string(path(name)).expect("read"))
        .concat();
    assert_eq!(told.matches("\"state\":\"firing\"").count(), 2, "{told}");
    assert!(told.contains("Twice with one token") && told.contains("hmac-sha256:"), "{told}");
}
