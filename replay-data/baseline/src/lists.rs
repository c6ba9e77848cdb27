//! The live lists that fit the organisation and explain what is planted: one file each, `NAME.txt` or `NAME.yaml`. Lists that
//! the inventory fills are not here. No entry is there for a game day's attacker.

use crate::org::{
    AUTOSCALED, BUILDER, CD_CONTROLLER, Kind, NONPROD, Org, PROD, PROD_CLUSTERS, TOOLING, known_sha256, publisher,
    signing_key,
};
use crate::people::{MIRROR, RELEASES, SCALER, SCALER_NEXT, TEAM_SIZE, TEMPLATES, everybody};
use crate::runners::Pool;

/// File names and texts.
pub fn lists() -> Vec<(String, String)> {
    let org = Org::new();
    let mut files = identities(&org);
    files.extend(programs());
    files.extend(artifacts(&org));
    files.extend(repositories(&org));
    files.extend(networks());
    files
}

fn texts(name: &str, about: &str, entries: &[String]) -> (String, String) {
    (format!("{name}.txt"), format!("# {about}\n{}\n", entries.join("\n")))
}

fn map(name: &str, about: &str, entries: &[(String, Vec<String>)]) -> (String, String) {
    let mut text = format!("# {about}\nmap:\n");
    for (key, values) in entries {
        let values: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
        text.push_str(&format!("  \"{key}\": [{}]\n", values.join(", ")));
    }
    (format!("{name}.yaml"), text)
}

fn role(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role/{name}")
}

fn identities(org: &Org) -> Vec<(String, String)> {
    let people = everybody();
    let id = |index: usize| people.get(index).map_or_else(String::new, |actor| actor.id.to_string());
    let ledger_owner = org.repo(org.find("pay/bookings")).team * TEAM_SIZE;
    let mut publishers: Vec<String> = org.teams.iter().map(|team| publisher(team)).collect();
    let prod_roles = [publishers.clone(), vec![CD_CONTROLLER.to_owned()]].concat();
    publishers.push(role(TOOLING, "break-glass-publisher"));
    publishers.push(role(TOOLING, "registry-migration"));
    let expectations: Vec<(String, Vec<String>)> = org
        .teams
        .iter()
        .map(|team| {
            let own = org.repos.iter().filter(|repo| org.team(repo) == *team);
            (publisher(team), own.map(|repo| format!("repo:{}:environment:release", repo.full)).collect())
        })
        .collect();
    vec![
        texts(
            "cd_controllers",
            "Who may change workloads in production.",
            &[CD_CONTROLLER.to_owned(), role(PROD, "incident-operator")],
        ),
        texts("ci_publishers", "Who may push release images.", &publishers),
        texts("prod_roles", "Roles that reach production.", &prod_roles),
        map("role_expectations", "For each role, the subjects of identity tokens that may take it.", &expectations),
        texts("runner_controllers", "Who may register runners: immutable actor ids.", &[id(SCALER), id(SCALER_NEXT)]),
        texts("ci_config_bots", "Bots that may change pipelines without a request.", &[id(TEMPLATES)]),
        map(
            "floating_tag_jobs",
            "Who moves a major tag, by repository.",
            &[("github.com/web/setup-action".to_owned(), vec![id(RELEASES)])],
        ),
        texts(
            "breakglass_sessions",
            "Approved emergency sessions: roles and people.",
            &[role(PROD, "break-glass"), id(ledger_owner)],
        ),
        texts("retention_jobs", "Who cleans the registry up.", &["registry-retention".to_owned()]),
        texts("source_mirrors", "Who reads all repositories.", &[id(MIRROR)]),
        texts(
            "secret_sync_operators",
            "Who reads many secrets by design.",
            &[role(PROD, "config-sync"), role(PROD, "recovery-drill")],
        ),
        texts(
            "platform_roles",
            "Roles that serve several teams.",
            &[role(PROD, "platform-deployer"), CD_CONTROLLER.to_owned()],
        ),
        texts("nonprod_accounts", "Accounts that are not production.", &[NONPROD.to_owned()]),
        texts("bootstrap_accounts", "Accounts that are being set up.", &["222233334444".to_owned()]),
        texts("freeze_exempt", "Who may act during a freeze.", &[role(PROD, "incident-operator")]),
        texts("tier1_clusters", "Clusters whose interruption stops the business.", &PROD_CLUSTERS.map(str::to_owned)),
        texts("ungated_clusters", "Clusters without a policy engine.", &["lab1".to_owned()]),
    ]
}

