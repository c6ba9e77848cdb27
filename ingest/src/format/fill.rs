//! Stock fills: how raw values become ours when nothing about the format itself has to be known.
//!
//! Every fill is a pure function of the paths its row names; one that finds nothing it understands gives no value. Must
//! never guess: an absent field is better than a wrong one.

mod refs;
mod words;

use std::borrow::Cow;

use model::{Scalar, Timestamp};

pub use self::refs::{branch_ref, full_ref, is_default, ref_name, tag_ref};
pub use self::words::{class_of_env, env_class, ua_family};
use super::{Inputs, Output};

/// A row names at most this many paths.
pub const PATHS_MAX: usize = 20;

/// All values of the first path as they stand, nulls included.
pub fn copy(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    inputs.all(0).for_each(|value| output.scalar(value));
}

/// All values of the first path that has one, as they stand.
pub fn coalesce(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    first_told(inputs, |value| output.scalar(value));
}

/// Like [`coalesce`], numbers and booleans as text: ids are text whatever the source writes.
pub fn text_of(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |text| output.text(text));
}

/// Like [`text_of`], in lower case.
pub fn lower(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |text| output.text(&lower_case(text)));
}

/// Like [`text_of`], in upper case (country codes).
pub fn upper(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |text| output.text(&text.to_uppercase()));
}

/// The first path that says true or false.
pub fn bool_of(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(is) = (0..inputs.len()).find_map(|i| inputs.bool(i)) {
        output.scalar(Scalar::Bool(is));
    }
}

/// An address; a host or service name in its place gives none.
pub fn ip(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |text| {
        if is_address(text) {
            output.text(text);
        }
    });
}

/// The text has an address's characters only. Whether each number fits is for who compares it.
pub fn is_address(text: &str) -> bool {
    let (mut dots, mut colons) = (0, 0);
    for b in text.bytes() {
        match b {
            b'.' => dots += 1,
            b':' => colons += 1,
            _ if b.is_ascii_hexdigit() => {}
            _ => return false,
        }
    }
    colons >= 2 || (dots == 3 && colons == 0 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// Milliseconds from the first path's time to the second's; none when either is missing or the end is earlier.
pub fn duration_ms(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(ms) = between(inputs, 0, 1) {
        output.scalar(Scalar::Int(ms));
    }
}

/// Whole seconds from the first path's time to the second's.
pub fn duration_s(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(ms) = between(inputs, 0, 1) {
        output.scalar(Scalar::Int(ms / 1000));
    }
}

/// Milliseconds from the `start`-th path's time to the `end`-th's; None where the end is earlier.
pub fn between(inputs: &Inputs<'_>, start: usize, end: usize) -> Option<i64> {
    let at = |i| inputs.string(i).and_then(|text| Timestamp::parse(&text)).map(Timestamp::ms);
    let ms = at(end)?.checked_sub(at(start)?)?;
    (ms >= 0).then_some(ms)
}

/// Full commit ids in lower case. All zeros, by which Git says that there is none, give none.
pub fn commit(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |id| {
        if is_hash(id) && id.bytes().any(|b| b != b'0') {
            output.text(&lower_case(id));
        }
    });
}

/// What stands behind the last `/` or `:`: the name inside a path or a resource name.
pub fn tail(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |text| output.text(text.rsplit(['/', ':']).next().unwrap_or(text)));
}

