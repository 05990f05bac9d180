//! The kernels of a calibration as a C file, and their times.

use super::asm::{Register, Sequence};
use crate::BenchError;
use crate::host::{KernelJob, KernelTimes};
use crate::run::ask_host;
use crate::stats::Quartiles;
use mathsmith_native::{Limits, Toolchain};
use std::ffi::OsString;
use std::time::Duration;

/// What a register holds when a kernel begins: numbers that stay ordinary however often an operation is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// Single precision, one.
    F32,
    /// Double precision, one.
    F64,
    /// Integers, or bits of masks.
    Bits,
    /// Zeros: indices that lie in every table.
    Zero,
}

impl Filling {
    /// Name of the constant in the kernels' source, of others and of the register a chain runs through.
    fn labels(self) -> (&'static str, &'static str) {
        match self {
            Filling::F32 => ("one_f32", "some_f32"),
            Filling::F64 => ("one_f64", "some_f64"),
            Filling::Bits => ("bits", "bits"),
            Filling::Zero => ("zero", "zero"),
        }
    }
}

/// One kernel.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Instructions of one round.
    pub lines: Vec<String>,
    /// Repetitions that the round is of.
    pub copies: usize,
    /// What registers begin with.
    pub filling: Filling,
    /// The register of a chain.
    pub through: Option<Register>,
}

/// Instructions that an operation is repeated by in a round; enough that the loop's own two count for nothing.
const LINES: usize = 48;

impl Kernel {
    /// A kernel for the reciprocal throughput of a sequence.
    pub fn throughput(sequence: &Sequence, filling: Filling, vectors: u8) -> Kernel {
        let one = sequence.independent(1, vectors).len();
        let copies = (LINES / one).max(2);
        Kernel { lines: sequence.independent(copies, vectors), copies, filling, through: None }
    }

    /// A kernel for the latency of a sequence from one of its inputs.
    pub fn latency(sequence: &Sequence, filling: Filling, through: Register) -> Kernel {
        // Even, since a chain may alternate between two registers.
        let copies = 16;
        Kernel { lines: sequence.chain(copies, through), copies, filling, through: Some(through) }
    }

    /// A kernel of two sequences side by side.
    pub fn pair(a: &Sequence, b: &Sequence, filling: Filling, vectors: u8) -> Kernel {
        let copies = 16;
        let (a, b) = (a.independent(copies, vectors), b.independent(copies, vectors));
        let (na, nb) = (a.len() / copies, b.len() / copies);
        let lines =
            (0..copies).flat_map(|i| a[i * na..(i + 1) * na].iter().chain(&b[i * nb..(i + 1) * nb]).cloned()).collect();
        Kernel { lines, copies, filling, through: None }
    }

    /// A kernel of instructions that do nothing: what the front end can issue.
    pub fn nothing() -> Kernel {
        Kernel { lines: vec!["nop".into(); LINES], copies: LINES, filling: Filling::Zero, through: None }
    }
}

impl Kernel {
    /// A kernel of vector and integer instructions that need different units: what the front end can issue.
    pub fn mixed() -> Kernel {
        let group = ["vpand %ymm1, %ymm0, %ymm3", "movl $1, %eax", "vpor %ymm1, %ymm0, %ymm4", "movl $2, %ecx"];
        let rest = ["vpxor %ymm1, %ymm0, %ymm5", "movl $3, %edx", "nop", "movl $4, %esi"];
        let lines: Vec<String> = group.iter().chain(&rest).cycle().take(LINES).map(|l| (*l).to_owned()).collect();
        Kernel { copies: lines.len(), lines, filling: Filling::Zero, through: None }
    }
}

