//! Why an alert went where it went: which of the rule's routes held at the event that decided.
//!
//! The conditions are evaluated on the event itself, as a run does. Must never guess where the event is not at hand.

use std::sync::Arc;

use model::{Partition, Severity, Sha256, Urgency};
use rules::ast::{AlertRoute, AlertSpec, LogSource, Origin, Rule};
use rules::parse::Loaded;
use rules::words;
use serde::Serialize;

use crate::engine::Engine;
use crate::judge::{Fate, Judge};
use crate::replay::reading::Reader;
use crate::ruleset::RuleSet;

/// Where an alert went, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct RouteTaken {
    pub(super) urgency: Urgency,
    pub(super) why: String,
}

/// The route that an alert of this urgency took. `held` says for each route whether its condition holds at the deciding
/// event; None: the event is not at hand.
pub(super) fn taken(alert: Option<&AlertSpec>, urgency: Urgency, held: Option<&[bool]>) -> RouteTaken {
    let said = |why: String| RouteTaken { urgency, why };
    let Some(alert) = alert else { return said("the rule has no x-alert, so it is a ticket".to_owned()) };
    let routes = alert.routes.as_slice();
    if let [AlertRoute { when: None, urgency: only }] = routes {
        return said(match *only == urgency {
            true => format!("the rule's only route is {}", only.name()),
            false => contrary(*only, urgency),
        });
    }
    if routes.is_empty() {
        return said("the rule names no route, so it is a ticket".to_owned());
    }
    let Some(held) = held else {
        let all: Vec<String> = routes.iter().map(route_words).collect();
        let hint = "give --events to see which one held";
        return said(format!("the first that held of: {}; else ticket ({hint})", all.join("; ")));
    };
    let first = routes.iter().zip(held).enumerate().find(|(_, (_, holds))| **holds);
    match first {
        Some((at, (route, _))) if route.urgency == urgency => {
            said(format!("route {} of {} held: {}", at + 1, routes.len(), route_words(route)))
        }
        Some((_, (route, _))) => said(contrary(route.urgency, urgency)),
        None if urgency == Urgency::Ticket => {
            let all: Vec<String> = routes.iter().map(route_words).collect();
            said(format!("no route's condition held, so it is a ticket: {}", all.join("; ")))
        }
        None => said(contrary(Urgency::Ticket, urgency)),
    }
}

fn route_words(route: &AlertRoute) -> String {
    match &route.when {
        Some(when) => format!("{} when {}", route.urgency.name(), words::one_line(when)),
        None => format!("else {}", route.urgency.name()),
    }
}

/// The route at hand says another thing than the record.
fn contrary(by_rule: Urgency, told: Urgency) -> String {
    let by = by_rule.name();
    match told {
        Urgency::Ticket => {
            format!("the route says {by}, but a list it needs was missing, empty or stale, or the rule was another")
        }
        Urgency::Page => {
            format!("the route of the last event says {by}; the alert was a page before, or the rule was another")
        }
    }
}

/// For each route whether its condition holds at an event; None: it cannot be told.
pub(super) fn held(reader: &Reader, routes: &[AlertRoute], logsource: &LogSource, event: &str) -> Option<Vec<bool>> {
    let rule = |at: usize, route: &AlertRoute| Rule {
        origin: Origin { file: Arc::default(), line: 0 },
        id: at.to_string(),
        version: Sha256::of(b""),
        name: None,
        title: "x-alert.route".to_owned(),
        status: None,
        level: Severity::Medium,
        description: None,
        tags: Vec::new(),
        falsepositives: Vec::new(),
        logsource: logsource.clone(),
        searches: Vec::new(),
        condition: route.when.clone().unwrap_or(rules::ast::Search::All(Vec::new())),
        wheres: Vec::new(),
        memories: Vec::new(),
        new_terms: None,
        lineage: None,
        detector: None,
        risk_weight: None,
        lists: Vec::new(),
        alert: None,
        custom: serde_json::Map::new(),
    };
    let rules = routes.iter().enumerate().map(|(at, route)| rule(at, route)).collect();
    let set = Arc::new(RuleSet::of_documents(Loaded { rules, ..Loaded::default() }));
    let Engine { reading, lists, keys, .. } = &*reader.engine;
    let engine = Engine::new(reading.clone(), set, lists.clone(), reader.tables.clone(), *keys).ok()?;
    let partition = Partition { source: reading.source.clone(), name: "evidence".into() };
    let mut judgements = Vec::new();
    Judge::new(Arc::new(engine)).record(event.as_bytes(), 0..event.len(), &partition, 0, &mut judgements);
    let Some(Fate::Event { findings, .. }) = judgements.pop().map(|judged| judged.fate) else { return None };
    let holds = |at: usize| findings.iter().any(|finding| *finding.rule.id == *at.to_string());
    Some((0..routes.len()).map(holds).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(text: &str) -> AlertSpec {
        let text = format!(
            "title: t\nlogsource: {{product: x}}\ndetection: {{a: {{b: c}}, condition: a}}\nx-alert: {{route: {text}}}\n"
        );
        let loaded = rules::parse::load_texts(&[("r.yml".into(), text.as_str())], &rules::parse::Settings::default());
        loaded.rules[0].alert.clone().unwrap()
    }

    #[test]
    fn the_route_that_held_is_named_and_a_contrary_one_is_not_made_up() {
        let said = |text: &str, urgency, held: Option<&[bool]>| taken(Some(&alert(text)), urgency, held).why;
        assert_eq!(said("page", Urgency::Page, None), "the rule's only route is page");
        assert!(said("page", Urgency::Ticket, None).contains("missing, empty or stale"));
        let two = "[{when: {b: d}, route: page}, {when: {b: e}, route: ticket}]";
        assert_eq!(said(two, Urgency::Page, Some(&[true, true])), "route 1 of 2 held: page when b is 'd'");
        assert_eq!(said(two, Urgency::Ticket, Some(&[false, true])), "route 2 of 2 held: ticket when b is 'e'");
        assert!(said(two, Urgency::Ticket, Some(&[false, false])).starts_with("no route's condition held"));
        assert!(said(two, Urgency::Page, Some(&[false, true])).contains("was a page before"));
        assert!(said(two, Urgency::Page, None).contains("--events"));
    }
}
