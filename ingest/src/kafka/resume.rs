//! Where a partition is read on that a worker before this one has read.
//!
//! Must never pass over a record because somebody else has committed, or set the group back.

/// How far a worker that is gone had come with a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resume {
    /// What it is known to have committed.
    pub committed: Option<i64>,
    /// The next offset.
    pub next: i64,
}

impl Resume {
    /// Nobody else has committed since: not a worker that went on further, nor somebody who set the group back.
    pub(crate) fn is_ours(&self, committed: Option<i64>) -> bool {
        committed.is_none_or(|offset| self.committed.unwrap_or(0) <= offset && offset <= self.next)
    }
}
