//! Reading the best program out of an e-graph, with sharing counted.
//!
//! egg's extractor adds up the costs of a tree, so `s*s` would pay for `s` twice. Here the cost of a class is the *set*
//! of classes its best term needs (greedy DAG extraction: the choice in each class is the best for that class alone).
//! Costs are compared by number of operations, then by a weight that prefers fewer constants and divisions, then by a
//! structural hash that does not know one constant from another, so that equal families choose equal shapes. The number
//! of operations (here with bitcasts, which rules never trade) strictly falls from a class to its arguments, hence choices never form a cycle.

use crate::analysis::{Constant, Graph, independent};
use crate::field::chain;
use crate::lang::{Arith, Lang, shape_hash};
use egg::{Id, Language};
use mathsmith_ir::{Literal, NO_VALUE, Program, Value};

/// A set of dense class numbers.
#[derive(Clone, Debug, PartialEq)]
struct Set(Vec<u64>);

impl Set {
    fn clear(&mut self) {
        self.0.fill(0);
    }
    fn contains(&self, i: usize) -> bool {
        self.0[i / 64] >> (i % 64) & 1 == 1
    }
    fn insert(&mut self, i: usize) {
        self.0[i / 64] |= 1 << (i % 64);
    }
    fn union(&mut self, o: &Set) {
        self.0.iter_mut().zip(&o.0).for_each(|(a, b)| *a |= b);
    }
    fn len(&self) -> u32 {
        self.0.iter().map(|w| w.count_ones()).sum()
    }
    fn masked(&self, mask: &Set) -> u32 {
        self.0.iter().zip(&mask.0).map(|(a, m)| (a & m).count_ones()).sum()
    }
}

/// Operations, weight, shape.
type Cost = (u32, u32, u64);

/// The classes of a term.
#[derive(Clone, Debug)]
struct Needs {
    /// Those that are no leaves.
    operations: Set,
    /// Those that are constants.
    constants: Set,
}

/// The choice made in a class.
#[derive(Clone, Debug)]
struct Best {
    cost: Cost,
    needs: Needs,
    node: usize,
}

/// Reads terms out of one e-graph.
pub struct Extractor<'a> {
    graph: &'a Graph,
    /// Dense number of each class, by the identifiers of its nodes.
    number: Vec<usize>,
    ids: Vec<Id>,
    /// Classes whose constant leaf may not be used.
    banned: Vec<bool>,
    fuse: bool,
    best: Vec<Option<Best>>,
    /// Extra weight of the operation chosen in each class, as bit masks: 1, 2 and 4.
    heavy: [Set; 3],
}

/// Weight of an operation beyond counting, a sum of 1, 2 and 4: divisions and roots are dear, a sum is preferred to a
/// difference.
fn weight(node: &Lang) -> usize {
    match node {
        Lang::Arith(Arith::Div | Arith::Sqrt, _) => 6,
        Lang::Arith(Arith::Sub | Arith::Neg | Arith::Fms | Arith::Fnma | Arith::Fnms, _) => 1,
        _ => 0,
    }
}

impl<'a> Extractor<'a> {
    /// Prepares an extraction; fused operations are considered only if `fuse`.
    pub fn new(graph: &'a Graph, fuse: bool) -> Self {
        let ids: Vec<Id> = graph.classes().map(|c| c.id).collect();
        let n = ids.len();
        let mut dense = vec![usize::MAX; graph.nodes().len()];
        ids.iter().enumerate().for_each(|(i, &id)| dense[usize::from(id)] = i);
        let number = (0..dense.len()).map(|i| dense[usize::from(graph.find(Id::from(i)))]).collect();
        let empty = Set(vec![0; n.div_ceil(64)]);
        let heavy = [empty.clone(), empty.clone(), empty];
        Extractor { graph, number, ids, banned: vec![false; n], fuse, best: vec![None; n], heavy }
    }

    fn dense(&self, id: Id) -> usize {
        self.number[usize::from(id)]
    }

    fn scratch(&self) -> Needs {
        let empty = Set(vec![0; self.ids.len().div_ceil(64)]);
        Needs { operations: empty.clone(), constants: empty }
    }

