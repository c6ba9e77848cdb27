//! scratch
use std::sync::Arc;
use std::time::Instant;
use model::Row;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let loaded = rules::parse::load_paths(&[args[1].clone().into()], &Default::default());
    let mut list: Vec<Arc<rules::ast::Rule>> = loaded.rules.into_iter().map(Arc::new).collect();
    if args.len() > 3 {
        fn kw(s: &rules::ast::Search) -> bool { match s { rules::ast::Search::All(p) | rules::ast::Search::Any(p) => p.iter().any(kw), rules::ast::Search::Not(p) => kw(p), rules::ast::Search::Keyword(_) => true, _ => false } }
        let want = args[3] == "kw";
        list.retain(|r| kw(&r.condition) == want);
    }
    let text = std::fs::read_to_string("/tmp/corpus.jsonl").unwrap();
    let lines: Vec<&[u8]> = text.as_bytes().split(|&b| b == b'\n').filter(|l| !l.is_empty()).take(args[2].parse().unwrap()).collect();
    let program = rules::Program::compile(&list, |_| true).unwrap();
    let lists = rules::Lists::default();
    let mut row = Row::default();
    let mut ev = rules::Evaluator::default();
    for _ in 0..4 {
        let t = Instant::now();
        for l in &lines { let s = simdutf8::basic::from_utf8(l).unwrap(); ingest::scan(s, program.projection(), &mut row).unwrap(); }
        let a = t.elapsed().as_secs_f64();
        let t = Instant::now();
        let mut n = 0;
        for l in &lines { let s = simdutf8::basic::from_utf8(l).unwrap(); ingest::scan(s, program.projection(), &mut row).unwrap(); n += ev.holding(&program, row.view(s), &lists).len(); }
        let b = t.elapsed().as_secs_f64();
        let k = 1e6 / lines.len() as f64;
        println!("{} rules scan {:.3} all {:.3} eval {:.3} us, {} matches", list.len(), a * k, b * k, (b - a) * k, n);
    }
}
