//! The sources: who speaks, in which format, about which classes, and how late what they say arrives. The table is what
//! a scenario's `sources:` is written from; nothing else may decide which source an event has.

/// A source of records.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Its name, the configuration's word.
    pub name: &'static str,
    /// Format of its records.
    pub format: &'static str,
    /// How far it is believed.
    pub trust: &'static str,
    /// Usual delay between event and arrival, in milliseconds: up to twice this.
    pub usual_ms: i64,
    /// Longest delay, in milliseconds; one record in fifty may take anything up to it.
    pub longest_ms: i64,
    /// Classes it speaks of.
    pub classes: &'static [&'static str],
}

/// All sources.
pub const SOURCES: &[Source] = &[
    source(
        "github-audit",
        "github-audit",
        "control_plane",
        12_000,
        240_000,
        &[
            "scm.access",
            "scm.admin",
            "ci.job",
            "ci.runner",
            "identity.use",
            "identity.token.revoked",
            "secret.admin",
            "secret.rotated",
            "secret.finding",
        ],
    ),
    source(
        "webhooks",
        "github-webhook",
        "control_plane",
        900,
        20_000,
        &["scm.push", "scm.change", "scm.ref", "ci.run", "ci.job"],
    ),
    source(
        "cloudtrail",
        "cloudtrail",
        "control_plane",
        180_000,
        900_000,
        &[
            "identity.exchange",
            "identity.use",
            "secret.access",
            "secret.list",
            "secret.rotated",
            "secret.admin",
            "kms.sign",
            "kms.admin",
            "registry.acl",
            "scm.admin",
        ],
    ),
    source("scm", "normal", "control_plane", 1_500, 30_000, &["scm.push", "scm.change", "scm.ref"]),
    source("ci", "normal", "control_plane", 1_200, 30_000, &["ci.run", "ci.job", "ci.runner", "ci.cache"]),
    source(
        "runner-sensor",
        "normal",
        "agent",
        700,
        20_000,
        &["runner.process", "runner.file", "runner.net", "runner.agent", "runner.heartbeat"],
    ),
    source(
        "build",
        "normal",
        "agent",
        1_500,
        40_000,
        &["build.finished", "sbom.generated", "sign.signature", "sign.attestation", "rekor.entry", "verify.rebuild"],
    ),
    source(
        "registry",
        "normal",
        "control_plane",
        800,
        30_000,
        &["registry.push", "registry.pull", "registry.delete", "registry.acl", "registry.publish", "registry.request"],
    ),
    source(
        "secrets",
        "normal",
        "control_plane",
        600,
        20_000,
        &["secret.access", "secret.list", "secret.lease", "secret.rotated", "secret.admin", "secret.finding"],
    ),
    source(
        "identity",
        "normal",
        "control_plane",
        1_500,
        40_000,
        &["identity.auth", "identity.use", "identity.exchange", "identity.token.revoked"],
    ),
    source("policy", "normal", "control_plane", 600, 20_000, &["policy.decision", "policy.change", "verify.signature"]),
    source("scanner", "normal", "agent", 3_000, 50_000, &["scan.result", "scan.finding", "vuln.finding"]),
    source(
        "deploy",
        "normal",
        "control_plane",
        700,
        20_000,
        &["deploy.started", "deploy.finished", "deploy.rolledback", "deploy.canary", "iac.plan", "iac.apply"],
    ),
    source(
        "runtime",
        "normal",
        "agent",
        900,
        30_000,
        &[
            "runtime.integrity",
            "runtime.inventory",
            "runtime.net",
            "runtime.config_drift",
            "runtime.reconciled",
            "runtime.heartbeat",
        ],
    ),
    source("threat-feed", "normal", "control_plane", 5_000, 60_000, &["threat.intel"]),
    source(
        "ops",
        "normal",
        "control_plane",
        1_000,
        20_000,
        &["ops.change", "ops.maintenance", "ops.freeze", "ops.response", "ops.health", "ops.heartbeat"],
    ),
];

const fn source(
    name: &'static str,
    format: &'static str,
    trust: &'static str,
    usual_ms: i64,
    longest_ms: i64,
    classes: &'static [&'static str],
) -> Source {
    Source { name, format, trust, usual_ms, longest_ms, classes }
}

/// The source that speaks of a class in the normal form.
pub fn normal_source(class: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.format == "normal" && source.classes.contains(&class))
}

/// A source by its name.
pub fn by_name(name: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.name == name)
}
