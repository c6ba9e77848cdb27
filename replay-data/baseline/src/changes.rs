//! Changes: a branch, a request, its checks, a review, the merge, and the build of what was merged. Merges always bring a
//! request and a second person's approval; a branch name or title never holds shell.

use crate::job::Plan;
use crate::org::Kind;
use crate::people::{PEOPLE, TEAM_SIZE, UPDATES};
use crate::runners::Pool;
use crate::time::{MINUTE, SECOND, is_release_day, is_weekend, rfc3339};
use crate::world::{Task, World, component};
use crate::write::json::Object;
use crate::write::normal::Event;

const WORDS: [&str; 12] = [
    "tidy up retries",
    "faster start",
    "new currency",
    "typed errors",
    "smaller images",
    "clearer log lines",
    "paging for lists",
    "drop dead code",
    "stricter input checks",
    "shorter timeouts",
    "metrics for queues",
    "dark mode",
];

impl World {
    /// Somebody pushes a branch and asks for its merge.
    pub(crate) fn change(&mut self, repo: usize, author: usize, at: i64) {
        let actor = self.actor(author);
        let number = self.rng.between(100, 99_999) * 10 + at / SECOND % 10;
        let title = if author == UPDATES { "update of a dependency" } else { self.rng.pick(&WORDS) };
        let branch = format!("{}/{}", actor.login.trim_end_matches("[bot]"), title.replace(' ', "-"));
        let commit = self.rng.commit();
        self.push_branch(repo, author, &branch, &commit, at);
        let fork = self.org.repo(repo).public && author != UPDATES && self.rng.one_in(6);
        self.hook_request(repo, author, "opened", number, title, &branch, &commit, fork, at + 40 * SECOND);
        let pool = if fork || self.rng.one_in(2) { Pool::Hosted } else { Pool::Shared };
        let span = self.steady(repo, 6 * MINUTE);
        let failed = self.rng.one_in(40);
        let job = self.run(&Plan {
            trigger: "pull_request",
            git_ref: format!("refs/pull/{number}/merge"),
            change: Some(number),
            from_fork: fork,
            pool,
            span,
            conclusion: if failed { "failure" } else { "success" },
            ..Plan::new(repo, at + 45 * SECOND, author, &commit)
        });
        self.scan(repo, &commit, None, "light", "lintwise", job.moment(800), Some(&job));
        if fork {
            let entry = self.rng.hex(64);
            let org = self.org.clone();
            let event = crate::runs::cache(
                &job,
                &org,
                "saved",
                "deps-request",
                &entry,
                "untrusted",
                "untrusted",
                job.moment(950),
            );
            self.send(event);
        }
        let merged = at + self.rng.between(20 * MINUTE, 120 * MINUTE);
        if !failed && !self.rng.one_in(12) {
            self.plan(merged, Task::Merge(repo, author, number));
        } else {
            self.hook_request(repo, author, "closed", number, title, &branch, &commit, fork, merged);
        }
    }

    /// A second person of the team approves, the change is merged, and the default branch is built.
    pub(crate) fn merge(&mut self, repo: usize, author: usize, number: i64, at: i64) {
        let org = self.org.clone();
        let reviewer = self.colleague(repo, author);
        let (by, author_actor) = (self.actor(reviewer), self.actor(author));
        self.hook_review(repo, reviewer, author, number, at);
        let merged = at + 3 * MINUTE;
        let commit = self.rng.commit();
        let old = std::mem::replace(&mut self.life(repo).head, commit.clone());
        let event = Event::new("scm.change", "merged", merged)
            .repo(&org, repo)
            .actor(&by.id.to_string(), &by.login, "human")
            .text("prov.change_id", &number.to_string())
            .text("prov.commit", &commit)
            .text("author", &author_actor.login)
            .text("author_id", &author_actor.id.to_string())
            .texts("approvers", &[by.id.to_string()])
            .text("merged_by", &by.id.to_string());
        self.send(event);
        let mut gained = Vec::new();
        if author == UPDATES {
            let new = component(&mut self.rng);
            let components = &mut self.life(repo).components;
            if !components.contains(&new) {
                components.remove(0);
                components.push(new.clone());
                gained.push(new);
            }
        }
        self.push_main(repo, reviewer, Some(number), &old, &commit, &gained, merged + SECOND);
        let span = self.steady(repo, 6 * MINUTE);
        let broken = self.rng.one_in(60);
        self.run(&Plan {
            pool: Pool::Shared,
            span,
            conclusion: if broken { "failure" } else { "success" },
            ..Plan::new(repo, merged + 5 * SECOND, reviewer, &commit)
        });
        let kind = org.repo(repo).kind;
        let after = merged + span + self.rng.between(4 * MINUTE, 20 * MINUTE);
        match kind {
            _ if broken || is_weekend(after) => {}
            Kind::Service => {
                let onward = is_release_day(after) || self.rng.one_in(8);
                if is_release_day(after) || self.rng.one_in(3) {
                    self.plan(after, Task::Release(repo, reviewer, onward));
                }
            }
            Kind::Library if self.rng.one_in(3) => self.plan(after, Task::Release(repo, reviewer, false)),
            Kind::Infra => self.plan(after, Task::Apply(repo, reviewer, number)),
            _ => {}
        }
    }

