//! Every shape is replaced, in every writing; identifiers stay.

use super::shapes::SHAPES;
use super::*;

fn a(n: usize) -> String {
    "a1B2".repeat(n.div_ceil(4))[..n].to_owned()
}

fn h(n: usize) -> String {
    "0a1b".repeat(n.div_ceil(4))[..n].to_owned()
}

/// One text for each shape, in the order of the table. Built from parts: no line of this file is a credential.
fn samples() -> Vec<String> {
    [forges_clouds_and_registries(), chat_and_others()].concat()
}

fn forges_clouds_and_registries() -> Vec<String> {
    let low = |n| a(n).to_ascii_lowercase();
    vec![
        format!("ghp_{}", a(36)),
        format!("github_pat_{}", a(40)),
        format!("glpat-{}", a(20)),
        format!("_gitlab_session={}", h(32)),
        format!("ATBB{}", a(32)),
        format!("ATATT3x{}", a(180)),
        format!("GITEA_TOKEN={}", h(40)),
        format!("aws_secret_access_key = {}", a(40)),
        format!("IQoJb3JpZ2lu{}", a(60)),
        format!("X-Amz-Signature={}", h(64)),
        format!("ABSK{}", a(120)),
        format!("AIza{}", a(35)),
        format!("ya29.{}", a(30)),
        format!("GOCSPX-{}", a(28)),
        format!("{}8Q~{}", a(3), a(34)),
        format!("?sv=2024&sig={}%3D", a(43)),
        format!("AccountKey={}==", a(86)),
        format!("{}AZDO{}", a(76), a(4)),
        format!("{}+ACR{}", a(42), a(6)),
        format!("{}AzFu{}Q==", a(44), a(5)),
        format!("dop_v1_{}", h(64)),
        format!("CLOUDFLARE_API_TOKEN={}", a(40)),
        format!("hvs.{}", a(24)),
        format!("{}.atlasv1.{}", a(14), a(67)),
        format!("HRKU-{}", a(60)),
        format!("fo1_{}", a(43)),
        format!("pscale_tkn_{}", a(43)),
        format!("dp.st.{}", a(43)),
        format!("pul-{}", h(40)),
        format!("npm_{}", a(36)),
        format!("//registry.example.org/:_authToken={}", a(36)),
        format!("pypi-{}", a(60)),
        format!("cio{}", a(32)),
        format!("rubygems_{}", h(48)),
        format!("oy2{}", low(43)),
        format!("dckr_pat_{}", a(27)),
        format!("AKCp{}", a(69)),
        format!("packagist_out_{}", h(68)),
        format!("CLOJARS_{}", low(60)),
    ]
}

fn chat_and_others() -> Vec<String> {
    let up = |n| a(n).to_ascii_uppercase();
    vec![
        format!("xoxb-{}", a(24)),
        format!("https://hooks.slack.com/services/{}", a(30)),
        format!("M{}.{}.{}", a(23), a(6), a(38)),
        format!("https://discord.com/api/webhooks/123456789012345678/{}", a(68)),
        format!("https://acme.webhook.office.com/webhookb2/{}", a(60)),
        format!("123456789:AA{}", a(33)),
        format!("routing_key: {}", h(32)),
        format!("GenieKey {}-{}", h(18), h(17)),
        format!("CCIPAT_{}_{}", a(22), h(40)),
        format!("bkua_{}", h(40)),
        format!("sqp_{}", h(40)),
        format!("sk_live_{}", a(24)),
        format!("whsec_{}", a(32)),
        format!("SG.{}.{}", a(22), a(43)),
        format!("key-{}", h(32)),
        format!("{}-us12", h(32)),
        format!("sk-proj-{}", a(48)),
        format!("sk-ant-api03-{}", a(90)),
        format!("hf_{}", a(34)),
        format!("gsk_{}", a(52)),
        format!("DD_API_KEY={}", h(32)),
        format!("sntryu_{}", h(64)),
        format!("glsa_{}_{}", a(32), h(8)),
        format!("dapi{}", h(32)),
        format!("NRAK-{}", up(27)),
        format!("dt0c01.{}.{}", up(24), up(64)),
        format!("lin_api_{}", a(40)),
        format!("PMAK-{}-{}", h(24), h(34)),
        format!("shpat_{}", h(32)),
        format!("SSWS 00{}", a(40)),
        format!("tskey-auth-{}", a(30)),
        format!("ops_eyJ{}", a(100)),
        format!("ntn_{}", a(46)),
        format!("AGE-SECRET-KEY-1{}", up(58)),
        format!("-----BEGIN RSA {0}-----\n{1}\n-----END RSA {0}-----", "PRIVATE KEY", a(64)),
        format!("PuTTY-User-Key-File-3: ssh-ed25519\n{}\nPrivate-MAC: {}", a(64), h(64)),
        format!("eyJ{}.eyJ{}.{}", a(20), a(20), a(20)),
        "postgres://user:hunter22@db/x".to_owned(),
        format!("Authorization: Bearer {}", a(24)),
    ]
}

