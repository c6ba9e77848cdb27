//! Decode and evaluate, side by side in one run: the parser's floor, `rsigma-eval`, and this engine, on the same bytes.
//!
//! `cargo bench -p pipewarden-tests --bench engine -- [--events N] [--rounds N] [--rules SET]`. Rounds interleave the rows
//! and the best of each counts. Asserts that both engines match the same number of times, and nothing about time.

use std::sync::Arc;
use std::time::Instant;

use harness::corpus::{self, RuleText};
use harness::generate::Random;
use harness::memory::{resident, status};
use ingest::scan;
use model::Row;
use rsigma_eval::Engine;
use rsigma_eval::event::JsonEvent;
use rules::parse::{Settings, load_texts};
use rules::{Evaluator, Lists, Program};

/// Reads lines, gives the number of matches.
type Job = Box<dyn Fn(&[&[u8]]) -> u64 + Sync>;

struct Contender {
    name: String,
    job: Job,
    threads: usize,
    /// Best of all rounds, in seconds.
    best: f64,
    matches: u64,
    /// Resident memory that building it took, in bytes.
    memory: u64,
}

struct Arguments {
    events: usize,
    rounds: usize,
    rules: Option<String>,
    only: Option<String>,
}

fn main() {
    let arguments = arguments();
    let text = corpus::events(arguments.events, 20_260_901);
    let lines: Vec<&[u8]> = text.as_bytes().split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
    println!("{} events, {} bytes, {} on average", lines.len(), text.len(), text.len() / lines.len().max(1));
    let mut contenders = Vec::new();
    let wanted = |set: &str| arguments.rules.as_deref().is_none_or(|rules| rules == set);
    let named = |name: &str| arguments.only.as_deref().is_none_or(|only| name.starts_with(only));
    for threads in [1, 2] {
        if named("floor") {
            contenders.push(contender("floor".to_owned(), threads, || Box::new(floor)));
        }
        for (set, texts) in rule_sets().iter().filter(|(set, _)| wanted(set)) {
            if named("rsigma") && (threads == 1 || *set == "109") {
                contenders.push(contender(format!("rsigma {set}"), threads, || rsigma(texts)));
            }
            if named("ours") {
                contenders.push(contender(format!("ours {set}"), threads, || ours(texts)));
            }
        }
    }
    for _ in 0..arguments.rounds {
        for contender in &mut contenders {
            contender.run(&lines);
        }
    }
    report(&contenders, lines.len(), text.len());
}

fn arguments() -> Arguments {
    let mut arguments = Arguments { events: 300_000, rounds: 4, rules: None, only: None };
    let mut given = std::env::args().skip(1);
    while let Some(option) = given.next() {
        let mut value = || given.next().unwrap_or_else(|| panic!("{option} needs a value"));
        match option.as_str() {
            "--events" => arguments.events = value().parse().expect("a number"),
            "--rounds" => arguments.rounds = value().parse().expect("a number"),
            "--rules" => arguments.rules = Some(value()),
            "--only" => arguments.only = Some(value()),
            "--bench" => {}
            other => panic!(
                "unknown option {other}; known: --events N, --rounds N, --rules 10|15|109|1000|3141, --only floor|ours|rsigma"
            ),
        }
    }
    arguments
}

/// The corpora, or rules made up where they are missing.
fn rule_sets() -> Vec<(&'static str, Vec<RuleText>)> {
    let (delivery, all) = match (corpus::delivery_rules(), corpus::all_rules()) {
        (Some(delivery), Some(all)) => (delivery, all),
        _ => (corpus::made_up_rules(109), corpus::made_up_rules(3_141)),
    };
    let about_github = |(_, text): &&RuleText| text.contains("product: github") || text.contains("\"github\"");
    let github: Vec<RuleText> = delivery.iter().filter(about_github).cloned().collect();
    let ten = github.iter().take(10).cloned().collect();
    let mut thousand = delivery.clone();
    let mut random = Random(7);
    let mut others: Vec<&RuleText> = all
        .iter()
        .filter(|(path, _)| delivery.iter().all(|(known, _)| known.file_name() != path.file_name()))
        .collect();
    while thousand.len() < 1_000 && !others.is_empty() {
        thousand.push(others.swap_remove(random.below(others.len())).clone());
    }
    vec![("10", ten), ("15", github), ("109", delivery), ("1000", thousand), ("3141", all)]
}

fn contender(name: String, threads: usize, make: impl FnOnce() -> Job) -> Contender {
    let before = resident();
    let job = make();
    Contender { name, job, threads, best: f64::INFINITY, matches: 0, memory: resident().saturating_sub(before) }
}

