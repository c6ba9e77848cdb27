//! The product's binary as a user runs it: built once for a test process, started with arguments and standard input.
//!
//! It must never look inside the product, and never let a run inherit the caller's environment.
#![allow(
    clippy::disallowed_methods,
    reason = "a harness builds and starts real programs, and asks cargo where they are"
)]

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// What a run of the binary left.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; -1 where a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// The JSON object on standard output. Panics with both outputs where there is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Panics with both outputs unless it ended with this code.
    #[track_caller]
    pub fn expect_code(&self, code: i32) -> &Ran {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

/// The folder that holds the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand inside the workspace")
}

/// Path of the binary: the one that `PIPEWARDEN_BINARY` names, else built in the one profile there is. Panics with the
/// compiler's words where that fails.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(built) = std::env::var_os("PIPEWARDEN_BINARY") {
            return PathBuf::from(built);
        }
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), |to| workspace().join(to));
        let built = Command::new(env!("CARGO"))
            .args(["build", "--release", "--quiet", "-p", "pipewarden", "--bin", "pipewarden", "--target-dir"])
            .arg(&target)
            .current_dir(workspace())
            .stdin(Stdio::null())
            .output()
            .expect("cargo starts");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        target.join("release/pipewarden")
    })
}

/// Runs the binary to its end with nothing in its environment.
pub fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>, stdin: &[u8]) -> Ran {
    run_in(Path::new("."), args, stdin)
}

/// The same in a folder.
pub fn run_in<A: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = A>, stdin: &[u8]) -> Ran {
    let mut command = Command::new(binary());
    command.current_dir(folder).args(args).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    ended(command.spawn().expect("the binary starts"), stdin)
}

/// Gives a process its input, and waits for its end. Its three streams must be pipes.
pub fn ended(mut child: Child, stdin: &[u8]) -> Ran {
    let mut input = child.stdin.take().expect("a pipe");
    let output = std::thread::scope(|scope| {
        // It may end without reading all of it: then the pipe breaks, which is no failure of the test.
        scope.spawn(move || input.write_all(stdin));
        child.wait_with_output().expect("the binary ends")
    });
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Expected files are rewritten instead of compared: `UPDATE_EXPECT=1`.
pub fn updates_expected() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some_and(|set| set == "1")
}
