//! The lineage keys of an event in one piece of memory: every event waits with them, and most say what was said before.
//!
//! Must never lose a key, nor tell two sets of keys for one.

use std::sync::Arc;

use model::{EventClass, Sha256, Timestamp};
use rules::lineage::{Key, Links, Part};
use serde::{Deserialize, Serialize};

/// The lineage keys of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// When it happened.
    pub time: Timestamp,
    /// Hash of its bytes, where rules hold at it: it may become evidence.
    pub evidence: Option<Sha256>,
    pub(super) class: EventClass,
    pub(super) succeeded: bool,
    /// It says where something runs.
    pub(super) places: bool,
    /// Where the id begins; before it stand the action and the keys.
    id_at: u32,
    /// The action, then each key with the number of its part, each text with its length before it; then the id.
    bytes: Box<[u8]>,
}

impl Linked {
    /// Packs keys.
    pub fn new(links: &Links, evidence: Option<Sha256>) -> Linked {
        let texts: usize = links.keys.iter().map(|(_, key)| key.text.len() + 5).sum();
        let mut bytes = Vec::with_capacity(texts + links.action.len() + 4 + links.seen.id.len());
        put(&mut bytes, &links.action);
        for (part, key) in &links.keys {
            bytes.push(*part as u8);
            put(&mut bytes, &key.text);
        }
        let id_at = bytes.len() as u32;
        bytes.extend_from_slice(links.seen.id.as_bytes());
        let (time, class, succeeded) = (links.seen.time, links.seen.class, links.succeeded);
        let places = links.keys.iter().any(|(part, _)| *part == Part::Service);
        Linked { time, evidence, class, succeeded, places, id_at, bytes: bytes.into() }
    }

    /// The event's id.
    pub(super) fn id(&self) -> &str {
        let id = self.bytes.get(self.id_at as usize..).unwrap_or_default();
        std::str::from_utf8(id).unwrap_or_default()
    }

    /// Everything but when and by which event it was said.
    pub(super) fn said(&self) -> (EventClass, bool, &[u8]) {
        (self.class, self.succeeded, self.bytes.get(..self.id_at as usize).unwrap_or_default())
    }

    /// The keys, each as it was.
    pub(super) fn links(&self) -> Links {
        let (_, _, mut left) = self.said();
        let action = take(&mut left);
        let mut keys = Vec::new();
        while let Some((part, rest)) = left.split_first() {
            left = rest;
            let text = take(&mut left);
            if let Some(part) = Part::ALL.iter().find(|known| **known as u8 == *part) {
                keys.push((*part, Key::new(part.kind(), text)));
            }
        }
        Links::new((self.time, Arc::from(self.id()), self.class), action.into(), self.succeeded, keys)
    }
}

fn put(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn take<'b>(left: &mut &'b [u8]) -> &'b str {
    let Some((length, rest)) = left.split_first_chunk::<4>() else {
        *left = &[];
        return "";
    };
    let length = (u32::from_le_bytes(*length) as usize).min(rest.len());
    let (text, rest) = rest.split_at(length);
    *left = rest;
    std::str::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_out_as_it_was() {
        let keys =
            [(Part::Run, "r-1"), (Part::Issued, "t-ü"), (Part::Digest, "sha256:ab"), (Part::Digest, "sha256:cd")];
        let keys = keys.map(|(part, text)| (part, Key::new(part.kind(), text))).to_vec();
        let at = |time, id: &str| (Timestamp::from_ms(time), Arc::from(id), EventClass::CiCache);
        let links = Links::new(at(5, "e-1"), "saved".into(), true, keys.clone());
        let packed = Linked::new(&links, None);
        let out = packed.links();
        assert_eq!((&out.keys, &*out.action, &out.seen), (&links.keys, "saved", &links.seen));
        assert_eq!(packed.id(), "e-1");
        let again = Linked::new(&Links::new(at(6, "e-2"), "saved".into(), true, keys[..3].to_vec()), None);
        assert_ne!(packed.said(), again.said());
        let again = Linked::new(&Links::new(at(6, "e-2"), "saved".into(), true, keys), None);
        assert_eq!(packed.said(), again.said());
    }
}
