#!/usr/bin/env python3
"""Fills the figures of the machine models in crates/mathsmith-cost/models from LLVM's scheduling tables.

    scripts/machine_models.py [--check] [--llvm-mca PATH] [MODEL.toml ...]

Each operation of a model names the instructions that carry it out (`code`, in the assembler's language). For an
operation whose source is `mca` or `seq` this program asks `llvm-mca -instruction-tables` (target and processor as the
model's [schedule] says) about each instruction and writes

    latency  the longest path through the sequence, each instruction with its latency
    pipes    cycles for which each set of pipes is busy, added up over the sequence; tables that split work evenly over
             some pipes are read as work that any of these can do
    uops     micro-operations, added up
    bytes    length of the encoding, added up

Operations of another source are figures that a person entered, and are left alone. With --check nothing is written; the exit code is 1 if a figure differs. The version of llvm-mca
must be the one that the model names: tables change from version to version.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tomllib

# Instructions that write only flags.
FLAGS_ONLY = re.compile(r"^(u?comis[sd]|cmp[bwlq]|test[bwlq]|cmp|cmn|tst|teq|fcmp|fcmpe|vcmp(\.f\d\d)?)$")
# Instructions that write flags beside a register, or alone.
FLAGS_OUT = re.compile(
    r"^(u?comis[sd]|cmp[bwlq]|test[bwlq]|cmp|cmn|tst|teq|fcmpe?|vcmp\.f\d\d|vmrs|(add|sub|neg|and|or|xor|sar|shr|shl)[lq]"
    r"|(add|sub|sbc|adc|rsb|neg|and|orr|eor|lsl|lsr|asr)s)$"
)
# Instructions that read flags: conditional ones; `it` passes them on to those that follow.
FLAGS_IN = re.compile(
    r"^(set[a-z]+|cmov[a-z]+|adc[lq]?|sbb[lq]|adcs|sbcs?|f?csel|cset|csetm|vsel[a-z]+\.f\d\d|vmrs|it[te]*"
    r"|(mov|rsb|vmov)(eq|ne|ge|gt|lt|le|mi|vs|ls|hi)(\.f\d\d)?)$"
)
# Thumb's prefix of conditional instructions.
IT = re.compile(r"^it[te]* ")
# Instructions with two destinations.
TWO_RESULTS = re.compile(r"^(umull|smull|ldrd)$")


def registers(operand):
    """Registers that an operand names, views of one register under one name."""
    x86 = re.findall(r"%([a-z0-9]+)", operand)
    if x86:
        names = []
        for r in x86:
            if m := re.fullmatch(r"[xyz]mm(\d+)", r):
                names.append("v" + m[1])
            elif m := re.fullmatch(r"[re]?(ax|bx|cx|dx|si|di|bp|sp)|([abcd])l", r):
                names.append(m[1] or m[2] + "x")
            else:
                names.append(re.sub(r"(r\d+)[dwb]$", r"\1", r))
        return names
    names = []
    for m in re.finditer(r"\b([vqdsxwr])(\d+)\b", operand):
        names.append(m[1] + m[2])
    return names


def canonical_aarch64(name):
    """v0, q0, d0 and s0 are one register, and so are x0 and w0."""
    return {"q": "v", "d": "v", "s": "v", "w": "x"}.get(name[0], name[0]) + name[1:]


def parse(line, triple):
    """Registers read and written by an instruction, flags included. A destination counts as read too: sequences use a
    register as a second destination only where the instruction keeps a part of it."""
    mnemonic, _, rest = line.partition(" ")
    operands = [o.strip() for o in re.split(r",(?![^\[({]*[\])}])", rest)] if rest.strip() else []
    regs = [registers(o) for o in operands]
    if triple.startswith("aarch64"):
        regs = [[canonical_aarch64(r) for r in rs] for rs in regs]
    reads = {r for rs in regs for r in rs}
    writes = set()
    if regs and not FLAGS_ONLY.match(mnemonic) and not mnemonic.startswith("it"):
        at_t = triple.startswith("x86")
        pair_from_double = mnemonic == "vmov" and len(regs) == 3 and regs[0][0].startswith("r")
        targets = 2 if TWO_RESULTS.match(mnemonic) or pair_from_double else 1
        chosen = regs[-targets:] if at_t else regs[:targets]
        writes = {rs[0] for rs in chosen if rs}
    if FLAGS_OUT.match(mnemonic) or FLAGS_ONLY.match(mnemonic):
        writes.add("flags")
    if FLAGS_IN.match(mnemonic):
        reads.add("flags")
    return reads, writes


class Tables:
    """What llvm-mca prints for instructions of a processor."""

    def __init__(self, program, schedule, pipes):
        self.command = [program, f"-mtriple={schedule['triple']}", f"-mcpu={schedule['cpu']}"]
        if schedule.get("features"):
            self.command.append(f"-mattr={schedule['features']}")
        self.command += ["-instruction-tables", "-show-encoding"]
        if schedule["triple"].startswith("thumb"):
            self.command.append("-skip-unsupported-instructions=lack-sched")
        self.triple = schedule["triple"]
        # Resource of the scheduling model, with the number of its instance, to pipe.
        self.pipe_of = {}
        for pipe in pipes:
            for resource in schedule["resources"][pipe]:
                self.pipe_of[resource] = pipe
        self.known = {}

    def ask(self, lines):
        """Fills `known` for every line, in one call."""
        lines = [l for l in dict.fromkeys(lines) if l not in self.known]
        text = self.prologue() + "\n".join(lines) + "\n"
        done = subprocess.run(self.command, input=text, capture_output=True, text=True)
        # The tables have no row for `it`: 16 bits of code that the decoder takes in with what follows.
        self.known |= {l: (1, 0, 2, {}) for l in lines if IT.match(l)}
        lines = [l for l in lines if not IT.match(l)]
        if done.returncode != 0:
            sys.exit(f"error: {' '.join(self.command)} failed\n{done.stderr}")
        out = done.stdout
        names = re.findall(r"^\[(\d+(?:\.\d+)?)\]\s+- (\S+)$", out, re.M)
        resources = []
        for index, name in names:
            resources.append(name + ("#" + index.split(".")[1] if "." in index else ""))
        info = out.split("Instructions:")[1].split("\nResources:")[0].strip("\n").split("\n")
        info = [l for l in info if l.strip()]
        pressure = out.split("Resource pressure by instruction:")[1].strip("\n").split("\n")[1:]
        pressure = [l for l in pressure if l.strip()]
        if len(info) != len(lines) or len(pressure) != len(lines):
            sys.exit(f"error: llvm-mca answered {len(info)} lines to {len(lines)} instructions")
        for line, figures, row in zip(lines, info, pressure):
            m = re.match(r"\s*(\d+)\s+(\d+)\s+(\S+)\s+(?:\* +)*(?:U +)?(?:\* +)*(\d+)?", figures)
            encoding = re.search(r"((?:\b[0-9a-f]{2} )+)\s", figures[m.end(3):])
            size = len(encoding[1].split())
            cells = row.split()[: len(resources)]
            busy = {}
            for resource, cell in zip(resources, cells):
                if cell != "-" and resource in self.pipe_of:
                    pipe = self.pipe_of[resource]
                    busy[pipe] = busy.get(pipe, 0.0) + exact(float(cell))
            self.known[line] = (int(m[1]), int(m[2]), size, busy)

    def ask_sequence(self, lines):
        """Asks about a sequence whose instructions need each other to assemble."""
        if len(set(lines)) != len(lines):
            sys.exit(f"error: a sequence repeats an instruction word for word: {lines}")
        before, self.known = self.known, {}
        self.ask(lines)
        self.known = before | self.known

    def prologue(self):
        return ".syntax unified\n.thumb\n" if self.triple.startswith("thumb") else ""

    def figures(self, code):
        lines = [l.strip() for l in code.split(";")]
        ready, latency, uops, size, work = {}, 0, 0, 0, {}
        for line in lines:
            u, lat, n, busy = self.known[line]
            reads, writes = parse(line, self.triple)
            done = max((ready.get(r, 0) for r in reads), default=0) + lat
            for w in writes:
                ready[w] = done
            latency, uops, size = max(latency, done), uops + u, size + n
            for pipes, cycles in shares(busy):
                work[pipes] = work.get(pipes, 0.0) + cycles
        return latency, uops, size, {p: round(c, 3) for p, c in sorted(work.items())}


def exact(cycles):
    """A share of a cycle, which llvm-mca prints with two digits: the twelfth that it stands for, where there is one."""
    twelfth = round(cycles * 12) / 12
    return twelfth if abs(twelfth - cycles) < 0.006 else cycles


def shares(busy):
    """Sets of pipes that share work evenly, from the work of each: of a family (names that differ in their digits only)
    the least is shared by all, what is left by those that have more, and so on. Families share nothing."""
    families = {}
    for pipe, cycles in busy.items():
        if cycles > 0:
            families.setdefault(pipe.rstrip("0123456789"), {})[pipe] = cycles
    for family in families.values():
        while family:
            least = min(family.values())
            yield tuple(sorted(family)), least
            family = {p: c - least for p, c in family.items() if c - least > 1e-6}


def number(x):
    return f"{x:.3f}".rstrip("0").rstrip(".") + (".0" if x == int(x) else "")


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def render(key, op):
    pipes = ", ".join(f"{quote(p)} = {number(c)}" for p, c in op["pipes"].items())
    parts = [
        f"latency = {number(op['latency'])}",
        f"uops = {op['uops']}",
        f"bytes = {op['bytes']}",
        f"pipes = {{ {pipes} }}",
        f"code = {quote(op['code'])}",
        f"source = {quote(op['source'])}",
    ]
    if "data" in op:
        parts.insert(3, f"data = {op['data']}")
    if "note" in op:
        parts.append(f"note = {quote(op['note'])}")
    return f"{quote(key)} = {{ {', '.join(parts)} }}"


def update(path, program, check):
    text = path.read_text()
    model = tomllib.loads(text)
    schedule = model.get("schedule")
    if schedule is None:
        print(f"{path}: no [schedule], nothing to ask")
        return True
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    if f"LLVM version {schedule['llvm']}." not in version:
        sys.exit(f"error: {path} is of LLVM {schedule['llvm']}, {program} says: {version.splitlines()[0]}")
    tables = Tables(program, schedule, model["pipes"])
    ops = model["op"]
    sequences = [[l.strip() for l in op["code"].split(";")] for op in ops.values() if op["source"] in ("mca", "seq")]
    if schedule["triple"].startswith("thumb"):
        # A conditional instruction assembles behind its `it` only, so each sequence is asked about as a whole.
        for sequence in sequences:
            tables.ask_sequence(sequence)
    else:
        tables.ask([line for sequence in sequences for line in sequence])
    same, out, head = True, [], text.split("\n[op]\n")[0]
    for key, old in ops.items():
        op = dict(old)
        if op["source"] in ("mca", "seq"):
            latency, uops, size, work = tables.figures(op["code"])
            if not work:
                sys.exit(f"error: {path}: `{key}` occupies none of the model's pipes")
            op["source"] = "seq" if ";" in op["code"] else "mca"
            # Instructions of no latency (comparisons of a later `vmrs`) still take their place in the pipeline.
            op |= {"latency": max(latency, 1), "uops": uops, "bytes": size, "pipes": {" ".join(p): c for p, c in work.items()}}
        line = render(key, op)
        out.append(line)
        if op != old:
            same = False
            if check:
                print(f"{path}: `{key}` differs from the tables:\n  {line}")
    if not check:
        path.write_text(head + "\n[op]\n" + "\n".join(out) + "\n")
    return same


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments.add_argument("--llvm-mca", default="llvm-mca-19", metavar="PATH")
    arguments.add_argument("models", nargs="*", type=pathlib.Path)
    chosen = arguments.parse_args()
    folder = pathlib.Path(__file__).parent.parent / "crates/mathsmith-cost/models"
    same = [update(p, chosen.llvm_mca, chosen.check) for p in chosen.models or sorted(folder.glob("*.toml"))]
    sys.exit(0 if all(same) or not chosen.check else 1)


if __name__ == "__main__":
    main()
