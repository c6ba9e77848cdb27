//! How single fields of CDEvents become ours: package URLs taken apart, names qualified by their subject.
//!
//! Must never take a subject's id for more than a name within its source.

use std::borrow::Cow;

use super::classes::split;
use crate::format::fill::{class_of_env, is_hash, lower_case, repo_of};
use crate::format::{Inputs, Output};

/// A package URL: `pkg:type/namespace/name@version?qualifiers#subpath`.
#[derive(Debug, PartialEq)]
struct Purl<'a> {
    /// Everything before the version.
    name: &'a str,
    version: Option<Cow<'a, str>>,
    qualifiers: &'a str,
}

/// None: the text is no package URL.
fn purl(text: &str) -> Option<Purl<'_>> {
    text.strip_prefix("pkg:").filter(|rest| rest.contains('/'))?;
    let text = text.split_once('#').map_or(text, |(text, _)| text);
    let (text, qualifiers) = text.split_once('?').unwrap_or((text, ""));
    // A namespace may begin with an `@` (npm scopes); a version stands behind the last slash.
    let split = text.rsplit_once('@').filter(|(name, version)| !name.ends_with('/') && !version.contains('/'));
    let (name, version) = split.map_or((text, None), |(name, version)| (name, Some(decoded(version))));
    Some(Purl { name, version: version.filter(|version| !version.is_empty()), qualifiers })
}

/// Percent-encoding undone; broken escapes stay as they are.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

impl Purl<'_> {
    fn kind(&self) -> &str {
        self.name.trim_start_matches("pkg:").split('/').next().unwrap_or("")
    }

    fn digest(&self) -> Option<&str> {
        self.version.as_deref().filter(|version| is_digest(version))
    }

    fn qualifier(&self, key: &str) -> Option<Cow<'_, str>> {
        let mut pairs = self.qualifiers.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == key).map(|(_, value)| decoded(value)).filter(|value| !value.is_empty())
    }
}

fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").filter(|hex| hex.len() == 64);
    hex.is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The first path that holds a package URL.
fn with_purl(inputs: &Inputs<'_>, told: impl FnOnce(&Purl<'_>)) {
    if let Some(purl) = (0..2).find_map(|i| inputs.text(i).and_then(purl)) {
        told(&purl);
    }
}

/// Published for others to depend on; images are pushed.
pub(super) fn is_package(id: &str) -> bool {
    purl(id).is_some_and(|purl| !matches!(purl.kind(), "oci" | "docker" | "generic"))
}

/// `sha256:…` of a package URL whose version is one.
pub(super) fn digest(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    with_purl(inputs, |purl| purl.digest().iter().for_each(|digest| output.text(&lower_case(digest))));
}

/// The package URL without version and qualifiers.
pub(super) fn artifact(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    with_purl(inputs, |purl| output.text(purl.name));
}

/// The version, where it is no digest; of an image its tag.
pub(super) fn version(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    with_purl(inputs, |purl| match (&purl.version, purl.qualifier("tag")) {
        (Some(version), _) if purl.digest().is_none() => output.text(version),
        (_, Some(tag)) => output.text(&tag),
        _ => {}
    });
}

/// Of an image: its repository without the registry's host; of a package its name.
pub(super) fn registry_repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    with_purl(inputs, |purl| {
        let own = purl.name.split_once('/').map_or("", |(_, name)| name);
        let url = purl.qualifier("repository_url");
        let path = url.as_deref().and_then(|url| url.trim_end_matches('/').split_once('/')).map(|(_, path)| path);
        output.text(path.unwrap_or(own));
    });
}

/// The tag of an image.
pub(super) fn tag(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    with_purl(inputs, |purl| purl.qualifier("tag").iter().for_each(|tag| output.text(tag)));
}

/// Type, subject, the run that a task names: a run is its own subject, and an approval is no run.
pub(super) fn run_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    // The first drafts wrote `pipelineRun`.
    let id = match subject(inputs) {
        Some(subject) if subject.eq_ignore_ascii_case("pipelinerun") => inputs.string(1),
        Some(subject) if subject.eq_ignore_ascii_case("taskrun") => inputs.string(2),
        _ => None,
    };
    id.iter().for_each(|id| output.text(id));
}

/// The subject of the type that the first path holds.
fn subject<'a>(inputs: &Inputs<'a>) -> Option<&'a str> {
    inputs.text(0).and_then(split).map(|(subject, _)| subject)
}

