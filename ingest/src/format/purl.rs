//! Package URLs as other sources write them: without version, each type's name rules applied.
//!
//! Must never guess a type: an ecosystem that is not in the table has no package URL.

use std::borrow::Cow;

use super::fill::lower_case;

/// (ecosystem as the OSV schema names it, type). Sorted.
const TYPES: &[(&str, &str)] = &[
    ("CRAN", "cran"),
    ("GitHub Actions", "githubactions"),
    ("Go", "golang"),
    ("Hackage", "hackage"),
    ("Hex", "hex"),
    ("Maven", "maven"),
    ("NuGet", "nuget"),
    ("Packagist", "composer"),
    ("Pub", "pub"),
    ("PyPI", "pypi"),
    ("RubyGems", "gem"),
    ("SwiftURL", "swift"),
    ("crates.io", "cargo"),
    ("npm", "npm"),
];

/// The package of that name in that ecosystem (`npm`, `PyPI`, `Maven` …; what follows a colon in it is a part of the
/// ecosystem and no part of the package's name).
pub fn of(ecosystem: &str, name: &str) -> Option<String> {
    let ecosystem = ecosystem.split(':').next().unwrap_or(ecosystem);
    let at = TYPES.binary_search_by(|(known, _)| (*known).cmp(ecosystem)).ok()?;
    let (_, kind) = TYPES.get(at)?;
    let name = match *kind {
        "maven" => Cow::Owned(name.replace(':', "/")),
        "pypi" if !name.contains('_') => lower_case(name),
        "pypi" => Cow::Owned(lower_case(name).replace('_', "-")),
        "composer" | "githubactions" => lower_case(name),
        _ => Cow::Borrowed(name),
    };
    (!name.is_empty()).then(|| ["pkg:", kind, "/", &encoded(&name)].concat())
}

/// The image repository `host/path/name`, without tag and digest.
pub fn oci(repository: &str) -> Option<String> {
    let (_, name) = repository.rsplit_once('/').filter(|(host, name)| !host.is_empty() && !name.is_empty())?;
    Some(format!("pkg:oci/{}?repository_url={}", encoded(&lower_case(name)), lower_case(repository)))
}

/// A package URL without version, qualifiers and subpath.
pub fn without_version(purl: &str) -> &str {
    let purl = purl.split(['?', '#']).next().unwrap_or(purl);
    let name = purl.rfind('/').map_or(0, |at| at + 1);
    match purl.get(name..).and_then(|tail| tail.find('@')) {
        Some(at) => purl.get(..name + at).unwrap_or(purl),
        None => purl,
    }
}

/// Percent-encoded but for what stands in a package URL as it is, slashes among it.
fn encoded(name: &str) -> Cow<'_, str> {
    let stands = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'~' | b'/' | b':');
    if name.bytes().all(stands) {
        return Cow::Borrowed(name);
    }
    let digit = |of: u8| char::from(if of < 10 { b'0' + of } else { b'A' + of - 10 });
    let mut out = String::with_capacity(name.len() + 8);
    for b in name.bytes() {
        match stands(b) {
            true => out.push(char::from(b)),
            false => out.extend(['%', digit(b >> 4), digit(b & 15)]),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(TYPES.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, each once");
    }

    #[test]
    fn packages_have_one_url() {
        for (ecosystem, name, purl) in [
            ("npm", "@acme/Left.pad", Some("pkg:npm/%40acme/Left.pad")),
            ("PyPI", "Friendly_Bard", Some("pkg:pypi/friendly-bard")),
            ("Maven", "org.acme:core", Some("pkg:maven/org.acme/core")),
            ("Maven:https://repo.example", "org.acme:core", Some("pkg:maven/org.acme/core")),
            ("GitHub Actions", "Acme/Setup", Some("pkg:githubactions/acme/setup")),
            ("Linux", "kernel", None),
            ("npm", "", None),
        ] {
            assert_eq!(of(ecosystem, name).as_deref(), purl, "{ecosystem} {name}");
        }
    }

    #[test]
    fn versions_are_cut_off_and_scopes_are_not() {
        for (purl, wanted) in [
            ("pkg:npm/%40acme/pad@1.0.0", "pkg:npm/%40acme/pad"),
            ("pkg:npm/@acme/pad", "pkg:npm/@acme/pad"),
            ("pkg:pypi/six@1.0?extension=whl#a", "pkg:pypi/six"),
            ("", ""),
        ] {
            assert_eq!(without_version(purl), wanted, "{purl}");
        }
    }

    #[test]
    fn images_name_their_registry() {
        let wanted = "pkg:oci/web?repository_url=registry.example:5000/shop/web";
        assert_eq!(oci("registry.example:5000/Shop/Web").as_deref(), Some(wanted));
        assert_eq!(oci("web"), None);
        assert_eq!(oci("host/"), None);
    }
}
