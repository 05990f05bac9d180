//! Rewrite rules as data.
//!
//! A theme file (`rules/*.rules`) has one rule a line, under a header that gives its class:
//!
//! ```text
//! [exact]
//! mul-one: a*1 => a                                   # why it holds, or where it is from
//! [real]
//! div-const: a/b => a*(1/b) if const(b), nonzero(b)   # a division is dearer
//! add-assoc: (a+b)+c <=> a+(b+c)                      # both directions
//! ```
//!
//! Names stand for any value, numbers for literals, operations are those of [`crate::expr`]. Conditions:
//!
//! | condition | holds when |
//! | --- | --- |
//! | `nonzero(a)` | `a` is not the zero function (a null set of exceptions is allowed over the reals) |
//! | `nonneg(a)` | `a` is nowhere negative |
//! | `const(a)` | `a` depends on free constants and literals only |
//! | `power2(a)` | `a` is a literal ±2^k whose reciprocal is exact in the type |
//!
//! **Classes.** `exact` rules hold bit for bit in every float format (all NaNs being one), so they may be applied to a
//! rounded program; `real` rules hold over the reals, up to a null set. The class `real` includes the exact rules.
//! `[real wide]` rules are used by [`crate::simplify()`] only: they are right, but too fertile for the inner loop.
//!
//! **Adding a rule** is adding a line. The crate's test `rules` finds it there and checks it by name: at random points
//! of the field of [`crate::field`] (exact), in doubles where it has `sqrt`, `abs`, `min` or `max`, and, for `exact`
//! rules, bit for bit in `f32` on random values and all pairs of special ones. A rule whose conditions no test point meets
//! fails the test. Then add a pair to `corpus/equal.pairs` that needs the rule.

use crate::analysis::{Data, Facts, Graph};
use crate::expr::{self, Head, Tree, TreeNode};
use crate::lang::Lang;
use egg::{Applier, ENodeOrVar, Id, Language, Pattern, PatternAst, Rewrite, SearchMatches, Subst, Symbol, Var};
use mathsmith_ir::{Literal, Type};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// In what sense the two sides of a rule are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleClass {
    /// Bit for bit in every float format.
    Exact,
    /// Over the reals, up to a null set.
    Real,
}

/// What may be required of the value behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Not identically zero.
    Nonzero,
    /// Nowhere negative.
    Nonneg,
    /// Free of inputs.
    Const,
    /// A literal power of two, either sign, with an exact reciprocal.
    Power2,
}

impl Condition {
    fn from_name(name: &str) -> Option<Condition> {
        Some(match name {
            "nonzero" => Condition::Nonzero,
            "nonneg" => Condition::Nonneg,
            "const" => Condition::Const,
            "power2" => Condition::Power2,
            _ => return None,
        })
    }

    fn holds(self, data: &Data) -> bool {
        match self {
            Condition::Nonzero => data.rational && data.value != 0,
            Condition::Nonneg => data.nonneg,
            Condition::Const => data.constant.is_some(),
            Condition::Power2 => data.literal.and_then(Literal::to_f64).is_some_and(is_power2),
        }
    }
}

/// Whether `x` is ±2^k with a reciprocal that is normal in `f32` (and so in every wider type).
pub fn is_power2(x: f64) -> bool {
    x.to_bits() & ((1 << 52) - 1) == 0 && {
        let least = f64::from(f32::MIN_POSITIVE);
        (least..=1.0 / least).contains(&x.abs())
    }
}

/// One rule as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Unique name.
    pub name: String,
    /// Name of the theme file, without extension.
    pub theme: String,
    /// In what sense it holds.
    pub class: RuleClass,
    /// Kept out of the inner loop.
    pub wide: bool,
    /// Left side.
    pub lhs: Tree,
    /// Right side.
    pub rhs: Tree,
    /// Applied in both directions.
    pub both: bool,
    /// Conditions on names.
    pub conditions: Vec<(Condition, String)>,
    /// The comment: reason or source.
    pub why: String,
}

/// Why a theme file was refused.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A line is not a rule.
    #[error("{file}:{line}: {message}")]
    Syntax {
        /// File or theme.
        file: String,
        /// 1-based line.
        line: usize,
        /// What is wrong and what to write instead.
        message: String,
    },
    /// The file could not be read.
    #[error("cannot read the rules in {file}: {source}")]
    Read {
        /// The path.
        file: String,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// Rules in order of their files and lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleBook {
    /// The rules.
    pub rules: Vec<Rule>,
}

const BUILTIN: [(&str, &str); 7] = [
    ("sign", include_str!("../rules/sign.rules")),
    ("identity", include_str!("../rules/identity.rules")),
    ("fma", include_str!("../rules/fma.rules")),
    ("reciprocal", include_str!("../rules/reciprocal.rules")),
    ("distribution", include_str!("../rules/distribution.rules")),
    ("order", include_str!("../rules/order.rules")),
    ("association", include_str!("../rules/association.rules")),
];

