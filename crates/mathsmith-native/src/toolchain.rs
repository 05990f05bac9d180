//! Finding and calling compilers.

use crate::process::{Limits, run_command};
use crate::{NativeError, Output};
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A compiler that generated code is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Compiler {
    /// The GNU C compiler.
    Gcc,
    /// LLVM's C compiler.
    Clang,
    /// Whatever the system calls its C compiler.
    Cc,
    /// The Rust compiler.
    Rustc,
}

impl Compiler {
    /// Every compiler, in the order in which a C compiler is preferred.
    pub const ALL: [Compiler; 4] = [Compiler::Gcc, Compiler::Clang, Compiler::Cc, Compiler::Rustc];

    /// Name of the program.
    pub fn name(self) -> &'static str {
        match self {
            Compiler::Gcc => "gcc",
            Compiler::Clang => "clang",
            Compiler::Cc => "cc",
            Compiler::Rustc => "rustc",
        }
    }

    /// How to get it.
    fn way_out(self) -> &'static str {
        match self {
            Compiler::Gcc | Compiler::Cc => "install one, on Debian with `apt-get install gcc libc6-dev`",
            Compiler::Clang => "install it, on Debian with `apt-get install clang libc6-dev`",
            Compiler::Rustc => "install Rust with https://rustup.rs, or on Debian with `apt-get install rustc`",
        }
    }
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A compiler that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Which one.
    pub compiler: Compiler,
    /// The program.
    pub path: PathBuf,
    /// First line of what it says of its version.
    pub version: String,
}

/// An executable that a compiler has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The executable.
    pub path: PathBuf,
    /// The compiler.
    pub compiler: Compiler,
    /// The command line, for reports and repetitions by hand.
    pub command: String,
    /// Warnings.
    pub warnings: String,
    /// Wall-clock time of the compilation.
    pub elapsed: Duration,
}

/// The compilers of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    tools: Vec<Tool>,
    limits: Limits,
}

/// Time for a question about a version; a real answer takes milliseconds.
const VERSION_TIMEOUT: Duration = Duration::from_secs(20);

impl Toolchain {
    /// Looks for compilers in `PATH`.
    pub fn detect() -> Toolchain {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Toolchain::search(&path)
    }

    /// Looks for compilers in the folders of `path`, which is written like the variable `PATH`.
    ///
    /// A program that does not answer `--version` with success is not taken.
    pub fn search(path: &OsStr) -> Toolchain {
        let folders: Vec<PathBuf> = std::env::split_paths(path).collect();
        let tools = Compiler::ALL.into_iter().filter_map(|compiler| find(compiler, &folders)).collect();
        Toolchain { tools, limits: Limits::within(Duration::from_secs(300)) }
    }

    /// The same compilers with other limits for each compilation.
    pub fn with_limits(self, limits: Limits) -> Toolchain {
        Toolchain { limits, ..self }
    }

