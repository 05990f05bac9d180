//! The fitter: all scratch memory of a fit, and the passes that every method shares.
//!
//! A search runs thousands of fits a second on one `Fitter`; buffers grow to the largest problem seen and stay.

use crate::kernel::{self, Block, LANES, Level};
use crate::lp::ChebyshevLp;
use crate::{Dd, FitError, Nodes, Tape};

/// Scratch memory for fits; see [`Fitter::least_squares`] and [`Fitter::minimax`]. One for each thread.
#[derive(Debug)]
pub struct Fitter {
    pub(crate) level: Level,
    /// Number of loaded nodes (those with a weight) and of blocks that hold them.
    pub(crate) count: usize,
    pub(crate) blocks: usize,
    x: Vec<Block<f64>>,
    target: Vec<Block<f64>>,
    target_lo: Vec<Block<f64>>,
    weight: Vec<Block<f64>>,
    values: Vec<Block<f64>>,
    values_dd: Vec<Block<Dd>>,
    adjoint: Vec<Block<f64>>,
    /// Weighted residuals of the last [`Fitter::evaluate`].
    pub(crate) residual: Vec<Block<f64>>,
    /// Weighted Jacobian, column after column; see [`Fitter::jacobian`].
    pub(crate) columns: Vec<Block<f64>>,
    pub(crate) rhs: Vec<Block<f64>>,
    pub(crate) linear: Linear,
    pub(crate) lp: ChebyshevLp,
}

/// Scratch of the small linear problem: p unknowns.
#[derive(Debug, Default)]
pub(crate) struct Linear {
    /// Lengths of the Jacobian's columns.
    pub norms: Vec<f64>,
    /// Products of the unscaled columns with the residual.
    pub slopes: Vec<f64>,
    /// Triangle, row-major.
    pub r: Vec<f64>,
    /// Residual in the orthonormal basis.
    pub z: Vec<f64>,
    /// Solution, in units of scaled columns.
    pub step: Vec<f64>,
    work: Vec<f64>,
    row: Vec<f64>,
}

impl Default for Fitter {
    fn default() -> Self {
        Fitter::new()
    }
}

impl Fitter {
    /// A fitter for the best instruction set of this machine (the results do not depend on it).
    pub fn new() -> Fitter {
        Fitter::at_level(Level::available().pop().unwrap_or(Level::Baseline))
    }

    pub(crate) fn at_level(level: Level) -> Fitter {
        Fitter {
            level,
            count: 0,
            blocks: 0,
            x: Vec::new(),
            target: Vec::new(),
            target_lo: Vec::new(),
            weight: Vec::new(),
            values: Vec::new(),
            values_dd: Vec::new(),
            adjoint: Vec::new(),
            residual: Vec::new(),
            columns: Vec::new(),
            rhs: Vec::new(),
            linear: Linear::default(),
            lp: ChebyshevLp::default(),
        }
    }

    /// Takes in the nodes that have a weight, in order, and prepares the scratch for `tape`.
    ///
    /// The last block is filled up with copies of the last node at weight zero, which change no sum.
    pub(crate) fn load(&mut self, tape: &Tape, nodes: &Nodes) -> Result<(), FitError> {
        nodes.check(tape.inputs)?;
        self.count = nodes.weight.iter().filter(|&&w| w != 0.0).count();
        self.blocks = self.count.div_ceil(LANES);
        let zero = Block::splat(0.0);
        for (v, len) in [
            (&mut self.x, self.blocks * tape.inputs),
            (&mut self.target, self.blocks),
            (&mut self.target_lo, self.blocks),
            (&mut self.weight, self.blocks),
            (&mut self.residual, self.blocks),
            (&mut self.rhs, self.blocks),
            (&mut self.columns, self.blocks * tape.free.len()),
            (&mut self.values, self.blocks * tape.slots),
            (&mut self.adjoint, tape.slots),
        ] {
            if v.len() != len {
                v.resize(len, zero);
            }
        }
        let mut at = 0;
        for i in (0..nodes.len()).filter(|&i| nodes.weight[i] != 0.0) {
            self.put(tape, nodes, i, at, nodes.weight[i]);
            at += 1;
            if at == self.count {
                for pad in at..self.blocks * LANES {
                    self.put(tape, nodes, i, pad, 0.0);
                }
            }
        }
        self.fill_constants(tape);
        let p = tape.free.len();
        let linear = &mut self.linear;
        for (v, len) in [
            (&mut linear.norms, p),
            (&mut linear.slopes, p),
            (&mut linear.z, p),
            (&mut linear.step, p),
            (&mut linear.row, p),
            (&mut linear.r, p * p),
            (&mut linear.work, p * (p + 1)),
        ] {
            v.clear();
            v.resize(len, 0.0);
        }
        Ok(())
    }

