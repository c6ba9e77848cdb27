//! Incidents through the command line: the same records however events arrive, hubs that join nothing, limits of state between
//! two pieces, and what `incident` and `why` print of them.

use std::collections::BTreeSet;

use harness::cli;
use harness::generate::Random;
use serde_json::{Value, json};

use crate::replay::Desk;

/// Rules that page or file a ticket on one event, one that counts, and a composite.
const RULES: &str = "\
title: Evil job
id: 00000000-0000-4000-8000-0000000000a1
name: evil-job
logsource: {product: pipewarden, category: ci.job}
detection: {s: {event.action: evil}, condition: s}
x-alert: {route: page, fingerprint: [prov.run_id], owner: platform, runbook: https://example.org/a}
x-requires: [E12]
---
title: Evil artifact
id: 00000000-0000-4000-8000-0000000000a2
name: evil-artifact
logsource: {product: pipewarden, category: runtime.integrity}
detection: {s: {event.action: evil}, condition: s}
x-alert: {route: page, fingerprint: [prov.digest], owner: platform, runbook: https://example.org/b}
x-requires: [E12]
---
title: Odd token
id: 00000000-0000-4000-8000-0000000000a3
name: odd-token
logsource: {product: pipewarden, category: identity.use}
detection: {s: {event.action: odd}, condition: s}
x-alert: {route: ticket, fingerprint: [prov.token_id], owner: platform}
x-requires: [E12]
---
title: Evil again and again
id: 00000000-0000-4000-8000-0000000000a4
name: evil-again
correlation: {type: event_count, rules: [evil-job], group-by: [prov.runner_name], timespan: 2h, condition: {gte: 2}}
x-alert: {route: page, composite: true, owner: platform, runbook: https://example.org/c}
x-requires: [E12]
";

const START_S: i64 = 1_791_187_200;

fn event(at_s: i64, id: &str, class: &str, action: &str, prov: Value) -> String {
    let time = model::Timestamp::from_ms((START_S + at_s) * 1_000).to_string();
    let event = json!({"id": id, "class": class, "action": action, "outcome": "success", "time": time});
    json!({"event": event, "prov": prov}).to_string()
}

/// Runs on few runners, what they build and pull, and alerts now and then.
fn world(random: &mut Random, events: usize) -> Vec<(i64, String)> {
    let mut lines = Vec::new();
    let mut at_s = 0;
    for n in 0..events {
        at_s += random.below(240) as i64;
        let run = format!("run-{}", random.below(60));
        let job = format!("job-{run}");
        let runner = format!("runner-{}", random.below(20));
        let digest = format!("sha256:{:064x}", random.below(40));
        let token = format!("token-{}", random.below(50));
        let id = format!("e{n}");
        let (class, action, prov) = match random.below(8) {
            0 => ("ci.job", "evil", json!({"run_id": run, "job_id": job, "runner_name": runner, "repo": "h/o/r"})),
            1 => ("runtime.integrity", "evil", json!({"digest": digest, "service": "s", "env": "prod"})),
            2 => ("identity.use", "odd", json!({"token_id": token, "run_id": run})),
            3 => ("ci.job", "started", json!({"run_id": run, "job_id": job, "runner_name": runner})),
            4 => ("build.finished", "finished", json!({"run_id": run, "digest": digest})),
            5 => ("registry.pull", "pulled", json!({"run_id": run, "digest": digest})),
            6 => ("registry.push", "pushed", json!({"token_id": token, "digest": digest})),
            _ => ("identity.use", "used", json!({"token_id": token, "job_id": job})),
        };
        lines.push((at_s, event(at_s, &id, class, action, prov)));
    }
    lines
}

/// Files, each in an order of its own within ten minutes, with copies.
fn arrivals(random: &mut Random, world: &[(i64, String)], files: usize) -> Vec<String> {
    let mut parts: Vec<Vec<(i64, &str)>> = vec![Vec::new(); files];
    for (at_s, line) in world {
        let mut part = |random: &mut Random| {
            let (file, arrival) = (random.below(files), at_s + random.below(600) as i64);
            parts[file].push((arrival, line));
            file
        };
        let file = part(random);
        if random.percent(20) {
            let arrival = at_s + random.below(600) as i64;
            parts[file].push((arrival, line));
        }
    }
    parts.iter_mut().for_each(|part| part.sort());
    parts.iter().map(|part| part.iter().map(|(_, line)| format!("{line}\n")).collect()).collect()
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.put("rules.yml", RULES);
    desk
}

/// The alerts and the incidents of some files.
fn replay(desk: &Desk, files: &[String], more: &str) -> (String, String) {
    let mut words = format!(
        "--format normal --lateness 10m --rules @rules.yml --alerts @alerts.jsonl --incidents @incidents.jsonl --json {more}"
    );
    for (at, file) in files.iter().enumerate() {
        desk.put(&format!("in-{at}.jsonl"), file);
        words += &format!(" @in-{at}.jsonl");
    }
    desk.replay(&words, b"").expect_code(0);
    (desk.read("alerts.jsonl"), desk.read("incidents.jsonl"))
}

fn records(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn shuffled_copied_and_spread_events_give_the_same_incidents() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for seed in 0..12 {
        let mut random = Random(seed);
        let world = world(&mut random, 300);
        let desk = desk();
        let plain: String = world.iter().map(|(_, line)| format!("{line}\n")).collect();
        let wanted = replay(&desk, &[plain], "--threads 1");
        for of in records(&wanted.1) {
            seen.insert(format!("{} {}", of["state"], of["because"]));
        }
        for files in [1, 2, 4] {
            let files = arrivals(&mut random, &world, files);
            let found = replay(&desk, &files, if files.len() == 2 { "--threads 2" } else { "--threads 1" });
            assert_eq!(found.0, wanted.0, "SEED={seed}: the alerts");
            assert_eq!(found.1, wanted.1, "SEED={seed}: the incidents");
        }
    }
    for of in [
        "\"opened\" \"first\"",
        "\"joined\" \"joined\"",
        "\"merged\" \"joined\"",
        "\"joined\" \"ticket\"",
        "\"closed\" null",
    ] {
        assert!(seen.contains(of), "{of} is in no world: {seen:?}");
    }
    assert!(seen.iter().any(|of| of.ends_with("\"composite\"")), "{seen:?}");
}

#[test]
fn every_alert_that_is_told_is_in_one_incident_and_alerts_stay_what_they_were() {
    let world = world(&mut Random(7), 400);
    let lines: String = world.iter().map(|(_, line)| format!("{line}\n")).collect();
    let desk = desk();
    let (alerts, incidents) = replay(&desk, std::slice::from_ref(&lines), "");
    desk.put("in.jsonl", lines);
    desk.replay("--format normal --lateness 10m --rules @rules.yml --alerts @without.jsonl --json @in.jsonl", b"")
        .expect_code(0);
    assert_eq!(desk.read("without.jsonl"), alerts);
    let of = |record: &Value| (record["fingerprint"].clone(), record["event_time"].clone());
    let opened = records(&alerts).into_iter().filter(|record| record["state"] == "firing");
    let opened: Vec<_> = opened.map(|record| (of(&record).0.to_string(), of(&record).1.to_string())).collect();
    let joined: BTreeSet<_> = records(&incidents)
        .iter()
        .filter(|record| record["alert"]["state"] == "firing")
        .map(|record| (record["alert"]["fingerprint"].to_string(), record["event_time"].to_string()))
        .collect();
    assert!(opened.len() > 50 && opened.iter().all(|alert| joined.contains(alert)));
    assert_eq!(opened.len(), joined.len());
}

#[test]
fn a_runner_that_a_thousand_runs_share_joins_nobody() {
    let told = |runs: usize| {
        let mut lines = Vec::new();
        for n in 0..runs {
            let prov = json!({"run_id": format!("r{n}"), "job_id": format!("j{n}"), "runner_name": "shared"});
            lines.push(event(n as i64, &format!("s{n}"), "ci.job", "started", prov) + "\n");
        }
        for n in [3, 7] {
            let prov = json!({"run_id": format!("r{n}"), "job_id": format!("j{n}"), "runner_name": "shared"});
            lines.push(event(2_000 + n, &format!("x{n}"), "ci.job", "evil", prov) + "\n");
        }
        let desk = desk();
        let rules = RULES.split("---\n").next().expect("a rule").to_owned();
        desk.put("rules.yml", rules);
        let (_, incidents) = replay(&desk, &[lines.concat()], "");
        let told = records(&incidents).into_iter().filter(|record| record["told"] == true).count();
        (told, incidents.lines().filter(|line| line.contains("\"closed\"")).count())
    };
    assert_eq!(told(1_000), (2, 2), "two runs of a hub have nothing to do with each other");
    assert_eq!(told(20), (1, 1), "two runs of a runner of few have");
}

#[test]
fn history_in_pieces_gives_the_incidents_of_the_whole() {
    let world = world(&mut Random(5), 300);
    let text = |part: &[(i64, String)]| part.iter().map(|(_, line)| format!("{line}\n")).collect::<String>();
    let desk = desk();
    let base = "--format normal --lateness 10m --rules @rules.yml --json @in.jsonl";
    let run = |text: String, words: &str| {
        desk.put("in.jsonl", text);
        desk.replay(&format!("{base} {words}"), b"")
    };
    run(text(&world), "--alerts @a.jsonl --incidents @whole.jsonl").expect_code(0);
    for cut in [1, 100, 250] {
        let first = "--alerts @a.jsonl --incidents @first.jsonl --state-out @s.state";
        run(text(&world[..cut]), first).expect_code(0);
        let second = "--alerts @a.jsonl --incidents @second.jsonl --state-in @s.state";
        run(text(&world[cut..]), second).expect_code(0);
        assert_eq!(desk.read("first.jsonl") + &desk.read("second.jsonl"), desk.read("whole.jsonl"), "cut at {cut}");
    }
    let ran = run(text(&world), "--alerts @a.jsonl --state-in @s.state");
    assert!(ran.expect_code(1).stderr.contains("written with --incidents (hint: --incidents FILE"), "{ran:?}");
}

#[test]
fn incident_and_why_print_who_belongs_together_and_what_holds_them() {
    let (run, digest) = ("run-1", format!("sha256:{:064x}", 1));
    let lines = [
        event(0, "e1", "ci.job", "evil", json!({"run_id": run, "runner_name": "r", "repo": "host/acme/app"})),
        event(60, "e2", "build.finished", "finished", json!({"run_id": run, "digest": digest})),
        event(120, "e3", "runtime.integrity", "evil", json!({"digest": digest, "service": "s", "env": "prod"})),
        event(180, "e4", "runtime.integrity", "evil", json!({"digest": format!("sha256:{:064x}", 2), "service": "t"})),
    ];
    let desk = desk();
    let (alerts, incidents) = replay(&desk, &[lines.join("\n") + "\n"], "");
    let of = records(&incidents);
    let path = |name: &str| desk.path(name).display().to_string();
    let run = |words: &[&str]| cli::run(words.iter().map(|word| (*word).to_owned()), b"");
    let file = path("incidents.jsonl");
    let list = run(&["incident", "list", "--incidents", &file]);
    assert_eq!(list.expect_code(0).stdout.lines().count(), 3, "{list:?}");
    let name = of[0]["incident"].as_str().expect("a name");
    let one = run(&["incident", &name[..6], "--incidents", &file]);
    let first = records(&alerts)[0]["fingerprint"].as_str().expect("one").to_owned();
    let held = format!("… > run run-1 (of {}", &first[..8]);
    for says in [
        "2 alerts, 2 of them pages, 1 pages told",
        "repositories (1): host/acme/app",
        "yes: first",
        "no: joined",
        &held,
    ] {
        assert!(one.expect_code(0).stdout.contains(says), "{says}: {}", one.stdout);
    }
    let json = run(&["incident", name, "--incidents", &file, "--json"]).json();
    assert_eq!(
        (&json["alerts"], &json["pages_told"], json["records"].as_array().map(Vec::len)),
        (&2.into(), &1.into(), Some(3))
    );
    let unknown = run(&["incident", "ffffffff", "--incidents", &file]);
    assert!(unknown.expect_code(1).stderr.contains("is none of 2 incidents"), "{unknown:?}");
    let joined = of[1]["alert"]["fingerprint"].as_str().expect("one").to_owned();
    let why = run(&["why", &joined, "--alerts", &path("alerts.jsonl"), "--incidents", &file]);
    for says in ["Incident", name, "evil-job, told", "not told, its owner has been paged about it"] {
        assert!(why.expect_code(0).stdout.contains(says), "{says}: {}", why.stdout);
    }
}
