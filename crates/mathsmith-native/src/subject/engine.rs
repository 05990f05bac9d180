//! Subjects behind the interface of all engines: columns go to the host in batches, results come back, and a failure is
//! traced to its row.
//!
//! The host stores the row before every call of a scalar function, so a crash names it. A vector function or a function of
//! whole arrays fails somewhere in a stretch of rows, which is narrowed in fresh hosts: halves at first, single rows in the
//! end. What does not fail a second time is reported as the stretch.

use super::child::{Failure, HostProcess};
use super::protocol::{BATCH, Command, Reply};
use super::{Element, HalfFormat, HostOptions, Shape, Subject, SubjectError, control, libraries};
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use half::{bf16, f16};
use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError, Literal};
use std::ops::Range;
use std::time::Duration;

/// A subject and its host.
pub(super) struct HostEngine {
    subject: Subject,
    options: HostOptions,
    /// `None` after a failure.
    host: Option<HostProcess>,
    /// Values on their way to or from 16 bits.
    bits: Vec<u16>,
}

impl HostEngine {
    /// Starts a host and loads the subject.
    ///
    /// # Errors
    /// As for [`Subject::start`].
    pub(super) fn start(subject: &Subject, options: &HostOptions) -> Result<HostEngine, SubjectError> {
        let name = subject.origin.spec.to_string();
        if options.ftz && !control::CAN_FLUSH {
            let what = "subnormals cannot be flushed to zero on this processor".into();
            let help = "measure without --ftz, or on x86-64 or AArch64".into();
            return Err(SubjectError::Machine { subject: name, what, help });
        }
        if subject.signature.element == Element::U16 && options.half.is_none() {
            let what = "the function computes on the bits of 16-bit floats".into();
            let help = "say which with --type f16 or --type bf16".into();
            return Err(SubjectError::Signature { subject: name, what, help });
        }
        let host = start_host(subject, options, options.timeout).map_err(|failure| SubjectError::Host {
            subject: name,
            what: failure.message(),
            help: "the function was not called yet: look at the library's start-up code, and at the limits of processes and \
                   of memory in /dev/shm"
                .into(),
        })?;
        Ok(HostEngine { subject: subject.clone(), options: options.clone(), host: Some(host), bits: Vec::new() })
    }

    /// The format of the columns in the host, where it is one of 16 bits.
    fn half(&self) -> Option<HalfFormat> {
        self.options.half.filter(|_| self.subject.signature.element == Element::U16)
    }

