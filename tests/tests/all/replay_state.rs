//! History in pieces: what `--state-out` wrote, `--state-in` goes on from; and what does not fit is refused with its path and a
//! hint, before anything is written.

use std::fs;

use crate::replay::{Desk, RULE};

fn event(id: u32, minute: u32) -> String {
    format!("{{\"k\":\"a\",\"u\":\"x\",\"t\":\"2026-10-05T08:{minute:02}:00Z\",\"id\":\"e{id}\"}}\n")
}

/// A desk with two pieces of a history, the first one read.
fn after_the_first_piece() -> Desk {
    let desk = Desk::new();
    desk.put("in.jsonl", event(1, 0) + &event(2, 10));
    json(&desk, "--alerts @first.jsonl --state-out @s.state --rules @rule.yml").expect_code(0);
    desk.put("in.jsonl", event(2, 10) + &event(3, 20));
    desk
}

fn json(desk: &Desk, words: &str) -> harness::cli::Ran {
    desk.replay(&format!("--format json --time-field t --id-field id --json {words} @in.jsonl"), b"")
}

#[test]
fn the_next_piece_goes_on_where_the_one_before_stopped() {
    let desk = after_the_first_piece();
    assert_eq!(desk.lines("first.jsonl").len(), 1, "the end of a piece is not the end of time: nothing has expired");
    let ran = json(&desk, "--alerts @second.jsonl --state-in @s.state --rules @rule.yml");
    assert_eq!(ran.expect_code(0).json()["events"]["duplicate"], 1, "{ran:?}");
    let second = desk.lines("second.jsonl");
    assert_eq!(second.len(), 1, "{second:?}");
    assert_eq!((&second[0]["state"], &second[0]["count"]), (&"expired".into(), &3.into()), "of both pieces");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(desk.path("s.state")).expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "it holds what events said: nobody else reads it");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_path_and_a_hint() {
    let desk = after_the_first_piece();
    desk.put("other.yml", RULE.replace("k: a", "k: b"));
    desk.put("more.yml", RULE.replace("00000000000a", "00000000000b"));
    let good = fs::read(desk.path("s.state")).expect("a state");
    let mut altered = good.clone();
    *altered.last_mut().expect("bytes") ^= 1;
    desk.put("altered.state", &altered);
    desk.put("cut.state", &good[..good.len() / 2]);
    desk.put("none.state", event(1, 0));
    let place = |name: &str| desk.path(name).display().to_string();
    for (words, path, says) in [
        ("--state-in @s.state --rules @other.yml", "s.state", "is not among those that ran then (hint: the same rules"),
        ("--state-in @s.state --rules @rule.yml --rules @more.yml", "s.state", "00000000000b is not among those"),
        ("--state-in @s.state --rules @more.yml", "s.state", "(hint: the same rules, or start from the first piece)"),
        (
            "--state-in @s.state --rules @rule.yml --source audit",
            "s.state",
            "the source was replay, and now it is audit (hint: --source replay)",
        ),
        ("--state-in @altered.state --rules @rule.yml", "altered.state", "cut or altered"),
        ("--state-in @cut.state --rules @rule.yml", "cut.state", "(hint: write it anew with --state-out)"),
        ("--state-in @none.state --rules @rule.yml", "none.state", "not a state file"),
        ("--state-in @gone.state --rules @rule.yml", "gone.state", "there is no such file (hint: the piece before"),
        ("--state-out @in.jsonl --rules @rule.yml", "in.jsonl", "is an input (hint: "),
        (
            "--state-out @no/such/s.state --rules @rule.yml",
            "no/such/s.state",
            "(hint: name a file in a folder that is there",
        ),
    ] {
        desk.put("alerts.jsonl", "of yesterday");
        let ran = json(&desk, &format!("--alerts @alerts.jsonl {words}"));
        ran.expect_code(1);
        let said = ran.stderr.contains(says) && ran.stderr.contains(&place(path)) && ran.stderr.contains("hint: ");
        assert!(said && ran.stdout.is_empty(), "{words}: {ran:?}");
        assert_eq!(desk.read("alerts.jsonl"), "of yesterday", "{words}: nothing was written");
    }
    assert_eq!(fs::read(desk.path("s.state")).expect("a state"), good, "the state is untouched");
}
