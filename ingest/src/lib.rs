//! Bytes in, events out: sources, formats, watermarks, duplicates, the dead letter.
//!
//! It must never evaluate a rule, and below `source` and `kafka` never do I/O or read a clock.

mod container;
mod dead_letter;
mod decoder;
mod duplicates;
pub mod enrich;
pub mod format;
mod gate;
pub mod kafka;
mod letters;
mod mend;
mod scan;
pub mod source;

pub use dead_letter::{DeadLetter, KEPT_BYTES_MAX};
pub use decoder::{CONTAINER_DEPTH_MAX, Decoder, Near, Opened, Read, Scratch, Seen, decode_one};
pub use duplicates::{Duplicates, Identity, IdentityKey, Sight};
pub use gate::{Admission, Gate, TimePolicy};
pub use scan::{DEPTH_MAX, is_json, scan};
