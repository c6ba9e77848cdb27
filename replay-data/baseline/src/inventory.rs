//! The inventory that fits the organisation: what teams, tiers, pools, identities and secrets there are, and with it the
//! lists that the inventory fills. It says only what the organisation is; what changes is in the records.

use std::fmt::Write;

use crate::org::{
    BUILDER, DEV_CLUSTER, Kind, NONPROD, Org, PROD, PROD_CLUSTERS, STAGING_CLUSTER, TOOLING, known_sha256, publisher,
    release_secrets, signer_uri, signing_key, workload_role, workload_secrets,
};
use crate::runners::Pool;

/// Networks from which jobs on own machines, and the proxies in front of them, reach the world.
const CI_NETWORKS: &str = "[203.0.113.0/26, 203.0.113.88/29]";

/// The inventory, as YAML.
pub fn inventory() -> String {
    let org = Org::new();
    let mut out = String::with_capacity(200_000);
    out.push_str("# The organisation of the baseline. Written by the baseline's program.\n");
    // Writing into a text cannot fail.
    let _ = repositories(&mut out, &org)
        .and_then(|()| places(&mut out, &org))
        .and_then(|()| identities(&mut out, &org))
        .and_then(|()| artifacts(&mut out, &org));
    out
}

fn repositories(out: &mut String, org: &Org) -> std::fmt::Result {
    out.push_str("\nrepositories:\n");
    for repo in &org.repos {
        let released = matches!(repo.kind, Kind::Service | Kind::Library);
        write!(
            out,
            "  {}: {{team: {}, tier: {}, protected_refs: [main, release/*]",
            repo.host_name,
            org.team(repo),
            repo.tier
        )?;
        if released {
            write!(out, ", outputs: [{}], channel: release", repo.full)?;
        }
        if repo.kind == Kind::Library {
            out.push_str(", deterministic: true");
        }
        out.push_str("}\n");
    }
    out.push_str("\nservices:\n");
    for repo in org.services.iter().map(|index| org.repo(*index)) {
        let exposure = if repo.exposed { "internet" } else { "internal" };
        writeln!(out, "  {}: {{team: {}, tier: {}, exposure: {exposure}}}", repo.name, org.team(repo), repo.tier)?;
    }
    Ok(())
}

fn places(out: &mut String, _: &Org) -> std::fmt::Result {
    out.push_str("\nrunner_pools:\n  GitHub Actions: {ephemeral: true}\n");
    for pool in Pool::OWN {
        writeln!(
            out,
            "  {}:\n    ephemeral: {}\n    image_digest: {}\n    egress: [203.0.113.0/26, 203.0.113.96/28, 2001:db8:10::/48]\n    daemons: [{}]",
            pool.name(),
            pool.ephemeral(),
            pool.image(),
            known_sha256("gradle-daemon")
        )?;
    }
    out.push_str("\nenvironments:\n");
    for (name, class) in [
        (PROD_CLUSTERS[0], "prod"),
        (PROD_CLUSTERS[1], "prod"),
        (STAGING_CLUSTER, "staging"),
        (DEV_CLUSTER, "dev"),
        ("lab1", "dev"),
        ("prod", "prod"),
        ("production", "prod"),
        ("release", "prod"),
        ("staging", "staging"),
        ("dev", "dev"),
        (PROD, "prod"),
        (TOOLING, "prod"),
        (NONPROD, "staging"),
    ] {
        writeln!(out, "  \"{name}\": {{class: {class}}}")?;
    }
    Ok(())
}

fn identities(out: &mut String, org: &Org) -> std::fmt::Result {
    out.push_str("\nidentities:\n");
    for team in &org.teams {
        let [registry, notify] = release_secrets(team);
        let outputs: Vec<&str> = org
            .repos
            .iter()
            .filter(|repo| org.team(repo) == *team && matches!(repo.kind, Kind::Service | Kind::Library))
            .map(|repo| repo.full.as_str())
            .collect();
        writeln!(
            out,
            "  {}:\n    role_class: builder\n    ci: true\n    teams: [{team}]\n    secrets: [{registry}, {notify}, ci/{team}/notes, registry/creds/{team}]\n    outputs: [{}]",
            publisher(team),
            outputs.join(", ")
        )?;
    }
    for repo in org.services.iter().map(|index| org.repo(*index)) {
        let [db, queue] = workload_secrets(&repo.name);
        let extra = if repo.name == "pricing-worker" { ", prod/pricing-worker/rates" } else { "" };
        writeln!(
            out,
            "  {}: {{role_class: service, teams: [{}], secrets: [{db}, {queue}{extra}]}}",
            workload_role(&repo.name),
            org.team(repo)
        )?;
    }
    let all = org.teams.join(", ");
    for role in ["platform-deployer", "delivery-controller"] {
        writeln!(out, "  arn:aws:iam::{PROD}:role/{role}: {{role_class: deployer, teams: [{all}]}}")?;
    }
    Ok(())
}

fn artifacts(out: &mut String, org: &Org) -> std::fmt::Result {
    out.push_str("\nsecrets:\n  prod/*: {tier: prod}\n  ci/*: {tier: prod}\n  staging/*: {tier: staging}\n");
    out.push_str("  prod/backup/master: {tier: prod, canary: true}\n");
    out.push_str("\nregistries:\n  branches/*: {channel: development}\n");
    for repo in org.services.iter().map(|index| org.repo(*index)) {
        writeln!(out, "  {}: {{channel: release, immutable: true}}", repo.full)?;
    }
    out.push_str("\nsigners:\n");
    for repo in org.repos.iter().filter(|repo| matches!(repo.kind, Kind::Service | Kind::Library)) {
        let team = org.team(repo);
        writeln!(
            out,
            "  \"{}\":\n    allowed:\n      - https://token.actions.githubusercontent.com\n      - {}\n      - https://github.com/{}\n      - self-hosted\n      - {BUILDER}\n      - {}\n      - {}",
            repo.artifact(),
            signer_uri(repo),
            repo.full,
            signing_key(team),
            signing_key(&format!("{team}-next"))
        )?;
    }
    out.push_str("\negress:\n");
    for team in &org.teams {
        writeln!(out, "  {}: {{networks: {CI_NETWORKS}}}", publisher(team))?;
    }
    Ok(())
}
