//! What a rule uses: the fields that its condition looks at, the lists that it reads.
//!
//! Must never leave out a list: one that is missing decides where an alert may go.

use crate::ast::{FieldTest, ListUse, OnMissing, Rule, Search, Test};

/// Names of the fields that a condition looks at.
pub(crate) fn searched_fields<'r>(search: &'r Search, fields: &mut Vec<&'r str>) {
    match search {
        Search::All(parts) | Search::Any(parts) => parts.iter().for_each(|part| searched_fields(part, fields)),
        Search::Not(part) => searched_fields(part, fields),
        Search::Field(test) => fields.push(&test.field),
        Search::Keyword(_) => {}
    }
}

/// Lists declared and lists used: one that is used without being declared fails open to a ticket.
pub(crate) fn list_uses(rule: &Rule) -> Vec<ListUse> {
    let mut uses = rule.lists.clone();
    let mut used = Vec::new();
    listed(&rule.condition, &mut used);
    used.extend(rule.wheres.iter().flat_map(|expression| expression.lists()).map(str::to_owned));
    for name in used {
        if !uses.iter().any(|known| known.name == name) {
            uses.push(ListUse { name, ttl_ms: None, on_missing: OnMissing::FailOpenTicket });
        }
    }
    uses
}

fn listed(search: &Search, used: &mut Vec<String>) {
    match search {
        Search::All(parts) | Search::Any(parts) => parts.iter().for_each(|part| listed(part, used)),
        Search::Not(part) => listed(part, used),
        Search::Field(FieldTest { test: Test::InList { list, .. }, .. }) => used.push(list.clone()),
        Search::Field(_) | Search::Keyword(_) => {}
    }
}
