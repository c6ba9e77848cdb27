//! Tokens and sessions: new ways out to the internet, people who travel, scripts that retry, keys that are on their way out.

use super::{FalsePositive, known};
use crate::job::Plan;
use crate::org::{PROD, TOOLING, known_sha256, publisher};
use crate::people::{ACTIONS, MIRROR};
use crate::runners::Pool;
use crate::time::{HOUR, MINUTE, SECOND};
use crate::world::World;
use crate::write::cloudtrail::{Call, Session};
use crate::write::json::Object;
use crate::write::normal::Event;

pub(super) const TABLE: &[FalsePositive] = &[
    known("TOK-01", "new-nat", |w, at| other_way_out(w, at, "203.0.113.36")),
    known("TOK-01", "proxy", |w, at| other_way_out(w, at, "203.0.113.90")),
    known("TOK-02", "late-audit", late_audit),
    known("TOK-03", "new-repository", new_repository),
    known("TOK-04", "vpn", |w, at| two_networks(w, at, "198.51.100.200", "vpn")),
    known("TOK-04", "mobile-gateway", |w, at| two_networks(w, at, "198.51.100.140", "mobile")),
    known("TOK-04", "hosted-regions", hosted_regions),
    known("TOK-05", "corporate-vpn", |w, at| travel(w, at, "192.0.2.140", "vpn", (52.5, 13.4))),
    known("TOK-05", "private-relay", |w, at| travel(w, at, "198.51.100.210", "relay", (48.9, 2.4))),
    known("TOK-05", "geo-error", |w, at| travel(w, at, "192.0.2.60", "none", (57.7, 12.0))),
    known("TOK-06", "browser-upgrade", browser_upgrade),
    known("TOK-07", "new-feature", new_feature),
    known("TOK-08", "retry-loop", retry_loop),
    known("TOK-09", "own-scan", own_scan),
    known("TOK-10", "new-laptop", new_laptop),
    known("TOK-10", "mirror-bot", mirror_bot),
    known("TOK-11", "scripted-onboarding", scripted_onboarding),
    known("TOK-12", "chained-release", chained_release),
    known("TOK-13", "legacy-job", legacy_job),
    known("TOK-14", "dead-secret", dead_secret),
    known("TOK-15", "propagation", propagation),
    known("TOK-18", "platform-role", platform_role),
];

/// A team's CI role calls from an address that came to its list first.
fn other_way_out(w: &mut World, at: i64, ip: &str) {
    let repo = w.some_service();
    let session = Session::hourly(&publisher(w.team_of(repo)), at, ip);
    let request = Object::new().text("registryId", TOOLING);
    w.trail("identity.use", &session, Call::new("ecr", "GetAuthorizationToken", true, request), at, true);
}

/// The record of a use within the job arrives long after the job's end.
fn late_audit(w: &mut World, at: i64) {
    let repo = w.some_service();
    let job = w.build(repo, at, Pool::Shared);
    let actor = w.actor(job.actor);
    let when = job.moment(970);
    let record = w
        .audit_repo("api.request", &actor, repo, when)
        .text("actor_ip", &job.runner.ip)
        .text("route", "/repos/contents")
        .text("hashed_token", &job.token)
        .text("programmatic_access_type", "GitHub App server-to-server token")
        .int("status_code", 200);
    w.held_up = 4 * MINUTE;
    w.send_native("github-audit", "identity.use", when, record, true);
}

/// A repository is new to a role: announced, and in the role's expectations.
fn new_repository(w: &mut World, at: i64) {
    let repo = w.org.find("mobile/offline-client");
    let team = w.team_of(repo);
    w.announce("onboarding", team, "onboarding-offline", at, 2 * HOUR);
    let job = w.build(repo, at, Pool::Burst);
    let session = w.exchange(&job, team);
    let org = w.org.clone();
    let event = Event::new("identity.use", "releases.read", job.moment(200))
        .job(&org, &job)
        .actor(&session.role, "ci", "workload")
        .text("prov.token_id", &session.key)
        .text("prov.token_kind", "oidc_session")
        .text("src.ip", &job.runner.ip);
    w.send(event.fp());
}

/// A person's token from the office and from the telephone or through a tunnel, within an hour.
fn two_networks(w: &mut World, at: i64, other: &str, kind: &str) {
    let repo = w.some_service();
    let who = w.owner_of(repo);
    let actor = w.actor(who);
    for (ip, proxy, at) in [(actor.office_ip.as_str(), "none", at), (other, kind, at + 25 * MINUTE)] {
        let event = Event::new("identity.use", "pulls.read", at)
            .actor(&actor.id.to_string(), &actor.login, "human")
            .text("prov.token_id", &actor.token)
            .text("prov.token_kind", "oauth")
            .text("src.ip", ip)
            .text("src.proxy", proxy)
            .text("src.country", "SE");
        w.send(event.fp());
    }
}

