//! Records of the GitHub audit log, as it streams them.

use crate::org::{ENTERPRISE, ENTERPRISE_ID};
use crate::people::Actor;
use crate::world::World;
use crate::write::json::Object;

impl World {
    /// A record about an organisation.
    pub(crate) fn audit(&mut self, action: &str, actor: &Actor, owner: usize, at: i64) -> Object {
        let org = self.org.clone();
        let owner = &org.owners[owner % org.owners.len()];
        Object::new()
            .int("@timestamp", at)
            .text("_document_id", &self.rng.hex(22))
            .text("action", action)
            .text("actor", &actor.login)
            .int("actor_id", actor.id)
            .flag("actor_is_bot", actor.bot)
            .text("business", ENTERPRISE)
            .int("business_id", ENTERPRISE_ID)
            .int("created_at", at)
            .text("operation_type", operation(action))
            .text("org", owner.login)
            .int("org_id", owner.id)
    }

    /// A record about a repository.
    pub(crate) fn audit_repo(&mut self, action: &str, actor: &Actor, repo: usize, at: i64) -> Object {
        let org = self.org.clone();
        let repo = org.repo(repo);
        self.audit(action, actor, repo.owner, at)
            .text("repo", &repo.full)
            .int("repo_id", repo.id)
            .text("repository", &repo.full)
            .flag("public_repo", repo.public)
    }
}

fn operation(action: &str) -> &'static str {
    let verb = action.rsplit(['.', '_']).next().unwrap_or("");
    match verb {
        "clone" | "fetch" | "zip" | "request" => "access",
        "create" | "register" => "create",
        "destroy" | "remove" => "remove",
        _ => "modify",
    }
}
