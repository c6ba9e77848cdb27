//! Network and client: who called from where, and what was called.
//!
//! Must never hold a name where an address is meant.

use super::{FieldDoc, float, integer, ip, text};

pub(super) const FIELDS: &[FieldDoc] = &[
    ip(
        "src.ip",
        "Address that acted.",
        &[
            ("github-audit", "actor_ip"),
            ("cloudtrail", "sourceIPAddress"),
            ("kubernetes-audit", "sourceIPs"),
            ("vault-audit", "request.remote_address"),
            ("gitlab-audit", "ip_address, details.ip_address"),
            ("oci-distribution", "events.request.addr"),
            ("opa-decision-log", "requested_by"),
            ("oidc-exchange", "client_ip, callerIp, ipAddress"),
        ],
    ),
    text(
        "src.service",
        "Cloud service that acted for somebody; then there is no address.",
        &[("cloudtrail", "sourceIPAddress when it is a name, userIdentity.invokedBy")],
    ),
    integer("src.asn", "Autonomous system of `src.ip`.", &[("enrichment", "address table")]),
    text("src.as_org", "Name of the autonomous system.", &[("enrichment", "address table")]),
    text(
        "src.country",
        "Country of `src.ip`, ISO 3166-1 alpha-2.",
        &[("github-audit", "actor_location.country_code"), ("enrichment", "address table")],
    ),
    float("src.lat", "Latitude of `src.ip`.", &[("enrichment", "address table")]).unit("degrees"),
    float("src.lon", "Longitude of `src.ip`.", &[("enrichment", "address table")]).unit("degrees"),
    text("src.proxy", "none, vpn, hosting, tor, relay, satellite or mobile.", &[("enrichment", "address table")]),
    text(
        "ua",
        "User agent as the client gave it: it may say anything.",
        &[
            ("github-audit", "user_agent"),
            ("cloudtrail", "userAgent"),
            ("kubernetes-audit", "userAgent"),
            ("oci-distribution", "events.request.useragent"),
            ("vault-audit", "request.headers.user-agent"),
            ("oidc-exchange", "user_agent, callerSuppliedUserAgent"),
        ],
    )
    .attacker_controlled(),
    text(
        "ua_family",
        "Coarse family of the user agent: git, browser, aws-cli, terraform, the first product \
        name otherwise.",
        &[("github-audit", "user_agent"), ("cloudtrail", "userAgent"), ("kubernetes-audit", "userAgent")],
    )
    .attacker_controlled(),
    ip("dst.ip", "Address that was connected to.", &[("falco", "fd.rip, fd.sip, fd.name")]),
    integer("dst.port", "Port that was connected to.", &[("falco", "fd.rport, fd.sport, fd.name")]),
    text(
        "dst.domain",
        "Name that was connected to or looked up, lower case.",
        &[("falco", "fd.rip.name, fd.sip.name"), ("harbor", "event_data.replication.dest_resource.endpoint")],
    ),
    text("dst.etld1", "Registrable domain of `dst.domain`.", &[("enrichment", "public suffix list")]),
    integer("dst.asn", "Autonomous system of `dst.ip`.", &[("enrichment", "address table")]),
];
