//! C sources: compiled as they are, called through a wrapper that cannot change a bit.
//!
//! **One object for the file, one for the wrapper.** The file is compiled alone, by the command that a person would type
//! plus three flags: `-c -fPIC -fno-semantic-interposition`. Without the last one gcc takes every exported function of a
//! shared library for replaceable and inlines none into another; a program would have them inlined, and where the target
//! has FMA contraction works across inlined calls, so bits would differ. The wrapper is another translation unit: no flag
//! or macro of the file reaches it, and no code of it is next to the subject.
//!
//! **Static and inline functions** are in no symbol table. Such a file is compiled with a second file after it
//! (`-include FILE`), which takes the address of the function; what escapes so has to be compiled as a function of its own.
//!
//! **The type is found by the compiler**: `_Generic` over every type that can be measured, whose answer is read from the
//! data of the object file (see [`c_forms::selection`]).
//!
//! **Linking** binds the library's names to itself (`-Bsymbolic`): a file that defines `expf` is measured, not the
//! `expf` of the system. Of the flags given only those go to the linker that concern it. In particular fast-math flags
//! do not: with them gcc adds start-up code that switches the whole process to flush-to-zero.

use super::super::{SourceRequest, SubjectError};
use super::c_forms::{self, Form, SUPPORTED};
use super::symbols::{Defined, ObjectFile};
use super::{Candidate, Compiled, FunctionType, ask, choose, io, names_of, no_symbol, path_text};
use crate::toolchain::command_line;
use crate::{Compiler, Tool, Toolchain};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What people and packages compile with; the processor's common denominator, so that results are the same everywhere.
pub(super) const DEFAULT_FLAGS: [&str; 1] = ["-O2"];

/// Added to the flags given: code for a shared library, inlined as in a program.
const ADDED: [&str; 2] = ["-fPIC", "-fno-semantic-interposition"];

/// A file in the hands of a compiler.
struct Unit<'a> {
    request: &'a SourceRequest<'a>,
    tool: &'a Tool,
    flags: Vec<OsString>,
    /// Absolute, for `-include`.
    path: PathBuf,
}

/// Builds the library of a C file.
pub(super) fn build(
    request: &SourceRequest,
    toolchain: &Toolchain,
    flags: &[String],
) -> Result<Compiled, SubjectError> {
    let tool = match request.compiler {
        None => toolchain.require_c()?,
        Some(Compiler::Rustc) => {
            return Err(SubjectError::File {
                path: request.path.into(),
                what: "rustc does not compile C".into(),
                help: "name gcc, clang or cc".into(),
            });
        }
        Some(compiler) => toolchain.require(compiler)?,
    };
    let path = std::path::absolute(request.path).map_err(|e| io(request.path, &e))?;
    let unit = Unit { request, tool, flags: flags.iter().map(OsString::from).collect(), path };
    let object = request.folder.join("subject.o");
    let built =
        toolchain.compile(tool.compiler, unit.object_command(request.path, &object, &[]), request.path, &object)?;

    let names = match request.symbol {
        Some(name) if is_identifier(name) => vec![name.to_string()],
        Some(name) => return Err(no_symbol(request, name, &names_of(&unit.functions()?))),
        None => unit.functions()?.into_iter().filter(|d| d.name != "main").map(|d| d.name).collect(),
    };
    let probe = match unit.probe(&names)? {
        Ok(probe) => probe,
        Err(said) => return Err(unit.unfit_for_question(&names, &said)?),
    };
    let chosen = choose(request, &probe.candidates, &|name| unit.declared(name), SUPPORTED)?;
    let (name, form) = (&names[chosen.index], chosen.form);

    let target = "mathsmith_subject";
    let (object, declarations) = if probe.candidates[chosen.index].public {
        (object, format!("extern {};\n#define {target} {name}", form.declaration(name)))
    } else {
        // `extern` leaves a static function static, and makes an inline one exist.
        let stub = format!(
            "extern __typeof__({name}) {name};\n\
             extern __typeof__(&{name}) const {target};\n\
             __typeof__(&{name}) const {target} = {name};\n"
        );
        let (stub, object) = (unit.write("stub.c", &stub)?, request.folder.join("static.o"));
        let command = unit.object_command(&stub, &object, &["-w", "-fno-lto", "-include"]);
        toolchain.compile(tool.compiler, command, request.path, &object)?;
        // A name that a header declares is no function of this file, though the linker would find one elsewhere.
        let functions = ObjectFile::read(&object).map_err(|e| io(&object, &e))?.functions();
        if !functions.iter().any(|d| d.name == *name) {
            return Err(no_symbol(request, name, &names_of(&unit.functions()?)));
        }
        (object, format!("extern {};", form.declaration(&format!("(*const {target})"))))
    };
    let wrapper = unit.write("wrapper.c", &form.wrapper(&declarations, target, request.output_first))?;
    let library = request.folder.join(format!("subject{}", std::env::consts::DLL_SUFFIX));
    unit.link(&wrapper, &object, &library)?;

    let mut notes = vec![format!("compiled with {} beside the flags, for a shared library", ADDED.join(" "))];
    notes.extend(probe.facts.notes(&unit.flags));
    notes.extend(super::order_note(form.is_open(), request.output_first));
    if form.is_half() {
        notes.push("the function is one of _Float16: measure it as f16".into());
    }
    Ok(Compiled {
        library,
        symbol: name.clone(),
        signature: form.signature(request.output_first),
        tool: tool.clone(),
        command: built.command,
        warnings: built.warnings,
        notes,
    })
}

