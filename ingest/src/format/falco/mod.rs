//! Alerts of Falco as JSON, from the program itself or through Falcosidekick.
//!
//! A rule's output decides which fields an alert has. Must never take the text of an alert apart: what is not among its
//! `output_fields` is unknown.

mod classes;
mod fields;

use EventClass as C;
use model::{EventClass, Trust};

use self::fields::{domain, every, op, path, redirected, remote_ip, remote_port, severity, target, tracking};
use super::fill::{bool_of, coalesce, env_class};
use super::workload::pinned;
use super::{Format, Id, MapRow, Mapping, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "falco",
    title: "Falco alerts (JSON output, Falcosidekick)",
    product: "falco",
    service: "alert",
    marks: &[&["rule", "priority", "output_fields"]],
    containers: &[],
    mapping: Some(&MAPPING),
    trust: Trust::Agent,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    // An alert has no id of its own; its time counts nanoseconds.
    id: Id::Joined(&[
        "time",
        "hostname",
        "rule",
        r"output_fields.evt\.num",
        r"output_fields.container\.id",
        r"output_fields.proc\.pid",
        r"output_fields.fd\.name",
    ]),
    time: &["time", r"output_fields.evt\.time", r"output_fields.evt\.rawtime"],
    action: "rule",
    classify_paths: classes::PATHS,
    classify: classes::classify,
    rows: ROWS,
};

const RUNNER: &[EventClass] = &[C::RunnerProcess, C::RunnerFile, C::RunnerNet, C::RunnerAgent, C::RunnerHeartbeat];
const PROCESS: &[EventClass] = &[C::RunnerProcess];
const SCAN: &[EventClass] = &[C::ScanFinding];
const CALL: &[&str] = &[r"output_fields.evt\.type", r"output_fields.fd\.name", r"output_fields.fd\.type"];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    // Where: the workload and its image, or the runner.
    all(
        "prov.service",
        &[
            r"output_fields.k8smeta\.deployment\.name", r"output_fields.k8s\.deployment\.name",
            r"output_fields.container\.name",
        ],
        coalesce,
    ),
    all("prov.digest", &[r"output_fields.container\.image\.digest"], pinned),
    all("prov.env", &[r"output_fields.k8s\.ns\.name", r"output_fields.environment"], env_class),
    all("prov.cluster", &["output_fields.cluster"], coalesce),
    all("prov.actor", &[r"output_fields.user\.name"], coalesce),
    on(RUNNER, "prov.runner_name", &[r"output_fields.k8s\.pod\.name", "hostname"], coalesce),
    on(&[C::RuntimeHeartbeat, C::RunnerHeartbeat, C::RunnerAgent], "node", &["hostname"], coalesce),
    // Connections.
    all(
        "dst.ip",
        &[r"output_fields.fd\.rip", r"output_fields.fd\.sip", r"output_fields.fd\.name"], remote_ip,
    ),
    all(
        "dst.port",
        &[r"output_fields.fd\.rport", r"output_fields.fd\.sport", r"output_fields.fd\.name"], remote_port,
    ),
    all("dst.domain", &[r"output_fields.fd\.rip\.name", r"output_fields.fd\.sip\.name"], domain),
    // Processes and files.
    on(
        &[C::RunnerProcess, C::RunnerFile, C::RunnerNet, C::RuntimeIntegrity, C::RuntimeNet], "exe",
        &[r"output_fields.proc\.exepath", r"output_fields.proc\.exe"], coalesce,
    ),
    on(PROCESS, "cmdline", &[r"output_fields.proc\.cmdline"], coalesce),
    on(PROCESS, "parent", &[r"output_fields.proc\.pname"], coalesce),
    on(
        PROCESS, "ancestors",
        &[
            r"output_fields.proc\.pname", r"output_fields.proc\.aname[2]", r"output_fields.proc\.aname[3]",
            r"output_fields.proc\.aname[4]", r"output_fields.proc\.aname[5]", r"output_fields.proc\.aname[6]",
        ],
        every,
    ),
    on(PROCESS, "target.name", &[r"output_fields.evt\.arg\.pid", r"output_fields.evt\.arg\.target"], target),
    on(PROCESS, "fd_redirect", &[r"output_fields.evt\.type", r"output_fields.fd\.type"], redirected),
    on(
        PROCESS, "env.runner_tracking_id",
        &[r"output_fields.proc\.env[RUNNER_TRACKING_ID]", r"output_fields.proc\.env"], tracking,
    ),
    on(&[C::RunnerProcess, C::RunnerFile], "op", CALL, op),
    on(&[C::RunnerFile, C::RuntimeIntegrity], "path", &[r"output_fields.fd\.name"], path),
    on(&[C::RuntimeIntegrity], "exe_upper_layer", &[r"output_fields.proc\.is_exe_upper_layer"], bool_of),
    // Alerts about other products' logs.
    on(SCAN, "tool", &["source"], coalesce),
    on(SCAN, "rule", &["rule"], coalesce),
    on(SCAN, "sev", &["priority"], severity),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }
}
