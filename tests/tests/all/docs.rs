//! Pages that are made from the code: the event model. `UPDATE_EXPECT=1` rewrites them, review reads the difference.

use std::fmt::Write;

use harness::cli;
use model::{EventClass, FIELDS, FieldDoc};

/// Holds a page against its file, or rewrites it.
fn check(page: &str, text: &str) {
    let path = cli::workspace().join("docs").join(page);
    if cli::updates_expected() {
        std::fs::write(&path, text).expect("docs/ can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "docs/{page} is not what the code says (UPDATE_EXPECT=1 cargo test rewrites it)");
}

fn row(field: &FieldDoc) -> String {
    let kind = format!("{:?}", field.kind).to_lowercase();
    let unit = field.unit.map_or_else(String::new, |unit| format!(", {unit}"));
    let sources: Vec<String> = field.sources.iter().map(|(format, native)| format!("{format}: `{native}`")).collect();
    let untrusted = if field.attacker_controlled { " *Written by whoever attacks.*" } else { "" };
    let cell = |text: &str| text.replace('|', "\\|");
    format!("| `{}` | {kind}{unit} | {}{untrusted} | {} |\n", field.name, cell(field.doc), cell(&sources.join("; ")))
}

#[test]
fn the_event_model_is_documented_field_by_field() {
    let mut text = String::from(
        "# The event model\n\nEvery field that rules on our own events can name: its type and unit, what it means, and which native field fills\n\
         it. This page is made from the code; a test keeps it so.\n\n## Fields of every class\n\n\
         | field | type | meaning | filled from |\n|---|---|---|---|\n",
    );
    for field in FIELDS.iter().filter(|field| field.classes.is_empty()) {
        text += &row(field);
    }
    text += "\n## Fields of some classes\n\n| field | type | meaning | filled from |\n|---|---|---|---|\n";
    for field in FIELDS.iter().filter(|field| !field.classes.is_empty()) {
        text += &row(field);
    }
    text += "\n## Classes\n\nThe class is the log source's category: `logsource: {product: pipewarden, category: ci.runner}`.\n\n\
             | class | what it is | own fields | CDEvents | OCSF class |\n|---|---|---|---|---|\n";
    for class in EventClass::ALL {
        let own: Vec<String> = FIELDS
            .iter()
            .filter(|field| field.classes.contains(class))
            .map(|field| format!("`{}`", field.name))
            .collect();
        let ocsf = class.ocsf_uid().map_or_else(String::new, |uid| uid.to_string());
        let cdevents = class.cdevents().unwrap_or("");
        let _ = writeln!(text, "| `{}` | {} | {} | {cdevents} | {ocsf} |", class.name(), class.doc(), own.join(" "));
    }
    assert!(FIELDS.len() > 200 && EventClass::ALL.len() > 50, "the tables are there");
    check("event-model.md", &text);
}