fn programs() -> Vec<(String, String)> {
    let hashes = |names: &[&str]| -> Vec<String> { names.iter().map(|name| known_sha256(name)).collect() };
    let mut images: Vec<String> = Pool::OWN.iter().map(|pool| pool.image()).collect();
    images.push(format!("sha256:{}", known_sha256("burst-next")));
    let actions = ["setup-node-v2.3.1", "setup-node-v2"];
    let commits: Vec<String> =
        actions.iter().map(|name| known_sha256(name).get(..40).unwrap_or("0").to_owned()).collect();
    vec![
        texts("approved_runner_images", "Images that runners may start from.", &images),
        texts("metadata_readers", "Programs that may read cloud metadata.", &hashes(&["cloudctl"])),
        texts("generators", "Programs that may write tracked files.", &hashes(&["protoc", "stamp"])),
        texts("toolchain_paths", "Where compilers are.", &["/usr/lib/gcc/".to_owned(), "/opt/toolchains/".to_owned()]),
        texts("agent_releases", "Files of released agents.", &hashes(&["apm-agent-1", "apm-agent-2"])),
        texts(
            "idle_programs",
            "Programs that belong to the machines of pools.",
            &hashes(&["node-exporter", "unattended-upgrade"]),
        ),
        texts("reviewed_action_commits", "Commits of actions that were looked at.", &commits),
        texts("known_builders", "Who builds.", &[BUILDER.to_owned(), "https://hub.redis.example/builder".to_owned()]),
    ]
}

fn artifacts(org: &Org) -> Vec<(String, String)> {
    let released = || org.repos.iter().filter(|repo| matches!(repo.kind, Kind::Service | Kind::Library));
    let refs =
        ["refs/heads/main", "refs/heads/hotfix/*", "refs/tags/*", "push", "workflow_dispatch", "schedule", BUILDER];
    let mut expectations: Vec<(String, Vec<String>)> =
        released().map(|repo| (repo.artifact(), refs.map(str::to_owned).to_vec())).collect();
    expectations.push(("pkg:oci/lake-legacy".to_owned(), refs.map(str::to_owned).to_vec()));
    let keys: Vec<String> = org.teams.iter().map(|team| signing_key(team)).collect();
    let signers: Vec<(String, Vec<String>)> = org
        .teams
        .iter()
        .map(|team| (signing_key(team), vec![publisher(team), role(TOOLING, "batch-signer")]))
        .collect();
    let digest = |word: &str| format!("sha256:{}", known_sha256(word));
    vec![
        map("release_expectations", "Refs, triggers and builders of releases.", &expectations),
        texts("signing_keys", "Keys that sign releases.", &keys),
        map("key_signers", "Who signs with a key.", &signers),
        texts("deployed_digests", "Digests that run in production.", &[digest("accepted")]),
        texts("internet_digests", "Those of them that the internet reaches.", &[digest("accepted")]),
        map(
            "accepted_risks",
            "Risks that are accepted until a date.",
            &[(digest("accepted"), vec!["CVE-2026-70001".to_owned()])],
        ),
        texts("revoked_digests", "Digests that were withdrawn.", &[digest("withdrawn")]),
        texts("critical_digests", "Digests with a critical finding.", &[digest("critical")]),
        texts("kev_digests", "Those with one that is exploited.", &[digest("exploited")]),
        texts("our_packages", "Packages that pipelines publish.", &["pkg:npm/%40*".to_owned()]),
        texts("mirrored_digests", "Digests of mirrored images.", &[digest("mirror-of-logs-api")]),
        texts(
            "sbom_exceptions",
            "Artifacts without a list of components, until a date.",
            &["pkg:oci/lake-legacy".to_owned()],
        ),
        texts("bad_components", "Components that are malicious.", &["pkg:npm/lodash-es@99.0.1".to_owned()]),
        texts("third_party_digests", "Images that others build.", &[digest("redis-7.4")]),
        texts("bad_commits", "Commits that are malicious.", &[known_sha256("bad").get(..40).unwrap_or("0").to_owned()]),
        texts("grant_rules", "Scan rules about grants.", &["iam-wildcard-action".to_owned()]),
        texts("canary_keys", "Credentials that exist only to be noticed.", &["AKIACANARY00EXAMPLE".to_owned()]),
    ]
}

