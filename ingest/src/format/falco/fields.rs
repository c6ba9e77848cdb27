//! How single fields of a Falco alert become ours.
//!
//! Must never map a process's environment, which holds secrets, beyond the one variable that is named.

use model::Scalar;

use super::classes::{Deed, deed, target_of};
use crate::format::fill::{is_address, lower_case, present};
use crate::format::{Inputs, Output};

/// Names from every path, in its order: the parent, then its parent and so on.
pub(super) fn every(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    (0..inputs.len()).flat_map(|i| present(inputs, i)).filter_map(Scalar::as_text).for_each(|name| output.text(&name));
}

/// The remote end: its own field, else the second end in `10.0.0.1:43210->192.0.2.7:443`.
pub(super) fn remote_ip(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let own = [0, 1].into_iter().find_map(|i| inputs.text(i));
    let address = own.or_else(|| Some(inputs.text(2)?.split_once("->")?.1.rsplit_once(':')?.0));
    if let Some(address) = address.filter(|address| is_address(address)) {
        output.text(address);
    }
}

/// The same for the port.
pub(super) fn remote_port(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let own = [0, 1].into_iter().find_map(|i| inputs.string(i)?.parse::<u16>().ok());
    let port = own.or_else(|| inputs.text(2)?.split_once("->")?.1.rsplit_once(':')?.1.parse().ok());
    if let Some(port) = port {
        output.scalar(Scalar::Int(i64::from(port)));
    }
}

/// A host's name; Falco gives the address where it has none.
pub(super) fn domain(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let names = [0, 1].into_iter().filter_map(|i| inputs.text(i));
    if let Some(name) = names.into_iter().find(|name| name.contains('.') && !is_address(name)) {
        output.text(&lower_case(name));
    }
}

/// A file's path; connections have their ends in the same field.
pub(super) fn path(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(path) = inputs.text(0).filter(|path| path.starts_with('/')) {
        output.text(path);
    }
}

/// `write`, `proc_mem_read` and so on: the same as the action.
pub(super) fn op(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match deed(inputs.text(0), inputs.text(1), inputs.text(2), false) {
        Deed::Memory(op) | Deed::File(op) => output.text(op),
        Deed::Start => output.text("start"),
        _ => {}
    }
}

pub(super) fn target(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = (0..inputs.len()).find_map(|i| target_of(inputs.text(i)?)) {
        output.text(name);
    }
}

/// Only where a stream was put on another: every process has files open.
pub(super) fn redirected(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if deed(inputs.text(0), None, None, false) == Deed::Redirect {
        match inputs.text(1) {
            Some("ipv4" | "ipv6" | "unix") => output.text("socket"),
            Some("pipe") => output.text("pipe"),
            Some("file") => output.text("file"),
            _ => {}
        }
    }
}

/// `RUNNER_TRACKING_ID` alone, or among the variables of a whole environment.
pub(super) fn tracking(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let among = || inputs.text(1)?.split(' ').find_map(|pair| pair.strip_prefix("RUNNER_TRACKING_ID="));
    if let Some(id) = inputs.text(0).or_else(among) {
        output.text(id);
    }
}

/// Falco's eight priorities as severities.
pub(super) fn severity(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(priority) = inputs.text(0) else { return };
    output.text(match priority.to_ascii_lowercase().as_str() {
        "emergency" | "alert" | "critical" => "critical",
        "error" => "high",
        "warning" => "medium",
        "notice" => "low",
        _ => "none",
    });
}
