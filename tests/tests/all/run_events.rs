//! What the worker's tests run on: seeded events of three sources, rules over them, and a configuration that reads them.
//!
//! The same seed gives the same events everywhere, all of them in the past; must never make one that is late.

use harness::broker::{Broker, Stored};
use harness::generate::Random;
use serde_json::{Value, json};

/// 2025-06-02T08:00:00Z.
pub(crate) const START_MS: i64 = 1_748_851_200_000;
pub(crate) const LATENESS_MS: i64 = 60_000;

/// Rules whose alerts fold, repeat, rise and expire within the minutes that the events span; one for each source.
pub(crate) const RULES: &str = "\
title: Repository made public
id: 00000000-0000-4000-8000-000000000001
logsource: {product: github, service: audit}
detection:
  s: {action: repo.access, visibility: public}
  condition: s
level: high
x-alert: {route: ticket, fingerprint: [repo], realert: 5m}
x-requires: [E12]
---
title: Secret read by a person
id: 00000000-0000-4000-8000-000000000002
logsource: {product: aws, service: cloudtrail}
detection:
  s: {eventName: GetSecretValue, userIdentity.type: IAMUser}
  condition: s
level: medium
x-alert: {route: ticket, fingerprint: [requestParameters.secretId], realert: 3m}
x-requires: [E12]
---
title: Deploy outside of the window
id: 00000000-0000-4000-8000-000000000003
logsource: {product: deployer, service: api}
detection:
  s: {kind: deploy, window: closed}
  condition: s
level: low
x-alert: {route: ticket, fingerprint: [service, user], realert: 2m}
x-requires: [E12]
---
title: Everything that failed
id: 00000000-0000-4000-8000-000000000004
logsource: {product: deployer, service: api}
detection:
  s: {result: failed}
  condition: s
level: low
";

/// A kind of record: its source in the configuration, and what `replay` has to be told to read it.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) source: &'static str,
    pub(crate) replay: &'static [&'static str],
    event: fn(&mut Random, usize, i64) -> Value,
}

pub(crate) const GITHUB: Kind = Kind {
    name: "github",
    source: "format: github-audit",
    replay: &["--format", "github-audit", "--source", "github"],
    event: github,
};
pub(crate) const CLOUD: Kind = Kind {
    name: "cloud",
    source: "format: cloudtrail",
    replay: &["--format", "cloudtrail", "--source", "cloud"],
    event: cloud,
};
pub(crate) const DEPLOYER: Kind = Kind {
    name: "deployer",
    source: "format: json, time: ts, id: uid, logsource: {product: deployer, service: api}",
    replay: &[
        "--format",
        "json",
        "--source",
        "deployer",
        "--time-field",
        "ts",
        "--id-field",
        "uid",
        "--logsource",
        "product=deployer,service=api",
    ],
    event: deployer,
};

impl Kind {
    /// So many events over `minutes`, as they arrive at each of some partitions: out of order, none late, some twice.
    pub(crate) fn arrivals(&self, seed: u64, events: usize, minutes: usize, partitions: usize) -> Vec<Vec<String>> {
        let mut random = Random(seed);
        let mut arriving = Vec::new();
        for number in 0..events {
            let at_ms = START_MS + random.below(minutes * 60_000) as i64;
            let line = (self.event)(&mut random, number, at_ms).to_string();
            let partition = random.below(partitions);
            for _ in 0..1 + usize::from(random.percent(5)) {
                arriving.push((at_ms + random.below(LATENESS_MS as usize) as i64, partition, line.clone()));
            }
        }
        arriving.sort();
        let mut lines = vec![Vec::new(); partitions];
        arriving.into_iter().for_each(|(_, partition, line)| lines[partition].push(line));
        lines
    }

    /// One event at a time, which matches a rule of its own with a key of its own.
    pub(crate) fn matching(&self, number: usize, at_ms: i64) -> String {
        let mut event = (self.event)(&mut Random(number as u64), 1_000_000 + number, at_ms);
        let put = |event: &mut Value, fields: Value| {
            if let (Some(event), Some(fields)) = (event.as_object_mut(), fields.as_object()) {
                event.extend(fields.clone());
            }
        };
        match self.name {
            "github" => put(
                &mut event,
                json!({"action": "repo.access", "visibility": "public", "repo": format!("tidewater/r{number}")}),
            ),
            "cloud" => put(
                &mut event,
                json!({"eventName": "GetSecretValue", "userIdentity": {"type": "IAMUser", "userName": "u"},
                       "requestParameters": {"secretId": format!("s{number}")}}),
            ),
            _ => put(
                &mut event,
                json!({"kind": "deploy", "window": "closed", "result": "ok", "service": "own", "user": format!("o{number}")}),
            ),
        }
        event.to_string()
    }
}

