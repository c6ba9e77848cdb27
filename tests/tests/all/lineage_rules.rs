//! Rules that ask lineage, through the binary: what an answer counts, that nothing but the set of events decides it, what a
//! limit says, and which questions are refused.

use std::collections::BTreeSet;

use harness::generate::Random;
use harness::{broker, cli};
use serde_json::{Value, json};

use crate::replay::Desk;
use crate::run_events::{LATENESS_MS, START_MS, config, produce};

/// One that lists what a package reached, one that holds where a credential reached two things, one where it reached nothing.
const RULES: &str = "\
title: Package known as bad
id: 00000000-0000-4000-8000-0000000000b1
logsource: {product: pipewarden, category: threat.intel}
detection: {s: {event.action: malicious}, condition: s}
x-lineage: {from: purl, versions: versions, reaches: [artifact, service], at_least: 0}
x-alert: {route: ticket, fingerprint: [event.id], realert: 1h}
x-requires: [E12, E13]
---
title: Stolen token that made things
id: 00000000-0000-4000-8000-0000000000b2
logsource: {product: pipewarden, category: identity.use}
detection: {s: {event.action: stolen}, condition: s}
x-lineage: {from: prov.token_id, reaches: [artifact, run], at_least: 2}
x-alert: {route: ticket, fingerprint: [event.id], realert: 1h}
x-requires: [E12, E13]
---
title: Deployed and never built
id: 00000000-0000-4000-8000-0000000000b3
logsource: {product: pipewarden, category: identity.use}
detection: {s: {event.action: stolen}, condition: s}
x-lineage: {from: prov.token_id, reaches_none: [artifact]}
x-alert: {route: ticket, fingerprint: [event.id], realert: 1h}
x-requires: [E12, E13]
";

fn event(at_ms: i64, id: &str, (class, action): (&str, &str), fields: Value) -> (i64, String) {
    let time = model::Timestamp::from_ms(START_MS + at_ms).to_string();
    let mut record = json!({"event": {"id": id, "class": class, "action": action, "outcome": "success", "time": time}});
    record.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    (at_ms, record.to_string())
}

fn sbom(at_ms: i64, id: &str, digest: &str, purls: &[&str]) -> (i64, String) {
    let components: Vec<Value> = purls.iter().map(|purl| json!({"purl": purl})).collect();
    event(at_ms, id, ("sbom.generated", "generated"), json!({"prov": {"digest": digest}, "components": components}))
}

fn deployed(at_ms: i64, id: &str, digest: &str, service: &str) -> (i64, String) {
    let prov = json!({"prov": {"digest": digest, "service": service, "env": "prod"}});
    event(at_ms, id, ("deploy.finished", "finished"), prov)
}

fn intel(at_ms: i64, id: &str, purl: &str, versions: &[&str]) -> (i64, String) {
    event(at_ms, id, ("threat.intel", "malicious"), json!({"purl": purl, "versions": versions}))
}

/// Few packages, digests, runs and tokens, so that answers change from event to event.
fn world(random: &mut Random, events: usize) -> Vec<(i64, String)> {
    let mut lines = Vec::new();
    let mut at_ms = 0;
    for n in 0..events {
        at_ms += random.below(9_000) as i64;
        let id = format!("e{n}");
        let (digest, run) = (format!("sha256:{:064x}", random.below(12)), format!("run-{}", random.below(15)));
        let (package, token) = (format!("pkg:npm/p{}", random.below(3)), format!("token-{}", random.below(6)));
        let purl = format!("{package}@{}", random.below(2));
        lines.push(match random.below(7) {
            0 => sbom(at_ms, &id, &digest, &[&purl]),
            1 => deployed(at_ms, &id, &digest, &format!("s{}", random.below(6))),
            2 => intel(at_ms, &id, &package, if random.percent(50) { &["*"] } else { &["0"] }),
            3 => event(at_ms, &id, ("identity.use", "stolen"), json!({"prov": {"token_id": token}})),
            4 => event(at_ms, &id, ("identity.use", "used"), json!({"prov": {"token_id": token, "run_id": run}})),
            5 => event(at_ms, &id, ("build.finished", "finished"), json!({"prov": {"run_id": run, "digest": digest}})),
            _ => event(at_ms, &id, ("registry.push", "pushed"), json!({"prov": {"token_id": token, "digest": digest}})),
        });
    }
    lines
}

