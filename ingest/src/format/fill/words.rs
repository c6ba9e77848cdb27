//! What names say by the words in them: classes of environments, families of user agents.
//!
//! Must never guess: a name without a word that is known says nothing.

use std::borrow::Cow;

use super::{each_text, lower_case};
use crate::format::{Inputs, Output};

/// The coarse family of a user agent: `browser`, `terraform`, else the first product name without its version.
pub fn ua_family(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(agent) = inputs.text(0) {
        family(agent).iter().for_each(|family| output.text(family));
    }
}

/// Families have at most so many letters: what is longer is an id in disguise, or a secret, of which no part may stand.
const FAMILY_MAX: usize = 40;

fn family(agent: &str) -> Option<Cow<'_, str>> {
    if agent.starts_with("Mozilla/") {
        return Some(Cow::Borrowed("browser"));
    }
    if agent.contains("Terraform/") || agent.contains("terraform") {
        return Some(Cow::Borrowed("terraform"));
    }
    let product = agent.trim_start_matches(['[', '"', ' ']);
    let end = product.find(['/', ' ', '_', '(', ';', ',', ']']).unwrap_or(product.len());
    let product = product.get(..end).unwrap_or("");
    let is_short = product.len() <= FAMILY_MAX || product.chars().count() <= FAMILY_MAX;
    is_short.then(|| lower_case(product))
}

/// The class of an environment, where its name gives one: `dev`, `staging` or `prod`.
pub fn env_class(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |name| {
        if let Some(class) = class_of_env(name) {
            output.text(class);
        }
    });
}

/// `production-eu` is prod, `pre-prod` staging, `acceptance` staging, `sandbox` dev; None: the name says nothing.
pub fn class_of_env(name: &str) -> Option<&'static str> {
    let name = lower_case(name);
    let (mut staging, mut prod, mut dev, mut not, mut before) = (false, false, false, false, false);
    for word in name.split(|c: char| !c.is_alphanumeric()) {
        match word {
            "preprod" | "preproduction" | "stage" | "staging" | "stg" | "uat" | "qa" | "acceptance" => staging = true,
            "nonprod" => (not, prod) = (true, true),
            "non" => not = true,
            "prod" | "production" | "prd" | "live" => prod = true,
            "pre" => before = true,
            "dev" | "develop" | "development" | "test" | "testing" | "sandbox" | "preview" | "local" | "ci" => {
                dev = true
            }
            _ => {}
        }
    }
    match (staging, prod) {
        (true, _) => Some("staging"),
        (_, true) if not => Some("dev"),
        (_, true) => Some(if before { "staging" } else { "prod" }),
        _ => dev.then_some("dev"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_have_classes() {
        for (name, class) in [
            ("production", Some("prod")),
            ("Prod-EU", Some("prod")),
            ("pre-prod", Some("staging")),
            ("non-prod", Some("dev")),
            ("staging", Some("staging")),
            ("pypi", None),
            ("productivity", None),
        ] {
            assert_eq!(class_of_env(name), class, "{name}");
        }
    }

    #[test]
    fn agents_have_families() {
        for (agent, wanted) in [
            ("git/2.30.2", Some("git")),
            ("Mozilla/5.0 (iPad) CriOS/122", Some("browser")),
            ("[aws-cli/2.15.0 Python/3.11]", Some("aws-cli")),
            ("APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io)", Some("terraform")),
            ("red-team_39f95f43-cd2f", Some("red-team")),
            (&"é".repeat(40), Some(&*"é".repeat(40))),
            (&"e".repeat(41), None),
            (&format!("{}/1.0", "e".repeat(41)), None),
        ] {
            assert_eq!(family(agent).as_deref(), wanted, "{agent}");
        }
    }
}
