//! A run of the binary whose memory and time are watched.
//!
//! Must never feed it from memory of the test's own size: what goes in is written as it is taken.

use std::ffi::OsStr;
use std::process::{ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cli;

/// What a watched run left.
#[derive(Debug)]
pub struct Watched {
    /// Exit code; -1 where a signal ended it.
    pub code: i32,
    /// The JSON on its standard output.
    pub summary: Value,
    /// The most memory that was resident, in bytes (VmHWM), a few milliseconds before its end at the latest.
    pub memory_bytes: u64,
    /// How long it took.
    pub time: Duration,
}

/// Runs the binary to its end; `feed` writes its standard input. Panics where it prints no JSON.
pub fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>, feed: impl FnOnce(ChildStdin) + Send) -> Watched {
    let mut command = Command::new(cli::binary());
    command.args(args).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().expect("the binary starts");
    let input = child.stdin.take().expect("a pipe");
    let (process, mut memory_bytes) = (child.id(), 0);
    let output = std::thread::scope(|scope| {
        scope.spawn(move || feed(input));
        let ending = scope.spawn(move || child.wait_with_output().expect("it ends"));
        while !ending.is_finished() {
            memory_bytes = memory_bytes.max(high_water(process));
            std::thread::sleep(Duration::from_millis(2));
        }
        ending.join().expect("no panic")
    });
    assert!(memory_bytes > 0, "its memory was read while it ran");
    let summary = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    Watched { code: output.status.code().unwrap_or(-1), summary, memory_bytes, time: start.elapsed() }
}

fn high_water(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() * 1024
}