/// Files, each in an order of its own within the lateness, with copies.
fn arrivals(random: &mut Random, world: &[(i64, String)], files: usize) -> Vec<String> {
    let mut parts: Vec<Vec<(i64, &str)>> = vec![Vec::new(); files];
    for (at_ms, line) in world {
        let file = random.below(files);
        for _ in 0..1 + usize::from(random.percent(20)) {
            parts[file].push((at_ms + random.below(LATENESS_MS as usize) as i64, line));
        }
    }
    parts.iter_mut().for_each(|part| part.sort());
    parts.iter().map(|part| text(part.iter().map(|(_, line)| *line))).collect()
}

fn text<'t>(lines: impl Iterator<Item = &'t str>) -> String {
    lines.map(|line| format!("{line}\n")).collect()
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.put("rules.yml", RULES);
    desk
}

fn replay(desk: &Desk, files: &[String], more: &str) -> cli::Ran {
    let mut words = format!("--format normal --lateness 60s --rules @rules.yml --json {more}");
    for (at, file) in files.iter().enumerate() {
        desk.put(&format!("in-{at}.jsonl"), file);
        words += &format!(" @in-{at}.jsonl");
    }
    let ran = desk.replay(&words, b"");
    ran.expect_code(0);
    ran
}

/// The alerts of a rule (by the end of its id) that opened on these events, in the order in which they were told.
fn opened(desk: &Desk, events: &[(i64, String)], rule: &str) -> Vec<Value> {
    replay(desk, &[text(events.iter().map(|(_, line)| line.as_str()))], "--alerts @alerts.jsonl");
    let of_rule =
        |of: &Value| of["rule"]["id"].as_str().is_some_and(|id| id.ends_with(rule)) && of["state"] == "firing";
    desk.lines("alerts.jsonl").into_iter().filter(of_rule).collect()
}

fn fact(of: &Value, name: &str) -> String {
    of["facts"][format!("reached.{name}")].as_str().unwrap_or_default().to_owned()
}

#[test]
fn shuffled_copied_and_spread_events_give_the_same_answers() {
    let mut answers = BTreeSet::new();
    for seed in 0..8 {
        let mut random = Random(seed);
        let world = world(&mut random, 250);
        let desk = desk();
        let plain = text(world.iter().map(|(_, line)| line.as_str()));
        replay(&desk, &[plain], "--alerts @wanted.jsonl --threads 1");
        let wanted = desk.read("wanted.jsonl");
        for line in desk.lines("wanted.jsonl").iter().filter(|line| line["state"] == "firing") {
            answers.insert(format!("{} {}", line["rule"]["id"], fact(line, "artifacts")));
        }
        for files in [1, 2, 4] {
            let parts = arrivals(&mut random, &world, files);
            let threads = if files == 2 { "--threads 2" } else { "--threads 1" };
            replay(&desk, &parts, &format!("--alerts @found.jsonl {threads}"));
            assert_eq!(desk.read("found.jsonl"), wanted, "SEED={seed}, {files} files");
            replay(&desk, &parts, &format!("--alerts @found.jsonl --incidents @incidents.jsonl {threads}"));
            assert_eq!(desk.read("found.jsonl"), wanted, "SEED={seed}, {files} files, with incidents");
        }
    }
    let of = |rule: &str| answers.iter().filter(|answer| answer.contains(rule)).count();
    assert!(of("b1") > 10 && of("b2") > 3 && of("b3") == 1, "the worlds ask too little: {answers:?}");
}

#[test]
fn what_was_earlier_counts_however_late_it_arrives_and_nothing_later_does() {
    let desk = desk();
    let asked = intel(100_500, "ask", "pkg:npm/x", &["1"]);
    let events = [
        deployed(5_000, "z", "sha256:dd", "kept"),
        deployed(10_000, "a", "sha256:aa", "kept"),
        asked,
        sbom(99_000, "b", "sha256:aa", &["pkg:npm/x@1"]),
        sbom(100_400, "c", "sha256:bb", &["pkg:npm/x@1"]),
        // The same second, and later.
        sbom(100_600, "d", "sha256:cc", &["pkg:npm/x@1"]),
        deployed(100_700, "e", "sha256:dd", "kept"),
        deployed(130_000, "f", "sha256:bb", "later"),
    ];
    let told = opened(&desk, &events, "b1");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(fact(&told[0], "artifacts"), "2: sha256:aa, sha256:bb");
    assert_eq!(
        (fact(&told[0], "services"), fact(&told[0], "deployed")),
        ("1: prod/kept".into(), "1: prod/kept".into())
    );
    assert_eq!(fact(&told[0], "services_without_sbom"), "0", "what runs there without one came later");
}

