//! A calibrated model as a file.

use super::Figure;
use mathsmith_cost::Model;

/// Text within quotes of TOML.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A figure with as many digits as it has.
fn figure(x: f64) -> String {
    let text = format!("{x:.4}");
    let short = text.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

/// The model `base` with the figures of this machine.
pub(super) fn toml(
    base: &Model,
    name: &str,
    cpu: &str,
    compiler: &str,
    issue_width: u32,
    figures: &[Figure],
) -> String {
    let list: Vec<String> = base.pipes.iter().map(|p| quoted(p)).collect();
    let mut out = format!(
        "# Machine model, measured by `mathsmith calibrate` on {cpu}.\n\
         #\n\
         # Instructions, micro-operations, bytes and names of pipes are those of the shipped model {}. Measured are `latency`,\n\
         # the cycles of the pipes (one vector of an operation alone takes the reciprocal throughput that was found), and which\n\
         # pipes they are (those with which pairs of operations come out best). Kernels assembled by {compiler}.\n\
         schema = 2\nname = {}\ndescription = {}\n",
        base.name,
        quoted(name),
        quoted(&format!("{}; measured on {cpu}", base.description)),
    );
    match base.vector_bits {
        Some(bits) => out.push_str(&format!("vector_bits = {bits}\n")),
        None => out.push_str("scalar = true\n"),
    }
    out.push_str(&format!(
        "issue_width = {issue_width}\npipes = [{}]\nliteral_bytes = {}\nfunction_bytes = {}\n\n[op]\n",
        list.join(", "),
        base.literal_bytes,
        base.function_bytes
    ));
    for f in figures {
        let Some(op) = base.op.get(&f.op) else { continue };
        let pipes: Vec<String> = f.pipes.iter().map(|(set, c)| format!("{} = {}", quoted(set), figure(*c))).collect();
        let data = if op.data > 0 { format!(", data = {}", op.data) } else { String::new() };
        let kept = f.latency.is_none().then(|| format!("latency of {}: nothing to chain", base.name));
        let note: Vec<String> = op.note.iter().cloned().chain(kept).collect();
        let note = if note.is_empty() { String::new() } else { format!(", note = {}", quoted(&note.join("; "))) };
        out.push_str(&format!(
            "{} = {{ latency = {}, uops = {}, bytes = {}{data}, pipes = {{ {} }}, code = {}, source = {}{note} }}\n",
            quoted(&f.op),
            figure(f.latency.unwrap_or(f.base[0])),
            op.uops,
            op.bytes,
            pipes.join(", "),
            quoted(&op.code),
            quoted(&format!("measured on {cpu}")),
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_model_has_the_figures_and_can_be_read() {
        let base = Model::builtin("x86-64-v3").unwrap();
        let figures: Vec<Figure> = base
            .op
            .iter()
            .map(|(key, op)| {
                let base = [op.latency, op.cycles()];
                let pipes = op.pipes.iter().map(|(set, c)| (set.clone(), 2.0 * c)).collect();
                Figure { op: key.clone(), latency: Some(2.5), throughput: 2.0 * op.cycles(), base, pipes }
            })
            .collect();
        let text = toml(&base, "mine", "a \"good\" CPU", "gcc", 8, &figures);
        let model = Model::parse("mine", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!((model.issue_width, model.op.len()), (8, base.op.len()));
        for (key, op) in &model.op {
            assert_eq!(op.latency, 2.5);
            assert!((op.cycles() - 2.0 * base.op[key].cycles()).abs() < 2e-3, "{key}");
        }
    }
}
