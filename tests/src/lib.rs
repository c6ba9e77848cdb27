//! What the tests stand on: real services started and stopped, scenarios read, results compared.
//!
//! It must never be a dependency of the product.

pub mod broker;
pub mod corpus;
pub mod firing;
pub mod generate;
pub mod oracle;
