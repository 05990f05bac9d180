//! The parent's hold on one host: starting it, talking to it, and telling how it ended.

use super::protocol::{Command, Inbox, Reply, Shared, send};
use crate::error::signal_name;
use crate::process::{Collected, Excess, collect, signal_of, text};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use serde::Serialize;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// Bytes that are kept of what a subject prints.
const SAID: usize = 1 << 14;
/// Time that a process has to end by itself once its socket is closed.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How a host, or the calls in it, ended before they should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// `crashed with SIGSEGV, invalid memory access`, `did not return within 10 s`.
    pub(super) what: String,
    /// What was printed, shortened.
    pub(super) said: String,
    /// The row that was being called, if one was.
    pub(super) at: Option<usize>,
}

impl Failure {
    /// A failure without calls.
    pub(super) fn new(what: impl Into<String>) -> Failure {
        Failure { what: what.into(), said: String::new(), at: None }
    }

    /// The whole message.
    pub(super) fn message(&self) -> String {
        if self.said.is_empty() { self.what.clone() } else { format!("{}; it said: {}", self.what, self.said) }
    }
}

/// A running host; it is killed, with all that it has started, and waited for when this is dropped.
#[derive(Debug)]
pub(super) struct HostProcess {
    child: Child,
    socket: UnixStream,
    inbox: Inbox,
    said: Receiver<Collected>,
    timeout: Duration,
    /// Columns and counters.
    pub(super) shared: Shared,
    ended: Option<ExitStatus>,
}

impl HostProcess {
    /// Starts `command`, which must run [`super::host_main`].
    pub(super) fn start(command: &[OsString], timeout: Duration) -> io::Result<HostProcess> {
        let Some((program, args)) = command.split_first() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program is named"));
        };
        let (file, shared) = Shared::create()?;
        let (socket, theirs) = UnixStream::pair()?;
        let tick = (timeout / 8).clamp(Duration::from_millis(1), Duration::from_millis(200));
        socket.set_read_timeout(Some(tick))?;
        let mut child = std::process::Command::new(program)
            .args(args)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(file))
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let said = collect(child.stderr.take(), SAID, Excess::Drop);
        Ok(HostProcess { child, socket, inbox: Inbox::default(), said, timeout, shared, ended: None })
    }

    /// Time without progress from now on.
    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Sends a command and waits for the answer.
    pub(super) fn ask(&mut self, command: &Command) -> Result<Reply, Failure> {
        self.tell(command)?;
        self.answer()
    }

    fn tell(&mut self, command: &impl Serialize) -> Result<(), Failure> {
        self.shared.at().store(0, Ordering::Relaxed);
        self.shared.calling().store(0, Ordering::Release);
        send(&mut self.socket, command).map_err(|_| self.ended())
    }

    /// Waits for an answer as long as the row that is called keeps changing.
    fn answer(&mut self) -> Result<Reply, Failure> {
        let mut progress = (self.progress(), Instant::now());
        loop {
            match self.inbox.read(&mut self.socket) {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    let now = self.progress();
                    if now != progress.0 {
                        progress = (now, Instant::now());
                    } else if progress.1.elapsed() >= self.timeout {
                        let what = format!("did not return within {:?} and was killed", self.timeout);
                        return Err(self.killed(what));
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                    return Err(self.killed("wrote into the channel of its host and was killed".into()));
                }
                Err(_) => return Err(self.ended()),
            }
        }
    }

    /// Anything that changes while calls return.
    fn progress(&self) -> (u64, u64) {
        (self.shared.at().load(Ordering::Relaxed), self.shared.calling().load(Ordering::Acquire))
    }

    /// The row of the call that is under way.
    fn row(&self) -> Option<usize> {
        let calling = self.shared.calling().load(Ordering::Acquire) == 1;
        let at = usize::try_from(self.shared.at().load(Ordering::Relaxed)).ok()?;
        calling.then_some(at)
    }

    /// Kills the host for a reason.
    fn killed(&mut self, what: String) -> Failure {
        let at = self.row();
        self.kill();
        Failure { what, said: self.said(), at }
    }

    /// Reports a host whose socket is closed.
    fn ended(&mut self) -> Failure {
        let at = self.row();
        let deadline = Instant::now() + LAST_WORDS;
        while !self.has_ended() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        let by_itself = self.has_ended();
        self.kill();
        let status = self.ended.filter(|_| by_itself);
        let what = match status {
            None => "closed the channel of its host without ending".to_string(),
            Some(status) => match status.code() {
                Some(code) => format!("ended its process with exit code {code}"),
                None => format!("crashed with {}", signal_name(signal_of(status))),
            },
        };
        Failure { what, said: self.said(), at }
    }

    /// Whether the process has ended; it is not waited for.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let Some(pid) = self.pid() else { return true };
        !matches!(rustix::process::waitid(WaitId::Pid(pid), options), Ok(None))
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    /// What the subject has printed; short, on one line, without control characters.
    fn said(&self) -> String {
        let text = text(&self.said);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let printable = words.chars().filter(|c| !c.is_control());
        let mut short: String = printable.take(400).collect();
        if short.chars().count() == 400 {
            short.push_str(" ...");
        }
        short
    }

    /// Ends the host and its process group, and waits for it.
    fn kill(&mut self) {
        if self.ended.is_some() {
            return;
        }
        // The group has the number of its leader, which cannot pass to strangers before the leader is waited for below.
        if let Some(group) = self.pid() {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        // This fails only if the host has ended meanwhile.
        let _ = self.child.kill();
        self.ended = self.child.wait().ok();
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
