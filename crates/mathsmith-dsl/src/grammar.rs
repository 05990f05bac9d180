//! Grammar files: which operations a search may use, how often, and how large its populations are.
//!
//! ```text
//! grammar fma
//! ops add:1 sub:1 mul:1 fma:3     # operation:weight
//! max-ops 12
//! mutate insert:3 delete:1 rewire:2 change-op:1 crossover:1
//! ```

use crate::diagnostic::quote;
use crate::lines::{self, Line, MOST_ERRORS};
use crate::suggest::nearest;
use crate::{Code, Diagnostic, OpName, SourceText, Span};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A search space and the habits of the search in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grammar {
    /// Its name.
    pub name: String,
    /// Operations with the weight by which a mutation draws them, in the order of the file; a weight of 0 means that
    /// the operation may appear (in a seed, by simplification) but is never drawn.
    pub ops: Vec<(OpName, f64)>,
    /// Most operations of a program.
    pub max_ops: u32,
    /// Most free constants of a program.
    pub max_params: u32,
    /// How often each kind of change is drawn.
    pub mutations: Mutations,
    /// Programs kept for each operation count.
    pub archive: u32,
    /// Islands that evolve side by side.
    pub islands: u32,
    /// Children proposed for each island in a generation.
    pub batch: u32,
}

