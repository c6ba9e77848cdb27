//! TLS against a real broker: whom the worker trusts, who it says it is, and what it says where the two do not agree.

use std::fs;
use std::sync::OnceLock;

use harness::broker::{Broker, Options};
use harness::certificates::PASSWORD;
use harness::worker::Place;

use crate::run_events::{DEPLOYER, RULES, alerts, config, produce, told};

const USER: &str = "ci";
const WORD: &str = "right-horse";

/// One broker for these tests; it ends with the process.
fn guarded() -> Option<&'static Broker> {
    static BROKER: OnceLock<Option<Broker>> = OnceLock::new();
    let options = Options { sasl: Some((USER.into(), WORD.into())), tls: true, ..Options::default() };
    BROKER.get_or_init(|| Broker::start(&options).ok()).as_ref()
}

/// A worker's folder: reads `topic` and writes `TOPIC-alerts`, with these properties and secrets.
fn place(bootstrap: &str, topic: &str, properties: &[(&str, &str)], secrets: &[(&str, &str)]) -> Place {
    let sources = [("deployer", topic, DEPLOYER.source)];
    let config = config(bootstrap, topic, &sources, &format!("alerts: {{topic: {topic}-alerts}}\n"));
    let properties: String = properties.iter().map(|(name, value)| format!("    {name}: {value}\n")).collect();
    let named: String = secrets.iter().map(|(name, _)| format!("    {name}: {{file: {name}}}\n")).collect();
    let place = Place::new(
        &config.replace("  properties:\n", &format!("  secrets:\n{named}  properties:\n{properties}")),
        RULES,
    );
    for (name, value) in secrets {
        fs::write(place.path(name), format!("{value}\n")).expect("written");
    }
    place
}

/// A worker that speaks TLS to `bootstrap` reads and tells as a replay of the same records does.
fn works(broker: &Broker, bootstrap: &str, topic: &str, properties: &[(&str, &str)], secret: (&str, &str)) {
    broker.create_topic(topic, 1, &[]).expect("created");
    broker.create_topic(&format!("{topic}-alerts"), 1, &[]).expect("created");
    let arrivals = DEPLOYER.arrivals(70, 1_000, 60, 1);
    produce(broker, topic, 0, &arrivals[0]);
    let place = place(bootstrap, topic, properties, &[secret]);
    place.run_to_the_end();
    let file = place.lines("all.jsonl", &arrivals[0]);
    let expected = place.replay_files(&[DEPLOYER.replay, &["--lateness", "60s"]].concat(), &[file]);
    assert!(expected.len() > 50, "{} records", expected.len());
    assert_eq!(told(&alerts(broker, &format!("{topic}-alerts"))), told(&expected));
}

#[test]
fn a_client_certificate_says_who_the_worker_is() {
    let Some(broker) = guarded() else { return };
    let (bootstrap, files) = broker.tls().expect("asked for");
    let properties = [
        ("security.protocol", "SSL"),
        ("ssl.ca.location", files.authority.to_str().expect("text")),
        ("ssl.keystore.location", files.client_store.to_str().expect("text")),
    ];
    works(broker, &bootstrap, "tls-key", &properties, ("ssl.keystore.password", PASSWORD));
}

#[test]
fn a_password_says_who_the_worker_is_by_scram_and_plain() {
    let Some(broker) = guarded() else { return };
    let (bootstrap, (_, files)) = (broker.sasl_bootstrap().expect("asked for"), broker.tls().expect("asked for"));
    for (topic, mechanism) in [("tls-scram", "SCRAM-SHA-512"), ("tls-plain", "PLAIN")] {
        let properties = [
            ("security.protocol", "SASL_SSL"),
            ("ssl.ca.location", files.authority.to_str().expect("text")),
            ("sasl.mechanism", mechanism),
            ("sasl.username", USER),
        ];
        works(broker, &bootstrap, topic, &properties, ("sasl.password", WORD));
    }
}

#[test]
fn what_does_not_fit_ends_the_run_with_a_hint_and_tells_no_secret() {
    let Some(broker) = guarded() else { return };
    let (sasl, (tls, files)) = (broker.sasl_bootstrap().expect("asked for"), broker.tls().expect("asked for"));
    let (authority, wrong) = (files.authority.to_str().expect("text"), files.client.to_str().expect("text"));
    let store = files.client_store.to_str().expect("text");
    let elsewhere = sasl.replace("127.0.0.1", "localhost");
    let ours = |ca| vec![("security.protocol", "SSL"), ("ssl.ca.location", ca)];
    let scram = |ca| {
        let user = [("sasl.mechanism", "SCRAM-SHA-512"), ("sasl.username", USER)];
        [&[("security.protocol", "SASL_SSL"), ("ssl.ca.location", ca)], &user[..]].concat()
    };
    let stored = [ours(authority), vec![("ssl.keystore.location", store)]].concat();
    let (word, other) = (("sasl.password", WORD), "wrong-battery");
    let cases = [
        // An authority that did not sign, a broker of another name.
        (&sasl, scram(wrong), word, ["certificate verify failed", "ssl.ca.location has to name the authority"]),
        (&elsewhere, scram(authority), word, ["certificate verify failed", "`kafka.bootstrap` a name or address"]),
        // A wrong password, no certificate of our own.
        (&sasl, scram(authority), ("sasl.password", other), ["invalid credentials", "the secret for sasl.password"]),
        (&tls, ours(authority), word, ["SSL alert number", "ssl.keystore.location"]),
        // A file that is not there, a store that the password does not open.
        (&sasl, scram("/nowhere/ca.pem"), word, ["ssl.ca.location", "check that /nowhere/ca.pem is there"]),
        (&tls, stored, ("ssl.keystore.password", other), ["ssl.keystore.location", "the secret that opens it"]),
    ];
    for (bootstrap, properties, secret, expected) in cases {
        let place = place(bootstrap, "tls-wrong", &properties, &[secret]);
        let mut worker = place.start(&[]);
        assert_eq!(worker.wait(), 1, "{properties:?}: {}", worker.said());
        let said = worker.said();
        assert!(expected.iter().all(|expected| said.contains(expected)), "{expected:?}: {said}");
        let tells = [WORD, other, PASSWORD, "panicked"].iter().any(|word| said.contains(word));
        assert!(!tells, "{properties:?}: {said}");
    } // A listener without TLS looks like one that is just starting: it is tried again, with a word of what it may be.
    let place = place(&broker.bootstrap(), "tls-plainly", &scram(authority), &[word]);
    let mut worker = place.start(&[]);
    worker.until("an attempt has failed", |worker| worker.said().contains("attempt 1 of 10"));
    let said = worker.said();
    assert!(said.contains("a PLAINTEXT broker listener?") && said.contains("`security.protocol`"), "{said}");
    assert_eq!(worker.stop(), 0);
}
