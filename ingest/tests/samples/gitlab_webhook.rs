//! GitLab's webhooks and system hooks.

use super::{Expected, check_all};

#[rustfmt::skip]
const EXPECTED: &[Expected] = &[
    Expected("build.json", 0, "ci.job", "created", "success", &[
        "prov.job_id=1977", "prov.run_id=2366", "prov.repo_id=380", "prov.actor_id=42", "prov.actor=user1",
        "prov.repo=192.168.64.1/gitlab-org/gitlab-test", "prov.ref=refs/heads/gitlab-script-trigger",
        "prov.commit=2293ada6b400935a1378653304eaf6221e0fdb8f", "job_name=test", "result=", "duration=", "cause=",
        "prov.runner_id=380987", "prov.runner_name=shared-runners-manager-6.gitlab.com",
        "prov.runner_kind=self_hosted", "prov.runner_pool=project_type", r#"labels=["linux","docker"]"#]),
    Expected("deployment.json", 0, "deploy.finished", "finished", "success", &[
        "prov.env=staging", "prov.commit=279484c09fbe69ededfced8c1bb6e6d24616b468", "prov.job_id=796",
        "prov.ref=1.0.0", "prov.repo_id=30", "prov.repo=10.126.0.2/root/test-deployment-webhooks",
        "prov.actor_id=42"]),
    Expected("job.json", 0, "ci.job", "finished", "success", &[
        "prov.job_id=3580121225", "prov.run_id=743121198", "prov.repo_id=31537070", "result=success", "duration=49503",
        "prov.repo=gitlab.com/jsmithy2/release-tools-fake", "prov.ref=refs/heads/main", "prov.env=prod",
        "prov.commit=95d49d1efbd941908580e79d65e4b5ecaf4a8305", "prov.runner_id=12270837", "env=production",
        "prov.runner_kind=hosted", "prov.actor_id=2967854", "cause="]),
    Expected("member.json", 0, "scm.admin", "org.add_member", "success", &[
        "object_kind=member", "subject=user1", "permission=guest", "object=webhook-test", "scope=org", "prov.org=100",
        "prov.actor_id="]),
    Expected("merge_request.json", 0, "scm.change", "opened", "success", &[
        "prov.change_id=1", "prov.repo_id=1", "prov.repo=example.com/gitlabhq/gitlab-test", "branch=ms-viewport",
        "prov.ref=refs/heads/master", "from_fork=false", "title=MS-Viewport", "author_id=51", "prov.actor_id=1",
        "prov.commit=da1560886d4f094c3e6c9ef40349f7d38b5d27d7", "approvers=", "merged_by="]),
    Expected("pipeline.json", 0, "ci.run", "finished", "success", &[
        "prov.run_id=31", "prov.repo_id=1", "prov.trigger=pull_request", "prov.ref=refs/heads/master",
        "prov.commit=bcbb5ec396a2c0f828686f14fac9b80b780504f2", "prov.change_id=1", "from_fork=false", "duration=63000",
        "result=success", "prov.repo=192.168.64.1/gitlab-org/gitlab-test", "prov.actor_id=42"]),
    Expected("push.json", 0, "scm.push", "push", "success", &[
        "prov.repo_id=15", "prov.repo=example.com/mike/diaspora", "prov.ref=refs/heads/master", "ref_default=true",
        "prov.commit=da1560886d4f094c3e6c9ef40349f7d38b5d27d7", "pusher_id=4", "prov.actor_id=4", "forced=",
        "old_sha=95790bf891e76fee5e1747ab589903a6a1f80f22", "repo_private=true", "prov.actor=jsmith",
        r#"files=["CHANGELOG","CHANGELOG","app/controller/application.rb","app/controller/application.rb"]"#]),
    Expected("release.json", 0, "registry.publish", "published", "success", &[
        "repo=exm-namespace/example-project", "prov.version=1.0.0", "prov.ref=refs/tags/1.0.0", "prov.repo_id=327622",
        "prov.commit=2626dbdb936782b5c54816b1c6d45b1279303c6d"]),
    Expected("system-key-added.json", 0, "scm.admin", "public_key.create", "success", &[
        "object_kind=public_key", "key_id=4", "object=4", "subject=root", "scope=user"]),
    Expected("system-team-member-added.json", 0, "scm.admin", "repo.add_member", "success", &[
        "object_kind=member", "subject=johnsmith", "permission=maintainer", "object=jsmith/storecloud",
        "prov.repo_id=74", "repo_private=true", "scope=repo"]),
    Expected("system-user-failed-login.json", 0, "identity.auth", "user_failed_login", "denied", &[
        "prov.actor_id=26", "prov.actor=user4"]),
    Expected("tag_push.json", 0, "scm.ref", "created", "success", &[
        "type=tag", "name=v1.0.0", "prov.ref=refs/tags/v1.0.0", "forced=false", "old_sha=", "prov.repo_id=1",
        "prov.commit=82b3d5ae55f7080f1e6022629cdb57bfae7cccc7", "new_sha=82b3d5ae55f7080f1e6022629cdb57bfae7cccc7"]),
];

#[test]
fn gitlab_webhook() {
    check_all(
        "gitlab-webhook",
        "gitlab-webhook",
        EXPECTED,
        &[
            ("resource_access_token_group.json", "a token will expire: nothing happened yet", None),
            ("resource_access_token_project.json", "a token will expire: nothing happened yet", None),
        ],
    );
}
