//! `rules explain`: one rule in words.
//!
//! Must never leave out a part of the rule that decides whether it fires or where its alert goes.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use rules::ast::{AlertSpec, Correlation, ListUse, OnMissing, Rule, Status};
use rules::pack::PackRule;
use rules::parse::load_texts;
use rules::words::{self, span};
use serde_json::{Value, json};

use super::list::type_word;
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
    // One set: what one file says of a rule of another must be known here too.
    let texts: Vec<_> = files.iter().map(|file| (file.file.clone(), file.rule_text.as_str())).collect();
    let loaded = load_texts(&texts, &settings());
    complain("error", &loaded.refused);
    for rule in loaded.rules {
        names.push(rules::proof::name_of(&rule));
        let file = files.iter().find(|file| file.file == *rule.origin.file);
        found.extend(file.filter(|file| is_meant(&args.name, file, &rule)).map(|file| (file, rule)));
    }
    let meant = |of: &&Correlation| {
        let known = [of.name.as_deref(), Some(of.id.as_str()), Some(of.title.as_str())];
        known.into_iter().flatten().any(|known| known.eq_ignore_ascii_case(&args.name))
    };
    let correlations: Vec<&Correlation> = loaded.correlations.iter().filter(meant).collect();
    names.extend(loaded.correlations.iter().map(|of| of.name.clone().unwrap_or_else(|| of.id.clone())));
    if found.is_empty() && correlations.is_empty() {
        bail!("no rule is called `{}` (hint: these are: {})", args.name, names.join(", "));
    }
    if args.json {
        let rules = found.iter().map(|(file, rule)| as_json(file, rule));
        let rows: Value = rules.chain(correlations.iter().map(|of| correlation_json(of))).collect();
        print(&format!("{rows}\n"))?;
    } else {
        let rules = found.iter().map(|(file, rule)| in_words(file, rule));
        let texts: Vec<String> = rules.chain(correlations.iter().map(|of| correlation_in_words(of))).collect();
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
    memories(rule).iter().for_each(|memory| line(format!("  - and {memory}")));
    if !rule.lists.is_empty() {
        line("Needs the live lists".to_owned());
        rule.lists.iter().for_each(|list| line(format!("  - {}", list_words(list))));
    }
    line("Tells".to_owned());
    alert_words(rule.alert.as_ref(), RULE_KEY).into_iter().for_each(|words| line(format!("  - {words}")));
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

/// The parts of a correlation that decide whether it fires and where its alert goes.
fn correlation_in_words(of: &Correlation) -> String {
    let mut lines = vec![format!("{}  {}", of.name.as_deref().unwrap_or(&of.id), of.title)];
    let status = of.status.map_or(String::new(), |status| format!(", status {}", status_word(status)));
    lines.push(format!("{}:{}, level {}{status}", of.origin.file.display(), of.origin.line, of.level.name()));
    lines.push(format!("id {}", of.id));
    if let Some(description) = &of.description {
        lines.push(String::new());
        lines.extend(wrapped(description));
    }
    let names: Vec<&str> = of.references.iter().map(|reference| reference.name.as_str()).collect();
    lines.push(format!("\nLooks at  what {} match ({})", names.join(", "), type_word(of.kind)));
    lines.push("Fires when".to_owned());
    lines.extend(words::correlation(of).into_iter().map(|part| format!("  - {part}")));
    if !of.lists.is_empty() {
        lines.push("Needs the live lists".to_owned());
        lines.extend(of.lists.iter().map(|list| format!("  - {}", list_words(list))));
    }
    lines.push("Tells".to_owned());
    let key: Vec<&str> = of.group_by.iter().map(|field| field.name.as_str()).collect();
    lines.extend(alert_words(of.alert.as_ref(), &correlation_key(&key)).into_iter().map(|told| format!("  - {told}")));
    if of.generate {
        lines.push("  - the alerts of its rules too".to_owned());
    }
    lines.push(format!("Tags  {}", if of.tags.is_empty() { "-".to_owned() } else { of.tags.join(" ") }));
    if !of.falsepositives.is_empty() {
        lines.push("May be wrong about".to_owned());
        lines.extend(of.falsepositives.iter().map(|told| format!("  - {told}")));
    }
    lines.join("\n") + "\n"
}

fn correlation_key(key: &[&str]) -> String {
    match key {
        [] => "one alert for all".to_owned(),
        key => format!("one alert for each {}", key.join(", ")),
    }
}

fn correlation_json(of: &Correlation) -> Value {
    let key: Vec<&str> = of.group_by.iter().map(|field| field.name.as_str()).collect();
    json!({
        "name": of.name, "id": of.id, "title": of.title, "level": of.level.name(),
        "status": of.status.map(status_word), "description": of.description.as_deref().map(str::trim),
        "file": of.origin.file.display().to_string(), "line": of.origin.line, "type": type_word(of.kind),
        "rules": of.references.iter().map(|reference| reference.name.as_str()).collect::<Vec<_>>(),
        "condition": words::correlation(of), "generate": of.generate,
        "lists": of.lists.iter().map(list_words).collect::<Vec<_>>(),
        "alert": alert_words(of.alert.as_ref(), &correlation_key(&key)),
        "tags": of.tags, "falsepositives": of.falsepositives,
    })
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

/// What one alert of a rule without a key of its own is.
const RULE_KEY: &str = "one alert for each repository, else actor, else event";

/// Where the alerts go and what one alert is.
fn alert_words(alert: Option<&AlertSpec>, default_key: &str) -> Vec<String> {
    let default_key = default_key.to_owned();
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
    told.extend(alert.group.iter().map(|fields| format!("told together by {}", fields.join(", "))));
    if !alert.suppress_when.is_empty() {
        told.push(format!("not while {} holds", alert.suppress_when.join(" or ")));
    }
    told.extend(alert.never_suppress.then(|| "nothing silences it".to_owned()));
    told.extend(alert.composite.then(|| "a joined incident is told once more".to_owned()));
    told.extend(alert.owner.iter().map(|owner| format!("owner {owner}")));
    told.extend(alert.runbook.iter().map(|runbook| format!("runbook {runbook}")));
    told
}

/// What earlier events decide.
fn memories(rule: &Rule) -> Vec<String> {
    let learned = rule.new_terms.iter().map(words::new_terms).chain(rule.detector.iter().map(words::detector));
    rule.memories.iter().map(words::memory).chain(learned).collect()
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
        "memories": memories(rule),
        "lists": rule.lists.iter().map(list_words).collect::<Vec<_>>(),
        "alert": alert_words(alert, RULE_KEY),
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
        let told = alert_words(loaded.rules[0].alert.as_ref(), RULE_KEY);
        assert_eq!(told, ["a page when b is 'd'", "else a ticket", "one alert for each b", "again after 90m"]);
        assert_eq!(alert_words(None, RULE_KEY), ["a ticket", "one alert for each repository, else actor, else event"]);
    }

    #[test]
    fn prose_stays_on_the_screen() {
        let lines = wrapped(&"word ".repeat(60));
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= PROSE), "{lines:?}");
        assert_eq!(lines.join(" ").split(' ').count(), 60);
        assert_eq!((span(604_800_000), span(5_400_000), span(1)), ("7d".to_owned(), "90m".into(), "1ms".into()));
    }
}
