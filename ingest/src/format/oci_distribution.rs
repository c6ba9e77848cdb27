//! An OCI registry of its own accord: the notifications of CNCF Distribution and of what speaks like it, in the
//! envelope that the registry posts or alone, and the lines of its access log in JSON.
//!
//! Must never take a layer for an artifact: an image is pushed when its manifest is. Must never build a name from the
//! request's `Host`, which the client chooses.

use EventClass as C;
use model::{EventClass, Scalar, Trust, Verdict};

use super::fill::{coalesce, is_address, ua_family};
use super::{Class, Classified, Container, Format, Id, Inputs, MapRow, Mapping, Output, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "oci-distribution",
    title: "OCI registry (CNCF Distribution): notifications and access log",
    product: "oci",
    service: "distribution",
    marks: &[
        &["events.action", "events.target.repository"],
        &["action", "timestamp", "target.repository"],
        &["http.request.method", "http.request.uri", "http.response.status"],
    ],
    containers: &[Container::Array("events")],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

static MAPPING: Mapping = Mapping {
    id: Id::First(&["id", "http.request.id"]),
    time: &["timestamp", "time"],
    action: "action",
    classify_paths: &["action", "target.url", "target.mediaType", "http.request.method", "http.response.status"],
    classify,
    rows: ROWS,
};

const NOTIFIED: &[EventClass] = &[C::RegistryPush, C::RegistryPull, C::RegistryDelete];
const REQUEST: &[EventClass] = &[C::RegistryRequest];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    all("prov.actor_id", &["actor.name", "auth.user.name"], coalesce),
    all("prov.actor", &["actor.name", "auth.user.name"], coalesce),
    all("src.ip", &["request.addr", "http.request.remoteaddr"], address),
    all("ua", &["request.useragent", "http.request.useragent"], coalesce),
    on(NOTIFIED, "ua_family", &["request.useragent"], ua_family),
    on(REQUEST, "ua_family", &["http.request.useragent"], ua_family),
    on(NOTIFIED, "repo", &["action", "target.fromRepository", "target.repository"], repository),
    on(REQUEST, "repo", &["vars.name"], coalesce),
    on(NOTIFIED, "tag", &["target.tag"], coalesce),
    on(REQUEST, "tag", &["vars.reference"], tag),
    on(NOTIFIED, "prov.digest", &["action", "target.url", "target.mediaType", "target.digest"], manifest_digest),
    on(REQUEST, "prov.digest", &["vars.reference"], digest),
    on(NOTIFIED, "bytes", &["target.size", "target.length"], coalesce),
    on(REQUEST, "bytes", &["http.response.written"], coalesce),
    on(&[C::RegistryDelete], "kind", &["target.digest", "target.tag"], deleted_kind),
    on(REQUEST, "status", &["http.response.status"], coalesce),
    on(REQUEST, "latency", &["http.response.duration"], latency),
];

/// The registry notifies of what was done, so success; only the access log knows refusals.
fn classify(inputs: &Inputs<'_>) -> Classified {
    let event = |class, action, verdict| Classified::Event(Class { class, action, verdict });
    if let Some(status) = inputs.first(4).and_then(Scalar::as_number) {
        return event(C::RegistryRequest, method(inputs.text(3)), verdict(status));
    }
    match inputs.text(0) {
        Some("push") if is_layer(inputs.text(1), inputs.text(2)) => Classified::Filtered,
        Some("push") => event(C::RegistryPush, "push", Verdict::Success),
        Some("pull") => event(C::RegistryPull, "pull", Verdict::Success),
        // A layer taken over from another repository: who may mount it may read it there.
        Some("mount") => event(C::RegistryPull, "mount", Verdict::Success),
        Some("delete") => event(C::RegistryDelete, "delete", Verdict::Success),
        Some("ping") => Classified::Filtered,
        _ => Classified::Invalid("no action of a registry"),
    }
}

/// Methods in our words; the log holds what the client sent.
fn method(native: Option<&str>) -> &'static str {
    match native {
        Some("GET") => "get",
        Some("HEAD") => "head",
        Some("PUT") => "put",
        Some("POST") => "post",
        Some("PATCH") => "patch",
        Some("DELETE") => "delete",
        _ => "other",
    }
}

fn verdict(status: f64) -> Verdict {
    match status as u16 {
        100..=399 => Verdict::Success,
        401 | 403 => Verdict::Denied,
        400..=499 => Verdict::Failure,
        500..=599 => Verdict::Error,
        _ => Verdict::Unknown,
    }
}