impl Contender {
    fn run(&mut self, lines: &[&[u8]]) {
        #[allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
        let start = Instant::now();
        let share = lines.len().div_ceil(self.threads).max(1);
        self.matches = std::thread::scope(|scope| {
            let job = &self.job;
            let threads: Vec<_> = lines.chunks(share).map(|lines| scope.spawn(move || job(lines))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        self.best = self.best.min(start.elapsed().as_secs_f64());
    }
}

/// What parsing alone costs: a struct of twelve borrowed fields.
fn floor(lines: &[&[u8]]) -> u64 {
    use std::borrow::Cow;
    #[derive(serde::Deserialize)]
    #[allow(dead_code, non_snake_case)]
    struct Fields<'a> {
        #[serde(borrow)]
        action: Option<Cow<'a, str>>,
        #[serde(borrow)]
        actor_ip: Option<Cow<'a, str>>,
        #[serde(borrow)]
        org: Option<Cow<'a, str>>,
        #[serde(borrow)]
        repo: Option<Cow<'a, str>>,
        #[serde(borrow)]
        user_agent: Option<Cow<'a, str>>,
        #[serde(borrow)]
        eventName: Option<Cow<'a, str>>,
        #[serde(borrow)]
        eventSource: Option<Cow<'a, str>>,
        #[serde(borrow)]
        eventTime: Option<Cow<'a, str>>,
        #[serde(borrow)]
        awsRegion: Option<Cow<'a, str>>,
        #[serde(borrow)]
        sourceIPAddress: Option<Cow<'a, str>>,
        #[serde(borrow)]
        errorCode: Option<Cow<'a, str>>,
        #[serde(borrow)]
        eventtype: Option<Cow<'a, str>>,
    }
    let mut calls = 0;
    for line in lines {
        let fields: Fields<'_> = serde_json::from_slice(line).expect("JSON");
        calls += u64::from(std::hint::black_box(&fields).eventName.is_some());
    }
    calls
}

fn rsigma(texts: &[RuleText]) -> Job {
    let mut engine = Engine::new();
    let collections: Vec<_> =
        texts.iter().map(|(_, text)| rsigma_parser::parse_sigma_yaml(text).expect("parses")).collect();
    let refused = engine.add_rules(collections.iter().flat_map(|collection| &collection.rules));
    assert!(refused.is_empty(), "{refused:?}");
    Box::new(move |lines| {
        let matches = |line: &&[u8]| {
            let event: serde_json::Value = serde_json::from_slice(line).expect("JSON");
            engine.evaluate(&JsonEvent::borrow(&event)).len() as u64
        };
        lines.iter().map(matches).sum()
    })
}

fn ours(texts: &[RuleText]) -> Job {
    let texts: Vec<_> = texts.iter().map(|(path, text)| (path.clone(), text.as_str())).collect();
    let loaded = load_texts(&texts, &Settings { include_deprecated: true, ..Settings::default() });
    assert!(loaded.refused.is_empty(), "{}", loaded.refused[0]);
    let rules: Vec<_> = loaded.rules.into_iter().map(Arc::new).collect();
    let program = Program::compile(&rules, |_| true).expect("compiles");
    Box::new(move |lines| {
        let (mut row, mut evaluator, lists) = (Row::default(), Evaluator::default(), Lists::default());
        let mut matches = 0;
        for line in lines {
            let record = simdutf8::basic::from_utf8(line).expect("UTF-8");
            scan(record, program.projection(), &mut row).expect("JSON");
            matches += evaluator.holding(&program, row.view(record), &lists).len() as u64;
        }
        matches
    })
}

fn report(contenders: &[Contender], events: usize, bytes: usize) {
    let find = |name: &str, threads: usize| contenders.iter().find(|c| c.name == name && c.threads == threads);
    println!(
        "{:<14} {:>7} {:>11} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "row", "threads", "events/s", "MB/s", "µs/event", "x floor", "x rsigma", "speed-up", "MB built", "matches"
    );
    for contender in contenders {
        let set = contender.name.split(' ').nth(1).unwrap_or_default();
        let against = |other: Option<&Contender>| {
            other.map_or("-".to_owned(), |other| format!("{:.2}", other.best / contender.best))
        };
        let rsigma = find(&format!("rsigma {set}"), contender.threads);
        println!(
            "{:<14} {:>7} {:>11.0} {:>8.0} {:>9.3} {:>9} {:>9} {:>9} {:>9.1} {:>9}",
            contender.name,
            contender.threads,
            events as f64 / contender.best,
            bytes as f64 / contender.best / 1e6,
            contender.best / events as f64 * 1e6,
            against(find("floor", contender.threads)),
            against(rsigma),
            against(find(&contender.name, 1)),
            contender.memory as f64 / 1e6,
            contender.matches,
        );
    }
    if let (Some(few), Some(many)) = (find("ours 10", 1), find("ours 1000", 1)) {
        println!("from 10 to 1,000 rules: {:.2} x the time per event", many.best / few.best);
    }
    println!("resident {:.0} MB, at most {:.0} MB", resident() as f64 / 1e6, status("VmHWM:") as f64 / 1e6);
    for contender in contenders {
        if let Some(set) = contender.name.strip_prefix("rsigma ")
            && let Some(ours) = find(&format!("ours {set}"), contender.threads)
        {
            assert_eq!(ours.matches, contender.matches, "matches differ at {set} rules");
        }
    }
}
