//! Findings to alerts: total order, the life of an alert, sealing, and the outlets that records leave by.
//!
//! It knows nothing about rules' conditions, formats or sources; all but the outlets is pure and in event time.

mod ahead;
mod incident;
mod lane;
mod life;
mod occurrences;
mod outlet;
mod queue;
mod record;
mod reentry;
mod saved;
mod seal;
mod suppression;

pub use incident::{IncidentLimits, Incidents, IncidentsHeld, IncidentsSnapshot, Near, Opening, OpeningPlace};
pub use lane::{CorrelatorId, Decide};
pub use life::{Life, Sealed, alone};
pub use outlet::{JsonLines, Outlet, OutletError};
pub use queue::Lost;
pub use reentry::Reenter;
pub use saved::LaneSnapshot;
pub use seal::{LaneId, Limits, Mode, Sealer};
pub use suppression::Silenced;

#[cfg(test)]
mod tests;
