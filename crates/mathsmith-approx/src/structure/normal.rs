//! Cheap normal form: what every child goes through before it is counted, hashed or fitted.
//!
//! A microsecond a child, so the rules are few, local, and never add an operation; what is equal beyond them is the
//! business of the e-graph. Free constants are unknowns: only the *set* of functions that a genome reaches matters, and
//! a rule may hand a constant's work to its neighbour. All rules hold exactly in the reals, wherever both sides are
//! defined:
//!
//! * constants are folded; equal subgraphs without free constants are one; dead code goes;
//! * `x - c -> x + c'`, `x / c -> x * c'`, `-(x)` next to a constant is taken into it;
//! * `x - x -> 0`, `x / x -> 1`, `x + x -> c * x`; a fixed 0 or 1 that does nothing goes;
//! * a factor next to a term that can take it in is taken in: `c * (d * x) -> c' * x`, `c * (d / x) -> c' / x`,
//!   `c * (d * x + e) -> d' * x + e'`; likewise a summand: `(x + d) + c -> x + c'`, `c + (d - x) -> c' - x`;
//! * arguments of commutative operations are ordered by the hash of their structure.
//!
//! A term takes a factor or summand in only if nothing else uses it. `1 * y` and `y + 0` with *free* constants stay:
//! that is how a neutral insertion survives until fitting gives it a value.

use super::genome::{Arg, Genome, Instr, NO_ARG};
use mathsmith_ir::Op;
use mathsmith_search::rng::mix64;

/// Value of a numeric operation in doubles; `None` for those that folding leaves alone.
pub fn apply(op: Op, v: [f64; 3]) -> Option<f64> {
    let [a, b, c] = v;
    Some(match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div => a / b,
        // Folding a product and a sum of constants: which rounding it has does not matter before a fit.
        Op::Fma => a * b + c,
        Op::Neg => -a,
        Op::Abs => a.abs(),
        Op::Min => {
            if a < b {
                a
            } else {
                b
            }
        }
        Op::Max => {
            if a > b {
                a
            } else {
                b
            }
        }
        Op::Sqrt => a.sqrt(),
        Op::Floor => a.floor(),
        _ => return None,
    })
}

/// What the normaliser may write: an operation that the search space does not have must not come in through a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// `x - c -> x + c'`.
    pub add: bool,
    /// `x / c -> x * c'`, `x + x -> c * x`.
    pub mul: bool,
}

/// Rounds of the absorbing rules before the result is taken as it is; each round removes an operation.
const ROUNDS: usize = 16;

/// The normal form; `None` if the instructions form a cycle, a fixed argument is missing, or a constant is not finite.
pub fn normalise(genome: &Genome, allowed: Allowed) -> Option<Genome> {
    let mut current = rebuild(genome, allowed)?;
    for _ in 0..ROUNDS {
        if !absorb(&mut current) {
            break;
        }
        current = rebuild(&current, allowed)?;
    }
    order(&mut current);
    let finite = |a: &Arg| !matches!(a, Arg::Free(x) | Arg::Fixed(x) if !x.is_finite());
    let all = current.instrs.iter().flat_map(|i| i.args()).chain(std::iter::once(&current.root)).all(finite);
    all.then_some(current)
}

/// Marks of the depth-first walk.
const NEW: u16 = u16::MAX;
const OPEN: u16 = u16::MAX - 1;

struct Builder<'a> {
    from: &'a Genome,
    allowed: Allowed,
    mark: Vec<u16>,
    done: Vec<Arg>,
    out: Vec<Instr>,
}

/// Copies what the root needs in order, with the local rules applied to every instruction.
fn rebuild(genome: &Genome, allowed: Allowed) -> Option<Genome> {
    let count = genome.instrs.len();
    let mut builder = Builder {
        from: genome,
        allowed,
        mark: vec![NEW; count],
        done: vec![NO_ARG; count],
        out: Vec::with_capacity(count),
    };
    let root = builder.copy(genome.root)?;
    let mut out = Genome { inputs: genome.inputs, instrs: builder.out, root, salt: genome.salt };
    drop_dead(&mut out);
    Some(out)
}