impl RuleBook {
    /// The rules that ship with the crate.
    ///
    /// # Panics
    /// Never: the files are part of the crate and a test reads them.
    pub fn builtin() -> RuleBook {
        let mut book = RuleBook::default();
        for (theme, text) in BUILTIN {
            if let Err(e) = book.read(theme, text) {
                panic!("{e}");
            }
        }
        book
    }

    /// Adds the rules of a theme file on disk; the theme is the file's stem.
    ///
    /// # Errors
    /// [`RuleError`] if the file cannot be read or a line is not a rule.
    pub fn load(&mut self, path: &Path) -> Result<(), RuleError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| RuleError::Read { file: file.clone(), source })?;
        self.read(path.file_stem().and_then(|s| s.to_str()).unwrap_or(&file), &text)
    }

    /// Adds the rules of a text.
    ///
    /// # Errors
    /// [`RuleError::Syntax`] at the first line that is not a rule or repeats a name.
    pub fn read(&mut self, theme: &str, text: &str) -> Result<(), RuleError> {
        let mut header = None;
        for (i, line) in text.lines().enumerate() {
            let fail = |message: String| RuleError::Syntax { file: format!("{theme}.rules"), line: i + 1, message };
            let (code, why) = line.split_once('#').unwrap_or((line, ""));
            match code.trim() {
                "" => {}
                "[exact]" => header = Some((RuleClass::Exact, false)),
                "[real]" => header = Some((RuleClass::Real, false)),
                "[real wide]" => header = Some((RuleClass::Real, true)),
                code => {
                    let (class, wide) = header
                        .ok_or_else(|| fail("write [exact], [real] or [real wide] before the first rule".into()))?;
                    let mut rule = parse_rule(code).map_err(&fail)?;
                    if self.rules.iter().any(|r| r.name == rule.name) {
                        return Err(fail(format!("there is a rule `{}` already", rule.name)));
                    }
                    (rule.theme, rule.why) = (theme.to_owned(), why.trim().to_owned());
                    (rule.class, rule.wide) = (class, wide);
                    self.rules.push(rule);
                }
            }
        }
        Ok(())
    }

    /// The rules as egg rewrites over type `ty`: those of `class` (`Real` includes `Exact`), the wide ones if `wide`, and
    /// those that create a fused operation only if `fuse`.
    pub fn compile(&self, ty: Type, class: RuleClass, wide: bool, fuse: bool) -> Vec<Rewrite<Lang, Facts>> {
        let mut out = Vec::new();
        for rule in self.rules.iter().filter(|r| r.class <= class && (wide || !r.wide)) {
            let mut add = |name: String, from: &Tree, to: &Tree| {
                if fuse || fused(from) || !fused(to) {
                    out.extend(rewrite(name, from, to, &rule.conditions, ty));
                }
            };
            add(rule.name.clone(), &rule.lhs, &rule.rhs);
            if rule.both {
                add(format!("{}-back", rule.name), &rule.rhs, &rule.lhs);
            }
        }
        out
    }
}

fn fused(tree: &Tree) -> bool {
    tree.nodes.iter().any(|n| matches!(n, TreeNode::Call(Head::Arith(a), _) if a.is_fused()))
}

fn parse_rule(code: &str) -> Result<Rule, String> {
    let (name, rest) = code.split_once(':').ok_or("a rule is `name: lhs => rhs`")?;
    let (sides, conditions) = match rest.split_once(" if ") {
        Some((s, c)) => (s, parse_conditions(c)?),
        None => (rest, Vec::new()),
    };
    let (both, (lhs, rhs)) = match sides.split_once("<=>") {
        Some(s) => (true, s),
        None => (false, sides.split_once("=>").ok_or("`=>` or `<=>` is missing between the sides")?),
    };
    let side = |s: &str| expr::parse(s.trim()).map_err(|e| format!("in `{}`, {e}", s.trim()));
    let (lhs, rhs) = (side(lhs)?, side(rhs)?);
    for (from, to) in [(&lhs, &rhs), (&rhs, &lhs)] {
        let known = names(from);
        if let Some(n) = names(to).into_iter().find(|n| !known.contains(n)).filter(|_| both || std::ptr::eq(to, &rhs)) {
            return Err(format!("`{n}` is on one side only"));
        }
        if (both || std::ptr::eq(from, &lhs)) && !matches!(from.nodes.last(), Some(TreeNode::Call(..))) {
            return Err("a side that is matched must be an operation".into());
        }
    }
    if let Some((_, n)) = conditions.iter().find(|(_, n)| !names(&lhs).contains(&n.as_str())) {
        return Err(format!("the condition names `{n}`, which the rule does not have"));
    }
    Ok(Rule {
        name: name.trim().to_owned(),
        theme: String::new(),
        class: RuleClass::Real,
        wide: false,
        lhs,
        rhs,
        both,
        conditions,
        why: String::new(),
    })
}

fn parse_conditions(text: &str) -> Result<Vec<(Condition, String)>, String> {
    let one = |c: &str| {
        let (what, name) =
            c.trim().strip_suffix(')').and_then(|c| c.split_once('(')).ok_or("a condition is `nonzero(a)`")?;
        let condition = Condition::from_name(what.trim())
            .ok_or_else(|| format!("`{what}` is not a condition; there are nonzero, nonneg, const, power2"))?;
        Ok((condition, name.trim().to_owned()))
    };
    text.split(',').map(one).collect()
}

