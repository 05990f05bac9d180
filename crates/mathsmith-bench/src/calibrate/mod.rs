//! A machine model measured on this machine.
//!
//! The model is a shipped one with other figures: the same operations made of the same instructions, but each latency and
//! each reciprocal throughput is that of this machine. So a calibrated model and the one that it was made from can be
//! compared line by line. How many pipes there are and how long the code is stays what the shipped model says; on which
//! of the pipes an operation runs follows from pairs of operations side by side, see [`pipes`].
//!
//! Every instruction sequence becomes a kernel that repeats it without dependences, for the throughput, and one kernel for
//! each input through which it can wait for itself, of which the slowest is the latency. All of them take turns, round after
//! round, beside a chain of integer additions that gives the clock; medians count. See [`asm`] and [`kernels`].
//!
//! x86-64 with AVX2 or AVX-512 only: elsewhere a model is written by hand, from the tables that the shipped ones name.

pub mod asm;
pub mod kernels;
pub mod pipes;
mod write;

use crate::BenchError;
use crate::render::{columns, short};
use crate::run::cpu_name;
use asm::Sequence;
use kernels::{Filling, Kernel};
use mathsmith_cost::{Model, OpCost};
use mathsmith_native::subject::Isa;
use serde::Serialize;
use std::ffi::OsString;

/// Figures of one operation, in cycles.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Key of the operation, such as `fma.f32`.
    pub op: String,
    /// From operand to result; `None` where no chain could be made.
    pub latency: Option<f64>,
    /// Of one vector, when only this operation runs.
    pub throughput: f64,
    /// The same of the model that was taken as the base.
    pub base: [f64; 2],
    /// Sets of pipes and the cycles for which they are busy.
    pub pipes: Vec<(String, f64)>,
}

/// Two operations side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Their keys.
    pub ops: [String; 2],
    /// Cycles that the calibrated model says for one vector of both.
    pub modelled: f64,
    /// Measured.
    pub measured: f64,
}

/// A calibration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Version of this record.
    pub schema: u32,
    /// Name of the model that was taken as the base.
    pub base: String,
    /// The processor.
    pub cpu: String,
    /// Cycles a nanosecond.
    pub ghz: f64,
    /// The compiler that assembled the kernels.
    pub compiler: String,
    /// Instructions that the front end issues a cycle.
    pub issue_width: u32,
    /// The same of the base.
    pub base_issue_width: u32,
    /// Every operation of the model.
    pub figures: Vec<Figure>,
    /// Pairs of operations: how well the pipes fit.
    pub pairs: Vec<Pair>,
    /// The model as a file.
    #[serde(skip)]
    pub toml: String,
}

/// Operations that programs are made of: their pipes are found from pairs among themselves. The first keeps the base's.
const COMMON: [&str; 11] = [
    "fma.f32",
    "add.f32",
    "mul.f32",
    "max.f32",
    "select.f32",
    "lt.f32",
    "round_even.f32",
    "convert.i32.f32",
    "add.i32",
    "shl.i32",
    "and.i32",
];

/// Those of them that every other operation is put beside.
const PROBES: usize = 4;

/// Shipped models that can be measured here, the widest last.
pub fn bases() -> Vec<&'static str> {
    if !cfg!(target_arch = "x86_64") {
        return Vec::new();
    }
    let with = [("x86-64-v3", Isa::Avx2), ("x86-64-v4", Isa::Avx512)];
    with.into_iter().filter(|(_, isa)| isa.available()).map(|(name, _)| name).collect()
}

/// What registers begin with, by the key of an operation.
fn filling(key: &str) -> Filling {
    let mut parts = key.split('.');
    match (parts.next(), parts.next()) {
        (Some("table"), _) => Filling::Zero,
        (_, Some("f32")) => Filling::F32,
        (_, Some("f64")) => Filling::F64,
        _ => Filling::Bits,
    }
}

/// Where the times of an operation are among those of all kernels.
struct Place {
    throughput: usize,
    chains: Vec<usize>,
    blend: bool,
}