    /// Runs rows that fit into one message.
    fn run_batch(
        &mut self,
        inputs: &[ColumnRef<'_>],
        output: &mut ColumnMut<'_>,
        rows: Range<usize>,
    ) -> Result<(), EngineError> {
        if self.host.is_none() {
            let started = start_host(&self.subject, &self.options, self.options.timeout);
            let failed = |failure: Failure| EngineError::Failed { row: None, what: failure.message() };
            self.host = Some(started.map_err(failed)?);
        }
        let half = self.half();
        let Some(host) = &mut self.host else { return Ok(()) };
        for (index, input) in inputs.iter().enumerate() {
            put(host, index, input, rows.clone(), half, &mut self.bits)?;
        }
        if let Err(failure) = call(host, rows.len()) {
            self.host = None;
            return Err(self.trace(inputs, rows, failure));
        }
        match output {
            ColumnMut::F32(values) => match half {
                Some(format) => {
                    self.bits.resize(rows.len(), 0);
                    host.shared.take(&mut self.bits);
                    widen(&self.bits, format, &mut values[rows]);
                }
                None => host.shared.take(&mut values[rows]),
            },
            ColumnMut::F64(values) => host.shared.take(&mut values[rows]),
            _ => return Err(EngineError::Signature("the results are no floats".into())),
        }
        Ok(())
    }

    /// Finds the row of a failure among `rows`, and makes the error of it.
    fn trace(&mut self, inputs: &[ColumnRef<'_>], rows: Range<usize>, failure: Failure) -> EngineError {
        let at = failure.at.filter(|&at| at < rows.len());
        let (mut low, mut high) = match (self.subject.signature.shape, at) {
            (Shape::Scalar, Some(at)) => {
                return EngineError::Failed { row: Some(rows.start + at), what: failure.message() };
            }
            (Shape::Vector(isa), Some(at)) => {
                let lanes = libraries::lanes(self.subject.signature.element, isa).unwrap_or(1) as usize;
                (rows.start + at, (rows.start + at + lanes).min(rows.end))
            }
            _ => (rows.start, rows.end),
        };
        // Shorter, because the rows are fewer; long enough for a machine that is busy.
        let timeout = (self.options.timeout / 10).max(Duration::from_millis(500)).min(self.options.timeout);
        let mut last = failure;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if let Some(again) = self.fails(inputs, low..middle, timeout) {
                (high, last) = (middle, again);
            } else if let Some(again) = self.fails(inputs, middle..high, timeout) {
                (low, last) = (middle, again);
            } else {
                let what = format!(
                    "{} in a call for the inputs {} to {}, but not when it is called again for each half of them",
                    last.message(),
                    row_text(inputs, low),
                    row_text(inputs, high - 1)
                );
                return EngineError::Failed { row: None, what };
            }
        }
        EngineError::Failed { row: Some(low), what: last.message() }
    }

    /// Whether the subject fails when it is called for these rows alone, in a host of its own.
    fn fails(&mut self, inputs: &[ColumnRef<'_>], rows: Range<usize>, timeout: Duration) -> Option<Failure> {
        // Loading has its usual time; the calls have the short one.
        let mut host = start_host(&self.subject, &self.options, self.options.timeout).ok()?;
        host.set_timeout(timeout);
        let half = self.half();
        for (index, input) in inputs.iter().enumerate() {
            put(&host, index, input, rows.clone(), half, &mut self.bits).ok()?;
        }
        call(&mut host, rows.len()).err()
    }
}

impl Engine for HostEngine {
    fn batch(&self) -> usize {
        BATCH
    }

    fn run(
        &mut self,
        params: &[Literal],
        inputs: &[ColumnRef<'_>],
        outputs: &mut [ColumnMut<'_>],
    ) -> Result<(), EngineError> {
        let signature = self.subject.signature;
        let ty = if signature.element == Element::F64 { mathsmith_ir::Type::F64 } else { mathsmith_ir::Type::F32 };
        let [output] = outputs else {
            return Err(EngineError::Signature(format!("a subject has one result, not {}", outputs.len())));
        };
        let rows = output.len();
        let fits = params.is_empty()
            && inputs.len() == usize::from(signature.arity)
            && output.ty() == ty
            && inputs.iter().all(|c| c.ty() == ty && c.len() == rows);
        if !fits {
            let message =
                format!("`{}` takes {} {ty} columns of one length", self.subject.origin.symbol, signature.arity);
            return Err(EngineError::Signature(message));
        }
        let mut start = 0;
        while start < rows {
            let end = rows.min(start + BATCH);
            self.run_batch(inputs, output, start..end)?;
            start = end;
        }
        Ok(())
    }
}

/// Starts a host that has loaded the subject, from the file that was found.
fn start_host(subject: &Subject, options: &HostOptions, timeout: Duration) -> Result<HostProcess, Failure> {
    let program = || options.command.iter().map(|w| w.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let mut host = HostProcess::start(&options.command, timeout)
        .map_err(|e| Failure::new(format!("its host cannot be started (`{}`): {e}", program())))?;
    let load = Command::Load { target: subject.target.clone(), ftz: options.ftz };
    let reply = host
        .ask(&load)
        .map_err(|failure| Failure { what: format!("{} while it was loaded", failure.what), ..failure })?;
    match reply {
        Reply::Loaded { file } => match (subject.target.library(), file) {
            (Some(wanted), Some(file)) if !same_file(wanted, &file) => {
                let what =
                    format!("the loader takes the function from {} and not from {}", file.display(), wanted.display());
                Err(Failure::new(what))
            }
            _ => Ok(host),
        },
        Reply::Refused { what } => Err(Failure::new(what)),
        Reply::Ran { .. } => Err(Failure::new("its host speaks another language: it is of another version")),
    }
}

fn same_file(a: &std::path::Path, b: &std::path::Path) -> bool {
    a == b || a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

/// Calls the subject for the first rows of the columns.
fn call(host: &mut HostProcess, rows: usize) -> Result<(), Failure> {
    match host.ask(&Command::Run { rows })? {
        Reply::Ran { changed: None } => Ok(()),
        Reply::Ran { changed: Some(parts) } => Err(Failure::new(format!("changed {parts} of its caller"))),
        Reply::Loaded { .. } | Reply::Refused { .. } => Err(Failure::new("its host answered out of turn")),
    }
}

/// Copies rows of an input to the host.
fn put(
    host: &HostProcess,
    index: usize,
    input: &ColumnRef<'_>,
    rows: Range<usize>,
    half: Option<HalfFormat>,
    bits: &mut Vec<u16>,
) -> Result<(), EngineError> {
    match (input, half) {
        (ColumnRef::F32(values), Some(format)) => {
            narrow(&values[rows], format, bits)?;
            host.shared.put(index, bits);
        }
        (ColumnRef::F32(values), _) => host.shared.put(index, &values[rows]),
        (ColumnRef::F64(values), _) => host.shared.put(index, &values[rows]),
        _ => return Err(EngineError::Signature("the inputs are no floats".into())),
    }
    Ok(())
}

/// Bits of values that the format has.
fn narrow(values: &[f32], format: HalfFormat, bits: &mut Vec<u16>) -> Result<(), EngineError> {
    bits.clear();
    let exact = |back: f32, x: f32| back.to_bits() == x.to_bits() || (back.is_nan() && x.is_nan());
    for &x in values {
        let (b, back) = match format {
            HalfFormat::F16 => (f16::from_f32(x).to_bits(), f16::from_f32(x).to_f32()),
            HalfFormat::Bf16 => (bf16::from_f32(x).to_bits(), bf16::from_f32(x).to_f32()),
        };
        if !exact(back, x) {
            return Err(EngineError::Signature(format!("{x:?} is no value of {format:?}")));
        }
        bits.push(b);
    }
    Ok(())
}

/// Values of bits; every 16-bit value is an `f32`.
fn widen(bits: &[u16], format: HalfFormat, values: &mut [f32]) {
    match format {
        HalfFormat::F16 => bits.reinterpret_cast::<f16>().convert_to_f32_slice(values),
        HalfFormat::Bf16 => bits.reinterpret_cast::<bf16>().convert_to_f32_slice(values),
    }
}

/// The inputs of a row in hexadecimal bits and decimal, for messages.
fn row_text(inputs: &[ColumnRef<'_>], row: usize) -> String {
    let one = |column: &ColumnRef<'_>| match column {
        ColumnRef::F32(v) => format!("{:e} ({:#010x})", v[row], v[row].to_bits()),
        ColumnRef::F64(v) => format!("{:e} ({:#018x})", v[row], v[row].to_bits()),
        _ => String::from("?"),
    };
    inputs.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_16_bits_goes_there_and_back() {
        for format in [HalfFormat::F16, HalfFormat::Bf16] {
            let all: Vec<u16> = (0..=u16::MAX).collect();
            let mut values = vec![0.0f32; all.len()];
            widen(&all, format, &mut values);
            let mut bits = Vec::new();
            narrow(&values, format, &mut bits).unwrap();
            for (i, (&back, &value)) in bits.iter().zip(&values).enumerate() {
                assert!(usize::from(back) == i || value.is_nan(), "{format:?} {i:#06x}");
            }
        }
        assert!(narrow(&[1.0 + f32::EPSILON], HalfFormat::F16, &mut Vec::new()).is_err());
        assert!(narrow(&[1e9], HalfFormat::F16, &mut Vec::new()).is_err());
    }
}
