//! A state in a file: a line that says what it is, the hash of what follows, the state.
//!
//! Written beside its place and put there in one step, so that a crash leaves the old file or the new one. It holds keys and
//! texts as events had them: nobody but its owner may read it. Must never be taken on trust: a file that is cut, altered or of
//! another version is refused whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail};
use model::{Sha256, from_snapshot, to_snapshot};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Version of the shapes of everything that a state holds; grows with every change of one of them.
pub const STATE_VERSION: u32 = 7;

/// Writes a state, and returns how many bytes it has; it is on disk then.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, state: &impl Serialize) -> anyhow::Result<usize> {
    let body = to_snapshot(state)?;
    let head = format!("pipewarden state {STATE_VERSION} {}\n", Sha256::of(&body).hex());
    let beside = path.with_extension("part");
    let written = private(&beside).and_then(|mut file| {
        file.write_all(head.as_bytes())?;
        file.write_all(&body)?;
        file.sync_all()
    });
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let placed = written.and_then(|()| fs::rename(&beside, path)).and_then(|()| File::open(folder)?.sync_all());
    placed.with_context(|| format!("{}: the state cannot be written", path.display()))?;
    Ok(head.len() + body.len())
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Reads a state.
///
/// # Errors
/// When the file cannot be read, is no state, is cut or altered, or is of another version.
pub fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    parse(&fs::read(path).with_context(|| path.display().to_string())?)
        .with_context(|| format!("{}: no state that can be used", path.display()))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> anyhow::Result<T> {
    let end = bytes.iter().take(200).position(|byte| *byte == b'\n').context("not a state file")?;
    let (head, body) = bytes.split_at(end);
    let body = body.get(1..).unwrap_or_default();
    let words: Vec<&str> = std::str::from_utf8(head).unwrap_or_default().split(' ').collect();
    let ["pipewarden", "state", version, hash] = words.as_slice() else { bail!("not a state file") };
    if *version != STATE_VERSION.to_string() {
        bail!("of version {version}, and this is version {STATE_VERSION} (hint: read the history again without it)");
    }
    if *hash != Sha256::of(body).hex() {
        bail!("cut or altered");
    }
    Ok(from_snapshot(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("pipewarden-state-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("makes");
        let path = folder.join("a.state");
        write(&path, &vec![1u64, 2, 3]).expect("writes");
        assert_eq!(read::<Vec<u64>>(&path).expect("reads"), [1, 2, 3]);
        let good = fs::read(&path).expect("reads");
        let refused = |bytes: &[u8]| format!("{:#}", parse::<Vec<u64>>(bytes).expect_err("is refused"));
        assert!(refused(&good[..good.len() - 1]).contains("cut or altered"));
        let mut other = good.clone();
        *other.last_mut().expect("has bytes") ^= 1;
        assert!(refused(&other).contains("cut or altered"));
        assert!(refused(b"hello\n").contains("not a state file"));
        let older = String::from_utf8_lossy(&good).replacen(&format!("state {STATE_VERSION} "), "state 0 ", 1);
        assert!(refused(older.as_bytes()).contains("version 0"));
        fs::remove_dir_all(&folder).expect("removes");
    }
}
