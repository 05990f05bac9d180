//! Proves `@STEM@.rs` with your compiler and your flags, without mathsmith.
//!
//!     @COMPILE@ && ./@STEM@_test
//!
//! or, as a test: `rustc --test -O @STEM@_test.rs && ./@STEM@_test`. In a crate, `mod` this file under `#[cfg(test)]`.
//!
//! Sweeps every float from @LO@ to @HI@ (@COUNT@ inputs, a few seconds to a minute on one core), compares a
//! checksum over every bit of every result with the one recorded when the function was verified, and
//! measures the worst inputs again against exact values that MPFR computed.
#![allow(dead_code, clippy::all)]

#[path = "@STEM@.rs"]
mod function;

// Inputs are numbered in the order of their values: bits for positive ones, minus the bits of |x| below 0.
const FIRST: i64 = @FIRST@;
const LAST: i64 = @LAST@;
const CHECKSUM: u64 = @CHECKSUM@;
// Largest error in units in the last place, over all inputs.
const STATED: f64 = @STATED@;

// Input, recorded result, correctly rounded result (bits); exact value as a sum of two doubles.
const WORST: &[(u32, u32, u32, f64, f64)] = &[
@WORST@];

// Inputs beside the domain: input, recorded result (bits).
const SPECIAL: &[(u32, u32)] = &[
@SPECIAL@];

// Every NaN counts as the same.
fn canonical(b: u32) -> u32 {
    if b & 0x7fff_ffff > 0x7f80_0000 { 0x7fc0_0000 } else { b }
}

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 29)).wrapping_mul(0x6a09_e667_f3bc_c909);
    z ^ (z >> 32)
}

fn error_in_ulp(c: f32, hi: f64, lo: f64) -> f64 {
    let d = ((c as f64 - hi) - lo).abs();
    let exponent = (((hi.to_bits() >> 52) & 0x7ff) as i64 - 1023).max(-126).min(127);
    d * f64::from_bits(((23 - exponent + 1023) as u64) << 52)
}

// Position in the order of floats.
fn key(b: u32) -> i64 {
    let magnitude = (b & 0x7fff_ffff) as i64;
    if b >> 31 == 1 { -magnitude } else { magnitude }
}

fn prove() -> Result<String, String> {
    let mut failures = Vec::new();
    let mut sum = 0u64;
    let (mut input, mut output) = ([0f32; 4096], [0f32; 4096]);
    let mut k = FIRST;
    while k <= LAST {
        let n = (LAST - k + 1).min(4096) as usize;
        for (i, x) in input[..n].iter_mut().enumerate() {
            let j = k + i as i64;
            *x = f32::from_bits(if j < 0 { (-j) as u32 | 0x8000_0000 } else { j as u32 });
        }
        for (y, &x) in output[..n].iter_mut().zip(&input[..n]) {
            *y = function::@NAME@(x);
        }
        for (y, x) in output[..n].iter().zip(&input[..n]) {
            sum = sum.wrapping_add(mix((x.to_bits() as u64) << 32 | canonical(y.to_bits()) as u64));
        }
        k += n as i64;
    }
    let mut largest = 0f64;
    for &(x, result, rounded, hi, lo) in WORST {
        let c = function::@NAME@(f32::from_bits(x));
        let e = error_in_ulp(c, hi, lo);
        let bits = canonical(c.to_bits());
        if bits != result {
            failures.push(format!("@NAME@({:e}) is {c:e}, {:e} was verified", f32::from_bits(x), f32::from_bits(result)));
        }
        if !(e <= STATED * (1.0 + 1e-12)) || (key(bits) - key(rounded)).abs() as f64 > 2.0 * STATED + 1.0 {
            failures.push(format!(
                "@NAME@({:e}) is {c:e}: {e:.6} ULP from the exact value, at most {STATED:.6} is stated",
                f32::from_bits(x)
            ));
        }
        largest = largest.max(e);
    }
    for &(x, result) in SPECIAL {
        let c = function::@NAME@(f32::from_bits(x));
        if canonical(c.to_bits()) != result {
            failures.push(format!("@NAME@({:e}) is {c:e}, {:e} was verified", f32::from_bits(x), f32::from_bits(result)));
        }
    }
    // The statement may round up by 2^-24.
    if !WORST.is_empty() && !(largest >= STATED * (1.0 - 1e-7)) {
        failures.push(format!("the worst input has {largest:.9} ULP here, {STATED:.9} when verified"));
    }
    if sum != CHECKSUM {
        failures.push(format!("checksum {sum:016x}, {CHECKSUM:016x} when verified"));
    }
    if failures.is_empty() {
        return Ok(format!("ok: @COUNT@ inputs, checksum {sum:016x}, largest error {largest:.6} ULP"));
    }
    failures.truncate(6);
    failures.push(
        "FAILED: this build does not compute the function that was verified: flushing of subnormals, x87 arithmetic, or \
         an edited source."
            .to_string(),
    );
    Err(failures.join("\n"))
}

#[test]
fn the_whole_domain() {
    if let Err(message) = prove() {
        panic!("{message}");
    }
}

fn main() {
    match prove() {
        Ok(message) => println!("{message}"),
        Err(message) => {
            println!("{message}");
            std::process::exit(1);
        }
    }
}
