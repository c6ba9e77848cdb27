//! What `pipewarden formats` lists, explains and tries, as a user runs it.
//!
//! Records are written here; secrets in them are built at run time.

use harness::{cli, stored};
use ingest::format::FORMATS;
use serde_json::{Value, json};

use crate::replay::Desk;

fn formats(words: &[&str], stdin: &[u8]) -> cli::Ran {
    cli::run(["formats"].iter().chain(words), stdin)
}

/// The parts that `try --json` told of.
fn parts(ran: &cli::Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// A read of a secret, as CloudTrail tells it.
fn secret_read(id: &str, agent: &str) -> Value {
    json!({
        "eventVersion": "1.10", "eventTime": "2026-09-01T10:00:00Z", "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue", "awsRegion": "eu-north-1", "sourceIPAddress": "198.51.100.7", "eventID": id,
        "userAgent": agent, "recipientAccountId": "111122223333", "requestParameters": {"secretId": "pay/stripe"},
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ci", "accessKeyId": "AKIAEXAMPLE",
            "userName": "ci", "accountId": "111122223333"},
    })
}

#[test]
fn the_list_is_the_table_in_its_order() {
    let listed = formats(&["list", "--json"], b"");
    let rows = listed.expect_code(0).json();
    let rows = rows.as_array().expect("an array");
    let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, FORMATS.iter().map(|format| format.name).collect::<Vec<_>>());
    let audit = &rows[0];
    assert_eq!((audit["product"].as_str(), audit["service"].as_str()), (Some("github"), Some("audit")));
    assert_eq!(audit["trust"], "control_plane");
    assert!(audit["marks"].as_array().is_some_and(|marks| !marks.is_empty()));

    let table = formats(&["list"], b"").expect_code(0).stdout.clone();
    assert_eq!(table.lines().count(), FORMATS.len() + 1, "a row is a line where nobody watches");
    assert!(!table.contains('\u{1b}'), "no colours where nobody watches");
    let json = table.lines().find(|line| line.trim_start().starts_with("json ")).expect("the row of json");
    assert!(json.contains("its name only"), "{json}");
}

#[test]
fn every_format_is_explained_row_by_row() {
    for format in FORMATS {
        let told = formats(&["explain", format.name], b"").expect_code(0).stdout.clone();
        assert!(told.contains(format.title) && told.contains(&format!("docs/sources/{}.md", format.name)), "{told}");
        let whole = formats(&["explain", "--json", format.name], b"").json();
        let rows = format.mapping.map_or(&[][..], |mapping| mapping.rows);
        let fields = whole["fields"].as_array().map_or(&[][..], |fields| fields);
        assert_eq!(fields.len(), rows.len(), "{}", format.name);
        for (field, row) in fields.iter().zip(rows) {
            assert_eq!((&field["field"], &field["paths"]), (&json!(row.field), &json!(row.paths)));
            assert!(told.contains(row.field) && row.paths.iter().all(|path| told.contains(path)), "{}", row.field);
        }
        assert_eq!(whole["containers"].as_array().map(Vec::len), Some(format.containers.len()));
    }
    let unknown = formats(&["explain", "jenkins"], b"");
    unknown.expect_code(1);
    assert!(unknown.stderr.contains("jenkins-cloudevents") && unknown.stderr.contains("hint"), "{}", unknown.stderr);
}

