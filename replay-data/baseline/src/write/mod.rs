//! How records are written: one file for each wire format, over one small JSON writer. Nothing here decides what happens.

pub mod cloudtrail;
pub mod github_audit;
pub mod json;
pub mod normal;
pub mod webhook;