/// 40 hexadecimal digits or more.
pub fn is_hash(text: &str) -> bool {
    (40..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A duration in milliseconds that the source counted itself; zero means that it has not ended.
pub fn duration_given(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(Scalar::Int(ms)) = inputs.first(0).filter(|value| matches!(value, Scalar::Int(1..))) {
        output.scalar(Scalar::Int(ms));
    }
}

/// The values of all paths.
pub fn gather(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    (0..inputs.len()).flat_map(|i| present(inputs, i)).for_each(|value| output.scalar(value));
}

/// The source repository that an address names, as `host/owner/name`.
pub fn repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(repo) = (0..inputs.len()).find_map(|i| inputs.text(i).and_then(repo_of)) {
        output.text(&repo);
    }
}

/// `git+https://user@Host:8443/Owner/name.git@refs/heads/main`, `git@host:owner/name` and `host.tld/owner/name` →
/// `host/owner/name` in lower case. None for paths without a host, for a host without owner and name, and for what is
/// fetched in other ways than Git's.
pub fn repo_of(address: &str) -> Option<String> {
    let address = address.strip_prefix("git+").unwrap_or(address);
    // Found letter by letter: searching for a text takes longer to set up than addresses are long.
    let scheme = address.as_bytes().windows(3).position(|three| three == b"://");
    let scheme = scheme.and_then(|end| Some((address.get(..end)?, address.get(end + 3..)?)));
    let (scheme, rest) = scheme.map_or((None, address), |(scheme, rest)| (Some(scheme), rest));
    let short = rest.split_once(':').filter(|(host, _)| scheme.is_none() && !host.contains('/'));
    let (authority, path) = short.or_else(|| rest.split_once('/'))?;
    let host = authority.rsplit('@').next()?;
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let path = path.split(['?', '#', '@']).next()?.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let is_git = scheme.is_none_or(|scheme| ["https", "http", "ssh", "git"].contains(&scheme));
    let has_host = !host.is_empty() && (scheme.is_some() || host.contains('.'));
    let is_full = path.contains('/') && path.split('/').all(|part| !part.is_empty());
    let is_clean = [host, path].iter().all(|text| text.bytes().all(|b| b.is_ascii_graphic()));
    (is_git && has_host && is_full && is_clean).then(|| {
        let mut repo = [host, "/", path].concat();
        repo.make_ascii_lowercase();
        repo
    })
}

/// `sha256:` and the digits in lower case; None where the text is no digest of that algorithm (SHA-256, 384 or 512).
pub fn digest_of(algorithm: &str, hex: &str) -> Option<String> {
    let digits = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return None,
    };
    let is_one = hex.len() == digits && hex.bytes().all(|b| b.is_ascii_hexdigit());
    is_one.then(|| [algorithm, ":", &lower_case(hex)].concat())
}

/// The digest that an image has as its version: `sha256:…`, in a package URL also `sha256%3A…`.
pub fn digest_in(version: &str) -> Option<String> {
    let (algorithm, hex) =
        version.split_once(':').or_else(|| version.split_once("%3A").or(version.split_once("%3a")))?;
    digest_of(algorithm, hex)
}

/// Package URLs without version, qualifiers and subpath.
pub fn purl_name(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |text| {
        if let Some((name, _)) = purl(text) {
            output.text(name);
        }
    });
}

/// The versions of package URLs.
pub fn purl_version(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |text| {
        if let Some((_, Some(version))) = purl(text) {
            output.text(version);
        }
    });
}

/// A package URL's name and version; None: it is none.
pub fn purl(text: &str) -> Option<(&str, Option<&str>)> {
    let plain = text.split(['?', '#']).next().filter(|plain| plain.starts_with("pkg:"))?;
    // The version stands behind the last `@`; an `@` before the last slash begins a scope.
    match plain.rsplit_once('@') {
        Some((name, version)) if !version.contains('/') && !name.ends_with('/') => Some((name, Some(version))),
        _ => Some((plain, None)),
    }
}

/// The index of the first path with a value that is neither null nor empty.
pub fn first_present(inputs: &Inputs<'_>) -> Option<usize> {
    (0..inputs.len()).find(|&i| inputs.first(i).is_some())
}

/// The values of a path that are neither null nor empty.
pub fn present<'a>(inputs: &Inputs<'a>, i: usize) -> impl Iterator<Item = Scalar<'a>> + use<'a> {
    inputs.all(i).filter(|value| !matches!(value, Scalar::Null | Scalar::Empty | Scalar::Text("")))
}

/// Each value, as text, of the first path that has one.
pub fn each_text(inputs: &Inputs<'_>, mut told: impl FnMut(&str)) {
    first_told(inputs, |value| value.as_text().iter().for_each(|text| told(text)));
}

/// Tells `told` of each value of the first path that has one.
fn first_told<'a>(inputs: &Inputs<'a>, mut told: impl FnMut(Scalar<'a>)) {
    for i in 0..inputs.len() {
        let mut values = present(inputs, i);
        if let Some(first) = values.next() {
            told(first);
            return values.for_each(told);
        }
    }
}

/// Lower case, without a copy where nothing changes.
pub fn lower_case(text: &str) -> Cow<'_, str> {
    let changes = text.bytes().any(|b| b.is_ascii_uppercase() || !b.is_ascii());
    if changes { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}