#[test]
fn every_version_is_asked_for_and_no_package_of_a_name_that_begins_alike() {
    let desk = desk();
    let events = [
        sbom(1_000, "a", "sha256:aa", &["pkg:npm/x@1"]),
        sbom(2_000, "b", "sha256:bb", &["pkg:npm/x@2"]),
        sbom(3_000, "c", "sha256:cc", &["pkg:npm/x-y@1", "pkg:npm/xy@1"]),
        sbom(4_000, "d", "sha256:dd", &["pkg:npm/x"]),
        intel(5_000, "one", "pkg:npm/x", &["2"]),
        intel(6_000, "all", "pkg:npm/x", &["*"]),
    ];
    let told: Vec<String> = opened(&desk, &events, "b1").iter().map(|of| fact(of, "artifacts")).collect();
    assert_eq!(told, ["1: sha256:bb", "3: sha256:aa, sha256:bb, sha256:dd"]);
}

#[test]
fn history_in_pieces_gives_the_answers_of_the_whole() {
    let world = world(&mut Random(5), 250);
    let part = |part: &[(i64, String)]| text(part.iter().map(|(_, line)| line.as_str()));
    for more in ["", "--incidents @incidents.jsonl"] {
        let desk = desk();
        replay(&desk, &[part(&world)], &format!("--alerts @whole.jsonl {more}"));
        assert!(desk.read("whole.jsonl").contains("reached.artifacts"));
        for cut in [1, 90, 200] {
            replay(&desk, &[part(&world[..cut])], &format!("--alerts @first.jsonl --state-out @s.state {more}"));
            replay(&desk, &[part(&world[cut..])], &format!("--alerts @second.jsonl --state-in @s.state {more}"));
            let pieces = desk.read("first.jsonl") + &desk.read("second.jsonl");
            assert_eq!(pieces, desk.read("whole.jsonl"), "cut at {cut} {more}");
        }
    }
}

#[test]
fn a_package_of_a_game_day_is_looked_back_for_on_one_page() {
    let desk = Desk::new();
    let (alerts, day) = (desk.path("alerts.jsonl"), cli::workspace().join("replay-data/gd-a3/attack"));
    cli::run([&"replay".into(), &"--alerts".into(), &alerts, &day], b"").expect_code(0);
    let about = |of: &Value| !fact(of, "artifacts").is_empty() && of["state"] == "firing";
    let told: Vec<Value> = desk.lines("alerts.jsonl").into_iter().filter(about).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let (of, counts) = (&told[0], |name| fact(&told[0], name).split(':').next().map(str::to_owned));
    assert_eq!((&of["urgency"], fact(of, "from").as_str()), (&"page".into(), "pkg:npm/libfoo@4.2.7"));
    let figures = ["artifacts", "deployed", "services", "services_without_sbom"].map(counts);
    assert_eq!(figures.map(Option::unwrap_or_default), ["7", "5", "5", "2"]);
    assert_eq!(fact(of, "services_without_sbom"), "2: prod/invoices, prod/reports");
}

#[test]
fn a_limit_is_counted_and_the_alert_says_at_least() {
    let desk = desk();
    let versions: Vec<String> = (0..300).map(|n| format!("1.{n}")).collect();
    let purls: Vec<String> = versions.iter().map(|version| format!("pkg:npm/x@{version}")).collect();
    let mut events: Vec<_> =
        (0..300).map(|n| sbom(n as i64, &format!("s{n}"), &format!("sha256:{n:04x}"), &[&purls[n]])).collect();
    events.push(intel(1_000, "few", "pkg:npm/x", &["1.7"]));
    events.push(intel(2_000, "listed", "pkg:npm/x", &versions.iter().map(String::as_str).collect::<Vec<_>>()));
    events.push(intel(3_000, "all", "pkg:npm/x", &["*"]));
    let told = opened(&desk, &events, "b1");
    let artifacts: Vec<String> = told.iter().map(|of| fact(of, "artifacts")).collect();
    assert_eq!(artifacts[0], "1: sha256:0007");
    assert!(artifacts[1].starts_with("at least 256: ") && artifacts[2].starts_with("at least 25"), "{artifacts:?}");
    assert_eq!(told.iter().map(|of| fact(of, "incomplete").is_empty()).collect::<Vec<_>>(), [true, false, false]);
    let ran = replay(&desk, &[text(events.iter().map(|(_, line)| line.as_str()))], "--alerts @alerts.jsonl");
    assert_eq!(ran.json()["limits"]["lineage_asks_cut"], 2, "{ran:?}");
}