/// What a compiler said of functions.
struct Probe {
    candidates: Vec<Candidate<Form>>,
    facts: Facts,
}

impl Unit<'_> {
    /// The command that compiles `source`; `before` stands before the path of the file, if it is to be included.
    fn object_command(&self, source: &Path, object: &Path, before: &[&str]) -> Command {
        let mut command = Command::new(&self.tool.path);
        command.args(&self.flags).args(ADDED).args(before);
        if before.last() == Some(&"-include") {
            command.arg(&self.path);
        }
        command.arg("-c");
        if source.extension().is_none_or(|e| e != "c") {
            command.args(["-x", "c"]);
        }
        command.arg(source).arg("-o").arg(object);
        command
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, SubjectError> {
        let path = self.request.folder.join(name);
        std::fs::write(&path, text).map_err(|e| io(&path, &e))?;
        Ok(path)
    }

    /// Asks for the types of `names`; the compiler's errors if it refuses the question, say because a name is unknown.
    ///
    /// Whether a function can be reached by the linker is asked of an object without optimisation or link-time
    /// intermediate code.
    fn probe(&self, names: &[String]) -> Result<Result<Probe, String>, SubjectError> {
        let mut text = c_forms::selection() + FACTS;
        for (i, name) in names.iter().enumerate() {
            text += &format!("const unsigned short mathsmith_form_{i} = MATHSMITH_FORM({name});\n");
        }
        let (probe, object) = (self.write("probe.c", &text)?, self.request.folder.join("probe.o"));
        let plain = ["-w", "-O0", "-fno-lto", "-include"];
        let output = ask(self.object_command(&probe, &object, &plain))?;
        if output.code != 0 {
            let errors: Vec<&str> = output.stderr.lines().filter(|line| line.contains("error: ")).collect();
            return Ok(Err(errors.join("\n")));
        }
        let no_answer = || Ok(Err("the answer is not in the object file that these flags make".into()));
        let file = ObjectFile::read(&object).map_err(|e| io(&object, &e))?;
        let functions = file.functions();
        let forms = Form::all();
        let mut candidates = Vec::new();
        for (i, name) in names.iter().enumerate() {
            let Some(bytes) = file.datum(&format!("mathsmith_form_{i}")) else { return no_answer() };
            let index = usize::from(u16::from_ne_bytes(bytes));
            candidates.push(Candidate {
                name: name.clone(),
                public: functions.iter().any(|d| d.global && d.name == *name),
                forms: index.checked_sub(1).and_then(|i| forms.get(i).copied()).into_iter().collect(),
                generic: false,
            });
        }
        let Some(facts) = file.datum("mathsmith_facts") else { return no_answer() };
        Ok(Ok(Probe { candidates, facts: Facts::of(facts) }))
    }

    /// The functions that the file defines, static ones included.
    fn functions(&self) -> Result<Vec<Defined>, SubjectError> {
        let object = self.request.folder.join("list.o");
        let mut command = self.object_command(self.request.path, &object, &[]);
        // gcc keeps what is not used when asked to; clang names it in a warning. By the rules of C99 a function that is
        // only `inline` makes no code; by GNU's older ones it does.
        command.args(["-O0", "-fno-lto", "-fgnu89-inline"]);
        command.args(match is_clang(self.tool) {
            true => ["-Wunused-function", "-Wno-error"],
            false => ["-fkeep-static-functions", "-fkeep-inline-functions"],
        });
        command.env("LC_ALL", "C");
        let output = ask(command)?;
        if output.code != 0 {
            return Ok(Vec::new());
        }
        let mut found = ObjectFile::read(&object).map_err(|e| io(&object, &e))?.functions();
        let unused = output.stderr.lines().filter_map(|l| l.split_once("unused function '")?.1.split('\'').next());
        found.extend(unused.map(|name| Defined { name: name.into(), global: false }));
        // Headers bring static functions of their own, whose names are not in the file.
        let text = std::fs::read(&self.path).map_err(|e| io(&self.path, &e))?;
        let text = String::from_utf8_lossy(&text);
        let words: std::collections::BTreeSet<&str> =
            text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$').collect();
        found.retain(|d| d.global || words.contains(d.name.as_str()));
        found.sort();
        found.dedup_by(|a, b| a.name == b.name);
        Ok(found)
    }

    /// The type of `name` as the compiler writes it: what it says when something else is expected.
    fn declared(&self, name: &str) -> Option<String> {
        let text = format!("struct mathsmith_other *mathsmith_question = &({name});\n");
        let probe = self.write("declared.c", &text).ok()?;
        let mut command = Command::new(&self.tool.path);
        command.args(&self.flags).arg("-include").arg(&self.path).args(["-fsyntax-only", "-Wno-error", "-x", "c"]);
        command.arg(probe).env("LC_ALL", "C");
        let said = ask(command).ok()?.stderr;
        let line = said.lines().find(|line| line.contains("struct mathsmith_other *"))?;
        let quoted = ["incompatible pointer type '", "expression of type '"];
        let ty = quoted.iter().find_map(|q| line.split_once(q)?.1.split('\'').next())?;
        // gcc writes two spaces after some commas.
        let ty = ty.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(if ty.contains("(*)") { ty.replacen("(*)", name, 1) } else { format!("{ty} (not a function)") })
    }

    /// The error when the question after the types of `names` was refused.
    fn unfit_for_question(&self, names: &[String], said: &str) -> Result<SubjectError, SubjectError> {
        let functions = self.functions()?;
        let known = names_of(&functions);
        let missing = names.iter().find(|name| !functions.iter().any(|d| d.name == **name));
        Ok(match (missing, self.request.symbol) {
            (Some(name), Some(_)) if self.declared(name).is_none() => no_symbol(self.request, name, &known),
            _ => SubjectError::Signature {
                subject: path_text(self.request),
                what: format!("{} cannot tell the type of {}:\n{said}", self.tool.compiler, names.join(", ")),
                help: format!("declare the function with a prototype; supported: {SUPPORTED}"),
            },
        })
    }

    /// Links wrapper and object into a library that needs nothing unresolved.
    fn link(&self, wrapper: &Path, object: &Path, library: &Path) -> Result<(), SubjectError> {
        let mut command = Command::new(&self.tool.path);
        command.args(["-O2", "-fPIC", "-shared", "-w", "-o"]).arg(library).arg(wrapper).arg(object);
        if cfg!(target_os = "linux") {
            command.args(["-Wl,-Bsymbolic", "-Wl,-z,defs"]);
        }
        let mut words = self.flags.iter();
        while let Some(word) = words.next() {
            match linked(&word.to_string_lossy()) {
                Linked::No => {}
                Linked::Yes => drop(command.arg(word)),
                Linked::WithNext => drop(command.arg(word).args(words.next())),
            }
        }
        command.arg("-lm");
        let line = command_line(&command);
        let output = ask(command)?;
        if output.code != 0 {
            return Err(SubjectError::File {
                path: self.request.path.into(),
                what: format!("does not link by itself:\n{}\ncommand: {line}", output.stderr.trim_end()),
                help: "give what is missing among the flags: `PATH.o`, `-lNAME`, `-LFOLDER`".into(),
            });
        }
        Ok(())
    }
}

