//! Runners and what runs on them: debuggers, daemons, autoscalers, new destinations, code generators.

use super::{FalsePositive, known};
use crate::org::known_sha256;
use crate::people::SCALER_NEXT;
use crate::runners::Pool;
use crate::runs::{file, net, process};
use crate::time::{MINUTE, SECOND};
use crate::world::World;
use crate::write::normal::Event;

pub(super) const TABLE: &[FalsePositive] = &[
    known("RUN-01", "debugger", debugger),
    known("RUN-02", "build-daemon", build_daemon),
    known("RUN-03", "new-autoscaler", new_autoscaler),
    known("RUN-03", "controller-upgrade", controller_upgrade),
    known("RUN-05", "tool-upgrade", |w, at| destination(w, at, Pool::Hosted, "objects-v2.githubusercontent.com", 0)),
    known("RUN-05", "cdn-rename", |w, at| destination(w, at, Pool::Shared, "edge-3.npmjs.org", 0)),
    known("RUN-05", "release-only-step", release_only_step),
    known("RUN-06", "new-region", new_region),
    known("RUN-07", "webhook-test", webhook_test),
    known("RUN-07", "pinned-mirror", pinned_mirror),
    known("RUN-08", "native-build", native_build),
    known("RUN-09", "new-cloud-client", new_cloud_client),
    known("RUN-10", "code-generator", |w, at| generator(w, at, "/usr/local/bin/protoc", "gen/api.pb.ts")),
    known("RUN-10", "version-stamper", |w, at| generator(w, at, "/usr/local/bin/stamp", "src/version.ts")),
];

/// A debug job traces its own test program, not the runner.
fn debugger(w: &mut World, at: i64) {
    let repo = w.some_service();
    let job = w.build(repo, at, Pool::Shared);
    let org = w.org.clone();
    let event = Event::new("runner.process", "start", job.moment(450))
        .job(&org, &job)
        .text("op", "ptrace")
        .text("exe", "/usr/bin/gdb")
        .text("exe_sha256", &known_sha256("gdb"))
        .text("cmdline", "gdb -p 4711 --batch")
        .text("target.name", "server.test")
        .texts("ancestors", &["bash", "Runner.Worker"])
        .text("env.runner_tracking_id", &format!("github_{:x}", job.job_id));
    w.send(event.fp());
}

/// A build daemon outlives its job; the pool lists its digest.
fn build_daemon(w: &mut World, at: i64) {
    let repo = w.some_service();
    let job = w.build(repo, at, Pool::Shared);
    let org = w.org.clone();
    let daemon = |action: &str, at: i64| {
        Event::new("runner.process", action, at)
            .job(&org, &job)
            .text("op", "exec")
            .text("exe", "/opt/gradle/bin/gradle-daemon")
            .text("exe_sha256", &known_sha256("gradle-daemon"))
            .text("cmdline", "gradle-daemon --idle 600")
            .text("parent", "Runner.Worker")
            .texts("ancestors", &["Runner.Worker", "Runner.Listener"])
            .text("env.runner_tracking_id", "0")
    };
    w.send(daemon("start", job.moment(200)).fp());
    w.send(daemon("end", job.finished + 90 * SECOND).fp());
}

fn new_autoscaler(w: &mut World, at: i64) {
    let runner = w.runner(Pool::Burst, at, at + MINUTE);
    w.register_runner(&runner, SCALER_NEXT, at, true);
    w.runner_down(&runner, at + 6 * MINUTE);
}

/// After an upgrade the controller registers from a network that is new and listed.
fn controller_upgrade(w: &mut World, at: i64) {
    let actor = w.actor(crate::people::SCALER);
    let runner = w.runner(Pool::Burst, at, at + MINUTE);
    let record = w
        .audit("org.register_self_hosted_runner", &actor, 5, at)
        .text("actor_ip", "203.0.113.100")
        .int("runner_id", runner.id)
        .text("runner_name", &runner.name)
        .texts("runner_labels", &["self-hosted", "linux", "burst"])
        .text("runner_group_name", "burst")
        .text("user_agent", "GitHubActionsRunner-linux-x64/2.331.0");
    w.send_native("github-audit", "ci.runner", at, record, true);
    w.runner_down(&runner, at + 6 * MINUTE);
}