/// The jobs of one application run on hosted machines in several places of one network.
fn hosted_regions(w: &mut World, at: i64) {
    let token = known_sha256(&format!("app-{at}"));
    for (ip, later) in [("198.18.4.20", 0), ("198.18.120.7", 4), ("198.18.201.3", 9)] {
        let event = Event::new("identity.use", "checks.write", at + later * MINUTE)
            .actor("41898", "github-actions[bot]", "bot")
            .text("prov.token_id", &token)
            .text("prov.token_kind", "app_s2s")
            .text("src.ip", ip);
        w.send(event.fp());
    }
}

/// Two sign-ins that look far apart: through a tunnel, or by an error of less than 500 kilometres.
fn travel(w: &mut World, at: i64, ip: &str, proxy: &str, place: (f64, f64)) {
    let repo = w.some_service();
    let who = w.owner_of(repo);
    let actor = w.actor(who);
    for (ip, proxy, (lat, lon), at) in
        [(actor.office_ip.as_str(), "none", (59.3, 18.1), at), (ip, proxy, place, at + 14 * MINUTE)]
    {
        let event = w.sign_in(who, ip, at).number("src.lat", lat).number("src.lon", lon).text("src.proxy", proxy);
        w.send(event.fp());
    }
}

/// One session, one device: the browser is newer after lunch, and lunch was elsewhere.
fn browser_upgrade(w: &mut World, at: i64) {
    let repo = w.some_service();
    let who = w.owner_of(repo);
    let actor = w.actor(who);
    for (ip, version, at) in [(actor.office_ip.as_str(), 140, at), ("198.51.100.141", 141, at + 50 * MINUTE)] {
        let event = Event::new("identity.use", "pulls.read", at)
            .actor(&actor.id.to_string(), &actor.login, "human")
            .text("prov.session", &format!("idp-{}-{}", actor.id, at / (12 * HOUR)))
            .text("prov.token_kind", "session")
            .text("src.ip", ip)
            .text("device", &format!("laptop-{}", actor.id))
            .text("ua", &format!("Mozilla/5.0 (X11; Linux x86_64) Firefox/{version}.0"))
            .text("ua_family", "browser");
        w.send(event.fp());
    }
}

/// A reviewed change of a pipeline brings a call that its role never made.
fn new_feature(w: &mut World, at: i64) {
    let repo = w.some_library();
    let (old, new) = (w.life(repo).head.clone(), w.rng.commit());
    let reviewer = w.owner_of(repo);
    let event = w.main_push(repo, reviewer, &old, &new, at);
    w.send(event.texts("files", &[".github/workflows/release.yml"]).text("pr", "4711").text("message", "upload docs"));
    w.life(repo).head = new;
    let made = w.lone_release(repo, at + 20 * MINUTE);
    let mut session = Session::hourly(&publisher(w.team_of(repo)), at, &made.job.runner.ip);
    (session.key, session.since) = (made.key.clone(), made.job.moment(30));
    let request = Object::new().text("bucketName", "package-docs").text("key", "index.html");
    w.trail("identity.use", &session, Call::new("s3", "PutObject", false, request), made.job.moment(850), true);
}

/// A job retries with a secret that has ended, and then gets the new one: one job all the time.
fn retry_loop(w: &mut World, at: i64) {
    let repo = w.some_library();
    let made = w.lone_release(repo, at);
    let session = Session::hourly(&publisher(w.team_of(repo)), at, &made.job.runner.ip);
    let secret = crate::org::release_secrets(w.team_of(repo))[1].clone();
    for nth in 0..12 {
        let event = w.job_secret("secret.access", "read", &made.job, &secret, &session, 200 + nth * 20);
        w.send(event.outcome("denied").text("reason", "lease expired").fp());
    }
    let event = w.job_secret("secret.access", "read", &made.job, &secret, &session, 460);
    w.send(event.fp());
}

/// The security team tries tokens from its own addresses.
fn own_scan(w: &mut World, at: i64) {
    let repo = w.some_service();
    let who = w.owner_of(repo);
    w.api_request(who, "192.0.2.195", "/user", "TruffleHog", at, true);
}

/// A new laptop gets a dozen private repositories in forty minutes.
fn new_laptop(w: &mut World, at: i64) {
    let repo = w.some_service();
    let who = w.owner_of(repo);
    let actor = w.actor(who);
    for nth in 0..12 {
        let repo = w.some_service();
        w.read_repo("git.clone", who, repo, &actor.office_ip, at + nth * 200 * SECOND, true);
    }
}

