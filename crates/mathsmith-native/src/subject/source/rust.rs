//! Rust sources: compiled as a library, called from another crate that cannot change a bit.
//!
//! The file becomes an `rlib` by the command that a person would type; a second crate calls it through a volatile
//! pointer and becomes the shared library. Functions marked `#[inline]` are compiled in the second crate, so it gets the
//! same flags. rustc never fuses a product and a sum by itself.
//!
//! **The type is found by the compiler.** A crate with one line for each type that can be measured,
//! `const _: fn(f32) -> f32 = subject::f;`, is checked without making code; the line without an error is the type. A
//! line without a type says whether the function is generic, the codes of the errors whether it exists and is public.
//!
//! **Private functions** cannot be named from another crate, so a copy of the file is compiled with a module at its end
//! that exports the function. Links to all neighbours of the file stand around the copy, so that `mod` and
//! `include_str!` find what they name.

use super::super::{SourceRequest, SubjectError};
use super::rust_forms::{Form, SUPPORTED};
use super::symbols::{ObjectFile, rust_path};
use super::{Candidate, Compiled, FunctionType, ask, choose, io, no_symbol, path_text};
use crate::{Compiler, Tool, Toolchain};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `cargo build --release` compiles with.
pub(super) const DEFAULT_FLAGS: [&str; 2] = ["-C", "opt-level=3"];

/// What a file is compiled as if the flags do not say.
const EDITION: &str = "2021";

/// Neighbours of a file up to which a copy of it is made.
const NEIGHBOURS: usize = 4096;

/// A file in the hands of rustc.
struct Unit<'a> {
    request: &'a SourceRequest<'a>,
    tool: &'a Tool,
    flags: &'a [String],
    /// Name of its crate, which the file may say.
    name: String,
    /// Whether it does.
    named: bool,
}

/// What stands for one line of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// No error.
    Good,
    /// The name is unknown.
    Missing,
    /// The name is private.
    Private,
    /// Parameters of the type are open.
    Generic,
    /// Any other error: another type, no function.
    Bad,
}