/// The text is `wanted` when everything but letters and digits is left out and case does not count: exports that lose
/// spaces or hyphens still say the same.
pub fn says(text: &str, wanted: &str) -> bool {
    fn letters(text: &str) -> impl Iterator<Item = u8> {
        text.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase())
    }
    letters(text).eq(letters(wanted))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use model::EventClass;

    use super::*;
    use crate::format::MapRow;

    /// A mapping's rows name model fields of their classes, each field once for each class, with paths it reads.
    pub(crate) fn check(rows: &[MapRow]) {
        let mut seen = BTreeSet::new();
        for row in rows {
            let name = row.field;
            let doc = model::field(name).unwrap_or_else(|| panic!("{}", model::field_hint(name).unwrap_or_default()));
            assert!(!name.starts_with("event."), "`{name}`: the envelope is not mapped");
            assert!((1..=PATHS_MAX).contains(&row.paths.len()), "`{name}`: {} paths", row.paths.len());
            let classes = if row.classes.is_empty() { EventClass::ALL } else { row.classes };
            for class in classes {
                assert!(seen.insert((name, class.name())), "`{name}` has two rows on {}", class.name());
                assert!(row.classes.is_empty() || doc.is_on(*class), "`{name}` is no field of {}", class.name());
            }
            assert!(!row.classes.is_empty() || doc.classes.is_empty(), "`{name}` is not a field of every class");
        }
    }

    #[test]
    fn addresses_name_repositories() {
        for (url, wanted) in [
            ("https://github.com/Acme/Shop.git", Some("github.com/acme/shop")),
            ("https://x-token:abc@gitlab.example.org:8443/a/b/c/", Some("gitlab.example.org/a/b/c")),
            ("git@github.com:Acme/shop.git", Some("github.com/acme/shop")),
            ("ssh://git@host.example.org:22/acme/shop.git?ref=main", Some("host.example.org/acme/shop")),
            ("git.example.org/acme/shop", Some("git.example.org/acme/shop")),
            ("/event/source/123", None),
            ("acme/shop", None),
            ("https://example.org", None),
            ("https://example.org/only", None),
            ("https://exa mple.org/a/b", None),
            ("git+https://github.com/acme/app@refs/heads/main", Some("github.com/acme/app")),
            ("git+ssh://git@github.com/acme/app.git", Some("github.com/acme/app")),
            ("https://gitlab.com/g/sub/p", Some("gitlab.com/g/sub/p")),
            ("https://github.com//x", None),
            ("https://github.com/a//b", None),
            ("file:///a/b/c", None),
            ("oci://ghcr.io/acme/charts", None),
            ("bash@sha256:9e", None),
            ("", None),
        ] {
            assert_eq!(repo_of(url).as_deref(), wanted, "{url}");
        }
        assert!(is_hash("218c63f230732c6d561fefd00fd0d2ac4ded1a0c"));
        assert!(!is_hash("218c63f") && !is_hash("218c63f230732c6d561fefd00fd0d2ac4ded1a0z"));
    }

    #[test]
    fn names_are_no_addresses() {
        for yes in ["203.0.113.7", "2001:db8::1", "::1"] {
            assert!(is_address(yes), "{yes}");
        }
        for no in ["secretsmanager.amazonaws.com", "AWS Internal", "", "cafe", "a.b.c.d", "1.2"] {
            assert!(!is_address(no), "{no}");
        }
    }

    #[test]
    fn digests_have_their_length() {
        assert_eq!(digest_of("sha256", &"AB".repeat(32)), Some(format!("sha256:{}", "ab".repeat(32))));
        for (algorithm, hex) in
            [("sha256", "ab"), ("sha1", "ab"), ("sha256", &"xy".repeat(32)), ("sha512", &"ab".repeat(32))]
        {
            assert_eq!(digest_of(algorithm, hex), None, "{algorithm} {hex}");
        }
    }

    #[test]
    fn package_urls_come_apart() {
        assert_eq!(purl("pkg:npm/%40scope/name@1.0.5?a=b#c"), Some(("pkg:npm/%40scope/name", Some("1.0.5"))));
        assert_eq!(purl("pkg:npm/@scope/name"), Some(("pkg:npm/@scope/name", None)));
        assert_eq!(purl("pkg:oci/app@sha256:ab"), Some(("pkg:oci/app", Some("sha256:ab"))));
        assert_eq!(purl("pkg:generic/a@b/c"), Some(("pkg:generic/a@b/c", None)));
        assert_eq!(purl("app"), None);
    }

    #[test]
    fn lost_spaces_change_nothing() {
        assert!(says("GitHub App server-to-server token", "githubappservertoservertoken"));
        assert!(says("OAuthaccesstoken", "OAuth access token"));
        assert!(!says("OAuth access token", "OAuth access"));
    }
}
