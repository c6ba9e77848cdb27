//! The keys that lineage joins: their kinds, and the parts that they play in an event.
//!
//! Must never hold a credential: a token's key is the provider's hash or id of it.

use std::sync::Arc;

/// What a key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A credential, by the provider's hash or id.
    Token,
    /// A run of a workflow.
    Run,
    /// A job of a run.
    Job,
    /// A runner, by its id; its name where it has none.
    Runner,
    /// A build, by its invocation id.
    Build,
    /// A commit, hexadecimal.
    Commit,
    /// A definition that runs.
    Workflow,
    /// An artifact: `sha256:…`.
    Digest,
    /// A statement about an artifact, by its index in a log or its digest.
    Attestation,
    /// An entry of a build cache: content that one run hands to another.
    Cache,
    /// `environment/service`.
    Service,
    /// A package URL, with its version where it has one.
    Purl,
    /// A source repository.
    Repo,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 13] = [
        Kind::Token,
        Kind::Run,
        Kind::Job,
        Kind::Runner,
        Kind::Build,
        Kind::Commit,
        Kind::Workflow,
        Kind::Digest,
        Kind::Attestation,
        Kind::Cache,
        Kind::Service,
        Kind::Purl,
        Kind::Repo,
    ];

    /// Its number in a snapshot.
    pub fn number(self) -> u8 {
        Kind::ALL.iter().position(|other| *other == self).unwrap_or_default() as u8
    }

    /// Its name on the command line and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Token => "token",
            Kind::Run => "run",
            Kind::Job => "job",
            Kind::Runner => "runner",
            Kind::Build => "build",
            Kind::Commit => "commit",
            Kind::Workflow => "workflow",
            Kind::Digest => "digest",
            Kind::Attestation => "attestation",
            Kind::Cache => "cache",
            Kind::Service => "service",
            Kind::Purl => "purl",
            Kind::Repo => "repo",
        }
    }

    /// The kind of that name.
    pub fn by_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The model's field that holds such keys: redaction asks for it.
    pub const fn field(self) -> &'static str {
        match self {
            Kind::Token => "prov.token_id",
            Kind::Run => "prov.run_id",
            Kind::Job => "prov.job_id",
            Kind::Runner => "prov.runner_id",
            Kind::Build => "prov.build_id",
            Kind::Commit => "prov.commit",
            Kind::Workflow => "prov.workflow",
            Kind::Digest => "prov.digest",
            Kind::Attestation => "prov.attestation_id",
            Kind::Cache => "entry",
            Kind::Service => "prov.service",
            Kind::Purl => "prov.artifact",
            Kind::Repo => "prov.repo",
        }
    }

    /// Walks go on through keys of this kind. Everything else is an end: ten thousand runs share one repository, one
    /// workflow or one component without having anything to do with each other. A cache entry is the digest of what one run
    /// leaves to the next.
    pub const fn is_joint(self) -> bool {
        matches!(self, Kind::Token | Kind::Run | Kind::Job | Kind::Runner | Kind::Build | Kind::Digest | Kind::Cache)
    }
}

/// Some kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// Every kind.
    pub const ALL: Kinds = Kinds(u16::MAX);

    /// These kinds.
    pub fn of(kinds: impl IntoIterator<Item = Kind>) -> Kinds {
        Kinds(kinds.into_iter().fold(0, |bits, kind| bits | 1 << kind as u16))
    }

    /// A kind is among them.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 >> kind as u16 & 1 == 1
    }
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it names.
    pub kind: Kind,
    /// Its text, as the events write it.
    pub text: Arc<str>,
}

impl Key {
    /// A key of a kind by its number; None: there is no such kind.
    pub fn numbered(kind: u8, text: Arc<str>) -> Option<Key> {
        Some(Key { kind: *Kind::ALL.get(usize::from(kind))?, text })
    }

    /// A key.
    pub fn new(kind: Kind, text: &str) -> Key {
        Key { kind, text: text.into() }
    }
}

/// The part that a key plays in an event: two keys of one kind can play different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "they are the kinds, but for the ones that are explained")]
pub enum Part {
    Token,
    /// The credential that was given out.
    Issued,
    Run,
    Job,
    Runner,
    Build,
    Commit,
    Workflow,
    Digest,
    Attestation,
    Cache,
    Service,
    /// The package URL of the artifact itself.
    Artifact,
    /// The package URL of something that is inside.
    Component,
    Repo,
}

impl Part {
    /// Every part.
    pub const ALL: [Part; 15] = [
        Part::Token,
        Part::Issued,
        Part::Run,
        Part::Job,
        Part::Runner,
        Part::Build,
        Part::Commit,
        Part::Workflow,
        Part::Digest,
        Part::Attestation,
        Part::Cache,
        Part::Service,
        Part::Artifact,
        Part::Component,
        Part::Repo,
    ];

    /// The kind of key that plays it.
    pub const fn kind(self) -> Kind {
        match self {
            Part::Token | Part::Issued => Kind::Token,
            Part::Run => Kind::Run,
            Part::Job => Kind::Job,
            Part::Runner => Kind::Runner,
            Part::Build => Kind::Build,
            Part::Commit => Kind::Commit,
            Part::Workflow => Kind::Workflow,
            Part::Digest => Kind::Digest,
            Part::Attestation => Kind::Attestation,
            Part::Cache => Kind::Cache,
            Part::Service => Kind::Service,
            Part::Artifact | Part::Component => Kind::Purl,
            Part::Repo => Kind::Repo,
        }
    }
}
