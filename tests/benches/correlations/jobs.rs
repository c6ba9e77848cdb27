//! Whole jobs, a count and a sequence over the same bytes: `rsigma-eval`, the worker's stages in process, a whole replay.
//!
//! Must never time what one side does and the other does not without a row that leaves it out.

use std::path::Path;
use std::process::Command;

use harness::cli;
use harness::generate::Random;
use harness::stages::Stages;
use rsigma_eval::event::JsonEvent;
use rsigma_eval::{CorrelationConfig, CorrelationEngine};

use super::worked;

const DOCUMENTS: &str = "\
title: push
name: push
id: 00000000-0000-4000-8000-000000000301
logsource: {product: github}
detection: {s: {action: git.push}, condition: s}
---
title: clone
name: clone
id: 00000000-0000-4000-8000-000000000302
logsource: {product: github}
detection: {s: {action: git.clone}, condition: s}
---
title: count
id: 00000000-0000-4000-8000-000000000303
correlation: {type: event_count, rules: [push], group-by: [actor], timespan: 60s, condition: {gte: 3}}
---
title: sequence
id: 00000000-0000-4000-8000-000000000304
correlation: {type: temporal_ordered, rules: [clone, push], group-by: [actor], timespan: 60s}
";

const LATENESS_MS: usize = 300_000;

/// One count and one sequence, in order and with up to 300 s of jitter. *in process*: decoding, rules and correlations behind the
/// cursor, which is what the other engine's loop does, in event time. *replay*: the command with files, ids, duplicates, books.
pub fn jobs(rounds: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let (rules, file) = (folder.path().join("rules.yml"), folder.path().join("events.jsonl"));
    std::fs::write(&rules, DOCUMENTS).expect("written");
    let mut in_order = 0;
    for jitter_ms in [0, LATENESS_MS] {
        let text = job_lines(jitter_ms);
        std::fs::write(&file, &text).expect("written");
        let lines: Vec<&str> = text.lines().collect();
        let mut best = [f64::INFINITY; 3];
        let mut told = [0u64; 3];
        for _ in 0..rounds {
            let sides = [worked(|| rsigma(&lines)), worked(|| in_process(&lines)), replay(&rules, &file)];
            for (side, (seconds, count)) in sides.into_iter().enumerate() {
                (best[side], told[side]) = (best[side].min(seconds), count);
            }
        }
        if jitter_ms == 0 {
            assert_eq!(told[0], told[1], "rsigma and ours, in order");
            in_order = told[1];
        }
        assert_eq!(told[1..], [in_order; 2], "exact, whatever came when");
        println!("{} ms of jitter:", jitter_ms);
        for (side, name) in ["rsigma, in process", "ours, in process", "ours, a whole replay"].into_iter().enumerate() {
            let (speed, ratio) = (lines.len() as f64 / best[side], best[0] / best[side]);
            println!("  {name:<22} {speed:>10.0} events/s {ratio:>6.2} x, told {}", told[side]);
        }
    }
}

/// The side in process alone, with jitter.
pub fn ours(rounds: usize) {
    let text = job_lines(LATENESS_MS);
    let lines: Vec<&str> = text.lines().collect();
    let best = (0..rounds).map(|_| worked(|| in_process(&lines)).0).fold(f64::INFINITY, f64::min);
    println!("ours, in process, with jitter: {:.0} events/s", lines.len() as f64 / best);
}

/// The worker's stages, without files, outlets, duplicates and books.
fn in_process(lines: &[&str]) -> u64 {
    let mut stages = Stages::new(DOCUMENTS, "@timestamp", "id", LATENESS_MS as i64);
    lines.iter().for_each(|line| stages.line(line.as_bytes()));
    stages.end()
}

/// Events as audit logs have them, one on each line, in the order of arrival, which is the order in memory, too.
fn job_lines(jitter_ms: usize) -> String {
    let mut random = Random(5);
    let actions =
        ["git.push", "git.clone", "git.fetch", "repo.access", "pull_request.create", "workflows.created_workflow_run"];
    let mut events: Vec<(i64, String)> = (0..300_000)
        .map(|at| {
            // In whole seconds: the other engine keeps nothing finer.
            let ms = 1_788_220_800_000 + at as i64 / 20 * 1_000;
            let (action, actor) = (random.pick(&actions), random.below(2_000));
            let text = "x".repeat(420);
            let line = format!(
                "{{\"@timestamp\":{ms},\"id\":\"e{at:06}\",\"action\":\"{action}\",\"actor\":\"developer-{actor}\",\"actor_id\":{actor},\"repo\":\"acme/app-{}\",\"org\":\"acme\",\"country\":\"DE\",\"user_agent\":\"git/2.45.2 {text}\",\"public\":false,\"transport\":\"ssh\"}}",
                random.below(900)
            );
            (ms + random.below(jitter_ms + 1) as i64, line)
        })
        .collect();
    events.sort_by_key(|(arrives, _)| *arrives);
    let lines: Vec<String> = events.into_iter().map(|(_, line)| line).collect();
    lines.join("\n")
}

fn rsigma(lines: &[&str]) -> u64 {
    let config = CorrelationConfig { timestamp_fields: vec!["@timestamp".to_owned()], ..CorrelationConfig::default() };
    let mut engine = CorrelationEngine::new(config);
    engine.add_collection(&rsigma_parser::parse_sigma_yaml(DOCUMENTS).expect("parses")).expect("loads");
    let mut told = 0;
    for line in lines {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        told += engine.process_event(&JsonEvent::borrow(&event)).iter().filter(|result| result.is_correlation()).count()
            as u64;
    }
    told
}

/// Seconds of the replay itself, as its summary has them, and the records told, one for each match.
fn replay(rules: &Path, file: &Path) -> (f64, u64) {
    let out = Command::new(cli::binary())
        .args(["replay", "--no-pack", "--format", "json", "--time-field", "@timestamp", "--id-field", "id"])
        .args(["--lateness", "300s", "--threads", "1", "--every-match", "--json", "--rules"])
        .arg(rules)
        .arg(file)
        .output()
        .expect("starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&out.stdout).expect("a summary");
    let rules = summary["alerts"]["by_rule"].as_array().expect("rules");
    let told = rules.iter().filter_map(|rule| rule["records"]["match"].as_u64()).sum();
    (summary["seconds"].as_f64().expect("seconds"), told)
}
