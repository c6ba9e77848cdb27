//! The organisation: an enterprise with eight code-hosting organisations, 24 teams and 300 repositories, the services
//! they make and where these run. It stands still: what changes in 30 days is in `world`.

use crate::rng::Rng;

/// Name of the enterprise, as the audit log gives it.
pub const ENTERPRISE: &str = "harbourline";
/// Id of the enterprise.
pub const ENTERPRISE_ID: i64 = 90_417;
/// Account in which production runs.
pub const PROD: &str = "111122223333";
/// Account in which everything else runs.
pub const NONPROD: &str = "444455556666";
/// Account of builds: publishing roles and signing keys.
pub const TOOLING: &str = "777788889999";
/// Region of all accounts.
pub const REGION: &str = "eu-north-1";
/// Who deploys: the delivery controller.
pub const CD_CONTROLLER: &str = "arn:aws:iam::111122223333:role/delivery-controller";
/// Who builds releases.
pub const BUILDER: &str = "https://builder.harbourline.example/release-pool";
/// Clusters that serve production.
pub const PROD_CLUSTERS: [&str; 2] = ["us1", "eu1"];
/// Cluster for rehearsals.
pub const STAGING_CLUSTER: &str = "stg1";
/// Cluster for whatever merges.
pub const DEV_CLUSTER: &str = "dev1";
/// Services whose number of copies an autoscaler sets.
pub const AUTOSCALED: [&str; 3] = ["catalogue-api", "thumbs-api", "login-api"];
/// Nodes of each cluster.
pub const NODES: usize = 8;

/// What a repository makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A service that is deployed as an image.
    Service,
    /// A package that others install.
    Library,
    /// Infrastructure as code.
    Infra,
    /// Documents and tools: nothing is released.
    Docs,
}

/// An organisation on the code host.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Its name.
    pub login: &'static str,
    /// Its id.
    pub id: i64,
}

/// A repository.
#[derive(Clone, Debug)]
pub struct Repo {
    /// Index of its owner.
    pub owner: usize,
    /// `owner/name`: in the code host and in the image registry.
    pub full: String,
    /// Name alone: the service's too.
    pub name: String,
    /// `github.com/owner/name`, the provenance key.
    pub host_name: String,
    /// Immutable id.
    pub id: i64,
    /// What it makes.
    pub kind: Kind,
    /// Index of its team.
    pub team: usize,
    /// How critical it is; 1 is the most.
    pub tier: u8,
    /// The world can read it.
    pub public: bool,
    /// The internet reaches the service.
    pub exposed: bool,
}

impl Repo {
    /// Package URL of what it makes, without version.
    pub fn artifact(&self) -> String {
        match self.kind {
            Kind::Library => format!("pkg:npm/%40{}", self.full),
            _ => format!("pkg:oci/{}", self.name),
        }
    }
}

/// The organisation.
#[derive(Clone, Debug)]
pub struct Org {
    /// Organisations on the code host.
    pub owners: Vec<Owner>,
    /// Names of the teams, three for each owner.
    pub teams: Vec<&'static str>,
    /// All repositories.
    pub repos: Vec<Repo>,
    /// Indices of the repositories that are services.
    pub services: Vec<usize>,
    /// Indices of the repositories that are libraries.
    pub libraries: Vec<usize>,
    /// Indices of the repositories with infrastructure.
    pub infra: Vec<usize>,
}

/// Owner, its teams, and what its services are about.
const AREAS: [(&str, [&str; 3], [&str; 6]); 8] = [
    (
        "shop",
        ["storefront", "checkout", "fulfilment"],
        ["catalogue", "basket", "wishlist", "pricing", "returns", "stock"],
    ),
    ("pay", ["payments", "ledgers", "risk"], ["billing", "payouts", "invoices", "fraud", "refunds", "tax"]),
    ("media", ["images", "video", "search"], ["thumbs", "stream", "captions", "index", "ranking", "crawler"]),
    ("data", ["ingest", "warehouse", "insights"], ["events", "lake", "reports", "features", "metrics", "exports"]),
    ("mobile", ["ios", "android", "push"], ["push", "sync", "deeplink", "profile", "offline", "telemetry"]),
    ("infra", ["platform", "network", "observability"], ["dns", "mesh", "logs", "traces", "quota", "scheduler"]),
    ("identity", ["accounts", "access", "trust"], ["login", "consent", "sessions", "directory", "audit", "keys"]),
    ("web", ["design", "content", "growth"], ["pages", "forms", "blog", "campaigns", "reviews", "loyalty"]),
];

/// Six repositories of each subject: three services, two libraries, one of infrastructure.
const SHAPES: [(&str, Kind); 6] = [
    ("api", Kind::Service),
    ("worker", Kind::Service),
    ("gateway", Kind::Service),
    ("client", Kind::Library),
    ("lib", Kind::Library),
    ("infra", Kind::Infra),
];

