//! What the e-graph knows about each class, and what "wild" means.
//!
//! # Free constants
//! The constants of a skeleton are free: fitting will choose them again. A skeleton therefore stands for a *family*, the
//! set of functions that its constants span, and two skeletons may be merged when their families are equal (up to a null
//! set of constants and of inputs: a division by a constant that happens to be 0 is such an exception).
//!
//! Inside the e-graph every constant is an ordinary symbol, so that every rule is an identity of functions and no class
//! ever holds two different ones. Only when a term is read out are its constant classes `D1 … Dk` replaced by new free
//! constants. Each `Di` is a function of the old constants `c1 … cn`, and the new family is the old one exactly if
//! `(c1 … cn) -> (D1 … Dk)` reaches (almost) every point. [`independent`] proves that by elimination: some `Di` contains
//! a constant `c` that no other remaining `Dj` contains, and depends on it through a chain of `+ - * / neg` with `c`
//! occurring once, hence as `(a c + b) / (e c + d)`, a bijection of the projective line. Whatever the others are, `c`
//! gives `Di` any value; drop `Di`, repeat. So `C1*C2 -> C`, `C1*(x + C2) -> C*x + C'`, while `c*c` (not every real is a
//! square), `sqrt(c)` and the pair `(c1 + c2, c1*c2)` stay as they are. A constant used at several places is nothing
//! special: it is one `Di` at all of them.
//!
//! # Values
//! Each class carries its value at one random point modulo a prime ([`crate::field`]). It decides "not identically zero",
//! makes constant expressions that are equal as functions one class without spending rules on them, and convicts a wrong
//! rule: merging two rational classes with different values is counted in [`Facts::conflicts`]. `min`, `max`, `abs`,
//! `sqrt` and opaque operations are atoms whose value is a hash of the operation and its arguments' values.

use crate::field;
use crate::lang::{Arith, Lang};
use crate::literals;
use crate::rules::RuleClass;
use egg::{Analysis, DidMerge, EGraph, Id, Language};
use mathsmith_ir::{Literal, Program, Type};
use std::collections::HashMap;

/// The e-graph type used throughout.
pub type Graph = EGraph<Lang, Facts>;

/// A constant class as a function of the program's parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant {
    /// Bit i: depends (at most) on parameter i.
    pub used: u64,
    /// Bit i: is a non-constant fractional linear function of parameter i.
    pub once: u64,
    /// Value at the parameters' present values, if they have any and it is finite.
    pub value: Option<f64>,
    /// The class is this very parameter.
    pub raw: Option<u32>,
}

/// What is known about a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// Value at the random point.
    pub value: u64,
    /// Made of field operations only, so that equal functions have equal values.
    pub rational: bool,
    /// Nowhere negative (where it is defined).
    pub nonneg: bool,
    /// The literal that it is.
    pub literal: Option<Literal>,
    /// Set for classes without inputs, literals included.
    pub constant: Option<Constant>,
}

/// The analysis: its settings and the constants it has derived.
#[derive(Clone, Debug)]
pub struct Facts {
    ty: Type,
    class: RuleClass,
    wild: bool,
    params: Vec<Option<f64>>,
    derived: Vec<Data>,
    by_value: HashMap<u64, Id>,
    /// How often two rational classes with different values were merged: above 0 only with a wrong rule.
    pub conflicts: usize,
}

impl Facts {
    /// An analysis for `program`; with `wild`, its parameters are free constants, else they are symbols.
    pub fn new(program: &Program, ty: Type, class: RuleClass, wild: bool) -> Self {
        let params = program.params().iter().map(|p| p.value.and_then(Literal::to_f64)).collect();
        Facts { ty, class, wild, params, derived: Vec::new(), by_value: HashMap::new(), conflicts: 0 }
    }

    fn atom(hash: u64) -> Data {
        Data { value: 1 + hash % (field::P - 1), rational: false, nonneg: false, literal: None, constant: None }
    }

    fn literal(&self, l: Literal) -> Data {
        let [a, b, c] = match l {
            Literal::Real(r) => r.0,
            l if l.ty() == self.ty => [l.to_f64().unwrap_or(f64::NAN), 0.0, 0.0],
            l => {
                let k = l.key();
                return Data { literal: Some(l), ..Self::atom(field::chain(k[0] ^ l.ty() as u64, field::mix(k[1]))) };
            }
        };
        let parts = [a, b, c].map(field::from_f64);
        let [Some(fa), Some(fb), Some(fc)] = parts else {
            return Data { literal: Some(l), ..Self::atom(field::mix(a.to_bits())) };
        };
        Data {
            value: field::add(fa, field::add(fb, fc)),
            rational: true,
            nonneg: a >= 0.0,
            literal: Some(l),
            constant: Some(Constant { used: 0, once: 0, value: Some(a), raw: None }),
        }
    }

