//! The child process that calls a subject.
//!
//! The program that runs [`host_main`] is started by [`super::Subject::start`] with a socket as its standard input and the
//! file of the shared memory as its standard output (see `protocol`). Before anything foreign is loaded both are moved
//! away: the subject reads an empty standard input, and what it prints goes to standard error, which the parent keeps.
//!
//! The host ends when its parent does, even while the subject never returns: a thread waits for the other end of the socket
//! to go away. It leads a process group of its own, which goes with it.

use super::call::{BlockFunction, Function};
use super::control::Calls;
use super::protocol::{BATCH, Command, Inbox, MAX_ARITY, Reply, Shared, Target, send};
use super::vector::Rows;
use super::{BLOCK_SYMBOL, libraries, tables};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Resource, Rlimit, Signal};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Serves one parent until it goes away: what the hidden command `mathsmith subject-host` runs.
///
/// The exit code is 0 at the end of the parent, and 2, with a message on standard error, where the process was not started
/// by one.
pub fn host_main() -> ExitCode {
    match Host::take_over().and_then(Host::serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: the host of subjects cannot run: {e}");
            eprintln!("  help: this command is started by mathsmith for itself; use `mathsmith measure`");
            ExitCode::from(2)
        }
    }
}

/// The streams and the memory of this process.
struct Host {
    parent: UnixStream,
    shared: Shared,
}

/// What is being called.
struct Loaded {
    function: Function,
    ftz: bool,
    /// Keeps the code mapped.
    _library: Option<Library>,
}

impl Host {
    /// Takes socket and memory off the standard streams and puts harmless ones in their place.
    fn take_over() -> io::Result<Host> {
        let parent = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        parent.peer_addr().map_err(|e| io::Error::new(e.kind(), format!("standard input is no socket ({e})")))?;
        let shared = Shared::open(&File::from(io::stdout().as_fd().try_clone_to_owned()?))?;
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        rustix::stdio::dup2_stdout(io::stderr())?;
        // A crash is expected here and reported; its image on disk would only be left behind.
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        rustix::process::setrlimit(Resource::Core, none)?;
        let watched = OwnedFd::from(parent.try_clone()?);
        std::thread::Builder::new().name("parent".into()).spawn(move || end_with(&watched))?;
        Ok(Host { parent, shared })
    }

    /// Answers commands until the parent goes away.
    fn serve(mut self) -> io::Result<()> {
        let mut inbox = Inbox::default();
        let mut loaded = None;
        loop {
            let command = match inbox.read(&mut self.parent) {
                Ok(Some(command)) => command,
                Ok(None) => continue,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if matches!(e.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
                    return Ok(());
                }
                Err(e) => return Err(e),
            };
            let reply = match command {
                Command::Load { target, ftz } => match load(&target) {
                    Ok((function, file, library)) => {
                        loaded = Some(Loaded { function, ftz, _library: library });
                        Reply::Loaded { file }
                    }
                    Err(what) => Reply::Refused { what },
                },
                Command::Run { rows } => match &loaded {
                    Some(loaded) if rows <= BATCH => Reply::Ran { changed: self.run(loaded, rows) },
                    _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "there is nothing to run")),
                },
            };
            send(&mut self.parent, &reply)?;
        }
    }

    /// Calls the function for the first rows of the columns.
    fn run(&self, loaded: &Loaded, n: usize) -> Option<String> {
        let [x, y, output] = [self.shared.column(0), self.shared.column(1), self.shared.column(MAX_ARITY)];
        let rows = Rows { inputs: [x, y], output, n, at: self.shared.at().as_ptr() };
        self.shared.calling().store(1, Ordering::Release);
        let calls = Calls::begin(loaded.ftz);
        // SAFETY: each column has `BATCH` elements of any type and `n` is not more. That the function is sound, and of the
        // type that was asked for, nobody can know: that is why it is called in this process, which holds nothing else.
        unsafe { loaded.function.run(rows) };
        let changed = calls.end();
        self.shared.calling().store(0, Ordering::Release);
        changed
    }
}

