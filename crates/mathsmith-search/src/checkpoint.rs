//! Checkpoints: the complete state of a search in one file, written whole or not at all.
//!
//! Layout: one line of text, `mathsmith-checkpoint VERSION BYTES CHECKSUM`, then `BYTES` bytes of payload: sections,
//! each with its length before it in 8 bytes, little-endian. The first is the JSON of [`Header`], the second that of the
//! [`State`], then comes one for each island with the bytes of [`SeenKeys::to_bytes`]. The checksum is FNV-1a over the
//! payload. The keys seen are part of the state because what is refused as a duplicate decides what is evaluated:
//! without them a resumed run would end elsewhere.

use crate::{EngineSettings, SeenKeys, State};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Version of the layout; it changes with every change of meaning.
const LAYOUT: u32 = 1;
const MAGIC: &str = "mathsmith-checkpoint";

/// Why a checkpoint could not be written or taken up.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The checkpoint file, or its temporary name.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not start as a checkpoint does.
    #[error("{} is not a checkpoint of mathsmith; name the checkpoint file of the run to be resumed", path.display())]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// Bytes are missing at the end, or there are too many.
    #[error(
        "{} is truncated ({what}); restore it from a copy, or delete it and start the search anew with the same seed",
        path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// How much is there.
        what: String,
    },
    /// The checksum does not fit, or the content makes no sense.
    #[error(
        "{} is damaged ({what}); restore it from a copy, or delete it and start the search anew with the same seed",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// Another version wrote it.
    #[error(
        "{} was written by {found}, this is {expected}; resume it with that version, or start the search anew",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Version and layout in the file.
        found: String,
        /// Version and layout of this program.
        expected: String,
    },
    /// It belongs to another search.
    #[error("{} belongs to another search: its {what} differ; resume with the problem and settings of that run", path.display())]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
}

/// What must agree before a checkpoint is taken up.
#[derive(Serialize, Deserialize)]
struct Header {
    version: String,
    fingerprint: String,
    settings: EngineSettings,
}

/// 64-bit FNV-1a.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn version() -> String {
    format!("mathsmith {} (layout {LAYOUT})", env!("CARGO_PKG_VERSION"))
}

/// The bytes of a checkpoint: the same for the same state.
pub fn to_bytes<G: Serialize>(
    state: &State<G>,
    settings: &EngineSettings,
    fingerprint: &str,
) -> Result<Vec<u8>, serde_json::Error> {
    let header = Header { version: version(), fingerprint: fingerprint.to_string(), settings: settings.clone() };
    let mut payload = Vec::new();
    let mut section = |bytes: &[u8]| {
        payload.extend((bytes.len() as u64).to_le_bytes());
        payload.extend_from_slice(bytes);
    };
    section(&serde_json::to_vec(&header)?);
    section(&serde_json::to_vec(state)?);
    for island in &state.islands {
        section(&island.seen.to_bytes());
    }
    let mut out = format!("{MAGIC} {LAYOUT} {} {:016x}\n", payload.len(), fnv1a(&payload)).into_bytes();
    out.extend(payload);
    Ok(out)
}

/// Writes a checkpoint under a temporary name in the same folder and renames it.
///
/// # Errors
/// [`CheckpointError::Io`]; whatever was at `path` before is still there then.
pub fn save<G: Serialize>(
    path: &Path,
    state: &State<G>,
    settings: &EngineSettings,
    fingerprint: &str,
) -> Result<(), CheckpointError> {
    let mut name = path.as_os_str().to_os_string();
    name.push(".tmp");
    let temporary = PathBuf::from(name);
    let fail = |action, path: &Path, source| CheckpointError::Io { path: path.to_path_buf(), action, source };
    let bytes = to_bytes(state, settings, fingerprint).map_err(|e| fail("encode", path, e.into()))?;
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.sync_all()
    });
    if let Err(source) = written {
        // The message that matters is the first one; a leftover that cannot be removed either changes nothing.
        let _ = fs::remove_file(&temporary);
        return Err(fail("write", &temporary, source));
    }
    fs::rename(&temporary, path).map_err(|source| fail("rename to", path, source))
}

