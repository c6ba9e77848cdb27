//! The public corpora: every rule fires on an event made from its own detection, stays silent when a part of it is
//! broken, and the engine says of all rules together what the slow evaluator says of each.

use harness::corpus::{self, RuleText};
use harness::firing;
use harness::generate::Random;
use harness::oracle;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rules::ast::Rule;
use rules::parse::{Settings, load_texts};
use serde_json::Value;

use super::oracle::Engine;

/// A text in which the expression is found: anchors are left out to make it, and it is tried with them.
pub fn sample(source: &str) -> Option<String> {
    let regex = regex::Regex::new(source).ok()?;
    // `\^`, `\$` and `[^` are no anchors.
    let anchors = regex::Regex::new(r"(\\[^b]|\[\^)|\^|\$|\\b").ok()?;
    let without_anchors = anchors.replace_all(source, "$1").into_owned();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let texts = proptest::string::string_regex(&without_anchors).ok()?;
    (0..40)
        .find_map(|_| texts.new_tree(&mut runner).ok().map(|tree| tree.current()).filter(|text| regex.is_match(text)))
}

pub fn load(texts: &[RuleText]) -> Vec<Rule> {
    let texts: Vec<_> = texts.iter().map(|(path, text)| (path.clone(), text.as_str())).collect();
    let loaded = load_texts(&texts, &Settings { include_deprecated: true, ..Settings::default() });
    assert!(loaded.refused.is_empty(), "{}", loaded.refused[0]);
    loaded.rules
}

fn every_rule_fires(texts: &[RuleText], compare_every: usize) {
    let mut engine = Engine::new(load(texts));
    let mut random = Random(11);
    let (mut fired, mut silenced, mut unbroken, mut silent) = (0, 0, 0, Vec::new());
    for at in 0..engine.rules.len() {
        let rule = engine.rules[at].clone();
        let Some(event) = firing::event(&rule.condition, &mut random, &sample) else {
            silent.push(rule.title.clone());
            continue;
        };
        assert!(engine.holding(&event.to_string()).contains(&(at as u32)), "{} is silent on {event}", rule.title);
        fired += 1;
        if at % compare_every == 0 {
            engine.check(&event);
        }
        for broken in firing::broken(&rule.condition, &mut random, &sample) {
            let Some(event) = broken else {
                unbroken += 1;
                continue;
            };
            assert!(!oracle::search(&rule.condition, &event, &Default::default()));
            assert!(!engine.holding(&event.to_string()).contains(&(at as u32)), "{} fires on {event}", rule.title);
            silenced += 1;
        }
    }
    println!("{fired} rules fire, {silenced} broken parts silence them, {unbroken} parts cannot be broken alone");
    assert!(silent.is_empty(), "no event found for {silent:?}");
    assert!(unbroken * 20 < silenced, "{unbroken} parts cannot be broken");
}

#[test]
fn every_delivery_rule_fires_and_falls_silent() {
    let Some(texts) = corpus::delivery_rules() else { return };
    every_rule_fires(&texts, 1);
}

#[test]
fn every_rule_of_the_whole_corpus_fires_and_falls_silent() {
    let Some(texts) = corpus::all_rules() else { return };
    every_rule_fires(&texts, 8);
}

#[test]
fn all_rules_over_pipeline_events_match_as_the_slow_evaluator_does() {
    let Some(texts) = corpus::all_rules() else { return };
    let mut engine = Engine::new(load(&texts));
    let events = corpus::events(250, 5);
    let held: usize =
        events.lines().map(|line| engine.check(&serde_json::from_str::<Value>(line).expect("JSON")).len()).sum();
    assert!(held > 100);
}
