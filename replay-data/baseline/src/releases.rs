//! Releases: one job on a machine of its own that takes an identity, builds, lists components, signs, and pushes while it
//! is still open. All that is made in it names the same run, commit and digest.

use crate::job::{Job, Plan, Release};
use crate::org::{BUILDER, Kind, declared_secrets, publisher, release_secrets, signer_uri, signing_key};
use crate::people::RELEASES;
use crate::runners::Pool;
use crate::time::{DAY, MINUTE, SECOND, rfc3339};
use crate::world::{Task, World};
use crate::write::cloudtrail::{Call, Session, access_key};
use crate::write::json::Object;
use crate::write::normal::Event;

impl World {
    /// A release, and its way through the environments.
    pub(crate) fn release_and_deploy(&mut self, repo: usize, actor: usize, onward: bool, at: i64) {
        if self.life(repo).busy_until > at {
            return;
        }
        let made = self.release(repo, actor, at, None);
        if self.org.repo(repo).kind == Kind::Service {
            self.life(repo).busy_until = at + if onward { 150 * MINUTE } else { 30 * MINUTE };
            self.plan(made.job.finished + 2 * MINUTE, Task::Deploy(repo, "dev", made.digest, made.version, onward));
        }
    }

    /// A release of the head of the default branch, or of a hotfix branch. `hotfix` names the branch.
    pub(crate) fn release(&mut self, repo: usize, actor: usize, at: i64, hotfix: Option<&str>) -> Release {
        let org = self.org.clone();
        let life = self.life(repo);
        life.releases += 1;
        let (head, count) = (life.head.clone(), life.releases);
        let team = org.team(org.repo(repo));
        let version = format!("{}.{}.{}", 1 + repo % 4, count, repo % 7);
        if hotfix.is_none() {
            self.tag(repo, &format!("v{version}"), &head, at);
        }
        let mut plan = Plan {
            workflow: "release.yml",
            name: "release",
            pool: Pool::Release,
            env: Some("release"),
            secrets: declared_secrets(team),
            span: self.steady(repo, 8 * MINUTE),
            ..Plan::new(repo, at + 5 * SECOND, actor, &head)
        };
        if let Some(branch) = hotfix {
            plan.git_ref = format!("refs/heads/hotfix/{branch}");
            plan.trigger = "workflow_dispatch";
        }
        let job = self.run(&plan);
        let digest = self.rng.digest();
        self.steps(&job);
        let session = self.exchange(&job, team);
        self.job_secrets(&job, team, &session);
        self.built(&job, &digest, &version);
        self.signed(&job, &digest, team, &session);
        let pushed = job.moment(800);
        self.pushed(&job, &digest, &version, &session, pushed);
        self.scan(repo, &job.commit, Some(&digest), "full", "depscan", pushed + MINUTE, Some(&job));
        Release { job, digest, version, key: session.key, pushed }
    }

    /// A tag is made.
    fn tag(&mut self, repo: usize, name: &str, commit: &str, at: i64) {
        let org = self.org.clone();
        let actor = self.actor(RELEASES);
        self.send(
            Event::new("scm.ref", "created", at)
                .repo(&org, repo)
                .actor(&actor.id.to_string(), &actor.login, "bot")
                .text("prov.ref", &format!("refs/tags/{name}"))
                .text("prov.commit", commit)
                .text("type", "tag")
                .text("name", name)
                .flag("forced", false)
                .text("new_sha", commit),
        );
    }

    /// The steps of a release job, publish last.
    fn steps(&mut self, job: &Job) {
        for (name, from, to) in [("checkout", 20, 60), ("build", 70, 500), ("test", 510, 700), ("publish", 720, 980)] {
            let started = self.step(job, name, "in_progress", from);
            self.send(started);
            let done = self.step(job, name, "completed", to);
            self.send(done);
        }
    }

    /// A step of a job, at thousandths of its time.
    pub(crate) fn step(&mut self, job: &Job, name: &str, state: &str, thousandth: i64) -> Event {
        let org = self.org.clone();
        let event = Event::new("ci.job", "step", job.moment(thousandth))
            .job(&org, job)
            .text("job_name", job.name)
            .text("step.name", name)
            .text("step.state", state);
        if state == "completed" { event.text("result", "success") } else { event }
    }

