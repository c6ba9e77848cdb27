//! The manifest: what belongs to the archive, as a chain of hashes that only grows.
//!
//! Each line names the hash of the one before it, so nothing in it can be changed, left out or put in unseen; with a key each
//! line's hash is signed. Must never be rewritten: what is no longer there is said by a line of its own.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ArchiveError, at};

/// Name of the manifest in its archive.
pub const FILE: &str = "manifest.jsonl";

/// Hash before the first line.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const OUTSIDE: &str = "it names a file outside the archive";

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Files are new.
    Add,
    /// Files stand in the place of others that hold the same.
    Compact,
    /// Files are gone because they were kept long enough.
    Expire,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// From the archive's folder, with `/`.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Length in bytes.
    pub bytes: u64,
    /// Rows in it.
    pub rows: u64,
    /// Table that it belongs to.
    pub table: String,
    /// Day of its rows.
    pub day: String,
    /// Class of its rows; empty where the table has none.
    pub class: String,
}

impl Entry {
    /// Number of the manifest's line that added it: its name begins with it.
    pub fn line(&self) -> u64 {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.split('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

/// One line without its hash and signature: what is hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    sequence: u64,
    previous: String,
    operation: Operation,
    added: Vec<Entry>,
    removed: Vec<String>,
    #[serde(default, skip_serializing_if = "Positions::is_empty")]
    positions: Positions,
}

/// Up to where each input has been archived, by its name: the next offset of a partition, the length of a log.
pub type Positions = BTreeMap<String, i64>;

/// What a line is to say.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it is.
    pub operation: Operation,
    /// Files that belong to the archive from here on.
    pub added: Vec<Entry>,
    /// Paths that no longer do.
    pub removed: Vec<String>,
    /// How far what is added has been read, where whoever writes goes on from there.
    pub positions: Positions,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    body: Body,
    /// SHA-256 of the body as it is written.
    hash: String,
    /// Ed25519 signature of the hash's text, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

/// A manifest, read and checked.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    file: PathBuf,
    /// Hash of the last line.
    head: String,
    /// Its signature.
    signature: Option<String>,
    lines: u64,
    /// Lines whose signature was checked.
    signed: u64,
    /// What belongs to the archive, by path.
    files: BTreeMap<String, Entry>,
    /// What once did.
    removed: BTreeMap<String, Operation>,
    /// How far inputs have been archived.
    positions: Positions,
    /// Every hash at which it once ended.
    heads: std::collections::BTreeSet<String>,
    /// Bytes of whole lines; what stands behind them was not finished.
    whole_bytes: u64,
}

impl Manifest {
    /// Reads an archive's manifest; an archive without one is empty. With a key every line has to be signed by it.
    ///
    /// # Errors
    /// Names the first line that does not fit to the one before it, is not signed, or is none.
    pub fn read(folder: &Path, key: Option<&VerifyingKey>) -> Result<Manifest, ArchiveError> {
        let file = folder.join(FILE);
        let mut manifest = Manifest { file: file.clone(), head: GENESIS.to_owned(), ..Manifest::default() };
        let text = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(manifest),
            Err(error) => return Err(at(&file)(error)),
        };
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            // A last line without its end was being written when the process died: it never counted.
            let Some(whole) = line.strip_suffix(b"\n") else { break };
            manifest.whole_bytes += line.len() as u64;
            manifest.take(whole, key)?;
        }
        Ok(manifest)
    }

    fn take(&mut self, line: &[u8], key: Option<&VerifyingKey>) -> Result<(), ArchiveError> {
        let number = self.lines + 1;
        let broken = |why: &str| ArchiveError::Chain { line: number, why: why.to_owned() };
        let line: Line = serde_json::from_slice(line).map_err(|error| broken(&error.to_string()))?;
        if line.body.sequence != self.lines || line.body.previous != self.head {
            return Err(broken("it does not follow the line before it: one was changed, left out or put in"));
        }
        if line.hash != hash(&line.body) {
            return Err(broken("its hash is not that of what it says"));
        }
        if let Some(key) = key {
            let signature = line.signature.as_deref().ok_or_else(|| broken("it is not signed"))?;
            let signature = signature_of(signature).ok_or_else(|| broken("its signature is none"))?;
            let checked = key.verify_strict(line.hash.as_bytes(), &signature);
            checked.map_err(|_| broken("its signature is not by this key"))?;
            self.signed += 1;
        }
        let Body { operation, added, removed, positions, .. } = line.body;
        self.positions.extend(positions);
        for path in removed {
            self.files.remove(&path).ok_or_else(|| broken("it removes what was not there"))?;
            self.removed.insert(path, operation);
        }
        for entry in added {
            if !is_plain(&entry.path) {
                return Err(broken(OUTSIDE));
            }
            self.files.insert(entry.path.clone(), entry);
        }
        self.heads.insert(line.hash.clone());
        (self.head, self.signature, self.lines) = (line.hash, line.signature, number);
        Ok(())
    }

    /// Says that something has changed; on disk when it returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&mut self, change: Change, key: Option<&SigningKey>) -> Result<(), ArchiveError> {
        let Change { operation, added, removed, positions } = change;
        if added.iter().any(|entry| !is_plain(&entry.path)) {
            return Err(ArchiveError::Chain { line: self.lines + 1, why: OUTSIDE.to_owned() });
        }
        let body = Body { sequence: self.lines, previous: self.head.clone(), operation, added, removed, positions };
        let hash = hash(&body);
        let signature = key.map(|key| hex(&key.sign(hash.as_bytes()).to_bytes()));
        let mut text = serde_json::to_vec(&Line { body, hash, signature }).unwrap_or_default();
        let mut written = || -> std::io::Result<()> {
            let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.file)?;
            // What was not finished is written over.
            file.set_len(self.whole_bytes)?;
            std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(self.whole_bytes))?;
            text.push(b'\n');
            file.write_all(&text)?;
            file.sync_all()
        };
        written().map_err(at(&self.file))?;
        self.whole_bytes += text.len() as u64;
        text.pop();
        self.take(&text, None)
    }

    /// What belongs to the archive, by path.
    pub fn files(&self) -> impl Iterator<Item = &Entry> {
        self.files.values()
    }

    /// Up to where an input has been archived. None: nobody has said so.
    pub fn position(&self, input: &str) -> Option<i64> {
        self.positions.get(input).copied()
    }

    /// The file of that path, if it belongs to the archive.
    pub fn file(&self, path: &str) -> Option<&Entry> {
        self.files.get(path)
    }

    /// Why a file is no longer there.
    pub fn removed(&self, path: &str) -> Option<Operation> {
        self.removed.get(path).copied()
    }

    /// Files that once belonged to the archive.
    pub fn removed_paths(&self) -> impl Iterator<Item = &str> {
        self.removed.keys().map(String::as_str)
    }

    /// Hash of the last line: what somebody else may keep, to see later that nothing was cut off.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Signature of the last line's hash.
    pub fn signature(&self) -> Option<&str> {
        self.signature.as_deref()
    }

    /// The manifest once ended at this hash: it goes on from what was seen then.
    pub fn had_head(&self, hash: &str) -> bool {
        self.heads.contains(hash) || hash == GENESIS
    }

    /// Number of lines.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Lines whose signature was checked.
    pub fn signed(&self) -> u64 {
        self.signed
    }
}