/// Repositories with names of their own: owner, name, kind, team, tier.
const NAMED: [(usize, &str, Kind, usize, u8); 12] = [
    (0, "web", Kind::Service, 0, 1),
    (0, "trolley", Kind::Service, 1, 1),
    (0, "purchases", Kind::Service, 2, 1),
    (1, "bookings", Kind::Service, 4, 1),
    (2, "image-resize", Kind::Service, 6, 2),
    (5, "ci-templates", Kind::Docs, 15, 1),
    (5, "handbook", Kind::Docs, 15, 3),
    (5, "shell-guide", Kind::Docs, 15, 3),
    (5, "runbooks", Kind::Docs, 17, 3),
    (7, "design-notes", Kind::Docs, 21, 3),
    (7, "setup-action", Kind::Docs, 21, 2),
    (3, "notebooks", Kind::Docs, 11, 3),
];

impl Default for Org {
    fn default() -> Self {
        Self::new()
    }
}

impl Org {
    /// The organisation; it is the same for every seed.
    pub fn new() -> Self {
        let mut org = Self {
            owners: Vec::new(),
            teams: Vec::new(),
            repos: Vec::new(),
            services: Vec::new(),
            libraries: Vec::new(),
            infra: Vec::new(),
        };
        for (owner, (login, teams, subjects)) in AREAS.into_iter().enumerate() {
            org.owners.push(Owner { login, id: 163_237_000 + owner as i64 });
            org.teams.extend(teams);
            for (subject, subject_name) in subjects.into_iter().enumerate() {
                for (shape, (suffix, kind)) in SHAPES.into_iter().enumerate() {
                    let critical = kind == Kind::Service && shape == 0 && subject == 0;
                    let tier = if critical { 1 } else { 2 + (shape % 2) as u8 };
                    org.add(owner, &format!("{subject_name}-{suffix}"), kind, owner * 3 + subject % 3, tier);
                }
            }
        }
        for (owner, name, kind, team, tier) in NAMED {
            org.add(owner, name, kind, team, tier);
        }
        org
    }

    fn add(&mut self, owner: usize, name: &str, kind: Kind, team: usize, tier: u8) {
        let index = self.repos.len();
        let login = AREAS.get(owner).map_or("", |area| area.0);
        let full = format!("{login}/{name}");
        match kind {
            Kind::Service => self.services.push(index),
            Kind::Library => self.libraries.push(index),
            Kind::Infra => self.infra.push(index),
            Kind::Docs => {}
        }
        self.repos.push(Repo {
            owner,
            name: name.to_owned(),
            host_name: format!("github.com/{full}"),
            full,
            id: 700_100_000 + index as i64,
            kind,
            team,
            tier,
            public: kind == Kind::Library || (kind == Kind::Docs && name != "ci-templates"),
            exposed: kind == Kind::Service && (name.ends_with("gateway") || tier == 1),
        });
    }

    /// A repository by its index; indices come from this table, and one beyond it means the first.
    pub fn repo(&self, index: usize) -> &Repo {
        &self.repos[if index < self.repos.len() { index } else { 0 }]
    }

    /// The owner of a repository.
    pub fn owner(&self, repo: &Repo) -> &Owner {
        &self.owners[repo.owner % self.owners.len()]
    }

    /// The name of a repository's team.
    pub fn team(&self, repo: &Repo) -> &'static str {
        self.teams.get(repo.team).copied().unwrap_or("platform")
    }

    /// Index of a repository by `owner/name`; the first when there is none.
    pub fn find(&self, full: &str) -> usize {
        self.repos.iter().position(|repo| repo.full == full).unwrap_or(0)
    }
}

/// The role with which a team's release jobs publish and sign.
pub fn publisher(team: &str) -> String {
    format!("arn:aws:iam::{TOOLING}:role/ci-{team}")
}

/// The role of a service's own workload.
pub fn workload_role(service: &str) -> String {
    format!("arn:aws:iam::{PROD}:role/{service}-task")
}

/// The key with which a team's releases are signed.
pub fn signing_key(team: &str) -> String {
    let hex = Rng::of(team).hex(32);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("0");
    let id = format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32));
    format!("arn:aws:kms:{REGION}:{TOOLING}:key/{id}")
}

/// The workflow that signs a repository's releases, as certificates name it.
pub fn signer_uri(repo: &Repo) -> String {
    format!("https://github.com/{}/.github/workflows/release.yml@refs/heads/main", repo.full)
}

/// Secrets that a service's workload reads.
pub fn workload_secrets(service: &str) -> [String; 2] {
    [format!("prod/{service}/db"), format!("prod/{service}/queue")]
}

/// Secrets that a team's release jobs read.
pub fn release_secrets(team: &str) -> [String; 2] {
    [format!("ci/{team}/registry"), format!("ci/{team}/notify")]
}

/// Secrets that the definition of a team's release jobs asks for: those that they read each time, and the notes'.
pub fn declared_secrets(team: &str) -> Vec<String> {
    let [registry, notify] = release_secrets(team);
    vec![registry, notify, format!("ci/{team}/notes")]
}

/// A digest or hash that a word always has: what lists and records both name.
pub fn known_sha256(word: &str) -> String {
    Rng::of(word).hex(64)
}