/// Whether a flag concerns the linker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Linked {
    No,
    Yes,
    /// It, and the word after it.
    WithNext,
}

fn linked(flag: &str) -> Linked {
    if ["-L", "-l", "-B", "-Xlinker", "--sysroot", "-isysroot", "-target"].contains(&flag) {
        return Linked::WithNext;
    }
    // Start-up code of profilers and debuggers is not wanted; machine flags decide which libraries fit.
    let heads =
        ["-L", "-l", "-B", "-Wl,", "-m", "-flto", "-fsanitize", "-fopenmp", "-pthread", "-fuse-ld", "--sysroot="];
    let heads = heads.into_iter().chain(["--target=", "-stdlib", "-nostdlib", "-nodefaultlibs", "-static-lib"]);
    let tails = [".o", ".a", ".so", ".dylib"];
    let file = !flag.starts_with('-') && tails.iter().any(|t| flag.ends_with(t));
    if file || heads.into_iter().any(|head| flag.starts_with(head)) { Linked::Yes } else { Linked::No }
}

fn is_clang(tool: &Tool) -> bool {
    tool.version.contains("clang")
}

fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    let head = |b: u8| b.is_ascii_alphabetic() || b == b'_' || b == b'$';
    bytes.next().is_some_and(head) && bytes.all(|b| head(b) || b.is_ascii_digit())
}

