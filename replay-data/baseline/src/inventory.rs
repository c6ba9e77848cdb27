//! Inventory.
/// x
pub fn inventory() -> String { String::new() }
