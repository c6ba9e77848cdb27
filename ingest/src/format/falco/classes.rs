//! Which class a Falco alert is of: on a runner or in a workload, and a process, a file or a connection.
//!
//! Must never decide by the rule's name, which whoever writes rules chooses: tags and the system call's fields do.

use EventClass as C;
use model::{EventClass, Verdict};

use crate::format::{Class, Classified, Inputs};

/// What [`classify`] reads, in its order.
pub(super) const PATHS: &[&str] = &[
    "source",
    "rule",
    "tags",
    r"output_fields.evt\.type",
    r"output_fields.evt\.res",
    r"output_fields.fd\.name",
    r"output_fields.fd\.type",
    r"output_fields.fd\.rip",
    r"output_fields.fd\.sip",
    "hostname",
    r"output_fields.k8s\.ns\.name",
    r"output_fields.proc\.pname",
    r"output_fields.proc\.aname[2]",
    r"output_fields.proc\.aname[3]",
    r"output_fields.proc\.aname[4]",
    r"output_fields.proc\.name",
    r"output_fields.evt\.arg\.pid",
    r"output_fields.proc\.cwd",
    r"output_fields.proc\.exepath",
    "priority",
];

/// Tags that a rule for runners carries.
const RUNNER_TAGS: &[&str] = &["runner", "ci", "cicd", "ci_runner", "github_runner", "gitlab_runner"];
/// Programs of runners, as their process is named.
const RUNNER_PROGRAMS: &[&str] = &["Runner.Worker", "Runner.Listener", "gitlab-runner", "buildkite-agent"];

/// An alert without a rule is none of Falco's.
pub(super) fn classify(inputs: &Inputs<'_>) -> Classified {
    let Some(rule) = inputs.text(1) else {
        return Classified::Invalid("no `rule`");
    };
    let runner = on_runner(inputs);
    let verdict = match inputs.text(4) {
        Some("SUCCESS") => Verdict::Success,
        Some("EACCES" | "EPERM") => Verdict::Denied,
        Some(_) => Verdict::Failure,
        None => Verdict::Unknown,
    };
    let (class, action) = match inputs.text(0) {
        Some("internal") if rule.ends_with("metrics snapshot") => {
            (if runner { C::RunnerHeartbeat } else { C::RuntimeHeartbeat }, "alive")
        }
        // What else Falco says of itself is that it lost events.
        Some("internal") if runner => (C::RunnerAgent, "lost"),
        Some("syscall") | None => happened(inputs, runner),
        // Plugins read other products' logs: the alert is a finding about them.
        Some(_) => (C::ScanFinding, ""),
    };
    Classified::Event(Class { class, action, verdict })
}

fn on_runner(inputs: &Inputs<'_>) -> bool {
    let tagged = inputs.all(2).filter_map(model::Scalar::as_text).any(|tag| RUNNER_TAGS.contains(&tag.as_ref()));
    let named = (11..=15).filter_map(|i| inputs.text(i)).any(|name| RUNNER_PROGRAMS.contains(&cut(name)));
    let reads_one = inputs.text(16).and_then(target_of).is_some_and(|name| RUNNER_PROGRAMS.contains(&cut(name)));
    let lives = [9, 10].into_iter().filter_map(|i| inputs.text(i)).any(|name| name.contains("runner"));
    let stands = [17, 18].into_iter().filter_map(|i| inputs.text(i)).any(|path| path.contains("/actions-runner/"));
    tagged || named || reads_one || lives || stands
}

/// The kernel keeps 15 letters of a process's name.
fn cut(name: &str) -> &str {
    name.get(..15).unwrap_or(name)
}

/// The name in `1234(Runner.Worker)`, or in the older form with angle brackets.
pub(super) fn target_of(process: &str) -> Option<&str> {
    let (_, name) = process.split_once(['(', '<'])?;
    let name = name.trim_end_matches([')', '>']);
    (!name.is_empty()).then_some(name)
}

