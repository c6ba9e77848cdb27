//! A chain, for people and for scripts.

use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};
use rules::lineage::{Chain, Missing, Row};
use serde_json::{Value, json};

use super::read::Readings;
use super::told::Words;
use crate::rules_command::table;

pub(super) fn in_words(words: &Words, chain: &Chain) -> String {
    let style = if std::io::stdout().is_terminal() {
        Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()))
    } else {
        Style::new()
    };
    let mut lines: Vec<(usize, [String; 6])> = Vec::new();
    for row in &chain.rows {
        lines.push((row.stage as usize, line(words, row)));
    }
    for missing in &chain.missing {
        let what = match &missing.of {
            // The one artifact that is asked for needs no name.
            Some(of) if *of != chain.start => format!("of {}", words.short(of)),
            _ => String::new(),
        };
        let stage = missing.stage.name().to_owned();
        let what = format!("{style}missing{style:#} {what}").trim_end().to_owned();
        lines.push((missing.stage as usize, [stage, what, String::new(), String::new(), String::new(), String::new()]));
    }
    lines.sort_by_key(|(stage, _)| *stage);
    let mut rows = table(&["stage", "what", "hops", "when", "who", "evidence"], &[1, 4, 5]);
    lines.into_iter().for_each(|(_, line)| {
        rows.add_row(line);
    });
    let start = format!("{} {}", chain.start.kind.name(), words.key(&chain.start));
    format!("{start}\n\n{}\n\n{}{}", rows.trim_fmt(), words.left_out(&chain.hubs, chain.is_cut), summary(chain))
}

fn line(words: &Words, row: &Row) -> [String; 6] {
    let when = match (row.seen.first(), row.seen.last()) {
        (Some(first), Some(last)) if first.time != last.time => format!("{}\n{}", first.time, last.time),
        (Some(first), _) => first.time.to_string(),
        (None, _) => String::new(),
    };
    [
        row.stage.name().to_owned(),
        words.named(&row.what, &row.names),
        row.hops.to_string(),
        when,
        words.who(&row.seen).join("\n"),
        words.evidence(&row.seen),
    ]
}

fn summary(chain: &Chain) -> String {
    let mut stages: Vec<&str> = chain.missing.iter().map(|missing| missing.stage.name()).collect();
    stages.dedup();
    match stages.as_slice() {
        [] => "nothing is missing\n".to_owned(),
        stages => format!("missing: {}\n", stages.join(", ")),
    }
}

pub(super) fn as_json(words: &Words, readings: &Readings, chain: &Chain) -> String {
    let row = |row: &Row| {
        let mut told = words.as_json(&row.what);
        if let Some(told) = told.as_object_mut() {
            let times = [("first", row.seen.first()), ("last", row.seen.last())];
            told.insert("stage".to_owned(), json!(row.stage.name()));
            told.insert("names".to_owned(), json!(words.names(row.what.kind, &row.names)));
            told.insert("hops".to_owned(), json!(row.hops));
            told.insert("who".to_owned(), json!(words.who(&row.seen)));
            told.extend(times.map(|(name, seen)| (name.to_owned(), json!(seen.map(|seen| seen.time.to_string())))));
            let evidence: Vec<Value> = row.seen.iter().map(|seen| words.seen_json(seen)).collect();
            told.insert("evidence".to_owned(), json!(evidence));
        }
        told
    };
    let missing = |missing: &Missing| json!({ "stage": missing.stage.name(), "of": missing.of.as_ref().map(|of| words.as_json(of)) });
    let told = json!({
        "key": words.as_json(&chain.start),
        "chain": chain.rows.iter().map(row).collect::<Vec<_>>(),
        "missing": chain.missing.iter().map(missing).collect::<Vec<_>>(),
        "hubs": words.hubs_json(&chain.hubs),
        "cut": chain.is_cut,
        "read": readings.as_json(),
    });
    format!("{told}\n")
}