/// Measures this machine on the instructions of a shipped model; `name` is what the model will be called.
///
/// # Errors
/// [`BenchError::Question`] for a model whose instructions are not those of this machine; [`BenchError::Native`] without a C
/// compiler; [`BenchError::Host`] where the kernels do not run.
pub fn calibrate(base: &str, name: &str, rounds: u32, host: &[OsString]) -> Result<Calibration, BenchError> {
    let possible = bases();
    if !possible.contains(&base) {
        let what =
            format!("this machine cannot run the instructions of the model {base}, or calibrate does not know them");
        let help = match possible.as_slice() {
            [] => "calibrate knows x86-64 with AVX2; write a model by hand, as in crates/mathsmith-cost/models".into(),
            some => format!("take one of {} as the base", some.join(", ")),
        };
        return Err(BenchError::Question { what, help });
    }
    let model = Model::builtin(base).map_err(|e| BenchError::Answer { what: e.to_string() })?;
    let wide = model.vector_bits == Some(512);
    let vectors = if wide { 32 } else { 16 };
    let mut kernels = vec![Kernel::nothing(), Kernel::mixed()];
    let mut places: Vec<(&String, &OpCost, Option<Place>)> = Vec::new();
    for (key, op) in &model.op {
        let place = Sequence::parse(&op.code).map(|sequence| {
            let filling = filling(key);
            let throughput = kernels.len();
            kernels.push(Kernel::throughput(&sequence, filling, vectors));
            let mut blend = false;
            let chains = sequence.chained_inputs().into_iter().map(|through| {
                blend |= sequence.needs_blend(through);
                kernels.push(Kernel::latency(&sequence, filling, through));
                kernels.len() - 1
            });
            Place { throughput, chains: chains.collect(), blend }
        });
        places.push((key, op, place));
    }
    // Common operations first: in this order their pipes are found.
    let common = COMMON.iter().filter(|key| model.op.contains_key(**key)).count();
    let rank = |key: &str| COMMON.iter().position(|c| *c == key).unwrap_or(COMMON.len());
    places.sort_by_key(|(key, ..)| rank(key));
    let mut pairs: Vec<([usize; 2], usize)> = Vec::new();
    for b in 0..places.len() {
        for a in 0..b.min(if b < common { common } else { PROBES }) {
            let sequence = |i: usize| Sequence::parse(&places[i].1.code);
            if let (Some(one), Some(other)) = (sequence(a), sequence(b)) {
                pairs.push(([a, b], kernels.len()));
                kernels.push(Kernel::pair(&one, &other, filling(places[b].0), vectors));
            }
        }
    }
    let (cycles, clock, compiler) = kernels::time(&kernels, wide, rounds, host)?;

    // What a blend adds to the chain of a comparison: its latency through its data.
    let slowest = |place: &Place| place.chains.iter().map(|&k| cycles[k]).fold(0.0, f64::max);
    let select = places.iter().find(|(key, ..)| *key == "select.f32").and_then(|(_, _, p)| p.as_ref());
    let blend = select.map_or(0.0, slowest);
    let mut figures = Vec::new();
    let mut operations = Vec::new();
    for (key, op, place) in &places {
        let base = [op.latency, op.cycles()];
        let (latency, throughput) = match place {
            None => (None, op.cycles()),
            Some(place) => {
                let chain = slowest(place) - if place.blend { blend } else { 0.0 };
                let latency = (!place.chains.is_empty()).then(|| rounded_latency(chain));
                (latency, rounded_throughput(cycles[place.throughput]))
            }
        };
        let scaled = op.pipes.iter().map(|(names, c)| (bits(&model, names), c * throughput / base[1]));
        operations.push(pipes::Operation { base: scaled.collect(), throughput, uops: op.uops });
        figures.push(Figure { op: (*key).clone(), latency, throughput, base, pipes: Vec::new() });
    }
    let group = operations[..common].iter().flat_map(|o| &o.base).fold(0, |all, (set, _)| all | set);
    let measured = pairs.iter().map(|&(ops, kernel)| pipes::Pair { ops, measured: cycles[kernel] });
    let measured: Vec<pipes::Pair> = measured.collect();
    for (figure, work) in figures.iter_mut().zip(pipes::fit(&operations, common, group, &measured)) {
        figure.pipes = work.into_iter().map(|(set, c)| (names(&model, set), c)).collect();
    }
    figures.sort_by(|a, b| a.op.cmp(&b.op));
    // Whichever the front end takes more of: instructions that do nothing, or vector and integer ones side by side.
    let width = |kernel: usize| (1.0 / cycles[kernel].max(1e-3)).round();
    let issue_width = width(0).max(width(1)).clamp(1.0, 16.0) as u32;
    let cpu = cpu_name();
    let toml = write::toml(&model, name, &cpu, &compiler, issue_width, &figures);
    // The file is read back as `--target` reads it: what cannot be read is not handed out.
    let calibrated = Model::parse(name, &toml).map_err(|e| BenchError::Answer { what: e.to_string() })?;
    let keys: Vec<&str> = places.iter().map(|(key, ..)| key.as_str()).collect();
    let pairs = measured.iter().filter_map(|p| {
        let ops = p.ops.map(|i| keys[i]);
        let modelled = calibrated.together(&ops)?;
        Some(Pair { ops: ops.map(str::to_owned), modelled, measured: p.measured })
    });
    Ok(Calibration {
        schema: 1,
        base: base.to_owned(),
        cpu,
        ghz: clock.median,
        compiler,
        issue_width,
        base_issue_width: model.issue_width,
        pairs: pairs.collect(),
        figures,
        toml,
    })
}

/// A set of pipes as bits in the model's order.
fn bits(model: &Model, names: &str) -> u32 {
    let place = |name: &str| model.pipes.iter().position(|p| p == name);
    names.split_whitespace().filter_map(place).fold(0, |set, i| set | 1 << i)
}

