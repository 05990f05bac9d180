//! The child process that takes the times.
//!
//! It reads a [`Request`] from standard input: contestants to be timed in turn, round after round, on one core, or the kernels
//! of a calibration; the times go to standard output. Whatever the contestants do to their process, they do it there. Every round also times a
//! chain of dependent integer additions, one cycle each, so that times can be told in cycles.

use crate::stats::Quartiles;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use mathsmith_native::subject::{Spec, crate_function};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Exported by what is compiled for a timing: `void(const float *x, float *y, size_t n)`, the function at every element.
pub const THROUGHPUT_SYMBOL: &str = "mathsmith_bench_throughput";
/// Exported by what is compiled for a timing: `float(const float *x, float zero, size_t n)`, the function at `x[i] + zero *
/// y`, y being the result before; returns the last.
pub const LATENCY_SYMBOL: &str = "mathsmith_bench_latency";

/// Where the code of a contestant is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A shared library that exports [`THROUGHPUT_SYMBOL`] and, if it has a latency, [`LATENCY_SYMBOL`].
    Library(PathBuf),
    /// A function of a crate that is linked into this program.
    Crate(Spec),
}

/// One contestant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrant {
    /// The code.
    pub code: Code,
    /// Elements of one call: 1, or the lanes of a vector function.
    pub lanes: u32,
    /// Whether a chain of dependent calls is timed too.
    pub latency: bool,
}

/// What is timed, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Bit patterns of the inputs.
    pub inputs: Vec<u32>,
    /// Contestants, in the order of the answer.
    pub entrants: Vec<Entrant>,
    /// Rounds, at least 1.
    pub rounds: u32,
    /// Nanoseconds that a single timing should last at least.
    pub slice_ns: u32,
}

/// What the child process is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Contestants timed in turn; answered with an [`Answer`].
    Bench(Job),
    /// Kernels of a calibration; answered with [`KernelTimes`].
    Kernels(KernelJob),
}

/// Kernels of a calibration: functions `void kernel_N(size_t rounds)` of a library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KernelJob {
    /// The library.
    pub library: PathBuf,
    /// Repetitions in one round of each kernel; as many as there are kernels.
    pub copies: Vec<u32>,
    /// Rounds in which each kernel is timed once.
    pub rounds: u32,
    /// Nanoseconds that a single timing should last at least.
    pub slice_ns: u32,
}

/// The answer to a [`KernelJob`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KernelTimes {
    /// Cycles a nanosecond, round by round.
    pub clock: Vec<f64>,
    /// Cycles of one repetition of each kernel, round by round.
    pub cycles: Vec<Vec<f64>>,
}

/// Times of one contestant, a figure a round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// Nanoseconds an element.
    pub throughput: Vec<f64>,
    /// Nanoseconds a call of a chain; empty where none was timed.
    pub latency: Vec<f64>,
    /// Whether every result of the chain was finite: a chain that is stuck at NaN says nothing.
    pub finite: bool,
}

/// The answer to a [`Job`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The core that everything ran on; `None` where the system did not allow to choose one.
    pub core: Option<usize>,
    /// Cycles a nanosecond, round by round.
    pub clock: Vec<f64>,
    /// Times, in the order of the entrants.
    pub times: Vec<Times>,
}

impl Answer {
    /// The clock in GHz.
    pub fn ghz(&self) -> Option<Quartiles> {
        Quartiles::of(&self.clock)
    }
}

/// Calls of a chain.
const CHAIN: usize = 1024;

/// Serves one job: what the hidden command `mathsmith bench-host` runs. The exit code is 2, with a message on standard error,
/// where the job cannot be done.
pub fn host_main() -> ExitCode {
    let served = || -> Result<(), String> {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|e| format!("there is no job: {e}"))?;
        let request: Request = serde_json::from_str(&text).map_err(|e| format!("this is no job: {e}"))?;
        let text = match request {
            Request::Bench(job) => serde_json::to_string(&serve(&job)?),
            Request::Kernels(job) => serde_json::to_string(&kernels(&job)?),
        };
        let text = text.map_err(|e| e.to_string())?;
        std::io::stdout().write_all(text.as_bytes()).map_err(|e| format!("nobody takes the answer: {e}"))
    };
    match served() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}\n  help: this command is started by mathsmith for itself; use `mathsmith bench`");
            ExitCode::from(2)
        }
    }
}

type ThroughputFunction = unsafe extern "C" fn(*const f32, *mut f32, usize);
type LatencyFunction = unsafe extern "C" fn(*const f32, f32, usize) -> f32;

/// Loops that can be called.
enum Loops {
    Loaded { throughput: ThroughputFunction, latency: Option<LatencyFunction>, _library: Library },
    Function(fn(f32) -> f32),
}

