//! Bytes in, events out: sources, formats, watermarks, duplicates, the dead letter.
//!
//! It must never evaluate a rule, and below `source` and `kafka` never do I/O or read a clock.

pub mod kafka;
pub mod source;