fn repositories(org: &Org) -> Vec<(String, String)> {
    let host = |full: &str| org.repo(org.find(full)).host_name.clone();
    vec![
        texts(
            "release_workflows",
            "Workflows that release.",
            &["*/.github/workflows/release.yml*".to_owned(), "*/.github/workflows/release-v2.yml*".to_owned()],
        ),
        texts("planned_publications", "Repositories that are to become public.", &[host("web/setup-action")]),
        texts(
            "development_repos",
            "Registry repositories that hold no releases (patterns).",
            &["branches/*".to_owned()],
        ),
        map(
            "webhook_tests",
            "Domains that tests call.",
            &[(host("web/forms-worker"), vec!["forms-tests.webhook.site".to_owned()])],
        ),
        texts("native_build_repos", "Repositories whose builds fetch toolchains.", &[host("media/thumbs-worker")]),
        texts("shell_docs_repos", "Repositories that are about shells.", &[host("infra/shell-guide")]),
        texts(
            "multi_store_workflows",
            "Workflows that read from several stores.",
            &["data/exports-infra/.github/workflows/ci.yml@refs/heads/main".to_owned()],
        ),
        texts(
            "unwatched_repos",
            "Repositories whose runs nobody watches yet.",
            &["https://github.com/harbourline-labs/probe".to_owned()],
        ),
        map(
            "publish_steps",
            "Steps that publish, where they are not called publish.",
            &[(host("mobile/deeplink-lib"), vec!["ship".to_owned()])],
        ),
        map(
            "declared_egress",
            "Registrable domains that services may connect to.",
            &[("tax-api".to_owned(), vec!["taxoffice.example".to_owned()])],
        ),
        texts(
            "drift_ignored",
            "Workloads whose number of copies an autoscaler sets.",
            &AUTOSCALED.map(|name| format!("Deployment/{name}/{name}")),
        ),
    ]
}

/// Ways out of each pool of own machines.
fn pools() -> (String, String) {
    let networks = ["203.0.113.0/26", "203.0.113.88/29", "203.0.113.96/28", "2001:db8:10::/48"].map(str::to_owned);
    let pools: Vec<(String, Vec<String>)> =
        Pool::OWN.iter().map(|pool| (pool.name().to_owned(), networks.to_vec())).collect();
    map("pool_egress", "Ways out of runner pools.", &pools)
}

fn networks() -> Vec<(String, String)> {
    vec![
        pools(),
        texts("scanner_sources", "Addresses of the security team's own scans.", &["192.0.2.192/28".to_owned()]),
        texts("pinned_mirrors", "Mirrors that are reached by address.", &["203.0.113.192/27".to_owned()]),
        texts("exfil_domains", "Places where data is dropped.", &["*.drop.example".to_owned()]),
        texts("bad_domains", "Domains that are known to be bad.", &["*.bad.example".to_owned()]),
        texts("company_domains", "The company's own domains.", &["harbourline.example".to_owned()]),
    ]
}