impl Loops {
    fn load(entrant: &Entrant) -> Result<Loops, String> {
        let path = match &entrant.code {
            Code::Crate(spec) => {
                return crate_function(spec).map(Loops::Function).ok_or_else(|| format!("there is no {spec}"));
            }
            Code::Library(path) => path,
        };
        // SAFETY: runs start-up code of the library and of those it needs, which may do anything to this process; it holds
        // nothing but this job.
        let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
        let library = library.map_err(|e| format!("the loader refuses {}: {e}", path.display()))?;
        // SAFETY: what is compiled for a timing exports this name with this type.
        let throughput = unsafe { library.get::<ThroughputFunction>(THROUGHPUT_SYMBOL.as_bytes()) };
        let throughput = *throughput.map_err(|e| format!("{}: {e}", path.display()))?;
        let latency = if entrant.latency {
            // SAFETY: as above.
            let found = unsafe { library.get::<LatencyFunction>(LATENCY_SYMBOL.as_bytes()) };
            Some(*found.map_err(|e| format!("{}: {e}", path.display()))?)
        } else {
            None
        };
        Ok(Loops::Loaded { throughput, latency, _library: library })
    }

    #[inline(never)]
    fn throughput(&self, x: &[f32], y: &mut [f32]) {
        match self {
            // SAFETY: both slices have as many elements as are said. That the foreign code is sound nobody knows, which is why
            // this process does nothing else.
            Loops::Loaded { throughput, .. } => unsafe { throughput(x.as_ptr(), y.as_mut_ptr(), x.len().min(y.len())) },
            Loops::Function(f) => x.iter().zip(y).for_each(|(x, y)| *y = f(*x)),
        }
    }

    #[inline(never)]
    fn latency(&self, x: &[f32], zero: f32) -> Option<f32> {
        match self {
            // SAFETY: as above.
            Loops::Loaded { latency, .. } => latency.map(|f| unsafe { f(x.as_ptr(), zero, x.len()) }),
            Loops::Function(f) => Some(x.iter().fold(0.0, |y, x| f(x + zero * y))),
        }
    }
}

fn serve(job: &Job) -> Result<Answer, String> {
    if job.inputs.is_empty() || job.rounds == 0 {
        return Err("there is nothing to time".into());
    }
    let x: Vec<f32> = job.inputs.iter().map(|&b| f32::from_bits(b)).collect();
    let mut y = vec![0.0f32; x.len()];
    let core = pin();
    let loops = job.entrants.iter().map(Loops::load).collect::<Result<Vec<_>, _>>()?;
    let mut times: Vec<Times> = vec![Times { finite: true, ..Times::default() }; loops.len()];
    let mut clock = Vec::with_capacity(job.rounds as usize);
    let zero = std::hint::black_box(0.0f32);
    let chain = &x[..x.len().min(CHAIN)];
    let slice = f64::from(job.slice_ns);
    // How often a timing repeats its loop.
    let mut repeats = vec![[1u32; 2]; loops.len()];
    for (one, repeats) in loops.iter().zip(&mut repeats) {
        repeats[0] = often_enough(slice, || one.throughput(&x, &mut y));
        repeats[1] = often_enough(slice, || {
            std::hint::black_box(one.latency(chain, zero));
        });
    }
    for round in 0..job.rounds as usize {
        clock.push(cycles_a_nanosecond());
        // Everyone begins a round once in a while.
        for i in (0..loops.len()).map(|i| (i + round) % loops.len()) {
            let (one, own) = (&loops[i], &mut times[i]);
            // Not timed: code, branches and wide units wake up.
            one.throughput(&x, &mut y);
            let [often, chains] = repeats[i];
            let elapsed = nanoseconds(|| (0..often).for_each(|_| one.throughput(&x, &mut y)));
            own.throughput.push(elapsed / (f64::from(often) * x.len() as f64));
            std::hint::black_box(&mut y);
            if !job.entrants[i].latency {
                continue;
            }
            let mut last = None;
            let elapsed = nanoseconds(|| (0..chains).for_each(|_| last = one.latency(chain, zero)));
            own.finite &= last.is_some_and(f32::is_finite);
            let calls = f64::from(chains) * (chain.len() as f64 / f64::from(job.entrants[i].lanes.max(1)));
            own.latency.push(elapsed / calls);
        }
    }
    Ok(Answer { core, clock, times })
}

