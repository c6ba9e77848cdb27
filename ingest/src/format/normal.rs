//! The product's own normal form: a JSON object whose paths are the model's field names.
//!
//! `{"event":{"id":…,"class":"ci.runner","action":"registered","time":…},"prov":{…},…}`, nested or with dotted keys. What
//! the model does not know is ignored; a class it does not know makes the record invalid.

use model::{EventClass, Trust, Verdict};

use super::{Class, Classified, Format, Id, Inputs, Mapping};

/// The format.
pub static FORMAT: Format = Format {
    name: "normal",
    title: "pipewarden's own normal form: model fields by name",
    product: "pipewarden",
    service: "",
    marks: &[&["event.class", "event.time"]],
    containers: &[],
    mapping: Some(&MAPPING),
    trust: Trust::Agent,
};

static MAPPING: Mapping = Mapping {
    id: Id::First(&["event.id"]),
    time: &["event.time"],
    action: "event.action",
    classify_paths: &["event.class", "event.outcome"],
    classify,
    rows: &[],
};

fn classify(inputs: &Inputs<'_>) -> Classified {
    let Some(class) = inputs.text(0).and_then(EventClass::by_name) else {
        return Classified::Invalid("event.class is no class of the model");
    };
    let verdict = inputs.text(1).and_then(Verdict::by_name).unwrap_or(Verdict::Unknown);
    Classified::Event(Class { class, action: "", verdict })
}
