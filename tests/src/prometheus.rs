//! Prometheus' own programs for tests: the server and promtool of Debian's package, unpacked beside the build, once.
//!
//! Must never install anything into the system.
#![allow(clippy::disallowed_methods, reason = "a harness starts real programs")]

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::{cli, python};

/// The folder in which `prometheus` and `promtool` stand. None: they cannot be had, which is said on standard error once.
pub fn programs() -> Option<PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let unpacked = || {
        let folder = python::target()?.join("prometheus");
        let script = cli::workspace().join("tests/prometheus/install.sh");
        let ran = python::ran("sh", &[script.as_os_str(), folder.as_os_str()])?;
        if ran.status.success() {
            return Some(folder.join("usr/bin"));
        }
        let why = String::from_utf8_lossy(&ran.stderr).replace('\n', " ");
        // Past the test runner's capture: a skipped test has to be seen.
        let _ = writeln!(std::io::stderr(), "skipped: no Prometheus for the tests: {why}");
        None
    };
    FOLDER.get_or_init(unpacked).clone()
}

/// Runs promtool: whether it was content, and all that it said. None: it cannot be had.
pub fn promtool(arguments: &[&OsStr]) -> Option<(bool, String)> {
    let ran = python::ran(programs()?.join("promtool"), arguments)?;
    let said = [&ran.stdout, &ran.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat();
    Some((ran.status.success(), said))
}
