//! Compressed inputs, unpacked as they are read, and given up when they unpack to far more than they hold.
//!
//! Must never unpack ahead of who reads, and never refuse what is small: a limit is on the ratio, behind a free start.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An input may unpack to so many times its size. Logs come to 10 to 100 times; more is made to exhaust its reader.
pub const EXPANSION_MAX: u64 = 256;

/// So many bytes, whatever they are unpacked from, are never too many.
pub const EXPANSION_FREE_BYTES: u64 = 64 * 1024 * 1024;

/// Counts what is read of the compressed bytes.
struct Packed<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Ends with an error where too much comes out.
struct Unpacked<R> {
    inner: R,
    packed: Arc<AtomicU64>,
    bytes: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let packed = self.packed.load(Ordering::Relaxed);
        if self.bytes > EXPANSION_FREE_BYTES.saturating_add(packed.saturating_mul(EXPANSION_MAX)) {
            let said = format!("unpacks to more than {EXPANSION_MAX} times its size (expansion_max)");
            return Err(io::Error::other(said));
        }
        let read = self.inner.read(buffer)?;
        self.bytes = self.bytes.saturating_add(read as u64);
        Ok(read)
    }
}

/// What a gzip file of any number of members holds.
pub fn gzip(file: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    let packed = Arc::new(AtomicU64::new(0));
    let inner = flate2::read::MultiGzDecoder::new(io::BufReader::new(Packed { inner: file, bytes: packed.clone() }));
    Box::new(Unpacked { inner, packed, bytes: 0 })
}

/// What a Zstandard file holds.
///
/// # Errors
/// When the library refuses to start.
pub fn zstd(file: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let packed = Arc::new(AtomicU64::new(0));
    let inner = zstd::Decoder::new(Packed { inner: file, bytes: packed.clone() })?;
    Ok(Box::new(Unpacked { inner, packed, bytes: 0 }))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_unpacks_to_far_too_much_ends_with_an_error_and_logs_do_not() {
        let unpacked = |reader: &mut dyn Read| {
            let (mut bytes, mut buffer) = (0u64, vec![0; 1 << 20]);
            loop {
                match reader.read(&mut buffer) {
                    Ok(0) => return (bytes, None),
                    Ok(read) => bytes += read as u64,
                    Err(error) => return (bytes, Some(error.to_string())),
                }
            }
        };
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let (million, mut zst) = (vec![b'a'; 1_000_000], zstd::Encoder::new(Vec::new(), 3).expect("memory"));
        for _ in 0..200 {
            gz.write_all(&million).expect("memory");
            zst.write_all(&million).expect("memory");
        }
        let (gz, zst) = (gz.finish().expect("memory"), zst.finish().expect("memory"));
        for mut bomb in [gzip(io::Cursor::new(gz)), super::zstd(io::Cursor::new(zst)).expect("starts")] {
            let (bytes, error) = unpacked(&mut bomb);
            assert!(error.is_some_and(|said| said.contains("expansion_max")), "{bytes}");
            assert!((EXPANSION_FREE_BYTES..EXPANSION_FREE_BYTES + 60_000_000).contains(&bytes), "{bytes}");
        }
        let lines: String = (0..400_000).map(|n| format!("{{\"n\":{n},\"text\":\"{}\"}}\n", "a".repeat(200))).collect();
        let packed = zstd::encode_all(lines.as_bytes(), 1).expect("memory");
        let mut log = super::zstd(io::Cursor::new(packed)).expect("starts");
        assert_eq!(unpacked(&mut log), (lines.len() as u64, None));
    }
}
