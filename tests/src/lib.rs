//! What the tests stand on: real services started and stopped, scenarios read, results compared.
//!
//! It must never be a dependency of the product.

pub mod arrivals;
pub mod broker;
pub mod certificates;
pub mod cli;
pub mod corpus;
pub mod correlation_oracle;
pub mod disorder;
pub mod evaluate;
pub mod faults;
pub mod feed;
pub mod firing;
pub mod fuzz;
pub mod generate;
pub mod memory;
pub mod oracle;
pub mod ordinary;
pub mod prometheus;
pub mod python;
pub mod stages;
pub mod stored;
pub mod watched;
pub mod worker;
