//! What parent and host say to each other, and the memory they share.
//!
//! The host's standard input is a socket: commands come in, answers go out, and its end of file is the end of the parent.
//! Its standard output is, at its start, the file of the shared memory, which never has a name that could be left behind.
//! A message is its length (four bytes, little-endian) and a JSON value.
//!
//! The memory has a page of two counters, then one column for each argument and one for the results, each of
//! [`BATCH`] elements of at most eight bytes.

use super::{Element, Isa};
use memmap2::MmapRaw;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

/// Rows of one message.
pub(super) const BATCH: usize = 1 << 16;
/// Arguments that a subject has at most.
pub(super) const MAX_ARITY: usize = 2;
/// Bytes of the two counters' page.
const HEADER: usize = 4096;
/// Bytes of a column.
const COLUMN: usize = BATCH * 8;
/// Bytes of a message at most: paths and messages of the loader are short.
const LONGEST: usize = 1 << 16;

/// The function that a host is to call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Target {
    /// An exported function of a library: scalar, or vectors of an instruction set.
    Symbol { library: PathBuf, symbol: String, element: Element, arity: u8, isa: Isa },
    /// [`super::BLOCK_SYMBOL`] of a built source.
    Block { library: PathBuf, element: Element, arity: u8 },
    /// A function of the core-math crate.
    CoreMath { symbol: String },
    /// A function of the libm crate.
    LibmCrate { symbol: String },
}

impl Target {
    /// The file that has the function, where it is in a library.
    pub(super) fn library(&self) -> Option<&Path> {
        match self {
            Target::Symbol { library, .. } | Target::Block { library, .. } => Some(library),
            Target::CoreMath { .. } | Target::LibmCrate { .. } => None,
        }
    }
}

/// From the parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Command {
    /// Load the function; the answer is `Loaded` or `Refused`.
    Load { target: Target, ftz: bool },
    /// Call it for the first rows of the columns; the answer is `Ran`.
    Run { rows: usize },
}

/// From the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reply {
    /// Loaded, from this file.
    Loaded { file: Option<PathBuf> },
    /// Cannot be loaded.
    Refused { what: String },
    /// The results are in place; `changed` names parts of the control register that the calls have changed.
    Ran { changed: Option<String> },
}

/// Writes one message.
pub(super) fn send(stream: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, message)?;
    let length = (frame.len() - 4) as u32;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    stream.write_all(&frame)
}

/// Collects bytes until they are a message; reading may stop and go on at any byte.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
}

impl Inbox {
    /// Reads once. `Ok(None)` asks for more.
    ///
    /// # Errors
    /// Those of the stream, also [`io::ErrorKind::WouldBlock`] for one with a time limit;
    /// [`io::ErrorKind::UnexpectedEof`] at its end and [`io::ErrorKind::InvalidData`] for what is no message.
    pub(super) fn read<T: DeserializeOwned>(&mut self, stream: &mut impl Read) -> io::Result<Option<T>> {
        let mut chunk = [0; 4096];
        let n = stream.read(&mut chunk)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.bytes.extend_from_slice(&chunk[..n]);
        let Some(length) = self.bytes.first_chunk::<4>() else { return Ok(None) };
        let end = 4 + u32::from_le_bytes(*length) as usize;
        if end > LONGEST || self.bytes.len() > end {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if self.bytes.len() < end {
            return Ok(None);
        }
        let message = serde_json::from_slice(&self.bytes[4..])?;
        self.bytes.clear();
        Ok(Some(message))
    }
}

/// The shared memory, mapped.
#[derive(Debug)]
pub(super) struct Shared {
    map: MmapRaw,
}

impl Shared {
    /// Bytes of the file.
    const SIZE: usize = HEADER + (MAX_ARITY + 1) * COLUMN;

    /// A new file without a name and its mapping: in memory where the system offers that and has room, else on disk.
    pub(super) fn create() -> io::Result<(File, Shared)> {
        let in_memory = || Self::fill(tempfile::tempfile_in("/dev/shm")?);
        in_memory().or_else(|_| Self::fill(tempfile::tempfile()?))
    }

    /// Sets the blocks of a new file aside, so that a full file system is an error here and not a signal at the first
    /// access, and maps it.
    fn fill(mut file: File) -> io::Result<(File, Shared)> {
        file.write_all(&vec![0; Self::SIZE])?;
        let shared = Shared::open(&file)?;
        Ok((file, shared))
    }

