//! `x-alert.suppress_when`: which rules of the set it names, once all have been read.
//!
//! A name that leads nowhere costs no detection: the alert is told, and the loader says so. Must never accept a rule that
//! looks at what anybody but a control source may write.

use model::EventClass;

use super::hint::nearest;
use super::problem::Problem;
use super::{Diagnostic, Loaded};
use crate::ast::{AlertSpec, Origin, Rule, Target};

/// Finds the rules that silence others; those without an `x-alert` tell nothing of their own.
pub(super) fn resolve(loaded: &mut Loaded) {
    let Loaded { rules, correlations, warnings, .. } = loaded;
    let mut found: Vec<(usize, Vec<usize>)> = Vec::new();
    let named = |alert: Option<&AlertSpec>, origin: &Origin, title: &str, warnings: &mut Vec<Diagnostic>| {
        let mut suppressors = Vec::new();
        for name in alert.iter().flat_map(|alert| &alert.suppress_when) {
            match find(rules, name, origin.line) {
                Ok(at) => suppressors.push(at),
                Err(why) => warnings.push(why.at(origin.file.as_ref().clone(), Some(title.to_owned()))),
            }
        }
        suppressors.sort_unstable();
        suppressors.dedup();
        suppressors
    };
    for (at, rule) in rules.iter().enumerate() {
        found.push((at, named(rule.alert.as_ref(), &rule.origin, &rule.title, warnings)));
    }
    for of in correlations.iter_mut() {
        let suppressors = named(of.alert.as_ref(), &of.origin, &of.title, warnings);
        found.push((usize::MAX, suppressors.clone()));
        if let Some(alert) = &mut of.alert {
            alert.suppressors = suppressors;
        }
    }
    for (at, suppressors) in &found {
        if let Some(alert) = loaded.rules.get_mut(*at).and_then(|rule| rule.alert.as_mut()) {
            alert.suppressors.clone_from(suppressors);
        }
    }
    for at in found.into_iter().flat_map(|(_, suppressors)| suppressors) {
        let is_generated = |of: &crate::ast::Correlation| {
            let mut listed = of.references.iter().take(of.listed);
            of.generate && listed.any(|reference| reference.target == Target::Rule(at))
        };
        let has_alert = loaded.rules.get(at).is_some_and(|rule| rule.alert.is_some());
        if !has_alert && !loaded.correlations.iter().any(is_generated) {
            loaded.silent_rules.insert(at);
        }
    }
}

fn find(rules: &[Rule], name: &str, line: usize) -> Result<usize, Problem> {
    let id = name.to_ascii_lowercase();
    let is_named = |rule: &Rule| rule.name.as_deref() == Some(name) || rule.id == id;
    let Some(at) = rules.iter().position(is_named) else {
        let known = rules.iter().filter(|rule| is_announcement(rule)).filter_map(|rule| rule.name.as_deref());
        let why = format!("`suppress_when` names `{name}`, which is no rule: it silences nothing");
        return Err(Problem::new(line, why).hint(nearest(name, known)));
    };
    if !rules.get(at).is_some_and(is_announcement) {
        let why = format!("`suppress_when` names `{name}`, which is not about announcements: it silences nothing");
        let hint = "only a rule on pipewarden's ops.change, ops.maintenance, ops.freeze or ops.response may silence";
        return Err(Problem::new(line, why).hint(hint));
    }
    Ok(at)
}

/// Only a control source can make the rule hold, and neither earlier events nor lineage have a say in it.
fn is_announcement(rule: &Rule) -> bool {
    use EventClass as C;
    let class = rule.logsource.category.as_deref().and_then(EventClass::by_name);
    let is_ours = rule.logsource.product.as_deref() == Some("pipewarden");
    let announces = matches!(class, Some(C::OpsChange | C::OpsMaintenance | C::OpsFreeze | C::OpsResponse));
    is_ours && announces && !rule.remembers() && rule.lineage.is_none()
}