#[test]
fn a_trial_says_what_became_of_each_record_and_where_each_field_stood() {
    let token = format!("ghp_{}", "a1B2c3".repeat(6));
    let file = json!({"Records": [secret_read("e1", &format!("aws-cli {token}")), secret_read("e2", "aws-cli")]});
    let lines = format!("{file}\n{{\"eventVersion\":\n{{\"action\":\"x\",\"k\":1}}\n");
    let ran = formats(&["try", "--json", "-"], lines.as_bytes());
    let parts = parts(ran.expect_code(3));
    let outcomes: Vec<_> = parts.iter().filter_map(|part| part["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["event", "event", "invalid", "invalid"]);

    let first = &parts[0];
    assert_eq!((&first["record"], &first["part"], &first["format"]), (&json!(1), &json!(1), &json!("cloudtrail")));
    assert_eq!(first["taken_apart"], json!([{"format": "cloudtrail", "path": "Records", "records": 2}]));
    let event = &first["event"];
    let what = ["class", "action", "outcome", "id", "time"].map(|key| event[key].as_str().unwrap_or_default());
    assert_eq!(what[0], "secret.access");
    assert_eq!(what[2..], ["success", "e1", "2026-09-01T10:00:00.000Z"]);
    let field = |name: &str| (first["fields"][name]["value"].clone(), first["fields"][name]["from"].clone());
    assert_eq!(field("src.ip"), (json!("198.51.100.7"), json!(["sourceIPAddress"])));
    assert_eq!(field("event.id"), (json!("e1"), json!(["eventID"])));
    assert_eq!(field("event.time").1, json!(["eventTime"]));
    assert_eq!(field("prov.token_id"), (json!("AKIAEXAMPLE"), json!(["userIdentity.accessKeyId"])));
    assert_eq!(field("prov.actor_id").1, json!(["userIdentity.arn"]));
    assert_eq!(field("ua"), (json!("aws-cli [redacted:github_token]"), json!(["userAgent"])));

    assert_eq!(parts[2]["reason"], "not_json");
    assert_eq!(parts[3]["reason"], "unknown_format");
    let near = &parts[3]["nearest"][0];
    assert!(near["missing"].as_array().is_some_and(|missing| !missing.is_empty()), "{near}");

    let words = formats(&["try", "-"], lines.as_bytes());
    words.expect_code(3);
    for part in [
        "cloudtrail `Records` (2 records)",
        "1.2  event  cloudtrail: secret.access",
        "sourceIPAddress",
        "2  invalid(not_json)",
        "3  invalid(unknown_format)",
        " lacks ",
        "[redacted:github_token]",
    ] {
        assert!(words.stdout.contains(part), "{part}: {}", words.stdout);
    }
    assert!(!words.stdout.contains(&token) && !ran.stdout.contains(&token), "a secret left");
}

#[test]
fn a_trial_reads_what_a_replay_reads() {
    let desk = Desk::new();
    let records = [secret_read("e1", "a"), secret_read("e2", "b")];
    let lines = format!("{}\n{}\n", records[0], records[1]);
    let array = json!(records).to_string();
    let pretty = serde_json::to_string_pretty(&records[0]).expect("JSON");
    desk.put("a.jsonl", &lines);
    desk.put("a.jsonl.gz", stored::gzip(lines.as_bytes()));
    desk.put("a.json.zst", stored::zstd(array.as_bytes()));
    desk.put("a.json", &array);
    desk.put("pretty.json", &pretty);
    for (name, count) in [("a.jsonl", 2), ("a.jsonl.gz", 2), ("a.json.zst", 2), ("a.json", 2), ("pretty.json", 1)] {
        let ran = formats(&["try", "--json", &desk.path(name).display().to_string()], b"");
        let ids: Vec<_> = parts(ran.expect_code(0)).iter().map(|part| part["event"]["id"].clone()).collect();
        assert_eq!(ids, ["e1", "e2"][..count], "{name}");
    }
    let cut = stored::gzip(lines.as_bytes());
    desk.put("cut.jsonl.gz", &cut[..cut.len() / 2]);
    formats(&["try", &desk.path("cut.jsonl.gz").display().to_string()], b"").expect_code(3);
    for (name, hint) in [("", "folder"), ("none.json", "cannot be read")] {
        let ran = formats(&["try", &desk.path(name).display().to_string()], b"");
        assert!(ran.expect_code(1).stderr.contains(hint), "{}", ran.stderr);
    }
    assert!(formats(&["try", "-"], b"").expect_code(1).stderr.contains("holds no record"));
    assert!(formats(&["try", "--format", "trail", "-"], b"{}").expect_code(1).stderr.contains("cloudtrail"));
}

#[test]
fn a_trial_judges_records_as_a_run_does() {
    let events = cli::workspace().join("replay-data/hijacked-runner/events");
    for name in ["github-audit.jsonl", "cloudtrail.jsonl"] {
        let file = events.join(name).display().to_string();
        let tried = parts(&formats(&["try", "--json", &file], b""));
        let count = |outcome: &str| tried.iter().filter(|part| part["outcome"] == outcome).count();
        let ran = cli::run(["replay", "--json", &file], b"");
        let records = ran.expect_code(0).json()["records"].clone();
        let told = ["decoded", "filtered", "invalid"].map(|key| records[key].as_u64().expect("a count") as usize);
        assert_eq!([count("event"), count("filtered"), count("invalid")], told, "{name}");
        assert!(told[0] > 10, "{told:?}");
    }
}

#[test]
fn a_record_that_a_format_refuses_says_why() {
    let untimed = r#"{"event":{"class":"ci.job","action":"started","id":"x"}}"#;
    let classless = r#"{"event":{"class":"ci.jobs","time":"2026-09-01T10:00:00Z"}}"#;
    let ran = formats(&["try", "--json", "--format", "normal", "-"], format!("{untimed}\n{classless}\n").as_bytes());
    let parts = parts(ran.expect_code(3));
    assert_eq!((&parts[0]["reason"], &parts[1]["reason"]), (&json!("no_time"), &json!("wrong_shape")));
    assert!(parts[0]["hint"].as_str().is_some_and(|hint| hint.contains("event.time")), "{}", parts[0]);
    assert!(parts[1]["hint"].as_str().is_some_and(|hint| hint.contains("no class of the model")), "{}", parts[1]);
}