macro_rules! mutations {
    ($($field:ident $name:literal $weight:literal $doc:literal;)*) => {
        /// Weights of the kinds of changes.
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        pub struct Mutations {
            $(#[doc = $doc] pub $field: f64,)*
        }

        impl Mutations {
            const NONE: Mutations = Mutations { $($field: 0.0,)* };

            /// Names and weights, in a fixed order.
            pub fn list(&self) -> Vec<(&'static str, f64)> {
                vec![$(($name, self.$field),)*]
            }

            fn slot(&mut self, name: &str) -> Option<&mut f64> {
                match name {
                    $($name => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }

        /// Weights of a grammar that does not list its kinds.
        const DEFAULT_MUTATIONS: &str = concat!($($name, ":", $weight, " ",)*);
        /// Every kind with what it does, for documentation.
        pub const MUTATION_TABLE: &[(&str, &str)] = &[$(($name, $doc),)*];
    };
}

mutations! {
    neutral "neutral" "1" "Insertion of an operation that changes nothing at first (`+ 0`, `* 1`).";
    insert "insert" "2" "Insertion of an operation between a value and its user, with another value.";
    delete "delete" "1" "Removal of an operation in favour of one of its arguments.";
    change_op "change-op" "1" "Another operation on the same arguments, or the arguments in another order.";
    rewire "rewire" "2" "Another argument for an operation.";
    subtree "subtree" "1" "A small new tree in place of an argument.";
    crossover "crossover" "1" "A part of another program in place of a part of this one.";
    square "square" "0.5" "A value times itself in place of the value.";
    macros "macro" "1" "A compound insertion, such as `y + b/y` in place of `y`.";
    perturb "perturb" "0.25" "All constants moved a little: another start for the fit.";
    split "split" "0.5" "A constant replaced by a value times or plus a constant.";
}

/// One key of a grammar file.
pub struct GrammarKey {
    /// The key.
    pub name: &'static str,
    /// What its value looks like.
    pub syntax: &'static str,
    /// The value where the key is not written; `None` where it must be.
    pub default: Option<&'static str>,
    /// What it says.
    pub doc: &'static str,
    set: fn(&mut Grammar, &str) -> Result<(), Diagnostic>,
}

/// Every key of a grammar file: the parser is driven by this table, the documentation is made from it.
pub const GRAMMAR_TABLE: &[GrammarKey] = &[
    GrammarKey {
        name: "grammar",
        syntax: "NAME",
        default: None,
        doc: "name of the grammar",
        set: |g, v| word(v).map(|name| g.name = name),
    },
    GrammarKey {
        name: "ops",
        syntax: "OP:WEIGHT ...",
        default: None,
        doc: "operations and how often a mutation draws each; without a weight, 1",
        set: set_ops,
    },
    GrammarKey {
        name: "max-ops",
        syntax: "N",
        default: Some("12"),
        doc: "most operations of a program",
        set: |g, v| small(v, 1, 1000).map(|n| g.max_ops = n),
    },
    GrammarKey {
        name: "max-params",
        syntax: "N",
        default: Some("12"),
        doc: "most free constants of a program",
        set: |g, v| small(v, 0, 1000).map(|n| g.max_params = n),
    },
    GrammarKey {
        name: "mutate",
        syntax: "KIND:WEIGHT ...",
        default: Some(DEFAULT_MUTATIONS),
        doc: "kinds of changes and how often each is drawn; one that is not listed is never drawn",
        set: set_mutations,
    },
    GrammarKey {
        name: "archive",
        syntax: "N",
        default: Some("100"),
        doc: "programs kept for each operation count",
        set: |g, v| small(v, 1, 100_000).map(|n| g.archive = n),
    },
    GrammarKey {
        name: "islands",
        syntax: "N",
        default: Some("4"),
        doc: "islands that evolve side by side; they do not depend on the number of threads",
        set: |g, v| small(v, 1, 1024).map(|n| g.islands = n),
    },
    GrammarKey {
        name: "batch",
        syntax: "N",
        default: Some("256"),
        doc: "children proposed for each island in a generation",
        set: |g, v| small(v, 1, 1_000_000).map(|n| g.batch = n),
    },
];

/// The grammars that ship: name and text.
const BUILTIN: &[(&str, &str)] = &[
    ("real", include_str!("../../../grammars/real.grammar")),
    ("fma", include_str!("../../../grammars/fma.grammar")),
    ("plain", include_str!("../../../grammars/plain.grammar")),
];

impl Grammar {
    /// The grammar that ships under a name; `None` if there is none.
    pub fn builtin(name: &str) -> Option<Grammar> {
        let (name, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
        Some(parse_grammar(name, text).expect("the shipped grammars are parsed by a test"))
    }

    /// Names of the grammars that ship.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// The weight of an operation, `None` where it may not appear.
    pub fn weight(&self, op: OpName) -> Option<f64> {
        self.ops.iter().find(|(name, _)| *name == op).map(|(_, weight)| *weight)
    }
}

/// Parses a grammar file.
///
/// # Errors
///
/// Everything that is wrong with it, each finding with the text attached (see [`Diagnostic::report`]).
pub fn parse_grammar(file_name: &str, source: &str) -> Result<Grammar, Vec<Diagnostic>> {
    let (found, mut errors) = lines::lines(source);
    let mut grammar = empty();
    let mut seen: Vec<&Line<'_>> = Vec::new();
    for line in &found {
        if errors.len() >= MOST_ERRORS {
            break;
        }
        let Some(key) = GRAMMAR_TABLE.iter().find(|key| key.name == line.key) else {
            errors.push(unknown_key(line.key, line.key_span, GRAMMAR_TABLE.iter().map(|key| key.name)));
            continue;
        };
        if let Some(first) = seen.iter().find(|other| other.key == line.key) {
            errors.push(duplicate_key(line, first.key_span));
            continue;
        }
        seen.push(line);
        if let Err(error) = (key.set)(&mut grammar, &line.value) {
            errors.push(error.shifted(line.value_span.start));
        }
    }
    let readable = errors.is_empty();
    for key in GRAMMAR_TABLE {
        if seen.iter().any(|line| line.key == key.name) {
            continue;
        }
        match key.default {
            Some(default) => (key.set)(&mut grammar, default).expect("defaults are parsed by a test"),
            None if readable => {
                let span = Span::new(source.len(), source.len());
                let message = format!("the grammar has no `{}`", key.name);
                let help = format!("add a line `{} {}`: {}", key.name, key.syntax, key.doc);
                errors.push(Diagnostic::error(Code::Missing, span, message, "the file ends here").with_help(help));
            }
            None => {}
        }
    }
    if errors.is_empty() {
        return Ok(grammar);
    }
    let text = SourceText::new(file_name, source);
    Err(errors.into_iter().map(|error| error.with_text(&text)).collect())
}

fn empty() -> Grammar {
    let mutations = Mutations::NONE;
    Grammar { name: String::new(), ops: vec![], max_ops: 0, max_params: 0, mutations, archive: 0, islands: 0, batch: 0 }
}

/// A line whose key is not in the table.
pub(crate) fn unknown_key<'a>(key: &str, span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    let help = match nearest(key, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("the keys are {}", known.join(", ")),
    };
    let message = format!("unknown key {}", quote(key));
    Diagnostic::error(Code::UnknownName, span, message, "not a key").with_help(help)
}

/// A key that was written before, at `first`.
pub(crate) fn duplicate_key(line: &Line<'_>, first: Span) -> Diagnostic {
    let message = format!("the key {} is given twice", quote(line.key));
    Diagnostic::error(Code::Duplicate, line.key_span, message, "again here")
        .with_label(first, "first here")
        .with_help("keep one of the two lines")
}

fn word(value: &str) -> Result<String, Diagnostic> {
    let shaped = value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if shaped && !value.is_empty() && value.len() <= 64 {
        return Ok(value.to_string());
    }
    let span = Span::new(0, value.len());
    let help = "write one word of letters, digits, `-`, `_` and `.`";
    Err(Diagnostic::error(Code::Value, span, format!("{} is no name", quote(value)), "not a name").with_help(help))
}

fn small(value: &str, least: u64, most: u32) -> Result<u32, Diagnostic> {
    lines::count(value, least, u64::from(most)).map(|n| n as u32)
}

fn set_ops(grammar: &mut Grammar, value: &str) -> Result<(), Diagnostic> {
    let mut ops: Vec<(OpName, f64)> = Vec::new();
    for ((name, span), weight) in lines::weights(value)? {
        let op = OpName::parse(name, span)?;
        if ops.iter().any(|(other, _)| *other == op) {
            let message = format!("{} is listed twice", quote(op.name()));
            return Err(Diagnostic::error(Code::Duplicate, span, message, "again here").with_help("keep one of them"));
        }
        ops.push((op, weight));
    }
    grammar.ops = ops;
    Ok(())
}

fn set_mutations(grammar: &mut Grammar, value: &str) -> Result<(), Diagnostic> {
    grammar.mutations = Mutations::NONE;
    for ((name, span), weight) in lines::weights(value)? {
        let Some(slot) = grammar.mutations.slot(name) else {
            let known = MUTATION_TABLE.iter().map(|(name, _)| *name);
            let help = match nearest(name, known.clone()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("the kinds are {}", known.collect::<Vec<_>>().join(", ")),
            };
            let message = format!("unknown kind of change {}", quote(name));
            return Err(Diagnostic::error(Code::UnknownName, span, message, "not known").with_help(help));
        };
        *slot = weight;
    }
    Ok(())
}

impl fmt::Display for Grammar {
    /// The grammar as a file that parses to the same grammar.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "grammar {}", self.name)?;
        let ops: Vec<String> = self.ops.iter().map(|(op, weight)| format!("{op}:{weight}")).collect();
        writeln!(f, "ops {}", ops.join(" "))?;
        writeln!(f, "max-ops {}", self.max_ops)?;
        writeln!(f, "max-params {}", self.max_params)?;
        let kinds: Vec<String> =
            self.mutations.list().iter().map(|(name, weight)| format!("{name}:{weight}")).collect();
        writeln!(f, "mutate {}", kinds.join(" "))?;
        writeln!(f, "archive {}", self.archive)?;
        writeln!(f, "islands {}", self.islands)?;
        writeln!(f, "batch {}", self.batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Grammar {
        parse_grammar("test.grammar", text).unwrap_or_else(|e| panic!("{}", e[0].report(false)))
    }

    #[test]
    fn shipped_grammars_parse_and_print_back() {
        for name in Grammar::builtin_names() {
            let grammar = Grammar::builtin(name).expect("listed");
            assert_eq!(grammar.name, name);
            assert_eq!(read(&grammar.to_string()), grammar);
        }
        assert_eq!(Grammar::builtin("none"), None);
        let real = Grammar::builtin("real").expect("ships");
        assert!(real.weight(OpName::Div).is_some() && real.weight(OpName::Fma).is_none());
        assert!(Grammar::builtin("fma").is_some_and(|g| g.weight(OpName::Fma).is_some()));
        assert!(Grammar::builtin("plain").is_some_and(|g| g.weight(OpName::Fma).is_none()));
    }

    #[test]
    fn defaults_parse_and_unlisted_kinds_are_never_drawn() {
        let g = read("grammar g\nops add mul:2\n");
        assert_eq!(g.ops, [(OpName::Add, 1.0), (OpName::Mul, 2.0)]);
        assert_eq!((g.max_ops, g.mutations.insert), (12, 2.0));
        let g = read("grammar g\nops add\nmutate rewire:2.5 # only this\n");
        assert_eq!((g.mutations.rewire, g.mutations.insert), (2.5, 0.0));
        assert_eq!(read(&g.to_string()), g);
    }

    #[test]
    fn all_errors_are_reported_at_once_with_their_lines() {
        let text = "grammar g h\nops add:1 sbu:2\nmax-opps 3\nislands 0\nislands 4\nbatch x\nmutate inser:1\n";
        let errors = parse_grammar("bad.grammar", text).expect_err("bad");
        let drawn: Vec<String> = errors.iter().map(|e| e.report(false)).collect();
        let expected = [
            ("bad.grammar:1:9", "is no name"),
            ("bad.grammar:2:11", "`sub`"),
            ("bad.grammar:3:1", "`max-ops`"),
            ("bad.grammar:4:9", "whole number from 1"),
            ("bad.grammar:5:1", "given twice"),
            ("bad.grammar:6:7", "whole number"),
            ("bad.grammar:7:8", "`insert`"),
        ];
        assert_eq!(drawn.len(), expected.len(), "{}", drawn.join("\n"));
        for (drawn, (place, words)) in drawn.iter().zip(expected) {
            assert!(drawn.contains(place) && drawn.contains(words), "{place} {words}\n{drawn}");
        }
        let missing = parse_grammar("empty.grammar", "").expect_err("empty");
        assert_eq!(missing.len(), 2);
    }

    #[test]
    fn grammars_survive_serde() {
        let grammar = Grammar::builtin("fma").expect("ships");
        let json = serde_json::to_string(&grammar).expect("serialises");
        assert!(json.contains(r#"["fma","#), "{json}");
        assert_eq!(serde_json::from_str::<Grammar>(&json).expect("reads back"), grammar);
    }
}