    /// Everything that was found.
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// A compiler that was found.
    pub fn get(&self, compiler: Compiler) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.compiler == compiler)
    }

    /// A compiler.
    ///
    /// # Errors
    /// [`NativeError::MissingCompiler`], which names the package to install.
    pub fn require(&self, compiler: Compiler) -> Result<&Tool, NativeError> {
        self.get(compiler).ok_or_else(|| NativeError::MissingCompiler {
            wanted: compiler.name().into(),
            way_out: compiler.way_out().into(),
        })
    }

    /// A C compiler: gcc, else clang, else cc.
    ///
    /// # Errors
    /// [`NativeError::MissingCompiler`] if there is none of them.
    pub fn require_c(&self) -> Result<&Tool, NativeError> {
        self.tools.iter().find(|tool| tool.compiler != Compiler::Rustc).ok_or_else(|| NativeError::MissingCompiler {
            wanted: "C compiler (gcc, clang, cc)".into(),
            way_out: Compiler::Gcc.way_out().into(),
        })
    }

    /// Compiles and links one C file with the preferred C compiler (see [`Toolchain::require_c`]).
    ///
    /// `flags` stand before the source; the libraries of C and its mathematics (`-lm`) are linked.
    ///
    /// # Errors
    /// [`NativeError::Compile`] with the compiler's own message, and the errors of [`run`](crate::run).
    pub fn compile_c(&self, source: &Path, out: &Path, flags: &[&str]) -> Result<Built, NativeError> {
        let compiler = self.require_c()?.compiler;
        self.compile_c_with(compiler, source, out, flags)
    }

    /// [`Toolchain::compile_c`] with the C compiler named.
    ///
    /// # Errors
    /// As for [`Toolchain::compile_c`]; also [`NativeError::Request`] for a compiler of another language.
    pub fn compile_c_with(
        &self,
        compiler: Compiler,
        source: &Path,
        out: &Path,
        flags: &[&str],
    ) -> Result<Built, NativeError> {
        if compiler == Compiler::Rustc {
            return Err(NativeError::Request(format!("rustc does not compile C ({})", source.display())));
        }
        let tool = self.require(compiler)?;
        let mut command = Command::new(&tool.path);
        command.args(flags).arg("-o").arg(out).arg(source).arg("-lm");
        self.compile(compiler, command, source, out)
    }

    /// Compiles one Rust file into an executable, of edition 2021.
    ///
    /// `flags` stand before the source: `-O`, `-Ctarget-cpu=native`, `-Ctarget-feature=+fma` and the like.
    ///
    /// # Errors
    /// As for [`Toolchain::compile_c`].
    pub fn compile_rust(&self, source: &Path, out: &Path, flags: &[&str]) -> Result<Built, NativeError> {
        let tool = self.require(Compiler::Rustc)?;
        let mut command = Command::new(&tool.path);
        command.args(["--edition", "2021", "--crate-type", "bin"]).args(flags).arg("-o").arg(out).arg(source);
        // Flags of a surrounding build are not part of what is being tested.
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        self.compile(Compiler::Rustc, command, source, out)
    }

    /// Compiles one source file into a shared library: Rust with rustc, C with any other compiler.
    ///
    /// Names are hidden unless the source exports them, so that a compiler inlines as in a program. `flags` stand before the
    /// source, the files `libraries` and C's mathematics behind it. Rust is of edition 2021.
    ///
    /// # Errors
    /// As for [`Toolchain::compile_c`].
    pub fn compile_shared(
        &self,
        compiler: Compiler,
        source: &Path,
        out: &Path,
        flags: &[String],
        libraries: &[PathBuf],
    ) -> Result<Built, NativeError> {
        let tool = self.require(compiler)?;
        let mut command = Command::new(&tool.path);
        if compiler == Compiler::Rustc {
            command.args(["--edition", "2021", "--crate-type", "cdylib"]).args(flags).arg("-o").arg(out).arg(source);
            command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        } else {
            command.args(flags).args(["-shared", "-fPIC", "-fvisibility=hidden", "-o"]).arg(out).arg(source);
            command.args(libraries).arg("-lm");
        }
        self.compile(compiler, command, source, out)
    }

    /// Runs a prepared command that writes `out` from `source`.
    pub(crate) fn compile(
        &self,
        compiler: Compiler,
        command: Command,
        source: &Path,
        out: &Path,
    ) -> Result<Built, NativeError> {
        let line = command_line(&command);
        let Output { code, stdout, stderr, elapsed } = run_command(command, Vec::new(), self.limits)?;
        if code != 0 {
            let message = format!("{}{}", stderr, String::from_utf8_lossy(&stdout)).trim_end().to_string();
            return Err(NativeError::Compile { compiler, source_file: source.into(), message, command: line });
        }
        Ok(Built { path: out.into(), compiler, command: line, warnings: stderr, elapsed })
    }
}

/// The first program of that name that answers for itself.
fn find(compiler: Compiler, folders: &[PathBuf]) -> Option<Tool> {
    let file = format!("{}{}", compiler.name(), std::env::consts::EXE_SUFFIX);
    let candidates = folders.iter().map(|folder| folder.join(&file)).filter(|path| path.is_file());
    for path in candidates {
        let mut command = Command::new(&path);
        command.arg("--version");
        let Ok(output) = run_command(command, Vec::new(), Limits::within(VERSION_TIMEOUT)) else { continue };
        if output.code == 0 {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            return Some(Tool { compiler, path, version: said.lines().next().unwrap_or_default().trim().to_string() });
        }
    }
    None
}

/// The command as a person would type it into a POSIX shell.
pub(crate) fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=+,:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
