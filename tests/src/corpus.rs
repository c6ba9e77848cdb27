//! Rule corpora where they stand beside the checkout, and a corpus of events like those of a delivery pipeline.
//!
//! Events come from a seed, byte for byte the same everywhere; who, where and what are made up. Must never need the
//! corpora: what is missing is said in one line, and the caller goes without.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::generate::Random;

/// A rule document and where it stood.
pub type RuleText = (PathBuf, String);

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(name);
    if !path.exists() {
        println!("skipped: no {}", path.display());
        return None;
    }
    Some(path)
}

/// The 109 rules about delivery pipelines.
pub fn delivery_rules() -> Option<Vec<RuleText>> {
    shared("sigma-rules").map(|folder| texts(&folder))
}

/// All 3,141 rules.
pub fn all_rules() -> Option<Vec<RuleText>> {
    let archive = shared("sigma-rules-all.tar.gz")?;
    let folder = tempfile::tempdir().expect("a folder");
    let unpacked = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder.path()).status();
    assert!(unpacked.expect("tar runs").success());
    let (Some(entry), None) = ({
        let mut entries = std::fs::read_dir(folder.path()).expect("readable");
        (entries.next(), entries.next())
    }) else {
        panic!("the archive holds one folder")
    };
    Some(texts(&entry.expect("readable").path()))
}

fn texts(folder: &Path) -> Vec<RuleText> {
    let entries = std::fs::read_dir(folder).expect("readable");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yml"));
    files.sort();
    files.into_iter().map(|file| (file.clone(), std::fs::read_to_string(file).expect("text"))).collect()
}

/// Rules made up in the manner of the corpora, for machines without them.
pub fn made_up_rules(count: usize) -> Vec<RuleText> {
    let mut random = Random(3);
    let rule = |id: usize| {
        let detection = match id % 4 {
            0 => json!({"action": [random.pick(&ACTIONS), format!("made_up.{id}")]}),
            1 => {
                json!({"eventSource": "iam.amazonaws.com", "eventName": random.pick(&CALLS).0, "errorCode": format!("E{id}")})
            }
            2 => json!({"CommandLine|contains|all": [format!("tool{id}"), "--flag"], "Image|endswith": "/tool"}),
            _ => json!({"userAgent|contains": format!("agent-{id}/"), "eventName|startswith": "Get"}),
        };
        let rule = json!({
            "title": format!("Made up {id}"), "id": format!("00000000-0000-4000-8000-{id:012}"), "level": "low",
            "logsource": {"product": if id.is_multiple_of(4) { "github" } else { "aws" }},
            "detection": {"selection": detection, "condition": "selection"},
        });
        (PathBuf::from(format!("made-up-{id}.yml")), rule.to_string())
    };
    (0..count).map(rule).collect()
}

const ACTIONS: [&str; 22] = [
    "git.clone",
    "git.clone",
    "git.fetch",
    "git.fetch",
    "git.push",
    "git.push",
    "workflows.created_workflow_run",
    "workflows.completed_workflow_run",
    "workflows.prepared_workflow_job",
    "repo.access",
    "repo.create",
    "repo.add_member",
    "org.add_member",
    "org.invite_member",
    "org.register_self_hosted_runner",
    "team.add_member",
    "protected_branch.update",
    "secret_scanning_push_protection.bypass",
    "hook.create",
    "personal_access_token.access_granted",
    "public_key.create",
    "org.remove_outside_collaborator",
];