/// Reads a checkpoint of the same search.
///
/// # Errors
/// [`CheckpointError`], which names the file and the way out.
pub fn load<G: Serialize + DeserializeOwned>(
    path: &Path,
    settings: &EngineSettings,
    fingerprint: &str,
) -> Result<State<G>, CheckpointError> {
    let bytes = fs::read(path).map_err(|source| CheckpointError::Io {
        path: path.to_path_buf(),
        action: "read the checkpoint",
        source,
    })?;
    from_bytes(path, &bytes, settings, fingerprint)
}

fn from_bytes<G: Serialize + DeserializeOwned>(
    path: &Path,
    bytes: &[u8],
    settings: &EngineSettings,
    fingerprint: &str,
) -> Result<State<G>, CheckpointError> {
    let alien = || CheckpointError::NotACheckpoint { path: path.to_path_buf() };
    let damaged = |what: &str| CheckpointError::Damaged { path: path.to_path_buf(), what: what.to_string() };
    let truncated = |what: String| Err(CheckpointError::Truncated { path: path.to_path_buf(), what });
    let magic = &MAGIC.as_bytes()[..MAGIC.len().min(bytes.len())];
    if !bytes.starts_with(magic) {
        return Err(alien());
    }
    let Some(end) = bytes.iter().position(|&b| b == b'\n') else {
        return truncated("its first line has no end".to_string());
    };
    let (line, payload) = (&bytes[..end], &bytes[end + 1..]);
    let line = std::str::from_utf8(line).map_err(|_| damaged("its first line is no text"))?;
    let mut words = line.split(' ').skip(1);
    let layout: u32 = words.next().and_then(|w| w.parse().ok()).ok_or_else(|| damaged("no layout number"))?;
    if layout != LAYOUT {
        let found = format!("another version of mathsmith (layout {layout})");
        return Err(CheckpointError::Version { path: path.to_path_buf(), found, expected: version() });
    }
    let expected: u64 = words.next().and_then(|w| w.parse().ok()).ok_or_else(|| damaged("no length"))?;
    let sum = words.next().and_then(|w| u64::from_str_radix(w, 16).ok()).ok_or_else(|| damaged("no checksum"))?;
    let found = payload.len() as u64;
    if found != expected {
        return truncated(format!("{found} of {expected} bytes are there"));
    }
    if fnv1a(payload) != sum {
        return Err(damaged("its checksum does not fit"));
    }
    let mut rest = payload;
    let mut section = || {
        let (length, tail) = rest.split_first_chunk::<8>()?;
        let (section, tail) = tail.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        rest = tail;
        Some(section)
    };
    let mut json = || section().ok_or_else(|| damaged("a section is too short"));
    let header: Header = serde_json::from_slice(json()?).map_err(|e| damaged(&e.to_string()))?;
    if header.version != version() {
        let (found, expected) = (header.version, version());
        return Err(CheckpointError::Version { path: path.to_path_buf(), found, expected });
    }
    let other = |what| Err(CheckpointError::OtherRun { path: path.to_path_buf(), what });
    if header.fingerprint != fingerprint {
        return other("problem or grammar");
    }
    if header.settings != *settings {
        return other("search settings");
    }
    let mut state: State<G> = serde_json::from_slice(json()?).map_err(|e| damaged(&e.to_string()))?;
    if state.islands.len() != settings.islands.max(1) as usize {
        return Err(damaged("the number of islands does not fit"));
    }
    for island in &mut state.islands {
        let keys = section().and_then(SeenKeys::from_bytes);
        island.seen = keys.ok_or_else(|| damaged("the keys of an island do not fit"))?;
    }
    Ok(state)
}
