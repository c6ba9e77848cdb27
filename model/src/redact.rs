//! Secrets never leave: known shapes of credentials are replaced wherever text is written.
//!
//! Works on text that is about to leave (alerts, dead letters, logs); must never run on what rules and keys see, and
//! must never let a known shape through because it looks like an identifier.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Known credential shapes by the name that replaces them. Each is specific enough to be safe on any text.
const SHAPES: &[(&str, &str)] = &[
    ("github_token", r"\bgh[pousr]_[A-Za-z0-9]{20,255}\b"),
    ("github_fine_grained_token", r"\bgithub_pat_[A-Za-z0-9_]{20,255}\b"),
    ("gitlab_token", r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas)-[A-Za-z0-9_\-]{20,300}"),
    ("aws_secret_key", r#"(?i:secret_?access_?key|aws_?secret)["'\s:=\\]{1,6}[A-Za-z0-9/+]{40}\b"#),
    ("aws_session_token", r"\b(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz)[A-Za-z0-9/+=]{50,}"),
    ("google_api_key", r"\bAIza[A-Za-z0-9_\-]{35}\b"),
    ("google_oauth_token", r"\bya29\.[A-Za-z0-9_\-]{20,}"),
    ("azure_storage_key", r"(?i:AccountKey)=[A-Za-z0-9/+]{80,}={0,2}"),
    ("npm_token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("pypi_token", r"\bpypi-[A-Za-z0-9_\-]{50,}"),
    ("rubygems_token", r"\brubygems_[a-f0-9]{48}\b"),
    ("crates_token", r"\bcio[A-Za-z0-9]{32}\b"),
    ("docker_token", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_\-]{20,}"),
    ("vault_token", r"\b(?:hvs|hvb|hvr)\.[A-Za-z0-9_\-]{20,}"),
    ("slack_token", r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,}"),
    ("slack_webhook", r"hooks\.slack\.com\\?/(?:services|workflows)\\?/[A-Za-z0-9/_\\]{20,}"),
    ("stripe_key", r"\b[rs]k_live_[A-Za-z0-9]{20,}"),
    ("jwt", r"\beyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}"),
    (
        "private_key",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    ("url_password", r"\b[a-z][a-z0-9+.\-]{1,20}:\\?/\\?/[^\s/:@\x22']{1,100}:[^\s/@\x22']{3,200}@"),
    ("authorization", r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/\-]{16,}=*"),
];

static ANY: LazyLock<Option<regex::RegexSet>> =
    LazyLock::new(|| regex::RegexSet::new(SHAPES.iter().map(|(_, shape)| *shape)).ok());

static EACH: LazyLock<Vec<(&'static str, Regex)>> =
    LazyLock::new(|| SHAPES.iter().filter_map(|(name, shape)| Some((*name, Regex::new(shape).ok()?))).collect());

/// Replaces every known credential in the text by `[redacted:NAME]`. Borrows where there is none.
pub fn redact(text: &str) -> Cow<'_, str> {
    let found = ANY.as_ref().is_none_or(|any| any.is_match(text));
    if !found {
        return Cow::Borrowed(text);
    }
    let mut clean = Cow::Borrowed(text);
    for (name, shape) in EACH.iter() {
        if shape.is_match(&clean) {
            clean = Cow::Owned(shape.replace_all(&clean, format!("[redacted:{name}]")).into_owned());
        }
    }
    clean
}

/// Cuts text to at most `max` characters; a cut text ends in `…`.
pub fn cut(text: &str, max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let end = text.char_indices().nth(max.saturating_sub(1)).map_or(0, |(at, _)| at);
            Cow::Owned(format!("{}…", &text[..end]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_compiles_and_is_replaced() {
        assert_eq!(EACH.len(), SHAPES.len());
        assert!(ANY.is_some());
        let a = |n: usize| "a1B2".repeat(n.div_ceil(4))[..n].to_owned();
        let samples = [
            format!("ghp_{}", a(36)),
            format!("github_pat_{}", a(40)),
            format!("glpat-{}", a(20)),
            format!("aws_secret_access_key = {}", a(40)),
            format!("IQoJb3JpZ2lu{}", a(60)),
            format!("AIza{}", a(35)),
            format!("ya29.{}", a(30)),
            format!("AccountKey={}==", a(86)),
            format!("npm_{}", a(36)),
            format!("pypi-{}", a(60)),
            format!("rubygems_{}", "0a1b".repeat(12)),
            format!("cio{}", a(32)),
            format!("dckr_pat_{}", a(27)),
            format!("hvs.{}", a(24)),
            format!("xoxb-{}", a(24)),
            format!("https://hooks.slack.com/services/{}", a(30)),
            format!("sk_live_{}", a(24)),
            format!("eyJ{}.eyJ{}.{}", a(20), a(20), a(20)),
            format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----", a(64)),
            "postgres://user:hunter22@db/x".to_owned(),
            format!("Authorization: Bearer {}", a(24)),
        ];
        for (sample, (name, _)) in samples.iter().zip(SHAPES) {
            let clean = redact(sample);
            assert!(clean.contains(&format!("[redacted:{name}]")), "{name}: {clean}");
        }
        assert_eq!(samples.len(), SHAPES.len());
    }

    #[test]
    fn slashes_that_json_escapes_hide_nothing() {
        for secret in
            [r"https:\/\/hooks.slack.com\/services\/T0\/B0\/a1B2a1B2a1B2a1B2", r"postgres:\/\/user:hunter22@db\/x"]
        {
            let clean = redact(secret);
            assert!(clean.contains("[redacted:") && !clean.contains("hunter22") && !clean.contains("a1B2"), "{clean}");
        }
    }

    #[test]
    fn identifiers_stay() {
        for text in
            ["AKIAIOSFODNN7EXAMPLE", "sha256:7f5b2640fe6fb4f46592dfd3410c4a79", "github.com/acme/app", "25613093674"]
        {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
    }
}
