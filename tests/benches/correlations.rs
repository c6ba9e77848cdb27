//! What correlations cost: members of a window, live keys, floods; and whole jobs beside `rsigma-eval` on the same bytes.
//!
//! `cargo bench -p pipewarden-tests --bench correlations -- [--rounds N] [ROW …]`, rows members, keys, twenty, flood, jobs; `ours`
//! is the second side of jobs alone, for a profiler.
//! Rounds interleave the sides and the best of each counts. Asserts equal counts, and nothing about time.

#[path = "correlations/jobs.rs"]
mod jobs;

use std::process::Command;

use harness::feed::{Feed, STEPS};
use harness::generate::Random;
use harness::memory::resident;
use ingest::scan;
use mimalloc::MiMalloc;
use model::{EVENTS_AT_ONCE, Held, Row, Timestamp};
use rules::{Evaluator, Lists, Match};

/// The worker's: what ships is what is measured, on both sides.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn correlation(number: u32, body: &str) -> String {
    format!("---\ntitle: c{number}\nid: 00000000-0000-4000-8000-0000000001{number:02}\ncorrelation: {{{body}}}\n")
}

fn main() {
    let (mut rounds, mut rows) = (5, Vec::new());
    let mut given = std::env::args().skip(1);
    while let Some(option) = given.next() {
        match option.as_str() {
            "--rounds" => rounds = given.next().and_then(|text| text.parse().ok()).expect("--rounds needs a number"),
            "--bench" => {}
            row => rows.push(row.to_owned()),
        }
    }
    // Each row is a process of its own: what one leaves in memory would be counted as the next one's.
    if rows.is_empty() {
        let this = std::env::current_exe().expect("a path");
        for row in ["members", "keys", "twenty", "flood", "jobs"] {
            let status = Command::new(&this).args([row, "--rounds", &rounds.to_string()]).status();
            assert!(status.expect("starts").success(), "{row}");
        }
        return;
    }
    for row in rows {
        match row.as_str() {
            "members" => members(rounds),
            "keys" => keys(rounds),
            "twenty" => twenty(),
            "flood" => flood(),
            "jobs" => jobs::jobs(rounds),
            "ours" => jobs::ours(rounds),
            other => match other.parse() {
                Ok(keys) => live_keys(keys, rounds),
                Err(_) => panic!("unknown row {other}; known: members, keys, twenty, flood, jobs"),
            },
        }
    }
}

/// Seconds for which the processor worked at something on this thread: what else it does meanwhile counts less.
fn worked<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let busy = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts");
        text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).expect("nanoseconds")
    };
    let start = busy();
    let done = work();
    ((busy() - start) as f64 / 1e9, done)
}

/// Time for an event with 26 and with 2,600 members in the window.
fn members(rounds: usize) {
    const EVENTS: usize = 300_000;
    let cases = [
        ("event_count", "type: event_count, rules: [a], group-by: [k], timespan: SPAN, condition: {gte: 1000000}"),
        (
            "value_count",
            "type: value_count, rules: [a], group-by: [k], timespan: SPAN, condition: {field: v, gte: 1000000}",
        ),
        (
            "value_sum",
            "type: value_sum, rules: [a], group-by: [k], timespan: SPAN, condition: {field: n, gte: 1000000000}",
        ),
        (
            "value_percentile",
            "type: value_percentile, rules: [a], group-by: [k], timespan: SPAN, condition: {field: n, gte: 1000000, percentile: 95}",
        ),
        ("temporal", "type: temporal, rules: [a, b, c], group-by: [k], timespan: SPAN"),
        ("temporal_ordered", "type: temporal_ordered, rules: [a, b, c], group-by: [k], timespan: SPAN"),
    ];
    println!("{:<18} {:>12} {:>14} {:>8}   members in the window", "ns an event", "26", "2,600", "ratio");
    for (name, body) in cases {
        let mut best = [f64::INFINITY; 2];
        for _ in 0..rounds {
            for (side, members) in [26, 2_600].into_iter().enumerate() {
                let documents = STEPS.to_owned() + &correlation(1, &body.replace("SPAN", &format!("{members}s")));
                let mut feed = Feed::new(&documents, 1_000);
                let event = |feed: &mut Feed, at: usize| {
                    let (value, number) = (format!("v{}", at % 5_000), (at * 7_919 % 1_000).to_string());
                    // The third step never comes: chains stay open.
                    let rule = if at.is_multiple_of(2) { "a" } else { "b" };
                    let rule = if name.starts_with("temporal") { rule } else { "a" };
                    feed.event(&[rule], at as i64 * 1_000, &[("k", "one"), ("v", &value), ("n", &number)])
                };
                let warm: Vec<_> = (0..members).map(|at| event(&mut feed, at)).collect();
                feed.apply_all(warm);
                let events: Vec<_> = (members..members + EVENTS).map(|at| event(&mut feed, at)).collect();
                let (seconds, _) = worked(|| feed.apply_all(events));
                best[side] = best[side].min(seconds / EVENTS as f64 * 1e9);
            }
        }
        println!("{name:<18} {:>12.0} {:>14.0} {:>8.2}", best[0], best[1], best[1] / best[0]);
    }
    println!();
}