/// The names of a set of pipes.
fn names(model: &Model, set: u32) -> String {
    let inside = model.pipes.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
    inside.map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(" ")
}

/// Latencies are whole cycles on almost every machine; halves are kept, as what is measured is a mean of paths.
fn rounded_latency(cycles: f64) -> f64 {
    let step = if cycles < 32.0 { 0.5 } else { 1.0 };
    ((cycles / step).round() * step).max(0.5)
}

/// Reciprocal throughputs are multiples of the reciprocal of a small number of pipes: two digits tell them apart.
fn rounded_throughput(cycles: f64) -> f64 {
    let step = match cycles {
        c if c < 1.0 => 0.01,
        c if c < 10.0 => 0.1,
        _ => 0.5,
    };
    ((cycles / step).round() * step).max(0.05)
}

/// Relative difference from which a figure, or a pair, is shown.
const SHOWN: f64 = 0.15;
/// Characters of the operations of one line.
const NAMES: usize = 70;
/// Pairs that are listed.
const PAIRS: usize = 12;

impl Calibration {
    /// The comparison with the base, for a person.
    pub fn table(&self) -> String {
        let mut out = format!(
            "{}: {}, {} GHz; kernels assembled by {}\n{} instructions issued a cycle ({} in the model)\n",
            self.base,
            self.cpu,
            short(self.ghz),
            self.compiler,
            self.issue_width,
            self.base_issue_width
        );
        let apart = |a: f64, b: f64| (a - b).abs() > SHOWN * b;
        let other = |f: &&Figure| apart(f.latency.unwrap_or(f.base[0]), f.base[0]) || apart(f.throughput, f.base[1]);
        // Operations with the same figures share a line.
        let mut lines: Vec<(Vec<String>, String)> = Vec::new();
        let mut others = 0;
        for f in self.figures.iter().filter(other) {
            others += 1;
            let measured = f.latency.map_or("-".into(), short);
            let line = vec![measured, short(f.base[0]), short(f.throughput), short(f.base[1])];
            match lines.iter_mut().find(|(l, ops)| *l == line && ops.len() + f.op.len() < NAMES) {
                Some((_, ops)) => *ops = format!("{ops} {}", f.op),
                None => lines.push((line, f.op.clone())),
            }
        }
        out.push_str(&format!(
            "{} of {} operations within {:.0} % of {} in latency and throughput; the others:\n",
            self.figures.len() - others,
            self.figures.len(),
            SHOWN * 100.0,
            self.base
        ));
        let heads = ["latency", "model", "cycles a vector", "model", "operations"];
        let mut rows = vec![heads.map(str::to_owned).to_vec()];
        rows.extend(lines.into_iter().map(|(line, ops)| line.into_iter().chain([ops]).collect()));
        if rows.len() > 1 {
            out.push_str(&columns(&rows));
        }
        let off: Vec<&Pair> = self.pairs.iter().filter(|p| apart(p.measured, p.modelled)).collect();
        out.push_str(&format!(
            "{} of {} pairs of operations side by side take what the calibrated model says within {:.0} %{}\n",
            self.pairs.len() - off.len(),
            self.pairs.len(),
            SHOWN * 100.0,
            if off.is_empty() { "" } else { "; the others (cycles for a vector of each, measured and modelled):" }
        ));
        let row = |p: &&Pair| vec![short(p.measured), short(p.modelled), p.ops.join(" beside ")];
        out.push_str(&columns(&off.iter().take(PAIRS).map(row).collect::<Vec<_>>()));
        if off.len() > PAIRS {
            out.push_str(&format!("  and {} more; --json lists all\n", off.len() - PAIRS));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sequence_of_the_models_can_be_read() {
        for base in ["x86-64-v3", "x86-64-v4"] {
            for (key, op) in &Model::builtin(base).unwrap().op {
                let sequence = Sequence::parse(&op.code).unwrap_or_else(|| panic!("{base} {key}: {}", op.code));
                assert!(!sequence.chained_inputs().is_empty(), "{base} {key}: {}", op.code);
            }
        }
    }

    #[test]
    fn figures_are_rounded_to_what_can_be_told_apart() {
        assert_eq!([3.96, 10.7, 0.02, 41.4].map(rounded_latency), [4.0, 10.5, 0.5, 41.0]);
        assert_eq!([0.2512, 0.502, 4.98, 13.3].map(rounded_throughput), [0.25, 0.5, 5.0, 13.5]);
        assert_eq!(filling("convert.f64.i32"), Filling::F64);
        assert_eq!(filling("table.f32"), Filling::Zero);
    }

    #[test]
    fn other_machines_are_told_what_is_possible() {
        let message = calibrate("cortex-m7", "mine", 1, &[]).unwrap_err().to_string();
        assert!(message.contains("cortex-m7") && message.contains("help: "), "{message}");
    }
}