/// The longest stretch without a sign: what must be gone.
fn core(sample: &str) -> &str {
    let sample = sample.trim_end_matches("@db/x");
    sample.split(|c: char| !c.is_ascii_alphanumeric()).max_by_key(|part| part.len()).unwrap_or(sample)
}

fn json(text: &str) -> String {
    serde_json::to_string(text).expect("text")
}

#[test]
fn every_shape_is_replaced() {
    assert_eq!(samples().len(), SHAPES.len());
    for (sample, shape) in samples().iter().zip(SHAPES) {
        for text in [sample.clone(), format!("a note {sample}"), format!("{{\"x\":{}}}", json(sample))] {
            let clean = redact(&text);
            assert!(clean.contains(&format!("[redacted:{}]", shape.name)), "{}: {clean}", shape.name);
            assert!(!clean.contains(core(sample)), "{}: {clean}", shape.name);
            assert!(!redact(&clean).contains(core(sample)), "twice: {clean}");
        }
    }
}

/// Mappings write some fields in one case, and PyPI's names with dashes; discord's and SendGrid's shapes need their case.
#[test]
fn what_mappings_do_to_a_text_hides_nothing() {
    for (shape, sample) in SHAPES.iter().zip(samples()).filter(|(shape, _)| !shape.expression.starts_with("(?-i)")) {
        for text in [sample.to_ascii_lowercase(), sample.to_ascii_uppercase()] {
            assert!(redact(&text).contains("[redacted:"), "{}: {}", shape.name, redact(&text));
        }
    }
    for text in ["dop-v1-", "%7B%22sqp-"].map(|before| format!("pkg:pypi/{before}{}", h(64))) {
        assert!(!redact(&text).contains(&h(40)), "{text}");
    }
    assert_eq!(redact("pkg:pypi/github-pat"), "pkg:pypi/github-pat");
}

#[test]
fn escapes_hide_nothing() {
    for (sample, shape) in samples().iter().zip(SHAPES) {
        let unicode: String = sample.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        let percent: String = sample.chars().map(|c| format!("%{:02X}", u32::from(c))).collect();
        let once = json(sample);
        let slashes = once.replace('/', "\\/");
        let twice = json(&json(&format!("{{\"deep\":{once}}}")));
        for text in [unicode, percent, once, slashes, twice.clone(), json(&twice)] {
            let text = format!("{{\"k\":\"{text}\"}}");
            let clean = redact(&text);
            assert!(!clean.contains(core(sample)) && clean.contains("[redacted:"), "{}: {clean}", shape.name);
        }
    }
}

#[test]
fn base64_hides_nothing() {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let encode = |text: &str| -> String {
        let group = |three: &[u8]| {
            let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
            (0..4).map(move |at| LETTERS[(bits >> (18 - 6 * at) & 63) as usize] as char).collect::<String>()
        };
        text.as_bytes().chunks(3).map(group).collect()
    };
    for (sample, shape) in samples().iter().zip(SHAPES) {
        let encoded = encode(&format!("{{\"k\": \"{sample}\"}}"));
        for text in [encoded.clone(), format!("path/to/{encoded}"), encoded.replace('+', "-").replace('/', "_")] {
            let clean = redact(&text);
            assert!(!clean.contains(&encoded[8..20]), "{}: {clean}", shape.name);
        }
    }
}