/// CloudTrail calls: name, service, whether it only reads.
const CALLS: [(&str, &str, bool); 18] = [
    ("AssumeRole", "sts", true),
    ("AssumeRoleWithWebIdentity", "sts", true),
    ("GetCallerIdentity", "sts", true),
    ("GetSecretValue", "secretsmanager", true),
    ("DescribeSecret", "secretsmanager", true),
    ("Decrypt", "kms", true),
    ("GetParameter", "ssm", true),
    ("PutImage", "ecr", false),
    ("BatchGetImage", "ecr", true),
    ("GetAuthorizationToken", "ecr", true),
    ("UpdateFunctionCode20150331v2", "lambda", false),
    ("CreateAccessKey", "iam", false),
    ("AttachUserPolicy", "iam", false),
    ("StopLogging", "cloudtrail", false),
    ("ConsoleLogin", "signin", false),
    ("DescribeInstances", "ec2", true),
    ("RunInstances", "ec2", false),
    ("PutBucketPolicy", "s3", false),
];

const AGENTS: [&str; 6] = [
    "git/2.43.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "aws-cli/2.17.9 ua/2.0 os/linux#6.5.0-1025 md/arch#x86_64 lang/python#3.11.9",
    "aws-sdk-go-v2/1.30.1 os/linux lang/go#1.22.5 md/GOARCH#amd64",
    "GitHub-Hookshot/044aadd",
    "Boto3/1.34.144 md/Botocore#1.34.144 os/linux#5.10.219",
];

const REGIONS: [&str; 4] = ["eu-central-1", "us-east-1", "us-west-2", "ap-south-1"];

/// Events as JSON lines: audit trails of GitHub (50 %) and AWS (45 %), the rest of Okta and Bitbucket.
pub fn events(count: usize, seed: u64) -> String {
    let mut random = Random(seed);
    let mut lines = String::with_capacity(count * 850);
    for at in 0..count {
        let ms = 1_788_220_800_000 + at as i64 * 24;
        let event = match random.below(100) {
            0..50 => github(&mut random, ms),
            50..95 => cloudtrail(&mut random, ms),
            95..98 => okta(&mut random, ms),
            _ => bitbucket(&mut random, ms),
        };
        writeln!(lines, "{event}").expect("memory");
    }
    lines
}

fn hex(random: &mut Random, digits: usize) -> String {
    let text = format!("{:016x}{:016x}{:016x}{:016x}", random.bits(), random.bits(), random.bits(), random.bits());
    text[..digits].to_owned()
}

fn uuid(random: &mut Random) -> String {
    let text = hex(random, 32);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

fn address(random: &mut Random) -> String {
    format!("{}.{}.{}.{}", 3 + random.below(200), random.below(256), random.below(256), random.below(256))
}

fn time(ms: i64) -> String {
    model::Timestamp::from_ms(ms).to_string()
}

fn github(random: &mut Random, ms: i64) -> Value {
    let (actor, repo) = (random.below(400), random.below(900));
    let mut event = json!({
        "@timestamp": ms, "_document_id": hex(random, 22), "action": random.pick(&ACTIONS),
        "actor": format!("developer-{actor}"), "actor_id": 1_000_000 + actor, "actor_ip": address(random),
        "actor_is_bot": actor % 9 == 0, "actor_location": {"country_code": random.pick(&["DE", "US", "IN", "BR"])},
        "business": "example-enterprise", "business_id": 4711, "created_at": ms,
        "external_identity_username": format!("developer-{actor}"),
        "operation_type": random.pick(&["access", "modify", "create", "remove"]), "org": "example-org", "org_id": 815_815,
        "repo": format!("example-org/service-{repo}"), "repo_id": 90_000_000 + repo, "repository_public": repo % 11 == 0,
        "user_agent": random.pick(&AGENTS), "hashed_token": format!("{}=", hex(random, 43)),
        "programmatic_access_type": "GitHub App server-to-server token", "transport_protocol_name": "http",
    });
    if random.percent(60) {
        event["token_scopes"] = json!("repo,workflow,read:org");
        event["workflow_id"] = json!(random.below(5_000) + 80_000_000);
        event["workflow_run_id"] = json!(random.below(1_000_000) + 9_900_000_000);
        event["head_branch"] = json!(format!("feature/ticket-{}", random.below(9_000)));
        event["head_sha"] = json!(hex(random, 40));
    }
    event
}

fn cloudtrail(random: &mut Random, ms: i64) -> Value {
    let (name, service, reads) = random.pick(&CALLS);
    let (role, account, region) = (random.below(60), 111_122_223_333_u64, random.pick(&REGIONS));
    let key = hex(random, 16).to_uppercase();
    let mut event = json!({
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole", "principalId": format!("AROAEXAMPLE{role:05}:run-{}", random.below(90_000)),
            "arn": format!("arn:aws:sts::{account}:assumed-role/deploy-{role}/run-{}", random.below(90_000)),
            "accountId": account.to_string(), "accessKeyId": format!("ASIA{key}"),
            "sessionContext": {
                "sessionIssuer": {"type": "Role",
                    "arn": format!("arn:aws:iam::{account}:role/deploy-{role}"), "userName": format!("deploy-{role}")}},
        },
        "eventTime": time(ms), "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": region,
        "sourceIPAddress": address(random), "userAgent": random.pick(&AGENTS),
        "requestParameters": {"secretId": format!("app-{role}/token")},
        "responseElements": null, "requestID": uuid(random), "eventID": uuid(random), "readOnly": reads,
        "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": account.to_string(),
        "eventCategory": "Management",
    });
    if random.percent(4) {
        event["requestParameters"] = Value::Null;
        event["errorCode"] = json!("AccessDenied");
        event["errorMessage"] = json!(format!("Not authorized: {service}:{name}"));
    }
    event
}