/// Times the kernels of a calibration.
fn kernels(job: &KernelJob) -> Result<KernelTimes, String> {
    type Kernel = unsafe extern "C" fn(usize);
    pin();
    // SAFETY: the library holds nothing but kernels.
    let library = unsafe { Library::open(Some(&job.library), RTLD_NOW | RTLD_LOCAL) }.map_err(|e| e.to_string())?;
    let mut functions = Vec::with_capacity(job.copies.len());
    for i in 0..job.copies.len() {
        // SAFETY: kernels have this type.
        let function = unsafe { library.get::<Kernel>(format!("kernel_{i}").as_bytes()) };
        functions.push(*function.map_err(|e| e.to_string())?);
    }
    // SAFETY: a kernel reads its own constants, calculates in registers, and returns after so many rounds.
    let run = |f: Kernel, rounds: u32| unsafe { f(rounds as usize) };
    let slice = f64::from(job.slice_ns);
    // Of ten rounds each, since one is over too soon for the clock.
    let rounds: Vec<u32> = functions.iter().map(|&f| 10 * often_enough(slice, || run(f, 10))).collect();
    let mut times = KernelTimes { clock: Vec::new(), cycles: vec![Vec::new(); functions.len()] };
    for round in 0..job.rounds.max(1) as usize {
        let mut clock = cycles_a_nanosecond();
        times.clock.push(clock);
        for step in 0..functions.len() {
            // The clock moves: it is read again once in a while.
            if step % 32 == 31 {
                clock = cycles_a_nanosecond();
            }
            let i = (step + round) % functions.len();
            run(functions[i], 1);
            let elapsed = nanoseconds(|| run(functions[i], rounds[i]));
            times.cycles[i].push(elapsed * clock / (f64::from(rounds[i]) * f64::from(job.copies[i].max(1))));
        }
    }
    Ok(times)
}

fn nanoseconds(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_nanos() as f64
}

/// How often something has to run to last a slice.
fn often_enough(slice: f64, mut run: impl FnMut()) -> u32 {
    run();
    // The fastest of three: one alone may have been disturbed.
    let once = (0..3).map(|_| nanoseconds(&mut run)).fold(f64::INFINITY, f64::min).max(1.0);
    (slice / once).ceil().clamp(1.0, 1e6) as u32
}

/// Additions of the clock's chain.
const ADDITIONS: u32 = 20_000;

/// Cycles a nanosecond, from a chain of dependent integer additions: one cycle each on every processor in use.
fn cycles_a_nanosecond() -> f64 {
    let start = Instant::now();
    let mut sum = std::hint::black_box(1u64);
    let step = std::hint::black_box(3u64);
    for _ in 0..ADDITIONS / 20 {
        macro_rules! twenty {
            ($($n:tt)*) => { $( let _ = $n; sum = opaque(sum.wrapping_add(step)); )* };
        }
        twenty!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20);
    }
    std::hint::black_box(sum);
    f64::from(ADDITIONS) / start.elapsed().as_nanos().max(1) as f64
}

/// A value that the compiler knows nothing of, kept in its register.
#[inline(always)]
fn opaque(mut x: u64) -> u64 {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    // SAFETY: no instruction at all.
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) x, options(pure, nomem, nostack, preserves_flags));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        x = std::hint::black_box(x);
    }
    x
}

/// Stays on the core where this runs now.
#[cfg(target_os = "linux")]
fn pin() -> Option<usize> {
    use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};
    let core = sched_getcpu();
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).ok().map(|()| core)
}

/// Other systems do not let a program choose.
#[cfg(not(target_os = "linux"))]
fn pin() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_a_crate_is_timed() {
        let entrant = Entrant { code: Code::Crate(Spec::LibmCrate { symbol: "expf".into() }), lanes: 1, latency: true };
        let inputs = (0..64).map(|i| (i as f32 / 64.0).to_bits()).collect();
        let job = Job { inputs, entrants: vec![entrant], rounds: 3, slice_ns: 1000 };
        let answer = serve(&job).unwrap();
        assert_eq!((answer.clock.len(), answer.times.len()), (3, 1));
        let times = &answer.times[0];
        assert!(times.finite && times.throughput.len() == 3 && times.latency.len() == 3);
        assert!(times.throughput.iter().chain(&times.latency).all(|t| *t > 0.0));
        assert!(answer.ghz().unwrap().median > 0.01);
    }

    #[test]
    fn what_cannot_be_loaded_is_said() {
        let entrant = Entrant { code: Code::Library("/nowhere/libx.so".into()), lanes: 1, latency: false };
        let job = Job { inputs: vec![0], entrants: vec![entrant], rounds: 1, slice_ns: 1 };
        assert!(serve(&job).unwrap_err().contains("/nowhere/libx.so"));
        assert!(serve(&Job { inputs: vec![], ..job }).is_err());
    }
}