    /// Maps a file made by [`Shared::create`].
    pub(super) fn open(file: &File) -> io::Result<Shared> {
        let map = MmapRaw::map_raw(file)?;
        if map.len() != Self::SIZE {
            let message = format!("the shared memory has {} bytes instead of {}", map.len(), Self::SIZE);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(Shared { map })
    }

    fn counter(&self, index: usize) -> &AtomicU64 {
        // SAFETY: the mapping is page-aligned and longer than its header, of which each counter has a cache line of its own;
        // it lives as long as `self`. Both processes go through this function or store whole aligned words.
        unsafe { AtomicU64::from_ptr(self.map.as_mut_ptr().add(64 * index).cast()) }
    }

    /// The row that is being called, of those of the last `Run`.
    pub(super) fn at(&self) -> &AtomicU64 {
        self.counter(0)
    }

    /// 1 from before the first call of a `Run` until after its last.
    pub(super) fn calling(&self) -> &AtomicU64 {
        self.counter(1)
    }

    /// Start of column `index`: the arguments, then the results.
    pub(super) fn column(&self, index: usize) -> *mut u8 {
        assert!(index <= MAX_ARITY, "there is no column {index}");
        // SAFETY: within the mapping, by its size.
        unsafe { self.map.as_mut_ptr().add(HEADER + index * COLUMN) }
    }

    /// Copies `values` to the start of a column.
    pub(super) fn put<T: Copy>(&self, index: usize, values: &[T]) {
        assert!(size_of_val(values) <= COLUMN, "the rows exceed a batch");
        // SAFETY: source and target do not overlap, and the column is as long as was just checked and aligned to a page.
        // The host leaves the columns alone while it waits for a command.
        unsafe { self.column(index).cast::<T>().copy_from_nonoverlapping(values.as_ptr(), values.len()) };
    }

    /// Copies the results out.
    pub(super) fn take<T: Plain>(&self, values: &mut [T]) {
        assert!(size_of_val(values) <= COLUMN, "the rows exceed a batch");
        // SAFETY: as for `put`; any bits are a `Plain` value, whatever the subject has written.
        unsafe { self.column(MAX_ARITY).cast::<T>().copy_to_nonoverlapping(values.as_mut_ptr(), values.len()) };
    }
}

/// Types of which all bit patterns are values.
pub(super) trait Plain: Copy {}
impl Plain for f32 {}
impl Plain for f64 {}
impl Plain for u16 {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn messages_survive_reading_byte_by_byte() {
        let command = Command::Load { target: Target::CoreMath { symbol: "expf".into() }, ftz: true };
        let mut bytes = Vec::new();
        send(&mut bytes, &command).unwrap();
        let mut inbox = Inbox::default();
        let (last, first) = bytes.split_last().unwrap();
        for byte in first {
            assert_eq!(inbox.read::<Command>(&mut [*byte].as_slice()).unwrap(), None);
        }
        assert_eq!(inbox.read(&mut [*last].as_slice()).unwrap(), Some(command));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let kind = |bytes: &[u8]| Inbox::default().read::<Reply>(&mut &bytes[..]).map_err(|e| e.kind());
        assert_eq!(kind(b""), Err(io::ErrorKind::UnexpectedEof));
        assert_eq!(kind(b"hello there"), Err(io::ErrorKind::InvalidData));
        assert_eq!(kind(b"\x02\0\0\0{}"), Err(io::ErrorKind::InvalidData));
    }

    #[test]
    fn two_mappings_are_one_memory() {
        let (file, ours) = Shared::create().unwrap();
        let theirs = Shared::open(&file).unwrap();
        ours.at().store(7, Ordering::Relaxed);
        assert_eq!(theirs.at().load(Ordering::Relaxed), 7);
        let values: Vec<f64> = (0..BATCH).map(|i| i as f64).collect();
        ours.put(MAX_ARITY, &values);
        let mut back = vec![0.0; BATCH];
        theirs.take(&mut back);
        assert_eq!(back, values);
        let (_, other) = Shared::create().unwrap();
        assert_eq!(other.at().load(Ordering::Relaxed), 0);
    }
}