    /// The job's identity token buys the session of its team's publishing role.
    pub(crate) fn exchange(&mut self, job: &Job, team: &str) -> Session {
        let org = self.org.clone();
        let role = publisher(team);
        let at = job.moment(30);
        let key = access_key(&mut self.rng);
        let name = format!("gha-{}", job.run_id);
        let session =
            Session { role: role.clone(), name: name.clone(), key: key.clone(), since: at, ip: job.runner.ip.clone() };
        let provider = format!("arn:aws:iam::{}:oidc-provider/token.actions.githubusercontent.com", session.account());
        let sub = format!("repo:{}:environment:release", org.repo(job.repo).full);
        let identity = Object::new()
            .text("type", "WebIdentityUser")
            .text("principalId", &format!("{provider}:sts.amazonaws.com:{sub}"))
            .text("userName", &sub)
            .text("identityProvider", &provider);
        let answer = Object::new()
            .object(
                "credentials",
                Object::new()
                    .text("accessKeyId", &key)
                    .text("expiration", &rfc3339(at + 60 * MINUTE))
                    .text("sessionToken", "HIDDEN_DUE_TO_SECURITY_REASONS"),
            )
            .text("subjectFromWebIdentityToken", &sub)
            .text("provider", &provider)
            .text("audience", "sts.amazonaws.com");
        let request = Object::new().text("roleArn", &role).text("roleSessionName", &name).int("durationSeconds", 3_600);
        let call = Call { response: Some(answer), ..Call::new("sts", "AssumeRoleWithWebIdentity", true, request) };
        self.trail_by("identity.exchange", identity, session.account(), &session.ip, call, at, false);
        let call = Call::new("sts", "GetCallerIdentity", true, Object::new());
        self.trail("identity.use", &session, call, at + 3 * SECOND, false);
        session
    }

    /// The job reads the secrets that it declared, and gets a lease for the registry.
    fn job_secrets(&mut self, job: &Job, team: &str, session: &Session) {
        for (nth, secret) in release_secrets(team).iter().enumerate() {
            let event = self.job_secret("secret.access", "read", job, secret, session, 120 + 20 * nth as i64);
            self.send(event);
        }
        let lease = format!("registry/creds/{team}");
        let event = self.job_secret("secret.lease", "issued", job, &lease, session, 170);
        self.send(event);
    }

    /// A job reads a secret from the store, at thousandths of its time.
    pub(crate) fn job_secret(
        &mut self,
        class: &'static str,
        action: &str,
        job: &Job,
        secret: &str,
        session: &Session,
        thousandth: i64,
    ) -> Event {
        let org = self.org.clone();
        Event::new(class, action, job.moment(thousandth))
            .job(&org, job)
            .actor(&session.role, "ci", "workload")
            .text("prov.token_id", &job.token)
            .text("prov.token_kind", "job")
            .text("src.ip", &job.runner.ip)
            .text("store_kind", "vault")
            .text("op", "read")
            .texts("secret", &[secret])
            .text("auth_role", session.role.rsplit('/').next().unwrap_or(""))
            .int("ttl_s", 900)
            .int("token_age_s", 40)
    }

    /// The build ended; what it is made of is listed.
    fn built(&mut self, job: &Job, digest: &str, version: &str) {
        let org = self.org.clone();
        let repo = org.repo(job.repo);
        let components = self.life(job.repo).components.clone();
        let key = format!("git+https://github.com/{}@{}", repo.full, job.commit);
        self.send(
            Event::new("build.finished", "finished", job.moment(500))
                .job(&org, job)
                .text("prov.build_id", &format!("https://github.com/{}/actions/runs/{}", repo.full, job.run_id))
                .text("prov.artifact", &repo.artifact())
                .text("prov.version", version)
                .text("prov.digest", digest)
                .texts("outputs", &[digest])
                .texts("materials", &[key])
                .text("builder", BUILDER)
                .text("channel", "release")
                .text("result", "success")
                .int("duration", job.moment(500) - job.moment(70))
                .flag("deterministic", repo.kind == Kind::Library),
        );
        let ages: Vec<i64> = components.iter().map(|c| 200 + (c.len() as i64 * 977) % 9_000).collect();
        let scripts: Vec<bool> = components.iter().map(|c| c.contains("/sharp@") || c.contains("/esbuild@")).collect();
        self.send(
            Event::new("sbom.generated", "generated", job.moment(520))
                .job(&org, job)
                .text("prov.artifact", &repo.artifact())
                .text("prov.version", version)
                .text("prov.digest", digest)
                .text("format", "cyclonedx")
                .texts("components.purl", &components)
                .plain("components.age_h", &ages)
                .plain("components.install_script", &scripts),
        );
    }

