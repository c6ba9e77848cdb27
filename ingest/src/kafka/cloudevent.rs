//! CloudEvents in binary mode (Kafka protocol binding 1.0.2): attributes in headers, the event's data as the payload.
//!
//! They become the structured form here, where messages become records. Whoever produces chooses the headers and the
//! payload: neither may ever add, replace or end anything in the object but its own value.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::scan::is_json;

/// A longer header value is cut: attributes are names, times and addresses.
const VALUE_BYTES_MAX: usize = 4096;
/// Attributes beyond these are left out; the specification itself has nine.
const ATTRIBUTES_MAX: usize = 64;
/// The header that makes a message a CloudEvent in binary mode.
const MARK: &str = "ce_specversion";

/// The structured form of a message in binary mode; None: it is none, and its payload is the record as it stands.
///
/// Data that is JSON by its content type (or by nothing said) and by its bytes stands under `data`, byte for byte; any
/// other under `data_base64`. Header values that are no text are left out. Required attributes that are missing stay
/// missing: nothing recognises what comes out, and it is seen as invalid.
pub fn structured<'h, I>(headers: impl Fn() -> I, payload: Option<&[u8]>) -> Option<Vec<u8>>
where
    I: Iterator<Item = (&'h str, Option<&'h [u8]>)>,
{
    headers().find(|(name, _)| *name == MARK)?;
    let content_type = headers().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let mut content_type = content_type.and_then(|(_, value)| text(value));
    if content_type.is_some_and(|media| starts_with_ignoring_case(media, "application/cloudevents")) {
        return None;
    }
    let mut attributes: Vec<(&str, &str)> = Vec::new();
    for (name, value) in headers() {
        let (Some(name), Some(value)) = (name.strip_prefix("ce_").filter(|name| is_attribute(name)), text(value))
        else {
            continue;
        };
        if name == "datacontenttype" {
            content_type = content_type.or(Some(value));
        } else if attributes.len() < ATTRIBUTES_MAX && attributes.iter().all(|(known, _)| *known != name) {
            attributes.push((name, value));
        }
    }
    attributes.extend(content_type.map(|media| ("datacontenttype", media)));
    let data = payload.filter(|data| !data.is_empty());
    let mut event = Vec::with_capacity(data.map_or(0, <[u8]>::len) + 512);
    for (name, value) in attributes {
        event.extend_from_slice(if event.is_empty() { b"{\"" } else { b",\"" });
        event.extend_from_slice(name.as_bytes());
        event.extend_from_slice(b"\":");
        event.extend_from_slice(quoted(value).as_bytes());
    }
    if event.is_empty() {
        event.push(b'{');
    }
    if let Some(data) = data {
        put_data(&mut event, data, content_type.is_none_or(is_json_type));
    }
    event.push(b'}');
    Some(event)
}

fn put_data(event: &mut Vec<u8>, data: &[u8], says_json: bool) {
    if event.len() > 1 {
        event.push(b',');
    }
    if says_json && std::str::from_utf8(data).is_ok_and(is_json) {
        event.extend_from_slice(b"\"data\":");
        event.extend_from_slice(data);
    } else {
        event.extend_from_slice(b"\"data_base64\":\"");
        event.extend_from_slice(STANDARD.encode(data).as_bytes());
        event.push(b'"');
    }
}

/// Names are lower-case letters and digits, so that no header can be called `data_base64`; and none is `data`.
fn is_attribute(name: &str) -> bool {
    let fits = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    fits && !name.is_empty() && name.len() <= 64 && name != "data"
}

/// A header's value as text, cut.
fn text(value: Option<&[u8]>) -> Option<&str> {
    let text = std::str::from_utf8(value?).ok()?;
    let mut end = text.len().min(VALUE_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).filter(|text| !text.is_empty())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `application/json`, `text/json`, `…/…+json`, parameters or not.
fn is_json_type(media: &str) -> bool {
    let media = media.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let kind = media.rsplit('/').next().unwrap_or("");
    kind == "json" || kind.ends_with("+json")
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: [(&str, &str); 4] =
        [("ce_specversion", "1.0"), ("ce_id", "e-1"), ("ce_source", "/ci"), ("ce_type", "a.b")];

    fn made(more: &[(&'static str, &'static [u8])], payload: Option<&[u8]>) -> Option<String> {
        let event = EVENT.iter().map(|(name, value)| (*name, Some(value.as_bytes())));
        let all: Vec<_> = event.chain(more.iter().map(|(name, value)| (*name, Some(*value)))).collect();
        structured(|| all.iter().copied(), payload).map(|event| String::from_utf8(event).expect("text"))
    }

    fn with(rest: &str) -> Option<String> {
        Some(format!(r#"{{"specversion":"1.0","id":"e-1","source":"/ci","type":"a.b"{rest}}}"#))
    }

    #[test]
    fn data_stands_as_its_content_type_says() {
        let json = b"{\"b\" : 1.50, \"a\":\"\xc3\xa9\"}\n";
        let as_data = ",\"data\":{\"b\" : 1.50, \"a\":\"é\"}\n";
        assert_eq!(made(&[], Some(json)), with(as_data), "byte for byte");
        for media in ["application/json", "application/vnd.x+json; charset=utf-8", "text/JSON"] {
            let wanted = format!(",\"datacontenttype\":\"{media}\"{as_data}");
            assert_eq!(made(&[("content-type", media.as_bytes())], Some(json)), with(&wanted));
        }
        let xml = made(&[("Content-Type", b"application/xml")], Some(b"<a/>"));
        assert_eq!(xml, with(r#","datacontenttype":"application/xml","data_base64":"PGEvPg==""#));
        for nothing in [None, Some(&b""[..])] {
            assert_eq!(made(&[], nothing), with(""));
        }
    }

    #[test]
    fn other_messages_stay_as_they_are() {
        let body = Some(&b"{}"[..]);
        let plain = [("source", Some(&b"x"[..])), ("ce_id", Some(b"1"))];
        assert_eq!(structured(|| plain.into_iter(), body), None);
        assert_eq!(made(&[("content-type", b"application/cloudevents+json; charset=utf-8")], body), None);
    }

    /// Nothing that is sent can be taken for another attribute, or end the object early.
    #[test]
    fn nobody_forges_the_envelope() {
        let broken = made(&[], Some(b"1,\"id\":\"forged\""));
        assert_eq!(broken, with(r#","data_base64":"MSwiaWQiOiJmb3JnZWQi""#), "no JSON value: encoded, then refused");
        let names: [(&str, &[u8]); 6] = [
            ("ce_data", b"{}"),
            ("ce_data_base64", b"e30="),
            ("ce_id", b"second"),
            ("ce_x\":1,\"y", b"v"),
            ("ce_", b"v"),
            ("ce_bytes", b"\xff"),
        ];
        assert_eq!(made(&names, None), with(""));
        assert_eq!(made(&[("ce_subject", b"a\",\"id\":\"b")], None), with(r#","subject":"a\",\"id\":\"b""#));
    }

    #[test]
    fn long_values_are_cut_between_letters() {
        let long: &'static [u8] = "é".repeat(4000).leak().as_bytes();
        let cut = made(&[("ce_subject", long)], None).expect("an event");
        assert_eq!(cut.matches('é').count(), VALUE_BYTES_MAX / 2);
    }
}
