//! Questions of rules: what an answer counts, and what it says where a limit ends it; the budget and the list of packages.

use model::Projection;

use super::*;

fn ask(from: K, kinds: &[K]) -> Ask {
    let (from, kinds) = ((from.field().to_owned(), from), kinds.to_vec());
    Ask { from: from.0, kind: from.1, versions: None, kinds, through: None, enough: Enough::AtLeast(1) }
}

fn facts(answer: &Answer) -> Vec<(&str, &str)> {
    answer.facts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

fn listed(at_s: i64, digest: &str, purl: &str) -> Links {
    event(at_s, C::SbomGenerated, &[(P::Digest, digest), (P::Component, purl)])
}

#[test]
fn an_answer_counts_what_was_seen_by_then_and_names_it() {
    let mut events = [release(0, "1"), release(100, "2")].concat();
    events.push(event(103, C::BuildFinished, &[(P::Artifact, "pkg:oci/two"), (P::Digest, "d2")]));
    events.push(event(250, C::DeployFinished, &[(P::Digest, "dx"), (P::Service, "prod/bare")]));
    let lineage = lineage(&events);
    let of = ask(K::Purl, &[K::Digest, K::Service]);
    let early = lineage.answer(&of, "pkg:npm/x@1", at(50));
    assert_eq!((early.count, early.is_cut), (2, false));
    let answer = lineage.answer(&of, "pkg:npm/x@1", at(250));
    assert_eq!(
        facts(&answer),
        [
            ("reached.artifacts", "2: d1, pkg:oci/two"),
            ("reached.deployed", "2: prod/s1, prod/s2"),
            ("reached.services", "2: prod/s1, prod/s2"),
            ("reached.services_without_sbom", "1: prod/bare"),
        ]
    );
    assert!(of.is_met(&answer) && !of.is_met(&lineage.answer(&of, "pkg:npm/none@1", at(250))));
    let nothing = Ask { enough: Enough::None, ..ask(K::Token, &[K::Digest]) };
    assert!(
        nothing.is_met(&lineage.answer(&nothing, "t1", at(2)))
            && !nothing.is_met(&lineage.answer(&nothing, "t1", at(6)))
    );
}

#[test]
fn a_hub_makes_an_answer_the_least_that_it_can_be() {
    let limits = Limits { degree_max: 3, ..Limits::default() };
    let pull = |n: i64| event(n, C::RegistryPull, &[(P::Digest, "base"), (P::Run, &format!("r{n}"))]);
    let mut events: Vec<Links> = (1..=4).map(pull).collect();
    events.push(event(0, C::BuildFinished, &[(P::Run, "r"), (P::Digest, "base")]));
    let answer = with(limits, &events).answer(&ask(K::Run, &[K::Digest, K::Run]), "r", at(10));
    assert!(answer.is_cut);
    let said = "a limit ended the walk: there may be more";
    let expected = [
        ("reached.artifacts", "at least 1: base"),
        ("reached.deployed", "at least 0"),
        ("reached.runs", "at least 0"),
        ("reached.incomplete", said),
    ];
    assert_eq!(facts(&answer), expected);
}

#[test]
fn all_versions_are_those_of_that_name_alone_and_more_than_the_limit_are_cut() {
    let named = ["pkg:npm/x", "pkg:npm/x@1", "pkg:npm/x@2?arch=a", "pkg:npm/x-y@1", "pkg:npm/xy", "pkg:npm/w@1"];
    let events: Vec<Links> = (0..).zip(named).map(|(n, purl)| listed(n, &format!("d{n}"), purl)).collect();
    let of = ask(K::Purl, &[K::Digest]);
    let mut lineage = lineage(&events);
    let told = |lineage: &Lineage, from: &str| facts(&lineage.answer(&of, from, NOW))[0].1.to_owned();
    assert_eq!(told(&lineage, "pkg:npm/x@*"), "3: d0, d1, d2");
    assert_eq!(told(&lineage, "pkg:npm/x@1 pkg:npm/xy"), "2: d1, d4");
    lineage.advance(at(402 * DAY_S));
    assert_eq!(told(&lineage, "pkg:npm/x@*"), "0", "what is gone is on no list");
    let many: Vec<Links> = (0..300).map(|n| listed(n, &format!("d{n}"), &format!("pkg:npm/x@{n}"))).collect();
    assert!(told(&with(Limits::default(), &many), "pkg:npm/x@*").starts_with("at least 25"));
}

#[test]
fn packages_push_out_packages_only() {
    let limits = Limits { edges_max: 6_400, purl_edges_max: 640, ..Limits::default() };
    let mut lineage = with(limits, &release(0, "1"));
    let held = lineage.held();
    for n in 0..20_000 {
        lineage.observe(&listed(n, "d1", &format!("pkg:npm/p{n}@1")));
    }
    assert!(lineage.held() < held + 2_000, "{}", lineage.held());
    let [others, packages] = lineage.evicted();
    assert!(others == 0 && packages > 30_000, "{others} {packages}");
    let chain = lineage.chain(&key(K::Digest, "d1"));
    assert!(told(&chain).contains(&("commit", "c1")) && told(&chain).contains(&("runtime", "prod/s1")));
    // Nor do the others push out packages.
    let mut lineage = with(Limits { edges_max: 640, ..Limits::default() }, &[listed(0, "d1", "pkg:npm/x@1")]);
    for n in 0..20_000 {
        lineage.observe(&event(n, C::RegistryPull, &[(P::Digest, &format!("d{n}")), (P::Run, "r")]));
    }
    assert!(lineage.evicted()[0] > 30_000 && lineage.knows(&key(K::Purl, "pkg:npm/x@1")));
}

#[test]
fn whoever_asks_about_an_earlier_time_is_told_what_was_known_then() {
    let used = |day: i64| event(day * DAY_S, C::IdentityUse, &[(P::Token, "t"), (P::Run, "r")]);
    let mut lineage = with(Limits::default(), &[used(0)]);
    let of = ask(K::Token, &[K::Run]);
    let count = |lineage: &Lineage, at_s: i64| lineage.answer(&of, "t", at(at_s)).count;
    lineage.advance(at(30 * DAY_S + 600));
    assert_eq!([0, 30 * DAY_S, 30 * DAY_S + 1].map(|at_s| count(&lineage, at_s)), [1, 1, 0]);
    // It comes back, and those who are behind are told of the first, those ahead of the second.
    lineage.observe(&event(30 * DAY_S + 600, C::IdentityUse, &[(P::Token, "t"), (P::Run, "r")]));
    let times = [-1, 30 * DAY_S, 30 * DAY_S + 1, 30 * DAY_S + 600];
    assert_eq!(times.map(|at_s| count(&lineage, at_s)), [0, 1, 0, 1]);
    let mut other = Lineage::new(Limits::default());
    other.restore(lineage.snapshot());
    assert_eq!(times.map(|at_s| count(&other, at_s)), [0, 1, 0, 1]);
    assert_eq!(other.held(), lineage.held());
}

#[test]
fn a_source_tells_of_edges_by_what_its_format_fills() {
    let some = [K::Purl, K::Digest, K::Service].into();
    let reader = |class| LinkReader::of_kinds(class, Projection::default(), &some);
    let may = |class, fields: &[&str]| reader(class).may_join(|field| fields.contains(&field));
    assert!(may(C::SbomGenerated, &["prov.digest"]), "that there is a bill of materials");
    assert!(may(C::SbomGenerated, &["prov.digest", "components.purl"]));
    assert!(may(C::DeployFinished, &["prov.digest", "prov.service", "prov.env"]));
    assert!(!may(C::CiJob, &["prov.run_id", "prov.runner_name"]), "nobody asks for either");
    let joints = LinkReader::of_joints(C::CiJob, Projection::default());
    assert!(joints.may_join(|field| ["prov.run_id", "prov.runner_name"].contains(&field)));
    assert!(!joints.may_join(|field| ["prov.run_id", "prov.service"].contains(&field)));
    assert!(!may(C::DeployFinished, &["prov.digest", "prov.env"]));
    assert!(!may(C::IdentityUse, &["prov.token_id", "prov.digest"]), "no table joins these two");
    assert!(!may(C::ScmChange, &[]));
}

#[test]
fn a_way_goes_through_what_it_is_told_to_and_counts_only_that_for_hubs() {
    let limits = Limits { degree_max: 3, ..Limits::default() };
    let mut events = release(0, "1");
    events.extend((10..20).map(|n| event(n, C::RegistryPull, &[(P::Digest, "d1"), (P::Run, &format!("p{n}"))])));
    events.push(event(30, C::BuildFinished, &[(P::Run, "p10"), (P::Digest, "d2")]));
    let count = |limits: Limits, through: Option<Vec<K>>| {
        let of = Ask { through, ..ask(K::Purl, &[K::Digest, K::Service]) };
        let answer = with(limits, &events).answer(&of, "pkg:npm/x@1", NOW);
        (answer.count, answer.is_cut)
    };
    assert_eq!(count(Limits::default(), None), (3, false), "two artifacts and a service");
    assert_eq!(count(Limits::default(), Some(vec![K::Job])), (2, false), "without the runs that pulled it");
    assert_eq!(count(limits, None), (1, true), "a hub of runs");
    assert_eq!(count(limits, Some(Vec::new())), (2, false), "which are not on the way");
}
