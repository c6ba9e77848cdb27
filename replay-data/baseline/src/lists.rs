//! Live lists.
/// x
pub fn lists() -> Vec<(String,String)> { Vec::new() }
