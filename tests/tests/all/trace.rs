//! `pipewarden trace` and `pipewarden affected`: what two game days ask of lineage, and what is said where a key is wrong.
//!
//! `UPDATE_EXPECT=1` rewrites what is expected, review reads the difference.

use harness::cli::{self, Ran};
use serde_json::Value;

const RELEASE: &str = "sha256:e9fa032460f14b999f41bf34bfb555011d4f08944c9d601afb0a05df156ce893";

fn day(name: &str) -> String {
    cli::workspace().join("replay-data").join(name).display().to_string()
}

fn ask(words: &[&str]) -> Ran {
    cli::run(words, b"")
}

/// Holds what was printed against its file, or rewrites it.
#[track_caller]
fn expect(file: &str, ran: &Ran) {
    ran.expect_code(0);
    assert_eq!(ran.stderr, "", "nothing to complain of");
    let path = cli::workspace().join("tests/fixtures/trace").join(file);
    if cli::updates_expected() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, &ran.stdout).expect("written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(ran.stdout == expected, "{file}: found\n{}\nexpected\n{expected}", ran.stdout);
}

fn texts<'v>(values: &'v Value, field: &str) -> Vec<&'v str> {
    values.as_array().expect("an array").iter().filter_map(|value| value[field].as_str()).collect()
}

/// Everything about the release is signed; its chain shows the cache entry that a fork left behind, and the fork's run.
#[test]
fn the_tampered_release_is_traced_to_the_forks_run() {
    let day = day("gd-b3/attack");
    expect("gd-b3-release.txt", &ask(&["trace", RELEASE, &day]));
    let too_short = ask(&["trace", "e9fa03", &day]);
    assert!(too_short.expect_code(1).stderr.contains("e9fa03: is in none of the"), "{too_short:?}");
    let told = ask(&["trace", "--json", "e9fa032", &day]).expect_code(0).json();
    assert_eq!(told["key"]["id"], RELEASE);
    assert_eq!(told["missing"], serde_json::json!([]));
    let runs = told["chain"].as_array().expect("rows").iter().filter(|row| row["stage"] == "run");
    let runs: Vec<(&str, u64)> = runs.map(|row| (row["id"].as_str().unwrap(), row["hops"].as_u64().unwrap())).collect();
    assert_eq!(runs, [("888100", 1), ("888001", 3)]);
    // The other way round: what the fork's run has reached.
    let told = ask(&["affected", "--json", "--kind", "run", "888001", &day]).expect_code(0).json();
    assert!(texts(&told["artifacts"], "digest").contains(&RELEASE), "{told}");
    assert!(told["artifacts"].to_string().contains("prod/ledger"), "{told}");
}

/// Seven artifacts have the library, five of them went to production, and two services might have it for all one knows.
#[test]
fn the_library_that_turned_is_found_wherever_it_went() {
    let day = day("gd-a3/attack");
    expect("gd-a3-libfoo.txt", &ask(&["affected", "pkg:npm/libfoo@4.2.7", &day]));
    let when = ["--json", "--until", "2026-09-21T12:00:30Z"];
    let told = ask(&[&["affected", "pkg:npm/libfoo@4.2.7", &day], &when[..]].concat()).expect_code(0).json();
    let artifacts = told["artifacts"].as_array().expect("artifacts");
    let deployed: Vec<&Value> = artifacts.iter().filter(|of| of["services"] != serde_json::json!([])).collect();
    assert_eq!((artifacts.len(), deployed.len()), (7, 5));
    assert!(deployed.iter().all(|of| of["services"][0]["current"] == true), "{told}");
    assert_eq!(texts(&told["services_without_sbom"], "id"), ["prod/invoices", "prod/reports"]);
    assert_eq!(told["runs"].as_array().map(Vec::len), Some(7));
    // The scenario's file says the same, and so do the bare files, whose formats their content tells.
    let scenario = format!("{day}/scenario.yaml");
    let events = format!("{day}/events");
    for inputs in [vec!["--scenario", &scenario], vec![&events]] {
        let again =
            ask(&[&["affected", "pkg:npm/libfoo@4.2.7"], &inputs[..], &when[..]].concat()).expect_code(0).json();
        assert_eq!(again["artifacts"], told["artifacts"], "{inputs:?}");
    }
    // No version: every version that there is is a candidate.
    let ran = ask(&["affected", "pkg:npm/libfoo", &day]);
    ran.expect_code(1);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("pkg:npm/libfoo@4.2.6") && ran.stderr.contains("pkg:npm/libfoo@4.2.7"), "{ran:?}");
}

