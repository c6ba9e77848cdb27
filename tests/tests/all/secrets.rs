//! One secret of each known shape, and of the kinds that only a name tells; and what is none.
//!
//! Tokens are built at run time, so that this file holds none.

/// A secret as an event may carry it, and the part of it that must never be seen.
pub struct Secret {
    pub text: String,
    pub core: String,
}

/// What stands before so many characters of this kind.
const OF_LETTERS: &[(&str, usize)] = &[
    ("ghp_", 36),
    ("gho_", 36),
    ("ghu_", 36),
    ("ghs_", 36),
    ("ghr_", 36),
    ("github_pat_", 60),
    ("glpat-", 20),
    ("glrt-", 20),
    ("GR1348941", 20),
    ("ATBB", 32),
    ("ATATT3x", 180),
    ("BBDC-", 44),
    ("aws_secret_access_key = ", 40),
    ("IQoJb3JpZ2lu", 200),
    ("FwoGZXIvYXdz", 200),
    ("ABSK", 120),
    ("AIza", 35),
    ("ya29.", 40),
    ("1//0", 60),
    ("GOCSPX-", 28),
    ("x8Q8Q~", 34),
    ("?sv=2024-01-01&sig=", 43),
    ("AccountKey=", 86),
    ("SharedAccessKey=", 43),
    ("CLOUDFLARE_API_TOKEN=", 40),
    ("hvs.", 60),
    ("hvb.", 60),
    ("abcdefgh123456.atlasv1.", 67),
    ("HRKU-", 60),
    ("fo1_", 43),
    ("pscale_tkn_", 43),
    ("dp.st.", 43),
    ("npm_", 36),
    ("//r.example.org/:_authToken=", 36),
    ("pypi-", 80),
    ("cio", 32),
    ("dckr_pat_", 27),
    ("dckr_oat_", 32),
    ("AKCp", 69),
    ("cmVmdGtu", 56),
    ("xoxb-", 40),
    ("xoxp-", 40),
    ("xapp-1-", 60),
    ("https://hooks.slack.com/services/", 44),
    ("https://discord.com/api/webhooks/123456789012345678/", 68),
    ("https://a.webhook.office.com/webhookb2/", 60),
    ("123456789:AA", 33),
    ("sk_live_", 24),
    ("rk_live_", 24),
    ("whsec_", 32),
    ("sk-proj-", 48),
    ("sk-ant-api03-", 90),
    ("hf_", 34),
    ("gsk_", 52),
    ("sntrys_eyJ", 90),
    ("glc_", 60),
    ("lin_api_", 40),
    ("SSWS 00", 40),
    ("tskey-auth-", 40),
    ("ops_eyJ", 120),
    ("ntn_", 46),
    ("Bearer ", 40),
    ("bkua_", 40),
];

/// What stands before so many characters of this kind.
const OF_HEXADECIMAL_DIGITS: &[(&str, usize)] = &[
    ("_gitlab_session=", 32),
    ("GITEA_TOKEN=", 40),
    ("X-Amz-Signature=", 64),
    ("dop_v1_", 64),
    ("pul-", 40),
    ("rubygems_", 48),
    ("packagist_out_", 68),
    ("routing_key: ", 32),
    ("sqp_", 40),
    ("key-", 32),
    ("DD_API_KEY=", 32),
    ("sntryu_", 64),
    ("dapi", 32),
    ("shpat_", 32),
    ("Authorization: token ", 40),
    ("PMAK-0a1b2c3d4e5f0a1b2c3d4e5f-", 34),
    ("CCIPAT_abcdefghij0123456789ab_", 40),
];

/// One of each known shape.
pub fn secrets() -> Vec<Secret> {
    let mut seed = harness::generate::Random(42);
    let letters: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
    let low: Vec<char> = ('a'..='z').chain('0'..='9').collect();
    let up: Vec<char> = ('A'..='Z').chain('0'..='9').collect();
    let digits: Vec<char> = ('a'..='f').chain('0'..='9').collect();
    let around = |before: &str, core: String, after: &str| Secret { text: format!("{before}{core}{after}"), core };
    let mut of = |kind: &[char], n: usize| (0..n).map(|_| seed.pick(kind)).collect::<String>();
    let mut all = Vec::new();
    for &(before, n) in OF_LETTERS {
        all.push(around(before, of(&letters, n), ""));
    }
    for &(before, n) in OF_HEXADECIMAL_DIGITS {
        all.push(around(before, of(&digits, n), ""));
    }
    for (before, n) in [("oy2", 43), ("CLOJARS_", 60)] {
        all.push(around(before, of(&low, n), ""));
    }
    for (before, n) in [("AGE-SECRET-KEY-1", 58), ("NRAK-", 27), ("dt0c01.ABCDEFGHIJKLMNOPQRSTUVWX.", 64)] {
        all.push(around(before, of(&up, n), ""));
    }
    all.push(around("SG.", of(&letters, 22), &format!(".{}", of(&letters, 43))));
    all.push(around("glsa_", of(&letters, 32), "_0a1b2c3d"));
    all.push(around("", of(&digits, 32), "-us12"));
    all.push(around("", of(&letters, 76), "AZDOa1B2"));
    all.push(around("", of(&letters, 42), "+ACRa1B2c3"));
    all.push(around("", of(&letters, 44), "AzFua1B2cQ=="));
    all.push(around(&format!("M{}.a1B2c3.", of(&letters, 23)), of(&letters, 38), ""));
    all.push(around(&format!("eyJ{}.eyJ", of(&letters, 30)), of(&letters, 400), &format!(".{}", of(&letters, 43))));
    for kind in ["RSA ", "OPENSSH ", ""] {
        let kind = format!("{kind}{}", ["PRIVATE ", "KEY"].concat());
        all.push(around(&format!("-----BEGIN {kind}-----\n"), of(&letters, 64), &format!("\n-----END {kind}-----")));
    }
    all.push(around("postgres://deploy:", of(&letters, 24), "@db.internal/x"));
    // What only a name tells. A mark makes sure that letters and digits are in it.
    for before in
        ["db_password=", "--api-key ", "https://x.example/cb?access_token=", "{\"client_secret\": \"", "passwd: "]
    {
        let after = if before.ends_with('"') { "\"}" } else { "" };
        all.push(around(before, format!("q7{}", of(&letters, 22)), after));
    }
    all
}

/// What looks like a secret and must stay.
pub fn identifiers() -> Vec<String> {
    let digits = |n: usize| "0a1b9c8d".repeat(n.div_ceil(8))[..n].to_owned();
    vec![
        digits(40),
        format!("sha256:{}", digits(64)),
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        "arn:aws:iam::123456789012:role/deploy-production".to_owned(),
        "0b7c1a52-5a1f-4d8e-9f60-7d5f0c7a1b2c".to_owned(),
        "25613093674".to_owned(),
        "pkg:npm/left-pad@1.2.3".to_owned(),
        "github.com/acme/app".to_owned(),
        "deploy-token-production-1".to_owned(),
        "system:serviceaccount:ci:builder".to_owned(),
    ]
}

/// Text inside JSON quotes; also as encoders write it that escape slashes.
pub fn escaped(text: &str, slashes: bool) -> String {
    let quoted = serde_json::to_string(text).expect("text");
    let inner = quoted[1..quoted.len() - 1].to_owned();
    if slashes { inner.replace('/', "\\/") } else { inner }
}

/// Text inside JSON quotes with every character as `\uXXXX`.
pub fn in_unicode(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}
