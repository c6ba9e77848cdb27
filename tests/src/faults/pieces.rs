//! A delivery as files: what each process reads, in order.
//!
//! Must never change what arrives, only how it lies on disk.

use std::fs;
use std::io;
use std::path::Path;

use super::{Arriving, Delivery, Dress, Partition};
use crate::stored;

/// What one process reads.
#[derive(Debug)]
pub struct Piece {
    /// Names relative to the folder that it runs in; `-` is standard input.
    pub inputs: Vec<String>,
    /// Standard input.
    pub stdin: Vec<u8>,
    /// Judging threads.
    pub threads: usize,
    /// It is killed after so many milliseconds, and run again.
    pub killed_after_ms: Option<u64>,
}

impl Delivery {
    /// Number of processes.
    pub fn count(&self) -> usize {
        self.cuts.len() + 1
    }

    /// Writes the files of the piece of this number into a folder, and says how they are read.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, number: usize, folder: &Path) -> io::Result<Piece> {
        let mut piece = Piece {
            inputs: Vec::new(),
            stdin: Vec::new(),
            threads: self.threads.get(number).or(self.threads.last()).copied().unwrap_or(1),
            killed_after_ms: self.killed_after_ms.get(number).copied().flatten(),
        };
        for (at, partition) in self.partitions.iter().enumerate() {
            let lines = self.lines_of(at);
            let bound = |cut: Option<&Vec<usize>>| cut.and_then(|cut| cut.get(at)).map(|of| lines.len() * of / 1000);
            let from = number.checked_sub(1).and_then(|before| bound(self.cuts.get(before))).unwrap_or(0);
            let to = bound(self.cuts.get(number)).unwrap_or(lines.len());
            // Ended before this piece began; the first piece names all.
            if partition.ends && number > 0 && from >= lines.len() {
                continue;
            }
            let bytes = partition.bytes(&lines[from..to]);
            if partition.dress == Dress::Stdin {
                piece.inputs.push("-".to_owned());
                piece.stdin = bytes;
                continue;
            }
            let (ending, bytes) = match partition.dress {
                Dress::Gzip => (".gz", stored::gzip(&bytes)),
                Dress::Zstd => (".zst", stored::zstd(&bytes)),
                Dress::Plain | Dress::Stdin => ("", bytes),
            };
            let name = format!("part-{at}.jsonl{ending}");
            fs::write(folder.join(&name), bytes)?;
            piece.inputs.push(name);
        }
        Ok(piece)
    }

    fn lines_of(&self, partition: usize) -> Vec<&Arriving> {
        let mut lines: Vec<&Arriving> = self.arriving.iter().filter(|of| of.partition == partition).collect();
        lines.sort_by_key(|of| (of.at_ms, of.tie));
        lines
    }
}

impl Partition {
    fn bytes(&self, lines: &[&Arriving]) -> Vec<u8> {
        let end: &[u8] = if self.crlf { b"\r\n" } else { b"\n" };
        let mut bytes = Vec::new();
        for (at, of) in lines.iter().enumerate() {
            bytes.extend_from_slice(of.line.text.as_bytes());
            bytes.extend_from_slice(end);
            if self.padding > 0 && at % 7 == 3 {
                bytes.extend(std::iter::repeat_n(b' ', self.padding));
                bytes.extend_from_slice(end);
            }
        }
        bytes
    }
}
