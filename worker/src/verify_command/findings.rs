//! What verifying has found: each event, the rule, each record; and the verdict over all of it.
//!
//! Must never call verified what could not be looked at, nor call different what depends on arrival.

use std::collections::BTreeSet;

use model::{AlertRecord, Evidence, Sha256};
use serde::Serialize;
use serde_json::Value;

use crate::alerts_file::Alert;
use crate::evidence::{Looked, Standing};
use crate::id_reuse;
use crate::ruleset::RuleSet;

/// Stands in the name that a record gives to a secret.
const HMAC: &str = "hmac-sha256:";

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Verified,
    Differs,
    Unchecked,
}

/// What became of one record when it was told again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "result", content = "what")]
pub(super) enum Again {
    /// To the last byte, but for white space.
    Same,
    /// With other members: each with what the record says and what came out.
    Differs(Vec<(String, String, String)>),
    /// It does not come out.
    Gone,
    /// It cannot be told again, and why.
    Unchecked(String),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// None: nobody looked, because the events are in Kafka.
    pub(super) events: Option<Looked>,
    /// Events that the records name and that are in none of the inputs.
    pub(super) missing: Vec<Evidence>,
    /// The version that fired and the one at hand, where they differ.
    pub(super) version: Option<(Sha256, Sha256)>,
    /// In the order of the file.
    pub(super) records: Vec<Again>,
    /// Records that came out and are not in the file.
    pub(super) more: Vec<Value>,
    /// What could not be checked.
    pub(super) unchecked: Vec<String>,
}

impl Findings {
    pub(super) fn verdict(&self) -> Verdict {
        let changed = |looked: &Looked| looked.of.values().any(|of| matches!(of, Standing::Changed(_)));
        let differs = self.version.is_some()
            || self.events.as_ref().is_some_and(changed)
            || !self.missing.is_empty()
            || self.records.iter().any(|again| matches!(again, Again::Differs(_) | Again::Gone));
        let unchecked =
            !self.unchecked.is_empty() || self.records.iter().any(|again| matches!(again, Again::Unchecked(_)));
        match (differs, unchecked) {
            (true, _) => Verdict::Differs,
            (false, true) => Verdict::Unchecked,
            (false, false) => Verdict::Verified,
        }
    }

    /// Looks for the events in the inputs.
    pub(super) fn events(&mut self, wanted: &BTreeSet<Evidence>, looked: Looked) {
        self.missing = wanted.iter().filter(|of| !looked.of.contains_key(*of)).cloned().collect();
        self.events = Some(looked);
    }

    /// The rule that fired, among those at hand.
    pub(super) fn rule(&mut self, alert: &Alert, rules: &RuleSet) {
        let Some(last) = alert.lines.last() else { return };
        let fired = &last.record.rule;
        if *fired.id == *id_reuse::RULE_ID {
            return;
        }
        match rules.infos.iter().find(|info| info.id == fired.id) {
            Some(info) if info.version != fired.version => self.version = Some((fired.version, info.version)),
            Some(_) => {}
            None => self.unchecked.push("its rule is not among the rules at hand (hint: --rules PATH)".to_owned()),
        }
    }

    /// Inputs that could not be read.
    pub(super) fn unread(&mut self, problems: &[String]) {
        self.unchecked.extend(problems.iter().map(|problem| format!("not read: {problem}")));
    }

    /// The records of the file with what came out again.
    pub(super) fn compare(&mut self, alert: &Alert, mut heard: Vec<Value>) {
        let rule_is_here = !self.unchecked.iter().any(|why| why.starts_with("its rule"));
        let mut place = |matches: &dyn Fn(&Value) -> bool| {
            let at = heard.iter().position(matches)?;
            Some(heard.remove(at))
        };
        // What is the same is taken out first: it must not be held against another record.
        let kept: Vec<Value> =
            alert.lines.iter().map(|line| serde_json::from_str(&line.text).unwrap_or_default()).collect();
        let same: Vec<bool> = kept.iter().map(|kept| place(&|heard| heard == kept).is_some()).collect();
        for ((line, kept), is_same) in alert.lines.iter().zip(&kept).zip(same) {
            let again = match (is_same, arrival(&line.record)) {
                (true, _) => Again::Same,
                (false, Some(why)) => Again::Unchecked(why.to_owned()),
                (false, None) if !rule_is_here => Again::Unchecked("its rule is not at hand".to_owned()),
                (false, None) => {
                    let like =
                        |heard: &Value| ["state", "event_time"].iter().all(|name| heard.get(name) == kept.get(name));
                    match place(&like) {
                        Some(other) => differing(kept, &other),
                        None => Again::Gone,
                    }
                }
            };
            self.records.push(again);
        }
        self.more = heard;
    }
}

/// Why a record cannot be told again: it depends on when something arrived.
fn arrival(record: &AlertRecord) -> Option<&'static str> {
    match record {
        AlertRecord { provisional: true, .. } => Some("it is provisional: the sealed record can be verified"),
        AlertRecord { late: true, .. } => Some("it came late: when it arrived is not in the inputs"),
        AlertRecord { early: true, .. } => Some("it came early: when it arrived is not in the inputs"),
        AlertRecord { evicted: true, .. } => Some("a limit closed it: what else was open is not in the inputs"),
        _ => None,
    }
}

fn differing(kept: &Value, other: &Value) -> Again {
    let names = |of: &Value| of.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let mut all = names(kept);
    all.extend(names(other).into_iter().filter(|name| kept.get(name).is_none()));
    let text = |of: &Value, name: &str| of.get(name).map_or_else(|| "-".to_owned(), ToString::to_string);
    let differing = all.into_iter().filter(|name| kept.get(name) != other.get(name));
    let differing: Vec<_> = differing.map(|name| (text(kept, &name), text(other, &name), name)).collect();
    let is_named = |(was, is, _): &(String, String, String)| was.contains(HMAC) && is.contains(HMAC);
    if differing.iter().all(is_named) {
        return Again::Unchecked("it names a secret, under another redaction key than the one at hand".to_owned());
    }
    Again::Differs(differing.into_iter().map(|(was, is, name)| (name, was, is)).collect())
}
