//! Records written from a product's documentation, for what its samples do not show; and the question of which format a
//! record is of, asked of its content alone.

use std::sync::Arc;

use ingest::format::{FORMATS, Format, Wanted, by_name};
use ingest::{Decoder, Read, Scratch, decode_one};
use model::{Event, Invalid};

use super::{folder, printed};

/// A record, the event in it, class, action, outcome, some fields as `name=value`.
pub struct Written(pub &'static str, pub usize, pub &'static str, pub &'static str, pub &'static str, pub Fields);

/// Fields as `name=value`; `name=` is absent.
pub type Fields = &'static [&'static str];

/// The events of a record.
pub fn events(format: &str, record: &str) -> Result<Vec<Event>, Invalid> {
    decode_one(by_name(format).expect("the format is known"), &Arc::from("written"), record)
}

/// Each record is recognised by its content, and says what it should; its ids are there and differ.
pub fn check_written(format: &str, written: &[Written]) {
    let mut wrong = Vec::new();
    for Written(record, at, class, action, outcome, fields) in written {
        assert_eq!(told(record), Some(format), "{record}");
        let all = events(format, record).unwrap_or_else(|error| panic!("{record}: {error:?}"));
        let ids: std::collections::BTreeSet<_> = all.iter().map(|event| event.id.clone()).collect();
        assert!(ids.len() == all.len() && !ids.contains(&None), "{record}: {ids:?}");
        let event = all.get(*at).unwrap_or_else(|| panic!("{record}: {} events", all.len()));
        assert!(event.time.is_some(), "{record}: no time");
        let mut same = |what: &str, is: &str, wanted: &str| {
            if is != wanted {
                wrong.push(format!("{record}[{at}] {what}: `{is}`, wanted `{wanted}`"));
            }
        };
        same("class", event.class.map_or("", |class| class.name()), class);
        same("action", event.action.as_deref().unwrap_or(""), action);
        same("outcome", event.outcome.name(), outcome);
        for field in *fields {
            let (name, value) = field.split_once('=').expect("name=value");
            same(name, &printed(&event.fields, name), value);
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The format that a record's content tells, filtered ones included; None: no format knows it.
pub fn told(record: &str) -> Option<&'static str> {
    let formats: Vec<&'static Format> = FORMATS.iter().copied().filter(|format| !format.marks.is_empty()).collect();
    let all = formats.iter().map(|format| (*format, Wanted::default())).collect();
    let decoder = Decoder::new(all, None, false);
    let mut first = None;
    decoder.read(&mut Scratch::default(), record, 0, &mut |_, read| match read {
        Read::Event(seen) => first = first.or(formats.get(seen.plan).map(|format| format.name)),
        Read::Invalid(_) | Read::Filtered => {}
    });
    first
}

/// Every sample of a folder that is an event is recognised as of its own format.
pub fn all_told(format: &str, samples: &str) {
    let Ok(files) = std::fs::read_dir(folder(samples)) else {
        return println!("skipped: no samples of {samples} beside this workspace");
    };
    for file in files.flatten() {
        let text = std::fs::read_to_string(file.path()).expect("the sample can be read");
        if events(format, &text).is_ok_and(|events| !events.is_empty()) {
            assert_eq!(told(&text), Some(format), "{:?}", file.file_name());
        }
    }
}