    /// Cost of the term that `node` of class `class` makes of the best terms of its arguments; `needs` receives the classes
    /// of that term.
    fn evaluate(&self, class: usize, node: &Lang, needs: &mut Needs) -> Option<Cost> {
        let Needs { operations, constants } = needs;
        operations.clear();
        constants.clear();
        match node {
            Lang::Arith(op, _) if op.is_fused() && !self.fuse => return None,
            Lang::Const(_) | Lang::Derived(_) if self.banned[class] => return None,
            Lang::Const(_) | Lang::Derived(_) => constants.insert(class),
            _ => {}
        }
        let mut args = [0; 3];
        for (i, &id) in node.children().iter().enumerate() {
            let child = self.best[self.dense(id)].as_ref()?;
            operations.union(&child.needs.operations);
            constants.union(&child.needs.constants);
            // Only the list of outputs has more than three.
            args[i % 3] = chain(args[i % 3], child.cost.2);
        }
        let shape = shape_hash(node, args);
        if !node.is_leaf() {
            if operations.contains(class) {
                return None;
            }
            operations.insert(class);
        }
        let heavy = |bit: usize| {
            let own = self.heavy[bit].contains(class);
            operations.masked(&self.heavy[bit]) - u32::from(own && operations.contains(class))
        };
        let own = weight(node) as u32;
        let total = heavy(0) + 2 * heavy(1) + 4 * heavy(2) + own + 4 * constants.len();
        Some((operations.len(), total, shape))
    }

    fn choose(&mut self, class: usize, node: usize, cost: Cost, needs: &Needs) {
        let w = weight(&self.graph[self.ids[class]].nodes[node]);
        for (bit, set) in self.heavy.iter_mut().enumerate() {
            set.0[class / 64] &= !(1 << (class % 64));
            if w >> bit & 1 == 1 {
                set.insert(class);
            }
        }
        self.best[class] = Some(Best { cost, needs: needs.clone(), node });
    }

    fn solve(&mut self) {
        self.best.iter_mut().for_each(|b| *b = None);
        let graph = self.graph;
        let mut needs = self.scratch();
        // Least costs, in any order until nothing falls.
        let mut changed = true;
        while changed {
            changed = false;
            for class in 0..self.ids.len() {
                for (i, node) in graph[self.ids[class]].nodes.iter().enumerate() {
                    let Some(cost) = self.evaluate(class, node, &mut needs) else { continue };
                    let old = self.best[class].as_ref().map(|b| b.cost);
                    if old.is_none_or(|old| (cost.0, cost.1) < (old.0, old.1)) {
                        self.choose(class, i, cost, &needs);
                        changed = true;
                    }
                }
            }
        }
        // Ties by shape: from few operations to many, so that every argument is settled before its users.
        let mut order: Vec<usize> = (0..self.ids.len()).filter(|&c| self.best[c].is_some()).collect();
        order.sort_by_key(|&c| self.best[c].as_ref().map_or(0, |b| b.cost.0));
        let mut settled = vec![false; self.ids.len()];
        let mut least = self.scratch();
        for class in order {
            let mut found: Option<(Cost, usize)> = None;
            for (i, node) in graph[self.ids[class]].nodes.iter().enumerate() {
                if !node.all(|id| settled[self.dense(id)]) {
                    continue;
                }
                let Some(cost) = self.evaluate(class, node, &mut needs) else { continue };
                if found.is_none_or(|(old, _)| cost < old) {
                    found = Some((cost, i));
                    std::mem::swap(&mut needs, &mut least);
                }
            }
            if let Some((cost, i)) = found {
                self.choose(class, i, cost, &least);
            }
            settled[class] = true;
        }
    }

    /// The best program for the class of outputs, with its constant classes as parameters; `like` supplies names, types
    /// and tables. The second result is the old parameter that each new one is.
    ///
    /// Constants that would not be independent (see [`crate::analysis`]) are not used; `None` if no term is left without
    /// them.
    pub fn program(&mut self, root: Id, like: &Program) -> Option<(Program, Vec<Option<u32>>)> {
        for _ in 0..4 {
            self.solve();
            let best = self.best[self.dense(root)].as_ref()?;
            let used: Vec<usize> = (0..self.ids.len()).filter(|&c| best.needs.constants.contains(c)).collect();
            // A parameter that is no free constant (there are more than 64) is one by itself.
            let known: Vec<(usize, Constant)> =
                used.iter().filter_map(|&c| Some((c, self.graph[self.ids[c]].data.constant?))).collect();
            let constants: Vec<Constant> = known.iter().map(|(_, c)| *c).collect();
            match independent(&constants) {
                Ok(()) => return Some(self.build(root, like)),
                Err(bound) => {
                    for i in bound.into_iter().filter(|&i| constants[i].raw.is_none()) {
                        self.banned[known[i].0] = true;
                    }
                }
            }
        }
        None
    }

