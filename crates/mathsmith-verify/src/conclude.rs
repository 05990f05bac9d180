//! From sums and candidates to a report.

use crate::report::{Coverage, ErrorReport, Extreme, SpecialCheck, WorstPoint, hex};
use crate::sweep::{STRETCHES, chunk_len};
use crate::tally::{High, Measure, Sweep, Tally, same};
use crate::truth::{PointError, Truth};
use crate::{VerifyError, checksum};
use mathsmith_ir::{ColumnMut, ColumnRef, Engine};

/// Settles the candidates of one program and writes its report. `high` holds the worst input of each chunk.
pub(crate) fn report<T: Truth>(
    sweep: &Sweep<'_, T>,
    index: usize,
    engine: &mut dyn Engine,
    mut sum: Tally,
    high: &[High],
) -> Result<ErrorReport, VerifyError> {
    let job = &sweep.job;
    let (truth, domain, program, params) = (job.truth, job.domain, &sweep.programs[index], &sweep.params[index]);
    let mut run = |xs: &[f32]| -> Result<Vec<f32>, VerifyError> {
        let mut out = vec![0f32; xs.len()];
        engine
            .run(params, &[ColumnRef::F32(xs)], &mut [ColumnMut::F32(&mut out)])
            .map_err(|e| VerifyError::engine(program, e))?;
        Ok(out)
    };
    let mut settled = sum.settled;
    let found = Measure::ALL.map(|measure| {
        let mut exact = job.exact(measure);
        let found = sum.tops[measure as usize].settle(&mut exact);
        settled += exact.asked;
        found.expect("the input that sets a floor, or any input, reaches it")
    });
    let worst_inputs = found.map(|c| domain.get(c.index));
    let outputs = run(&worst_inputs)?;
    let extreme = |i: usize| Extreme {
        value: found[i].value,
        input: worst_inputs[i],
        input_hex: hex(f64::from(worst_inputs[i])),
        output_hex: hex(f64::from(outputs[i])),
    };

    let specials = domain.specials();
    let got = run(&specials)?;
    let specials = specials.iter().zip(got).map(|(&x, got)| special(truth, x, got)).collect();

    // The worst chunk of each stretch, then the exact maximum in front.
    let mut picked = of_stretches(domain.count(), high);
    picked.retain(|&index| index != found[0].index);
    picked.push(found[0].index);
    let xs: Vec<f32> = picked.iter().map(|&index| domain.get(index)).collect();
    let outputs = run(&xs)?;
    let mut adversarial: Vec<WorstPoint> = xs.iter().zip(outputs).map(|(&x, c)| worst_point(truth, x, c)).collect();
    // High first; equal errors by input; the maximum was pushed last and must stay in front of its equals.
    let first = adversarial.pop().expect("the maximum was pushed");
    adversarial.sort_by(|a, b| b.ulp.total_cmp(&a.ulp).then(a.x().total_cmp(&b.x())));
    adversarial.insert(0, first);

    let regular = domain.count() - sum.wrong_class;
    Ok(ErrorReport {
        coverage: Coverage::Exhaustive,
        inputs: domain.count(),
        seed: None,
        lo: domain.lo(),
        hi: domain.hi(),
        max_ulp: extreme(0),
        max_rel: extreme(1),
        max_abs: extreme(2),
        mean_ulp: if regular == 0 { 0.0 } else { sum.sum_ulp / regular as f64 },
        not_correctly_rounded: sum.wrong,
        wrong_class: sum.wrong_class,
        histogram: sum.histogram,
        checksum: sum.checksum,
        specials,
        adversarial,
        settled,
    })
}

/// The worst of each stretch of a domain of `count` inputs, ascending, of the worst inputs of its chunks.
pub(crate) fn of_stretches(count: u64, high: &[High]) -> Vec<u64> {
    let stretch = count.div_ceil(STRETCHES).next_multiple_of(chunk_len(count));
    let mut picked: Vec<High> = Vec::new();
    for &h in high {
        match picked.last_mut() {
            Some(last) if last.index / stretch == h.index / stretch => {
                if h.level > last.level {
                    *last = h;
                }
            }
            _ => picked.push(h),
        }
    }
    picked.iter().map(|h| h.index).collect()
}

fn worst_point<T: Truth>(truth: &T, x: f32, c: f32) -> WorstPoint {
    let (y_hi, y_lo) = truth.value_dd(f64::from(x));
    WorstPoint {
        x_bits: x.to_bits(),
        output_bits: checksum::canonical_bits(c),
        rounded_bits: checksum::canonical_bits(truth.round_f32(f64::from(x))),
        y_hi,
        y_lo,
        ulp: truth.errors(f64::from(x), c).ulp,
    }
}

fn special<T: Truth>(truth: &T, x: f32, got: f32) -> SpecialCheck {
    let expected = truth.round_f32(f64::from(x));
    let same_class = match (expected, got) {
        (e, g) if e.is_nan() || g.is_nan() => e.is_nan() && g.is_nan(),
        (e, g) if e.is_infinite() || g.is_infinite() => e == g,
        (e, g) if e == 0.0 || g == 0.0 => true,
        (e, g) => e.is_sign_negative() == g.is_sign_negative(),
    };
    let both_zero = expected == 0.0 && got == 0.0;
    let error = if same(expected, got) && !expected.is_finite() {
        PointError::NONE
    } else if x.is_nan() || !same_class {
        PointError::WRONG_CLASS
    } else {
        truth.errors(f64::from(x), got)
    };
    SpecialCheck {
        input: if x.is_nan() {
            "nan".to_owned()
        } else if x == 0.0 {
            "-0".to_owned()
        } else {
            hex(f64::from(x))
        },
        x_bits: checksum::canonical_bits(x),
        expected_bits: checksum::canonical_bits(expected),
        got_bits: checksum::canonical_bits(got),
        same_class,
        same_zero_sign: !both_zero || expected.is_sign_negative() == got.is_sign_negative(),
        ulp: error.ulp,
    }
}