fn github(random: &mut Random, number: usize, at_ms: i64) -> Value {
    let repo = format!("tidewater/app-{}", random.below(12));
    let actor = random.pick(&["mira-k", "jonas-h", "build-bot"]);
    let mut event = json!({
        "@timestamp": at_ms, "_document_id": format!("gh-{number}"), "actor": actor, "actor_id": 5_550_000 + actor.len(),
        "org": "tidewater", "org_id": 163_237_012, "created_at": at_ms, "actor_ip": "198.51.100.24",
    });
    let more = match random.below(20) {
        0 => json!({"action": "repo.access", "repo": repo, "visibility": "public"}),
        1 => json!({"action": "repo.access", "repo": repo, "visibility": "private"}),
        // Matches a rule of the pack.
        2 => {
            json!({"action": "org.update_member", "user": format!("otter-{}", random.below(9)), "user_id": 7, "permission": "admin"})
        }
        _ => json!({"action": "git.push", "repo": repo, "repo_id": 700_100_201, "transport_protocol_name": "ssh"}),
    };
    if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
        event.extend(more);
    }
    event
}

fn cloud(random: &mut Random, number: usize, at_ms: i64) -> Value {
    let name = random.pick(&["GetSecretValue", "DescribeImages", "GetAuthorizationToken", "DescribeTasks"]);
    let kind = random.pick(&["IAMUser", "AWSService", "AWSService"]);
    let agent = if random.percent(2) { "TruffleHog" } else { "aws-cli/2.17.9" };
    json!({
        "eventVersion": "1.10", "eventID": format!("ct-{number}"), "eventTime": model::Timestamp::from_ms(at_ms).to_string(),
        "eventSource": "secretsmanager.amazonaws.com", "eventName": name, "awsRegion": "eu-north-1",
        "userIdentity": {"type": kind, "userName": "ci-uploader", "arn": "arn:aws:iam::111122223333:user/ci-uploader"},
        "sourceIPAddress": "198.51.100.40", "userAgent": agent, "recipientAccountId": "111122223333",
        "requestParameters": {"secretId": format!("prod/key-{}", random.below(8))},
    })
}

fn deployer(random: &mut Random, number: usize, at_ms: i64) -> Value {
    json!({
        "ts": model::Timestamp::from_ms(at_ms).to_string(), "uid": format!("d-{number}"),
        "kind": random.pick(&["deploy", "plan", "plan"]), "window": random.pick(&["open", "closed", "open"]),
        "service": random.pick(&["checkout", "docs"]), "user": format!("u{}", random.below(5)),
        "result": if random.percent(3) { "failed" } else { "ok" },
    })
}

/// A configuration of sources (name, topics, what else) on a broker. `more`: further top-level YAML.
pub(crate) fn config(bootstrap: &str, group: &str, sources: &[(&str, &str, &str)], more: &str) -> String {
    let sources: String = sources
        .iter()
        .map(|(name, topics, what)| format!("  {name}: {{topics: [{topics}], lateness: 60s, {what}}}\n"))
        .collect();
    format!(
        "kafka:\n  bootstrap: {bootstrap}\n  group: {group}\n  start: earliest\n  properties:\n    \
         reconnect.backoff.max.ms: 200\n    heartbeat.interval.ms: 300\n    session.timeout.ms: 6000\n\
         sources:\n{sources}rules: {{paths: [rules.yml]}}\nhttp: HTTP\n{more}"
    )
}

/// Appends lines to a partition.
pub(crate) fn produce(broker: &Broker, topic: &str, partition: i32, lines: &[String]) {
    let records: Vec<(Option<&[u8]>, &[u8])> = lines.iter().map(|line| (None, line.as_bytes())).collect();
    broker.produce(topic, partition, &records).expect("produced");
}

/// The values of a topic as lines; every key must be the fingerprint of its record.
pub(crate) fn alerts(broker: &Broker, topic: &str) -> Vec<String> {
    let text = |(key, value, ..): Stored| {
        let line = String::from_utf8(value.expect("no tombstone")).expect("text");
        let record: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(key.as_deref(), record["fingerprint"].as_str().map(str::as_bytes), "{line}");
        line
    };
    broker.read_all(topic).expect("read").into_iter().map(text).collect()
}

/// Rule and fingerprint of every alert that lines tell of.
pub(crate) fn told(lines: &[String]) -> std::collections::BTreeSet<(String, String)> {
    let record = |line: &String| -> Value { serde_json::from_str(line).expect("JSON") };
    let names = |record: Value| {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        (text(&record["rule"]["id"]), text(&record["fingerprint"]))
    };
    lines.iter().map(|line| names(record(line))).collect()
}

/// Lines in an order that does not depend on when they were told.
pub(crate) fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}
