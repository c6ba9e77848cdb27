//! Own fields of source control.
//!
//! Must never hold the value of a secret.

use super::{FieldDoc, boolean, booleans, integer, text, texts};
use crate::class::EventClass as C;

pub(super) const FIELDS: &[FieldDoc] = &[
    texts(
        "files",
        "Paths that the commits touch.",
        &[
            ("github-webhook", "commits.added, modified, removed"),
            ("gitlab-webhook", "commits.added, modified, removed"),
        ],
    )
    .attacker_controlled()
    .on(&[C::ScmPush]),
    boolean(
        "forced",
        "History was overwritten, or a tag that was there already was moved.",
        &[
            ("github-webhook", "forced, a tag's created and deleted"),
            ("github-audit", "forced"),
            ("gitlab-webhook", "before and after of a tag"),
        ],
    )
    .on(&[C::ScmPush, C::ScmRef]),
    boolean(
        "ref_default",
        "The ref is the default branch.",
        &[("github-webhook", "ref, repository.default_branch"), ("gitlab-webhook", "ref, project.default_branch")],
    )
    .on(&[C::ScmPush]),
    boolean("ref_protected", "The ref is protected.", &[("enrichment", "protection inventory")]).on(&[C::ScmPush]),
    boolean(
        "repo_requires_signing",
        "The branch accepts signed commits only.",
        &[("enrichment", "protection inventory")],
    )
    .on(&[C::ScmPush]),
    text("pr", "Pull request that brought the commits; missing: none.", &[("enrichment", "change look-up")])
        .on(&[C::ScmPush]),
    booleans("commits.verified", "For each commit: its signature was verified.", &[("enrichment", "commit look-up")])
        .on(&[C::ScmPush]),
    text(
        "pusher_id",
        "Immutable id of who pushed.",
        &[
            ("github-webhook", "sender.id"),
            ("github-audit", "actor_id"),
            ("gitlab-webhook", "user_id"),
            ("gitlab-audit", "author_id"),
        ],
    )
    .on(&[C::ScmPush]),
    text(
        "key_id",
        "SSH or deploy key that pushed.",
        &[
            ("github-audit", "deploy_key_id, public_key_id, fingerprint"),
            ("github-webhook", "key.id"),
            ("gitlab-webhook", "id of a key"),
            ("gitlab-audit", "target_id of a key"),
        ],
    )
    .on(&[C::ScmPush, C::ScmAccess, C::ScmAdmin]),
    text(
        "author",
        "Author as the commit or request says.",
        &[
            ("github-webhook", "commits.author.username, pull_request.user.login"),
            ("gitlab-webhook", "commits.author.name"),
        ],
    )
    .attacker_controlled()
    .on(&[C::ScmPush, C::ScmChange]),
    text(
        "author_id",
        "Immutable id of who opened the request.",
        &[("github-webhook", "pull_request.user.id"), ("gitlab-webhook", "object_attributes.author_id")],
    )
    .on(&[C::ScmChange]),
    text("message", "Commit message.", &[("github-webhook", "commits.message"), ("gitlab-webhook", "commits.message")])
        .attacker_controlled()
        .on(&[C::ScmPush]),
    boolean(
        "adds_secret_ref",
        "The change adds a reference to a secret in a pipeline definition.",
        &[("enrichment", "diff")],
    )
    .on(&[C::ScmPush]),
    boolean("adds_id_token", "The change lets a pipeline ask for identity tokens.", &[("enrichment", "diff")])
        .on(&[C::ScmPush]),
    texts("lockfile_diff", "Components that the lock files gained, as package URLs.", &[("enrichment", "diff")])
        .on(&[C::ScmPush]),
    text(
        "title",
        "Title of the request.",
        &[
            ("github-webhook", "pull_request.title"),
            ("gitlab-webhook", "object_attributes.title"),
            ("gitlab-audit", "target_details"),
        ],
    )
    .attacker_controlled()
    .on(&[C::ScmChange]),
    text(
        "branch",
        "Branch that the request wants merged.",
        &[("github-webhook", "pull_request.head.ref"), ("gitlab-webhook", "object_attributes.source_branch")],
    )
    .attacker_controlled()
    .on(&[C::ScmChange]),
    text(
        "comment",
        "Text of a comment.",
        &[("github-webhook", "comment.body, review.body"), ("gitlab-webhook", "object_attributes.note")],
    )
    .attacker_controlled()
    .on(&[C::ScmChange]),
    boolean(
        "from_fork",
        "The code comes from a fork.",
        &[
            ("github-webhook", "pull_request.head.repo.id ≠ base.repo.id, head_repository.id ≠ repository.id"),
            ("gitlab-webhook", "source_project_id ≠ target_project_id"),
        ],
    )
    .on(&[C::ScmChange, C::CiRun, C::CiJob]),
    text(
        "author_assoc",
        "Author's standing in the repository: OWNER, MEMBER, FIRST_TIME_CONTRIBUTOR …",
        &[("github-webhook", "author_association")],
    )
    .on(&[C::ScmChange]),
    texts(
        "approvers",
        "Ids of who approved.",
        &[
            ("github-webhook", "review.user.id of an approval"),
            ("gitlab-webhook", "user.id of an approval, reviewers.id whose state is approved"),
            ("gitlab-audit", "author_id of merge_request_approval_operation"),
        ],
    )
    .on(&[C::ScmChange]),
    text(
        "merged_by",
        "Id of who merged.",
        &[("github-webhook", "pull_request.merged_by.id"), ("gitlab-webhook", "user.id of a merge")],
    )
    .on(&[C::ScmChange]),
    text(
        "type",
        "branch or tag.",
        &[("github-webhook", "ref_type, ref"), ("gitlab-webhook", "ref"), ("cdevents", "branch")],
    )
    .on(&[C::ScmRef]),
    text(
        "name",
        "Name of the branch or tag, without `refs/…/`.",
        &[("github-webhook", "ref"), ("gitlab-webhook", "ref"), ("cdevents", "subject.id of a branch")],
    )
    .attacker_controlled()
    .on(&[C::ScmRef]),
    text(
        "old_sha",
        "Commit it pointed to.",
        &[("github-webhook", "before"), ("github-audit", "before"), ("gitlab-webhook", "before")],
    )
    .on(&[C::ScmPush, C::ScmRef]),
    text(
        "new_sha",
        "Commit it points to.",
        &[("github-webhook", "after"), ("github-audit", "after"), ("gitlab-webhook", "after")],
    )
    .on(&[C::ScmPush, C::ScmRef]),
    boolean(
        "repo_private",
        "The source repository is not public.",
        &[
            ("github-audit", "repository_public, public_repo, visibility"),
            ("github-webhook", "repository.private"),
            ("gitlab-webhook", "project.visibility_level, project_visibility"),
            ("gitlab-audit", "event_type of a download"),
        ],
    )
    .on(&[C::ScmPush, C::ScmAccess, C::ScmAdmin]),
    text(
        "op",
        "The operation: clone, fetch, zip; read, write, rename; the verb or API operation as the \
        source names it.",
        &[
            ("github-audit", "action"),
            ("cloudtrail", "eventName"),
            ("vault-audit", "request.operation"),
            ("kubernetes-audit", "verb"),
            ("github-webhook", "deployment.task"),
            ("gitlab-audit", "details.custom_message.verb, action"),
            ("falco", "evt.type, fd.name"),
            ("oidc-exchange", "grant_type, methodName"),
        ],
    )
    .on(&[
        C::ScmAccess,
        C::RunnerProcess,
        C::RunnerFile,
        C::SecretAccess,
        C::SecretList,
        C::SecretLease,
        C::SecretRotated,
        C::SecretAdmin,
        C::IdentityUse,
        C::IdentityExchange,
        C::DeployStarted,
        C::RegistryAcl,
        C::KmsAdmin,
        C::KmsSign,
    ]),
    integer(
        "bytes",
        "Size of what was moved or stored.",
        &[("oci-distribution", "events.target.size"), ("package-feed", "urls.size")],
    )
    .unit("bytes")
    .on(&[
        C::ScmAccess,
        C::CiCache,
        C::RegistryPush,
        C::RegistryPull,
        C::RegistryDelete,
        C::RegistryAcl,
        C::RegistryPublish,
        C::RegistryRequest,
    ]),
    text(
        "object_kind",
        "Kind of thing that was changed: protected_branch, ruleset, hook, runner_group, \
        audit_stream, iam_role …",
        &[
            ("github-audit", "action (the part before its last dot)"),
            ("cloudtrail", "eventSource, eventName"),
            ("github-webhook", "the body's key"),
            ("gitlab-webhook", "event_name"),
            ("gitlab-audit", "event_type, target_type"),
            ("cdevents", "subject of the type"),
            ("jenkins-cloudevents", "job"),
            ("vault-audit", "request.path, request.mount_type"),
            ("kubernetes-audit", "objectRef.resource"),
        ],
    )
    .on(&[C::ScmAdmin, C::SecretAdmin, C::SecretRotated, C::IdentityUse, C::OpsFreeze, C::OpsResponse]),
    text(
        "object",
        "Which one: its name or id.",
        &[
            ("github-audit", "ruleset_name, branch, hook_id, environment_name … else the repository"),
            ("cloudtrail", "requestParameters.name, roleName, trailName …"),
            ("github-webhook", "rule.name, repository_ruleset.name, team.slug, key.id … else the repository"),
            ("gitlab-webhook", "project_path_with_namespace, group_path …"),
            ("gitlab-audit", "target_details, entity_path"),
            ("cdevents", "subject.id"),
            ("jenkins-cloudevents", "url"),
            ("vault-audit", "request.path"),
            ("kubernetes-audit", "objectRef.namespace, name"),
            ("secret-scan", "File"),
        ],
    )
    .on(&[
        C::ScmAdmin,
        C::SecretAdmin,
        C::SecretFinding,
        C::IdentityUse,
        C::OpsChange,
        C::OpsFreeze,
        C::OpsResponse,
        C::OpsHealth,
        C::OpsHeartbeat,
    ]),
    text(
        "old",
        "Setting before.",
        &[
            ("github-audit", "old_permission, previous_visibility, old_policy …"),
            ("github-webhook", "changes.*.from"),
            ("gitlab-webhook", "old_path_with_namespace, old_full_path"),
            ("gitlab-audit", "details.from"),
        ],
    )
    .on(&[C::ScmAdmin, C::PolicyChange]),
    text(
        "new",
        "Setting after.",
        &[
            ("github-audit", "permission, visibility, config.url …"),
            ("cloudtrail", "requestParameters.policyArn, policyDocument"),
            ("github-webhook", "action, changes.*.to, repository_ruleset.enforcement"),
            ("gitlab-webhook", "project_visibility, path_with_namespace, full_path"),
            ("gitlab-audit", "details.to, details.as"),
            ("kubernetes-audit", "requestObject.roleRef.name"),
        ],
    )
    .on(&[C::ScmAdmin, C::PolicyChange]),
    text(
        "scope",
        "How far it reaches: repo, org, enterprise, user, account; of a finding: prod, test.",
        &[
            ("github-audit", "action, runner_owner_type"),
            ("cloudtrail", "account"),
            ("github-webhook", "repository, organization, enterprise"),
            ("gitlab-webhook", "project_id, group_id"),
            ("gitlab-audit", "entity_type"),
            ("kubernetes-audit", "objectRef.namespace"),
            ("secret-scan", "scope"),
        ],
    )
    .on(&[
        C::ScmAdmin,
        C::CiRunner,
        C::SecretFinding,
        C::OpsChange,
        C::OpsMaintenance,
        C::OpsFreeze,
        C::OpsResponse,
    ]),
    text(
        "subject",
        "Who or what got the grant, or lost it: user, team, app, key.",
        &[
            ("github-audit", "user, team, integration, invitee …"),
            ("cloudtrail", "requestParameters.userName, principal"),
            ("github-webhook", "member.login, membership.user.login, team.slug, installation.app_slug …"),
            ("gitlab-webhook", "user_username, username"),
            ("gitlab-audit", "target_details"),
            ("kubernetes-audit", "requestObject.subjects.name"),
        ],
    )
    .on(&[C::ScmAdmin]),
    text(
        "permission",
        "Right that was granted, or its absence now.",
        &[
            ("github-audit", "permission, default_workflow_permissions"),
            ("cloudtrail", "requestParameters.policyArn"),
            ("github-webhook", "membership.role, changes.permission.to, installation.permissions …"),
            ("gitlab-webhook", "access_level, group_access"),
            ("gitlab-audit", "details.as, details.to"),
            ("kubernetes-audit", "requestObject.roleRef.name"),
        ],
    )
    .on(&[C::ScmAdmin]),
    texts("overridden_codes", "Checks that were overridden.", &[("github-audit", "overridden_codes")])
        .on(&[C::ScmAdmin]),
    texts("reasons", "Why a rule was overridden or would have refused.", &[("github-audit", "reasons.code, reasons")])
        .on(&[C::ScmAdmin]),
    texts(
        "bypass_actors",
        "Who may pass the rule set: `Kind:id`.",
        &[
            ("github-audit", "ruleset_bypass_actors.actor_type, actor_id"),
            ("github-webhook", "repository_ruleset.bypass_actors.actor_type"),
        ],
    )
    .on(&[C::ScmAdmin]),
];