/// What the flags make of the compiler, as its predefined macros tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    /// The target has fused multiply-add.
    fma: bool,
    /// The mode of a C standard instead of GNU's.
    strict: bool,
    /// Fast mathematics.
    fast: bool,
    /// Major version of clang, 0 for others.
    clang: u8,
    /// `FLT_EVAL_METHOD`: 0 if `float` is computed as `float`.
    eval: i8,
}

/// The C text whose data [`Facts::of`] reads.
const FACTS: &str = "
#if defined(__FMA__) || defined(__FMA4__) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__) || defined(__riscv_flen)
#define MATHSMITH_FMA 1
#else
#define MATHSMITH_FMA 0
#endif
#ifdef __STRICT_ANSI__
#define MATHSMITH_STRICT 1
#else
#define MATHSMITH_STRICT 0
#endif
#ifdef __FAST_MATH__
#define MATHSMITH_FAST 1
#else
#define MATHSMITH_FAST 0
#endif
#ifdef __clang_major__
#define MATHSMITH_CLANG __clang_major__
#else
#define MATHSMITH_CLANG 0
#endif
#ifdef __FLT_EVAL_METHOD__
#define MATHSMITH_EVAL __FLT_EVAL_METHOD__
#else
#define MATHSMITH_EVAL 0
#endif
const unsigned char mathsmith_facts[5] = {
    MATHSMITH_FMA, MATHSMITH_STRICT, MATHSMITH_FAST, MATHSMITH_CLANG, (unsigned char)MATHSMITH_EVAL
};
";

impl Facts {
    fn of([fma, strict, fast, clang, eval]: [u8; 5]) -> Facts {
        Facts { fma: fma != 0, strict: strict != 0, fast: fast != 0, clang, eval: eval as i8 }
    }

