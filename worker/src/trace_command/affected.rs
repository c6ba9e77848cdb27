//! What was reached, for people and for scripts.

use std::collections::BTreeSet;

use rules::lineage::{Artifact, Key, Kind, Placed, Reached, RunReached};
use serde_json::{Value, json};

use super::read::Readings;
use super::told::Words;
use crate::rules_command::table;

/// Keys of one kind that the table of what else was reached names.
const KEYS_MAX: usize = 6;

pub(super) fn in_words(words: &Words, reached: &Reached) -> String {
    let mut text = format!("{} {}\n", reached.start.kind.name(), words.key(&reached.start));
    if !reached.artifacts.is_empty() {
        let mut rows = table(&["artifact", "digest", "first seen", "sbom", "services"], &[4]);
        for of in &reached.artifacts {
            rows.add_row([
                words.name(of.digest.kind, &of.names).unwrap_or_default(),
                words.short(&of.digest),
                of.first.as_ref().map(|seen| seen.time.to_string()).unwrap_or_default(),
                if of.has_sbom { "yes" } else { "no" }.to_owned(),
                of.services.iter().map(|placed| place(words, placed)).collect::<Vec<_>>().join("\n"),
            ]);
        }
        text.push_str(&format!("\n{}\n", rows.trim_fmt()));
    }
    if !reached.runs.is_empty() {
        let mut rows = table(&["run", "repository", "first seen", ""], &[]);
        for of in &reached.runs {
            rows.add_row([
                words.short(&of.run),
                words.name(of.run.kind, &of.names).unwrap_or_default(),
                of.first.as_ref().map(|seen| seen.time.to_string()).unwrap_or_default(),
                if of.hops.is_some() { "reached" } else { "made an artifact" }.to_owned(),
            ]);
        }
        text.push_str(&format!("\n{}\n", rows.trim_fmt()));
    }
    if !reached.others.is_empty() {
        let mut rows = table(&["also reached", "", "keys"], &[2]);
        for kind in Kind::ALL {
            let keys = reached.others.iter().filter(|(key, _)| key.kind == kind);
            let keys: Vec<String> = keys.map(|(key, _)| words.short(key)).collect();
            if !keys.is_empty() {
                rows.add_row([kind.name().to_owned(), keys.len().to_string(), some(&keys)]);
            }
        }
        text.push_str(&format!("\n{}\n", rows.trim_fmt()));
    }
    text.push('\n');
    text.push_str(&words.left_out(&reached.hubs, reached.is_cut));
    text.push_str(&summary(words, reached));
    text
}

/// The first of some keys.
fn some(keys: &[String]) -> String {
    let told = keys.iter().take(KEYS_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    if keys.len() > KEYS_MAX { format!("{told} and {} more", keys.len() - KEYS_MAX) } else { told }
}

fn place(words: &Words, placed: &Placed) -> String {
    let service = words.short(&placed.service);
    match placed.is_current {
        true => format!("{service} since {}", placed.first.time),
        false => format!("{service} {} to {}", placed.first.time, placed.last.time),
    }
}

fn summary(words: &Words, reached: &Reached) -> String {
    let deployed = reached.artifacts.iter().filter(|of| !of.services.is_empty()).count();
    let places = || reached.artifacts.iter().flat_map(|of| &of.services);
    let services: BTreeSet<&Key> = places().map(|placed| &placed.service).chain(&reached.services).collect();
    let current = places().filter(|placed| placed.is_current).count();
    let mut text = format!(
        "{}, {deployed} of them deployed; {}, {current} of them still; {}\n",
        count(reached.artifacts.len(), "artifact"),
        count(services.len(), "service"),
        count(reached.runs.len(), "run"),
    );
    if !reached.unknown.is_empty() {
        let names: Vec<String> = reached.unknown.iter().map(|service| words.short(service)).collect();
        let has = if names.len() == 1 { "has" } else { "have" };
        let of = count(names.len(), "service");
        let names = names.join(", ");
        text.push_str(&format!("unknown: {of} {has} no SBOM of what runs there: {names}\n"));
    }
    text
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

pub(super) fn as_json(words: &Words, readings: &Readings, reached: &Reached) -> String {
    let keys = |keys: &[Key]| keys.iter().map(|key| words.as_json(key)).collect::<Vec<Value>>();
    let placed = |placed: &Placed| {
        json!({
            "service": words.key(&placed.service), "current": placed.is_current,
            "first": words.seen_json(&placed.first), "last": words.seen_json(&placed.last),
        })
    };
    let artifact = |of: &Artifact| {
        json!({
            "digest": words.key(&of.digest), "names": words.names(of.digest.kind, &of.names), "hops": of.hops,
            "sbom": of.has_sbom, "first": of.first.as_ref().map(|seen| words.seen_json(seen)),
            "services": of.services.iter().map(placed).collect::<Vec<_>>(),
        })
    };
    let run = |of: &RunReached| {
        json!({
            "run": words.key(&of.run), "repositories": words.names(of.run.kind, &of.names), "hops": of.hops,
            "first": of.first.as_ref().map(|seen| words.seen_json(seen)),
        })
    };
    let told = json!({
        "key": words.as_json(&reached.start),
        "artifacts": reached.artifacts.iter().map(artifact).collect::<Vec<_>>(),
        "services_without_digest": keys(&reached.services),
        "runs": reached.runs.iter().map(run).collect::<Vec<_>>(),
        "others": reached.others.iter().map(|(key, _)| words.as_json(key)).collect::<Vec<_>>(),
        "services_without_sbom": keys(&reached.unknown),
        "hubs": words.hubs_json(&reached.hubs),
        "cut": reached.is_cut,
        "read": readings.as_json(),
    });
    format!("{told}\n")
}
