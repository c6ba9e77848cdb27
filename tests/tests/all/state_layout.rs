//! The shape of a state: what `--state-out` writes of a fixed history is the same to the byte until the version beside it grows.
//!
//! A state does not describe itself, so one of another shape but of the same version would be read as something else. Must never
//! be made to pass by writing the new hash alone.

use std::fs;

use model::Sha256;

use crate::replay::Desk;

/// The version in the state's first line, and the SHA-256 of what stands behind its key.
const KNOWN: (&str, &str) = ("7", "4724c5c7b1badb7b4e734c2cf5c4951204017cdf2a000d06f199d036439971f8");

const CHANGED: &str = "the shape of the state has changed, or what is in it: raise STATE_VERSION in worker/src/state_file.rs \
                       and write the new version and the new hash here (or the hash alone, if only what is in it has changed)";

/// Each kind of what is remembered, once: windows of few members, and of many.
fn rules() -> String {
    let rule = |number: u32, name: &str, more: &str| {
        format!(
            "title: {name}\nname: {name}\nid: 00000000-0000-4000-8000-0000000000{number:02}\n\
             logsource: {{product: p, category: test}}\ndetection: {{s: {{k: {name}}}, condition: s}}\n{more}---\n"
        )
    };
    let correlation = |number: u32, body: &str, more: &str| {
        format!(
            "title: c{number}\nid: 00000000-0000-4000-8000-0000000000{number:02}\n\
             correlation: {{{body}, group-by: [u], timespan: 1h}}\n{more}---\n"
        )
    };
    let measured = |kind: &str, number: u32, condition: &str| {
        correlation(number, &format!("type: {kind}, rules: [a], condition: {{{condition}}}"), "")
    };
    [
        rule(1, "a", "x-alert: {route: ticket, fingerprint: [u], realert: 1h}\n"),
        rule(2, "b", ""),
        rule(3, "c", ""),
        rule(4, "previous", "x-prev: {key: [u], field: n, changed: true}\nx-requires: [E8]\n"),
        rule(
            5,
            "inside",
            "x-interval: {open: a, close: b, key: [u], pad: [30s, 60s], expect: inside}\nx-requires: [E10]\n",
        ),
        rule(6, "new", "x-new-terms: {fields: [u, n], memory: 30d, warmup: {events: 1, days: 1}}\nx-requires: [E4]\n"),
        measured("event_count", 11, "gte: 3"),
        measured("value_count", 12, "field: n, gte: 3"),
        measured("value_sum", 13, "field: n, gte: 10"),
        measured("value_percentile", 14, "field: n, gte: 10, percentile: 95"),
        correlation(15, "type: temporal, rules: [a, b]", ""),
        correlation(16, "type: temporal, rules: [a, b, c], condition: a and b and not c", ""),
        correlation(17, "type: temporal_ordered, rules: [a, b]", ""),
        correlation(18, "type: temporal_ordered, rules: [a, b, c]", ""),
        correlation(19, "type: temporal_ordered, rules: [a, b]", "x-where: \"a.n != b.n\"\nx-requires: [E2]\n"),
        correlation(
            20,
            "type: temporal, rules: [a, c], condition: a and not c",
            "x-absence: {start: a, expect: c, deadline: 15m, before: 1h, grace: 2m}\nx-requires: [E1]\n",
        ),
    ]
    .concat()
    .trim_end_matches("---\n")
    .to_owned()
}

/// One key of few events and one of many, and some that still wait for their cursor.
fn history() -> String {
    let kinds = ["a", "previous", "b", "inside", "a", "new"];
    let event = |at: usize| {
        let (kind, user) = (kinds[at % kinds.len()], if at < 8 { "few" } else { "many" });
        let (minute, second) = (at / 2 % 60, at % 2 * 30);
        format!("{{\"k\":\"{kind}\",\"u\":\"{user}\",\"n\":{at},\"t\":\"2026-10-05T08:{minute:02}:{second:02}Z\"}}\n")
    };
    (0..100).map(event).collect()
}

/// The version of a state and the hash of what is in it, without the key with which duplicates are found: each replay draws its own.
fn version_and_hash(state: &[u8], rules: usize) -> (String, String) {
    let end = state.iter().position(|byte| *byte == b'\n').expect("a first line");
    let head = String::from_utf8_lossy(&state[..end]).into_owned();
    // How many rules there are, then of each the length of its id, its id and its version; then four numbers of seven bits a byte.
    let (known, mut rest) = state[end + 1..].split_at(1 + rules * (1 + 36 + 32));
    for _ in 0..4 {
        rest = &rest[1 + rest.iter().position(|byte| byte & 0x80 == 0).expect("a number")..];
    }
    (head.split(' ').nth(2).expect("a version").to_owned(), Sha256::of(&[known, rest].concat()).hex())
}

#[test]
fn a_state_of_another_shape_has_another_version() {
    let (desk, rules, history) = (Desk::new(), rules(), history());
    desk.put("all.yml", &rules);
    let written = |threads: u32| {
        let words = format!("--format json --time-field t --lateness 5m --threads {threads} --rules @all.yml");
        let ran =
            desk.replay(&format!("{words} --alerts @alerts.jsonl --json --state-out @s.state -"), history.as_bytes());
        assert_eq!(ran.expect_code(0).json()["events"]["accepted"], 100, "{ran:?}");
        fs::read(desk.path("s.state")).expect("a state")
    };
    let [one, two] = [1, 2].map(|threads| version_and_hash(&written(threads), rules.matches("title: ").count()));
    assert_eq!(one, two, "the same events, the same state");
    assert_eq!((one.0.as_str(), one.1.as_str()), KNOWN, "{CHANGED}");
}
