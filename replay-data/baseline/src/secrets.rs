//! Secrets: workloads read their own, within their manifest; values are rotated by plan; a store's guards are changed only
//! for the better. Also what else is known by name only: keys are rotated, tokens expire.

use crate::org::{Kind, NONPROD, PROD, release_secrets, signing_key, workload_role, workload_secrets};
use crate::time::{HOUR, MINUTE, SECOND};
use crate::world::World;
use crate::write::cloudtrail::{Call, Session};
use crate::write::json::Object;
use crate::write::normal::Event;

impl World {
    /// An hour of workloads: each reads one of its two secrets, and talks to what it always talks to.
    pub(crate) fn workloads(&mut self, at: i64) {
        let org = self.org.clone();
        for (nth, repo) in org.services.iter().enumerate() {
            if self.life(*repo).prod.is_none() {
                continue;
            }
            let name = org.repo(*repo).name.clone();
            let when = at + (nth as i64 * 23) % 3_600 * SECOND;
            let secret = workload_secrets(&name)[(at / HOUR % 2) as usize].clone();
            let session = self.workload(*repo, when);
            self.read_secret(&session, &secret, when, false);
            if nth as i64 % 3 == at / HOUR % 3 {
                self.workload_net(*repo, when + MINUTE);
            }
        }
        let session = Session::hourly(&format!("arn:aws:iam::{NONPROD}:role/inventory"), at, "203.0.113.80");
        let call = Call::new("secretsmanager", "ListSecrets", true, Object::new().int("maxResults", 100));
        self.trail("secret.list", &session, call, at + 7 * MINUTE, false);
    }

    /// The session of a service's workload.
    pub(crate) fn workload(&self, repo: usize, at: i64) -> Session {
        let name = &self.org.repo(repo).name;
        Session::hourly(&workload_role(name), at, &format!("203.0.113.{}", 150 + repo % 50))
    }

    /// A session reads a secret in the cloud's store.
    pub(crate) fn read_secret(&mut self, session: &Session, secret: &str, at: i64, marked: bool) {
        let call = Call::new("secretsmanager", "GetSecretValue", true, Object::new().text("secretId", secret));
        self.trail("secret.access", session, call, at, marked);
    }

    /// The guards of a day: planned rotations, new secrets, tokens that expire, settings.
    pub(crate) fn day_of_guards(&mut self, at: i64) {
        let org = self.org.clone();
        for nth in 0..4 {
            let repo = org.services[self.rng.index(org.services.len())];
            let when = at + 9 * HOUR + nth * 50 * MINUTE;
            self.rotate(&workload_secrets(&org.repo(repo).name)[0], when);
        }
        let repo = org.services[self.rng.index(org.services.len())];
        let service = &org.repo(repo).name;
        let admin = Session::hourly(&format!("arn:aws:iam::{PROD}:role/secrets-admin"), at + 10 * HOUR, "192.0.2.20");
        let request = Object::new().text("name", &format!("staging/{service}/extra-{}", at / HOUR % 1_000));
        let call = Call::new("secretsmanager", "CreateSecret", false, request);
        self.trail("secret.admin", &admin, call, at + 10 * HOUR, false);
        let team = org.teams[self.rng.index(org.teams.len())];
        let [registry, _] = release_secrets(team);
        self.send(
            Event::new("secret.rotated", "rotated", at + 11 * HOUR)
                .actor("secret-rotator", "secret-rotator", "service")
                .texts("secret", &[registry.as_str()])
                .text("fp", &registry)
                .text("store_kind", "vault"),
        );
        let key = signing_key(team);
        let call = Call {
            resource: Some(key.clone()),
            ..Call::new("kms", "EnableKeyRotation", false, Object::new().text("keyId", &key))
        };
        let owner = Session::hourly("arn:aws:iam::777788889999:role/key-owner", at + 12 * HOUR, "192.0.2.21");
        self.trail("kms.admin", &owner, call, at + 12 * HOUR, false);
        self.day_of_settings(at);
    }

    /// A planned rotation of a secret.
    pub(crate) fn rotate(&mut self, secret: &str, at: i64) {
        let rotator = Session::hourly(&format!("arn:aws:iam::{PROD}:role/secret-rotator"), at, "203.0.113.81");
        let call = Call::new("secretsmanager", "RotateSecret", false, Object::new().text("secretId", secret));
        self.trail("secret.rotated", &rotator, call, at, false);
    }

    fn day_of_settings(&mut self, at: i64) {
        let org = self.org.clone();
        let repo = self.rng.index(org.repos.len());
        let who = self.colleague(repo, 0);
        let record = self.setting("repo.update_actions_settings", who, repo, at + 9 * HOUR);
        self.send_native("github-audit", "scm.admin", at + 9 * HOUR, record, false);
        let record = self.setting("team.add_member", who, repo, at + 10 * HOUR).text("team", org.team(org.repo(repo)));
        self.send_native("github-audit", "scm.admin", at + 10 * HOUR, record, false);
        let actor = self.actor(who);
        self.send(
            Event::new("identity.token.revoked", "expired", at + 13 * HOUR)
                .actor(&actor.id.to_string(), &actor.login, "human")
                .text("prov.token_id", &format!("old-{}", at / HOUR))
                .text("fp", &format!("old-{}", at / HOUR))
                .text("reason", "end of its life"),
        );
        self.send(
            Event::new("secret.finding", "resolved", at + 14 * HOUR)
                .repo(&org, repo)
                .text("fp", &format!("{}#{}", org.repo(repo).host_name, at / HOUR))
                .text("where", "commit")
                .text("kind", "test_fixture")
                .text("reason", "used_in_tests")
                .flag("verified", false),
        );
        let secret_repo = org.libraries[self.rng.index(org.libraries.len())];
        debug_assert!(org.repo(secret_repo).kind == Kind::Library);
        let record =
            self.setting("repo.create_actions_secret", who, secret_repo, at + 15 * HOUR).text("key", "COVERAGE_TOKEN");
        self.send_native("github-audit", "secret.admin", at + 15 * HOUR, record, false);
    }
}
