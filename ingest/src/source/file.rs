//! Files, folders and standard input as partitions of one source, read in chunks of whole records.
//!
//! `.json`, `.jsonl`, `.ndjson`, `.log`, `.txt`, each also as `.gz` and `.zst`. Memory is bounded by the chunk and the largest record.
//! Must never lose the records before a damaged place, nor let one overlong record grow memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::split::{self, Cut, Cutter};
use super::unpack;

/// A chunk is read until it has this many bytes: several of them, read ahead, stay in a processor's cache until they are judged.
const CHUNK_BYTES: usize = 64 * 1024;

/// The first chunk is longer, because how the input is cut is told by it.
const FIRST_BYTES: usize = 256 * 1024;

/// Behind the start of a long record it reads as much as there is already, up to this.
const CHUNK_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Some whole records of one input.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The bytes that `records` point into.
    pub bytes: Vec<u8>,
    /// Bounds of each record.
    pub records: Vec<split::Bounds>,
    /// Offset of the first record in its partition, counted in records from 0.
    pub first_offset: i64,
    /// The record with this index into `records` is only the start of one that is too large.
    pub too_large: Option<usize>,
    /// The last record is only what there is of one: the input ends in the middle. Empty where nothing is left of it.
    pub torn: bool,
    /// The input cannot be read any further.
    pub damaged: Option<String>,
}

/// One input.
pub struct FileInput {
    name: String,
    reader: Box<dyn Read + Send>,
    cutter: Option<Cutter>,
    rest: Vec<u8>,
    offset: i64,
    record_bytes_max: usize,
    skipping: bool,
    ended: bool,
    /// What stopped the reading before the end.
    damage: Option<String>,
}

impl std::fmt::Debug for FileInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileInput").field("name", &self.name).field("offset", &self.offset).finish_non_exhaustive()
    }
}