/// What the system call did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Another process's memory, by this way.
    Memory(&'static str),
    Start,
    /// A standard stream was put on something else.
    Redirect,
    Net,
    File(&'static str),
    Process,
}

/// What an alert of a system call says was done: by its type, else by what it acted on.
pub(super) fn deed(call: Option<&str>, on: Option<&str>, fd_type: Option<&str>, remote: bool) -> Deed {
    let memory = on.is_some_and(|path| path.starts_with("/proc/") && path.ends_with("/mem"));
    let network = remote || matches!(fd_type, Some("ipv4" | "ipv6")) || on.is_some_and(|name| name.contains("->"));
    match call {
        Some("ptrace") => Deed::Memory("ptrace"),
        Some("process_vm_readv") => Deed::Memory("process_vm_readv"),
        _ if memory => Deed::Memory("proc_mem_read"),
        Some("execve" | "execveat" | "clone" | "clone3" | "fork" | "vfork") => Deed::Start,
        Some("dup" | "dup2" | "dup3") => Deed::Redirect,
        Some("connect" | "sendto" | "sendmsg" | "sendmmsg" | "accept" | "accept4") => Deed::Net,
        Some("rename" | "renameat" | "renameat2") => Deed::File("rename"),
        Some("unlink" | "unlinkat" | "rmdir") => Deed::File("delete"),
        _ if network => Deed::Net,
        Some("open" | "openat" | "openat2" | "creat" | "write" | "chmod" | "fchmod" | "fchmodat") => {
            Deed::File("write")
        }
        _ if on.is_some_and(|path| path.starts_with('/')) => Deed::File("write"),
        _ => Deed::Process,
    }
}

fn happened(inputs: &Inputs<'_>, runner: bool) -> (EventClass, &'static str) {
    let remote = inputs.first(7).is_some() || inputs.first(8).is_some();
    let deed = deed(inputs.text(3), inputs.text(5), inputs.text(6), remote);
    match (deed, runner) {
        (Deed::Net, true) => (C::RunnerNet, "connect"),
        (Deed::Net, false) => (C::RuntimeNet, "connect"),
        (Deed::File(op), true) => (C::RunnerFile, op),
        (Deed::Memory(op), true) => (C::RunnerProcess, op),
        (Deed::Start, true) => (C::RunnerProcess, "start"),
        (Deed::Redirect, true) => (C::RunnerProcess, "redirect"),
        (Deed::Process, true) => (C::RunnerProcess, ""),
        (_, false) => (C::RuntimeIntegrity, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_tell_what_was_done() {
        for (call, on, kind, remote, wanted) in [
            (Some("openat"), Some("/proc/812/mem"), Some("file"), false, Deed::Memory("proc_mem_read")),
            (Some("process_vm_readv"), None, None, false, Deed::Memory("process_vm_readv")),
            (Some("execve"), None, None, false, Deed::Start),
            (Some("dup2"), Some("10.0.0.1:1->1.2.3.4:443"), Some("ipv4"), true, Deed::Redirect),
            (Some("connect"), Some("10.0.0.1:1->1.2.3.4:443"), Some("ipv4"), true, Deed::Net),
            (None, Some("10.0.0.1:1->1.2.3.4:443"), None, false, Deed::Net),
            (Some("unlinkat"), Some("/bin/ls"), None, false, Deed::File("delete")),
            (None, Some("/bin/ls"), None, false, Deed::File("write")),
            (None, None, None, false, Deed::Process),
        ] {
            assert_eq!(deed(call, on, kind, remote), wanted, "{call:?} {on:?}");
        }
    }

    #[test]
    fn targets_have_names() {
        assert_eq!(target_of("812(Runner.Worker)"), Some("Runner.Worker"));
        assert_eq!(target_of("812<bash>"), Some("bash"));
        assert_eq!(target_of("812"), None);
        assert!(RUNNER_PROGRAMS.contains(&cut("Runner.Listener")));
    }
}