    /// The digest is signed and attested, and the log has it.
    pub(crate) fn signed(&mut self, job: &Job, digest: &str, team: &str, session: &Session) {
        let org = self.org.clone();
        let repo = org.repo(job.repo);
        let key = signing_key(team);
        let request = Object::new().text("keyId", &key).text("signingAlgorithm", "ECDSA_SHA_256");
        let call = Call { resource: Some(key.clone()), ..Call::new("kms", "Sign", true, request) };
        self.trail("kms.sign", session, call, job.moment(540), false);
        let uri = signer_uri(repo);
        let run = format!("https://github.com/{}/actions/runs/{}/attempts/{}", repo.full, job.run_id, job.attempt);
        let log = self.number().to_string();
        let base = |class: &'static str, action: &str, thousandth: i64| {
            Event::new(class, action, job.moment(thousandth))
                .job(&org, job)
                .text("prov.artifact", &repo.artifact())
                .text("prov.digest", digest)
                .text("prov.attestation_id", &log)
                .text("issuer", "https://token.actions.githubusercontent.com")
                .text("san", &uri)
                .text("signer_uri", &uri)
                .text("runner_env", "self-hosted")
                .text("source_repo", &format!("https://github.com/{}", repo.full))
        };
        let signature = base("sign.signature", "signed", 545).text("key", &key);
        let entry = base("rekor.entry", "logged", 560).text("run_uri", &run);
        let statement = base("sign.attestation", "attested", 570)
            .text("run_uri", &run)
            .text("builder", BUILDER)
            .text("predicate_type", "https://slsa.dev/provenance/v1");
        for event in [signature, entry, statement] {
            self.send(event);
        }
    }

    /// The artifact is pushed, or published where it is a package.
    pub(crate) fn pushed(&mut self, job: &Job, digest: &str, version: &str, session: &Session, at: i64) {
        let library = self.org.repo(job.repo).kind == Kind::Library;
        let class = if library { "registry.publish" } else { "registry.push" };
        let event = self.push_event(class, job, digest, version, session, at);
        let event = if library { event.flag("install_script", false) } else { event.text("tag", version) };
        self.send(event);
        if !library {
            let floating = version.split('.').next().unwrap_or("1").to_owned();
            let event = self.push_event(class, job, digest, version, session, at + 2 * SECOND);
            self.send(event.text("tag", &floating).flag("immutable", false));
        }
    }

    /// An upload by a release job, without its tag.
    pub(crate) fn push_event(
        &mut self,
        class: &'static str,
        job: &Job,
        digest: &str,
        version: &str,
        session: &Session,
        at: i64,
    ) -> Event {
        let org = self.org.clone();
        let repo = org.repo(job.repo);
        Event::new(class, if class == "registry.push" { "push" } else { "publish" }, at)
            .job(&org, job)
            .actor(&session.role, "ci", "workload")
            .text("prov.token_id", &session.key)
            .text("prov.token_kind", "oidc_session")
            .text("src.ip", &job.runner.ip)
            .text("prov.artifact", &repo.artifact())
            .text("prov.version", version)
            .text("prov.digest", digest)
            .text("repo", &repo.full)
            .text("channel", "release")
            .int("bytes", 80_000_000 + (repo.id % 97) * 100_000)
    }

    /// A package is built a second time and compared.
    pub(crate) fn rebuilt(&mut self, made: &Release) {
        let org = self.org.clone();
        let at = made.job.finished + self.rng.between(MINUTE, DAY / 24);
        self.send(
            Event::new("verify.rebuild", "compared", at)
                .job(&org, &made.job)
                .text("prov.digest", &made.digest)
                .text("rebuilt_digest", &made.digest)
                .text("channel", "release")
                .flag("deterministic", true)
                .flag("ok", true),
        );
    }
}