/// The build's id; of a packaged artifact there is none.
pub(super) fn build_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let (Some("build"), Some(id)) = (subject(inputs), inputs.string(1)) {
        output.text(&id);
    }
}

/// `error` is the CI system's own fault.
pub(super) fn system_outcome(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(outcome) = inputs.text(0) {
        output.text(if outcome == "error" { "error" } else { "ok" });
    }
}

/// `error` means the system; what fails otherwise is not told.
pub(super) fn cause(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.text(0) == Some("error") {
        output.text("system");
    }
}

/// Who decided, where the decision was yes.
pub(super) fn approved_by(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let (Some("approved"), Some(who)) = (inputs.text(0), inputs.string(1)) {
        output.text(&who);
    }
}

/// A change that is a commit.
pub(super) fn change_commit(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(id) = inputs.text(0).filter(|id| is_hash(id)) {
        output.text(&lower_case(id));
    }
}

/// A change that is a request.
pub(super) fn change_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(id) = inputs.string(0).filter(|id| !is_hash(id)) {
        output.text(&id);
    }
}

/// Source (an address, or a host) and id (`owner/name`) of a repository.
pub(super) fn repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let (source, id) = (inputs.text(0).unwrap_or(""), inputs.text(1).unwrap_or(""));
    let joined = format!("{}/{}", source.trim_end_matches('/'), id.trim_start_matches('/'));
    if let Some(repo) = repo_of(id).or_else(|| repo_of(&joined)) {
        output.text(&repo);
    }
}

/// The address of a repository that is the subject itself.
pub(super) fn own_repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.text(1).and_then(split).is_some_and(|(subject, _)| subject == "repository")
        && let Some(repo) = inputs.text(0).and_then(repo_of)
    {
        output.text(&repo);
    }
}

/// A branch, qualified.
pub(super) fn branch_ref(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = inputs.text(0) {
        output.text(&format!("refs/heads/{}", bare_branch(name)));
    }
}

/// A branch without `refs/heads/`.
pub(super) fn branch_name(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = inputs.text(0) {
        output.text(bare_branch(name));
    }
}

fn bare_branch(name: &str) -> &str {
    name.strip_prefix("refs/heads/").unwrap_or(name)
}

/// CDEvents knows branches only.
pub(super) fn kind_of_ref(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("branch");
}

/// The kind of the subject.
pub(super) fn object_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(subject) = subject(inputs) {
        output.text(match subject {
            "repository" => "repo",
            other => other,
        });
    }
}

/// The name of an environment that is the subject itself.
pub(super) fn own_env(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = environment(inputs) {
        output.text(name);
    }
}

/// Its class.
pub(super) fn own_env_class(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(class) = environment(inputs).and_then(class_of_env) {
        output.text(class);
    }
}

fn environment<'a>(inputs: &Inputs<'a>) -> Option<&'a str> {
    subject(inputs).filter(|subject| *subject == "environment")?;
    inputs.text(1).or_else(|| inputs.text(2))
}

/// The test's type; a suite is one.
pub(super) fn test_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(1) {
        Some(kind) => output.text(&lower_case(kind)),
        None if subject(inputs) == Some("testsuiterun") => output.text("test_suite"),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_urls_are_taken_apart() {
        let hex = "0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427";
        let image = format!("pkg:oci/app@sha256%3A{hex}?repository_url=ghcr.io%2Facme%2Fapp&tag=v1.2");
        let image = purl(&image).expect("a package URL");
        assert_eq!((image.name, image.kind(), image.digest()), ("pkg:oci/app", "oci", Some(&*format!("sha256:{hex}"))));
        assert_eq!(image.qualifier("repository_url").as_deref(), Some("ghcr.io/acme/app"));
        assert_eq!(image.qualifier("tag").as_deref(), Some("v1.2"));
        let scoped = purl("pkg:npm/@acme/left@1.0.0#lib").expect("a package URL");
        assert_eq!((scoped.name, scoped.version.as_deref()), ("pkg:npm/@acme/left", Some("1.0.0")));
        assert_eq!(purl("pkg:npm/@acme").map(|purl| purl.version), Some(None), "a scope is no version");
        assert_eq!(purl("mySubject123"), None);
        assert!(is_package("pkg:golang/x/y@1") && !is_package("pkg:oci/y@1") && !is_package("y"));
    }

    #[test]
    fn broken_escapes_stay() {
        assert_eq!(decoded("a%3Ab"), "a:b");
        for same in ["a%", "a%3", "a%zz", "%ff"] {
            assert_eq!(decoded(same), same);
        }
    }
}
