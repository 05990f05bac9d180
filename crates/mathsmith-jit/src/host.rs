//! What the machine that runs the kernels can do.

use crate::unsupported;
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use mathsmith_ir::{EngineError, Node, Op, Program};
use std::sync::OnceLock;

/// The target of code generation: this machine, or this machine with a feature masked.
///
/// A masked host generates code without the feature, so the paths of lesser machines can be tested anywhere.
#[derive(Clone)]
pub struct Host {
    isa: Result<OwnedTargetIsa, String>,
    fma: bool,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("jit", &self.isa.as_ref().map(|isa| isa.name())).field("fma", &self.fma).finish()
    }
}

impl Host {
    /// The machine that runs this process, examined once.
    pub fn detect() -> Host {
        static DETECTED: OnceLock<Host> = OnceLock::new();
        DETECTED.get_or_init(|| Host::build(&[])).clone()
    }

    /// The machine that runs this process, but without fused multiply-add.
    ///
    /// On an architecture whose base includes it (AArch64) programs with `fma` are refused all the same.
    pub fn without_fma() -> Host {
        let masked: &[&str] = if cfg!(target_arch = "x86_64") { &["has_fma"] } else { &[] };
        Host { fma: false, ..Host::build(masked) }
    }

    /// A host on which nothing is compiled, for the reason given: everything runs in the interpreter.
    pub fn interpreter_only(reason: impl Into<String>) -> Host {
        Host { isa: Err(reason.into()), fma: false }
    }

    fn build(masked: &[&str]) -> Host {
        match native_isa(masked) {
            Ok(isa) => {
                let fma = !cfg!(target_arch = "x86_64") || has(&*isa, "has_fma");
                Host { isa: Ok(isa), fma }
            }
            Err(reason) => Host::interpreter_only(reason),
        }
    }

    /// Whether the machine fuses multiply and add in hardware.
    pub fn has_fma(&self) -> bool {
        self.fma
    }

    /// Why `program` cannot be compiled for this host; `None` if it can.
    pub fn refusal(&self, program: &Program) -> Option<String> {
        if let Err(reason) = &self.isa {
            return Some(reason.clone());
        }
        let live = program.live();
        let fused = program.nodes().iter().zip(live).any(|(node, live)| live && matches!(node, Node::Op(Op::Fma, _)));
        (fused && !self.fma).then(|| "the CPU has no fused multiply-add, which the program needs".to_string())
    }

    /// The code generator's target.
    pub(crate) fn isa(&self) -> Result<&OwnedTargetIsa, EngineError> {
        self.isa.as_ref().map_err(|reason| unsupported(format!("code generation on this machine: {reason}")))
    }
}

/// The native target with the settings of all kernels, or why there is none.
fn native_isa(masked: &[&str]) -> Result<OwnedTargetIsa, String> {
    if !cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        return Err(format!("kernels are generated for x86_64 and aarch64 only, not for {}", std::env::consts::ARCH));
    }
    let mut flags = settings::builder();
    let options = [
        ("opt_level", "speed"),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        ("unwind_info", "false"),
        // A frame of spilled values that reaches beyond the guard page must fault there, not write behind it.
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
        ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
    ];
    for (name, value) in options {
        flags.set(name, value).map_err(|e| format!("Cranelift refuses the setting {name}={value}: {e}"))?;
    }
    let mut builder = cranelift_native::builder().map_err(|e| format!("Cranelift does not know this machine: {e}"))?;
    for name in masked {
        builder.set(name, "false").map_err(|e| format!("Cranelift cannot mask {name}: {e}"))?;
    }
    let isa =
        builder.finish(settings::Flags::new(flags)).map_err(|e| format!("Cranelift refuses this machine: {e}"))?;
    // Rounding, blending and lane access are library calls or long sequences below this level.
    if cfg!(target_arch = "x86_64") && !(has(&*isa, "has_ssse3") && has(&*isa, "has_sse41")) {
        return Err("the CPU has no SSE4.1".into());
    }
    Ok(isa)
}

fn has(isa: &dyn TargetIsa, feature: &str) -> bool {
    isa.isa_flags().iter().any(|flag| flag.name == feature && flag.as_bool() == Some(true))
}
