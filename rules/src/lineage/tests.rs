//! Small worlds: each shows one promise of lineage.

use std::sync::Arc;

use model::{EventClass as C, Row, Timestamp, Verdict};

use super::key::{Kind as K, Part as P};
use super::*;

mod around;
mod ask;

const DAY_S: i64 = 86_400;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_ms(1_790_000_000_000 / 86_400_000 * 86_400_000 + seconds * 1000)
}

fn event(seconds: i64, class: C, keys: &[(P, &str)]) -> Links {
    let id = format!("{}@{seconds}", class.name());
    let seen = Arc::new(Seen { time: at(seconds), id: id.into(), class, who: Some("mira".into()) });
    let keys = keys.iter().map(|(part, text)| (*part, Key::new(part.kind(), text))).collect();
    Links { seen, action: "".into(), succeeded: true, keys }
}

fn lineage(events: &[Links]) -> Lineage {
    with(Limits::default(), events)
}

fn with(limits: Limits, events: &[Links]) -> Lineage {
    let mut lineage = Lineage::new(limits);
    events.iter().for_each(|links| lineage.observe(links));
    lineage
}

fn key(kind: K, text: &str) -> Key {
    Key::new(kind, text)
}

/// A release from the commit to production, `n` telling it from others.
fn release(start: i64, n: &str) -> Vec<Links> {
    let name = |what: &str| format!("{what}{n}");
    let (commit, run, job) = (name("c"), name("r"), name("j"));
    let (digest, token, build) = (name("d"), name("t"), name("b"));
    let (attestation, service) = (name("a"), format!("prod/s{n}"));
    vec![
        event(start, C::ScmPush, &[(P::Commit, &commit)]),
        event(start + 1, C::CiRun, &[(P::Run, &run), (P::Commit, &commit), (P::Workflow, "release.yml")]),
        event(start + 2, C::CiJob, &[(P::Run, &run), (P::Job, &job), (P::Token, &token), (P::Runner, "shared")]),
        event(start + 3, C::BuildFinished, &[(P::Run, &run), (P::Build, &build), (P::Digest, &digest)]),
        event(start + 4, C::SbomGenerated, &[(P::Digest, &digest), (P::Component, "pkg:npm/x@1")]),
        event(start + 5, C::SignAttestation, &[(P::Digest, &digest), (P::Attestation, &attestation)]),
        event(start + 6, C::RegistryPush, &[(P::Digest, &digest), (P::Token, &token), (P::Job, &job)]),
        event(start + 7, C::DeployFinished, &[(P::Digest, &digest), (P::Service, &service)]),
        event(start + 8, C::RuntimeInventory, &[(P::Digest, &digest), (P::Service, &service)]),
    ]
}

fn told(chain: &Chain) -> Vec<(&'static str, &str)> {
    chain.rows.iter().map(|row| (row.stage.name(), &*row.what.text)).collect()
}

fn texts<'k>(keys: impl IntoIterator<Item = &'k Key>) -> Vec<&'k str> {
    keys.into_iter().map(|key| &*key.text).collect()
}

#[test]
fn a_chain_tells_every_stage_from_any_of_its_keys() {
    let lineage = lineage(&release(0, "1"));
    let whole = [
        ("commit", "c1"),
        ("workflow", "release.yml"),
        ("credential", "t1"),
        ("run", "r1"),
        ("runner", "shared"),
        ("build", "d1"),
        ("sbom", "d1"),
        ("signature", "a1"),
        ("registry", "d1"),
        ("deployment", "prod/s1"),
        ("runtime", "prod/s1"),
    ];
    let chain = lineage.chain(&key(K::Digest, "d1"));
    assert_eq!(told(&chain), whole);
    assert_eq!((chain.missing.as_slice(), chain.is_cut), (&[][..], false));
    let build = chain.rows.iter().find(|row| row.stage == Stage::Build).unwrap();
    assert_eq!(build.seen.iter().map(|seen| &*seen.id).collect::<Vec<_>>(), ["build.finished@3"]);
    // Who asks for the commit or the run is told of what came of them, and not of the runner's other work.
    for start in [key(K::Commit, "c1"), key(K::Run, "r1")] {
        let chain = lineage.chain(&start);
        assert!(chain.missing.is_empty(), "{:?}", chain.missing);
        assert!(told(&chain).contains(&("runtime", "prod/s1")) && told(&chain).contains(&("commit", "c1")));
    }
    let named: Vec<_> = lineage.chain(&key(K::Token, "t1")).rows.iter().map(|row| row.stage).collect();
    assert!(named.contains(&Stage::Deployment) && named.contains(&Stage::Registry), "{named:?}");
}

