//! Python packages that tests and benchmarks hold the product against: each in a virtual environment beside the build, once.
//!
//! Must never touch the machine's own Python.
#![allow(clippy::disallowed_methods, reason = "a harness starts real programs")]

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Runs a program without input; None: it does not start.
pub fn ran(program: impl AsRef<OsStr>, arguments: &[&OsStr]) -> Option<Output> {
    Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()
}

/// The folder of the build in which this program stands.
pub fn target() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let target = program.ancestors().find(|folder| folder.ends_with("release")).and_then(|release| release.parent());
    target.map(PathBuf::from)
}

/// Python with a package, in `target/FOLDER`; None: there is no Python, or nowhere to fetch the package from.
pub fn with(folder: &str, requirement: &str, module: &str) -> Option<PathBuf> {
    let folder = target()?.join(folder);
    let python = folder.join("bin/python");
    let import = format!("import {module}");
    let imports = || ran(&python, &["-c", &import].map(OsStr::new)).is_some_and(|ran| ran.status.success());
    if !imports() {
        ran("python3", &[OsStr::new("-m"), OsStr::new("venv"), folder.as_os_str()])?;
        ran(&python, &["-m", "pip", "install", "--quiet", requirement].map(OsStr::new))?;
    }
    imports().then_some(python)
}
