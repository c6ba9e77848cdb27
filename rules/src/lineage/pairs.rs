//! Which keys of which events belong together: the one table of lineage's edges.
//!
//! An edge runs from what was first to what came of it (commit to run, run to digest, digest to service). Must never join by
//! what somebody outside can write freely: titles, branches, names.

use model::EventClass::{self, self as C};

use super::key::{Kind, Part, Part as P};

/// What an edge says: a stage on the way from the commit to the running workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The source.
    Commit,
    /// The definition that ran.
    Workflow,
    /// The credential that acted.
    Credential,
    /// The run with its jobs.
    Run,
    /// The machine.
    Runner,
    /// What went into it: packages, images, cache entries.
    Input,
    /// The artifact was made.
    Build,
    /// Its components were listed.
    Sbom,
    /// It was signed or attested.
    Signature,
    /// It was uploaded.
    Registry,
    /// A gate looked at it.
    Verification,
    /// It was deployed.
    Deployment,
    /// It ran.
    Runtime,
    /// What people call a key. No stage of the way.
    Name,
}

/// Stages that every artifact should have, in order.
pub(super) const OF_ARTIFACTS: [Stage; 6] =
    [Stage::Build, Stage::Sbom, Stage::Signature, Stage::Registry, Stage::Deployment, Stage::Runtime];

impl Stage {
    /// Every stage.
    pub const ALL: [Stage; 14] = [
        Stage::Commit,
        Stage::Workflow,
        Stage::Credential,
        Stage::Run,
        Stage::Runner,
        Stage::Input,
        Stage::Build,
        Stage::Sbom,
        Stage::Signature,
        Stage::Registry,
        Stage::Verification,
        Stage::Deployment,
        Stage::Runtime,
        Stage::Name,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Commit => "commit",
            Stage::Workflow => "workflow",
            Stage::Credential => "credential",
            Stage::Run => "run",
            Stage::Runner => "runner",
            Stage::Input => "input",
            Stage::Build => "build",
            Stage::Sbom => "sbom",
            Stage::Signature => "signature",
            Stage::Registry => "registry",
            Stage::Verification => "verification",
            Stage::Deployment => "deployment",
            Stage::Runtime => "runtime",
            Stage::Name => "name",
        }
    }

    /// Kinds of keys of which a chain tells in this stage; a later one only where there is none of the earlier.
    pub(super) const fn shows(self) -> &'static [Kind] {
        match self {
            Stage::Commit => &[Kind::Commit],
            Stage::Workflow => &[Kind::Workflow],
            Stage::Credential => &[Kind::Token],
            Stage::Run => &[Kind::Run, Kind::Job],
            Stage::Runner => &[Kind::Runner],
            Stage::Input => &[Kind::Cache, Kind::Purl, Kind::Digest],
            Stage::Build => &[Kind::Digest, Kind::Build],
            Stage::Sbom | Stage::Registry | Stage::Verification => &[Kind::Digest],
            Stage::Signature => &[Kind::Attestation, Kind::Digest],
            Stage::Deployment | Stage::Runtime => &[Kind::Service],
            Stage::Name => &[],
        }
    }
}

/// Edges that events of some classes make.
#[derive(Debug)]
pub(super) struct Pairs {
    /// None: every class.
    classes: Option<&'static [EventClass]>,
    /// Empty: every action.
    actions: &'static [&'static str],
    /// Attempts that failed or were refused make edges, too.
    with_failures: bool,
    /// From, to, and what it says. A part with itself: the event tells something about that key alone.
    pub(super) pairs: &'static [(Part, Part, Stage)],
}

impl Pairs {
    pub(super) fn holds(&self, class: EventClass, action: &str, succeeded: bool) -> bool {
        self.of_class(class) && self.made_by(action, succeeded)
    }

    pub(super) fn of_class(&self, class: EventClass) -> bool {
        self.classes.is_none_or(|classes| classes.contains(&class))
    }

    /// An event of its classes makes them.
    pub(super) fn made_by(&self, action: &str, succeeded: bool) -> bool {
        (self.actions.is_empty() || self.actions.contains(&action)) && (self.with_failures || succeeded)
    }
}

const fn on(classes: &'static [EventClass], pairs: &'static [(Part, Part, Stage)]) -> Pairs {
    Pairs { classes: Some(classes), actions: &[], with_failures: true, pairs }
}

impl Pairs {
    const fn when(self, actions: &'static [&'static str]) -> Pairs {
        Pairs { actions, ..self }
    }

    const fn that_succeeded(self) -> Pairs {
        Pairs { with_failures: false, ..self }
    }
}

