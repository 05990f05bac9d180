//! Instructions of a machine model as kernels: the same sequence again and again, independent or each waiting for the last.
//!
//! Models name the instructions whose figures they give, in AT&T syntax: sources first, destination last; inputs are in
//! registers 0 to 2 (masks: in whatever is read), constants in 8 and above. Repeated as it is, a sequence waits for nothing,
//! since processors rename what is written. Two changes of register numbers do the rest:
//!
//! * a last instruction that also reads its destination (a fused operation) gets another one for each repetition;
//! * for a chain the last destination becomes an input of the next repetition.

use std::collections::BTreeSet;

/// A register that can be renamed: vectors of any width are one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Register {
    /// `%xmm3`, `%ymm3`, `%zmm3`.
    Vector(u8),
    /// `%k3`.
    Mask(u8),
}

/// One instruction as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    mnemonic: String,
    /// Operands as written, masks in braces with the one they belong to.
    operands: Vec<String>,
}

/// Registers in some text with the places of their numbers.
fn registers(text: &str) -> Vec<(Register, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('%') {
        let rest = &text[at + 1..];
        let (kind, skip): (fn(u8) -> Register, usize) = match rest.as_bytes() {
            [b'x' | b'y' | b'z', b'm', b'm', ..] => (Register::Vector, 3),
            [b'k', b'0'..=b'7', ..] => (Register::Mask, 1),
            _ => continue,
        };
        let digits: String = rest[skip..].chars().take_while(char::is_ascii_digit).collect();
        if let Ok(number) = digits.parse() {
            let start = at + 1 + skip;
            found.push((kind(number), start..start + digits.len()));
        }
    }
    found
}

/// Text with every register replaced by its image.
fn renamed(text: &str, image: &dyn Fn(Register) -> Register) -> String {
    let mut out = text.to_owned();
    for (register, place) in registers(text).into_iter().rev() {
        let (Register::Vector(number) | Register::Mask(number)) = image(register);
        out.replace_range(place, &number.to_string());
    }
    out
}

impl Instruction {
    /// Reads one instruction; `None` for one without operands.
    fn parse(text: &str) -> Option<Instruction> {
        let (mnemonic, rest) = text.trim().split_once(' ')?;
        let (mut operands, mut depth, mut start) = (Vec::new(), 0, 0);
        for (i, c) in rest.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                ',' if depth == 0 => {
                    operands.push(rest[start..i].trim().to_owned());
                    start = i + 1;
                }
                _ => {}
            }
        }
        operands.push(rest[start..].trim().to_owned());
        Some(Instruction { mnemonic: mnemonic.to_owned(), operands })
    }

    fn text(&self) -> String {
        format!("{} {}", self.mnemonic, self.operands.join(", "))
    }

    fn destination(&self) -> &str {
        self.operands.last().map_or("", String::as_str)
    }

    /// What is written, if it can be renamed.
    fn writes(&self) -> Option<Register> {
        registers(self.destination()).first().map(|(r, _)| *r)
    }

    /// Whether the destination is read too.
    fn reads_destination(&self) -> bool {
        let m = self.mnemonic.as_str();
        let fused = ["vfmadd", "vfmsub", "vfnmadd", "vfnmsub", "vpternlog", "vgather", "vpgather"];
        // Merging under a mask keeps what was there; blends and comparisons do not.
        let merges = self.destination().contains("{%k") && !self.destination().contains("{z}");
        fused.iter().any(|f| m.starts_with(f)) || (merges && m.starts_with("vmov"))
    }

    fn reads(&self) -> BTreeSet<Register> {
        let sources = self.operands.split_last().map_or(&[][..], |(_, sources)| sources);
        let mut all: BTreeSet<Register> = sources.iter().flat_map(|s| registers(s)).map(|(r, _)| r).collect();
        // The mask behind a destination is a source.
        let behind = registers(self.destination()).into_iter().skip(1).map(|(r, _)| r);
        all.extend(behind);
        if self.reads_destination() {
            all.extend(self.writes());
        }
        all
    }
}

/// A sequence of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    instructions: Vec<Instruction>,
    /// Read before it is written.
    inputs: BTreeSet<Register>,
    /// The last destination.
    output: Register,
}

/// Vectors that inputs are in; what is above holds constants.
const INPUTS: u8 = 3;

impl Sequence {
    /// Reads the code of an operation; `None` if its last instruction writes no vector and no mask.
    pub fn parse(code: &str) -> Option<Sequence> {
        let instructions = code.split(';').map(Instruction::parse).collect::<Option<Vec<_>>>()?;
        let output = instructions.last()?.writes()?;
        let (mut inputs, mut written) = (BTreeSet::new(), BTreeSet::new());
        for i in &instructions {
            inputs.extend(i.reads().into_iter().filter(|r| !written.contains(r)));
            written.extend(i.writes());
        }
        Some(Sequence { instructions, inputs, output })
    }

    /// Every register that occurs.
    fn all(&self) -> BTreeSet<Register> {
        self.instructions.iter().flat_map(|i| i.operands.iter()).flat_map(|o| registers(o)).map(|(r, _)| r).collect()
    }

    fn lines(&self, image: &dyn Fn(usize, bool, Register) -> Register) -> Vec<String> {
        let last = self.instructions.len() - 1;
        let one = |(i, instruction): (usize, &Instruction)| {
            let count = instruction.operands.len();
            let operands = instruction
                .operands
                .iter()
                .enumerate()
                .map(|(o, text)| renamed(text, &|r| image(i, i == last && o + 1 == count, r)))
                .collect();
            Instruction { mnemonic: instruction.mnemonic.clone(), operands }.text()
        };
        self.instructions.iter().enumerate().map(one).collect()
    }

