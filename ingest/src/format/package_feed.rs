//! Feeds of package registries: what became public on npm (rows of the replication feed with their document) and on
//! PyPI (a release's JSON, entries of the journal).
//!
//! Must never believe what a publisher writes of himself: repository, commit, author and home page stay out. Package,
//! version, digest and account are the registry's own words.

use EventClass as C;
use model::{EventClass, Scalar, Trust, Verdict};

use super::fill::{coalesce, text_of};
use super::purl;
use super::{Class, Classified, Container, Format, Id, Inputs, MapRow, Mapping, Output, all, on};
use crate::letters;

/// The format.
pub static FORMAT: Format = Format {
    name: "package-feed",
    title: "package registries: npm replication rows, PyPI releases and journal",
    product: "package-feed",
    service: "",
    marks: &[
        &["seq", "id", "changes.rev"],
        &["info.name", "info.version", "urls.packagetype"],
        &["name", "timestamp", "action", "serial"],
    ],
    containers: &[Container::Newest { versions: "doc.versions", times: "doc.time" }, Container::Array("urls")],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

static MAPPING: Mapping = Mapping {
    // `name@version`, a file's name (never given twice), a journal entry's number, a row's.
    id: Id::First(&["_id", "filename", "serial", "seq"]),
    time: &[
        "^.doc.time.modified",
        "upload_time_iso_8601",
        "upload_time",
        "timestamp",
        "doc.time.unpublished.time",
        "time",
    ],
    action: "action",
    classify_paths: &["dist.tarball", "packagetype", "action", "serial", "deleted", "doc.time.unpublished.time", "seq"],
    classify,
    rows: ROWS,
};

const OURS: &[EventClass] = &[C::RegistryPublish, C::RegistryDelete, C::RegistryAcl];
const PUBLISH: &[EventClass] = &[C::RegistryPublish];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    on(
        OURS, "prov.actor_id",
        &["_npmUser.trustedPublisher.oidcConfigId", "_npmUser.name", "doc.time.unpublished.name"], coalesce,
    ),
    on(OURS, "prov.actor", &["_npmUser.name", "doc.time.unpublished.name"], coalesce),
    on(PUBLISH, "prov.actor_kind", &["_npmUser.trustedPublisher.id"], workload),
    on(PUBLISH, "prov.token_kind", &["_npmUser.trustedPublisher.id"], web_identity),
    on(OURS, "prov.org", &["^.ownership.organization"], coalesce),
    on(OURS, "prov.artifact", &["^.info.name", "serial", "name", "doc.name", "id"], artifact),
    on(OURS, "prov.version", &["^.info.version", "version"], text_of),
    all("prov.digest", &["digests.sha256", "dist.integrity"], digest),
    on(OURS, "repo", &["^.info.name", "name", "doc.name", "id"], coalesce),
    on(OURS, "bytes", &["size"], coalesce),
    on(
        PUBLISH, "install_script",
        &[
            "packagetype", "scripts.preinstall", "scripts.install", "scripts.postinstall", "hasInstallScript",
            "gypfile", "dist.tarball",
        ],
        install_script,
    ),
    on(&[C::RegistryDelete], "kind", &["action"], deleted_kind),
    on(&[C::RegistryAcl], "op", &["action"], role_op),
];

fn classify(inputs: &Inputs<'_>) -> Classified {
    let event = |class, action| Classified::Event(Class { class, action, verdict: Verdict::Success });
    if inputs.first(0).is_some() || inputs.first(1).is_some() {
        return event(C::RegistryPublish, "publish");
    }
    if let (Some(action), Some(_)) = (inputs.text(2), inputs.first(3)) {
        return match journal(action) {
            Some((class, action)) => event(class, action),
            None => Classified::Filtered,
        };
    }
    if inputs.bool(4) == Some(true) || inputs.first(5).is_some() {
        return event(C::RegistryDelete, "delete");
    }
    // A row without its document, or one that published nothing: tags, owners, a new description.
    if inputs.first(6).is_some() { Classified::Filtered } else { Classified::Invalid("no entry of a package feed") }
}