/// The files under a path, in order of their paths: a file itself, or what a folder holds, at any depth.
///
/// # Errors
/// When a path does not exist or cannot be listed.
pub fn list(path: &Path) -> io::Result<Vec<PathBuf>> {
    if path.as_os_str() == "-" || !path.metadata()?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(io::Error::other)?;
        if entry.file_type().is_file() && is_input(entry.path()) {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

/// A folder's file is read when its name says that it holds records.
fn is_input(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    !name.starts_with('.') && [".json", ".jsonl", ".ndjson"].iter().any(|end| name.ends_with(end))
}

impl FileInput {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path, record_bytes_max: usize) -> io::Result<FileInput> {
        let name = path.to_string_lossy().into_owned();
        if name == "-" {
            return Ok(FileInput::new(name, Box::new(io::stdin()), Some(Cut::Lines), record_bytes_max));
        }
        let file = File::open(path)?;
        let lower = name.to_ascii_lowercase();
        let (plain, reader): (&str, Box<dyn Read + Send>) = if let Some(plain) = lower.strip_suffix(".gz") {
            (plain, unpack::gzip(file))
        } else if let Some(plain) = lower.strip_suffix(".zst") {
            (plain, unpack::zstd(file)?)
        } else {
            (&lower, Box::new(file))
        };
        let cut = (!plain.ends_with(".json")).then_some(Cut::Lines);
        Ok(FileInput::new(name, reader, cut, record_bytes_max))
    }

    /// Records from memory, cut as said.
    pub fn from_bytes(name: &str, bytes: Vec<u8>, cut: Cut) -> FileInput {
        FileInput::new(name.to_owned(), Box::new(io::Cursor::new(bytes)), Some(cut), usize::MAX)
    }

    fn new(name: String, reader: Box<dyn Read + Send>, cut: Option<Cut>, record_bytes_max: usize) -> FileInput {
        FileInput {
            name,
            reader,
            cutter: cut.map(Cutter::new),
            rest: Vec::new(),
            offset: 0,
            record_bytes_max: record_bytes_max.min(u32::MAX as usize / 2),
            skipping: false,
            ended: false,
            damage: None,
        }
    }

    /// Its path, as given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next records; None at the end.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        self.next_chunk_in(Chunk::default())
    }

    /// The same, in the memory of a chunk that nobody needs any more.
    pub fn next_chunk_in(&mut self, used: Chunk) -> Option<Chunk> {
        let mut chunk = Chunk { bytes: used.bytes, records: used.records, ..Chunk::default() };
        chunk.records.clear();
        while !(self.ended && self.rest.is_empty()) && chunk.records.is_empty() {
            let Chunk { mut bytes, records, .. } = chunk;
            self.fill(&mut bytes);
            if self.offset == 0 && bytes.starts_with(b"\xEF\xBB\xBF") {
                bytes.drain(..3);
            }
            if self.skipping {
                // The rest of an overlong record: the next one can start behind a line feed.
                let line = memchr::memchr(b'\n', &bytes);
                self.skipping = line.is_none();
                bytes.drain(..line.map_or(bytes.len(), |at| at + 1));
            }
            chunk = self.cut(bytes, records);
        }
        self.offset += chunk.records.len() as i64;
        (!chunk.records.is_empty() || chunk.damaged.is_some()).then_some(chunk)
    }

    /// Cuts what has been read so far, and keeps the rest.
    fn cut(&mut self, mut bytes: Vec<u8>, mut records: Vec<split::Bounds>) -> Chunk {
        let cutter = self.cutter.get_or_insert_with(|| Cutter::new(split::guess(&bytes)));
        let before = *cutter;
        let split::Settled { bytes: mut settled, mut torn } = cutter.split(&bytes, self.ended, &mut records);
        let mut too_large = records.iter().position(|record| record.len() > self.record_bytes_max);
        if let Some(at) = too_large.filter(|at| at + 1 < records.len()) {
            // What follows it waits for the next chunk: a chunk says this of one record.
            records.truncate(at + 1);
            settled = records.last().map_or(settled, |record| record.end);
            torn = false;
            *cutter = before;
            cutter.split(bytes.get(..settled).unwrap_or_default(), false, &mut Vec::new());
        } else if records.is_empty() && bytes.len() - settled > self.record_bytes_max {
            too_large = Some(0);
            records.push(settled..bytes.len());
            settled = bytes.len();
            self.skipping = !self.ended;
            cutter.lose();
        }
        let mut damaged = None;
        if self.ended && settled == bytes.len() && self.damage.is_some() {
            damaged = self.damage.take();
            // A line that nothing ends was torn, unless it is whole all the same; then what is behind it is missing.
            let broken = records.last().filter(|_| too_large.is_none()).is_some_and(|last| {
                let behind = bytes.get(last.end..).unwrap_or_default();
                !behind.contains(&b'\n') && !split::is_whole(bytes.get(last.clone()).unwrap_or_default())
            });
            if !torn && !broken {
                records.push(bytes.len()..bytes.len());
            }
            torn = true;
        }
        self.rest.extend_from_slice(bytes.get(settled..).unwrap_or_default());
        bytes.truncate(settled);
        Chunk { bytes, records, first_offset: self.offset, too_large, torn, damaged }
    }

    /// What was left, and a chunk's worth more or all until the end; `bytes` holds nothing else then. Keeps what stopped it, where
    /// that is damage.
    fn fill(&mut self, bytes: &mut Vec<u8>) {
        let start = self.rest.len();
        // A record that does not end is looked at again with each round: rounds grow with it.
        let least = if self.cutter.is_none() { FIRST_BYTES } else { CHUNK_BYTES };
        let wanted = if self.ended { 0 } else { start.clamp(least, CHUNK_BYTES_MAX) };
        // What a used chunk holds is written over: nothing is cleared first.
        bytes.resize(start + wanted, 0);
        if let Some(place) = bytes.get_mut(..start) {
            place.copy_from_slice(&self.rest);
        }
        self.rest.clear();
        self.rest.shrink_to(CHUNK_BYTES);
        let mut filled = start;
        while !self.ended && filled < bytes.len() {
            let room = bytes.get_mut(filled..).unwrap_or_default();
            match self.reader.read(room) {
                Ok(0) => self.ended = true,
                Ok(read) => {
                    let is_line = memchr::memchr(b'\n', room.get(..read).unwrap_or_default()).is_some();
                    filled += read;
                    if self.name == "-" && is_line {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.damage = Some(error.to_string());
                }
            }
        }
        bytes.truncate(filled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read_all(mut input: FileInput) -> (Vec<(i64, String, bool)>, Option<String>) {
        let (mut all, mut damaged) = (Vec::new(), None);
        while let Some(chunk) = input.next_chunk() {
            for (i, bounds) in chunk.records.iter().enumerate() {
                let text = String::from_utf8_lossy(&chunk.bytes[bounds.clone()]).into_owned();
                all.push((chunk.first_offset + i as i64, text, chunk.too_large == Some(i)));
            }
            damaged = damaged.or(chunk.damaged);
        }
        (all, damaged)
    }

    #[test]
    fn an_overlong_record_harms_no_neighbour() {
        let long = "x".repeat(3 * CHUNK_BYTES);
        let text = format!("{{\"a\":1}}\n{long}\n{{\"b\":2}}\n{{\"c\":3}}");
        let mut input = FileInput::from_bytes("m", text.into_bytes(), Cut::Lines);
        input.record_bytes_max = 1000;
        let (records, damaged) = read_all(input);
        assert_eq!(damaged, None);
        let seen: Vec<(i64, &str, bool)> = records.iter().map(|(o, t, l)| (*o, t.get(..7).unwrap_or(t), *l)).collect();
        assert_eq!(
            seen,
            [(0, "{\"a\":1}", false), (1, "xxxxxxx", true), (2, "{\"b\":2}", false), (3, "{\"c\":3}", false)]
        );
    }

    #[test]
    fn the_limit_is_exact_wherever_a_round_of_reading_ends() {
        let text = ["x".repeat(1000), "y".repeat(1001), "z".to_owned(), "y".repeat(1001), "x".repeat(1000)].join("\n");
        for cut in [Cut::Lines, Cut::Values] {
            let mut input = FileInput::from_bytes("m", text.clone().into_bytes(), cut);
            input.record_bytes_max = 1000;
            let (records, _) = read_all(input);
            let seen: Vec<(i64, usize, bool)> = records.iter().map(|(o, t, l)| (*o, t.len(), *l)).collect();
            assert_eq!(seen, [(0, 1000, false), (1, 1001, true), (2, 1, false), (3, 1001, true), (4, 1000, false)]);
        }
    }

    #[test]
    fn what_is_torn_is_the_last_record_and_said_once() {
        struct Breaks(io::Cursor<Vec<u8>>);
        impl Read for Breaks {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let read = self.0.read(buffer)?;
                if read == 0 { Err(io::Error::other("broken")) } else { Ok(read) }
            }
        }
        let torn = |text: &str, cut: Cut, breaks: bool| {
            let mut input = FileInput::from_bytes("m", text.as_bytes().to_vec(), cut);
            if breaks {
                input.reader = Box::new(Breaks(io::Cursor::new(text.as_bytes().to_vec())));
            }
            let mut torn = Vec::new();
            while let Some(chunk) = input.next_chunk() {
                assert_eq!(chunk.damaged.is_some(), breaks);
                let last = chunk.records.last().cloned().expect("a record");
                torn.push((chunk.records.len(), chunk.torn.then(|| chunk.bytes[last].to_vec())));
            }
            torn
        };
        let is = |records: usize, last: Option<&str>| vec![(records, last.map(|last| last.as_bytes().to_vec()))];
        assert_eq!(torn("{}\n{\"a\": ", Cut::Lines, true), is(2, Some("{\"a\":")));
        assert_eq!(torn("{}\n{}", Cut::Lines, true), is(3, Some("")));
        assert_eq!(torn("{}\nx\n", Cut::Lines, true), is(3, Some("")));
        assert_eq!(torn("", Cut::Lines, true), is(1, Some("")));
        assert_eq!(torn("[{},{", Cut::Values, true), is(2, Some("{")));
        assert_eq!(torn("[{},{", Cut::Values, false), is(2, Some("{")));
        assert_eq!(torn("[{},", Cut::Values, true), is(2, Some("")));
        assert_eq!(torn("{}\n{\"a\":", Cut::Lines, false), is(2, None));
    }

    #[test]
    fn compressed_files_and_damage() {
        let folder = std::env::temp_dir().join(format!("pipewarden-file-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("deep")).expect("a folder");
        let lines: String = (0..50_000).map(|i| format!("{{\"n\":{i}}}\n")).collect();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(lines.as_bytes()).expect("memory");
        let gz = gz.finish().expect("memory");
        std::fs::write(folder.join("a.jsonl.gz"), &gz).expect("written");
        std::fs::write(folder.join("b.jsonl.gz"), &gz[..gz.len() / 2]).expect("written");
        std::fs::write(folder.join("deep/c.json.zst"), zstd::encode_all(lines.as_bytes(), 1).expect("memory"))
            .expect("written");
        std::fs::write(folder.join("readme.md"), "no input").expect("written");
        let files = list(&folder).expect("a folder");
        assert_eq!(files.len(), 3);
        let counts: Vec<(usize, bool)> = files
            .iter()
            .map(|file| {
                let (records, damaged) = read_all(FileInput::open(file, 1 << 20).expect("opens"));
                (records.len(), damaged.is_some())
            })
            .collect();
        assert_eq!((counts[0], counts[2]), ((50_000, false), (50_000, false)));
        assert!(counts[1].0 > 10_000 && counts[1].1, "{counts:?}");
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