/// The mirror's bot, which is listed, looks at everything.
fn mirror_bot(w: &mut World, at: i64) {
    let bot = w.actor(MIRROR);
    for nth in 0..30 {
        let repo = (nth as usize * 9) % w.org.repos.len();
        w.read_repo("git.clone", MIRROR, repo, &bot.office_ip, at + nth * 10 * SECOND, true);
    }
}

/// An announced script makes a key and reads three repositories.
fn scripted_onboarding(w: &mut World, at: i64) {
    let repo = w.some_service();
    let team = w.team_of(repo);
    w.announce("onboarding", team, "joiners", at, HOUR);
    let who = w.owner_of(repo);
    let actor = w.actor(who);
    let record = w.setting("public_key.create", who, repo, at).text("title", "onboarding").int("public_key_id", 7_700);
    w.send_native("github-audit", "scm.admin", at, record, true);
    for nth in 0..3 {
        let repo = w.own_repo(actor.team);
        w.read_repo("git.clone", who, repo, &actor.office_ip, at + (3 + nth * 4) * MINUTE, true);
    }
}

/// One release starts the next, as it has always done.
fn chained_release(w: &mut World, at: i64) {
    let repo = w.org.find("web/blog-client");
    let org = w.org.clone();
    let event = Event::new("ci.run", "dispatched", at)
        .repo(&org, repo)
        .actor("41898", "github-actions[bot]", "bot")
        .text("prov.token_kind", "app_s2s")
        .text("prov.trigger", "workflow_dispatch")
        .text("prov.workflow", "web/blog-client/.github/workflows/follow-up.yml@refs/heads/main");
    w.send(event.fp());
    let head = w.life(repo).head.clone();
    w.run(&Plan {
        workflow: "follow-up.yml",
        trigger: "workflow_dispatch",
        ..Plan::new(repo, at + 2 * SECOND, ACTIONS, &head)
    });
}

/// A job of old uses a fixed key until its exception ends; it is off the list of CI identities until then.
fn legacy_job(w: &mut World, at: i64) {
    let arn = format!("arn:aws:iam::{PROD}:user/legacy-uploader");
    let identity = Object::new()
        .text("type", "IAMUser")
        .text("principalId", "AIDAQ4LEGACYEXAMPLE")
        .text("arn", &arn)
        .text("accountId", PROD)
        .text("accessKeyId", "AKIAQ4LEGACYEXAMPLE")
        .text("userName", "legacy-uploader");
    let request = Object::new().text("bucketName", "price-lists");
    let call = Call::new("s3", "ListObjects", true, request);
    w.trail_by("identity.use", identity, PROD, "203.0.113.83", call, at, true);
}

/// A secret that has long been dead is found a second time, tried, and closed.
fn dead_secret(w: &mut World, at: i64) {
    let repo = w.some_service();
    let org = w.org.clone();
    for (action, at) in [("opened", at), ("resolved", at + 20 * MINUTE)] {
        let event = Event::new("secret.finding", action, at)
            .repo(&org, repo)
            .text("fp", &known_sha256(&format!("dead-{repo}")))
            .text("where", "commit")
            .text("kind", "api_key")
            .text("reason", "revoked")
            .flag("verified", false);
        w.send(event.fp());
    }
}

/// A token works for three more minutes after it was revoked.
fn propagation(w: &mut World, at: i64) {
    let repo = w.some_service();
    let who = w.owner_of(repo);
    let actor = w.actor(who);
    let token = known_sha256(&format!("token-{at}"));
    let event = |class: &'static str, action: &str, at: i64| {
        Event::new(class, action, at)
            .actor(&actor.id.to_string(), &actor.login, "human")
            .text("prov.token_id", &token)
            .text("fp", &token)
            .text("src.ip", &actor.office_ip)
    };
    w.send(event("identity.token.revoked", "revoked", at));
    w.send(event("identity.use", "pulls.read", at + 3 * MINUTE).fp());
}

/// The platform's deployer serves several teams, and its entry says so.
fn platform_role(w: &mut World, at: i64) {
    for nth in 0..3 {
        let repo = w.some_service();
        let name = w.org.repo(repo).name.clone();
        let team = w.team_of(repo);
        let event = Event::new("identity.use", "deploy", at + nth * 6 * MINUTE)
            .actor(&format!("arn:aws:iam::{PROD}:role/platform-deployer"), "platform-deployer", "service")
            .place(&name, "staging", "stg1")
            .text("role_class", "deployer")
            .text("team_target", team)
            .text("src.ip", "203.0.113.84");
        w.send(event.fp());
    }
}
