//! The corpus of `tests/cases/`: small programs with inputs and exact expected bits, one for every engine to agree with.
//!
//! # Format of a `.case` file
//!
//! ```text
//! # Comments and blank lines are ignored.
//! program add_f32(x: f32, y: f32) -> (f32) {
//!   v2 = add x, y
//!   return v2
//! }
//! run 0x3f800000 0x40000000 -> 0x40400000
//! run 0x7f800000 0xff800000 -> nan
//! run 0x3f800000 params 0x40000000 -> 0x40400000
//! ```
//!
//! A file holds any number of programs in the text form ([`crate::text`]); the closing brace stands alone on its line.
//! The `run` lines that follow a program give one value for each input, then, after `params`, one for each parameter
//! (left out: the values in the program), then, after `->`, one expected value for each output. A value is its bits in
//! hexadecimal with all digits of its type, `true` or `false`, or `nan`: as an input the positive quiet NaN, as an
//! expectation any NaN.
//!
//! For a program with reductions the runs with equal parameters are the rows of one call, in the order of the file.
//!
//! # Blessing
//!
//! [`bless`] rewrites the expected values of a file with what an engine computes. The interpreter's test does so when
//! the environment variable `MATHSMITH_BLESS` is `1`; the difference is then read by a person, as expectations are
//! meant to come from elsewhere.

use crate::{Column, Engine, EngineError, Literal, Program, Type, staged};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// One `run` line.
#[derive(Clone, Debug)]
pub struct Run {
    /// 1-based line in the file.
    pub line: usize,
    /// Parameters in order.
    pub params: Vec<Literal>,
    /// Inputs in order.
    pub inputs: Vec<Literal>,
    /// Expected outputs in order; a NaN stands for any NaN.
    pub expected: Vec<Literal>,
}

/// A program and its runs.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file.
    pub path: PathBuf,
    /// 1-based line where the program starts.
    pub line: usize,
    /// The program.
    pub program: Program,
    /// What it is run on and must give; at least one.
    pub runs: Vec<Run>,
}

/// Why a corpus cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file does not follow the format.
    #[error("{}:{line}: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// 1-based line.
        line: usize,
        /// What is wrong and what to do.
        message: String,
    },
}

/// An engine that does not agree with the corpus.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// A value differs.
    #[error("{path}:{line}: output {output} of `{program}` is {got}, {expected} expected (in a column of {rows} rows)")]
    Value {
        /// The file.
        path: String,
        /// 1-based line of the `run`.
        line: usize,
        /// Name of the program.
        program: String,
        /// Index of the output.
        output: usize,
        /// Expected value in the format of the file.
        expected: String,
        /// Computed value in the format of the file.
        got: String,
        /// Length of the columns in which it happened: vector bodies and tails of an engine may differ.
        rows: usize,
    },
    /// The engine refused to run.
    #[error("{path}:{line}: `{program}` was refused: {error}")]
    Refused {
        /// The file.
        path: String,
        /// 1-based line of the program.
        line: usize,
        /// Name of the program.
        program: String,
        /// What the engine said.
        error: EngineError,
    },
}

/// Reads every `.case` file of a folder, in the order of their names.
///
/// # Errors
/// [`CorpusError`] if the folder holds no such file, or one cannot be read or breaks the format.
pub fn load_dir(dir: impl AsRef<Path>) -> Result<Vec<Case>, CorpusError> {
    let dir = dir.as_ref();
    let mut cases = Vec::new();
    for path in case_files(dir)? {
        let text = std::fs::read_to_string(&path).map_err(|source| CorpusError::Io { path: path.clone(), source })?;
        cases.extend(parse(&path, &text)?);
    }
    if cases.is_empty() {
        let source =
            std::io::Error::new(std::io::ErrorKind::NotFound, "the folder holds no `.case` file with a program");
        return Err(CorpusError::Io { path: dir.into(), source });
    }
    Ok(cases)
}

