//! State as bytes: how everything that is kept over a restart is written and read back.
//!
//! Postcard, which is compact and keeps every bit of a float; it does not describe itself, so whoever writes names the
//! version of the shapes beside it. Must never be read as another version than the one that wrote it.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes that are no snapshot of what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("a snapshot that cannot be read or written: {0}")]
pub struct Malformed(#[from] postcard::Error);

/// The bytes of a state.
///
/// # Errors
/// When the state cannot be written so: a fault of its shape, not of its content.
pub fn to_snapshot(state: &impl Serialize) -> Result<Vec<u8>, Malformed> {
    Ok(postcard::to_stdvec(state)?)
}

/// A state from its bytes.
///
/// # Errors
/// When they are cut, or of another shape.
pub fn from_snapshot<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    Ok(postcard::from_bytes(bytes)?)
}

/// A map of JSON values, which describe themselves, as text.
pub(crate) mod json_text {
    use serde::{Deserialize, Deserializer, Serializer, de, ser};
    use serde_json::{Map, Value};

    pub(crate) fn serialize<S: Serializer>(map: &Map<String, Value>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&serde_json::to_string(map).map_err(ser::Error::custom)?)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Map<String, Value>, D::Error> {
        serde_json::from_str(&String::deserialize(from)?).map_err(de::Error::custom)
    }
}
