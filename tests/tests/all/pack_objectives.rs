//! Objectives that come along: each speaks of what it is for, as loud as it should, and is silent about what looks like it.

use std::collections::BTreeMap;

use model::Timestamp;
use serde_json::{Value, json};

use crate::replay::Desk;

const START: &str = "2026-10-05T08:00:00Z";

/// What happens: minute, class, what it says.
type Happens = (i64, &'static str, Value);

/// One event of the normal format, of the team pay.
fn line(number: usize, (minute, class, says): &Happens) -> String {
    let at = Timestamp::parse(START).expect("a time").plus_ms(minute * 60_000).to_string();
    let mut event = json!({
        "event": {"id": format!("e{number}"), "class": class, "action": "finished", "time": at, "outcome": "success"},
        "prov": {"team": "pay", "service": "cart", "repo": "shop/cart"},
    });
    for (name, value) in says.as_object().into_iter().flatten() {
        match name.strip_prefix("prov.") {
            Some(name) => event["prov"][name] = value.clone(),
            None => event[name] = value.clone(),
        }
    }
    event.to_string()
}

/// What is told first and last while this happens and for three days behind it: by name of the objective, states with their
/// urgency.
fn told(happens: &[Happens]) -> BTreeMap<String, Vec<String>> {
    let desk = Desk::new();
    let last = happens.iter().map(|(minute, ..)| *minute).max().unwrap_or(0) + 3 * 1_440;
    let quiet = (0..=last).step_by(60).map(|minute| (minute, "policy.decision", json!({"result": "allow"})));
    let mut all: Vec<Happens> = happens.iter().cloned().chain(quiet).collect();
    all.sort_by_key(|(minute, ..)| *minute);
    let lines: Vec<String> = all.iter().enumerate().map(|(number, of)| line(number, of) + "\n").collect();
    desk.put("in.jsonl", lines.concat());
    let words = "--format normal --rules @rule.yml --objectives pack --alerts @alerts.jsonl --json @in.jsonl";
    let summary = desk.replay(words, b"").expect_code(0).json();
    assert_eq!(summary["events"]["accepted"], all.len(), "{summary}");
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in desk.lines("alerts.jsonl") {
        let text = |key: &str| record[key].as_str().expect("a text").to_owned();
        let name = record["rule"]["name"].as_str().expect("a name").to_owned();
        if record["state"] != "repeat" {
            told.entry(name).or_default().push(format!("{} {}", text("state"), text("urgency")));
        }
    }
    told
}

/// So many of a class, one each so many minutes; each has a digest of its own.
fn many(count: i64, every: i64, class: &'static str, says: impl Fn(i64) -> Value) -> Vec<Happens> {
    let digest = |n: i64| format!("sha256:{n:064x}");
    let one = |n: i64| {
        let mut says = says(n);
        says["prov.digest"] = json!(digest(n));
        (n * every, class, says)
    };
    (0..count).map(one).collect()
}

fn same(_: i64) -> Value {
    json!({})
}

fn speaks(happens: &[Happens], name: &str, words: &[&str]) {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    assert_eq!(told(happens), [(name.to_owned(), words)].into(), "{name}");
}

fn is_silent(happens: &[Happens]) {
    assert_eq!(told(happens), BTreeMap::new());
}

#[test]
fn what_is_deployed_unsigned_is_a_ticket_each_time_and_the_third_within_an_hour_a_page() {
    let deployed = |count| many(count, 10, "deploy.finished", same);
    let name = "OPS-13-SIGNED";
    speaks(&deployed(1), name, &["firing ticket", "resolved ticket"]);
    speaks(&deployed(3), name, &["firing ticket", "raised page", "resolved page"]);
    let signed = many(3, 10, "verify.signature", |_| json!({"ok": true}));
    is_silent(&[deployed(3), signed.clone()].concat());
    let bad = signed.into_iter().map(|(minute, class, says)| {
        let ok = minute != 10;
        (minute, class, json!({"ok": ok, "prov.digest": says["prov.digest"]}))
    });
    speaks(&deployed(3).into_iter().chain(bad).collect::<Vec<_>>(), name, &["firing ticket", "resolved ticket"]);
}

#[test]
fn a_build_without_a_bill_of_materials_is_a_ticket_unless_it_is_somebodys_own() {
    let name = "OPS-13-SBOM";
    let built = |channel: &'static str| many(1, 1, "build.finished", move |_| json!({"channel": channel}));
    // Of one build that nobody signed a budget of one in a hundred says nothing yet.
    speaks(&built("release"), name, &["firing ticket", "resolved ticket"]);
    is_silent(&built("development"));
    is_silent(&[built("release"), many(1, 1, "sbom.generated", same)].concat());
}

#[test]
fn builds_that_nobody_can_verify_are_a_ticket_when_their_day_is_over() {
    let built = [many(30, 1, "build.finished", same), many(30, 1, "sbom.generated", same)].concat();
    speaks(&built, "OPS-13-BUILDS", &["firing ticket", "resolved ticket"]);
    let signed = [many(30, 1, "sign.attestation", same), many(30, 1, "verify.signature", |_| json!({"ok": true}))];
    is_silent(&[built, signed.concat()].concat());
}

#[test]
fn secrets_for_credentials_that_live_long_burn_and_for_those_of_a_job_do_not() {
    let read = |kind: &'static str| many(40, 1, "secret.access", move |_| json!({"prov.token_kind": kind}));
    speaks(&read("static"), "OPS-13-CREDENTIALS", &["firing ticket", "raised page", "resolved page"]);
    is_silent(&read("oidc"));
}

#[test]
fn canaries_are_taken_back_too_often_where_twenty_and_not_luck_say_so() {
    let judged = |count, bad: &'static [i64]| {
        let result = move |n: i64| if bad.contains(&n) { "rolled_back" } else { "promoted" };
        many(count, 60, "deploy.canary", move |n| json!({"result": result(n)}))
    };
    speaks(&judged(25, &[5, 10, 15]), "DEP-05", &["firing ticket", "resolved ticket"]);
    is_silent(&judged(10, &[2, 4, 6, 8]));
    is_silent(&judged(25, &[15]));
}
