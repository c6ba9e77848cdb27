//! Names of Git's branches and tags, as forges write them, whole and bare.
//!
//! Must never take a bare name for a branch, unless the source says that it is one.

use model::Scalar;

use super::each_text;
use crate::format::{Inputs, Output};

/// A ref as it stands; a bare name by its type (the second path: branch or tag).
pub fn full_ref(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match (inputs.text(0), inputs.text(1)) {
        (Some(name), _) if name.starts_with("refs/") => output.text(name),
        (Some(name), Some("branch")) => output.text(&format!("refs/heads/{name}")),
        (Some(name), Some("tag")) => output.text(&format!("refs/tags/{name}")),
        _ => {}
    }
}

/// A branch, qualified.
pub fn branch_ref(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |name| output.text(&format!("refs/heads/{name}")));
}

/// A tag, qualified.
pub fn tag_ref(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |name| output.text(&format!("refs/tags/{name}")));
}

/// The name without `refs/…/`.
pub fn ref_name(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = inputs.text(0) {
        let bare = name.strip_prefix("refs/tags/").or_else(|| name.strip_prefix("refs/heads/"));
        output.text(bare.unwrap_or(name));
    }
}

/// The ref is the default branch, whose bare name is the second path.
pub fn is_default(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let (Some(name), Some(default)) = (inputs.text(0), inputs.text(1)) {
        output.scalar(Scalar::Bool(name.strip_prefix("refs/heads/") == Some(default)));
    }
}
