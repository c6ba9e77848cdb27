//! No known secret shape leaves, by whichever way it came in and goes out.
//!
//! Every output of `replay`, in every mode, is searched; the formats stand in `redaction_formats.rs`.

use std::fmt::Write as _;

use crate::replay::Desk;
use crate::secrets::{escaped, secrets};

const EVERYTHING: &str = "title: Anything\nid: 6a0f0000-0000-4000-8000-0000000000%N%\nlogsource: {%LOG%}\ndetection:\n  s: {%FIELD%: '*'}\n  \
    condition: s\nlevel: medium\nx-alert: {route: [{when: {%FIELD%|contains: 'e'}, route: page}, {route: ticket}], fingerprint: [%KEY%]}\n---\n";

fn rules(fields: &[(&str, &str, &str)]) -> String {
    let rule = |(n, (log, field, key)): (usize, &(&str, &str, &str))| {
        let number = format!("{n:02}");
        EVERYTHING.replace("%N%", &number).replace("%LOG%", log).replace("%FIELD%", field).replace("%KEY%", key)
    };
    fields.iter().enumerate().map(rule).collect()
}

/// Runs the records in every mode and searches all that leaves. `alerts`, `dead`: at least so many are expected.
fn nothing_leaks(desk: &Desk, flags: &str, records: &str, alerts: usize, dead: usize) {
    desk.put("in.jsonl", records);
    let mut leaks = String::new();
    for (mode, folded) in [("", true), ("--every-match", false), ("--until 2026-10-05T07:00:00Z", false)] {
        let files = "--alerts @alerts.jsonl --provisional @provisional.jsonl --dead-letters @dead.jsonl";
        let json = desk.replay(&format!("{flags} --rules @rules.yml --log debug --json {files} {mode} @in.jsonl"), b"");
        json.expect_code(0);
        assert!(desk.lines("alerts.jsonl").len() >= alerts, "{mode}: {}", desk.lines("alerts.jsonl").len());
        assert!(desk.lines("dead.jsonl").len() >= dead, "{mode}: {}", desk.lines("dead.jsonl").len());
        assert_eq!(desk.lines("provisional.jsonl").is_empty(), !folded, "{mode}");
        let human = desk.replay(&format!("{flags} --rules @rules.yml {mode} @in.jsonl"), b"");
        let outputs = [
            ("alerts", desk.read("alerts.jsonl")),
            ("provisional", desk.read("provisional.jsonl")),
            ("dead letters", desk.read("dead.jsonl")),
            ("standard output", json.stdout + &human.stdout),
            ("standard error", json.stderr + &human.stderr),
        ];
        for secret in secrets() {
            for (name, output) in &outputs {
                // A part that was cut off is a leak, too.
                let part = &secret.core[..secret.core.len().min(16)];
                if let Some(line) = output.lines().find(|line| line.contains(part)) {
                    let at = line.find(part).unwrap_or(0);
                    let before = line.get(at.saturating_sub(80)..at).unwrap_or(line);
                    writeln!(leaks, "{name} {mode}: {:.12}… behind {before:?}", secret.text).expect("memory");
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{leaks}");
}

/// Records of a template with `%S%` where a secret stands, each also with text around it that is cut, and each once broken.
fn records(templates: &[&str]) -> String {
    let mut lines = String::new();
    for secret in secrets() {
        for template in templates {
            for slashes in [false, true] {
                let text = escaped(&secret.text, slashes);
                let long = format!("{} {text}", "word ".repeat(49));
                for text in [&text, &long, &format!("note {text} end")] {
                    let line = template.replace("%S%", text);
                    writeln!(lines, "{line}\n{}", &line[..line.len() - 1]).expect("memory");
                }
            }
        }
    }
    lines
}

#[test]
fn raw_json_keeps_secrets_in() {
    let desk = Desk::new();
    desk.put(
        "rules.yml",
        rules(&[("category: test", "k", "k"), ("category: test", "deep.k", "u"), ("category: test", "u", "nothing")]),
    );
    let templates = [
        r#"{"t":"2026-10-05T08:00:00Z","id":"e1","k":"%S%","u":"x"}"#,
        r#"{"t":"2026-10-05T08:00:00Z","id":"%S%","k":"v","u":"%S%"}"#,
        r#"{"t":"2026-10-05T08:00:00Z","deep":{"k":["%S%","b"]},"u":"y"}"#,
        r#"{"t":"2026-10-05T08:00:00Z","not asked for":"%S%","k":"w"}"#,
        r#"{"t":"%S%","k":"%S%"}"#,
    ];
    nothing_leaks(&desk, "--format json --time-field t --id-field id", &records(&templates), 100, 500);
}

#[test]
fn normal_form_keeps_secrets_in() {
    let desk = Desk::new();
    let log = "product: pipewarden, category: ci.job";
    desk.put(
        "rules.yml",
        rules(&[(log, "prov.actor", "prov.actor"), (log, "job_name", "prov.ref"), (log, "event.id", "event.id")]),
    );
    let event = r#"{"event":{"id":"%S%","class":"ci.job","action":"started","time":"2026-10-05T08:00:00Z"}"#;
    let templates = [
        format!(
            r#"{event},"prov":{{"actor":"%S%","repo":"%S%","ref":"%S%","actor_id":"%S%"}},"job_name":"%S%","object":"%S%","ua":"%S%"}}"#
        ),
        event.replace("ci.job", "%S%") + "}",
        event.replace("2026-10-05T08:00:00Z", "%S%") + "}",
    ];
    nothing_leaks(&desk, "--format normal", &records(&templates.each_ref().map(String::as_str)), 100, 300);
}

#[test]
fn github_audit_keeps_secrets_in() {
    let desk = Desk::new();
    let raw = "product: github, service: audit";
    let class = "product: pipewarden, category: ci.runner";
    desk.put(
        "rules.yml",
        rules(&[(raw, "actor", "actor"), (class, "prov.runner_name", "prov.runner_name"), (class, "prov.repo", "ua")]),
    );
    let event = r#"{"@timestamp":1791187200000,"_document_id":"%S%","action":"repo.register_self_hosted_runner","actor":"%S%","actor_id":7,"repo":"%S%","runner_name":"%S%","user_agent":"%S%","org":"%S%"}"#;
    let templates = [event.to_owned(), event.replace("1791187200000", "\"%S%\"")];
    nothing_leaks(&desk, "--format github-audit", &records(&templates.each_ref().map(String::as_str)), 100, 300);
}

#[test]
fn cloudtrail_keeps_secrets_in_even_where_only_the_field_names_them() {
    let desk = Desk::new();
    let raw = "product: aws, service: cloudtrail";
    let class = "product: pipewarden";
    desk.put(
        "rules.yml",
        rules(&[
            (raw, "userAgent", "requestParameters.x"),
            (class, "event.action", "prov.actor_id"),
            (raw, "responseElements.accessKey.secretAccessKey", "responseElements.accessKey.secretAccessKey"),
        ]),
    );
    let event = r#"{"eventVersion":"1.08","eventTime":"2026-10-05T08:00:00Z","eventSource":"iam.amazonaws.com","eventName":"CreateAccessKey","awsRegion":"eu-north-1","eventID":"%S%","userAgent":"%S%","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::1:user/%S%","userName":"%S%"},"requestParameters":{"x":"%S%"},"responseElements":{"accessKey":{"accessKeyId":"AKIA0","secretAccessKey":"SECRET"}}}"#;
    // Of this shape the name is the field's.
    let named = secrets().into_iter().find(|secret| secret.text.starts_with("aws_")).expect("the shape").core;
    let event = event.replace("SECRET", &named);
    let templates = [event.clone(), format!("{{\"Records\":[{event}]}}"), event.replace("2026-10-05T08:00:00Z", "%S%")];
    nothing_leaks(&desk, "--format cloudtrail", &records(&templates.each_ref().map(String::as_str)), 100, 300);
}

#[test]
fn records_without_a_time_keep_secrets_in() {
    let desk = Desk::new();
    desk.put("rules.yml", rules(&[("category: test", "k", "k")]));
    let lines = records(&[r#"{"k":"%S%"}"#]);
    let ran = desk.replay(
        "--format json --rules @rules.yml --log debug --alerts - --dead-letters @dead.jsonl -",
        lines.as_bytes(),
    );
    ran.expect_code(0);
    assert!(ran.stdout.lines().count() > 100);
    for secret in secrets() {
        let part = &secret.core[..16];
        assert!(
            ![&ran.stdout, &ran.stderr, &desk.read("dead.jsonl")].iter().any(|out| out.contains(part)),
            "{:.12}",
            secret.text
        );
    }
}
