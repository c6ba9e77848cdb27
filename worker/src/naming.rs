//! Secrets in what is remembered: known shapes are named before anything keeps them, so that no state holds one.
//!
//! Equal secrets have equal names, so groups and values compare as they did. Texts come again and again: what was found clean is
//! not searched twice. Must never let a text through unsearched because it is short where its field's name is that of a secret.

use std::borrow::Cow;
use std::hash::BuildHasher;

use model::{CarriedField, RedactionKey};
use rules::lineage::Kind;
use rustc_hash::FxBuildHasher;

/// Hashes of texts that were found clean; one place for each.
const CLEAN: usize = 4_096;

/// Shorter texts of letters, digits, points, dashes, underscores and slashes are too short for any shape.
const SHORT: usize = 16;

/// A secret by any rule that looks at the name before it.
const PROBE: &str = "q7Zr1TmW9kXv4LpB8sNc2HdY6fGj";

/// Names of a rule set's carried fields, and what is known of their texts. One for each thread.
#[derive(Debug)]
pub struct Naming {
    key: RedactionKey,
    /// Names, and whether a secret is known by that name.
    fields: Vec<(String, bool)>,
    /// Where the fields of lineage keys begin.
    kinds: usize,
    clean: Vec<u64>,
}

/// The name under which ids of events are searched.
const ID: &str = "event.id";

impl Naming {
    /// For fields in the order of their numbers.
    pub fn new(key: RedactionKey, fields: impl Iterator<Item = String>) -> Naming {
        let field = |name: String| {
            let is_secrets = matches!(key.name_field(&name, PROBE), Cow::Owned(_));
            (name, is_secrets)
        };
        let mut fields: Vec<_> = fields.map(field).collect();
        let kinds = fields.len();
        fields.extend(Kind::ALL.iter().map(|kind| field(kind.field().to_owned())));
        Naming { key, fields, kinds, clean: vec![0; CLEAN] }
    }

    /// A lineage key as it may be kept. None: as it is.
    pub fn key(&mut self, kind: Kind, text: &str) -> Option<String> {
        let at = Kind::ALL.iter().position(|other| *other == kind).unwrap_or(Kind::ALL.len());
        self.carried((self.kinds + at) as CarriedField, text)
    }

    /// The text as it may be kept. None: as it is.
    pub fn carried(&mut self, field: CarriedField, text: &str) -> Option<String> {
        let Naming { key, fields, clean, .. } = self;
        let (name, is_secrets) = fields.get(usize::from(field)).map_or((ID, true), |(name, is)| (name.as_str(), *is));
        if is_short(text) && !is_secrets {
            return None;
        }
        let hash = FxBuildHasher.hash_one((field, text));
        if clean.get(hash as usize % CLEAN) == Some(&hash) {
            return None;
        }
        match key.name_field(name, text) {
            Cow::Owned(named) => Some(named),
            Cow::Borrowed(_) => {
                if let Some(place) = clean.get_mut(hash as usize % CLEAN) {
                    *place = hash;
                }
                None
            }
        }
    }

    /// An event's id as it may be kept.
    pub fn id<'t>(&self, id: &'t str) -> Cow<'t, str> {
        // Numbers, UUIDs and hashes are no shape without a name before them.
        if is_short(id) || id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            return Cow::Borrowed(id);
        }
        self.key.name_field(ID, id)
    }
}

fn is_short(text: &str) -> bool {
    text.len() < SHORT && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_named_and_all_else_is_kept() {
        let fields = ["prov.repo", "user_agent", "password"].map(str::to_owned);
        let mut naming = Naming::new(RedactionKey::default(), fields.into_iter());
        let token = format!("ghp_{}", "a1B2c3D4e5".repeat(4));
        for _ in 0..2 {
            assert_eq!(naming.carried(0, "acme/app"), None);
            assert_eq!(naming.carried(0, "github.com/acme/application"), None);
            let named = naming.carried(1, &format!("curl {token}")).expect("is named");
            assert!(named.starts_with("curl hmac-sha256:") && !named.contains("ghp_"), "{named}");
            assert_eq!(naming.carried(1, &format!("curl {token}")), Some(named));
        }
        assert!(naming.carried(2, "Xk3!vv0-Qz").is_some() || naming.carried(2, PROBE).is_some());
        assert_eq!(naming.key(Kind::Run, "888100"), None);
        assert!(naming.key(Kind::Token, &token).is_some_and(|named| named.starts_with("hmac-sha256:")));
        assert_eq!(naming.id("8c6c5b1e-32a1-4fd3-bc5d-6a3d34b1ad43"), "8c6c5b1e-32a1-4fd3-bc5d-6a3d34b1ad43");
        assert!(naming.id(&token).starts_with("hmac-sha256:"));
    }

    #[test]
    fn what_counts_as_short_is_too_short_for_every_shape_that_needs_no_name() {
        for text in ["a.b", "xoxb-1", "hf_a", "AKIAIOSFODNN7EX"] {
            assert!(is_short(text));
            assert!(matches!(RedactionKey::default().name_field("field", text), Cow::Borrowed(_)), "{text}");
        }
        assert!(!is_short("a://b:cde@f") && !is_short("0123456789abcdef"));
    }
}
