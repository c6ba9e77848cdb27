//! People at work: they sign in where they sit, clone and fetch a few repositories, and use the code host's interface.
//! Nobody reads many private repositories within minutes, and no token is in two countries.

use crate::people::{MIRROR, PEOPLE};
use crate::time::{HOUR, MINUTE, is_weekend};
use crate::world::World;
use crate::write::normal::Event;

impl World {
    /// An hour of sign-ins, clones and requests.
    pub(crate) fn accesses(&mut self, at: i64, hour: i64) {
        let weekend = is_weekend(at);
        for index in 0..PEOPLE {
            let actor = self.actor(index);
            let office = (index as i64 + at / (24 * HOUR)) % 3 != 0;
            let ip = if office { &actor.office_ip } else { &actor.home_ip };
            let open = !weekend && (actor.from_hour..actor.from_hour + 9).contains(&hour);
            if !open {
                continue;
            }
            if hour == actor.from_hour {
                let when = at + self.rng.between(0, 50 * MINUTE);
                let event = self.sign_in(index, ip, when);
                self.send(event);
            }
            if self.rng.one_in(4) {
                let repo = self.own_repo(actor.team);
                let when = at + self.rng.between(0, HOUR);
                self.read_repo("git.fetch", index, repo, ip, when, false);
            }
        }
        if hour % 6 == 0 {
            let bot = self.actor(MIRROR);
            for nth in 0..4 {
                let repo = self.rng.index(self.org.repos.len());
                self.read_repo("git.fetch", MIRROR, repo, &bot.office_ip, at + (5 + 10 * nth) * MINUTE, false);
            }
        }
    }

    /// A repository of a team.
    pub(crate) fn own_repo(&mut self, team: usize) -> usize {
        let org = self.org.clone();
        let own: Vec<usize> = (0..org.repos.len()).filter(|repo| org.repo(*repo).team == team).collect();
        let at = self.rng.index(own.len());
        own.get(at).copied().unwrap_or(0)
    }

    /// Somebody signs in at the identity provider.
    pub(crate) fn sign_in(&mut self, person: usize, ip: &str, at: i64) -> Event {
        let actor = self.actor(person);
        Event::new("identity.auth", "login", at)
            .actor(&actor.id.to_string(), &actor.login, "human")
            .text("prov.session", &format!("idp-{}-{}", actor.id, at / (12 * HOUR)))
            .text("src.ip", ip)
            .text("device", &format!("laptop-{}", actor.id))
            .text("ua", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
            .text("ua_family", "browser")
            .flag("mfa", true)
    }

    /// Somebody reads a repository with git.
    pub(crate) fn read_repo(&mut self, action: &'static str, who: usize, repo: usize, ip: &str, at: i64, marked: bool) {
        let actor = self.actor(who);
        let kind = if actor.bot { "GitHub App server-to-server token" } else { "Fine-grained personal access token" };
        let record = self
            .audit_repo(action, &actor, repo, at)
            .text("actor_ip", ip)
            .text("transport_protocol_name", "http")
            .text("programmatic_access_type", kind)
            .text("hashed_token", &actor.token)
            .text("user_agent", "git/2.50.1");
        self.send_native("github-audit", "scm.access", at, record, marked);
    }

    /// Somebody asks the code host's interface.
    pub(crate) fn api_request(&mut self, who: usize, ip: &str, path: &str, client: &str, at: i64, marked: bool) {
        let actor = self.actor(who);
        let kind = if actor.bot { "GitHub App server-to-server token" } else { "Fine-grained personal access token" };
        let record = self
            .audit("api.request", &actor, 5, at)
            .text("actor_ip", ip)
            .text("request_method", "GET")
            .text("url_path", path)
            .text("route", path)
            .text("user_agent", client)
            .text("programmatic_access_type", kind)
            .text("hashed_token", &actor.token)
            .int("status_code", 200);
        self.send_native("github-audit", "identity.use", at, record, marked);
    }

    /// Somebody of the cloud's people or a console session is not needed each hour: a setting is changed.
    pub(crate) fn setting(
        &mut self,
        action: &'static str,
        who: usize,
        repo: usize,
        at: i64,
    ) -> crate::write::json::Object {
        let actor = self.actor(who);
        self.audit_repo(action, &actor, repo, at).text("actor_ip", &actor.office_ip)
    }
}