    fn build(&self, root: Id, like: &Program) -> (Program, Vec<Option<u32>>) {
        let mut out = Program::new(like.name());
        let inputs: Vec<Value> = like.inputs().iter().map(|i| out.input(i.name.clone(), i.ty)).collect();
        for table in like.tables() {
            out.table(table.values.clone());
        }
        let mut origin = Vec::new();
        let mut values = vec![NO_VALUE; self.ids.len()];
        let mut stack = vec![self.dense(root)];
        while let Some(&class) = stack.last() {
            let class_data = &self.graph[self.ids[class]];
            let chosen = self.best[class].as_ref().expect("the root's cost is finite, so its parts have choices");
            let node = &class_data.nodes[chosen.node];
            let pending = node.children().iter().rev().map(|&id| self.dense(id)).filter(|&c| values[c] == NO_VALUE);
            let depth = stack.len();
            stack.extend(pending);
            if stack.len() > depth {
                continue;
            }
            stack.pop();
            let args: Vec<Value> = node.children().iter().map(|&id| values[self.dense(id)]).collect();
            let built = match node {
                _ if values[class] != NO_VALUE => continue,
                Lang::Input(i) => Ok(inputs[*i as usize]),
                Lang::Const(i) => {
                    let p = &like.params()[*i as usize];
                    origin.push(Some(*i));
                    Ok(out.param(format!("c{}", origin.len() - 1), p.ty, p.value))
                }
                Lang::Derived(_) => {
                    let ty = crate::lang::main_type(like);
                    let value = class_data.data.constant.and_then(|c| c.value);
                    let value = value.and_then(|v| Literal::float(ty, v)).filter(finite);
                    origin.push(None);
                    Ok(out.param(format!("c{}", origin.len() - 1), ty, value))
                }
                Lang::Lit(..) => Ok(out.lit(node.as_literal().expect("the node is a literal"))),
                Lang::Arith(op, _) => op.build(&mut out, &args),
                Lang::Other(op, _) => out.op(*op, &args),
                Lang::List(_) => {
                    out.set_outputs(args);
                    break;
                }
            };
            values[class] = built.expect("rules keep types");
        }
        (out.compacted(), origin)
    }

    /// Number of operations of the best term, for tests.
    #[cfg(test)]
    fn cost(&mut self, root: Id) -> u32 {
        self.solve();
        self.best[self.dense(root)].as_ref().map_or(u32::MAX, |b| b.cost.0 - 1)
    }
}

/// Whether a float literal is finite: a value that overflows the format is no starting value.
pub fn finite(l: &Literal) -> bool {
    l.to_f64().is_some_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Facts;
    use crate::expr::skeleton;
    use crate::lang::to_expr;
    use crate::rules::RuleClass;
    use mathsmith_ir::Type;

    #[test]
    fn a_shared_value_is_paid_once() {
        for (text, cost) in [("s = x + y; s*s", 2), ("s = x + y; t = s*s; t*t", 3), ("(x + y)*(x + z)", 3)] {
            let p = skeleton(text, Type::Real).unwrap();
            let mut graph = Graph::new(Facts::new(&p, Type::Real, RuleClass::Real, true));
            let root = graph.add_expr(&to_expr(&p));
            graph.rebuild();
            assert_eq!(Extractor::new(&graph, false).cost(root), cost, "{text}");
        }
    }

    #[test]
    fn dependent_constants_are_not_freed() {
        for (text, params) in [("C*C*x", 1), ("p0*p0*x", 1), ("sqrt(C)*x", 1), ("(p0 + p1)*x + p0*p1", 2)] {
            let p = skeleton(text, Type::Real).unwrap();
            let mut graph = Graph::new(Facts::new(&p, Type::Real, RuleClass::Real, true));
            let root = graph.add_expr(&to_expr(&p));
            graph.rebuild();
            match Extractor::new(&graph, false).program(root, &p) {
                Some((q, _)) => assert_eq!(q.params().len(), params, "{text}"),
                None => assert_eq!(text, "(p0 + p1)*x + p0*p1"),
            }
        }
    }
}
