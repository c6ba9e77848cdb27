//! `pipewarden rules`: check, test, list and explain rules, without a source or a run.
//!
//! Results go to standard output, complaints to standard error. Must never change a file.

mod check;
mod explain;
mod list;
mod test;
mod timeline;
mod trial;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use rules::ast::{AlertRoute, AlertSpec, LogSource};
use rules::parse::{Diagnostic, Loaded, Settings, load_texts};
use serde_json::{Value, json};

use crate::ruleset::RuleSet;

/// Arguments of `pipewarden rules`.
#[derive(Debug, Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Load rules and say everything that is wrong with them
    ///
    /// Every message has the file, the line and a hint. Nothing is evaluated: `rules test` does that.
    ///
    /// Exit code: 0 all load, 2 at least one does not.
    #[command(after_help = "Example:\n  pipewarden rules check my-rules/ more/one-rule.yml")]
    Check(check::CheckArgs),
    /// Run the proofs of rules: they fire where they must, stay silent where they must, and no part is idle
    ///
    /// A proof stands beside rule.yml: fires.jsonl and silent.jsonl hold native records, one a line, and lists.json the
    /// live lists they are judged with. A line that is an array is a timeline: its records in the order in which they
    /// arrive, followed by the end of input. Each conjunct of the rule is then left out and negated in turn, of a
    /// correlation each field of its key, each bound, reference and deadline is changed, and the proof must notice every
    /// such mutant. A comment `# equivalent: RULE CHANGE: why` in rule.yml excuses one that nothing can tell apart.
    ///
    /// Exit code: 0 all proofs pass, 1 one does not, 2 a rule does not load.
    #[command(after_help = "Examples:\n  pipewarden rules test\n  pipewarden rules test my-rules/web-shell/")]
    Test(test::TestArgs),
    /// List rules: where their alerts go, what they look at and which live lists they need
    #[command(
        after_help = "Examples:\n  pipewarden rules list\n  pipewarden rules list --json my-rules/ | jq -r '.[].name'"
    )]
    List(list::ListArgs),
    /// Say in words what a rule looks for, what it needs, and what to do when it fires
    #[command(
        after_help = "Examples:\n  pipewarden rules explain RUN-03\n  pipewarden rules explain --rules my-rules/ web-shell"
    )]
    Explain(explain::ExplainArgs),
}

/// Runs the command.
///
/// # Errors
/// When rule files cannot be read or the result cannot be written.
pub fn run(args: RulesArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        RulesCommand::Check(args) => check::run(&args),
        RulesCommand::Test(args) => test::run(&args),
        RulesCommand::List(args) => list::run(&args),
        RulesCommand::Explain(args) => explain::run(&args),
    }
}

/// Exit code where a rule does not load.
const REFUSED: u8 = 2;

/// What rules may assume when they are loaded outside a run.
fn settings() -> Settings {
    Settings { model_fields: Some(model::field_hint), ..Settings::default() }
}

/// The pack where no path is given, else what stands under the paths.
fn sources(paths: &[PathBuf]) -> anyhow::Result<Vec<rules::pack::PackRule>> {
    if paths.is_empty() {
        return Ok(rules::pack::pack());
    }
    let mut found = Vec::new();
    for path in paths {
        found.extend(rules::pack::read(path)?);
    }
    Ok(found)
}

/// The set's documents with what they refer to: correlations among them.
fn documents(set: &RuleSet) -> Loaded {
    let texts: Vec<(PathBuf, &str)> = set.texts.iter().map(|of| (of.file.clone(), of.text.as_str())).collect();
    load_texts(&texts, &settings())
}

/// Writes a result; a reader that went away early (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes messages to standard error, each with a word before it.
fn complain(word: &str, messages: &[Diagnostic]) {
    let mut out = io::stderr().lock();
    for message in messages {
        // Standard error is the last resort: when it is closed there is nobody to tell.
        let _ = writeln!(out, "{word}: {message}");
    }
}

fn diagnostics_json(messages: &[Diagnostic]) -> Value {
    let one = |message: &Diagnostic| {
        json!({
            "file": message.file.display().to_string(), "line": message.line, "rule": message.rule,
            "message": message.message, "hint": message.hint,
        })
    };
    messages.iter().map(one).collect()
}

/// The class of our own events, `product/category/service` of others.
fn logsource_words(logsource: &LogSource) -> String {
    if let (Some("pipewarden"), Some(class), None) =
        (logsource.product.as_deref(), &logsource.category, &logsource.service)
    {
        return class.clone();
    }
    let parts = [&logsource.product, &logsource.category, &logsource.service];
    let words: Vec<&str> = parts.iter().filter_map(|part| part.as_deref()).collect();
    words.join("/")
}

/// Where alerts can go, in the order of the routes.
fn routes_of(alert: Option<&AlertSpec>) -> Vec<&'static str> {
    let routes = alert.map_or(&[][..], |alert| &alert.routes);
    let mut names: Vec<&'static str> = Vec::new();
    for AlertRoute { urgency, .. } in routes {
        if !names.contains(&urgency.name()) {
            names.push(urgency.name());
        }
    }
    names.sort_unstable();
    // Where no route's condition is true it is a ticket.
    if routes.iter().all(|route| route.when.is_some()) && !names.contains(&"ticket") {
        names.push("ticket");
    }
    names
}

/// A table that reads without colour. Where nobody watches, a row is a line; on a terminal the columns named in `wraps`
/// give way.
pub(crate) fn table(head: &[&str], wraps: &[usize]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    if table.width().is_some() {
        table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    }
    table.set_header(head.iter().map(|cell| cell.to_uppercase()));
    for (at, column) in table.column_iter_mut().enumerate() {
        if !wraps.contains(&at) {
            column.set_constraint(comfy_table::ColumnConstraint::ContentWidth);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_sources_and_routes_read_short() {
        let text = "title: t\nlogsource: {product: pipewarden, category: ci.job}\ndetection: {a: {prov.env: prod}, condition: a}\n\
                    x-alert: {route: [{when: {prov.env: prod}, route: page}]}\n---\n\
                    title: u\nlogsource: {product: github, service: audit}\ndetection: {a: {action: x}, condition: a}\n";
        let loaded = rules::parse::load_texts(&[("r.yml".into(), text)], &settings());
        assert!(loaded.refused.is_empty(), "{:?}", loaded.refused);
        let told: Vec<_> = loaded
            .rules
            .iter()
            .map(|rule| (logsource_words(&rule.logsource), routes_of(rule.alert.as_ref()).join(" or ")))
            .collect();
        assert_eq!(
            told,
            [("ci.job".to_owned(), "page or ticket".to_owned()), ("github/audit".into(), "ticket".into())]
        );
    }
}