#[test]
fn what_no_event_says_is_missing() {
    for (left_out, stage) in [
        (C::BuildFinished, Stage::Build),
        (C::SbomGenerated, Stage::Sbom),
        (C::SignAttestation, Stage::Signature),
        (C::RegistryPush, Stage::Registry),
        (C::DeployFinished, Stage::Deployment),
        (C::RuntimeInventory, Stage::Runtime),
    ] {
        let mut events = release(0, "1");
        events.retain(|links| links.seen.class != left_out);
        let chain = lineage(&events).chain(&key(K::Digest, "d1"));
        let of = Some(key(K::Digest, "d1"));
        let run = Missing { stage: Stage::Run, of: None };
        let commit = Missing { stage: Stage::Commit, of: None };
        // Without the build nothing names the run of the digest, but the upload names the job.
        assert!(chain.missing.contains(&Missing { stage, of }), "{stage:?}: {:?}", chain.missing);
        assert_eq!(chain.missing.len(), 1, "{:?}", chain.missing);
        assert!(!chain.missing.contains(&run) && !chain.missing.contains(&commit));
    }
    let unknown = lineage(&release(0, "1")[7..]).chain(&key(K::Digest, "d1"));
    let stages: Vec<_> = unknown.missing.iter().map(|missing| missing.stage.name()).collect();
    assert_eq!(stages, ["commit", "run", "build", "sbom", "signature", "registry"]);
}

#[test]
fn what_two_runs_share_does_not_join_them() {
    let mut events = [release(0, "1"), release(100, "2")].concat();
    // A re-run of the same commit on the same runner.
    events.push(event(200, C::CiRun, &[(P::Run, "r3"), (P::Commit, "c1"), (P::Workflow, "release.yml")]));
    events.push(event(201, C::BuildFinished, &[(P::Run, "r3"), (P::Digest, "d3")]));
    let lineage = lineage(&events);
    let chain = lineage.chain(&key(K::Digest, "d1"));
    let others = ["r2", "r3", "d2", "d3", "c2", "prod/s2"];
    assert!(told(&chain).iter().all(|(_, what)| !others.contains(what)), "{:?}", told(&chain));
    // Who asks for the commit means both runs.
    let both = lineage.chain(&key(K::Commit, "c1"));
    assert!(told(&both).contains(&("build", "d3")) && told(&both).contains(&("build", "d1")));
    // A component that a lock file gained is not in everything that was built of later commits.
    let push = event(300, C::ScmPush, &[(P::Commit, "c1"), (P::Component, "pkg:npm/y@1")]);
    let lineage = with(Limits::default(), &[events, vec![push]].concat());
    let reached = lineage.reached(&key(K::Purl, "pkg:npm/y@1"));
    assert_eq!(texts(reached.others.iter().map(|(key, _)| key)), ["c1"]);
    assert!(reached.artifacts.is_empty() && reached.runs.is_empty());
}

#[test]
fn walks_end_after_four_steps() {
    let tokens = ["t0", "t1", "t2", "t3", "t4", "t5"];
    let exchange = |at: usize| {
        let keys = [(P::Token, tokens[at]), (P::Issued, tokens[at + 1])];
        event(at as i64, C::IdentityExchange, &keys)
    };
    let lineage = lineage(&(0..5).map(exchange).collect::<Vec<_>>());
    let reached = lineage.reached(&key(K::Token, "t0"));
    assert_eq!(texts(reached.others.iter().map(|(key, _)| key)), ["t1", "t2", "t3", "t4"]);
    let chain = lineage.chain(&key(K::Token, "t5"));
    assert_eq!(told(&chain).iter().map(|(_, what)| *what).collect::<Vec<_>>(), ["t4", "t3", "t2", "t1"]);
}

