//! This engine against `rsigma-eval`, another implementation of Sigma: generated rules and events, and the corpora.
//!
//! Where the two differ the difference stands in [`EXPLAINED`], with the side that follows the specification.

use std::collections::BTreeMap;

use harness::corpus::{self, RuleText};
use harness::generate::{self, Random};
use harness::{firing, oracle};
use rsigma_eval::event::JsonEvent;
use rules::ast::Rule;
use serde_json::Value;

use super::corpus_rules::{load, sample};
use super::oracle::Engine;

struct Other {
    engine: rsigma_eval::Engine,
    /// By rule id: its index.
    numbers: BTreeMap<String, u32>,
}

impl Other {
    /// Rules that the other engine refuses come back by index.
    fn new(texts: &[RuleText], rules: &[std::sync::Arc<Rule>]) -> (Other, Vec<u32>) {
        let mut engine = rsigma_eval::Engine::new();
        let mut refused = Vec::new();
        let mut loaded = Vec::new();
        for (at, (_, text)) in (0..).zip(texts) {
            match rsigma_parser::parse_sigma_yaml(text) {
                Ok(collection) if collection.rules.len() == 1 => loaded.push((at, collection)),
                _ => refused.push(at),
            }
        }
        let all: Vec<_> = loaded.iter().flat_map(|(_, collection)| &collection.rules).collect();
        refused.extend(engine.add_rules(all).iter().map(|(at, _)| loaded[*at].0));
        let numbers = (0..).zip(rules).map(|(at, rule)| (rule.id.clone(), at)).collect();
        (Other { engine, numbers }, refused)
    }

    fn holding(&self, event: &Value) -> Vec<u32> {
        let found = self.engine.evaluate(&JsonEvent::borrow(event));
        let number = |id: &str| self.numbers[&id.to_ascii_lowercase()];
        let mut found: Vec<u32> = found.iter().map(|found| number(found.header.rule_id.as_deref().expect("an id"))).collect();
        found.sort_unstable();
        found
    }
}

/// Name of a difference, why the engines differ and who follows the specification, and how it is known.
type Explained = (&'static str, &'static str, fn(&str, &str) -> bool);

/// Looked at in this order; the functions see rule and event as JSON text.
const EXPLAINED: &[Explained] = &[];

#[derive(Default)]
struct Tally {
    agreed: usize,
    held: usize,
    explained: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn compare(&mut self, texts: &[RuleText], ours: &[u32], theirs: &[u32], refused: &[u32], event: &Value) {
        self.held += ours.len();
        for at in (0..texts.len() as u32).filter(|at| !refused.contains(at)) {
            if ours.contains(&at) == theirs.contains(&at) {
                self.agreed += 1;
                continue;
            }
            let (rule, record) = (&texts[at as usize].1, event.to_string());
            match EXPLAINED.iter().find(|(_, _, is)| is(rule, &record)) {
                Some((name, ..)) => *self.explained.entry(name).or_default() += 1,
                None => {
                    let (us, them) = (ours.contains(&at), theirs.contains(&at));
                    if std::env::var("DIFF").is_ok() {
                        println!("DIFF we say {us}, they say {them}\n  {rule}\n  {record}");
                        *self.explained.entry("UNEXPLAINED").or_default() += 1;
                        continue;
                    }
                    panic!("we say {us}, they say {them}\n{rule}\n{record}");
                }
            }
        }
    }
}

#[test]
fn generated_rules_and_events() {
    let mut random = Random(21);
    let mut tally = Tally::default();
    for _ in 0..60 {
        let documents: Vec<Value> = (0..40).map(|id| generate::rule(&mut random, id, true)).collect();
        let texts: Vec<RuleText> = documents.iter().map(|rule| (rule["title"].to_string().into(), rule.to_string())).collect();
        let mut engine = Engine::new(generate::load(&documents));
        let (other, refused) = Other::new(&texts, &engine.rules);
        let mut events: Vec<Value> = (0..30).map(|_| generate::event(&mut random)).collect();
        events.extend(engine.rules.iter().filter_map(|rule| firing::event(&rule.condition, &mut random, &sample)));
        for event in events {
            let ours = engine.holding(&event.to_string());
            tally.compare(&texts, &ours, &other.holding(&event), &refused, &event);
        }
    }
    println!("{} agree, {} hold, explained: {:?}", tally.agreed, tally.held, tally.explained);
    assert!(tally.agreed > 100_000 && tally.held > 5_000);
}

#[test]
fn the_whole_corpus() {
    let Some(texts) = corpus::all_rules() else { return };
    let mut engine = Engine::new(load(&texts));
    let (other, refused) = Other::new(&texts, &engine.rules);
    assert!(refused.is_empty(), "{refused:?}");
    let mut random = Random(31);
    let mut events: Vec<Value> = corpus::events(2_000, 9).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for rule in &engine.rules {
        events.extend(firing::event(&rule.condition, &mut random, &sample));
    }
    let mut tally = Tally::default();
    for event in events {
        let ours = engine.holding(&event.to_string());
        tally.compare(&texts, &ours, &other.holding(&event), &refused, &event);
    }
    println!("{} agree, {} hold, explained: {:?}", tally.agreed, tally.held, tally.explained);
    assert!(tally.held > 3_000);
    let _ = oracle::ListTexts::default();
}