/// Removes instructions that the local rules left without a user; the order of the others stays.
fn drop_dead(genome: &mut Genome) {
    let count = genome.instrs.len();
    let mut live = vec![false; count];
    if let Some(n) = genome.root.node() {
        live[n] = true;
    }
    for i in (0..count).rev() {
        if live[i] {
            for n in genome.instrs[i].args().iter().filter_map(|a| a.node()) {
                live[n] = true;
            }
        }
    }
    if live.iter().all(|l| *l) {
        return;
    }
    let mut map = vec![0u16; count];
    let mut next = 0;
    for i in 0..count {
        map[i] = next;
        next += u16::from(live[i]);
    }
    let mut keep = live.iter();
    genome.instrs.retain(|_| *keep.next().unwrap_or(&false));
    let rename = |arg: &mut Arg| {
        if let Arg::Node(n) = arg {
            *n = map[usize::from(*n)];
        }
    };
    genome.instrs.iter_mut().flat_map(|i| i.args_mut()).for_each(rename);
    rename(&mut genome.root);
}

impl Builder<'_> {
    fn copy(&mut self, arg: Arg) -> Option<Arg> {
        let n = match arg {
            Arg::Node(n) => usize::from(n),
            Arg::Input(i) => return (i < self.from.inputs).then_some(arg),
            Arg::Free(_) | Arg::Fixed(_) => return Some(arg),
        };
        match *self.mark.get(n)? {
            NEW => {}
            OPEN => return None,
            _ => return Some(self.done[n]),
        }
        self.mark[n] = OPEN;
        let mut instr = self.from.instrs[n];
        for k in 0..instr.op.arity() {
            instr.args[k] = self.copy(instr.args[k])?;
        }
        self.done[n] = self.make(instr.op, instr.args);
        self.mark[n] = 0;
        Some(self.done[n])
    }

    /// Adds an instruction, or what the local rules make of it.
    fn make(&mut self, op: Op, args: [Arg; 3]) -> Arg {
        if let Some(simpler) = self.local(op, args) {
            return simpler;
        }
        let instr = Instr { op, args };
        let swapped = Instr { op, args: [args[1], args[0], args[2]] };
        // Free constants are distinct unknowns: an instruction with one is equal to no other.
        let shared = !instr.args().iter().any(|a| matches!(a, Arg::Free(_)));
        let same = |i: &Instr| *i == instr || (op.commutes() && *i == swapped);
        if let Some(at) = self.out.iter().position(same).filter(|_| shared) {
            return Arg::Node(at as u16);
        }
        self.out.push(instr);
        Arg::Node(self.out.len() as u16 - 1)
    }

    fn local(&mut self, op: Op, args: [Arg; 3]) -> Option<Arg> {
        let [a, b, c] = args;
        let used = &args[..op.arity()];
        if used.iter().all(|a| a.is_const()) {
            let value = apply(op, args.map(|a| constant(a).unwrap_or(0.0)));
            if let Some(value) = value {
                let free = used.iter().any(|a| matches!(a, Arg::Free(_)));
                return Some(if free { Arg::Free(value) } else { Arg::Fixed(value) });
            }
        }
        let equal = a == b && !a.is_const();
        let fixed = |a: Arg, x: f64| matches!(a, Arg::Fixed(y) if y == x);
        match op {
            Op::Add if fixed(a, 0.0) => Some(b),
            Op::Add | Op::Sub if fixed(b, 0.0) => Some(a),
            Op::Mul if fixed(a, 1.0) => Some(b),
            Op::Mul | Op::Div if fixed(b, 1.0) => Some(a),
            Op::Sub if equal => Some(Arg::Fixed(0.0)),
            Op::Div if equal => Some(Arg::Fixed(1.0)),
            Op::Min | Op::Max if equal => Some(a),
            Op::Add if equal && self.allowed.mul => Some(self.make(Op::Mul, [Arg::Free(2.0), a, NO_ARG])),
            Op::Sub if b.is_const() && self.allowed.add => Some(self.make(Op::Add, [a, map(b, |x| -x), NO_ARG])),
            Op::Div if b.is_const() && self.allowed.mul => Some(self.make(Op::Mul, [a, map(b, |x| 1.0 / x), NO_ARG])),
            Op::Fma if a.is_const() && b.is_const() && self.allowed.add => {
                let product = constant(a)? * constant(b)?;
                let free = matches!(a, Arg::Free(_)) || matches!(b, Arg::Free(_));
                let product = if free { Arg::Free(product) } else { Arg::Fixed(product) };
                Some(self.make(Op::Add, [product, c, NO_ARG]))
            }
            Op::Fma if fixed(c, 0.0) && self.allowed.mul => Some(self.make(Op::Mul, [a, b, NO_ARG])),
            Op::Fma if fixed(a, 1.0) && self.allowed.add => Some(self.make(Op::Add, [b, c, NO_ARG])),
            Op::Fma if fixed(b, 1.0) && self.allowed.add => Some(self.make(Op::Add, [a, c, NO_ARG])),
            Op::Neg | Op::Abs => {
                let inner = self.out[a.node()?];
                match (op, inner.op) {
                    (Op::Neg, Op::Neg) => Some(inner.args[0]),
                    (Op::Neg, Op::Sub) => Some(self.make(Op::Sub, [inner.args[1], inner.args[0], NO_ARG])),
                    (Op::Abs, Op::Neg) => Some(self.make(Op::Abs, inner.args)),
                    (Op::Abs, Op::Abs) => Some(a),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// Value of a constant argument.
fn constant(arg: Arg) -> Option<f64> {
    match arg {
        Arg::Free(x) | Arg::Fixed(x) => Some(x),
        _ => None,
    }
}

/// A constant argument with a function applied to its value; other arguments stay.
fn map(arg: Arg, f: impl Fn(f64) -> f64) -> Arg {
    match arg {
        Arg::Free(x) => Arg::Free(f(x)),
        Arg::Fixed(x) => Arg::Fixed(f(x)),
        other => other,
    }
}

/// Applies one absorbing rule: the outer operation is replaced by its term. Returns whether one applied.
fn absorb(genome: &mut Genome) -> bool {
    let uses = genome.uses();
    for i in (0..genome.instrs.len()).rev() {
        let Instr { op, args: [a, b, _] } = genome.instrs[i];
        let (k, term) = match (constant(a), constant(b)) {
            (Some(k), None) => (k, b),
            (None, Some(k)) => (k, a),
            _ => continue,
        };
        let term = match op {
            Op::Mul if k != 0.0 => scale(genome, &uses, term, k, true),
            Op::Add => shift(genome, &uses, term, k, true),
            _ => None,
        };
        if let Some(term) = term {
            redirect(genome, i, term);
            return true;
        }
    }
    false
}

/// Makes every user of instruction `i` use `to`.
fn redirect(genome: &mut Genome, i: usize, to: Arg) {
    let args = genome.instrs.iter_mut().flat_map(|i| i.args_mut()).chain(std::iter::once(&mut genome.root));
    for arg in args.filter(|a| a.node() == Some(i)) {
        *arg = to;
    }
}

/// The argument multiplied by `k` without another operation, or `None` if it cannot be. Only free constants change, and
/// nothing changes unless `write` is set.
fn scale(genome: &mut Genome, uses: &[u16], arg: Arg, k: f64, write: bool) -> Option<Arg> {
    let n = match arg {
        Arg::Free(x) => return Some(Arg::Free(x * k)),
        Arg::Node(n) if uses[usize::from(n)] == 1 => usize::from(n),
        _ => return None,
    };
    let Instr { op, args: [a, b, c] } = genome.instrs[n];
    let replaced = match op {
        Op::Mul => match scale(genome, uses, a, k, write) {
            Some(a) => [a, b, c],
            None => [a, scale(genome, uses, b, k, write)?, c],
        },
        Op::Div => match scale(genome, uses, a, k, write) {
            Some(a) => [a, b, c],
            None => [a, scale(genome, uses, b, 1.0 / k, write)?, c],
        },
        Op::Add | Op::Sub => {
            scale(genome, uses, a, k, false)?;
            scale(genome, uses, b, k, false)?;
            [scale(genome, uses, a, k, write)?, scale(genome, uses, b, k, write)?, c]
        }
        Op::Fma => {
            scale(genome, uses, c, k, false)?;
            let in_a = scale(genome, uses, a, k, false).is_some();
            if !in_a {
                scale(genome, uses, b, k, false)?;
            }
            let (a, b) =
                if in_a { (scale(genome, uses, a, k, write)?, b) } else { (a, scale(genome, uses, b, k, write)?) };
            [a, b, scale(genome, uses, c, k, write)?]
        }
        Op::Neg => [scale(genome, uses, a, k, write)?, b, c],
        _ => return None,
    };
    if write {
        genome.instrs[n].args = replaced;
    }
    Some(arg)
}

/// The argument with `k` added without another operation; otherwise as [`scale`].
fn shift(genome: &mut Genome, uses: &[u16], arg: Arg, k: f64, write: bool) -> Option<Arg> {
    let n = match arg {
        Arg::Free(x) => return Some(Arg::Free(x + k)),
        Arg::Node(n) if uses[usize::from(n)] == 1 => usize::from(n),
        _ => return None,
    };
    let Instr { op, args: [a, b, c] } = genome.instrs[n];
    let replaced = match op {
        Op::Add => match shift(genome, uses, a, k, write) {
            Some(a) => [a, b, c],
            None => [a, shift(genome, uses, b, k, write)?, c],
        },
        Op::Sub => match shift(genome, uses, a, k, write) {
            Some(a) => [a, b, c],
            None => [a, shift(genome, uses, b, -k, write)?, c],
        },
        Op::Fma => [a, b, shift(genome, uses, c, k, write)?],
        Op::Neg => [shift(genome, uses, a, -k, write)?, b, c],
        _ => return None,
    };
    if write {
        genome.instrs[n].args = replaced;
    }
    Some(arg)
}

fn combine(h: u64, word: u64) -> u64 {
    mix64(h.rotate_left(17) ^ word.wrapping_add(0x9e37_79b9_7f4a_7c15))
}

/// A number for each operation that does not depend on the layout of the enum.
fn op_word(op: Op) -> u64 {
    op.name().bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Hashes of the tree below each instruction, blind to the values of free constants and to the order of arguments of
/// commutative operations.
fn tree_hashes(genome: &Genome) -> Vec<u64> {
    let mut hashes: Vec<u64> = Vec::with_capacity(genome.instrs.len());
    for instr in &genome.instrs {
        let mut words = [0; 3];
        for (word, arg) in words.iter_mut().zip(instr.args()) {
            *word = arg_hash(*arg, &hashes);
        }
        if instr.op.commutes() && words[0] > words[1] {
            words.swap(0, 1);
        }
        hashes.push(words[..instr.op.arity()].iter().fold(op_word(instr.op), |h, w| combine(h, *w)));
    }
    hashes
}

fn arg_hash(arg: Arg, hashes: &[u64]) -> u64 {
    match arg {
        Arg::Input(i) => combine(1, u64::from(i)),
        Arg::Node(n) => hashes[usize::from(n)],
        Arg::Free(_) => combine(2, 0),
        Arg::Fixed(x) => combine(3, x.to_bits()),
    }
}

/// Puts arguments of commutative operations in the order of their hashes, and instructions in the order of a
/// depth-first walk from the root.
fn order(genome: &mut Genome) {
    let hashes = tree_hashes(genome);
    for i in 0..genome.instrs.len() {
        let instr = &mut genome.instrs[i];
        if instr.op.commutes() && arg_hash(instr.args[0], &hashes) > arg_hash(instr.args[1], &hashes) {
            instr.args.swap(0, 1);
        }
    }
    let mut map = vec![NEW; genome.instrs.len()];
    let mut out = Vec::with_capacity(genome.instrs.len());
    genome.root = walk(genome, genome.root, &mut map, &mut out);
    genome.instrs = out;
}

fn walk(genome: &Genome, arg: Arg, map: &mut [u16], out: &mut Vec<Instr>) -> Arg {
    let Some(n) = arg.node() else { return arg };
    if map[n] == NEW {
        let mut instr = genome.instrs[n];
        for arg in instr.args_mut() {
            *arg = walk(genome, *arg, map, out);
        }
        out.push(instr);
        map[n] = out.len() as u16 - 1;
    }
    Arg::Node(map[n])
}

/// The key of a genome in normal form: its structure, sharing included, without the values of free constants.
///
/// The instructions are in the order of a walk that the structure alone decides (up to ties of tree hashes, which can
/// give one structure two keys, never two structures one key), so hashing them with their indices tells `y * y` from
/// `y1 * y2` with equal trees.
pub fn key(genome: &Genome) -> u128 {
    let word_of = |arg: Arg| match arg {
        Arg::Input(i) => combine(1, u64::from(i)),
        Arg::Node(n) => combine(4, u64::from(n)),
        Arg::Free(_) => combine(2, 0),
        Arg::Fixed(x) => combine(3, x.to_bits()),
    };
    let mut halves = [u64::from(genome.salt), !u64::from(genome.salt)];
    let mut absorb = |word: u64| {
        halves[0] = combine(halves[0], word);
        halves[1] = combine(halves[1] ^ 0x5851_f42d_4c95_7f2d, word);
    };
    for instr in &genome.instrs {
        absorb(op_word(instr.op));
        instr.args().iter().for_each(|a| absorb(word_of(*a)));
    }
    absorb(word_of(genome.root));
    u128::from(halves[0]) << 64 | u128::from(halves[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Allowed = Allowed { add: true, mul: true };
    const X: Arg = Arg::Input(0);

    fn genome(instrs: &[(Op, &[Arg])]) -> Genome {
        let instrs: Vec<Instr> = instrs.iter().map(|(op, args)| Instr::new(*op, args)).collect();
        Genome { inputs: 1, root: Arg::Node(instrs.len() as u16 - 1), instrs, salt: 0 }
    }

    /// Normalises, checks that the value stays, and returns the number of operations.
    fn size(instrs: &[(Op, &[Arg])]) -> usize {
        let before = genome(instrs);
        let after = normalise(&before, ALL).expect("a genome without cycles");
        for x in [0.3, 0.9, 1.7] {
            let (a, b) = (before.eval(&[x]).expect("in order"), after.eval(&[x]).expect("in order"));
            assert!((a - b).abs() <= 1e-12 * a.abs(), "{before:?}\n{after:?}: {a} became {b}");
        }
        assert_eq!(normalise(&after, ALL).as_ref(), Some(&after), "normal form is not stable");
        after.instrs.len()
    }

    #[test]
    fn constants_move_to_where_they_cost_nothing() {
        let (c, d, v0, v1) = (Arg::Free(3.0), Arg::Free(-0.7), Arg::Node(0), Arg::Node(1));
        assert_eq!(size(&[(Op::Sub, &[X, c]), (Op::Add, &[v0, d])]), 1);
        assert_eq!(size(&[(Op::Mul, &[X, c]), (Op::Div, &[v0, d])]), 1);
        assert_eq!(size(&[(Op::Div, &[c, X]), (Op::Mul, &[v0, d])]), 1);
        assert_eq!(size(&[(Op::Sub, &[c, X]), (Op::Add, &[v0, d])]), 1);
        assert_eq!(size(&[(Op::Mul, &[X, c]), (Op::Add, &[v0, d]), (Op::Mul, &[v1, c])]), 2);
        assert_eq!(size(&[(Op::Fma, &[X, c, d]), (Op::Mul, &[v0, c])]), 1);
        assert_eq!(size(&[(Op::Add, &[c, d])]), 0);
        assert_eq!(size(&[(Op::Add, &[X, X]), (Op::Mul, &[v0, c])]), 1);
        assert_eq!(size(&[(Op::Sub, &[X, X]), (Op::Add, &[v0, X])]), 0);
        assert_eq!(size(&[(Op::Neg, &[X]), (Op::Neg, &[v0]), (Op::Add, &[v1, c])]), 1);
    }

    #[test]
    fn what_is_used_twice_takes_nothing_in() {
        let (c, d, v0, v1) = (Arg::Free(3.0), Arg::Free(-0.7), Arg::Node(0), Arg::Node(1));
        assert_eq!(size(&[(Op::Mul, &[X, c]), (Op::Mul, &[v0, d]), (Op::Div, &[v0, v1])]), 3);
        assert_eq!(size(&[(Op::Add, &[X, c]), (Op::Add, &[v0, d]), (Op::Mul, &[v0, v1])]), 3);
    }

    #[test]
    fn fixed_constants_keep_their_value() {
        let one = Arg::Fixed(1.0);
        assert_eq!(size(&[(Op::Mul, &[X, Arg::Fixed(3.0)]), (Op::Mul, &[Arg::Node(0), Arg::Free(2.0)])]), 2);
        assert_eq!(size(&[(Op::Mul, &[X, one]), (Op::Add, &[Arg::Node(0), Arg::Fixed(0.0)])]), 0);
        let kept = normalise(&genome(&[(Op::Add, &[X, one])]), ALL).expect("no cycle");
        assert!(kept.constants().is_empty());
    }

    #[test]
    fn cycles_and_infinite_constants_are_refused() {
        let cycle = genome(&[(Op::Add, &[X, Arg::Node(1)]), (Op::Mul, &[Arg::Node(0), X])]);
        assert_eq!(normalise(&cycle, ALL), None);
        assert_eq!(normalise(&genome(&[(Op::Div, &[Arg::Free(1.0), Arg::Free(0.0)])]), ALL), None);
        assert_eq!(normalise(&genome(&[(Op::Add, &[X, Arg::Input(3)])]), ALL), None);
    }

    #[test]
    fn keys_tell_sharing_and_forget_constants_and_order() {
        let (c, d, v0, v1) = (Arg::Free(3.0), Arg::Free(-0.7), Arg::Node(0), Arg::Node(1));
        let of = |instrs: &[(Op, &[Arg])]| key(&normalise(&genome(instrs), ALL).expect("no cycle"));
        let shared = of(&[(Op::Add, &[X, c]), (Op::Mul, &[v0, v0])]);
        let apart = of(&[(Op::Add, &[X, c]), (Op::Add, &[X, d]), (Op::Mul, &[v0, v1])]);
        assert_ne!(shared, apart);
        assert_eq!(shared, of(&[(Op::Add, &[d, X]), (Op::Mul, &[v0, v0])]));
        assert_eq!(of(&[(Op::Add, &[X, c]), (Op::Div, &[v0, X])]), of(&[(Op::Sub, &[X, d]), (Op::Div, &[v0, X])]));
        assert_ne!(of(&[(Op::Div, &[c, X])]), of(&[(Op::Mul, &[c, X])]));
        assert_ne!(of(&[(Op::Add, &[X, Arg::Fixed(1.0)])]), of(&[(Op::Add, &[X, Arg::Fixed(2.0)])]));
        // The same square twice is one value.
        let square = of(&[(Op::Mul, &[X, X]), (Op::Mul, &[X, X]), (Op::Mul, &[v0, v1])]);
        assert_eq!(square, of(&[(Op::Mul, &[X, X]), (Op::Mul, &[v0, v0])]));
    }
}