/// The `.case` files of a folder, sorted.
///
/// # Errors
/// [`CorpusError::Io`] if the folder cannot be read.
pub fn case_files(dir: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    let io = |source| CorpusError::Io { path: dir.into(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|e| e == "case") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads the text of one `.case` file; `path` is for messages.
///
/// # Errors
/// [`CorpusError::Format`].
pub fn parse(path: &Path, text: &str) -> Result<Vec<Case>, CorpusError> {
    let fail = |line: usize, message: String| CorpusError::Format { path: path.into(), line, message };
    let mut cases: Vec<Case> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let line_number = at + 1;
        let words = line.split('#').next().unwrap_or("").trim();
        if words.is_empty() {
            continue;
        }
        if let Some(run) = words.strip_prefix("run") {
            let case = cases.last_mut().ok_or_else(|| fail(line_number, "a `run` follows a program".into()))?;
            case.runs.push(parse_run(&case.program, run, line_number).map_err(|m| fail(line_number, m))?);
            continue;
        }
        if !words.starts_with("program") {
            return Err(fail(line_number, "a line starts with `program`, `run` or `#`".into()));
        }
        let mut source = format!("{line}\n");
        if words != "}" && !words.ends_with('}') {
            loop {
                let (_, next) = lines.next().ok_or_else(|| fail(line_number, "the program has no line `}`".into()))?;
                let _ = writeln!(source, "{next}");
                if next.trim() == "}" {
                    break;
                }
            }
        }
        let program: Program = source
            .parse()
            .map_err(|e: crate::text::ParseError| fail(at + e.line, format!("column {}: {}", e.column, e.message)))?;
        cases.push(Case { path: path.into(), line: line_number, program, runs: Vec::new() });
    }
    match cases.iter().find(|c| c.runs.is_empty()) {
        Some(case) => Err(fail(case.line, format!("`{}` has no `run` line", case.program.name()))),
        None => Ok(cases),
    }
}

fn parse_run(program: &Program, text: &str, line: usize) -> Result<Run, String> {
    let (given, expected) = text.split_once("->").ok_or("`->` and the expected outputs are missing")?;
    let (inputs, params) = match given.split_once("params") {
        Some((inputs, params)) => (inputs, Some(params)),
        None => (given, None),
    };
    let input_types: Vec<Type> = program.inputs().iter().map(|i| i.ty).collect();
    let param_types: Vec<Type> = program.params().iter().map(|p| p.ty).collect();
    let output_types: Vec<Type> = program.outputs().iter().map(|&v| program.ty(v)).collect();
    let params = match params {
        Some(text) => parse_values("parameters", text, &param_types)?,
        None => program
            .params()
            .iter()
            .map(|p| p.value.ok_or_else(|| format!("parameter `{}` has no value: give it after `params`", p.name)))
            .collect::<Result<_, _>>()?,
    };
    let inputs = parse_values("inputs", inputs, &input_types)?;
    let expected = parse_values("outputs", expected, &output_types)?;
    Ok(Run { line, params, inputs, expected })
}

fn parse_values(what: &str, text: &str, types: &[Type]) -> Result<Vec<Literal>, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.len() != types.len() {
        return Err(format!("{} {what} wanted, {} given", types.len(), words.len()));
    }
    words.iter().zip(types).map(|(w, &ty)| parse_bits(w, ty)).collect()
}

fn parse_bits(word: &str, ty: Type) -> Result<Literal, String> {
    let wrong = || {
        let digits = ty.bits().unwrap_or(0) / 4;
        match ty {
            Type::Bool => format!("`{word}` is not a bool: write `true` or `false`"),
            Type::Real => "a corpus has no real values".into(),
            _ => format!("`{word}` is not a value of type {ty}: write its bits, `0x` and {digits} digits"),
        }
    };
    let bits = || {
        let digits = word.strip_prefix("0x").filter(|d| Some(d.len() as u32 * 4) == ty.bits())?;
        u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
    };
    Ok(match (ty, word) {
        (Type::F32, "nan") => Literal::F32(f32::from_bits(0x7fc0_0000)),
        (Type::F64, "nan") => Literal::F64(f64::from_bits(0x7ff8_0000_0000_0000)),
        (Type::Bool, "true") => Literal::Bool(true),
        (Type::Bool, "false") => Literal::Bool(false),
        (Type::F32, _) => Literal::F32(f32::from_bits(bits().ok_or_else(wrong)? as u32)),
        (Type::F64, _) => Literal::F64(f64::from_bits(bits().ok_or_else(wrong)?)),
        (Type::I32, _) => Literal::I32(bits().ok_or_else(wrong)? as u32 as i32),
        (Type::I64, _) => Literal::I64(bits().ok_or_else(wrong)? as i64),
        _ => return Err(wrong()),
    })
}