/// Time for an event and bytes a key with 10³, 10⁴, 10⁵, 10⁶ live keys of four members each.
fn keys(rounds: usize) {
    println!("{:<10} {:>10} {:>14} {:>18}", "live keys", "ns/event", "bytes a key", "an event's handle");
    let this = std::env::current_exe().expect("a path");
    for keys in ["1000", "10000", "100000", "1000000"] {
        let status = Command::new(&this).args([keys, "--rounds", &rounds.to_string()]).status();
        assert!(status.expect("starts").success(), "{keys}");
    }
    println!("(bytes: resident memory over keys, without the handles of their four events)\n");
}

fn live_keys(keys: usize, rounds: usize) {
    let documents = STEPS.to_owned()
        + &correlation(1, "type: event_count, rules: [a], group-by: [k], timespan: 30d, condition: {gte: 1000000}");
    let mut feed = Feed::new(&documents, 4 * keys);
    let before = resident();
    let numbers: Vec<usize> = (0..4 * keys).collect();
    for at in numbers.chunks(EVENTS_AT_ONCE) {
        let event = |at: &usize| feed.event(&["a"], *at as i64, &[("k", &format!("key-{}", at * 7_919 % keys))]);
        let events: Vec<_> = at.iter().map(event).collect();
        feed.apply_all(events);
    }
    let (events, handles) = feed.events_held();
    let bytes =
        (resident() as f64 - before as f64 - (numbers.len() * size_of::<usize>() + handles) as f64) / keys as f64;
    assert_eq!(feed.keys(), (keys, 0));
    let (mut best, mut random, probes) = (f64::INFINITY, Random(11), 200_000);
    for round in 0..rounds {
        // Keys come at random, as they do: else the processor's prefetcher is what is measured.
        let events: Vec<_> = (0..probes)
            .map(|at| {
                let key = format!("key-{}", random.below(keys));
                feed.event(&["a"], (4 * keys + round * probes + at) as i64, &[("k", &key)])
            })
            .collect();
        let (seconds, _) = worked(|| feed.apply_all(events));
        best = best.min(seconds / probes as f64 * 1e9);
    }
    println!("{keys:<10} {best:>10.0} {bytes:>14.0} {:>18.0}", handles as f64 / events as f64);
}

