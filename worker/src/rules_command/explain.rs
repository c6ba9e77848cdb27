//! `rules explain`: one rule in words.
//!
//! Must never leave out a part of the rule that decides whether it fires or where its alert goes.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use rules::ast::{AlertSpec, ListUse, OnMissing, Rule, Status};
use rules::pack::PackRule;
use rules::parse::load_texts;
use rules::words;
use serde_json::{Value, json};

use super::{complain, logsource_words, print, settings, sources};

/// Arguments of `rules explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Name, id or title of the rule, or name of its folder
    #[arg(value_name = "NAME|ID")]
    name: String,
    /// Where to look for it: rule files, or folders of them [default: the rules that pipewarden brings]
    #[arg(long = "rules", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print a JSON array instead of words
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let files = sources(&args.paths)?;
    let mut found = Vec::new();
    let mut names = Vec::new();
    for file in &files {
        let loaded = load_texts(&[(file.file.clone(), file.rule_text.as_str())], &settings());
        complain("error", &loaded.refused);
        for rule in loaded.rules {
            names.push(rules::proof::name_of(&rule));
            if is_meant(&args.name, file, &rule) {
                found.push((file, rule));
            }
        }
    }
    if found.is_empty() {
        bail!("no rule is called `{}` (hint: these are: {})", args.name, names.join(", "));
    }
    if args.json {
        let rows: Value = found.iter().map(|(file, rule)| as_json(file, rule)).collect();
        print(&format!("{rows}\n"))?;
    } else {
        let texts: Vec<String> = found.iter().map(|(file, rule)| in_words(file, rule)).collect();
        print(&texts.join("\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn is_meant(name: &str, file: &PackRule, rule: &Rule) -> bool {
    let known = [rule.name.as_deref(), Some(rule.id.as_str()), Some(rule.title.as_str()), Some(file.folder.as_str())];
    known.into_iter().flatten().any(|known| known.eq_ignore_ascii_case(name))
}

fn in_words(file: &PackRule, rule: &Rule) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        text.push_str(&words);
        text.push('\n');
    };
    line(format!("{}  {}", rules::proof::name_of(rule), rule.title));
    let status = rule.status.map_or(String::new(), |status| format!(", status {}", status_word(status)));
    line(format!("{}:{}, level {}{status}", rule.origin.file.display(), rule.origin.line, rule.level.name()));
    line(format!("id {}", rule.id));
    if let Some(description) = &rule.description {
        line(String::new());
        wrapped(description).into_iter().for_each(&mut line);
    }
    line(format!("\nLooks at  {}", events_words(rule)));
    line("Fires when".to_owned());
    words::tree(&rule.condition).into_iter().for_each(|branch| line(format!("  {branch}")));
    rule.wheres.iter().for_each(|expression| line(format!("  - and {}", expression.source)));
    if !rule.lists.is_empty() {
        line("Needs the live lists".to_owned());
        rule.lists.iter().for_each(|list| line(format!("  - {}", list_words(list))));
    }
    line("Tells".to_owned());
    alert_words(rule.alert.as_ref()).into_iter().for_each(|words| line(format!("  - {words}")));
    line(format!("Tags  {}", if rule.tags.is_empty() { "-".to_owned() } else { rule.tags.join(" ") }));
    if !rule.falsepositives.is_empty() {
        line("May be wrong about".to_owned());
        rule.falsepositives.iter().for_each(|words| line(format!("  - {words}")));
    }
    line(match file.has_proof() {
        true => format!("Proof  {} records that fire, {} that stay silent", file.fires.len(), file.silent.len()),
        false => "Proof  none".to_owned(),
    });
    if let Some(runbook) = &file.runbook {
        line(format!("\n{}", runbook.trim_end()));
    }
    text
}

/// Which events the rule looks at.
fn events_words(rule: &Rule) -> String {
    let logsource = logsource_words(&rule.logsource);
    match rule.logsource.product.as_deref() {
        Some("pipewarden") => format!("{logsource} events of every source, by the model's fields"),
        _ => format!("{logsource} records, by their own fields"),
    }
}

/// Characters of a line of prose.
const PROSE: usize = 100;