/// The table.
pub(super) const TABLE: &[Pairs] = &[
    // Who names a run and something of it says that they belong together, whatever the event is about.
    Pairs {
        classes: None,
        actions: &[],
        with_failures: true,
        pairs: &[
            (P::Commit, P::Run, Stage::Commit),
            (P::Workflow, P::Run, Stage::Workflow),
            (P::Run, P::Job, Stage::Run),
            (P::Runner, P::Job, Stage::Runner),
            (P::Runner, P::Run, Stage::Runner),
            (P::Repo, P::Run, Stage::Name),
        ],
    },
    on(
        &[C::ScmPush],
        &[
            (P::Commit, P::Commit, Stage::Commit),
            (P::Token, P::Commit, Stage::Credential),
            (P::Component, P::Commit, Stage::Input),
            (P::Repo, P::Commit, Stage::Name),
        ],
    ),
    on(&[C::ScmChange], &[(P::Commit, P::Commit, Stage::Commit)]).when(&["merged"]),
    on(&[C::CiRun], &[(P::Run, P::Run, Stage::Run), (P::Token, P::Run, Stage::Credential)]),
    // A job's own token is given to the job, and does what the job does.
    on(
        &[C::CiJob],
        &[
            (P::Run, P::Run, Stage::Run),
            (P::Token, P::Job, Stage::Credential),
            (P::Token, P::Run, Stage::Credential),
            (P::Job, P::Token, Stage::Credential),
            (P::Run, P::Token, Stage::Credential),
        ],
    ),
    on(&[C::CiCache], &[(P::Run, P::Cache, Stage::Input), (P::Job, P::Cache, Stage::Input)]).when(&["saved"]),
    on(&[C::CiCache], &[(P::Cache, P::Run, Stage::Input), (P::Cache, P::Job, Stage::Input)]).when(&["restored"]),
    on(
        &[C::IdentityExchange, C::SecretLease],
        &[
            (P::Token, P::Issued, Stage::Credential),
            (P::Run, P::Issued, Stage::Credential),
            (P::Job, P::Issued, Stage::Credential),
            // An artifact that runs, and what it acts with.
            (P::Digest, P::Token, Stage::Credential),
            (P::Digest, P::Issued, Stage::Credential),
        ],
    )
    .that_succeeded(),
    on(
        &[C::IdentityUse, C::IdentityExchange, C::SecretAccess, C::SecretList, C::SecretLease, C::KmsSign],
        &[(P::Token, P::Run, Stage::Credential), (P::Token, P::Job, Stage::Credential)],
    )
    .that_succeeded(),
    on(
        &[C::BuildFinished],
        &[
            (P::Run, P::Build, Stage::Build),
            (P::Job, P::Build, Stage::Build),
            (P::Commit, P::Build, Stage::Commit),
            (P::Build, P::Build, Stage::Build),
        ],
    ),
    on(
        &[C::BuildFinished],
        &[
            (P::Build, P::Digest, Stage::Build),
            (P::Run, P::Digest, Stage::Build),
            (P::Job, P::Digest, Stage::Build),
            (P::Commit, P::Digest, Stage::Commit),
            (P::Digest, P::Digest, Stage::Build),
            (P::Artifact, P::Digest, Stage::Name),
            (P::Repo, P::Digest, Stage::Name),
        ],
    )
    .that_succeeded(),
    on(
        &[C::SbomGenerated],
        &[
            (P::Digest, P::Digest, Stage::Sbom),
            (P::Component, P::Digest, Stage::Sbom),
            (P::Run, P::Digest, Stage::Sbom),
            (P::Artifact, P::Digest, Stage::Name),
        ],
    )
    .that_succeeded(),
    on(
        &[C::SignSignature, C::SignAttestation, C::RekorEntry, C::KmsSign],
        &[
            (P::Digest, P::Digest, Stage::Signature),
            (P::Digest, P::Attestation, Stage::Signature),
            (P::Run, P::Digest, Stage::Signature),
            (P::Commit, P::Digest, Stage::Commit),
            (P::Token, P::Digest, Stage::Credential),
            (P::Artifact, P::Digest, Stage::Name),
        ],
    )
    .that_succeeded(),
    on(
        &[C::RegistryPush, C::RegistryPublish],
        &[
            (P::Digest, P::Digest, Stage::Registry),
            (P::Run, P::Digest, Stage::Registry),
            (P::Job, P::Digest, Stage::Registry),
            (P::Token, P::Digest, Stage::Credential),
            (P::Token, P::Run, Stage::Credential),
            (P::Token, P::Job, Stage::Credential),
            (P::Artifact, P::Digest, Stage::Name),
        ],
    )
    .that_succeeded(),
    on(
        &[C::RegistryPull],
        &[
            (P::Digest, P::Run, Stage::Input),
            (P::Digest, P::Job, Stage::Input),
            (P::Artifact, P::Run, Stage::Input),
            (P::Artifact, P::Job, Stage::Input),
            (P::Artifact, P::Digest, Stage::Name),
        ],
    )
    .that_succeeded(),
    // What a gate says no to is worth knowing, too.
    on(&[C::VerifySignature, C::VerifyRebuild, C::PolicyDecision], &[(P::Digest, P::Digest, Stage::Verification)]),
    on(
        &[C::DeployStarted, C::DeployFinished, C::DeployRolledback],
        &[
            (P::Digest, P::Service, Stage::Deployment),
            (P::Run, P::Service, Stage::Deployment),
            (P::Token, P::Service, Stage::Credential),
        ],
    )
    .that_succeeded(),
    on(
        &[C::RuntimeInventory, C::RuntimeNet, C::RuntimeIntegrity, C::RuntimeHeartbeat],
        &[(P::Digest, P::Service, Stage::Runtime)],
    ),
];