/// The names of an expression in order of first appearance.
pub fn names(tree: &Tree) -> Vec<&str> {
    let mut out: Vec<&str> = Vec::new();
    for node in &tree.nodes {
        if let TreeNode::Name(n) = node
            && !out.contains(&n.as_str())
        {
            out.push(n);
        }
    }
    out
}

/// An expression as a pattern; the variable of a name is its position in `vars`. `None` if it has an opaque operation.
fn pattern(tree: &Tree, vars: &[&str], ty: Type) -> Option<PatternAst<Lang>> {
    let mut ast = PatternAst::default();
    let mut ids: Vec<Id> = Vec::with_capacity(tree.nodes.len());
    for node in &tree.nodes {
        let node = match node {
            TreeNode::Name(n) => ENodeOrVar::Var(Var::from_u32(vars.iter().position(|v| v == n)? as u32)),
            TreeNode::Number(x) => ENodeOrVar::ENode(Lang::number(ty, *x)?),
            TreeNode::Call(Head::Arith(op), args) => {
                let mut node = Lang::Arith(*op, [Id::from(0); 3]);
                for (slot, &a) in node.children_mut().iter_mut().zip(args) {
                    *slot = ids[a];
                }
                ENodeOrVar::ENode(node)
            }
            TreeNode::Call(Head::Other(_), _) => return None,
        };
        ids.push(ast.add(node));
    }
    Some(ast)
}

fn rewrite(
    name: String,
    from: &Tree,
    to: &Tree,
    conditions: &[(Condition, String)],
    ty: Type,
) -> Option<Rewrite<Lang, Facts>> {
    let vars = names(from);
    let lhs = Pattern::new(pattern(from, &vars, ty)?);
    let rhs = Pattern::new(pattern(to, &vars, ty)?);
    let conditions = conditions
        .iter()
        .map(|(c, n)| Some((*c, Var::from_u32(vars.iter().position(|v| v == n)? as u32))))
        .collect::<Option<Vec<_>>>()?;
    if conditions.is_empty() {
        Rewrite::new(name, lhs, rhs).ok()
    } else {
        Rewrite::new(name, lhs, Guarded { rhs, conditions }).ok()
    }
}

/// A right side that is applied where conditions hold.
struct Guarded {
    rhs: Pattern<Lang>,
    conditions: Vec<(Condition, Var)>,
}

impl Guarded {
    fn holds(&self, graph: &Graph, subst: &Subst) -> bool {
        self.conditions.iter().all(|(c, v)| c.holds(&graph[subst[*v]].data))
    }
}

impl Applier<Lang, Facts> for Guarded {
    fn apply_matches(&self, graph: &mut Graph, matches: &[SearchMatches<'_, Lang>], rule: Symbol) -> Vec<Id> {
        let mut changed = Vec::new();
        for m in matches {
            for subst in &m.substs {
                if self.holds(graph, subst) {
                    changed.extend(self.rhs.apply_one(graph, m.eclass, subst, None, rule));
                }
            }
        }
        changed
    }

    fn apply_one(
        &self,
        graph: &mut Graph,
        class: Id,
        subst: &Subst,
        ast: Option<&PatternAst<Lang>>,
        rule: Symbol,
    ) -> Vec<Id> {
        if self.holds(graph, subst) { self.rhs.apply_one(graph, class, subst, ast, rule) } else { Vec::new() }
    }

    fn vars(&self) -> Vec<Var> {
        let mut vars = self.rhs.vars();
        vars.extend(self.conditions.iter().map(|(_, v)| *v));
        vars
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_rules_are_well_formed() {
        let book = RuleBook::builtin();
        assert!(book.rules.len() >= 60, "{}", book.rules.len());
        for r in &book.rules {
            assert!(!r.why.is_empty(), "`{}` says no reason", r.name);
            let n = rewrite(r.name.clone(), &r.lhs, &r.rhs, &r.conditions, Type::Real).is_some();
            assert!(n, "`{}` does not compile", r.name);
        }
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, part) in [
            ("a: x => y", "before the first rule"),
            ("[real]\na: x+y => z", "`z` is on one side only"),
            ("[real]\na: x+y <=> x", "`y` is on one side only"),
            ("[real]\na: x => x*1", "must be an operation"),
            ("[real]\na: x+y => y+x if odd(x)", "not a condition"),
            ("[real]\na: x+y => y+x if const(q)", "`q`"),
            ("[real]\na: x+y => y+x\na: x*y => y*x", "already"),
            ("[real]\na: x+y = y+x", "missing"),
            ("[real]\na: x+foo(y) => y+x", "not an operation"),
        ] {
            let e = RuleBook::default().read("t", text).unwrap_err().to_string();
            assert!(e.contains(part) && e.starts_with("t.rules:"), "{text}: {e}");
        }
        let missing = RuleBook::default().load(Path::new("/nonexistent/x.rules")).unwrap_err().to_string();
        assert!(missing.contains("/nonexistent/x.rules"));
    }
}