fn okta(random: &mut Random, ms: i64) -> Value {
    let user = random.below(400);
    json!({
        "uuid": uuid(random), "published": time(ms), "version": "0", "severity": "INFO",
        "eventtype": random.pick(&["user.session.start", "policy.evaluate_sign_on", "user.mfa.factor.deactivate", "application.lifecycle.update"]),
        "displaymessage": "User login to Okta", "legacyeventtype": "core.user_auth.login_success",
        "actor": {"id": format!("00u{}", hex(random, 17)), "type": "User", "alternateid": format!("developer-{user}@example.com"), "displayname": format!("Developer {user}")},
        "client": {"ipaddress": address(random), "zone": "null", "device": "Computer", "useragent": {"rawuseragent": random.pick(&AGENTS), "os": "Linux", "browser": "CHROME"}},
        "outcome": {"result": random.pick(&["SUCCESS", "FAILURE"]), "reason": null},
        "securitycontext": {"asnumber": 3320, "isproxy": random.percent(3)},
        "target": [{"id": hex(random, 20), "type": "AppInstance", "displayname": "Example"}, {"id": hex(random, 20), "type": "AppUser"}],
    })
}

fn bitbucket(random: &mut Random, ms: i64) -> Value {
    let user = random.below(400);
    json!({
        "timestamp": ms, "auditType": {"category": random.pick(&["Repositories", "Permissions", "Projects", "Global administration"]),
            "action": random.pick(&["Repository accessed", "Pull request merged", "Global permission granted", "Repository deleted", "Secret scanning rule deleted"]),
            "area": random.pick(&["END_USER_ACTIVITY", "GLOBAL_CONFIG_AND_ADMINISTRATION", "PERMISSIONS"]), "level": random.pick(&["BASE", "FULL"])},
        "author": {"name": format!("Developer {user}"), "type": "NORMAL", "id": user, "uri": "https://bitbucket.example.com/users/developer"},
        "affectedObjects": [{"name": format!("service-{}", random.below(900)), "type": "REPOSITORY", "id": random.below(9_000)}],
        "changedValues": [], "source": address(random), "system": "https://bitbucket.example.com", "node": hex(random, 32),
        "method": "Browser", "extraAttributes": [{"name": "target", "nameI18nKey": "bitbucket.audit.attribute.target", "value": uuid(random)}],
    })
}