    fn parameter(&self, i: u32) -> Data {
        let constant = (self.wild && i < 64).then(|| Constant {
            used: 1 << i,
            once: 1 << i,
            value: self.params.get(i as usize).copied().flatten(),
            raw: Some(i),
        });
        let value = field::random(2, u64::from(i));
        Data { value, rational: true, nonneg: false, literal: None, constant }
    }

    fn arith(&self, op: Arith, args: &[&Data]) -> Data {
        let v = |i: usize| args[i].value;
        let rational = args.iter().all(|a| a.rational);
        let field_value = match op {
            Arith::Add => Some(field::add(v(0), v(1))),
            Arith::Sub => Some(field::sub(v(0), v(1))),
            Arith::Mul => Some(field::mul(v(0), v(1))),
            Arith::Div => field::inv(v(1)).map(|i| field::mul(v(0), i)),
            Arith::Neg => Some(field::neg(v(0))),
            Arith::Fma => Some(field::add(field::mul(v(0), v(1)), v(2))),
            Arith::Fms => Some(field::sub(field::mul(v(0), v(1)), v(2))),
            Arith::Fnma => Some(field::sub(v(2), field::mul(v(0), v(1)))),
            Arith::Fnms => Some(field::neg(field::add(field::mul(v(0), v(1)), v(2)))),
            Arith::Min | Arith::Max | Arith::Abs | Arith::Sqrt => None,
        };
        let literal = self.fold_literals(op, args);
        if let Some(l) = literal {
            return self.literal(l);
        }
        let mut data = match field_value {
            Some(value) => Data { value, rational, nonneg: false, literal: None, constant: None },
            None => {
                let mut values: Vec<u64> = args.iter().map(|a| a.value).collect();
                match op {
                    Arith::Abs => values[0] = values[0].min(field::neg(values[0])),
                    Arith::Min | Arith::Max => values.sort_unstable(),
                    _ => {}
                }
                Self::atom(values.iter().fold(op as u64 + 101, |h, &x| field::chain(h, x)))
            }
        };
        let nonneg = |i: usize| args[i].nonneg;
        data.nonneg = match op {
            Arith::Add | Arith::Div | Arith::Fma | Arith::Min => args.iter().all(|a| a.nonneg),
            Arith::Mul => (nonneg(0) && nonneg(1)) || (rational && v(0) == v(1)),
            Arith::Max => nonneg(0) || nonneg(1),
            Arith::Abs | Arith::Sqrt => true,
            _ => false,
        };
        data.constant = constant(op, args);
        data
    }

    /// The literal that an operation on literals is: rounded as the type does it for exact rules; over the reals only
    /// where nothing is lost.
    fn fold_literals(&self, op: Arith, args: &[&Data]) -> Option<Literal> {
        let mut lits = [Literal::Bool(false); 3];
        for (slot, a) in lits.iter_mut().zip(args) {
            *slot = a.literal.filter(|l| l.ty() == self.ty)?;
        }
        literals::fold(op, &lits[..args.len()], self.class)
    }
}

/// The constant that an operation on constants is.
fn constant(op: Arith, args: &[&Data]) -> Option<Constant> {
    let mut c = [Constant { used: 0, once: 0, value: None, raw: None }; 3];
    for (slot, a) in c.iter_mut().zip(args) {
        *slot = a.constant?;
    }
    let nonzero = |i: usize| args[i].rational && args[i].value != 0;
    let sum = |a: Constant, b: Constant| (a.once & !b.used) | (b.once & !a.used);
    let product = || {
        let first = if nonzero(1) { c[0].once & !c[1].used } else { 0 };
        let second = if nonzero(0) { c[1].once & !c[0].used } else { 0 };
        first | second
    };
    let once = match op {
        Arith::Add | Arith::Sub => sum(c[0], c[1]),
        Arith::Mul | Arith::Div => product(),
        Arith::Neg => c[0].once,
        Arith::Fma | Arith::Fms | Arith::Fnma | Arith::Fnms => {
            sum(Constant { used: c[0].used | c[1].used, once: product(), value: None, raw: None }, c[2])
        }
        Arith::Min | Arith::Max | Arith::Abs | Arith::Sqrt => 0,
    };
    let values: Option<Vec<f64>> = c[..args.len()].iter().map(|c| c.value).collect();
    let value = values.map(|v| literals::compute(op, &v)).filter(|v| v.is_finite());
    Some(Constant { used: c[0].used | c[1].used | c[2].used, once, value, raw: None })
}

