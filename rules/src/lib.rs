//! Sigma rules: parse, compile, evaluate; and the rule pack.
//!
//! This crate knows nothing about sources, formats, windows of other stages or delivery; it reads views of records and
//! says which rules hold. No clock, no I/O but reading rule files it is given.

pub mod ast;
mod compile;
pub mod correlation;
mod eval;
mod fold;
pub mod lineage;
pub mod lists;
pub mod pack;
pub mod parse;
pub mod proof;
mod values;
pub mod where_expr;
pub mod words;

pub use compile::{CompileError, Program};
pub use eval::{AlertKey, Evaluator, Match, ToldOf};
pub use lists::{Lists, Standing};