fn destination(w: &mut World, at: i64, pool: Pool, domain: &str, secrets: i64) {
    let repo = w.some_service();
    let job = w.build(repo, at, pool);
    let org = w.org.clone();
    w.send(net(&org, &job, domain, "198.19.0.40", 443, job.moment(400)).int("secrets_count", secrets).fp());
}

/// Only releases talk to the certificate service; its domain is the company's own.
fn release_only_step(w: &mut World, at: i64) {
    let repo = w.some_library();
    let made = w.lone_release(repo, at);
    let org = w.org.clone();
    let event = net(&org, &made.job, "certificates.harbourline.example", "203.0.113.142", 443, made.job.moment(535));
    w.send(event.int("secrets_count", 2).fp());
}

/// The registry opens in another region: announced, and under a name whose domain is known.
fn new_region(w: &mut World, at: i64) {
    let repo = w.some_library();
    let team = w.team_of(repo);
    w.announce("registry-us", team, "registry-us", at, 60 * MINUTE);
    let made = w.lone_release(repo, at);
    let org = w.org.clone();
    let event = net(&org, &made.job, "registry-us.harbourline.example", "203.0.113.143", 443, made.job.moment(300));
    w.send(event.int("secrets_count", 2).fp());
}

/// A test calls a webhook catcher; repository and domain are listed.
fn webhook_test(w: &mut World, at: i64) {
    let repo = w.org.find("web/forms-worker");
    let job = w.build(repo, at, Pool::Shared);
    let org = w.org.clone();
    w.send(
        net(&org, &job, "forms-tests.webhook.site", "198.19.0.50", 443, job.moment(500)).int("secrets_count", 0).fp(),
    );
}

/// A mirror is reached by its address; its network is listed.
fn pinned_mirror(w: &mut World, at: i64) {
    let repo = w.some_service();
    let job = w.build(repo, at, Pool::Shared);
    let org = w.org.clone();
    let event = Event::new("runner.net", "connect", job.moment(150))
        .job(&org, &job)
        .text("exe", "/usr/bin/apt-get")
        .text("exe_sha256", &known_sha256("apt-get"))
        .text("dst.ip", "203.0.113.200")
        .int("dst.port", 443)
        .int("bytes_out", 900)
        .int("secrets_count", 0);
    w.send(event.fp());
}

/// A native module fetches its toolchain from the own registry; the repository is listed.
fn native_build(w: &mut World, at: i64) {
    let repo = w.org.find("media/thumbs-worker");
    let job = w.build(repo, at, Pool::Shared);
    let org = w.org.clone();
    let command = "curl -sSfO https://registry.harbourline.example/toolchains/libvips.tar.gz";
    let event = process(&org, &job, "/usr/bin/curl", command, &["sh", "node", "npm", "bash", "Runner.Worker"], 250);
    w.send(event.text("fd_redirect", "file").fp());
}

/// A new image brings a new cloud client; its digest came to the list with the image.
fn new_cloud_client(w: &mut World, at: i64) {
    let repo = w.some_service();
    let job = w.build(repo, at, Pool::Burst);
    let org = w.org.clone();
    let event = Event::new("runner.net", "connect", job.moment(100))
        .job(&org, &job)
        .text("exe", "/usr/local/bin/cloudctl")
        .text("exe_sha256", &known_sha256("cloudctl"))
        .text("dst.ip", "169.254.169.254")
        .int("dst.port", 80)
        .int("bytes_out", 300)
        .int("secrets_count", 0);
    w.send(event.fp());
}

fn generator(w: &mut World, at: i64, exe: &str, path: &str) {
    let repo = w.some_service();
    let job = w.build(repo, at, Pool::Shared);
    let org = w.org.clone();
    w.send(file(&org, &job, exe, path, "build", true, 400).fp());
}