#[test]
fn a_hub_is_named_and_not_followed() {
    let limits = Limits { degree_max: 3, ..Limits::default() };
    let pull = |n: i64, day: i64| {
        let run = format!("r{n}");
        event(day * DAY_S + n, C::RegistryPull, &[(P::Digest, "base"), (P::Run, &run)])
    };
    let build = event(0, C::BuildFinished, &[(P::Run, "r"), (P::Digest, "base")]);
    let busy = |day_of: &dyn Fn(i64) -> i64| {
        let mut events: Vec<Links> = (1..=4).map(|n| pull(n, day_of(n))).collect();
        events.push(build.clone());
        with(limits, &events)
    };
    // Four runs and the one that made it, on one day.
    let reached = busy(&|_| 0).reached(&key(K::Run, "r"));
    assert_eq!(reached.hubs, [(key(K::Digest, "base"), 5)]);
    assert_eq!((reached.artifacts.len(), reached.runs.len()), (1, 1));
    // The same on two days is the daily life of an image.
    let lineage = busy(&|n| n % 2);
    let reached = lineage.reached(&key(K::Run, "r"));
    assert_eq!((reached.hubs.len(), reached.runs.len()), (0, 5));
    // Who asks for the hub itself sees what hangs on it.
    assert_eq!(busy(&|_| 0).reached(&key(K::Digest, "base")).runs.len(), 5);
}

#[test]
fn edges_expire_those_of_tokens_first() {
    let token = event(0, C::CiRun, &[(P::Token, "t"), (P::Run, "r")]);
    let digest = event(0, C::BuildFinished, &[(P::Run, "r"), (P::Digest, "d")]);
    let mut lineage = with(Limits::default(), &[token.clone(), digest]);
    let knows = |lineage: &Lineage| [key(K::Token, "t"), key(K::Digest, "d")].map(|key| lineage.knows(&key));
    lineage.advance(at(30 * DAY_S));
    assert_eq!(knows(&lineage), [true, true]);
    lineage.advance(at(30 * DAY_S + 1));
    assert_eq!(knows(&lineage), [false, true]);
    lineage.observe(&token);
    assert_eq!(knows(&lineage), [false, true], "what is over when it comes is not taken in");
    let held = lineage.held();
    lineage.advance(at(400 * DAY_S));
    assert_eq!(knows(&lineage), [false, true]);
    assert!(lineage.held() < held, "what is dead is dropped");
    lineage.advance(at(400 * DAY_S + 1));
    assert_eq!(knows(&lineage), [false, false]);
    lineage.advance(at(402 * DAY_S));
    assert_eq!(lineage.held(), 0);
}

#[test]
fn an_edge_lives_on_while_it_is_seen_and_starts_anew_after_it_was_gone() {
    let use_at = |day: i64| event(day * DAY_S, C::IdentityUse, &[(P::Token, "t"), (P::Run, "r")]);
    let first = |lineage: &Lineage| lineage.halves.of(&key(K::Token, "t")).next().unwrap().1.first.time;
    let mut lineage = Lineage::new(Limits::default());
    for day in [0, 20, 45] {
        lineage.advance(at(day * DAY_S));
        lineage.observe(&use_at(day));
    }
    assert_eq!(first(&lineage), at(0));
    // A late one is taken in where it belongs.
    lineage.observe(&use_at(40));
    assert_eq!(first(&lineage), at(0));
    // Dead since a minute, and not dropped yet: that is done once a day.
    lineage.advance(at(75 * DAY_S));
    lineage.advance(at(75 * DAY_S + 60));
    let again = event(75 * DAY_S + 60, C::IdentityUse, &[(P::Token, "t"), (P::Run, "r")]);
    lineage.observe(&again);
    assert_eq!(first(&lineage), again.seen.time);
}

