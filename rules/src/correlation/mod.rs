//! Rules that look at more than one event: Sigma's correlations, and the extensions that remember.
//!
//! `graph` says what feeds what, `engine` walks it for each event in total order, `keys` holds the state of every key; each
//! type has a file. Called behind the cursor only: must never look at when an event arrived.

mod absence;
mod agenda;
mod ahead;
mod content;
mod decimal;
mod deriving;
mod detecting;
mod engine;
mod entering;
mod event_count;
mod few;
mod few_values;
mod foresee;
mod gates;
mod graph;
mod group;
mod handles;
mod health;
mod index;
mod interval;
mod join;
mod keys;
mod listing;
mod measure;
mod memory;
mod needs;
mod outlived;
mod predicate;
mod preview;
mod previous;
mod ranks;
mod routes;
mod saved;
mod short;
mod silence;
mod sorted;
mod spec;
mod state;
mod step;
mod telling;
mod temporal;
mod temporal_ordered;
mod value_count;
mod values;
mod waiting;
mod watching;
mod windows;

pub(crate) use deriving::{asks_a_detector, is_about_anomalies};
pub(crate) use detecting::is_open;

pub use detecting::Factory;
pub use engine::{Correlations, Limits};
pub use graph::{Graph, Watched};
pub use listing::{Listing, Version};