#[test]
fn values_behind_the_names_of_secrets_are_replaced() {
    let random = "q8Zr2LmX0vTb7KpW";
    for text in [
        format!("{{\"db_password\": \"{random}\"}}"),
        format!("{{\"clientSecret\":\"{random}\",\"x\":1}}"),
        format!("--api-key {random}"),
        format!("--token={random}"),
        format!("https://x.example/cb?code=1&access_token={random}&y=2"),
        format!("APP_SECRET={random} make"),
        format!("x-api-key: {random}"),
        format!("{{\"name\":\"DB_PASSWORD\",\"value\":\"{random}\"}}"),
        format!("{{\"tokens\":[\"{random}\"]}}"),
        format!("params[password]={random}"),
        json(&format!("{{\"private_key\": \"{random}\"}}")),
        format!("token%3D{random}%26x%3D1"),
        "password = 'hunter22!'".replace("hunter22!", random),
        format!("'passphrase': 'correct horse {random}'"),
    ] {
        let clean = redact(&text);
        assert!(!clean.contains(random) && clean.contains("[redacted:"), "{clean}");
    }
    assert_eq!(redact_field("spec.password", "hunter22"), "[redacted:password]");
    assert_eq!(redact_field("x.secretAccessKey", &a(40)), "[redacted:aws_secret_key]");
    assert!(redact(r#"{"password":"hunter22","user":"x"}"#).ends_with(r#"[redacted:password]","user":"x"}"#));
}

#[test]
fn identifiers_stay() {
    let digest = h(64);
    for text in [
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        "access_key=AKIAIOSFODNN7EXAMPLE".to_owned(),
        format!("sha256:{digest}"),
        format!("token: {}", h(40)),
        format!("\"hashed_token\":\"{}=\"", a(43)),
        format!("\"token_id\":\"{}\"", a(20)),
        format!("{{\"secret\": \"sha256:{digest}\"}}"),
        "github.com/acme/app".to_owned(),
        "25613093674".to_owned(),
        "token=25613093674".to_owned(),
        "\"token\":\"0b7c1a52-5a1f-4d8e-9f60-7d5f0c7a1b2c\"".to_owned(),
        "\"secret\":\"arn:aws:secretsmanager:eu-north-1:123456789012:secret:prod/db-AbCdEf\"".to_owned(),
        "pkg:npm/%40acme/left-pad@1.2.3?checksum=sha1:aaa".to_owned(),
        "registry.example/acme/app@sha256:".to_owned() + &digest,
        "\"secret\":\"NPM_PUBLISH_TOKEN_2\"".to_owned(),
        "\"token\":\"deploy-token-production-1\"".to_owned(),
        "secret: projects/acme/secrets/deploy-key/versions/12".to_owned(),
        "password: must be changed".to_owned(),
        "password=${{ secrets.DB_PASSWORD }}".to_owned(),
        "basic infrastructure-as-code review".to_owned(),
        "https://github.com/acme/app/actions/runs/25613093674/attempts/1".to_owned(),
        "2026-10-05T08:00:00.000Z".to_owned(),
        "\"etag\": \"W/\\\"5f0c6f3e\\\"\"".to_owned(),
        "[redacted:github_token] password=[redacted:password]".to_owned(),
        format!("token=hmac-sha256:{digest}"),
        "system:serviceaccount:kube-system:token-cleaner".to_owned(),
    ] {
        assert_eq!(redact(&text), text);
    }
}

#[test]
fn secrets_in_keys_become_names() {
    let key = RedactionKey::default();
    let token = format!("ghp_{}", a(36));
    let name = key.name_field("prov.actor", &token);
    assert!(name.starts_with("hmac-sha256:") && name.len() == 76, "{name}");
    assert_eq!(key.name_field("other", &token), name, "equal secrets, equal names");
    assert_ne!(RedactionKey::of(b"mine").name_field("prov.actor", &token), name);
    assert_ne!(key.name_field("prov.actor", &format!("ghp_{}", a(40))), name);
    assert_eq!(key.name_field("prov.actor", &format!("a {token} b")), format!("a {name} b"));
    assert_eq!(key.name_field("prov.actor", "octocat"), "octocat");
    assert_eq!(redact_field("token", &name), name, "a name is no secret");
}

#[test]
fn cutting_counts_characters() {
    assert_eq!(cut("äöü", 3), "äöü");
    assert_eq!(cut("äöüß", 3), "äö…");
}
