//! Running a program under limits of time and output.

use crate::NativeError;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Limits of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock time until the program is killed.
    pub timeout: Duration,
    /// Bytes of standard output until the program is killed.
    pub stdout: usize,
    /// Bytes of standard error that are kept; what comes after is read and dropped.
    pub stderr: usize,
}

impl Default for Limits {
    /// One minute, 1 GiB of output, 1 MiB of messages.
    fn default() -> Self {
        Limits { timeout: Duration::from_secs(60), stdout: 1 << 30, stderr: 1 << 20 }
    }
}

impl Limits {
    /// The default limits with another time.
    pub fn within(timeout: Duration) -> Limits {
        Limits { timeout, ..Limits::default() }
    }
}

/// What a program that ended by itself left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, as text; invalid UTF-8 is replaced.
    pub stderr: String,
    /// Wall-clock time from start to end.
    pub elapsed: Duration,
}

/// Runs `program` with `args`, writes `stdin` to it and waits for its end; any exit code is an answer.
///
/// On Unix the program leads a process group of its own, so that a timeout also ends what it has started.
///
/// # Errors
/// [`NativeError::Start`], [`NativeError::Timeout`], [`NativeError::TooMuchOutput`], [`NativeError::Signal`], and
/// [`NativeError::Io`] if its state cannot be read.
pub fn run(program: &Path, args: &[&str], stdin: Vec<u8>, limits: Limits) -> Result<Output, NativeError> {
    let mut command = Command::new(program);
    command.args(args);
    run_command(command, stdin, limits)
}

/// [`run`] for a prepared command (environment, folder); its standard streams are replaced.
///
/// # Errors
/// As for [`run`].
pub fn run_command(mut command: Command, stdin: Vec<u8>, limits: Limits) -> Result<Output, NativeError> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let program = Path::new(command.get_program()).to_path_buf();
    let start = Instant::now();
    let deadline = start + limits.timeout;
    let mut child = command.spawn().map_err(|cause| NativeError::Start { program: program.clone(), cause })?;
    feed(child.stdin.take(), stdin);
    let stdout = collect(child.stdout.take(), limits.stdout, Excess::Stop);
    let stderr = collect(child.stderr.take(), limits.stderr, Excess::Drop);
    let mut running = Running(Some(child));

    // End of output comes with the end of the program, or shortly before it.
    let said = stdout.recv_timeout(limits.timeout);
    let too_much = said.as_ref().is_ok_and(|s| s.exceeded);
    let status = if said.is_err() || too_much { None } else { running.wait_until(deadline, &program)? };
    let Some(status) = status else {
        running.kill();
        if too_much {
            return Err(NativeError::TooMuchOutput { program, limit: limits.stdout });
        }
        return Err(NativeError::Timeout { program, limit: limits.timeout, stderr: text(&stderr) });
    };
    let elapsed = start.elapsed();
    let stderr = text(&stderr);
    match status.code() {
        Some(code) => {
            let stdout = said.map(|s| s.bytes).unwrap_or_default();
            Ok(Output { code, stdout, stderr, elapsed })
        }
        None => Err(NativeError::Signal { program, signal: signal_of(status), stderr }),
    }
}

/// The child until it has been waited for; killed if that never happens.
struct Running(Option<Child>);

impl Running {
    /// Waits for the end; `None` at the deadline.
    fn wait_until(&mut self, deadline: Instant, program: &Path) -> Result<Option<ExitStatus>, NativeError> {
        let Some(child) = &mut self.0 else { return Ok(None) };
        let mut pause = Duration::from_micros(50);
        loop {
            let state = child.try_wait();
            let what = || format!("cannot wait for {}", program.display());
            if let Some(status) = state.map_err(|cause| NativeError::Io { what: what(), cause })? {
                self.0 = None;
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            thread::sleep(pause);
            pause = (2 * pause).min(Duration::from_millis(10));
        }
    }

    /// Ends the child and its process group.
    fn kill(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        #[cfg(unix)]
        {
            // The standard library signals single processes only. The group exists as long as its leader has not been
            // waited for, so its number cannot have passed to strangers.
            let group = format!("kill -KILL -{}", child.id());
            let quiet = || Stdio::null();
            let _ = Command::new("sh").args(["-c", &group]).stdin(quiet()).stdout(quiet()).stderr(quiet()).status();
        }
        // Both fail only if the child has ended meanwhile.
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Writes `bytes` to the child from a thread of its own, which ends when the pipe does.
fn feed(pipe: Option<impl Write + Send + 'static>, bytes: Vec<u8>) {
    if let Some(mut pipe) = pipe {
        // A program may end without having read everything: a closed pipe is no error of ours.
        thread::spawn(move || drop(pipe.write_all(&bytes)));
    }
}

/// What a reader does with more bytes than it keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// Ends at once and says so.
    Stop,
    /// Reads on, so that the writer is not blocked.
    Drop,
}

/// What a reader has found.
pub(crate) struct Collected {
    bytes: Vec<u8>,
    exceeded: bool,
}

/// Reads a stream to its end in a thread of its own. The thread is detached: a grandchild that keeps the pipe open must
/// not keep us waiting.
pub(crate) fn collect(pipe: Option<impl Read + Send + 'static>, limit: usize, excess: Excess) -> Receiver<Collected> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut found = Collected { bytes: Vec::new(), exceeded: false };
        let mut chunk = vec![0; 1 << 16];
        let mut pipe = pipe;
        while let Some(reader) = &mut pipe {
            match reader.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => {
                    let kept = n.min(limit - found.bytes.len());
                    found.bytes.extend_from_slice(&chunk[..kept]);
                    found.exceeded |= kept < n;
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
            if found.exceeded && excess == Excess::Stop {
                break;
            }
        }
        // Nobody listens any more after a timeout.
        let _ = sender.send(found);
    });
    receiver
}

/// Standard error once its writer is gone, waiting a moment for the reader to notice.
pub(crate) fn text(stderr: &Receiver<Collected>) -> String {
    let found = stderr.recv_timeout(Duration::from_secs(1));
    found.map(|c| String::from_utf8_lossy(&c.bytes).into_owned()).unwrap_or_default()
}

#[cfg(unix)]
pub(crate) fn signal_of(status: ExitStatus) -> i32 {
    std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0)
}

#[cfg(not(unix))]
pub(crate) fn signal_of(_: ExitStatus) -> i32 {
    0
}
