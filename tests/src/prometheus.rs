//! Prometheus' own programs for tests: the server and promtool of Debian's package, unpacked beside the build, once.
//!
//! Must never install anything into the system.
#![allow(clippy::disallowed_methods, reason = "a harness starts real programs")]

use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

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

/// A Prometheus server that scrapes one target every second; it ends with this.
pub struct Server {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Server {
    /// Starts one. None: it cannot be had.
    pub fn start(target: &str) -> Option<Server> {
        let program = programs()?.join("prometheus");
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - {{job_name: worker, static_configs: [{{targets: ['{target}']}}]}}\n"
        );
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, config).expect("written");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let address = free.to_string();
        let child = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        Some(Server { child, address, _folder: folder })
    }

    /// The one value of a query. None: there is none yet.
    pub fn value(&self, query: &str) -> Option<f64> {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let mut stream = TcpStream::connect(&self.address).ok()?;
        let request = format!("GET /api/v1/query?query={encoded} HTTP/1.0\r\nhost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
        body["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
