//! The findings of a verification, for people and for scripts.
//!
//! The first word is the verdict; what differs has a line each. Must never print a text that was not redacted.

use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};
use model::cut;
use serde_json::{Value, json};

use super::findings::{Again, Findings, Verdict};
use crate::alerts_file::{Alert, printable};
use crate::evidence::Standing;

/// Longest text of a member that differs, in characters.
const MEMBER_MAX: usize = 160;

pub(super) fn in_words(alert: &Alert, findings: &Findings) -> String {
    let (word, colour) = match findings.verdict() {
        Verdict::Verified => ("verified", AnsiColor::Green),
        Verdict::Differs => ("differs", AnsiColor::Red),
        Verdict::Unchecked => ("not checked", AnsiColor::Yellow),
    };
    let style = match std::io::stdout().is_terminal() {
        true => Style::new().bold().fg_color(Some(colour.into())),
        false => Style::new(),
    };
    let title = alert.lines.last().map_or("", |line| line.record.rule.title.as_str());
    let mut lines = vec![format!("{style}{word}{style:#}  {}  {}", alert.fingerprint, printable(title))];
    lines.extend(events(findings));
    if let Some((fired, at_hand)) = &findings.version {
        lines.push(format!("  rule     version {} fired, version {} is at hand", fired.hex(), at_hand.hex()));
    }
    lines.extend(records(alert, findings));
    lines.extend(findings.unchecked.iter().map(|why| format!("  not checked: {}", printable(why))));
    lines.join("\n") + "\n"
}

fn events(findings: &Findings) -> Vec<String> {
    let Some(looked) = &findings.events else {
        return vec!["  events   in Kafka: a record that comes out again has the hashes of the same bytes".to_owned()];
    };
    let same = looked.of.values().filter(|of| matches!(of, Standing::Same(_))).count();
    let all = looked.of.len() + findings.missing.len();
    let mut lines =
        vec![format!("  events   {same} of {all} are there, byte for byte ({} events were looked at)", looked.events)];
    for (evidence, standing) in &looked.of {
        if let Standing::Changed(found) = standing {
            let (id, was, is) = (printable(&evidence.id), evidence.sha256.hex(), found.sha256.hex());
            lines.push(format!(
                "  event    {id} has changed: {} has sha256 {is}, the record says {was}",
                found.position
            ));
        }
    }
    for evidence in &findings.missing {
        let (id, hash) = (printable(&evidence.id), evidence.sha256.hex());
        lines.push(format!("  event    {id} is missing: none of the inputs holds sha256 {hash}"));
    }
    lines
}

fn records(alert: &Alert, findings: &Findings) -> Vec<String> {
    let same = findings.records.iter().filter(|again| **again == Again::Same).count();
    let mut lines = vec![format!("  records  {same} of {} come out again", findings.records.len())];
    for (line, again) in alert.lines.iter().zip(&findings.records) {
        let time = line.record.event_time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let name = format!("  record   {} {time}", line.record.state.name());
        match again {
            Again::Same => {}
            Again::Gone => lines.push(format!("{name} does not come out again")),
            Again::Unchecked(why) => lines.push(format!("{name} is not checked: {why}")),
            Again::Differs(members) => {
                lines.push(format!("{name} differs in {}{}", names(members), hint(members)));
                for (member, was, is) in members {
                    let short = |text: &str| printable(&cut(text, MEMBER_MAX));
                    lines.push(format!("             {member}: {} is now {}", short(was), short(is)));
                }
            }
        }
    }
    if !findings.more.is_empty() {
        lines.push(format!("  note     {} more records come out that are not in the file", findings.more.len()));
    }
    lines
}

fn names(members: &[(String, String, String)]) -> String {
    members.iter().map(|(member, ..)| member.as_str()).collect::<Vec<_>>().join(", ")
}

fn hint(members: &[(String, String, String)]) -> &'static str {
    match members {
        [(member, ..)] if member == "explain" => " (hint: it names the source; --source NAME as it was)",
        _ => "",
    }
}

pub(super) fn as_json(alert: &Alert, findings: &Findings) -> String {
    let event = |(evidence, standing): (&model::Evidence, &Standing)| {
        let (name, found) = match standing {
            Standing::Same(found) => ("same", Some(found)),
            Standing::Changed(found) => ("changed", Some(found)),
            Standing::Missing => ("missing", None),
        };
        json!({ "id": evidence.id, "sha256": evidence.sha256, "standing": name,
                "position": found.map(|found| &found.position), "found_sha256": found.map(|found| found.sha256) })
    };
    let looked = findings.events.iter().flat_map(|looked| &looked.of);
    let missing = findings.missing.iter().map(|evidence| (evidence, &Standing::Missing));
    let events: Vec<Value> = looked.chain(missing).map(event).collect();
    let record = |(line, again): (&crate::alerts_file::Line, &Again)| json!({ "state": line.record.state, "event_time": line.record.event_time, "again": again });
    let version = findings.version.map(|(fired, at_hand)| json!({ "fired": fired, "at_hand": at_hand }));
    let object = json!({
        "fingerprint": alert.fingerprint, "verdict": findings.verdict(), "events": events,
        "events_looked_for": findings.events.is_some(), "other_rule_version": version,
        "records": alert.lines.iter().zip(&findings.records).map(record).collect::<Vec<_>>(),
        "more": findings.more.len(), "unchecked": findings.unchecked,
    });
    format!("{object}\n")
}