    fn put(&mut self, tape: &Tape, nodes: &Nodes, from: usize, to: usize, weight: f64) {
        let (k, i) = (to / LANES, to % LANES);
        for (input, column) in nodes.x.iter().enumerate() {
            self.values[k * tape.slots + input].0[i] = column[from];
            self.x[k * tape.inputs + input].0[i] = column[from];
        }
        let y = nodes.value(from);
        self.target[k].0[i] = y.hi;
        self.target_lo[k].0[i] = y.lo;
        self.weight[k].0[i] = weight;
    }

    fn fill_constants(&mut self, tape: &Tape) {
        let first = tape.inputs + tape.params;
        for block in self.values.chunks_exact_mut(tape.slots) {
            for (slot, lit) in block[first..].iter_mut().zip(&tape.lits) {
                *slot = Block::splat(lit.hi);
            }
        }
    }

    /// Computes `residual` at `params`. Returns its sum of squares, and the sum of squares of the weighted values,
    /// which tells how much rounding noise a residual can have.
    pub(crate) fn evaluate(&mut self, tape: &Tape, params: &[f64]) -> (f64, f64) {
        for block in self.values.chunks_exact_mut(tape.slots) {
            for (slot, &c) in block[tape.inputs..].iter_mut().zip(params) {
                *slot = Block::splat(c);
            }
        }
        kernel::forward(self.level, tape, &mut self.values);
        kernel::residual(
            self.level,
            tape,
            &self.values,
            &self.target,
            &self.target_lo,
            &self.weight,
            &mut self.residual,
        )
    }

    /// Computes `columns`, the weighted derivatives for each free parameter, at the point last evaluated.
    pub(crate) fn jacobian(&mut self, tape: &Tape) {
        kernel::jacobian(self.level, tape, &self.values, &self.weight, &mut self.adjoint, &mut self.columns);
    }

    /// Weighted residuals at double-double parameters, rounded to doubles only after the subtraction.
    pub(crate) fn evaluate_dd(&mut self, tape: &Tape, params: &[Dd], out: &mut Vec<f64>) {
        self.values_dd.resize(self.blocks * tape.slots, Block::splat(Dd::ZERO));
        for (k, block) in self.values_dd.chunks_exact_mut(tape.slots).enumerate() {
            for (slot, x) in block.iter_mut().zip(&self.x[k * tape.inputs..][..tape.inputs]) {
                slot.0 = x.0.map(Dd::from);
            }
            let constants = params.iter().chain(&tape.lits);
            for (slot, &c) in block[tape.inputs..].iter_mut().zip(constants) {
                *slot = Block::splat(c);
            }
        }
        kernel::forward_dd(self.level, tape, &mut self.values_dd);
        out.clear();
        out.extend((0..self.count).map(|at| {
            let (k, i) = (at / LANES, at % LANES);
            let p = self.values_dd[k * tape.slots + tape.out].0[i];
            let y = Dd { hi: self.target[k].0[i], lo: self.target_lo[k].0[i] };
            (p - y).to_f64() * self.weight[k].0[i]
        }));
    }

