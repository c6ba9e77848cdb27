//! A text that stands where it is kept, when it is short: keys of groups and values of fields nearly always are.
//!
//! Must never compare by anything but the bytes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that need no memory elsewhere: the key of a UUID, or of a name and a number.
const ROOM: usize = 38;

/// See the module. 40 bytes.
#[derive(Debug, Clone)]
pub(super) enum Short {
    Here(u8, [u8; ROOM]),
    Elsewhere(Box<str>),
}

impl Short {
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Short::Here(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Short::Elsewhere(text) => text.as_bytes(),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Short::Here(..) => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Short::Elsewhere(text) => text,
        }
    }
}

impl Default for Short {
    fn default() -> Short {
        Short::Here(0, [0; ROOM])
    }
}

impl From<&str> for Short {
    fn from(text: &str) -> Short {
        let mut bytes = [0; ROOM];
        match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text.as_bytes());
                Short::Here(text.len() as u8, bytes)
            }
            None => Short::Elsewhere(text.into()),
        }
    }
}

impl PartialEq<str> for Short {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Serialize for Short {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Short {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Short, D::Error> {
        String::deserialize(from).map(|text| text.as_str().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_come_back() {
        assert_eq!(size_of::<Short>(), 40);
        for length in 0..100 {
            let text = "é".repeat(length / 2) + if length % 2 == 1 { "x" } else { "" };
            let short = Short::from(text.as_str());
            assert_eq!(short.as_str(), text);
            assert_eq!(matches!(short, Short::Here(..)), length <= ROOM);
            assert!(short == *text && short != *(text + "x"));
        }
    }
}