/// By the address that the registry gives it, which ends in `blobs/DIGEST`; a repository may be called `blobs`. The
/// media type, which the pusher chooses, only where there is no address.
fn is_layer(url: Option<&str>, media_type: Option<&str>) -> bool {
    match (url, media_type) {
        (Some(url), _) => url.rsplit('/').nth(1) == Some("blobs"),
        (None, Some(kind)) => !kind.contains("manifest") && !kind.contains(".index."),
        (None, None) => false,
    }
}

/// The digest of a manifest; a layer's is nobody's artifact. Deletions do not say which of the two it was.
fn manifest_digest(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let layer = inputs.text(0) == Some("mount") || is_layer(inputs.text(1), inputs.text(2));
    if let Some(digest) = inputs.text(3).filter(|_| !layer) {
        output.text(digest);
    }
}

/// What was read or written; of a mount the repository that the layer was taken from.
fn repository(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let from = inputs.text(1).filter(|_| inputs.text(0) == Some("mount"));
    if let Some(repository) = from.or(inputs.text(2)) {
        output.text(repository);
    }
}

fn deleted_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    output.text(match (inputs.text(0), inputs.text(1)) {
        (Some(_), _) => "artifact",
        (None, Some(_)) => "tag",
        (None, None) => "repository",
    });
}

fn is_digest(reference: &str) -> bool {
    reference.contains(':')
}

fn tag(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(tag) = inputs.text(0).filter(|reference| !is_digest(reference)) {
        output.text(tag);
    }
}

fn digest(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(digest) = inputs.text(0).filter(|reference| is_digest(reference)) {
        output.text(digest);
    }
}

/// An address with or without its port; a name in its place gives none.
fn address(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(address) = inputs.text(0).or(inputs.text(1)).map(without_port).filter(|address| is_address(address)) {
        output.text(address);
    }
}

fn without_port(address: &str) -> &str {
    match (address.strip_prefix('['), address.split_once(':')) {
        (Some(v6), _) => v6.split(']').next().unwrap_or(v6),
        (None, Some((host, port))) if !port.contains(':') => host,
        _ => address,
    }
}

/// Milliseconds.
fn latency(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(ms) = inputs.text(0).and_then(duration_ms) {
        output.scalar(Scalar::Int(ms));
    }
}

/// A duration as Go prints it: `1m2.5s`, `6.54ms`, `812.3µs`. Whole milliseconds, the rest cut.
fn duration_ms(text: &str) -> Option<i64> {
    let (mut rest, mut ms) = (text, 0.0);
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (digits, tail) = rest.split_at_checked(number)?;
        let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit)?;
        let unit_ms = match unit {
            "h" => 3_600_000.0,
            "m" => 60_000.0,
            "s" => 1_000.0,
            "ms" => 1.0,
            "µs" | "μs" | "us" => 1e-3,
            "ns" => 1e-6,
            _ => return None,
        };
        ms += digits.parse::<f64>().ok()? * unit_ms;
        rest = tail;
    }
    (!text.is_empty()).then_some(ms as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }

    #[test]
    fn a_repository_called_blobs_hides_no_push() {
        assert!(is_layer(Some("https://r.example/v2/shop/web/blobs/sha256:1"), None));
        assert!(!is_layer(Some("https://r.example/v2/shop/blobs/web/manifests/sha256:1"), Some("application/x-layer")));
        assert!(is_layer(None, Some("application/vnd.oci.image.layer.v1.tar+gzip")));
        assert!(!is_layer(None, Some("application/vnd.oci.image.index.v1+json")));
        assert!(!is_layer(None, None));
    }

    #[test]
    fn ports_are_no_part_of_addresses() {
        for (native, wanted) in [
            ("192.0.2.7:41961", "192.0.2.7"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("192.0.2.7", "192.0.2.7"),
        ] {
            assert_eq!(without_port(native), wanted, "{native}");
        }
    }

    #[test]
    fn durations_are_milliseconds() {
        for (text, ms) in [
            ("6.9ms", Some(6)),
            ("1m2.5s", Some(62_500)),
            ("812.3µs", Some(0)),
            ("1h0m0s", Some(3_600_000)),
            ("", None),
            ("5", None),
            ("fast", None),
            ("1.2.3s", None),
        ] {
            assert_eq!(duration_ms(text), ms, "{text}");
        }
    }
}
