//! Classical forms to start from, for any function alike: polynomials and ratios by Horner's rule, plain and in the even
//! and odd shapes of symmetric functions. They are skeletons: fitting finds their constants, and a form that does not
//! suit the function simply does not last. `--from-scratch` leaves them out.

use crate::structure::{Arg, Genome, Instr};
use mathsmith_ir::Op;

/// Highest degree of a seed's polynomial.
const MAX_DEGREE: usize = 12;

/// Forms of at most `max_ops` operations out of those allowed by `has`; products and sums are fused where `fma` is.
pub fn classical(has: &dyn Fn(Op) -> bool, max_ops: u32) -> Vec<Genome> {
    let fused = has(Op::Fma);
    let separate = has(Op::Add) && has(Op::Mul);
    if !fused && !separate {
        return Vec::new();
    }
    let mut forms = Vec::new();
    let mut keep = |draft: Draft, root: Arg| {
        if draft.instrs.len() <= max_ops as usize {
            forms.push(Genome { inputs: 1, instrs: draft.instrs, root, salt: 0 });
        }
    };
    let x = Arg::Input(0);
    for degree in 1..=MAX_DEGREE {
        let mut plain = Draft::new(fused);
        let p = plain.polynomial(x, degree);
        keep(plain, p);
        if has(Op::Mul) {
            let mut even = Draft::new(fused);
            let square = even.push(Op::Mul, &[x, x]);
            let p = even.polynomial(square, degree);
            keep(even.clone(), p);
            let p = even.push(Op::Mul, &[p, x]);
            keep(even, p);
        }
        if has(Op::Div) {
            for below in 1..=degree.min(MAX_DEGREE / 2) {
                let mut ratio = Draft::new(fused);
                let (p, q) = (ratio.polynomial(x, degree), ratio.monic(x, below));
                let r = ratio.push(Op::Div, &[p, q]);
                keep(ratio, r);
                if has(Op::Mul) && has(Op::Add) {
                    let mut even = Draft::new(fused);
                    let square = even.push(Op::Mul, &[x, x]);
                    let (p, q) = (even.polynomial(square, degree), even.monic(square, below));
                    let mut odd = even.clone();
                    let r = even.push(Op::Div, &[p, q]);
                    keep(even, r);
                    let p = odd.push(Op::Mul, &[p, x]);
                    let r = odd.push(Op::Div, &[p, q]);
                    keep(odd, r);
                }
            }
        }
    }
    forms.retain(|g| g.instrs.iter().all(|i| has(i.op)));
    forms
}

#[derive(Clone)]
struct Draft {
    fused: bool,
    instrs: Vec<Instr>,
}

impl Draft {
    fn new(fused: bool) -> Self {
        Draft { fused, instrs: Vec::new() }
    }

    fn push(&mut self, op: Op, args: &[Arg]) -> Arg {
        self.instrs.push(Instr::new(op, args));
        Arg::Node(self.instrs.len() as u16 - 1)
    }

    /// `a * x + c` with a fresh constant.
    fn step(&mut self, a: Arg, x: Arg) -> Arg {
        let c = Arg::Free(1.0);
        if self.fused {
            self.push(Op::Fma, &[a, x, c])
        } else {
            let product = self.push(Op::Mul, &[a, x]);
            self.push(Op::Add, &[product, c])
        }
    }

    /// `c0 + x (c1 + x (... + x cn))`.
    fn polynomial(&mut self, x: Arg, degree: usize) -> Arg {
        (0..degree).fold(Arg::Free(1.0), |a, _| self.step(a, x))
    }

    /// `c0 + x (c1 + x (... + x))`: one constant and one operation less.
    fn monic(&mut self, x: Arg, degree: usize) -> Arg {
        let first = self.push(Op::Add, &[x, Arg::Free(1.0)]);
        (1..degree).fold(first, |a, _| self.step(a, x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_stay_within_the_operations_and_the_limit() {
        for (ops, limit, least) in [
            (&[Op::Fma][..], 6, 6),
            (&[Op::Add, Op::Mul][..], 12, 12),
            (&[Op::Add, Op::Sub, Op::Mul, Op::Div][..], 10, 20),
            (&[Op::Sub][..], 10, 0),
        ] {
            let forms = classical(&|op| ops.contains(&op), limit);
            assert!(forms.len() >= least, "{ops:?}: {}", forms.len());
            for form in forms {
                assert!(form.instrs.len() <= limit as usize);
                assert!(form.instrs.iter().all(|i| ops.contains(&i.op)));
            }
        }
    }
}
