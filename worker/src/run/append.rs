//! Files of lines that outlive their worker: opened to append, each line whole, on disk when asked.
//!
//! Must never leave a line of two writers' halves: what a crash left of a last line was never committed, and is cut off.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

const BLOCK_BYTES: usize = 4096;

/// Opens a file of lines to append to it, without what stands behind its last line feed.
///
/// # Errors
/// When it cannot be opened, read or cut.
pub fn whole_lines(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    let mut end = length;
    let mut block = [0; BLOCK_BYTES];
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES as u64);
        let part = block.get_mut(..(end - start) as usize).unwrap_or_default();
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    if end < length {
        file.set_len(end)?;
    }
    Ok(file)
}

/// Lines to a file; on disk after `flush`.
pub struct Appended {
    writer: BufWriter<File>,
    unsynced: bool,
}

impl Appended {
    /// Opens a file as [`whole_lines`] does.
    ///
    /// # Errors
    /// As there.
    pub fn open(path: &Path) -> io::Result<Appended> {
        Ok(Appended { writer: BufWriter::new(whole_lines(path)?), unsynced: false })
    }
}

impl Write for Appended {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unsynced = true;
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.unsynced {
            self.writer.flush()?;
            self.writer.get_ref().sync_data()?;
            self.unsynced = false;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_last_line_is_cut_off() {
        let path = std::env::temp_dir().join(format!("pipewarden-append-{}", std::process::id()));
        let long = "x".repeat(3 * BLOCK_BYTES);
        let cases = [
            ("", ""),
            ("a\n", "a\n"),
            ("a\nb", "a\n"),
            ("b", ""),
            (&format!("a\n{long}"), "a\n"),
            (&format!("{long}\nb"), &format!("{long}\n")),
        ];
        for (before, kept) in cases {
            std::fs::write(&path, before).expect("writes");
            let mut appended = Appended::open(&path).expect("opens");
            appended.write_all(b"new\n").and_then(|()| appended.flush()).expect("appends");
            assert_eq!(std::fs::read_to_string(&path).expect("reads"), format!("{kept}new\n"));
        }
        std::fs::remove_file(&path).expect("removes");
    }
}
