//! What the reference costs over the whole single format: nanoseconds an input by region, as a sweep asks for them
//! (blocks of 512 adjacent floats in ascending order), and how many inputs no bound decides.
//!
//! `cargo run --release -p mathsmith-oracle --example whole -- [PARTS] [EXPRESSION...]` visits `PARTS` of the 64 parts of
//! every binade (2 if not given; 64 is every float).

use mathsmith_oracle::{Reference, Scratch, decide_f32};
use std::time::{Duration, Instant};

/// Arguments of a call.
const BLOCK: usize = 512;
/// A call that took longer was interrupted by another process, and is not counted; making a cell takes some milliseconds
/// where MPFR has to add many terms.
const PREEMPTED: Duration = Duration::from_millis(40);
/// Floats of a part of a binade.
const PART: u32 = 1 << 17;

const FUNCTIONS: &[&str] = &[
    "exp(x)",
    "exp2(x)",
    "log(x)",
    "log2(x)",
    "sin(x)",
    "cos(x)",
    "tanh(x)",
    "erf(x)",
    "tan(x)",
    "atan(x)",
    "cbrt(x)",
    "expm1(x)",
    "log1p(x)",
    "sinh(x)",
    "cosh(x)",
    "asin(x)",
    "acosh(x)",
    "gamma(x)",
    "erfc(x)",
    "exp10(x)",
    "log10(x)",
    "sinpi(x)",
    "1/(1+exp(-x))",
    "x*0.5*(1+erf(x/sqrt(2)))",
    "log(1+exp(x))",
    "sin(x)/x",
];

/// Some adjacent binades of one sign.
#[derive(Clone, Copy, Default)]
struct Region {
    inputs: u64,
    /// Inputs of the calls that were timed.
    timed: u64,
    time: Duration,
    undecided: u64,
    unknown: u64,
}

impl Region {
    fn add(&mut self, r: &Region) {
        self.inputs += r.inputs;
        self.timed += r.timed;
        self.time += r.time;
        self.undecided += r.undecided;
        self.unknown += r.unknown;
    }

    fn nanoseconds(&self) -> f64 {
        self.time.as_secs_f64() * 1e9 / self.timed.max(1) as f64
    }
}

/// The floats `from .. from + PART` (bits), upwards in value.
fn part(f: &Reference, from: u32, scratch: &mut Scratch, r: &mut Region) {
    let (mut x, mut y, mut e) = ([0.0; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
    let descending = from >> 31 == 1;
    for block in 0..PART / BLOCK as u32 {
        for (i, x) in x.iter_mut().enumerate() {
            let k = block * BLOCK as u32 + i as u32;
            *x = f64::from(f32::from_bits(if descending { from + PART - 1 - k } else { from + k }));
        }
        let start = Instant::now();
        f.fast_run(&x, &mut y, &mut e, scratch);
        let elapsed = start.elapsed();
        if elapsed < PREEMPTED {
            r.time += elapsed;
            r.timed += BLOCK as u64;
        }
        for (y, e) in y.iter().zip(&e) {
            r.unknown += u64::from(*e == f64::INFINITY);
            r.undecided += u64::from(decide_f32(*y, *e).is_none());
        }
    }
    r.inputs += u64::from(PART);
}

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let parts = arguments.first().and_then(|a| a.parse::<u32>().ok());
    if parts.is_some() {
        arguments.remove(0);
    }
    let parts = parts.unwrap_or(2).clamp(1, 64);
    let texts: Vec<String> =
        if arguments.is_empty() { FUNCTIONS.iter().map(|s| (*s).to_owned()).collect() } else { arguments };
    for text in texts {
        let expr = match mathsmith_dsl::parse_expr(&text) {
            Ok(e) => e,
            Err(e) => {
                eprintln!("error: `{text}`: {e}");
                std::process::exit(2);
            }
        };
        let f = match Reference::new(&expr) {
            Ok(f) if f.vars().len() == 1 => f,
            Ok(_) => {
                eprintln!("error: `{text}` is not a function of one variable");
                std::process::exit(2);
            }
            Err(e) => {
                eprintln!("error: `{text}`: {e}");
                std::process::exit(2);
            }
        };
        let mut scratch = Scratch::default();
        let mut total = Region::default();
        let mut open: Option<(i32, i32, bool, Region)> = None;
        let mut lines = Vec::new();
        let print = |(a, b, minus, r): (i32, i32, bool, Region)| {
            let sign = if minus { "-" } else { "+" };
            let share = |n: u64| 100.0 * n as f64 / r.inputs as f64;
            format!(
                "    {sign}2^{a:<4} .. {sign}2^{:<4} {:8.2} ns   undecided {:8.4} %   unknown {:8.4} %",
                b + 1,
                r.nanoseconds(),
                share(r.undecided),
                share(r.unknown)
            )
        };
        for minus in [true, false] {
            for binade in 0..255u32 {
                let mut r = Region::default();
                for k in 0..parts {
                    let bits = (u32::from(minus) << 31)
                        | (binade << 23)
                        | ((k * 64 / parts + 11 * (parts < 64) as u32) * PART);
                    part(&f, bits, &mut scratch, &mut r);
                }
                total.add(&r);
                let e = binade as i32 - 127;
                match &mut open {
                    Some((_, b, m, so_far))
                        if *m == minus && (so_far.nanoseconds() / r.nanoseconds()).ln().abs() < 0.5 =>
                    {
                        *b = e;
                        so_far.add(&r);
                    }
                    other => lines.extend(other.replace((e, e, minus, r)).map(print)),
                }
            }
        }
        lines.extend(open.map(print));
        println!(
            "{text:<28} {:7.2} ns   whole format {:6.1} s a core   undecided {:.0}   unknown {:.0}",
            total.nanoseconds(),
            total.nanoseconds() * 4.278190080,
            total.undecided as f64 * 64.0 / f64::from(parts),
            total.unknown as f64 * 64.0 / f64::from(parts),
        );
        for line in lines {
            println!("{line}");
        }
    }
}