#[test]
fn at_the_limit_what_was_seen_longest_ago_goes_first() {
    let limits = Limits { edges_max: 640, ..Limits::default() };
    let push = |n: i64| {
        let digest = format!("d{n}");
        event(n, C::RegistryPull, &[(P::Digest, &digest), (P::Run, "r")])
    };
    let events: Vec<Links> = (0..5_000).map(push).collect();
    let lineage = with(limits, &events);
    assert!(lineage.held() <= 1_280 && lineage.held() > 320, "{}", lineage.held());
    assert_eq!(lineage.evicted(), [10_000 - lineage.held() as u64, 0], "each one that went is counted");
    // The run's own shard is full of the run's edges: the newest of them are there.
    let kept: Vec<i64> =
        lineage.halves.of(&key(K::Run, "r")).map(|(_, half)| (half.first.time.ms() - at(0).ms()) / 1000).collect();
    assert!(kept.len() >= 15 && kept.iter().all(|n| *n >= 4_970), "{kept:?}");
    let again = with(limits, &events);
    assert_eq!(again.halves.all(), lineage.halves.all());
}

#[test]
fn the_order_of_events_changes_nothing() {
    let mut events = [release(0, "1"), release(50, "2"), release(DAY_S, "3")].concat();
    events.extend((0..20).map(|n| event(n * 37, C::RuntimeNet, &[(P::Digest, "d1"), (P::Service, "prod/s1")])));
    let expected = lineage(&events);
    let mut state = 7_u64;
    for _ in 0..40 {
        for last in (1..events.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            events.swap(last, (state >> 33) as usize % (last + 1));
        }
        let shuffled = lineage(&[events.clone(), events[..5].to_vec()].concat());
        assert_eq!(shuffled.halves.all(), expected.halves.all());
        assert_eq!(shuffled.chain(&key(K::Run, "r2")), expected.chain(&key(K::Run, "r2")));
    }
}

#[test]
fn a_service_without_a_bill_of_materials_is_unknown_and_never_clean() {
    let mut events = [release(0, "1"), release(100, "2")].concat();
    events.push(event(299, C::RegistryPush, &[(P::Digest, "dx")]));
    events.push(event(300, C::DeployFinished, &[(P::Digest, "dx"), (P::Service, "prod/bare")]));
    let purl = key(K::Purl, "pkg:npm/x@1");
    let reached = lineage(&events).reached(&purl);
    assert_eq!(texts(&reached.unknown), ["prod/bare"]);
    assert_eq!(texts(reached.artifacts.iter().map(|of| &of.digest)), ["d1", "d2"]);
    assert!(reached.artifacts.iter().all(|of| of.has_sbom && of.services.len() == 1 && of.services[0].is_current));
    let runs: Vec<_> = reached.runs.iter().map(|of| (&*of.run.text, of.hops)).collect();
    assert_eq!(runs, [("r1", None), ("r2", None)]);
    // Something without a bill replaces the first: it was there, and nobody knows what is there now.
    events.push(event(400, C::RuntimeInventory, &[(P::Digest, "dy"), (P::Service, "prod/s1")]));
    let reached = lineage(&events).reached(&purl);
    assert_eq!(texts(&reached.unknown), ["prod/bare", "prod/s1"]);
    let current: Vec<bool> = reached.artifacts.iter().map(|of| of.services[0].is_current).collect();
    assert_eq!(current, [false, true]);
}

#[test]
fn a_token_reaches_what_its_jobs_made_and_a_cache_hands_it_on() {
    let mut events = release(100, "2");
    events.extend([
        event(0, C::CiJob, &[(P::Run, "fork"), (P::Job, "fj"), (P::Token, "ft")]),
        Links { action: "saved".into(), ..event(1, C::CiCache, &[(P::Run, "fork"), (P::Cache, "entry")]) },
        Links { action: "restored".into(), ..event(102, C::CiCache, &[(P::Run, "r2"), (P::Cache, "entry")]) },
    ]);
    let lineage = lineage(&events);
    let reached = lineage.reached(&key(K::Run, "fork"));
    let artifacts: Vec<_> = reached.artifacts.iter().map(|of| (&*of.digest.text, of.hops)).collect();
    assert_eq!(artifacts, [("d2", 3)]);
    assert_eq!(&*reached.artifacts[0].services[0].service.text, "prod/s2");
    let chain = lineage.chain(&key(K::Digest, "d2"));
    assert!(told(&chain).contains(&("run", "fork")) && told(&chain).contains(&("input", "entry")));
    let by_token = lineage.reached(&key(K::Token, "t2"));
    assert_eq!(texts(by_token.artifacts.iter().map(|of| &of.digest)), ["d2"]);
}