    /// The mode of contraction in force, and whether it is the compiler's own choice.
    fn contraction(&self, flags: &[OsString]) -> (String, bool) {
        let given = flags.iter().rev().find_map(|f| f.to_str()?.strip_prefix("-ffp-contract=").map(String::from));
        let default = match self {
            _ if self.fast => "fast",
            Facts { clang: 14.., .. } => "on",
            Facts { clang: 1.., .. } => "off",
            Facts { strict: true, .. } => "off",
            _ => "fast",
        };
        given.map_or((default.into(), true), |mode| (mode, false))
    }

    /// What a reader of the figures should know of the arithmetic.
    fn notes(&self, flags: &[OsString]) -> Vec<String> {
        let (mode, own) = self.contraction(flags);
        let whose = if own { ", the compiler's default" } else { "" };
        let mut notes = vec![match (mode.as_str(), self.fma) {
            ("off", _) => format!("products and sums are not fused (-ffp-contract=off{whose})"),
            (_, true) => format!("products and sums may be fused (-ffp-contract={mode}{whose}; the target has FMA)"),
            (_, false) => {
                format!("products and sums are not fused: the target has no FMA (-ffp-contract={mode}{whose})")
            }
        }];
        if self.fast {
            notes.push(
                "fast-math flags are not given to the linker, which would switch the process to flush-to-zero; \
                 `--ftz` measures that"
                    .into(),
            );
        }
        if self.eval != 0 {
            notes.push(format!("float is computed in a wider format here (FLT_EVAL_METHOD is {})", self.eval));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_for_the_linker() {
        for (flag, expected) in [
            ("-O2", Linked::No),
            ("-Ofast", Linked::No),
            ("-ffast-math", Linked::No),
            ("-funsafe-math-optimizations", Linked::No),
            ("-Iinclude", Linked::No),
            ("-DN=3", Linked::No),
            ("-march=x86-64-v3", Linked::Yes),
            ("-lfoo", Linked::Yes),
            ("-l", Linked::WithNext),
            ("-L", Linked::WithNext),
            ("more.o", Linked::Yes),
            ("-Wl,--as-needed", Linked::Yes),
        ] {
            assert_eq!(linked(flag), expected, "{flag}");
        }
    }

    #[test]
    fn contraction_is_stated() {
        let gcc = Facts { fma: false, strict: false, fast: false, clang: 0, eval: 0 };
        let flags = |text: &str| -> Vec<OsString> { text.split_whitespace().map(OsString::from).collect() };
        let notes = |facts: Facts, text: &str| facts.notes(&flags(text)).join("\n");
        assert!(notes(gcc, "-O2").contains("no FMA (-ffp-contract=fast, the compiler's default"));
        assert!(notes(Facts { fma: true, ..gcc }, "-O2").contains("may be fused"));
        assert!(
            notes(Facts { fma: true, strict: true, ..gcc }, "-std=c99").contains("not fused (-ffp-contract=off, the")
        );
        assert!(notes(Facts { fma: true, clang: 14, ..gcc }, "").contains("-ffp-contract=on, the compiler's default"));
        assert!(notes(Facts { fma: true, clang: 13, ..gcc }, "").contains("not fused"));
        let given = notes(Facts { fma: true, ..gcc }, "-ffp-contract=fast -ffp-contract=off");
        assert!(given.contains("(-ffp-contract=off)"), "{given}");
        assert!(notes(Facts { fast: true, ..gcc }, "-Ofast").contains("--ftz"));
        assert!(notes(Facts { eval: 2, ..gcc }, "-m32").contains("wider format"));
    }

    #[test]
    fn identifiers() {
        for (name, good) in
            [("my_expf", true), ("_f1", true), ("", false), ("1f", false), ("a b", false), ("f(", false)]
        {
            assert_eq!(is_identifier(name), good, "{name}");
        }
    }
}