    /// A person of the repository's team who is not the author.
    pub(crate) fn colleague(&mut self, repo: usize, author: usize) -> usize {
        let team = self.org.repo(repo).team * TEAM_SIZE;
        let other = team + self.rng.index(TEAM_SIZE);
        let other = if other == author { team + (other + 1 - team) % TEAM_SIZE } else { other };
        other.min(PEOPLE - 1)
    }

    fn push_branch(&mut self, repo: usize, author: usize, branch: &str, commit: &str, at: i64) {
        let actor = self.actor(author);
        let old = self.life(repo).head.clone();
        let line = Object::new()
            .text("id", commit)
            .text("message", "work in progress")
            .object("author", Object::new().text("username", &actor.login))
            .texts("added", &[] as &[&str])
            .texts("modified", &["src/lib.ts", "src/lib.test.ts"])
            .texts("removed", &[] as &[&str]);
        let body = Object::new()
            .text("ref", &format!("refs/heads/{branch}"))
            .text("before", &old)
            .text("after", commit)
            .flag("forced", false)
            .flag("created", false)
            .flag("deleted", false)
            .object("pusher", Object::new().text("name", &actor.login))
            .objects("commits", vec![line]);
        self.send_hook(repo, &actor, "scm.push", at, body, false);
    }

    /// The default branch moved. This comes from the collector that looks up request, signatures and lock files.
    #[expect(clippy::too_many_arguments, reason = "the parts of one event")]
    pub(crate) fn push_main(
        &mut self,
        repo: usize,
        by: usize,
        request: Option<i64>,
        old: &str,
        new: &str,
        gained: &[String],
        at: i64,
    ) {
        let pipeline = request.is_some() && self.rng.one_in(25);
        let event = self.main_push(repo, by, old, new, at);
        let files: &[&str] = match (gained.is_empty(), pipeline) {
            (false, _) => &["package.json", "package-lock.json"],
            (_, true) => &[".github/workflows/ci.yml"],
            _ => &["src/lib.ts", "src/lib.test.ts", "README.md"],
        };
        let mut event =
            event.texts("files", files).text("message", "merge of a request").texts("lockfile_diff", gained);
        if let Some(request) = request {
            event = event.text("pr", &request.to_string());
        }
        self.send(event);
    }

    /// A push to the default branch, without what it brought.
    pub(crate) fn main_push(&mut self, repo: usize, by: usize, old: &str, new: &str, at: i64) -> Event {
        let org = self.org.clone();
        let actor = self.actor(by);
        Event::new("scm.push", "push", at)
            .repo(&org, repo)
            .actor(&actor.id.to_string(), &actor.login, if actor.bot { "bot" } else { "human" })
            .text("pusher_id", &actor.id.to_string())
            .text("prov.ref", "refs/heads/main")
            .text("prov.commit", new)
            .text("old_sha", old)
            .text("new_sha", new)
            .flag("forced", false)
            .flag("ref_default", true)
            .flag("repo_private", !org.repo(repo).public)
            .plain("commits.verified", &[true])
    }

    /// A request to merge is opened or closed.
    #[expect(clippy::too_many_arguments, reason = "the parts of one body")]
    pub(crate) fn hook_request(
        &mut self,
        repo: usize,
        author: usize,
        action: &str,
        number: i64,
        title: &str,
        branch: &str,
        commit: &str,
        fork: bool,
        at: i64,
    ) {
        let actor = self.actor(author);
        let body = Object::new().text("action", action).int("number", number).object(
            "pull_request",
            self.request(repo, author, number, title, branch, commit, fork, action == "closed", at),
        );
        self.send_hook(repo, &actor, "scm.change", at, body, false);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one body")]
    pub(crate) fn request(
        &mut self,
        repo: usize,
        author: usize,
        number: i64,
        title: &str,
        branch: &str,
        commit: &str,
        fork: bool,
        closed: bool,
        at: i64,
    ) -> Object {
        let actor = self.actor(author);
        let repo_id = self.org.repo(repo).id;
        let head_repo = if fork { repo_id + 50_000_000 } else { repo_id };
        let side = |git_ref: &str, sha: &str, id: i64| {
            Object::new().text("ref", git_ref).text("sha", sha).object("repo", Object::new().int("id", id))
        };
        let base_sha = self.life(repo).head.clone();
        Object::new()
            .int("id", repo_id * 100_000 + number)
            .int("number", number)
            .text("state", if closed { "closed" } else { "open" })
            .text("title", title)
            .object("user", Object::new().text("login", &actor.login).int("id", actor.id))
            .text("author_association", if fork { "CONTRIBUTOR" } else { "MEMBER" })
            .flag("merged", false)
            .object("head", side(branch, commit, head_repo))
            .object("base", side("main", &base_sha, repo_id))
            .text("created_at", &rfc3339(at))
            .text("updated_at", &rfc3339(at))
            .raw("closed_at", &if closed { format!("\"{}\"", rfc3339(at)) } else { "null".to_owned() })
    }

    fn hook_review(&mut self, repo: usize, reviewer: usize, author: usize, number: i64, at: i64) {
        let actor = self.actor(reviewer);
        let review = Object::new()
            .int("id", self.number())
            .text("state", "approved")
            .text("body", "reads well")
            .object("user", Object::new().text("login", &actor.login).int("id", actor.id))
            .text("submitted_at", &rfc3339(at));
        let request = self.request(repo, author, number, "a change", "topic", "", false, false, at);
        let body = Object::new().text("action", "submitted").object("review", review).object("pull_request", request);
        self.send_hook(repo, &actor, "scm.change", at, body, false);
    }
}
