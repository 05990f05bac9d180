//! `mathsmith check`: a certificate proven again.

use crate::args::CheckArgs;
use crate::failure::{Failure, Outcome};
use crate::measure::{STOPPING, host, limits, measure_failure};
use crate::print;
use crate::progress::{Terminal, stop_flag_saying};
use mathsmith_measure::render::grouped;
use mathsmith_measure::{Certificate, CertificateError, Options, Proof};
use serde::Serialize;

/// Differences that are shown; the others are counted.
const SHOWN: usize = 40;

#[derive(Serialize)]
struct Record<'a> {
    schema: u32,
    holds: bool,
    #[serde(flatten)]
    proof: &'a Proof,
}

/// Measures again what a certificate says and compares every field.
///
/// # Errors
/// [`Failure`] where there is nothing to compare.
pub fn run(args: &CheckArgs) -> Result<Outcome, Failure> {
    let (threads, timeout) = limits(args.threads.as_ref(), args.timeout.as_ref())?;
    let path = args.certificate.display();
    let text = std::fs::read_to_string(&args.certificate).map_err(|e| {
        Failure::input(format!(
            "cannot read {path}: {e}\n  help: name a file that `mathsmith measure --cert` has written"
        ))
    })?;
    let in_file = |e: CertificateError| Failure::Input(format!("{path}: {e}"));
    let (certificate, edited) = Certificate::read(&text).map_err(in_file)?;
    let question = certificate.question().map_err(in_file)?;
    let host = host(timeout)?;
    let terminal = Terminal::new(args.quiet);
    let progress = |done, total| terminal.measured(1, done, total);
    let options = Options { threads, host: &host, progress: Some(&progress), cancel: Some(stop_flag_saying(STOPPING)) };
    let proof = certificate.check(args.subject.as_deref(), &options);
    terminal.clear();
    let mut proof = proof.map_err(|e| match e {
        CertificateError::Measure(e) => measure_failure(&e, &question),
        e => in_file(e),
    })?;
    if let Some(edited) = edited {
        proof.differences.insert(0, edited);
    }
    if args.json {
        let record = Record { schema: 1, holds: proof.holds(), proof: &proof };
        let text = serde_json::to_string_pretty(&record).map_err(|e| Failure::input(e.to_string()))?;
        print(&format!("{text}\n"))?;
    } else {
        print(&report(&certificate, &proof))?;
    }
    Ok(if proof.holds() { Outcome::Found } else { Outcome::NotMet })
}

fn report(certificate: &Certificate, proof: &Proof) -> String {
    let m = &certificate.measurement;
    let mut out = format!("{}: {} against {}\n", m.subject.name, m.asked.format, m.asked.reference);
    for note in &proof.notes {
        out.push_str(&format!("note: {note}\n"));
    }
    if let (true, Some(now)) = (proof.holds(), &proof.measurement) {
        out.push_str(&format!(
            "proven again: {}, {} inputs; every figure, verdict and the checksum {} as certified\n",
            now.measured.coverage.word(),
            grouped(now.measured.inputs),
            now.measured.checksum
        ));
        return out;
    }
    let count = proof.differences.len();
    out.push_str(&format!("NOT proven: {count} difference{}\n", if count == 1 { "" } else { "s" }));
    for d in proof.differences.iter().take(SHOWN) {
        out.push_str(&format!("  {}\n    certified  {}\n    now        {}\n", d.field, d.certified, d.now));
    }
    if count > SHOWN {
        out.push_str(&format!("  and {} more; --json lists all\n", count - SHOWN));
    }
    if proof.measurement.is_none() {
        out.push_str("  nothing was compared beyond this; to certify the code as it is now, measure it with --cert\n");
    }
    out
}