fn run(id: &str, token: &str, run: &str, job: &str) -> String {
    format!(
        "{{\"event\":{{\"id\":\"{id}\",\"class\":\"ci.job\",\"action\":\"started\",\"outcome\":\"success\",\
         \"time\":\"2026-10-05T08:00:00Z\"}},\"prov\":{{\"repo\":\"github.com/acme/shop\",\"run_id\":\"{run}\",\
         \"job_id\":\"{job}\",\"token_id\":\"{token}\"}}}}\n"
    )
}

#[test]
fn a_key_that_means_nothing_or_two_things_is_refused_with_candidates() {
    let records = run("e1", "t-1", "4711", "4711") + &run("e2", "t-2", "4712", "9");
    let ask = |words: &[&str]| cli::run([words, &["--format", "normal", "-"]].concat(), records.as_bytes());
    let both = ask(&["trace", "4711"]);
    both.expect_code(1);
    assert!(both.stderr.contains("  run          4711") && both.stderr.contains("  job          4711"), "{both:?}");
    assert!(both.stderr.contains("--kind"), "{both:?}");
    let one = ask(&["trace", "--kind", "job", "4711"]);
    assert!(one.expect_code(0).stdout.starts_with("job 4711\n"), "{one:?}");
    let missing = ["commit", "build", "sbom", "signature", "registry", "deployment", "runtime"].join(", ");
    assert!(one.stdout.ends_with(&format!("missing: {missing}\n")), "{one:?}");
    let none = ask(&["trace", "4713"]);
    none.expect_code(1);
    assert!(none.stderr.contains("in none of the 2 events") && none.stderr.contains("4712"), "{none:?}");
    ask(&["trace", "--kind", "thing", "4711"]).expect_code(1);
    let nothing = cli::run(["trace", "4711", "/no/such/file"], b"");
    assert!(nothing.expect_code(1).stderr.contains("nothing to read"), "{nothing:?}");
    let partly = cli::run(["trace", "4712", "--format", "normal", "-", "/no/such/file"], records.as_bytes());
    assert!(partly.expect_code(3).stdout.starts_with("run 4712\n"), "{partly:?}");
}

#[test]
fn a_token_that_is_a_secret_is_printed_as_its_hmac_and_found_by_it() {
    let token = format!("ghp_{}", "a1B2".repeat(9));
    let records = run("e1", &token, "4711", "1");
    let ask = |words: &[&str]| cli::run([words, &["--format", "normal", "-"]].concat(), records.as_bytes());
    for more in [&[][..], &["--json"]] {
        for told in [ask(&[&["trace", "4711"], more].concat()), ask(&[&["affected", token.as_str()], more].concat())] {
            told.expect_code(0);
            assert!(told.stdout.contains("hmac-sha256:") && !told.stdout.contains(&token), "{told:?}");
        }
    }
    let told = ask(&["affected", "--json", &token]).json();
    let named = told["key"]["id"].as_str().expect("a name").to_owned();
    assert_eq!(ask(&["affected", "--json", &named]).json(), told);
    let unknown = format!("ghp_{}", "z9Y8".repeat(9));
    let told = ask(&["trace", &unknown]);
    told.expect_code(1);
    assert!(!told.stderr.contains(&unknown) && !told.stderr.contains(&token), "{told:?}");
}
