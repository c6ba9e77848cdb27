//! Which format a record is likely of, where content tells: that of the last record of its kind.
//!
//! Must never decide anything: a record that is of another format after all is scanned again, as that.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

/// The plans of the last records, by kind: no kind for records that stand alone, else what their envelope calls its type,
/// hashed.
#[derive(Debug, Default)]
pub(super) struct Likely {
    alone: usize,
    enveloped: Vec<usize>,
}

/// Kinds of enveloped records that are told apart.
const KINDS: usize = 256;

impl Likely {
    /// The plan for records of a kind.
    pub(super) fn of(&mut self, kind: Option<usize>) -> &mut usize {
        let Some(kind) = kind else { return &mut self.alone };
        self.enveloped.resize(KINDS, 0);
        self.enveloped.get_mut(kind % KINDS).unwrap_or(&mut self.alone)
    }
}

/// The kind of what stands in an envelope of a type.
pub(super) fn kind(of: &str) -> usize {
    let mut hasher = FxHasher::default();
    of.hash(&mut hasher);
    hasher.finish() as usize
}