#[test]
fn what_failed_happened_to_nobody_but_a_refusal_is_told() {
    let failed = |class, keys: &[(P, &str)]| Links { succeeded: false, ..event(0, class, keys) };
    let lineage = lineage(&[
        failed(C::RegistryPush, &[(P::Digest, "d"), (P::Token, "t")]),
        failed(C::DeployFinished, &[(P::Digest, "d"), (P::Service, "prod/s")]),
        failed(C::VerifySignature, &[(P::Digest, "d")]),
    ]);
    assert!(!lineage.knows(&key(K::Token, "t")) && !lineage.knows(&key(K::Service, "prod/s")));
    assert_eq!(told(&lineage.chain(&key(K::Digest, "d"))), [("verification", "d")]);
}

#[test]
fn one_event_cannot_fill_the_table() {
    let purls: Vec<String> = (0..100).map(|n| format!("pkg:npm/p{n}@1")).collect();
    let mut keys: Vec<(P, &str)> = purls.iter().map(|purl| (P::Component, purl.as_str())).collect();
    keys.push((P::Digest, "d"));
    let limits = Limits { edges_of_event_max: 40, ..Limits::default() };
    let lineage = with(limits, &[event(0, C::SbomGenerated, &keys)]);
    // The digest with itself, and forty less that one component.
    assert_eq!((lineage.held(), lineage.cut()), (39 * 2 + 1, 61));
}

#[test]
fn keys_are_read_as_their_fields_say() {
    let reader = LinkReader::default();
    let mut row = Row::default();
    row.reset(reader.fields().len());
    for (field, text) in [
        ("prov.digest", "SHA256:AB"),
        ("prov.service", "ledger"),
        ("prov.env", "prod"),
        ("prov.artifact", "pkg:oci/ledger"),
        ("prov.version", "1.9"),
        ("prov.runner_name", "e-44"),
        ("prov.actor_id", "7"),
        ("components.purl", "pkg:npm/a@1"),
        ("components.purl", "pkg:npm/b@2"),
        ("prov.token_id", ""),
    ] {
        row.push_text(reader.fields().slot(field).expect(field), text);
    }
    let what = (C::DeployFinished, "finished", Verdict::Unknown);
    let links = reader.read(row.view(""), (at(5), "e1"), what, &mut |_, _| None).unwrap();
    let mut keys: Vec<_> = links.keys.iter().map(|(part, key)| (*part, &*key.text)).collect();
    keys.sort();
    let expected = [
        (P::Runner, "e-44"),
        (P::Digest, "sha256:ab"),
        (P::Service, "prod/ledger"),
        (P::Artifact, "pkg:oci/ledger@1.9"),
        (P::Component, "pkg:npm/a@1"),
        (P::Component, "pkg:npm/b@2"),
    ];
    assert_eq!(keys, expected);
    assert_eq!((links.seen.time, &*links.seen.id, links.seen.who.as_deref()), (at(5), "e1", Some("7")));
    assert!(links.succeeded);
    row.reset(reader.fields().len());
    assert!(reader.read(row.view(""), (at(5), "e1"), what, &mut |_, _| None).is_none());
}

#[test]
fn the_nearest_keys_are_named() {
    let lineage = lineage(&[release(0, "1"), release(9, "2")].concat());
    assert_eq!(texts(lineage.nearest("prod/s2x", &[K::Service])), ["prod/s2", "prod/s1"]);
    assert!(lineage.nearest("zzz", &[K::Service]).is_empty());
}