/// Builds the library of a Rust file.
pub(super) fn build(
    request: &SourceRequest,
    toolchain: &Toolchain,
    flags: &[String],
) -> Result<Compiled, SubjectError> {
    let tool = toolchain.require(Compiler::Rustc)?;
    let text = std::fs::read_to_string(request.path).map_err(|e| io(request.path, &e))?;
    let given = crate_name(&text);
    let named = given.is_some();
    let unit = Unit { request, tool, flags, name: given.unwrap_or_else(|| "subject".into()), named };
    let library = request.folder.join("libsubject.rlib");
    let built =
        toolchain.compile(Compiler::Rustc, unit.library_command(request.path, &library), request.path, &library)?;

    let names = match request.symbol {
        Some(symbol) => vec![unit.path_of(symbol)?],
        None => unit.functions()?.into_iter().filter(|name| name != "main").collect(),
    };
    let mut access = Access { prefix: "subject::", library, copy: None };
    let mut reach = unit.reach(&names, &access)?;
    if !reach.contains(&Line::Good) && reach.contains(&Line::Private) {
        // Nothing to call from outside: ask from inside.
        access = unit.inside(&text)?;
        reach = unit.reach(&names, &access)?;
    }
    let known: Vec<&String> =
        names.iter().zip(&reach).filter(|(_, r)| **r == Line::Good || **r == Line::Generic).map(|(n, _)| n).collect();
    if let (Some(_), [name], [line]) = (request.symbol, &names[..], &reach[..])
        && known.is_empty()
    {
        return Err(unit.unreachable(name, *line)?);
    }
    let candidates = unit.candidates(&known, &access)?;
    let chosen = choose(request, &candidates, &|name| unit.declared(name, &access), SUPPORTED)?;
    let (name, form) = (&candidates[chosen.index].name, chosen.form);

    let mut target = format!("subject::{name}");
    if let Some(copy) = &access.copy {
        let export = format!("pub const FUNCTION: {} = super::{name};", form.pointer());
        let source = copy.write(&format!("#[doc(hidden)]\npub mod mathsmith_export {{ {export} }}\n"))?;
        toolchain.compile(
            Compiler::Rustc,
            unit.copy_command(copy, &source, &access.library),
            request.path,
            &access.library,
        )?;
        target = "subject::mathsmith_export::FUNCTION".into();
    }
    let wrapper = request.folder.join("wrapper.rs");
    std::fs::write(&wrapper, form.wrapper(&target)).map_err(|e| io(&wrapper, &e))?;
    let library = request.folder.join(format!("subject{}", std::env::consts::DLL_SUFFIX));
    let mut command = unit.command();
    command.args(["--crate-name", "mathsmith_wrapper", "--crate-type", "cdylib", "--edition", "2021"]);
    command.args(unit.flags_without_edition()).args(["--cap-lints", "allow"]);
    if cfg!(target_os = "linux") {
        // A function named like one of the system's libraries is to be called itself.
        command.args(["-C", "link-arg=-Wl,-Bsymbolic"]);
    }
    command.arg("--extern").arg(subject_extern(&access.library)).arg("-o").arg(&library).arg(&wrapper);
    toolchain.compile(Compiler::Rustc, command, request.path, &library)?;

    let mut notes = vec!["products and sums are not fused: rustc fuses only where `mul_add` is written".into()];
    if access.copy.is_some() {
        notes.push(format!("`{name}` is private: measured in a copy of the file that exports it"));
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

/// From where questions are asked.
struct Access {
    /// What stands before the path of a function.
    prefix: &'static str,
    /// The compiled crate.
    library: PathBuf,
    /// The copy of the file in which questions stand; without it they are a crate that uses the compiled one.
    copy: Option<FileCopy>,
}

/// A copy of the file, to which something is added.
struct FileCopy {
    /// Where it stands, links to the neighbours around it.
    path: PathBuf,
    /// The file.
    text: String,
}

impl FileCopy {
    /// Writes the file with `end` after it.
    fn write(&self, end: &str) -> Result<PathBuf, SubjectError> {
        std::fs::write(&self.path, format!("{}{end}", self.text)).map_err(|e| io(&self.path, &e))?;
        Ok(self.path.clone())
    }
}

impl Unit<'_> {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.tool.path);
        // Variables of a surrounding cargo are no part of the question.
        command.env_remove("RUSTC_LOG").env_remove("RUSTC_BOOTSTRAP");
        command
    }

    /// `--edition` where the flags leave it open, the name where the file leaves it open.
    fn crate_arguments(&self) -> Vec<&str> {
        let mut words = Vec::new();
        if !self.named {
            words.extend(["--crate-name", self.name.as_str()]);
        }
        if !self.flags.iter().any(|f| f.starts_with("--edition")) {
            words.extend(["--edition", EDITION]);
        }
        words
    }

    fn flags_without_edition(&self) -> Vec<&str> {
        let mut kept = Vec::new();
        let mut words = self.flags.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--edition" => drop(words.next()),
                w if w.starts_with("--edition=") => {}
                w => kept.push(w),
            }
        }
        kept
    }

    fn library_command(&self, source: &Path, out: &Path) -> Command {
        let mut command = self.command();
        command
            .args(["--crate-type", "rlib"])
            .args(self.crate_arguments())
            .args(self.flags)
            .arg("-o")
            .arg(out)
            .arg(source);
        command
    }

    /// The command that compiles a copy, whose warnings have been seen already and whose name nobody knows.
    fn copy_command(&self, copy: &FileCopy, source: &Path, out: &Path) -> Command {
        let mut command = self.library_command(source, out);
        let mut remap = std::ffi::OsString::from("--remap-path-prefix=");
        remap.push(&copy.path);
        remap.push("=");
        remap.push(self.request.path);
        command.args(["--cap-lints", "allow"]).arg(remap);
        command
    }

    /// The path after the crate's name: `my_expf`, `kernels::my_expf`.
    fn path_of(&self, symbol: &str) -> Result<String, SubjectError> {
        let path = symbol.strip_prefix("crate::").unwrap_or(symbol);
        let good = |part: &str| {
            let part = part.strip_prefix("r#").unwrap_or(part);
            !part.is_empty()
                && part.chars().all(|c| c == '_' || c.is_alphanumeric())
                && !part.starts_with(|c: char| c.is_ascii_digit())
        };
        if path.split("::").all(good) {
            Ok(path.into())
        } else {
            Err(no_symbol(self.request, symbol, &self.functions()?))
        }
    }

    /// The functions that the file defines, private ones included; generic ones make no code by themselves and are absent.
    fn functions(&self) -> Result<Vec<String>, SubjectError> {
        let object = self.request.folder.join("list.o");
        let mut command = self.command();
        command.args(["--crate-type", "rlib"]).args(self.crate_arguments()).args(self.flags);
        command.args(["-C", "opt-level=0", "-C", "codegen-units=1", "-C", "link-dead-code", "-C", "lto=off"]);
        command.args(["-C", "symbol-mangling-version=v0", "--cap-lints", "allow", "--emit"]);
        let mut emit = std::ffi::OsString::from("obj=");
        emit.push(&object);
        // rustc writes intermediate files, named after the crate alone, where the output would go by itself: without a folder
        // for it that is the current one, where two questions at a time take each other's files.
        command.arg(emit).arg("--out-dir").arg(self.request.folder).arg(self.request.path);
        let output = ask(command)?;
        if output.code != 0 {
            return Err(SubjectError::File {
                path: self.request.path.into(),
                what: format!("rustc cannot list its functions:\n{}", output.stderr.trim_end()),
                help: "check the flags given, or name the function: `--symbol NAME`".into(),
            });
        }
        let defined = ObjectFile::read(&object).map_err(|e| io(&object, &e))?.functions();
        let mut names: Vec<String> = defined
            .iter()
            .filter_map(|d| match d.name.starts_with("_R") {
                true => rust_path(&d.name, &self.name),
                // A name that is not mangled, or belongs to the language's own machinery.
                false => (!d.name.starts_with("rust_") && !d.name.starts_with("_ZN")).then(|| d.name.clone()),
            })
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Checks a crate of one line for each of `lines`, and says what became of each.
    fn check(&self, lines: &[String], access: &Access) -> Result<Vec<Line>, SubjectError> {
        let mut command;
        let (source, before) = match &access.copy {
            None => {
                let source = self.request.folder.join("probe.rs");
                std::fs::write(&source, lines.join("\n") + "\n").map_err(|e| io(&source, &e))?;
                command = self.command();
                command.args(["--crate-name", "mathsmith_probe", "--crate-type", "rlib", "--edition", "2021"]);
                command.args(self.flags_without_edition()).arg("--extern").arg(subject_extern(&access.library));
                command.arg(&source);
                (source, 0)
            }
            Some(copy) => {
                let source = copy.write(&format!("mod mathsmith_probe {{\n{}\n}}\n", lines.join("\n")))?;
                command = self.command();
                command.args(["--crate-type", "rlib"]).args(self.crate_arguments()).args(self.flags).arg(&source);
                (source, copy.text.matches('\n').count() + 1)
            }
        };
        let mut emit = std::ffi::OsString::from("--emit=metadata=");
        emit.push(self.request.folder.join("probe.rmeta"));
        command.arg(emit).args(["--cap-lints", "allow", "--error-format=short"]);
        let output = ask(command)?;
        let mut found = vec![Line::Good; lines.len()];
        let head = format!("{}:", source.display());
        let mut understood = output.code == 0;
        for message in output.stderr.lines() {
            let Some((line, text)) = message.strip_prefix(&head).and_then(|rest| rest.split_once(':')) else {
                continue;
            };
            let line = line.parse::<usize>().ok().and_then(|line| line.checked_sub(before + 1));
            let (Some(slot), true) = (line.and_then(|line| found.get_mut(line)), text.contains("error")) else {
                continue;
            };
            let code = text.split_once("error[").and_then(|(_, rest)| rest.split(']').next()).unwrap_or_default();
            *slot = match code {
                "E0425" | "E0432" | "E0433" | "E0412" => Line::Missing,
                "E0603" => Line::Private,
                "E0282" | "E0283" | "E0284" => Line::Generic,
                _ => Line::Bad,
            };
            understood = true;
        }
        if understood {
            return Ok(found);
        }
        Err(SubjectError::File {
            path: self.request.path.into(),
            what: format!("rustc cannot use it as a library:\n{}", output.stderr.trim_end()),
            help: "check the flags given".into(),
        })
    }

    /// Whether each of `names` can be named. Errors of names end a check before types are looked at, so they are asked for
    /// first.
    fn reach(&self, names: &[String], access: &Access) -> Result<Vec<Line>, SubjectError> {
        let lines: Vec<String> =
            names.iter().map(|name| format!("const _: () = {{ let _ = {}{name}; }};", access.prefix)).collect();
        self.check(&lines, access)
    }

    /// The types of functions that can be named.
    fn candidates(&self, names: &[&String], access: &Access) -> Result<Vec<Candidate<Form>>, SubjectError> {
        let forms = Form::all();
        let mut lines = Vec::new();
        for name in names {
            let path = format!("{}{name}", access.prefix);
            lines.push(format!("const _: () = {{ let _ = {path}; }};"));
            lines.extend(forms.iter().map(|form| format!("const _: {} = {path};", form.pointer())));
        }
        let found = self.check(&lines, access)?;
        let candidates = names.iter().zip(found.chunks(forms.len() + 1)).map(|(name, lines)| Candidate {
            name: (*name).clone(),
            public: access.copy.is_none(),
            forms: forms.iter().zip(&lines[1..]).filter(|(_, l)| **l == Line::Good).map(|(form, _)| *form).collect(),
            generic: lines[0] == Line::Generic,
        });
        Ok(candidates.collect())
    }

    /// The type of a function as rustc writes it: what it says when something else is expected.
    fn declared(&self, name: &str, access: &Access) -> Option<String> {
        let question = format!("const _: () = {}{name};\n", access.prefix);
        let mut command = self.command();
        let source = match &access.copy {
            None => {
                let source = self.request.folder.join("declared.rs");
                std::fs::write(&source, question).ok()?;
                command
                    .args(["--crate-name", "mathsmith_probe", "--edition", "2021"])
                    .args(self.flags_without_edition());
                command.arg("--extern").arg(subject_extern(&access.library));
                source
            }
            Some(copy) => {
                command.args(self.crate_arguments()).args(self.flags);
                copy.write(&format!("mod mathsmith_probe {{ {question} }}\n")).ok()?
            }
        };
        let mut emit = std::ffi::OsString::from("--emit=metadata=");
        emit.push(self.request.folder.join("probe.rmeta"));
        command.args(["--crate-type", "rlib", "--cap-lints", "allow"]).arg(emit).arg(source);
        let said = ask(command).ok()?.stderr;
        let item = said.split_once("found fn item `").and_then(|(_, rest)| rest.split('`').next());
        // The name stands in braces at the end.
        let ty = item?.rsplit_once(" {").map_or(item?, |(ty, _)| ty);
        Some(ty.replacen("fn(", &format!("fn {name}("), 1))
    }

    /// A copy of the file, neighbours linked around it.
    fn inside(&self, text: &str) -> Result<Access, SubjectError> {
        let path = std::path::absolute(self.request.path).map_err(|e| io(self.request.path, &e))?;
        let (Some(folder), Some(file)) = (path.parent(), path.file_name()) else {
            return Err(io(self.request.path, &std::io::ErrorKind::NotFound.into()));
        };
        let room = self.request.folder.join("copy");
        std::fs::create_dir_all(&room).map_err(|e| io(&room, &e))?;
        let entries = std::fs::read_dir(folder).map_err(|e| io(folder, &e))?;
        for entry in entries.take(NEIGHBOURS).filter_map(Result::ok).filter(|e| e.file_name() != file) {
            #[cfg(unix)]
            // What cannot be linked may not be needed; if it is, the compiler says so.
            let _ = std::os::unix::fs::symlink(entry.path(), room.join(entry.file_name()));
        }
        let copy = FileCopy { path: room.join(file), text: format!("{}\n", text.trim_end()) };
        Ok(Access { prefix: "super::", library: room.join("libsubject.rlib"), copy: Some(copy) })
    }

    /// The error for a name that leads to no function.
    fn unreachable(&self, name: &str, line: Line) -> Result<SubjectError, SubjectError> {
        Ok(match line {
            Line::Private => SubjectError::Signature {
                subject: format!("`{name}` in {}", path_text(self.request)),
                what: "it is private within a module".into(),
                help: "write `pub` before it and its modules".into(),
            },
            Line::Bad => SubjectError::Signature {
                subject: format!("`{name}` in {}", path_text(self.request)),
                what: "it is no function".into(),
                help: format!("name a function; supported: {SUPPORTED}"),
            },
            _ => no_symbol(self.request, name, &self.functions()?),
        })
    }
}

/// `subject=PATH`, for `--extern`.
fn subject_extern(library: &Path) -> std::ffi::OsString {
    let mut word = std::ffi::OsString::from("subject=");
    word.push(library);
    word
}

/// The name that a file gives its crate: `#![crate_name = "…"]`.
fn crate_name(text: &str) -> Option<String> {
    let rest = text.lines().find_map(|line| line.trim_start().strip_prefix("#![crate_name"))?;
    Some(rest.split('"').nth(1)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_crates() {
        assert_eq!(crate_name("//! x\n#![no_std]\n#![crate_name = \"kernels\"]\n").as_deref(), Some("kernels"));
        assert_eq!(crate_name("// crate_name\nfn f() {}\n"), None);
    }
}
