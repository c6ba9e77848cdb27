//! Raw JSON: any object is a record, and rules read its own fields by path.
//!
//! Knows no class and no provenance; id and time are where the command line or configuration says.

use model::Trust;

use super::Format;

/// The format.
pub static FORMAT: Format = Format {
    name: "json",
    title: "any JSON object; fields by path, time and id where you say",
    product: "",
    service: "",
    marks: &[],
    containers: &[],
    mapping: None,
    trust: Trust::Tenant,
};