/// A value in the format of the files, every NaN as `nan`.
pub fn bits_text(l: Literal) -> String {
    match l {
        Literal::F32(x) if x.is_nan() => "nan".into(),
        Literal::F64(x) if x.is_nan() => "nan".into(),
        Literal::F32(x) => format!("{:#010x}", x.to_bits()),
        Literal::F64(x) => format!("{:#018x}", x.to_bits()),
        Literal::I32(x) => format!("{x:#010x}"),
        Literal::I64(x) => format!("{x:#018x}"),
        Literal::Bool(x) => x.to_string(),
        Literal::Real(x) => format!("{:#018x}", x.to_f64().to_bits()),
    }
}

/// Whether two values agree: the same bits, or both NaN.
pub fn agree(a: Literal, b: Literal) -> bool {
    match (a, b) {
        (Literal::F32(a), Literal::F32(b)) if a.is_nan() && b.is_nan() => true,
        (Literal::F64(a), Literal::F64(b)) if a.is_nan() && b.is_nan() => true,
        _ => a == b,
    }
}

/// Runs an engine, which must have been made for `case.program`, on all runs of the case and compares every bit.
///
/// Runs with equal parameters share a call. A program with reductions is called once for each of them, with the runs as the
/// rows, in their order. Other calls are made three times, on columns of the runs as they stand, of one row,
/// and of the runs repeated to 67 rows, so that the vector bodies and the tails of an engine all meet every value.
///
/// # Errors
/// The first [`Mismatch`].
pub fn check(engine: &mut dyn Engine, case: &Case) -> Result<(), Mismatch> {
    // A reduction means something else on other rows.
    if staged::has_reductions(&case.program) {
        return check_once(engine, case);
    }
    for group in by_params(&case.runs) {
        check_rows(engine, case, &group)?;
        let repeated: Vec<&Run> = group.iter().copied().cycle().take(67.max(group.len())).collect();
        check_rows(engine, case, &repeated)?;
        for run in group {
            check_rows(engine, case, &[run])?;
        }
    }
    Ok(())
}

/// Like [`check`], but with a single call for all runs with equal parameters: for engines that handle one row after the
/// other and whose calls are dear, such as compiled code in a process of its own.
///
/// # Errors
/// The first [`Mismatch`].
pub fn check_once(engine: &mut dyn Engine, case: &Case) -> Result<(), Mismatch> {
    by_params(&case.runs).iter().try_for_each(|group| check_rows(engine, case, group))
}