/// The kernels as one C file of assembly at file scope: functions `void kernel_N(size_t rounds)`.
///
/// Subnormals count as zero while they run: a repeated operation may meet some, and their assists are no figure of a model.
pub fn source(kernels: &[Kernel], wide: bool) -> String {
    let mut out = String::from(
        "__asm__(\n\".data\\n\"\n\".balign 64\\n\"\n\
         \"one_f32: .rept 16\\n .long 0x3f800000\\n .endr\\n\"\n\
         \"some_f32: .rept 16\\n .long 0x3fce147b\\n .endr\\n\"\n\
         \"one_f64: .rept 8\\n .quad 0x3ff0000000000000\\n .endr\\n\"\n\
         \"some_f64: .rept 8\\n .quad 0x3ff9c28f5c28f5c3\\n .endr\\n\"\n\
         \"bits: .rept 16\\n .long 0x40490fdb\\n .endr\\n\"\n\
         \"zero: .rept 16\\n .long 0\\n .endr\\n\"\n\
         \".text\\n\"\n);\n",
    );
    let (name, count) = if wide { ("zmm", 32) } else { ("ymm", 16) };
    for (i, kernel) in kernels.iter().enumerate() {
        let (label, special) = kernel.filling.labels();
        let mut lines = vec![
            format!(".globl kernel_{i}"),
            format!("kernel_{i}:"),
            "stmxcsr -4(%rsp)".into(),
            "movl $0x9fc0, -8(%rsp)".into(),
            "ldmxcsr -8(%rsp)".into(),
            "movq %rdi, %r8".into(),
            "leaq zero(%rip), %rdi".into(),
        ];
        for v in 0..count {
            let from = if kernel.through == Some(Register::Vector(v)) { special } else { label };
            lines.push(format!("vmovups {from}(%rip), %{name}{v}"));
        }
        if wide {
            lines.push("movl $0x5555, %eax".into());
            lines.extend((1..8).map(|k| format!("kmovw %eax, %k{k}")));
        }
        lines.push(".balign 64".into());
        lines.push("1:".into());
        lines.extend(kernel.lines.iter().cloned());
        lines.extend(["decq %r8", "jnz 1b", "ldmxcsr -4(%rsp)", "vzeroupper", "ret"].map(String::from));
        out.push_str("__asm__(\n");
        for line in lines {
            out.push_str(&format!("\"{line}\\n\"\n"));
        }
        out.push_str(");\n");
    }
    out
}

/// Compiles the kernels and takes their times: cycles of one repetition each, with the clock.
///
/// # Errors
/// [`BenchError`] without a C compiler, or where the kernels do not run.
pub fn time(
    kernels: &[Kernel],
    wide: bool,
    rounds: u32,
    host: &[OsString],
) -> Result<(Vec<f64>, Quartiles, String), BenchError> {
    let folder = tempfile::Builder::new().prefix("mathsmith-calibrate-").tempdir();
    let folder = folder.map_err(|cause| BenchError::Io { what: "cannot create a folder".into(), cause })?;
    let (file, library) = (folder.path().join("kernels.c"), folder.path().join("kernels.so"));
    let text = source(kernels, wide);
    std::fs::write(&file, text)
        .map_err(|cause| BenchError::Io { what: format!("cannot write {}", file.display()), cause })?;
    let toolchain = Toolchain::detect().with_limits(Limits::within(Duration::from_secs(120)));
    let tool = toolchain.require_c()?.clone();
    toolchain.compile_shared(tool.compiler, &file, &library, &["-O1".to_owned()], &[])?;
    let job =
        KernelJob { library, copies: kernels.iter().map(|k| k.copies as u32).collect(), rounds, slice_ns: 10_000 };
    let times: KernelTimes = ask_host(&crate::host::Request::Kernels(job), host, Duration::from_secs(120))?;
    let clock = Quartiles::of(&times.clock);
    match clock {
        Some(clock) if times.cycles.len() == kernels.len() => {
            let median = |values: &Vec<f64>| Quartiles::of(values).map_or(f64::NAN, |q| q.median);
            Ok((times.cycles.iter().map(median).collect(), clock, tool.version))
        }
        _ => Err(BenchError::Answer { what: "too few times".into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_assembly_in_c() {
        let fma = Sequence::parse("vfmadd213ps %ymm2, %ymm1, %ymm0").unwrap();
        let kernel = Kernel::latency(&fma, Filling::F32, Register::Vector(0));
        assert_eq!((kernel.lines.len(), kernel.copies), (16, 16));
        let text = source(&[kernel, Kernel::nothing()], false);
        assert!(text.contains("kernel_1:") && text.contains("vmovups some_f32(%rip), %ymm0"), "{text}");
        let add = Sequence::parse("vaddps %ymm1, %ymm0, %ymm3").unwrap();
        let pair = Kernel::pair(&fma, &add, Filling::F32, 16);
        assert_eq!((pair.lines.len(), pair.copies), (32, 16));
        assert!(pair.lines[1].starts_with("vaddps"));
    }
}
