//! Rules with a detector of their own (`x-detector`), through the binary: each detector fires and keeps silent where it should, and
//! what is sealed depends on nothing but the set of events.

use harness::generate::Random;
use serde_json::{Value, json};

use crate::replay::Desk;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// 2026-08-03T00:00:00Z, a Monday.
pub const MONDAY: i64 = 1_785_715_200_000;

/// Events of a history: (milliseconds since [`MONDAY`], fields).
pub type History = Vec<(i64, Value)>;

/// A rule on raw JSON with this detector, and more top-level keys.
pub fn rule(detector: &str, alert: &str) -> String {
    format!(
        "title: D\nid: 6a0f0000-0000-4000-8000-0000000000d1\nname: D\nlogsource: {{product: p, category: test}}\n\
         detection: {{s: {{k: d}}, condition: s}}\nlevel: medium\nx-requires: [E6, E12]\nx-detector: {detector}\n\
         x-alert: {{route: ticket, realert: 24h{alert}}}\n"
    )
}

/// The history as lines, each with a time, an id and `k: d` where it has no other.
pub fn lines(history: &History) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, (at, fields)) in history.iter().enumerate() {
        let mut event = fields.clone();
        event["t"] = json!(MONDAY + at);
        event["id"] = json!(format!("e{number:05}"));
        if event.get("k").is_none() {
            event["k"] = json!("d");
        }
        lines.push(event.to_string());
    }
    lines
}

/// Runs the events of `names` with the rule of the desk; the records that it sealed.
pub fn sealed(desk: &Desk, words: &str) -> Vec<Value> {
    let all = format!(
        "--format json --time-field t --id-field id --lateness 2h --rules @rule.yml --alerts @alerts.jsonl {words}"
    );
    desk.replay(&all, b"").expect_code(0);
    desk.lines("alerts.jsonl")
}

/// (state, hours since Monday at which it was told, last value of the key) of each record.
pub fn short(records: &[Value]) -> Vec<(String, i64, String)> {
    let one = |record: &Value| {
        let at = model::Timestamp::parse(record["event_time"].as_str().expect("a time")).expect("a time").ms();
        let key = record["group"].as_object().and_then(|key| key.values().next_back()).expect("a key");
        let state = record["state"].as_str().expect("a state").to_owned();
        (state, (at - MONDAY).div_euclid(HOUR), key.as_str().expect("text").to_owned())
    };
    records.iter().map(one).collect()
}

/// A history in order, on a desk with a rule.
pub fn desk(rule: &str, history: &History) -> Desk {
    let desk = Desk::new();
    desk.put("rule.yml", rule);
    desk.put("in.jsonl", lines(history).join("\n") + "\n");
    desk
}

/// Events an hour of team `a`, as amounts: 4 to 6 for so many days.
pub fn steady(days: i64) -> History {
    let mut random = Random(7);
    let amount = |random: &mut Random| 4 + random.below(3) as i64;
    (0..days * 24).map(|hour| (hour * HOUR, json!({"team": "a", "who": "ann", "n": amount(&mut random)}))).collect()
}

pub const COUNTS: &str = "{algo: nb_seasonal, key: [team], by: who, amount: n}";

/// What the detector of [`rule`] finds, as events.
const ON_ANOMALIES: &str = "---
title: Found
id: 6a0f0000-0000-4000-8000-0000000000e1
name: found
logsource: {product: pipewarden, category: anomaly}
detection: {s: {rule_id: D, score|gt: 0}, condition: s}
level: low
x-requires: [E12]
x-alert: {route: ticket, fingerprint: [detector, event.action]}
---
title: Found twice
id: 6a0f0000-0000-4000-8000-0000000000e2
level: low
correlation: {type: event_count, rules: [found], group-by: [detector], timespan: 3d, condition: {gte: 2}}
";

/// A detector with a history after which one tail makes it speak and another does not.
struct Scenario {
    detector: &'static str,
    history: History,
    fires: History,
    silent: History,
    /// What the alert says among its facts.
    says: &'static str,
    /// It resolves where the history goes on.
    resolves: bool,
}

fn hourly(from: i64, count: i64, event: impl Fn(i64) -> Value) -> History {
    (0..count).map(|hour| (from + hour * HOUR, event(hour))).collect()
}

fn one(detector: &'static str, history: History, tails: [History; 2], says: &'static str, resolves: bool) -> Scenario {
    let [fires, silent] = tails;
    Scenario { detector, history, fires, silent, says, resolves }
}

fn counts() -> Scenario {
    let spike = |n: i64| {
        let mut tail = vec![(21 * DAY + HOUR, json!({"team": "a", "who": "bob", "n": n}))];
        tail.extend(hourly(21 * DAY + 2 * HOUR, 3, |_| json!({"team": "a", "who": "ann", "n": 5})));
        tail
    };
    one(COUNTS, steady(21), [spike(46), spike(7)], "most of 46 by bob 46", true)
}