/// Runs in groups with equal parameters, in the order of their first runs.
pub fn by_params(runs: &[Run]) -> Vec<Vec<&Run>> {
    let mut groups: Vec<Vec<&Run>> = Vec::new();
    for run in runs {
        match groups.iter_mut().find(|group| group[0].params == run.params) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    groups
}

fn check_rows(engine: &mut dyn Engine, case: &Case, rows: &[&Run]) -> Result<(), Mismatch> {
    let path = || case.path.display().to_string();
    let program = || case.program.name().to_string();
    let outputs = run_rows(engine, &case.program, rows).map_err(|error| Mismatch::Refused {
        path: path(),
        line: case.line,
        program: program(),
        error,
    })?;
    for (row, run) in rows.iter().enumerate() {
        for (output, (column, &want)) in outputs.iter().zip(&run.expected).enumerate() {
            let got = column.get(row);
            if !agree(got, want) {
                let (expected, got) = (bits_text(want), bits_text(got));
                let (line, rows) = (run.line, rows.len());
                return Err(Mismatch::Value { path: path(), line, program: program(), output, expected, got, rows });
            }
        }
    }
    Ok(())
}

/// Runs rows that share their parameters.
fn run_rows(engine: &mut dyn Engine, program: &Program, rows: &[&Run]) -> Result<Vec<Column>, EngineError> {
    let column =
        |k: usize, ty: Type| Column::from_literals(ty, &rows.iter().map(|r: &&Run| r.inputs[k]).collect::<Vec<_>>());
    let inputs: Vec<Column> = program.inputs().iter().enumerate().map(|(k, i)| column(k, i.ty)).collect();
    let mut outputs: Vec<Column> =
        program.outputs().iter().map(|&v| Column::zeros(program.ty(v), rows.len())).collect();
    let input_refs: Vec<_> = inputs.iter().map(Column::as_ref).collect();
    let mut output_refs: Vec<_> = outputs.iter_mut().map(Column::as_mut).collect();
    engine.run(&rows[0].params, &input_refs, &mut output_refs)?;
    Ok(outputs)
}

/// Rewrites the expected values of one file with what engines made by `make` compute; comments and layout stay.
///
/// # Errors
/// [`CorpusError`] if the file cannot be read or written, or an engine refuses a program.
pub fn bless(
    path: &Path,
    mut make: impl FnMut(&Program) -> Result<Box<dyn Engine>, EngineError>,
) -> Result<(), CorpusError> {
    let io = |source| CorpusError::Io { path: path.into(), source };
    let text = std::fs::read_to_string(path).map_err(io)?;
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    for case in parse(path, &text)? {
        let refused =
            |e: EngineError| CorpusError::Format { path: path.into(), line: case.line, message: e.to_string() };
        let mut engine = make(&case.program).map_err(refused)?;
        for group in by_params(&case.runs) {
            let outputs = run_rows(engine.as_mut(), &case.program, &group).map_err(refused)?;
            for (row, run) in group.into_iter().enumerate() {
                let values: Vec<String> = outputs.iter().map(|c| bits_text(c.get(row))).collect();
                let line = &mut lines[run.line - 1];
                let comment = line.find('#').map(|at| format!("  {}", &line[at..])).unwrap_or_default();
                let given = line.split("->").next().unwrap_or("").trim_end();
                *line = format!("{given} -> {}{comment}", values.join(" "));
            }
        }
    }
    // Written beside and renamed: an interrupted run leaves the old file.
    let temporary = path.with_extension("case.new");
    std::fs::write(&temporary, lines.join("\n") + "\n").map_err(io)?;
    std::fs::rename(&temporary, path).map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interpreter;

    const TEXT: &str = "# a comment
program add(x: f32) -> (f32, bool) {
  param c: f32 = 1
  y = add x, c
  t = lt x, c
  return y, t
}
run 0x3f800000 -> 0x40000000 false   # one and one
run nan -> nan false
run 0x3f800000 params 0x40000000 -> 0x40400000 true
";

    fn cases(text: &str) -> Result<Vec<Case>, CorpusError> {
        parse(Path::new("t.case"), text)
    }

    #[test]
    fn agreement_and_disagreement() {
        let case = &cases(TEXT).unwrap()[0];
        let mut engine = Interpreter::new(&case.program).unwrap();
        assert_eq!(check(&mut engine, case), Ok(()));
        let wrong = &cases(&TEXT.replace("0x40400000 true", "0x40400001 true")).unwrap()[0];
        let error = check(&mut engine, wrong).unwrap_err().to_string();
        assert!(error.starts_with("t.case:10: output 0 of `add` is 0x40400000, 0x40400001 expected"), "{error}");
    }

    #[test]
    fn blessing_rewrites_expectations_only() {
        let dir = std::env::temp_dir().join(format!("mathsmith-bless-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("t.case");
        std::fs::write(&path, TEXT.replace("-> 0x40400000 true", "-> 0x00000000 false")).unwrap();
        bless(&path, |p| Ok(Box::new(Interpreter::new(p)?))).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), TEXT.replace("false   #", "false  #"));
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn format_errors_have_a_line() {
        for (from, to, line, part) in [
            ("run nan", "run nan nan", 9, "1 inputs wanted, 2 given"),
            ("run nan", "run 0x3f80000", 9, "`0x` and 8 digits"),
            (" -> nan false", "", 9, "`->`"),
            ("y = add", "y = ad", 4, "unknown operation"),
            ("= 1\n", "\n", 8, "has no value"),
            ("# a comment", "hello", 1, "starts with"),
            ("# a comment", "run 1 -> 1", 1, "follows a program"),
        ] {
            let error = cases(&TEXT.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.starts_with(&format!("t.case:{line}: ")) && error.contains(part), "{error}");
        }
    }
}
