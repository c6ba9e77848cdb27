//! Where records come from: one file for each kind of source.
//!
//! A source must never decode a record, drop one silently, or commit before it is told to.

pub mod file;
pub mod kafka;
pub mod split;
pub mod unpack;
