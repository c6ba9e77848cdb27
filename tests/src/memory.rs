//! What memory this process has.
//!
//! Must never fail: a system that does not say it has 0.

/// Resident memory, in bytes.
pub fn resident() -> u64 {
    status("VmRSS:")
}

/// A line of this process's status, in bytes; 0 where there is none.
pub fn status(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_suffix("kB")?.trim().parse().ok());
    kilobytes.unwrap_or(0u64) * 1_024
}