/// Whether the functions `constants` of the parameters take (almost) every combination of values; if not, the positions
/// of those that elimination could not free.
pub fn independent(constants: &[Constant]) -> Result<(), Vec<usize>> {
    let mut left: Vec<usize> = (0..constants.len()).collect();
    while !left.is_empty() {
        let own = |i: usize| {
            let others = left.iter().filter(|&&j| j != i).fold(0, |m, &j| m | constants[j].used);
            constants[i].once & !others != 0
        };
        let next: Vec<usize> = left.iter().copied().filter(|&i| !own(i)).collect();
        if next.len() == left.len() {
            return Err(left);
        }
        left = next;
    }
    Ok(())
}

impl Analysis<Lang> for Facts {
    type Data = Data;

    fn make(graph: &mut Graph, node: &Lang, _: Id) -> Data {
        let facts = &graph.analysis;
        match node {
            Lang::Input(i) => {
                let value = field::random(1, u64::from(*i));
                Data { value, rational: true, nonneg: false, literal: None, constant: None }
            }
            Lang::Const(i) => facts.parameter(*i),
            Lang::Derived(i) => facts.derived[*i as usize].clone(),
            Lang::Lit(..) => facts.literal(node.as_literal().expect("the node is a literal")),
            Lang::Arith(op, _) => {
                let mut args = [&graph[node.children()[0]].data; 3];
                for (slot, &id) in args.iter_mut().zip(node.children()) {
                    *slot = &graph[id].data;
                }
                facts.arith(*op, &args[..node.children().len()])
            }
            Lang::Other(op, _) => {
                let start = field::mix(op.name().bytes().fold(0, |h, b| field::chain(h, u64::from(b))));
                let hash = node.children().iter().fold(start, |h, &id| field::chain(h, graph[id].data.value));
                Facts::atom(hash)
            }
            Lang::List(_) => Facts::atom(0),
        }
    }

    fn merge(&mut self, a: &mut Data, b: Data) -> DidMerge {
        let (old_a, old_b) = (a.clone(), b.clone());
        match (a.rational, b.rational) {
            (true, true) => self.conflicts += usize::from(a.value != b.value),
            (false, false) => a.value = a.value.min(b.value),
            (false, true) => (a.value, a.rational) = (b.value, true),
            (true, false) => {}
        }
        a.nonneg |= b.nonneg;
        a.literal = a.literal.or(b.literal);
        a.constant = match (a.constant, b.constant) {
            (Some(x), Some(y)) => {
                let used = x.used & y.used;
                let raw = x.raw.or(y.raw);
                let value = if x.raw.is_none() && y.raw.is_some() { y.value } else { x.value.or(y.value) };
                Some(Constant { used, once: (x.once | y.once) & used, value, raw })
            }
            (x, y) => x.or(y),
        };
        DidMerge(*a != old_a, *a != old_b)
    }

    fn modify(graph: &mut Graph, id: Id) {
        let data = graph[id].data.clone();
        let facts = &graph.analysis;
        let zero = data.rational && data.value == 0 && data.literal.is_none() && facts.class == RuleClass::Real;
        let literal = if zero { Literal::float(facts.ty, 0.0) } else { data.literal };
        if let Some(l) = literal {
            let leaf = graph.add(Lang::literal(l));
            graph.union(id, leaf);
            graph[id].nodes.retain(|n| matches!(n, Lang::Lit(..)));
            return;
        }
        let Some(constant) = data.constant.filter(|c| c.once != 0 && data.rational) else { return };
        match graph.analysis.by_value.get(&data.value).copied() {
            Some(known) => {
                graph.union(known, id);
            }
            None => {
                graph.analysis.by_value.insert(data.value, id);
                if constant.raw.is_none() {
                    let number = graph.analysis.derived.len() as u32;
                    graph.analysis.derived.push(data);
                    let leaf = graph.add(Lang::Derived(number));
                    graph.union(id, leaf);
                }
            }
        }
        graph[id].nodes.retain(Lang::is_leaf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(used: u64, once: u64) -> Constant {
        Constant { used, once, value: None, raw: None }
    }

    #[test]
    fn elimination_needs_a_constant_of_ones_own() {
        assert_eq!(independent(&[c(1, 1), c(3, 2)]), Ok(()), "c1 and c1*c2");
        assert_eq!(independent(&[c(1, 0)]), Err(vec![0]), "c1*c1");
        assert_eq!(independent(&[c(3, 3), c(3, 3)]), Err(vec![0, 1]), "c1+c2 and c1*c2");
        assert_eq!(independent(&[c(5, 5), c(6, 6), c(4, 4)]), Ok(()), "c1/c3, c2/c3 and c3");
    }
}
