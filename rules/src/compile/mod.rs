//! A rule set compiled into one program for each log source: parse tree → predicates, indexes, witnesses.
//!
//! `program` owns the result; `index` and `predicate` answer; `witness` decides which rules an event can concern at all.
//! Nothing here may look at an event's time of arrival, and compiling the same rules twice gives the same program.

mod error;
mod glob;
mod index;
mod needles;
mod predicate;
mod program;
mod required;
mod uses;
mod witness;

pub use error::CompileError;
pub use glob::Glob;
pub(crate) use index::{PredicateId, TextIndex};
pub(crate) use predicate::{Check, Predicate, compare};
pub(crate) use program::{CompiledRule, Node, NodeIx};
pub use program::{KeyField, Program};
pub(crate) use uses::{list_uses, searched_fields};