fn peers() -> Scenario {
    let mut random = Random(3);
    let mut job = |at: i64, factor: usize| {
        let bytes = factor * (1_000_000 + random.below(200_000));
        (at, json!({"w": "build", "pool": "p1", "job": "j", "bytes": bytes, "ms": 60_000}))
    };
    let jobs: History = (0..60).map(|run| job(run * HOUR, 1)).collect();
    let tails = [vec![job(61 * HOUR, 90)], vec![job(61 * HOUR, 1)]];
    let detector = "{algo: peer_z, key: [w], peers: [pool], by: job, features: [{field: bytes, log: true}, {field: ms, log: true}]}";
    one(detector, jobs, tails, "60 jobs of its group", false)
}

fn drift() -> Scenario {
    let mut random = Random(5);
    let mut crept = |hours: std::ops::Range<i64>, mean: usize| -> History {
        hours.map(|hour| (hour * HOUR, json!({"tok": "t", "n": mean - 2 + random.below(5)}))).collect()
    };
    let rate = crept(0..28 * 24, 6);
    let tails = [crept(28 * 24..31 * 24, 13), crept(28 * 24..31 * 24, 6)];
    one("{algo: cusum, key: [tok], amount: n}", rate, tails, "expected", true)
}

fn durations() -> Scenario {
    let mut random = Random(4);
    let mut runs = |numbers: std::ops::Range<i64>, ms: usize| -> History {
        numbers.map(|at| (at * HOUR / 4, json!({"w": "test", "ms": ms + random.below(6_000)}))).collect()
    };
    let history = runs(0..120, 57_000);
    let tails = [runs(120..180, 80_000), runs(120..180, 57_000)];
    one("{algo: duration_shift, key: [w], duration: ms}", history, tails, "runs took", false)
}

fn ratio() -> Scenario {
    let scan = |at: i64, bad: bool| (at, json!({"tool": "sast", "o": if bad { "failure" } else { "success" }}));
    let scans: History = (0..400).map(|at| scan(at * HOUR / 4, at % 100 == 0)).collect();
    let tail = |bad: i64| (0..6).map(|at| scan(101 * HOUR + at, at < bad)).collect();
    let detector = "{algo: ratio, key: [tool], bad: \"o == 'failure'\"}";
    one(detector, scans, [tail(6), tail(1)], "its own 4 of 400", false)
}

fn mix() -> Scenario {
    let ops = ["read", "write", "list"];
    let hour = |hour: i64, deletes: bool| {
        (0..60).map(move |at| {
            let op = if deletes { "delete" } else { ops[(at % 3) as usize] };
            (hour * HOUR + at * 60_000, json!({"who": "svc", "op": op}))
        })
    };
    let history = (0..200).flat_map(|at| hour(at, false)).collect();
    let tail = |deletes: bool| hour(200, deletes).chain(hour(201, false)).chain(hour(202, false)).collect();
    let detector = "{algo: mix_shift, key: [who], class: op}";
    one(detector, history, [tail(true), tail(false)], "delete 60 instead of", true)
}

fn silence() -> Scenario {
    let beat = |tenths: std::ops::Range<i64>, of: &[&str]| -> History {
        tenths.flat_map(|at| of.iter().map(move |source| (at * HOUR / 10, json!({"source": source})))).collect()
    };
    let (both, end) = (["audit", "builds"], 19 * 240);
    let away = beat(end..end + 50, &["builds"]).into_iter().chain(beat(end + 50..end + 90, &both)).collect();
    let tails = [away, beat(end..end + 50, &both)];
    one("{algo: silence, key: [source]}", beat(0..end, &both), tails, "nothing for", true)
}

fn beats() -> Scenario {
    let mut random = Random(9);
    let call = |at: i64, runner: usize, to: &str, bytes: usize| {
        (at, json!({"run": format!("r{runner}"), "to": to, "job": format!("j{runner}-{}", at / HOUR), "bytes": bytes}))
    };
    // Ten runners fetch from a mirror in bursts, each hour.
    let mut busy = |hours: std::ops::Range<i64>| -> History {
        let bursts = hours.flat_map(|hour| (0..10).map(move |runner| (hour, runner)));
        bursts
            .map(|(hour, runner)| (hour * HOUR + random.below(3_000_000) as i64, runner))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|(at, runner)| call(at, runner, "mirror", 1_000 + (at % 7_919) as usize))
            .collect()
    };
    let (history, mut fires, mut silent) = (busy(0..26), busy(26..46), busy(26..46));
    let clockwork = |to: &'static str| (0..18 * 6).map(move |at| call(26 * HOUR + at * HOUR / 6, 3, to, 412));
    fires.extend(clockwork("beat"));
    silent.extend(clockwork("mirror"));
    [&mut fires, &mut silent].into_iter().for_each(|tail| tail.sort_by_key(|(at, _)| *at));
    let detector = "{algo: beacon, key: [run, to], peers: [to, k], by: job, amount: bytes, runner: run}";
    one(detector, history, [fires, silent], "1 of 10 runners know the destination", false)
}

