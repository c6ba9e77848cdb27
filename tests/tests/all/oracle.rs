//! Engine and slow evaluator say the same of every event: indexes, shared predicates and witnesses lose and add nothing.

use std::sync::Arc;

use harness::generate::{self, Random};
use harness::oracle;
use ingest::scan;
use model::Row;
use rules::ast::{FieldTest, Pattern, Piece, Rule, Search, Test};
use rules::{Evaluator, Lists, Program};
use serde_json::{Value, json};

/// Rules compiled together, and what evaluates them.
pub struct Engine {
    pub rules: Vec<Arc<Rule>>,
    program: Program,
    evaluator: Evaluator,
    row: Row,
    lists: Lists,
}

impl Engine {
    pub fn new(rules: Vec<Rule>) -> Engine {
        let rules: Vec<Arc<Rule>> = rules.into_iter().map(Arc::new).collect();
        let program = Program::compile(&rules, |_| true).expect("compiles");
        let mut lists = Lists::default();
        for (name, entries) in generate::lists() {
            lists.insert(&name, &entries.iter().map(String::as_str).collect::<Vec<_>>());
        }
        Engine { rules, program, evaluator: Evaluator::default(), row: Row::default(), lists }
    }

    pub fn holding(&mut self, record: &str) -> Vec<u32> {
        scan(record, self.program.projection(), &mut self.row).unwrap_or_else(|why| panic!("{why:?}: {record}"));
        self.evaluator.holding(&self.program, self.row.view(record), &self.lists).to_vec()
    }

    /// Panics where engine and slow evaluator differ; gives the rules that hold.
    pub fn check(&mut self, event: &Value) -> Vec<u32> {
        let lists = generate::lists();
        let record = event.to_string();
        let wanted: Vec<u32> =
            (0..).zip(&self.rules).filter(|(_, rule)| oracle::holds(rule, event, &lists)).map(|(at, _)| at).collect();
        let found = self.holding(&record);
        if found != wanted {
            let differ =
                (0..self.rules.len() as u32).find(|at| found.contains(at) != wanted.contains(at)).expect("one");
            let rule = &self.rules[differ as usize];
            let says = if found.contains(&differ) { "holds" } else { "does not hold" };
            panic!("the engine says rule {differ} {says}\n{record}\n{:?}\n{:?}", rule.condition, rule.wheres);
        }
        found
    }
}

fn seed() -> u64 {
    std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

#[test]
fn random_rules_hold_exactly_where_the_slow_evaluator_says() {
    let mut random = Random(seed());
    let mut held = 0;
    for _ in 0..250 {
        let documents: Vec<Value> = (0..40).map(|id| generate::rule(&mut random, id, false)).collect();
        let mut engine = Engine::new(generate::load(&documents));
        for _ in 0..60 {
            held += engine.check(&generate::event(&mut random)).len();
        }
    }
    assert!(held > 50_000, "too few rules meet their events: {held} of 600,000");
}

#[test]
fn one_rule_at_a_time_says_what_it_says_among_others() {
    let mut random = Random(seed() ^ 7);
    let documents: Vec<Value> = (0..300).map(|id| generate::rule(&mut random, id, false)).collect();
    let rules = generate::load(&documents);
    let mut all = Engine::new(rules.clone());
    let events: Vec<String> = (0..40).map(|_| generate::event(&mut random).to_string()).collect();
    let together: Vec<Vec<u32>> = events.iter().map(|event| all.holding(event)).collect();
    for (at, rule) in (0..).zip(rules) {
        let mut alone = Engine::new(vec![rule]);
        for (event, together) in events.iter().zip(&together) {
            assert_eq!(!alone.holding(event).is_empty(), together.contains(&at), "rule {at} on {event}");
        }
    }
}

#[test]
fn every_character_folds_as_unicode_says() {
    // Letters of Unicode 17, which the standard library knows and the engine's tables do not yet.
    let new = |c: &char| matches!(c, '\u{A7CE}'..='\u{A7D5}' | '\u{16EA0}'..='\u{16ED3}');
    let odd = |c: &char| !new(c) && (c.to_lowercase().ne([*c]) || c.to_uppercase().ne([*c]));
    let characters: Vec<char> = (char::MIN..=char::MAX).filter(odd).collect();
    assert!(characters.len() > 2_500);
    let template = &generate::load(&[
        json!({"title": "t", "logsource": {"category": "test"}, "detection": {"s": {"a": "b"}, "condition": "s"}}),
    ])[0];
    let pattern = |c: char, around: bool| {
        let mut pieces = vec![Piece::Literal(c.to_string())];
        if around {
            pieces.insert(0, Piece::Many);
            pieces.push(Piece::Many);
        }
        Test::Text(Pattern { pieces, cased: false })
    };
    let rules = [false, true].into_iter().flat_map(|around| characters.iter().map(move |&c| (c, around)));
    let rules = rules.map(|(c, around)| Rule {
        condition: Search::Field(FieldTest { field: "a".to_owned(), test: pattern(c, around) }),
        ..template.clone()
    });
    let mut engine = Engine::new(rules.collect());
    let mut held = 0;
    for &c in characters.iter().step_by(7).chain(&['\u{212A}', 'ſ', 'ẞ', 'ß', 'İ', 'ı', 'ς', 'µ', 'Ω']) {
        held += engine.check(&json!({"a": c.to_string()})).len();
    }
    assert!(held > 2 * 2 * characters.len() / 7);
}