/// PyPI's journal, by how its actions begin. `new release` always comes with a file, which has an entry of its own.
fn journal(action: &str) -> Option<(EventClass, &'static str)> {
    let role = |rest: &str| rest.starts_with("Owner ") || rest.starts_with("Maintainer ");
    match action.split_once(' ')? {
        ("add" | "accepted", rest) if role(rest) => Some((C::RegistryAcl, "role_added")),
        ("remove", rest) if role(rest) => Some((C::RegistryAcl, "role_removed")),
        ("change", rest) if role(rest) => Some((C::RegistryAcl, "role_changed")),
        ("add", rest) if rest.contains("file ") => Some((C::RegistryPublish, "publish")),
        ("remove", _) => Some((C::RegistryDelete, "delete")),
        ("yank", _) => Some((C::RegistryDelete, "yank")),
        _ => None,
    }
}

/// `project`, `release` or `file`; npm's rows delete whole packages.
fn deleted_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let what = inputs.text(0).and_then(|action| action.split(' ').nth(1));
    output.text(match what {
        Some("release") => "release",
        Some("file") => "file",
        _ => "project",
    });
}

fn role_op(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some((_, op)) = inputs.text(0).and_then(journal) {
        output.text(op);
    }
}

fn workload(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.first(0).is_some() {
        output.text("workload");
    }
}

fn web_identity(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.first(0).is_some() {
        output.text("web_identity");
    }
}

fn artifact(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let name = || (2..5).find_map(|i| inputs.text(i));
    let url = match inputs.text(0) {
        Some(project) => purl::of("PyPI", project),
        None if inputs.first(1).is_some() => name().and_then(|name| purl::of("PyPI", name)),
        None => name().and_then(|name| purl::of("npm", name)),
    };
    if let Some(url) = url {
        output.text(&url);
    }
}

/// `sha256:…` as PyPI has it; npm's `sha512-BASE64` as `sha512:…`, which is how build provenance names the same file.
fn digest(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(sha256) = inputs.text(0) {
        return output.text(&format!("sha256:{}", sha256.to_lowercase()));
    }
    let Some(integrity) = inputs.text(1) else { return };
    let sha512 = integrity.split(' ').find_map(|one| one.strip_prefix("sha512-"));
    if let Some(bytes) = sha512.and_then(letters::standard) {
        output.text(&format!("sha512:{}", letters::hexadecimal(&bytes)));
    }
}

/// npm runs three of a package's scripts, and builds native parts; a source distribution runs its own build.
fn install_script(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let runs = match inputs.text(0) {
        Some("sdist") => true,
        Some("bdist_wheel") => false,
        Some(_) => return,
        None if inputs.first(6).is_none() => return,
        None => (1..4).any(|i| inputs.first(i).is_some()) || (4..6).any(|i| inputs.bool(i) == Some(true)),
    };
    output.scalar(Scalar::Bool(runs));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }

    #[test]
    fn journal_entries_have_classes() {
        for (action, wanted) in [
            ("add py3 file acme-1.0-py3-none-any.whl", Some((C::RegistryPublish, "publish"))),
            ("add source file Owner x.tar.gz", Some((C::RegistryPublish, "publish"))),
            ("new release", None),
            ("create", None),
            ("remove release", Some((C::RegistryDelete, "delete"))),
            ("remove file acme-1.0.tar.gz", Some((C::RegistryDelete, "delete"))),
            ("yank release", Some((C::RegistryDelete, "yank"))),
            ("unyank release", None),
            ("accepted Owner mallory", Some((C::RegistryAcl, "role_added"))),
            ("remove Maintainer alice", Some((C::RegistryAcl, "role_removed"))),
        ] {
            assert_eq!(journal(action), wanted, "{action}");
        }
    }
}
