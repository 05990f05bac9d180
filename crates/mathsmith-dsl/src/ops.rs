//! Names of operations, as settings and grammars list them.

use crate::diagnostic::quote;
use crate::suggest::nearest;
use crate::{Code, Diagnostic, Span};
use mathsmith_ir::Op;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! operations {
    ($($variant:ident $name:literal $op:expr;)*) => {
        /// An operation of the program graph by name, without the type that a conversion carries.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the names are those of `mathsmith_ir::Op`, which defines them")]
        pub enum OpName {
            $(#[serde(rename = $name)] $variant,)*
        }

        impl OpName {
            /// Every operation that can be named.
            pub const ALL: &[OpName] = &[$(OpName::$variant),*];

            /// The mnemonic, which is that of the program graph's text form.
            pub fn name(self) -> &'static str {
                match self {
                    $(OpName::$variant => $name,)*
                }
            }

            /// The operation itself; `None` for a conversion, a bitcast or a table, whose types are not in the name.
            pub fn op(self) -> Option<Op> {
                match self {
                    $(OpName::$variant => $op,)*
                }
            }
        }
    };
}

operations! {
    Add "add" Some(Op::Add);
    Sub "sub" Some(Op::Sub);
    Mul "mul" Some(Op::Mul);
    Div "div" Some(Op::Div);
    Fma "fma" Some(Op::Fma);
    Neg "neg" Some(Op::Neg);
    Abs "abs" Some(Op::Abs);
    Min "min" Some(Op::Min);
    Max "max" Some(Op::Max);
    Sqrt "sqrt" Some(Op::Sqrt);
    Sign "sign" Some(Op::Sign);
    Floor "floor" Some(Op::Floor);
    Ceil "ceil" Some(Op::Ceil);
    RoundEven "round_even" Some(Op::RoundEven);
    Trunc "trunc" Some(Op::Trunc);
    CopySign "copysign" Some(Op::CopySign);
    Eq "eq" Some(Op::Eq);
    Ne "ne" Some(Op::Ne);
    Lt "lt" Some(Op::Lt);
    Le "le" Some(Op::Le);
    Gt "gt" Some(Op::Gt);
    Ge "ge" Some(Op::Ge);
    Select "select" Some(Op::Select);
    And "and" Some(Op::And);
    Or "or" Some(Op::Or);
    Xor "xor" Some(Op::Xor);
    Not "not" Some(Op::Not);
    Shl "shl" Some(Op::Shl);
    Shr "shr" Some(Op::Shr);
    ShrLogical "shr_logical" Some(Op::ShrLogical);
    Convert "convert" None;
    Bitcast "bitcast" None;
    Table "table" None;
}

/// Other spellings that are understood.
const ALIASES: &[(&str, OpName)] =
    &[("round", OpName::RoundEven), ("rint", OpName::RoundEven), ("cvt", OpName::Convert)];

impl OpName {
    /// The operation of a name, its mnemonic or an alias such as `round`.
    pub fn from_name(name: &str) -> Option<OpName> {
        let plain = OpName::ALL.iter().copied().find(|op| op.name() == name);
        plain.or_else(|| ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, op)| *op))
    }

    /// Whether a node of a program is this operation.
    pub fn admits(self, op: Op) -> bool {
        self.name() == op.name()
    }

    /// The operation of a name that a person wrote at `span`.
    pub(crate) fn parse(name: &str, span: Span) -> Result<OpName, Diagnostic> {
        OpName::from_name(name).ok_or_else(|| {
            let known = OpName::ALL.iter().map(|op| op.name()).chain(ALIASES.iter().map(|(alias, _)| *alias));
            let help = match nearest(name, known) {
                Some(known) => format!("did you mean `{known}`?"),
                None => {
                    let names: Vec<&str> = OpName::ALL.iter().map(|op| op.name()).collect();
                    format!("the operations are {}", names.join(", "))
                }
            };
            let message = format!("unknown operation {}", quote(name));
            Diagnostic::error(Code::UnknownName, span, message, "not known").with_help(help)
        })
    }
}

impl fmt::Display for OpName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mathsmith_ir::Type;

    #[test]
    fn names_are_those_of_the_program_graph() {
        for op in Op::PLAIN {
            let name = OpName::from_name(op.name()).unwrap_or_else(|| panic!("{} has no name here", op.name()));
            assert_eq!(name.op(), Some(op));
            assert!(name.admits(op));
        }
        for op in [Op::Convert(Type::I32), Op::Bitcast(Type::F32), Op::Table(0)] {
            assert_eq!(OpName::from_name(op.name()).and_then(OpName::op), None);
        }
        for name in OpName::ALL {
            assert_eq!(OpName::from_name(name.name()), Some(*name));
            if let Some(op) = name.op() {
                assert_eq!(op.name(), name.name());
            }
        }
    }

    #[test]
    fn a_misspelt_operation_gets_a_suggestion() {
        let d = OpName::parse("multiply", Span::default()).expect_err("unknown");
        assert!(d.help.unwrap().contains("mul"));
        let d = OpName::parse("adn", Span::default()).expect_err("unknown");
        assert_eq!(d.help.as_deref(), Some("did you mean `and`?"));
    }
}