fn entropy() -> Scenario {
    let said = |at: i64, text: &str| vec![(at * HOUR, json!({"arg": text}))];
    let history = ["npm ci --prefer-offline --no-audit --fund=false", "make release VERSION=2026.08.03-rc1"];
    let history = (0..40).flat_map(|at| said(at, history[at as usize % 2])).collect();
    let random = "upload q7Zr0Vt2XcN9hLw4bKe1Yp8sJd3Gf6Ua5MiTzQxRoWvCnBPlHkEySg0DjFI";
    let digest = "docker pull app@sha256:66f627bf3f56ffd860cfca20ea96fae5ecc879ba0ac547132b92cd60c9a018b5";
    one(
        "{algo: entropy, field: arg}",
        history,
        [said(41, random), said(41, digest)],
        "characters without a break",
        false,
    )
}

fn scenarios() -> Vec<Scenario> {
    vec![counts(), peers(), drift(), durations(), ratio(), beats(), entropy(), mix(), silence()]
}

#[test]
fn each_detector_fires_and_keeps_silent() {
    for Scenario { detector, history, fires, silent, says, resolves } in scenarios() {
        let of = |tail: &History| desk(&rule(detector, ""), &[history.clone(), tail.clone()].concat());
        let quiet = sealed(&of(&silent), "@in.jsonl");
        assert!(quiet.is_empty(), "{detector}: {quiet:#?}");
        let told = sealed(&of(&fires), "@in.jsonl");
        let states = short(&told);
        assert!(states.first().is_some_and(|(state, ..)| state == "firing"), "{detector}: {told:#?}");
        assert!(told[0].to_string().contains(says), "{detector}: {:#}", told[0]);
        let is_over = states.iter().any(|(state, ..)| state == "resolved");
        assert_eq!(is_over, resolves, "{detector}: {states:?}");
    }
}

/// Moves every event by less than the lateness, in a way that a seed says.
fn shuffled(lines: &[String], history: &History, seed: u64) -> Vec<String> {
    let mut random = Random(seed);
    let mut order: Vec<(i64, usize)> =
        history.iter().enumerate().map(|(at, (time, _))| (time + random.below(7_000_000) as i64, at)).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, at)| lines[at].clone()).collect()
}

#[test]
fn neither_arrival_nor_partitions_nor_pieces_change_a_byte() {
    for Scenario { detector, mut history, fires, .. } in scenarios() {
        history.extend(fires);
        history.sort_by_key(|(at, _)| *at);
        let desk = desk(&(rule(detector, "") + ON_ANOMALIES), &history);
        sealed(&desk, "@in.jsonl");
        let expected = desk.read("alerts.jsonl");
        assert!(expected.contains("\"Found\""), "{detector}");
        let lines = lines(&history);
        for seed in 0..2 {
            let disordered = shuffled(&lines, &history, seed);
            let mut doubled = disordered.clone();
            doubled.extend(disordered.iter().rev().take(9).cloned());
            desk.put("in.jsonl", doubled.join("\n"));
            sealed(&desk, "--threads 2 @in.jsonl");
            assert_eq!(desk.read("alerts.jsonl"), expected, "{detector}: arrival {seed}");
            for part in 0..3 {
                let own: Vec<String> = disordered.iter().skip(part).step_by(3).cloned().collect();
                desk.put(&format!("p{part}.jsonl"), own.join("\n"));
            }
            sealed(&desk, "--threads 2 @p0.jsonl @p1.jsonl @p2.jsonl");
            assert_eq!(desk.read("alerts.jsonl"), expected, "{detector}: partitions {seed}");
        }
        let mut found = String::new();
        let bounds = [0, lines.len() / 2, lines.len() - lines.len() / 50 - 1, lines.len()];
        for (piece, bounds) in bounds.windows(2).enumerate() {
            desk.put("in.jsonl", lines[bounds[0]..bounds[1]].join("\n"));
            let before = if piece > 0 { "--state-in @s.state" } else { "" };
            let after = if piece < 2 { "--state-out @s.state" } else { "" };
            sealed(&desk, &format!("{before} {after} @in.jsonl"));
            found.push_str(&desk.read("alerts.jsonl"));
        }
        assert_eq!(found, expected, "{detector}: pieces");
    }
}
