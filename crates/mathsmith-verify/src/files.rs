//! Files of results: written to a temporary name and renamed, so that none is ever half-written.

use std::io::Write;
use std::path::{Path, PathBuf};

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{action} {}: {source}", path.display())]
pub struct FileError {
    /// What was tried: "cannot write", "cannot read", "cannot create".
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// The system's answer.
    pub source: std::io::Error,
}

impl FileError {
    fn new(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> FileError {
        let path = path.to_path_buf();
        move |source| FileError { action, path, source }
    }
}

/// Writes `bytes` to `path` by way of a temporary file in the same folder and a rename.
///
/// # Errors
/// [`FileError`]; the temporary file is removed.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let tmp = path.with_file_name(format!(
        ".{}.{}.tmp",
        path.file_name().map_or_else(|| "file".into(), |n| n.to_string_lossy()),
        std::process::id()
    ));
    let write = || {
        let mut file = std::fs::File::create(&tmp)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&tmp, path)
    };
    write().map_err(|e| {
        let _ = std::fs::remove_file(&tmp);
        FileError::new("cannot write", path)(e)
    })
}

/// Reads a whole text file.
///
/// # Errors
/// [`FileError`] with the path.
pub fn read(path: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(path).map_err(FileError::new("cannot read", path))
}

/// Removes a file if it is there.
///
/// # Errors
/// [`FileError`] if it is there and stays.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(FileError::new("cannot remove", path)(e)),
        _ => Ok(()),
    }
}

/// Creates the folder (and its parents) and proves that a file can be written there; leaves nothing behind but folders.
///
/// # Errors
/// [`FileError`] if the folder cannot be made or written.
pub fn prepare_dir(dir: &Path) -> Result<(), FileError> {
    std::fs::create_dir_all(dir).map_err(FileError::new("cannot create", dir))?;
    let probe = dir.join(format!(".probe.{}.tmp", std::process::id()));
    std::fs::write(&probe, b"").map_err(FileError::new("cannot write into", dir))?;
    std::fs::remove_file(&probe).map_err(FileError::new("cannot write into", dir))
}

/// A folder that this process alone writes into. The lock ends with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: std::fs::File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What stays behind is an empty file without a lock on it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Locks a folder.
///
/// # Errors
/// [`FileError`] if another process holds it, or the lock file cannot be written.
pub fn lock(dir: &Path) -> Result<Lock, FileError> {
    let path = dir.join(".mathsmith.lock");
    let file = std::fs::File::create(&path).map_err(FileError::new("cannot write", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { path, _file: file }),
        Err(std::fs::TryLockError::WouldBlock) => Err(FileError {
            action: "cannot use",
            path: dir.to_path_buf(),
            source: std::io::Error::other(
                "another run is writing into it; wait for it or name another folder with --out",
            ),
        }),
        Err(std::fs::TryLockError::Error(e)) => Err(FileError::new("cannot lock", &path)(e)),
    }
}
