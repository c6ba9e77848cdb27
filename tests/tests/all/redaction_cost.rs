//! What redaction costs: on an alert's texts, and on text made to be slow.

use std::time::Instant;

#[test]
fn hostile_text_costs_no_more_than_its_length() {
    let mib = 1 << 20;
    let pieces = [
        "a",
        "ghp_",
        "token=",
        "eyJ",
        "eyJaaaaaaaa.",
        "password: ",
        "\\",
        "\\u0061",
        "%41",
        "-----BEGIN PRIVATE KEY-----",
        "://a",
        "://a:aaa",
        "Bearer ",
        "M",
        "aA1.",
        "A/",
        "sig=",
        "secret\":\"a1B2",
        "PuTTY-User-Key-File-2",
        "\\\"token\\\":",
        "\u{fffd}%",
        "access_key=a1B2c3D4e5F6g7H8,",
    ];
    for piece in pieces {
        let text = piece.repeat(mib / piece.len());
        let start = Instant::now();
        let clean = model::redact(&text);
        let took = start.elapsed();
        println!("{piece:?}: {took:?}, {} bytes", clean.len());
        assert!(took.as_millis() < 3_000, "{piece:?}: {took:?}");
        assert!(clean.len() <= text.len() * 3, "{piece:?}: {}", clean.len());
    }
}

#[test]
fn an_alerts_texts_cost_microseconds() {
    let text = r#"{"action":"repo.register_self_hosted_runner","actor":"octocat","repo":"acme/app","user_agent":"Mozilla/5.0 (X11)",
        "hashed_token":"0N9sFm4qDCH3XvUEjkPX8bW6w0mRzR4hD5b1lM3sJ7k=","sha":"0a1b0a1b0a1b0a1b0a1b0a1b0a1b0a1b0a1b0a1b",
        "url":"https://github.com/acme/app/actions/runs/25613093674","token_id":7,"created_at":1791187200000}"#;
    assert_eq!(model::redact(text), text);
    let start = Instant::now();
    for _ in 0..2_000 {
        std::hint::black_box(model::redact(std::hint::black_box(text)));
    }
    println!("{} bytes: {:?} each", text.len(), start.elapsed() / 2_000);
}
