//! The binary in a folder, to its end or killed under way.
//!
//! Must never leave a process behind.
#![allow(clippy::disallowed_methods, reason = "a process is killed after some real time")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::cli::{self, Ran};

/// Runs it in a folder, which decides about the names of partitions.
pub fn run_in(folder: &Path, args: &[String], stdin: &[u8]) -> Ran {
    cli::ended(start(folder, args), stdin)
}

/// Runs it in a folder for some milliseconds, then kills it (SIGKILL).
pub fn kill_in(folder: &Path, args: &[String], stdin: &[u8], after_ms: u64) {
    let mut child = start(folder, args);
    let mut input = child.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(stdin));
        std::thread::sleep(Duration::from_millis(after_ms));
        // It may have ended by itself.
        let _ = child.kill();
        child.wait_with_output().expect("the binary ends");
    });
}

fn start(folder: &Path, args: &[String]) -> Child {
    let mut command = Command::new(cli::binary());
    command.current_dir(folder).args(args).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}
