//! Bodies of GitHub's webhooks: of each only the parts that say something.

use crate::job::{Job, Plan};
use crate::people::Actor;
use crate::time::rfc3339;
use crate::world::World;
use crate::write::json::Object;

impl World {
    /// What every body of a repository has.
    pub(crate) fn hook(&self, repo: usize, sender: &Actor, at: i64) -> Object {
        let repo = self.org.repo(repo);
        let owner = self.org.owner(repo);
        let owner_object = || Object::new().text("login", owner.login).int("id", owner.id);
        let body = Object::new()
            .int("id", repo.id)
            .text("name", &repo.name)
            .text("full_name", &repo.full)
            .text("html_url", &format!("https://{}", repo.host_name))
            .flag("private", !repo.public)
            .text("default_branch", "main")
            .object("owner", owner_object());
        Object::new().int("received_at", at).object("repository", body).object("organization", owner_object()).object(
            "sender",
            Object::new()
                .text("login", &sender.login)
                .int("id", sender.id)
                .text("type", if sender.bot { "Bot" } else { "User" }),
        )
    }

    /// A run is requested, in progress or completed.
    pub(crate) fn hook_run(&mut self, plan: &Plan, run_id: i64, action: &str, at: i64) {
        let actor = self.actor(plan.actor);
        let repo_id = self.org.repo(plan.repo).id;
        let done = action == "completed";
        let head = if plan.from_fork { repo_id + 50_000_000 } else { repo_id };
        let run = Object::new()
            .int("id", run_id)
            .text("name", plan.name)
            .text("path", &format!(".github/workflows/{}", plan.workflow))
            .int("workflow_id", repo_id * 10 + plan.workflow.len() as i64)
            .text("head_branch", short(&plan.git_ref))
            .text("head_sha", &plan.commit)
            .int("run_attempt", plan.attempt)
            .text("event", plan.trigger)
            .text("status", if done { "completed" } else { action })
            .raw("conclusion", &if done { format!("\"{}\"", plan.conclusion) } else { "null".to_owned() })
            .text("created_at", &rfc3339(plan.at))
            .text("run_started_at", &rfc3339(plan.at))
            .text("updated_at", &rfc3339(at))
            .object("head_repository", Object::new().int("id", head));
        let body = Object::new().text("action", action).object("workflow_run", run);
        self.send_hook(plan.repo, &actor, "ci.run", at, body, false);
    }

    /// A job is completed.
    pub(crate) fn hook_job(&mut self, job: &Job, conclusion: &str, marked: bool) {
        let actor = self.actor(job.actor);
        let runner = &job.runner;
        let label = if runner.pool.kind() == "hosted" { "ubuntu-24.04" } else { "self-hosted" };
        let body = Object::new()
            .int("id", job.job_id)
            .int("run_id", job.run_id)
            .int("run_attempt", job.attempt)
            .text("workflow_name", job.workflow)
            .text("name", job.name)
            .text("head_sha", &job.commit)
            .text("head_branch", short(&job.git_ref))
            .text("status", "completed")
            .text("conclusion", conclusion)
            .text("created_at", &rfc3339(job.started - 4_000))
            .text("started_at", &rfc3339(job.started))
            .text("completed_at", &rfc3339(job.finished))
            .texts("labels", &[label])
            .int("runner_id", runner.id)
            .text("runner_name", &runner.name)
            .int("runner_group_id", 4)
            .text("runner_group_name", runner.pool.name());
        let body = Object::new().text("action", "completed").object("workflow_job", body);
        self.send_hook(job.repo, &actor, "ci.job", job.finished, body, marked);
    }

    /// Sends a body; what every body has is put behind it.
    pub(crate) fn send_hook(
        &mut self,
        repo: usize,
        sender: &Actor,
        class: &'static str,
        at: i64,
        body: Object,
        marked: bool,
    ) {
        let whole = body.append(self.hook(repo, sender, at));
        self.send_native("webhooks", class, at, whole, marked);
    }
}

fn short(git_ref: &str) -> &str {
    git_ref.strip_prefix("refs/heads/").or_else(|| git_ref.strip_prefix("refs/tags/")).unwrap_or(git_ref)
}
