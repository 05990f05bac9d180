//! Progress on the terminal: one line redrawn in place; nothing when standard error is not a terminal.

use mathsmith_approx::observe::{Event, Observer, time_left};
use mathsmith_measure::render::grouped;
use std::io::{IsTerminal, Write};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

static STOP: AtomicBool = AtomicBool::new(false);

/// Installs the Ctrl-C handler once: the first asks the run to save and stop, the second ends the process.
pub fn stop_flag() -> &'static AtomicBool {
    stop_flag_saying("stopping: saving the run (Ctrl-C again ends at once)")
}

/// As [`stop_flag`], with what is said at the first Ctrl-C.
pub fn stop_flag_saying(message: &'static str) -> &'static AtomicBool {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        // Without a handler Ctrl-C simply ends the process; the last checkpoint stays.
        let _ = ctrlc::set_handler(move || {
            if STOP.swap(true, std::sync::atomic::Ordering::SeqCst) {
                std::process::exit(130);
            }
            eprintln!("\n{message}");
        });
    });
    &STOP
}

/// Draws events.
pub struct Terminal {
    quiet: bool,
    live: bool,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    width: usize,
    last: Option<Instant>,
}

impl Terminal {
    /// A display for this process; `quiet` shows nothing at all.
    pub fn new(quiet: bool) -> Self {
        let live = std::io::stderr().is_terminal();
        Terminal { quiet: quiet || !live, live, started: Instant::now(), state: Mutex::default() }
    }

    fn line(&self, text: &str, keep: bool) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !keep && state.last.is_some_and(|t| t.elapsed() < Duration::from_millis(100)) {
            return;
        }
        state.last = Some(Instant::now());
        let width = text.chars().count();
        let pad = state.width.saturating_sub(width);
        let mut err = std::io::stderr().lock();
        // A terminal that went away must not end a long run.
        let _ = if keep {
            writeln!(err, "\r{text}{:pad$}", "")
        } else {
            write!(err, "\r{text}{:pad$}", "").and_then(|()| err.flush())
        };
        state.width = if keep { 0 } else { width };
    }

    /// Shows how far a measurement of some subjects is.
    pub fn measured(&self, subjects: usize, done: u64, total: u64) {
        if self.quiet {
            return;
        }
        let what = if subjects == 1 { "subject" } else { "subjects" };
        let left = short(time_left(done, total, self.started.elapsed()));
        let at = self.started.elapsed().as_secs();
        let (done, total) = (grouped(done), grouped(total));
        self.line(&format!("{at:>4} s  {subjects} {what}: {done} of {total} inputs, {left}"), false);
    }

    /// Shows what is going on in a line that the next one replaces.
    pub fn doing(&self, text: &str) {
        if !self.quiet {
            self.line(&format!("{:>4} s  {text}", self.started.elapsed().as_secs()), false);
        }
    }

    /// Removes the live line.
    pub fn clear(&self) {
        if !self.quiet && self.live {
            let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            eprint!("\r{:1$}\r", "", state.width);
            state.width = 0;
        }
    }
}

fn short(d: Option<Duration>) -> String {
    match d {
        None => String::from("time left unknown"),
        Some(d) if d.as_secs() >= 120 => format!("{} min left", d.as_secs().div_ceil(60)),
        Some(d) => format!("{} s left", d.as_secs_f64().ceil()),
    }
}

fn best_text(best: &[(u32, f64)]) -> String {
    let shown = best.len().min(6);
    best[best.len() - shown..].iter().map(|(ops, e)| format!("{ops}:{e:.2e}")).collect::<Vec<_>>().join("  ")
}

impl Observer for Terminal {
    fn event(&self, event: &Event) {
        if self.quiet {
            return;
        }
        let at = self.started.elapsed().as_secs();
        match event {
            Event::Stage(name) => self.line(&format!("{at:>4} s  {name}"), true),
            Event::Note(text) => self.line(&format!("note: {text}"), true),
            Event::Search { variant, evaluations, total, best, left } => {
                let total = total.map_or_else(String::new, |t| format!(" of {}", grouped(t)));
                self.line(
                    &format!(
                        "{at:>4} s  {variant}: {}{total} evaluations, {}; ops:error {}",
                        grouped(*evaluations),
                        short(*left),
                        best_text(best)
                    ),
                    false,
                );
            }
            Event::Round { done, total } => {
                self.line(&format!("{at:>4} s  rounding constants: {done} of {total} programs"), false);
            }
            Event::Sweep { done, total, programs, left } => self.line(
                &format!(
                    "{at:>4} s  sweep of {programs} programs: {} of {} inputs, {}",
                    grouped(*done),
                    grouped(*total),
                    short(*left)
                ),
                false,
            ),
        }
    }

    fn stop(&self) -> &AtomicBool {
        stop_flag()
    }
}
