//! What lies around a key: both ways, as of a time, never over a hub; and the table that comes back out of a snapshot.

use model::{Projection, from_snapshot, to_snapshot};

use super::*;

/// The keys around some, each with the number of steps to it.
fn around<'l>(lineage: &'l Around, start: &str) -> Vec<(&'l str, usize)> {
    let hops = |mut step: &'l Step| {
        let mut hops = 0;
        while let Some(from) = step.from {
            (step, hops) = (&lineage.steps[from], hops + 1);
        }
        assert_eq!(&*step.key.text, start);
        hops
    };
    lineage.steps.iter().map(|step| (&*step.key.text, hops(step))).collect()
}

#[test]
fn it_goes_up_and_down_over_joints_only_and_knows_the_way() {
    let lineage = lineage(&release(0, "1"));
    let of = lineage.around(&[key(K::Digest, "d1"), key(K::Service, "prod/s1")], NOW);
    assert_eq!(around(&of, "d1"), [("d1", 0), ("t1", 1), ("r1", 1), ("j1", 1), ("b1", 1), ("shared", 2)]);
    assert!(of.hubs.is_empty() && !of.is_cut);
    assert!(lineage.around(&[key(K::Commit, "c1")], NOW).steps.is_empty(), "a commit joins nothing");
}

#[test]
fn it_sees_what_was_seen_by_then_and_four_steps_far() {
    let chain: Vec<Links> = (0..8)
        .map(|n| {
            event(
                n * 10,
                C::BuildFinished,
                &[(P::Run, &format!("r{}", n / 2)), (P::Digest, &format!("d{}", (n + 1) / 2))],
            )
        })
        .collect();
    let lineage = lineage(&chain);
    let texts = |as_of| around(&lineage.around(&[key(K::Run, "r0")], as_of), "r0").len();
    assert_eq!([texts(at(-1)), texts(at(0)), texts(at(9)), texts(at(10)), texts(NOW)], [1, 2, 2, 3, 6]);
    assert_eq!(lineage.led_to(&key(K::Run, "r0"), at(0)).keys.len(), 2);
    assert_eq!(lineage.came_of(&key(K::Digest, "d1"), at(9)).keys.len(), 1);
}

#[test]
fn a_hub_joins_nothing_not_even_where_one_asks_about_it() {
    let of_runner = |n: i64| event(n, C::CiJob, &[(P::Run, &format!("r{n}")), (P::Runner, "shared")]);
    let events: Vec<Links> = (0..1_000).map(of_runner).collect();
    let lineage = lineage(&events);
    let of = lineage.around(&[key(K::Run, "r5"), key(K::Runner, "shared")], NOW);
    assert_eq!(around(&of, "r5"), [("r5", 0)]);
    assert_eq!(texts(&of.hubs), ["shared"]);
    assert_eq!(lineage.around(&[key(K::Run, "r5")], at(255)).steps.len(), 257, "it was none then");
    assert_eq!(lineage.around(&[key(K::Run, "r5")], at(256)).steps.len(), 1);
    let few = with(Limits { reached_max: 10, ..Limits::default() }, &events[..100]);
    let of = few.around(&[key(K::Run, "r5")], NOW);
    assert!(of.is_cut && of.steps.len() == 10, "{}", of.steps.len());
}

#[test]
fn a_table_comes_back_as_it_was() {
    let events: Vec<Links> = (0..20).flat_map(|n| release(n * DAY_S, &n.to_string())).collect();
    let mut one = with(Limits { edges_max: 5_000, ..Limits::default() }, &events[..100]);
    one.advance(at(40 * DAY_S));
    let bytes = to_snapshot(&one.snapshot()).expect("written");
    let mut other = Lineage::new(Limits { edges_max: 5_000, ..Limits::default() });
    other.restore(from_snapshot(&bytes).expect("read"));
    for lineage in [&mut one, &mut other] {
        events[100..].iter().for_each(|links| lineage.observe(links));
        lineage.advance(at(45 * DAY_S));
    }
    assert_eq!((one.halves.all(), one.held()), (other.halves.all(), other.held()));
}

#[test]
fn an_event_that_can_make_no_edge_is_known_by_its_fields() {
    use model::Verdict::{Failure, Success};
    let reader = LinkReader::of_joints(C::RegistryPush, Projection::default());
    let slot = |field: &str| reader.fields().slot(field).expect("asked for");
    let joins = |fields: &[&str], action: &str, verdict| {
        let mut row = Row::default();
        row.reset(reader.fields().len());
        fields.iter().for_each(|field| row.push_text(slot(field), "x"));
        reader.joins(row.view(""), action, verdict)
    };
    assert!(joins(&["prov.run_id", "prov.digest"], "pushed", Success));
    assert!(joins(&["prov.run_id", "prov.runner_name"], "pushed", Failure));
    assert!(!joins(&["prov.run_id", "prov.digest"], "pushed", Failure), "a refused upload joins nothing");
    assert!(!joins(&["prov.digest"], "pushed", Success) && !joins(&[], "pushed", Success));
    assert!(reader.fields().slot("prov.commit").is_none(), "no joint");
}