/// One million keys of four members under twenty correlations, of which each event updates two, beside stage one alone.
fn twenty() {
    let documents = twenty_documents();
    const KEYS: usize = 1_000_000;
    const EVENTS: usize = 2 * KEYS;
    let mut feed = Feed::new(&documents, 8 * KEYS);
    let lists = Lists::default();
    let (mut row, mut evaluator, mut matches) = (Row::default(), Evaluator::default(), Vec::<Match>::new());
    let before = resident();
    let (mut line, mut coming) = (String::new(), Vec::with_capacity(EVENTS_AT_ONCE));
    let mut pass = |feed: &mut Feed, remember: bool| {
        let mut held = 0u64;
        for at in 0..EVENTS {
            use std::fmt::Write;
            // Each event has two rules and one key; each key of a correlation gets four members.
            let (first, key) = (at * 2 % 20, at / 10 * 7_919 % (KEYS / 20));
            line.clear();
            let _ = write!(
                line,
                r#"{{"ts":{at},"a":"x{first}","b":"x{}","k":"key-{key}","v":"value-{}","action":"git.push","actor":"developer-{}","repo":"acme/app-{}","country":"DE","agent":"git/2.45.2"}}"#,
                first + 1,
                at % 97,
                at % 400,
                at % 900
            );
            let (program, carrying) = feed.stage_one();
            scan(&line, program.projection(), &mut row).expect("JSON");
            matches.clear();
            let when = (&lists, Some(Timestamp::from_ms(at as i64)));
            evaluator.matches(program, row.view(&line), when, &mut matches, carrying);
            held += matches.len() as u64;
            if remember {
                let rules = matches.iter().map(|found| Held { rule: found.rule, finding: None }).collect();
                coming.push(feed.of(rules, at as i64));
                if coming.len() == EVENTS_AT_ONCE {
                    feed.apply_all(std::mem::replace(&mut coming, Vec::with_capacity(EVENTS_AT_ONCE)));
                }
            } else {
                std::hint::black_box(feed.stage_one().1.take());
            }
        }
        feed.apply_all(std::mem::take(&mut coming));
        held
    };
    let (stateless, first) = worked(|| pass(&mut feed, false));
    let (stateful, second) = worked(|| pass(&mut feed, true));
    assert_eq!((first, second), (2 * EVENTS as u64, 2 * EVENTS as u64));
    assert_eq!(feed.keys(), (KEYS, 0));
    let (keys, evicted) = feed.keys();
    let bytes = resident().saturating_sub(before) as f64 / keys as f64;
    println!(
        "20 correlations, {keys} keys ({evicted} given up): {:.0} events/s, stage one alone {:.0} events/s, part {:.2}; {bytes:.0} bytes a key\n",
        EVENTS as f64 / stateful,
        EVENTS as f64 / stateless,
        stateless / stateful
    );
}

fn twenty_documents() -> String {
    let rule = |n: usize| {
        format!(
            "{}title: r{n}\nname: r{n}\nid: 00000000-0000-4000-8000-0000000002{n:02}\nlogsource: {{product: x}}\n\
             detection: {{s: [{{a: x{n}}}, {{b: x{n}}}], condition: s}}\n",
            if n == 0 { "" } else { "---\n" }
        )
    };
    // What no event has: sequences stay open.
    let mut documents: String = (0..21).map(rule).collect();
    for n in 0..20 {
        let kind = match n % 4 {
            0 => format!("type: event_count, rules: [r{n}], group-by: [k], timespan: 30d, condition: {{gte: 100}}"),
            1 => format!(
                "type: value_count, rules: [r{n}], group-by: [k], timespan: 30d, condition: {{field: v, gte: 100}}"
            ),
            2 => format!("type: temporal, rules: [r{n}, r20], group-by: [k], timespan: 30d"),
            _ => format!("type: temporal_ordered, rules: [r{n}, r20], group-by: [k], timespan: 30d"),
        };
        documents += &correlation(n as u32, &kind);
    }
    documents
}

/// Ten million keys of first steps by a thousand principals at a limit of a million, with one attack in three steps among them.
fn flood() {
    let documents =
        STEPS.to_owned() + &correlation(1, "type: temporal_ordered, rules: [a, b, c], group-by: [k], timespan: 1d");
    let mut feed = Feed::new(&documents, 1_000_000);
    const KEYS: usize = 10_000_000;
    let before = resident();
    let (seconds, held) = worked(|| {
        let (mut held, mut coming) = (0, Vec::new());
        for at in 0..KEYS {
            let (key, actor) = (format!("decoy-{at}"), format!("decoy-{}", at % 1_000));
            coming.push(feed.event(&["a"], at as i64, &[("k", &key), ("prov.actor_id", &actor)]));
            let step = [(KEYS / 10, "a"), (KEYS / 2, "b"), (KEYS / 10 * 9, "c")].iter().find(|(when, _)| *when == at);
            if let Some((_, rule)) = step {
                coming.push(feed.event(&[rule], at as i64, &[("k", "target"), ("prov.actor_id", "mallory")]));
            }
            if coming.len() >= EVENTS_AT_ONCE {
                held += feed.apply_all(std::mem::take(&mut coming));
            }
        }
        held + feed.apply_all(coming)
    });
    let (keys, evicted) = feed.keys();
    println!(
        "flood: {KEYS} keys, {keys} held, {evicted} given up, {:.2} µs an event, {} MB; the attack among them was told {held} times\n",
        seconds / KEYS as f64 * 1e6,
        resident().saturating_sub(before) / 1_000_000
    );
    assert_eq!(held, 1);
}