/// The hash of what a line says.
fn hash(body: &Body) -> String {
    hex(&Sha256::digest(serde_json::to_vec(body).unwrap_or_default()))
}

/// Below the archive's folder, and nowhere else.
fn is_plain(path: &str) -> bool {
    let parts = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0']);
    !path.starts_with('/') && path.split('/').all(parts)
}

/// Hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.trim();
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn signature_of(text: &str) -> Option<Signature> {
    unhex::<64>(text).map(|bytes| Signature::from_bytes(&bytes))
}

/// The key in a file: 64 hexadecimal digits, the seed of an Ed25519 key (RFC 8032).
///
/// # Errors
/// When the file cannot be read or holds no key.
pub fn signing_key(file: &Path) -> Result<SigningKey, ArchiveError> {
    let text = std::fs::read_to_string(file).map_err(at(file))?;
    let seed = unhex::<32>(&text).ok_or_else(|| ArchiveError::Key { file: file.to_owned() })?;
    Ok(SigningKey::from_bytes(&seed))
}

/// The public key in a file: 64 hexadecimal digits; or, from the file of the signing key, its public half.
///
/// # Errors
/// When the file cannot be read or holds no key.
pub fn verifying_key(file: &Path) -> Result<VerifyingKey, ArchiveError> {
    let text = std::fs::read_to_string(file).map_err(at(file))?;
    let none = || ArchiveError::Key { file: file.to_owned() };
    let text = text.trim();
    match text.strip_prefix("public:") {
        Some(public) => VerifyingKey::from_bytes(&unhex::<32>(public).ok_or_else(none)?).map_err(|_| none()),
        None => Ok(SigningKey::from_bytes(&unhex::<32>(text).ok_or_else(none)?).verifying_key()),
    }
}

/// The public half of a signing key, as [`verifying_key`] reads it.
pub fn public_text(key: &SigningKey) -> String {
    format!("public:{}", hex(key.verifying_key().as_bytes()))
}

/// SHA-256 and length of a file.
///
/// # Errors
/// When it cannot be read.
pub(super) fn digest(path: &Path) -> std::io::Result<(String, u64)> {
    let mut hasher = Sha256::new();
    let bytes = std::io::copy(&mut File::open(path)?, &mut Sink(&mut hasher))?;
    Ok((hex(&hasher.finalize()), bytes))
}

struct Sink<'h>(&'h mut Sha256);

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
