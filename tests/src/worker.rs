//! `pipewarden run` as an operator runs it: a folder with its configuration and state, a process, signals, its HTTP port.
//!
//! It must never outlive the test, and never wait without an end: whatever does not happen in time panics with what the
//! worker said.
#![allow(clippy::disallowed_methods, reason = "a harness waits for a real process in real time")]

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::cli;

/// What a worker has to do in time.
const PATIENCE: Duration = Duration::from_secs(40);

/// A folder that holds configuration, rules and state of a worker.
pub struct Place {
    folder: TempDir,
    /// Its HTTP address.
    pub http: String,
}

impl Place {
    /// A new folder with rules (`rules.yml`) and configuration (`pipewarden.yaml`). In the configuration `HTTP` stands for
    /// a free loopback address.
    pub fn new(config: &str, rules: &str) -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let place = Place { folder, http: free.to_string() };
        fs::write(place.path("pipewarden.yaml"), config.replace("HTTP", &place.http)).expect("written");
        fs::write(place.path("rules.yml"), rules).expect("written");
        place
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes records as lines and returns the file.
    pub fn lines(&self, name: &str, lines: &[String]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).expect("written");
        path
    }

    /// Starts `pipewarden run` here.
    pub fn start(&self, args: &[&str]) -> Worker {
        self.start_with(args, &[])
    }

    /// Starts `pipewarden run` with these environment variables alone.
    pub fn start_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Worker {
        let stderr = self.path("stderr.log");
        let mut command = Command::new(cli::binary());
        command.args(["--log", "info", "run", "--config"]).arg(self.path("pipewarden.yaml")).args(args);
        command.env_clear().envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&stderr).expect("a file"));
        Worker { child: command.spawn().expect("the binary starts"), stderr, http: self.http.clone() }
    }

    /// Runs with `--until-end`, expects exit code 0.
    pub fn run_to_the_end(&self) {
        let mut worker = self.start(&["--until-end"]);
        assert_eq!(worker.wait(), 0, "{}", worker.said());
    }

    /// The records of a file of JSON lines; none where there is no file.
    pub fn read(&self, name: &str) -> Vec<Value> {
        self.read_lines(name).iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The lines of a file; none where there is no file.
    pub fn read_lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.path(name)).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Replays what the worker here has read, as its control log says: the sealed lines.
    pub fn replay_control_log(&self) -> Vec<String> {
        let ran = cli::run(
            [
                "replay".as_ref(),
                "--control-log".as_ref(),
                self.path("state/control.jsonl").as_os_str(),
                "--config".as_ref(),
                self.path("pipewarden.yaml").as_os_str(),
                "--alerts".as_ref(),
                self.path("replayed.jsonl").as_os_str(),
            ],
            b"",
        );
        ran.expect_code(0);
        self.read_lines("replayed.jsonl")
    }

    /// Replays files with the rules here: the sealed lines.
    pub fn replay_files(&self, args: &[&str], files: &[PathBuf]) -> Vec<String> {
        let (rules, out) = (self.path("rules.yml"), self.path("files.jsonl"));
        let fixed = [Path::new("replay"), Path::new("--rules"), &rules, Path::new("--alerts"), &out];
        let args = fixed.into_iter().chain(args.iter().map(Path::new)).chain(files.iter().map(PathBuf::as_path));
        cli::run(args, b"").expect_code(0);
        self.read_lines("files.jsonl")
    }
}

/// A running worker.
pub struct Worker {
    child: Child,
    stderr: PathBuf,
    http: String,
}

impl Worker {
    /// What it wrote to standard error so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Waits for its end and returns the exit code; -1 where a signal ended it.
    pub fn wait(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("asks") {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < deadline, "the worker does not end: {}", self.said());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until something is true of it.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut is: impl FnMut(&Worker) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is(self) {
            let ended = self.child.try_wait().expect("asks");
            let metrics = self.get("/metrics").1;
            assert!(ended.is_none(), "ended with {ended:?} before {what}: {}", self.said());
            assert!(Instant::now() < deadline, "not in time: {what}: {}\n{metrics}", self.said());
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits until so many records have been read.
    #[track_caller]
    pub fn until_read(&mut self, records: u64) {
        self.until(&format!("{records} records read"), |worker| {
            worker.metric("pipewarden_records_total", "outcome=\"read\"") >= records
        });
    }

    /// Asks it to stop (SIGTERM) and returns its exit code.
    pub fn stop(mut self) -> i32 {
        self.signal("-TERM");
        self.wait()
    }

    /// Asks it to read its rules and lists again (SIGHUP), and waits until it has, with this result.
    #[track_caller]
    pub fn reload(&mut self, result: &str) {
        let count = |worker: &Worker| worker.metric("pipewarden_reloads_total", &format!("result=\"{result}\""));
        let before = count(self);
        self.signal("-HUP");
        self.until(&format!("a reload that is {result}"), |worker| count(worker) > before);
    }

    /// Ends it as a power cut would (SIGKILL).
    pub fn kill(mut self) {
        self.signal("-KILL");
        self.wait();
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill starts");
        assert!(sent.success());
    }

    /// Status and body of a path; status 0 where nothing answers.
    pub fn get(&self, path: &str) -> (u16, String) {
        let answer = TcpStream::connect(&self.http).and_then(|mut stream| {
            stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).map(|_| answer)
        });
        let Ok(answer) = answer else { return (0, String::new()) };
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        (status, answer.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned()))
    }

    /// Sum of a metric over all its label sets that contain a text.
    pub fn metric(&self, name: &str, labels: &str) -> u64 {
        let (_, body) = self.get("/metrics");
        let lines =
            body.lines().filter(|line| line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} ")));
        let values =
            lines.filter(|line| line.contains(labels)).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        values.sum::<f64>() as u64
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
