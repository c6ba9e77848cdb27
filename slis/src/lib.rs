//! The archive, the service level indicators and their objectives, and the SQL over them.
//!
//! The only crate that knows DataFusion and Parquet. What decides (contributions, budgets, burn rates) is pure; only `archive`
//! touches files. Must never read a clock: what is late, over or exhausted follows from event times and arguments.

pub mod archive;
pub mod buckets;
pub mod burn;
pub mod contribution;
pub mod definition;
pub mod derive;
pub mod histogram;
pub mod live;
pub mod matcher;
mod places;
pub mod prometheus;
pub mod query;
pub mod report;
pub mod slo;
pub mod standing;

#[cfg(test)]
mod tests;