/// Finds the function; also gives the file it was loaded from, and what keeps it loaded.
fn load(target: &Target) -> Result<(Function, Option<PathBuf>, Option<Library>), String> {
    let of_crate = |table, symbol: &str| {
        let found = tables::find(table, symbol).ok_or_else(|| format!("the crate has no function `{symbol}`"));
        found.map(|(function, _)| (function, None, None))
    };
    match target {
        Target::CoreMath { symbol } => of_crate(tables::CORE_MATH, symbol),
        Target::LibmCrate { symbol } => of_crate(tables::LIBM, symbol),
        Target::Symbol { library, symbol, element, arity, isa } => {
            let (library, address) = open(library, symbol)?;
            // SAFETY: whether the type is right only the person who named it knows, or the table of C's names.
            let function = unsafe { Function::at(address, *element, *arity, *isa) }?;
            Ok((function, libraries::file_of(address), Some(library)))
        }
        Target::Block { library, .. } => {
            let (library, address) = open(library, BLOCK_SYMBOL)?;
            // SAFETY: built sources export this name with this type.
            let block = unsafe { std::mem::transmute::<*const (), BlockFunction>(address) };
            Ok((Function::Block(block), libraries::file_of(address), Some(library)))
        }
    }
}

/// Loads a library and looks up a name in it.
fn open(path: &Path, symbol: &str) -> Result<(Library, *const ()), String> {
    // SAFETY: runs the library's start-up code, which may do anything to this process.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
    let library = library.map_err(|e| format!("the loader refuses {}: {}", path.display(), cause(&e)))?;
    // SAFETY: only the address is taken here.
    let address = unsafe { library.get::<*const ()>(symbol.as_bytes()) }
        .map_err(|e| format!("the loader finds no `{symbol}` in {}: {}", path.display(), cause(&e)))?
        .as_raw_ptr()
        .cast_const()
        .cast();
    Ok((library, address))
}

/// The loader's own words.
fn cause(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |source| source.to_string())
}

/// Waits until the other end of the socket is closed, then ends this process and all that it has started.
fn end_with(parent: &OwnedFd) {
    loop {
        let mut watched = [PollFd::new(parent, PollFlags::empty())];
        match poll(&mut watched, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) if watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) => break,
            Ok(_) => {}
        }
    }
    let own = rustix::process::getpid();
    // Neither can fail for processes of one's own; without an end by this signal the main thread sees the end of file.
    if rustix::process::getpgrp() == own {
        let _ = rustix::process::kill_process_group(own, Signal::KILL);
    }
    let _ = rustix::process::kill_process(own, Signal::KILL);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::{Element, Isa};

    #[test]
    fn what_cannot_be_loaded_is_refused_in_words() {
        let refused = |target: Target| load(&target).err().unwrap();
        let symbol = |library: &str, symbol: &str| Target::Symbol {
            library: library.into(),
            symbol: symbol.into(),
            element: Element::F32,
            arity: 1,
            isa: Isa::Scalar,
        };
        assert!(refused(symbol("/nowhere/libfoo.so", "f")).contains("/nowhere/libfoo.so"));
        assert!(refused(Target::CoreMath { symbol: "frob".into() }).contains("`frob`"));
        let libm = libraries::LIBM.find("test").unwrap().path;
        assert!(refused(symbol(&libm.to_string_lossy(), "frob")).contains("`frob`"));
    }

    #[test]
    fn a_loaded_function_comes_from_the_file_that_was_found() {
        let found = libraries::LIBM.find("test").unwrap().path;
        let target = Target::Symbol {
            library: found.clone(),
            symbol: "exp".into(),
            element: Element::F64,
            arity: 1,
            isa: Isa::Scalar,
        };
        let (_, file, _) = load(&target).unwrap();
        assert_eq!(file, Some(found));
    }
}
