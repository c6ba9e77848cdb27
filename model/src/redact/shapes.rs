//! Known shapes of credentials, as their issuers document them: a name, the literals one of which every credential of
//! the shape contains, and an expression.
//!
//! A shape must be specific enough to be safe on any text; where it is not, the name that stands before it is part of
//! it. Group 1 of an expression is the secret, without a group the whole match is. All run in linear time.

/// One shape.
#[derive(Debug)]
pub(super) struct Shape {
    /// What stands in the place of the secret: `[redacted:NAME]`.
    pub(super) name: &'static str,
    /// Literals in lower case, compared without case: the expression runs only where one of them stands. None: always.
    pub(super) needles: &'static [&'static str],
    /// The expression, compared without case: mappings write some fields in one case. `(?-i)` where that would take in names.
    pub(super) expression: &'static str,
}

const fn shape(name: &'static str, needles: &'static [&'static str], expression: &'static str) -> Shape {
    Shape { name, needles, expression }
}

/// Every known shape: forges, clouds, registries, chat and pagers, CI, other services, keys.
pub(super) const SHAPES: &[Shape] = &[
    // Forges.
    shape(
        "github_token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"gh[pousr]_[A-Za-z0-9]{20,}(?:[A-Za-z0-9_.\-]*[A-Za-z0-9])?",
    ),
    shape("github_fine_grained_token", &["github_pat_"], r"github_pat_[A-Za-z0-9_]{20,}"),
    shape(
        "gitlab_token",
        &[
            "glpat-",
            "gldt-",
            "glrt-",
            "glrtr-",
            "glcbt-",
            "glptt-",
            "glft-",
            "glsoat-",
            "glagent-",
            "gloas-",
            "glimt-",
            "glffct-",
            "glwt-",
            "gr1348941",
        ],
        r"(?:gl(?:pat|dt|rtr?|cbt|ptt|ft|soat|agent|oas|imt|ffct|wt)-|GR1348941)[A-Za-z0-9_\-]{20,}(?:\.[a-z0-9]{2,}){0,3}",
    ),
    shape("gitlab_session", &["_gitlab_session="], r"_gitlab_session=([A-Za-z0-9%\-]{32,})"),
    shape("bitbucket_token", &["atbb", "bbdc-"], r"ATBB[A-Za-z0-9_=.\-]{24,}|BBDC-[A-Za-z0-9+/@_\-]{40,}"),
    shape("atlassian_token", &["atatt3x", "atctt3x"], r"AT[AC]TT3x[A-Za-z0-9_\-]{40,}(?:=[A-F0-9]{8})?"),
    shape(
        "gitea_token",
        &["gitea", "forgejo", "codeberg"],
        r#"(?i)(?:gitea|forgejo|codeberg)[a-z0-9_.\-]{0,24}(?:token|key|pat)["'\s:=]{1,6}([a-f0-9]{40})\b"#,
    ),
    // Clouds.
    shape(
        "aws_secret_key",
        &["secret_access_key", "secretaccesskey", "secret-access-key", "aws_secret", "awssecret"],
        r#"(?i:secret[_\-]?access[_\-]?key|aws_?secret(?:_?key)?)["'\s:=>]{1,6}([A-Za-z0-9/+]{40})"#,
    ),
    shape(
        "aws_session_token",
        &["iqojb3jpz2lu", "fwogzxivyxdz", "fqogzxivyxdz", "fqodyxdz"],
        r"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz|FQoDYXdz)[A-Za-z0-9/+=]{50,}",
    ),
    shape("aws_signature", &["x-amz-signature="], r"(?i:X-Amz-Signature)=([a-f0-9]{64})"),
    shape("aws_bedrock_key", &["absk"], r"\bABSK[A-Za-z0-9+/]{109,}={0,2}"),
    shape("google_api_key", &["aiza"], r"AIza[A-Za-z0-9_\-]{35}"),
    shape("google_oauth_token", &["ya29.", "1//0"], r"ya29\.[A-Za-z0-9_.\-]{20,}|\b1//0[A-Za-z0-9_\-]{40,}"),
    shape("google_client_secret", &["gocspx-"], r"GOCSPX-[A-Za-z0-9_\-]{28}"),
    shape("azure_client_secret", &["7q~", "8q~"], r"[A-Za-z0-9_~.\-]{3}[78]Q~[A-Za-z0-9_~.\-]{31,34}"),
    shape("azure_sas", &["sig="], r"(?i:\bsig)=([A-Za-z0-9%+/_\-]{40,}=*)"),
    shape(
        "azure_storage_key",
        &["accountkey=", "sharedaccesskey=", "sharedsecret="],
        r"(?i:AccountKey|SharedAccessKey|SharedSecret)=([A-Za-z0-9/+]{40,}={0,2})",
    ),
    shape("azure_devops_token", &["azdo"], r"[A-Za-z0-9]{60,90}AZDO[A-Za-z0-9]{4}"),
    shape("azure_registry_key", &["+acr"], r"[A-Za-z0-9/+]{42}\+ACR[A-Za-z0-9]{6}"),
    shape("azure_function_key", &["azfu"], r"[A-Za-z0-9_\-]{44}AzFu[A-Za-z0-9_\-]{5}[AQgw]={0,2}"),
    shape("digitalocean_token", &["dop_v1_", "doo_v1_", "dor_v1_"], r"do[opr]_v1_[a-f0-9]{64}"),
    shape(
        "cloudflare_token",
        &["cloudflare", "cfut_", "cfat_", "cfk_", "v1.0-"],
        r#"\bcf(?:k|ut|at)_[A-Za-z0-9_\-]{40,}|\bv1\.0-[a-f0-9]{24}-[a-f0-9]{100,}|(?i:cloudflare[a-z0-9_.\-]{0,24}(?:token|key))["'\s:=]{1,6}[A-Za-z0-9_\-]{37,45}"#,
    ),
    shape("vault_token", &["hvs.", "hvb.", "hvr."], r"hv[sbr]\.[A-Za-z0-9_\-]{20,}"),
    shape("terraform_token", &[".atlasv1."], r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=\-]{60,}"),
    shape("heroku_key", &["hrku-"], r"HRKU-[A-Za-z0-9_\-]{36,}"),
    shape(
        "fly_token",
        &["fo1_", "fm1", "fm2_"],
        r"\b(?:fo1_[A-Za-z0-9_\-]{43}|fm(?:1[ar]?|2)_[A-Za-z0-9+/]{100,}={0,3})",
    ),
    shape("planetscale_token", &["pscale_"], r"pscale_(?:tkn|oauth|pw)_[A-Za-z0-9_=.\-]{32,}"),
    shape("doppler_token", &["dp."], r"\bdp\.(?:pt|st|sa|ct|scim|audit)\.[A-Za-z0-9_.\-]{40,}"),
    shape("pulumi_token", &["pul-"], r"\bpul-[a-f0-9]{40}"),
    // Registries.
    shape("npm_token", &["npm_"], r"npm_[A-Za-z0-9]{36}"),
    shape("npmrc_token", &["_auth", "_password"], r#"\b_(?:authToken|auth|password)\s*=\s*"?([A-Za-z0-9+/=_\-]{16,})"#),
    shape("pypi_token", &["pypi-"], r"pypi-[A-Za-z0-9_\-]{50,}"),
    shape("crates_token", &["cio"], r"\bcio[A-Za-z0-9]{32}\b"),
    shape("rubygems_token", &["rubygems_"], r"rubygems_[a-f0-9]{48}"),
    shape("nuget_key", &["oy2"], r"\boy2[a-z0-9]{43}\b"),
    shape("docker_token", &["dckr_pat_", "dckr_oat_"], r"dckr_[po]at_[A-Za-z0-9_\-]{20,}"),
    shape("artifactory_token", &["akcp", "cmvmdgtu"], r"\bAKCp[A-Za-z0-9]{60,}|\bcmVmdGtu[A-Za-z0-9]{50,}"),
    shape("packagist_token", &["packagist_"], r"packagist_[ou][ru]t_[a-f0-9]{68}"),
    shape("clojars_token", &["clojars_"], r"CLOJARS_[a-z0-9]{60}"),
    // Chat and pagers.
    shape(
        "slack_token",
        &["xoxa", "xoxb", "xoxe", "xoxo", "xoxp", "xoxr", "xoxs", "xoxc", "xoxd", "xapp-"],
        r"xox[abceoprsd](?:\.xox[bp])?-[A-Za-z0-9%\-]{10,}|xapp-[0-9]-[A-Za-z0-9\-]{20,}",
    ),
    shape(
        "slack_webhook",
        &["hooks.slack.com/"],
        r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_]{20,}",
    ),
    shape("discord_token", &[], r"(?-i)\b[MNO][A-Za-z0-9_\-]{22,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,40}"),
    shape(
        "discord_webhook",
        &["/api/webhooks/"],
        r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_\-]{40,}",
    ),
    shape("teams_webhook", &["webhook.office.com/"], r"webhook\.office\.com/webhookb2/[A-Za-z0-9@/_\-]{36,}"),
    shape("telegram_token", &[":aa"], r"\b[0-9]{8,10}:AA[A-Za-z0-9_\-]{32,33}"),
    shape(
        "pagerduty_key",
        &["routing_key", "integration_key", "service_key", "pagerduty", "token token="],
        r#"(?i)(?:routing_key|integration_key|service_key|pagerduty[a-z_.\-]{0,24})["'\s:=]{1,6}([a-z0-9]{32}|u\+[a-z0-9_+\-]{18})\b|token token=([a-z0-9_+\-]{20})"#,
    ),
    shape("opsgenie_key", &["geniekey"], r"(?i:geniekey)\s+([a-f0-9\-]{36})"),
    // CI.
    shape("circleci_token", &["ccipat_", "cciprj_"], r"CCIP(?:AT|RJ)_[A-Za-z0-9]{20,24}_[a-f0-9]{40}"),
    shape("buildkite_token", &["bkua_", "bkct_", "bkpt_"], r"\bbk(?:ua|ct|pt)_[A-Za-z0-9]{40,}"),
    shape("sonar_token", &["sqp_", "squ_", "sqa_"], r"\bsq[pua]_[a-f0-9]{40}"),
    // Other services.
    shape("stripe_key", &["k_live_", "k_test_"], r"\b[prs]k_(?:live|test)_[A-Za-z0-9]{20,}"),
    shape("webhook_secret", &["whsec_"], r"whsec_[A-Za-z0-9+/=]{24,}"),
    shape("sendgrid_key", &["sg."], r"(?-i)\bSG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{32,64}"),
    shape("mailgun_key", &["key-"], r"\bkey-[a-f0-9]{32}\b"),
    shape("mailchimp_key", &["-us"], r"\b[a-f0-9]{32}-us[0-9]{1,2}\b"),
    shape(
        "openai_key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "t3blbkfj"],
        r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_\-]{20,}|sk-[A-Za-z0-9]{20,}T3BlbkFJ[A-Za-z0-9]{20,}",
    ),
    shape("anthropic_key", &["sk-ant-"], r"sk-ant-[A-Za-z0-9_\-]{20,}"),
    shape("huggingface_token", &["hf_", "api_org_"], r"\b(?:hf_|api_org_)[A-Za-z0-9]{34}"),
    shape("groq_key", &["gsk_"], r"\bgsk_[A-Za-z0-9]{52}"),
    shape(
        "datadog_key",
        &["dd_", "dd-", "ddapi", "ddapp", "datadog"],
        r#"(?i)\b(?:dd|datadog)[_.\-]?(?:api|app(?:lication)?)[_.\-]?key["'\s:=]{1,6}([a-f0-9]{40}|[a-f0-9]{32})\b"#,
    ),
    shape("sentry_token", &["sntrys_", "sntryu_"], r"sntry(?:s_eyJ[A-Za-z0-9+/=_\-]{40,}|u_[a-f0-9]{64})"),
    shape(
        "grafana_token",
        &["glsa_", "glc_", "eyjrijoi"],
        r"glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/]{32,}={0,2}|eyJrIjoi[A-Za-z0-9+/_\-]{40,}={0,2}",
    ),
    shape("databricks_token", &["dapi", "dose"], r"\b(?:dapi|dose)[a-f0-9]{32}(?:-[0-9])?\b"),
    shape("newrelic_key", &["nrak-", "nrii-", "nrjs-"], r"\bNR(?:AK|II|JS)-[A-Za-z0-9_\-]{19,}"),
    shape("dynatrace_token", &["dt0"], r"\bdt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    shape("linear_key", &["lin_api_"], r"lin_api_[A-Za-z0-9]{40}"),
    shape("postman_key", &["pmak-"], r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    shape("shopify_token", &["shpat_", "shpca_", "shppa_", "shpss_"], r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    shape("okta_token", &["ssws"], r"(?i:ssws)\s+([A-Za-z0-9_\-]{40,})"),
    shape("tailscale_key", &["tskey-"], r"tskey-[a-z]+-[A-Za-z0-9\-]{16,}"),
    shape("onepassword_token", &["ops_eyj"], r"ops_eyJ[A-Za-z0-9+/=_\-]{60,}"),
    shape("notion_token", &["ntn_"], r"\bntn_[A-Za-z0-9]{40,}"),
    // Keys, tokens of many issuers, and what stands where credentials stand.
    shape("age_key", &["age-secret-key-"], r"(?i)age-secret-key-(?:pq-)?1[a-z0-9]{50,}"),
    shape(
        "private_key",
        &["private key"],
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    shape("putty_key", &["putty-user-key-file-"], r"PuTTY-User-Key-File-[0-9](?s:.*?)(?:Private-MAC: [a-f0-9]+|\z)"),
    shape("jwt", &["eyj"], r"eyJ[A-Za-z0-9_\-]{8,}\.(?:[A-Za-z0-9_\-]*\.){1,3}[A-Za-z0-9_\-]{8,}"),
    shape("url_password", &["://"], r#"\b[a-z][a-z0-9+.\-]{1,20}://[^\s/:@"'\\]{0,100}:([^\s/@"'\\\[]{3,200})@"#),
    shape(
        "authorization",
        &["bearer", "basic", "authorization"],
        r#"(?i)\b(?:bearer|basic)[\s:]+([a-z0-9._~+/\-]{16,}=*)|authorization["'\s:=]{1,6}token\s+([a-f0-9]{40})\b"#,
    ),
];
