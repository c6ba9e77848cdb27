//! CloudEvents envelopes: none of the specification's examples holds an event that any format knows.

use model::Invalid;

use super::check_all;

#[test]
fn cloudevents() {
    let unknown = Some(Invalid::UnknownFormat);
    let refused = [
        ("cdevents-in-cloudevents-http-binary.txt", "HTTP headers before a body", Some(Invalid::NotJson)),
        ("json-format-1.json", "data_base64 is printed as dots", Some(Invalid::WrongShape)),
        ("json-format-2.json", "data is a text", unknown),
        ("json-format-3.json", "data of no format", unknown),
        ("json-format-4.json", "data is a number", unknown),
        ("json-format-5.json", "data is a text", unknown),
        ("json-format-6.json", "encoded data of no format", unknown),
        ("json-format-7.json", "a batch: the first of its events as above", Some(Invalid::WrongShape)),
    ];
    check_all("cloudevents", "cloudevents", &[], &refused);
}