#[test]
fn a_question_that_cannot_be_answered_is_refused_with_its_line_and_a_hint() {
    let asks = |ask: &str, requires: &str| {
        format!(
            "title: T\nid: 00000000-0000-4000-8000-0000000000b9\nlogsource: {{product: pipewarden, category: ci.job}}\n\
             detection: {{s: {{event.action: x}}, condition: s}}\nx-lineage: {{{ask}}}\nx-requires: [{requires}]\n"
        )
    };
    let desk = Desk::new();
    let check = |text: String| {
        desk.put("ask.yml", text);
        let path = desk.path("ask.yml").display().to_string();
        let ran = cli::run(["rules", "check", &path], b"");
        (path, format!("{}{}", ran.stdout, ran.stderr), ran.code)
    };
    for (ask, requires, says) in [
        ("from: prov.run_id, reaches: [job], hops: 2", "E13", "hops"),
        ("from: prov.actor, reaches: [job]", "E13", "lineage does not know keys of `prov.actor`"),
        ("from: prov.run_id, reaches: [job], reaches_none: [service]", "E13", "one of `reaches` and `reaches_none`"),
        ("from: prov.run_id", "E13", "one of `reaches` and `reaches_none`"),
        ("from: prov.run_id, reaches: [servicee]", "E13", "`servicee` is nothing that lineage reaches"),
        ("from: prov.run_id, reaches: [job], at_least: -1", "E13", "`at_least` needs a whole number"),
        ("from: prov.run_id, reaches_none: [job], at_least: 1", "E13", "`at_least` goes with `reaches`"),
        ("from: prov.run_id, versions: versions, reaches: [job]", "E13", "`versions` goes with `from: purl`"),
        ("from: prov.run_id, reaches: [job], through: [service]", "E13", "no way goes through a service"),
    ] {
        let (path, said, code) = check(asks(ask, requires));
        let place = (4..=6).any(|line| said.contains(&format!("{path}:{line}")));
        assert!(code != 0 && said.contains(says) && place && said.contains("hint"), "{ask} [{requires}]: {said}");
    }
    let (_, said, code) = check(asks("from: prov.run_id, reaches: [job], at_least: 0", "E13"));
    assert!(code == 0 && !said.contains("warning:"), "{said}");
    // Without the question the rule would mean more: nobody else may read it so.
    let (path, said, _) = check(asks("from: prov.run_id, reaches: [job]", ""));
    let lacks = "does not name E13 (hint: add `x-requires: [E13]`)";
    assert!(said.contains(&format!("{path}:5")) && said.contains(lacks), "{said}");
}

#[test]
fn a_trail_that_tells_of_no_edge_holds_no_answer_back() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("asks-in", 1, &[]).expect("created");
    broker.create_topic("asks-trail", 1, &[]).expect("created");
    let trail = "format: json, time: ts, id: uid, logsource: {product: deployer, service: api}";
    let sources = [("pipeline", "asks-in", "format: normal, trust: control_plane"), ("trail", "asks-trail", trail)];
    let config = config(&broker.bootstrap(), "asks", &sources, "alerts: {file: alerts.jsonl}\nidle_after: 10m\n");
    let place = harness::worker::Place::new(&config, RULES);
    let lines = |events: &[(i64, String)]| events.iter().map(|(_, line)| line.clone()).collect::<Vec<_>>();
    let events = [
        sbom(10_000, "a", "sha256:aa", &["pkg:npm/x@1"]),
        intel(20_000, "ask", "pkg:npm/x", &["1"]),
        deployed(200_000, "b", "sha256:aa", "s"),
    ];
    produce(broker, "asks-in", 0, &lines(&events));
    let old = model::Timestamp::from_ms(START_MS).to_string();
    produce(broker, "asks-trail", 0, &[json!({"ts": old, "uid": "t1", "kind": "x"}).to_string()]);
    let mut worker = place.start(&[]);
    worker.until_read(4);
    worker.until("the answer is sealed", |_| {
        place.read("alerts.jsonl").iter().any(|of| fact(of, "artifacts").starts_with('1'))
    });
    assert_eq!(worker.stop(), 0);
}
