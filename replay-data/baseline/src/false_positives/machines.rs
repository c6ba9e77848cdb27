//! Machines: idle ones that are looked after, slow sensors, pools under the wrong name, uploads that end after their job,
//! two ways out to the internet.

use super::{FalsePositive, known};
use crate::job::Plan;
use crate::org::known_sha256;
use crate::people::SCALER_NEXT;
use crate::runners::{Pool, Runner};
use crate::time::{MINUTE, SECOND};
use crate::world::World;
use crate::write::normal::Event;

pub(super) const TABLE: &[FalsePositive] = &[
    known("RUN-04", "controllers-list-behind", controllers_list_behind),
    known("RUN-11", "monitoring", |w, at| idle(w, at, "/usr/sbin/node-exporter")),
    known("RUN-11", "patching", |w, at| idle(w, at, "/usr/bin/unattended-upgrade")),
    known("RUN-12", "slow-sensor", slow_sensor),
    known("RUN-13", "pool-tagged-wrongly", pool_tagged_wrongly),
    known("RUN-14", "late-upload", |w, at| push_beside_job(w, at, true)),
    known("RUN-14", "clock-skew", |w, at| push_beside_job(w, at, false)),
    known("RUN-15", "two-ways-out", |w, at| two_addresses(w, at, "203.0.113.5", "203.0.113.34")),
    known("RUN-15", "both-address-families", |w, at| two_addresses(w, at, "203.0.113.5", "2001:db8:10::5")),
    known("RUN-18", "image-rollout", image_rollout),
];

/// A machine of the new autoscaler takes a release job; that autoscaler is on the list.
fn controllers_list_behind(w: &mut World, at: i64) {
    let repo = w.some_library();
    let team = w.team_of(repo);
    let started = at + 70 * SECOND;
    let runner = Runner { ip: "203.0.113.41".to_owned(), ..w.runner(Pool::Release, at, started) };
    w.register_runner(&runner, SCALER_NEXT, at, true);
    let plan = Plan {
        workflow: "release.yml",
        name: "dry-run",
        env: Some("release"),
        secrets: crate::org::release_secrets(team).to_vec(),
        marked: true,
        ..w.build_plan(repo, at, Pool::Release)
    };
    w.run_on(&plan, runner, started);
}

/// Something that belongs to the machine itself runs while no job does.
fn idle(w: &mut World, at: i64, exe: &str) {
    let Some(free) = w.shared_free.iter().rposition(|free| free + 5 * MINUTE < at) else { return };
    w.shared_free[free] = at + 4 * MINUTE;
    let id = free as i64 + 1;
    let name = exe.rsplit('/').next().unwrap_or(exe);
    let event = Event::new("runner.process", "start", at)
        .text("prov.runner_id", &id.to_string())
        .text("prov.runner_name", &format!("r{id}"))
        .text("prov.runner_pool", "shared")
        .text("op", "exec")
        .text("exe", exe)
        .text("exe_sha256", &known_sha256(name))
        .text("cmdline", name)
        .text("parent", "systemd")
        .texts("ancestors", &["systemd"]);
    w.send(event.fp());
}

/// On a cold image the sensor is heard after 105 seconds, within the two minutes.
fn slow_sensor(w: &mut World, at: i64) {
    let repo = w.some_service();
    let plan = Plan { first_beat: 105 * SECOND, ..w.build_plan(repo, at, Pool::Burst) };
    w.run(&plan);
}

/// A fork's job and then one with an environment on a machine of one name, which was set up anew in between.
fn pool_tagged_wrongly(w: &mut World, at: i64) {
    let repo = w.some_library();
    let started = at + 70 * SECOND;
    let runner = w.runner(Pool::Burst, at, started);
    let first = Plan {
        trigger: "pull_request",
        git_ref: "refs/pull/77/merge".to_owned(),
        change: Some(77),
        from_fork: true,
        span: 4 * MINUTE,
        ..w.build_plan(repo, at, Pool::Burst)
    };
    w.run_on(&first, runner.clone(), started);
    let infra = w.org.infra[0];
    let second = Plan { env: Some("staging"), marked: true, ..w.build_plan(infra, at + 12 * MINUTE, Pool::Burst) };
    w.run_on(&second, runner, at + 12 * MINUTE + 70 * SECOND);
}

/// An upload ends 45 seconds after its job, or its clock runs half a minute early.
fn push_beside_job(w: &mut World, at: i64, late: bool) {
    let (repo, _) = w.calm_service(at);
    let made = w.lone_release(repo, at);
    let team = w.team_of(repo);
    let mut session = crate::write::cloudtrail::Session::hourly(&crate::org::publisher(team), at, &made.job.runner.ip);
    session.key = made.key.clone();
    let when = if late { made.job.finished + 45 * SECOND } else { made.job.started - 30 * SECOND };
    let event = w.push_event("registry.push", &made.job, &made.digest, &made.version, &session, when);
    w.send(event.text("tag", &format!("{}-debug", made.version)).fp());
}

/// A job's token comes from two addresses of one network.
fn two_addresses(w: &mut World, at: i64, first: &str, second: &str) {
    let repo = w.some_service();
    let job = w.build(repo, at, Pool::Shared);
    let org = w.org.clone();
    for (ip, thousandth) in [(first, 300), (second, 600)] {
        let event = Event::new("identity.use", "contents.read", job.moment(thousandth))
            .job(&org, &job)
            .text("prov.token_id", &job.token)
            .text("prov.token_kind", "job")
            .text("src.ip", ip)
            .text("op_class", "contents.read");
        w.send(event.fp());
    }
}

/// The next image is on the list before machines start from it.
fn image_rollout(w: &mut World, at: i64) {
    let runner = w.runner(Pool::Burst, at, at + MINUTE);
    w.register_runner(&runner, crate::people::SCALER, at, false);
    let event = Event::new("ci.runner", "online", at + 10 * SECOND)
        .text("prov.runner_id", &runner.id.to_string())
        .text("prov.runner_name", &runner.name)
        .text("prov.runner_pool", "burst")
        .text("image_digest", &format!("sha256:{}", known_sha256("burst-next")))
        .text("version", "2.331.0");
    w.send(event.fp());
    w.runner_down(&runner, at + 8 * MINUTE);
}