    /// Weighted derivatives in double-doubles at the point of the last [`Fitter::evaluate_dd`], each column scaled to
    /// length one (a zero column stays), and the lengths.
    pub(crate) fn jacobian_dd(&mut self, tape: &Tape) -> (Vec<Block<Dd>>, Vec<Dd>) {
        let zero = Block::splat(Dd::ZERO);
        let mut columns = vec![zero; self.blocks * tape.free.len()];
        let mut adjoint = vec![zero; tape.slots];
        kernel::jacobian_dd(self.level, tape, &self.values_dd, &self.weight, &mut adjoint, &mut columns);
        let norms = columns.chunks_exact_mut(self.blocks).map(|column| {
            let squares = column.iter().flat_map(|b| b.0).map(|x| x.hi * x.hi);
            let norm = squares.sum::<f64>().sqrt();
            if norm > 0.0 && norm.is_finite() {
                column.iter_mut().flat_map(|b| &mut b.0).for_each(|x| *x = *x / Dd::from(norm));
            }
            Dd::from(norm)
        });
        let norms = norms.collect();
        (columns, norms)
    }

    /// Scales and orthogonalises `columns` against a copy of `residual`; fills `linear`. Returns the squared length of
    /// the residual's part within reach of the columns, or `None` if a derivative is not finite.
    pub(crate) fn factor(&mut self) -> Option<f64> {
        let linear = &mut self.linear;
        kernel::scale(self.level, &mut self.columns, &self.residual, &mut linear.norms, &mut linear.slopes);
        if linear.norms.iter().any(|n| !n.is_finite()) {
            return None;
        }
        self.rhs.copy_from_slice(&self.residual);
        kernel::orthogonalise(self.level, &mut self.columns, &mut self.rhs, &mut linear.r, &mut linear.z);
        Some(linear.z.iter().map(|z| z * z).sum())
    }
}

impl Linear {
    /// Minimises `|R s + z|^2 + lambda |s|^2` into `step`; returns by how much that lowers `|R s + z|^2`.
    ///
    /// The damping rows are rotated into the triangle one after the other (Givens), which keeps the accuracy of the
    /// orthogonal factorisation: normal equations would square a condition number that reaches 1e7 for the monomials of
    /// a degree-10 polynomial, and a relative error of 1e-13 could not be reached.
    pub(crate) fn solve(&mut self, lambda: f64) -> f64 {
        let p = self.z.len();
        let n = p + 1;
        for i in 0..p {
            self.work[i * n + i..i * n + p].copy_from_slice(&self.r[i * p + i..(i + 1) * p]);
            self.work[i * n + p] = -self.z[i];
        }
        let smallest = (0..p).map(|i| self.r[i * p + i]).fold(f64::INFINITY, f64::min);
        let root = lambda.sqrt();
        if root > 1e-10 * smallest {
            for k in 0..p {
                self.row.fill(0.0);
                self.row[k] = root;
                let mut tail = 0.0;
                for j in k..p {
                    let (a, b) = (self.work[j * n + j], self.row[j]);
                    if b == 0.0 {
                        continue;
                    }
                    let length = (a * a + b * b).sqrt();
                    let inv = 1.0 / length;
                    let (c, s) = (a * inv, b * inv);
                    self.work[j * n + j] = length;
                    let upper = &mut self.work[j * n + j + 1..j * n + p];
                    for (u, w) in upper.iter_mut().zip(&mut self.row[j + 1..]) {
                        (*u, *w) = (c * *u + s * *w, c * *w - s * *u);
                    }
                    let x = self.work[j * n + p];
                    self.work[j * n + p] = c * x + s * tail;
                    tail = c * tail - s * x;
                }
            }
        }
        for i in (0..p).rev() {
            let mut s = self.work[i * n + p];
            for j in i + 1..p {
                s -= self.work[i * n + j] * self.step[j];
            }
            let d = self.work[i * n + i];
            self.step[i] = if d == 0.0 { 0.0 } else { s / d };
        }
        let mut lowered = 0.0;
        for i in 0..p {
            let mut s = self.z[i];
            for j in i..p {
                s += self.r[i * p + j] * self.step[j];
            }
            lowered += self.z[i] * self.z[i] - s * s;
        }
        lowered
    }
}