/// The text in lines of bounded length.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < PROSE => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Stable => "stable",
        Status::Test => "test",
        Status::Experimental => "experimental",
        Status::Deprecated => "deprecated",
        Status::Unsupported => "unsupported",
    }
}

fn list_words(list: &ListUse) -> String {
    let missing = match list.on_missing {
        OnMissing::FailOpenTicket => "the rule never rises above a ticket",
        OnMissing::FailClosed => "the rule is silent",
    };
    let (states, age) = match list.ttl_ms {
        Some(ttl) => ("missing, empty or stale", format!(", stale after {}", span(ttl))),
        None => ("missing or empty", String::new()),
    };
    format!("{}{age}; while it is {states}, {missing}", list.name)
}

/// Where the alerts go and what one alert is.
fn alert_words(alert: Option<&AlertSpec>) -> Vec<String> {
    let default_key = "one alert for each repository, else actor, else event".to_owned();
    let Some(alert) = alert else { return vec!["a ticket".to_owned(), default_key] };
    let mut told = Vec::new();
    let mut is_open = true;
    for route in &alert.routes {
        let before = if told.is_empty() { "" } else { "else " };
        match &route.when {
            Some(when) => told.push(format!("{before}a {} when {}", route.urgency.name(), words::one_line(when))),
            None => {
                told.push(format!("{before}a {}", route.urgency.name()));
                is_open = false;
                break;
            }
        }
    }
    if is_open {
        told.push(if told.is_empty() { "a ticket".to_owned() } else { "else a ticket".to_owned() });
    }
    told.push(match &alert.fingerprint {
        Some(fields) => format!("one alert for each {}", fields.join(", ")),
        None => default_key,
    });
    told.extend(alert.realert_ms.map(|ms| format!("again after {}", span(ms))));
    told.extend(alert.owner.iter().map(|owner| format!("owner {owner}")));
    told.extend(alert.runbook.iter().map(|runbook| format!("runbook {runbook}")));
    told
}

/// Milliseconds in the largest unit that divides them.
fn span(ms: i64) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    let unit = units.into_iter().find(|(_, length)| ms % length == 0);
    unit.map_or_else(|| format!("{ms}ms"), |(name, length)| format!("{}{name}", ms / length))
}

fn as_json(file: &PackRule, rule: &Rule) -> Value {
    let wheres: Vec<&str> = rule.wheres.iter().map(|expression| expression.source.as_str()).collect();
    let alert = rule.alert.as_ref();
    json!({
        "name": rule.name, "id": rule.id, "title": rule.title, "level": rule.level.name(),
        "status": rule.status.map(status_word), "description": rule.description.as_deref().map(str::trim),
        "file": rule.origin.file.display().to_string(), "line": rule.origin.line,
        "logsource": logsource_words(&rule.logsource),
        "condition": words::one_line(&rule.condition), "where": wheres,
        "lists": rule.lists.iter().map(list_words).collect::<Vec<_>>(),
        "alert": alert_words(alert),
        "fingerprint": alert.and_then(|alert| alert.fingerprint.clone()),
        "owner": alert.and_then(|alert| alert.owner.clone()),
        "tags": rule.tags, "falsepositives": rule.falsepositives,
        "proof": { "fires": file.fires.len(), "silent": file.silent.len() },
        "runbook": file.runbook,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_read_in_their_order() {
        let text = "title: t\nlogsource: {product: x}\ndetection: {a: {b: c}, condition: a}\n\
                    x-alert: {route: [{when: {b: d}, route: page}], realert: 90m, fingerprint: [b]}\n";
        let loaded = load_texts(&[("r.yml".into(), text)], &settings());
        let told = alert_words(loaded.rules[0].alert.as_ref());
        assert_eq!(told, ["a page when b is 'd'", "else a ticket", "one alert for each b", "again after 90m"]);
        assert_eq!(alert_words(None), ["a ticket", "one alert for each repository, else actor, else event"]);
    }

    #[test]
    fn prose_stays_on_the_screen() {
        let lines = wrapped(&"word ".repeat(60));
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= PROSE), "{lines:?}");
        assert_eq!(lines.join(" ").split(' ').count(), 60);
        assert_eq!((span(604_800_000), span(5_400_000), span(1)), ("7d".to_owned(), "90m".into(), "1ms".into()));
    }
}