    /// The sequence `copies` times, none waiting for another, with `vectors` vector registers in all.
    pub fn independent(&self, copies: usize, vectors: u8) -> Vec<String> {
        let used = self.all();
        let free: Vec<Register> = (0..vectors).map(Register::Vector).filter(|r| !used.contains(r)).collect();
        let rotates = self.inputs.contains(&self.output) && !free.is_empty();
        let copy = |i: usize| {
            let own = if rotates { free[i % free.len()] } else { self.output };
            self.lines(&|_, _, r| if r == self.output { own } else { r })
        };
        (0..copies).flat_map(copy).collect()
    }

    /// Inputs through which a chain can run.
    pub fn chained_inputs(&self) -> Vec<Register> {
        let kind = |r: &Register| matches!(r, Register::Mask(_));
        // A mask that is written leads back to a vector by a blend.
        let fits = |r: &&Register| match r {
            Register::Vector(n) => *n < INPUTS,
            Register::Mask(_) => kind(&self.output),
        };
        let masks = self.inputs.iter().all(kind);
        self.inputs.iter().filter(fits).filter(|r| kind(r) == (masks && kind(&self.output))).copied().collect()
    }

    /// Whether a chain through a vector needs a blend, because the sequence writes a mask.
    pub fn needs_blend(&self, through: Register) -> bool {
        matches!((self.output, through), (Register::Mask(_), Register::Vector(_)))
    }

    /// The sequence `copies` times, each waiting for the last through one input.
    pub fn chain(&self, copies: usize, through: Register) -> Vec<String> {
        if self.needs_blend(through) {
            let (Register::Vector(v) | Register::Mask(v)) = through;
            let (Register::Mask(k) | Register::Vector(k)) = self.output;
            let blend = format!("vblendmps %zmm4, %zmm5, %zmm{v}{{%k{k}}}");
            let copy = |_| self.lines(&|_, _, r| r).into_iter().chain([blend.clone()]);
            return (0..copies).flat_map(copy).collect();
        }
        let single = self.instructions.len() == 1;
        if single && self.inputs.contains(&self.output) {
            // Result and input change places each time.
            let swapped = |r: Register| match r {
                r if r == self.output => through,
                r if r == through => self.output,
                r => r,
            };
            return (0..copies).flat_map(|i| self.lines(&|_, _, r| if i % 2 == 1 { swapped(r) } else { r })).collect();
        }
        let copy = |_| self.lines(&|_, end, r| if end && r == self.output { through } else { r });
        (0..copies).flat_map(copy).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(code: &str) -> Sequence {
        Sequence::parse(code).unwrap()
    }

    #[test]
    fn what_is_read_first_is_an_input() {
        let s = sequence("vcvttps2dq %zmm0, %zmm3; vcmpps $29, %zmm8, %zmm0, %k1; vmovdqa32 %zmm9, %zmm3{%k1}");
        assert_eq!(s.chained_inputs(), [Register::Vector(0)]);
        assert_eq!(s.output, Register::Vector(3));
        let gather = sequence(
            "vpminsd %ymm8, %ymm0, %ymm3; vpcmpeqd %ymm5, %ymm5, %ymm5; vgatherdps %ymm5, (%rdi,%ymm3,4), %ymm6",
        );
        assert_eq!(gather.instructions[2].operands, ["%ymm5", "(%rdi,%ymm3,4)", "%ymm6"]);
        assert!(gather.inputs.contains(&Register::Vector(6)), "a gather merges into its destination");
        assert_eq!(Sequence::parse("vmovq %xmm0, %rax"), None);
    }

    #[test]
    fn a_fused_operation_rotates_and_swaps() {
        let fma = sequence("vfmadd213ps %ymm2, %ymm1, %ymm0");
        let independent = fma.independent(3, 16);
        assert_eq!(independent[0], "vfmadd213ps %ymm2, %ymm1, %ymm3");
        assert_eq!(independent[2], "vfmadd213ps %ymm2, %ymm1, %ymm5");
        let chain = fma.chain(2, Register::Vector(2));
        assert_eq!(chain, ["vfmadd213ps %ymm2, %ymm1, %ymm0", "vfmadd213ps %ymm0, %ymm1, %ymm2"]);
        assert_eq!(fma.chain(2, Register::Vector(0))[1], "vfmadd213ps %ymm2, %ymm1, %ymm0");
    }

    #[test]
    fn others_repeat_and_write_back() {
        let add = sequence("vaddps %ymm1, %ymm0, %ymm3");
        assert_eq!(add.independent(2, 16), ["vaddps %ymm1, %ymm0, %ymm3"; 2]);
        assert_eq!(add.chain(1, Register::Vector(1)), ["vaddps %ymm1, %ymm0, %ymm1"]);
        let compare = sequence("vcmpps $17, %zmm1, %zmm0, %k1");
        assert!(compare.needs_blend(Register::Vector(0)));
        assert_eq!(compare.chain(1, Register::Vector(0))[1], "vblendmps %zmm4, %zmm5, %zmm0{%k1}");
        let select = sequence("vblendmps %zmm1, %zmm2, %zmm3{%k1}");
        assert_eq!(select.chained_inputs(), [Register::Vector(1), Register::Vector(2)]);
        let and = sequence("kandw %k2, %k1, %k3");
        assert_eq!(and.chained_inputs(), [Register::Mask(1), Register::Mask(2)]);
        assert_eq!(and.chain(1, Register::Mask(1)), ["kandw %k2, %k1, %k1"]);
    }
}
