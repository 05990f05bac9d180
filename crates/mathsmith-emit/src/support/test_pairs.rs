//! Holds @STEM@.rs, built with your compiler and your flags, against what was verified, without mathsmith.
//!
//!     @COMPILE@ && ./@STEM@_test
//!
//! Calls the function on @COUNT@ pairs drawn with seed @SEED@ and compares a checksum over every bit of every result with
//! the one recorded, and measures the worst pairs that were found again, against exact values that MPFR computed. Exit code
//! 0: on these pairs your build is the function that was verified. 1: it is not, and the message says what to look at.
//! The error bound itself is sampled: nothing larger was found, which is no proof.

#[path = "@STEM@.rs"]
mod emitted;

/// Floats are numbered in the order of their values: bits for positive ones, minus the bits of |x| below 0.
const FIRST: [i64; 2] = [@FIRST_X@, @FIRST_Y@];
const LAST: [i64; 2] = [@LAST_X@, @LAST_Y@];
const REPLAYS: u64 = @REPLAYS@;
const CHECKSUM: u64 = @CHECKSUM@;
/// Largest error in units in the last place that was found.
const STATED: f64 = @STATED@;

/// Inputs, recorded result (bits); exact value as a sum of two doubles.
const WORST: &[(u32, u32, u32, f64, f64)] = &[
@WORST@];

/// Special pairs: inputs, recorded result (bits).
const SPECIAL: &[(u32, u32, u32)] = &[
@SPECIAL@];

fn call(x: u32, y: u32) -> u32 {
    let result = emitted::@NAME@(f32::from_bits(x), f32::from_bits(y));
    if result.is_nan() { 0x7fc0_0000 } else { result.to_bits() }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 29)).wrapping_mul(0x6a09_e667_f3bc_c909);
    z ^ (z >> 32)
}

/// Argument `a` of the pair with number `i`.
fn draw(i: u64, a: usize) -> u32 {
    let random = mix(mix(@SEED@u64.wrapping_add(1)).wrapping_add(2 * i + a as u64)) >> 32;
    let width = (LAST[a] - FIRST[a] + 1) as u64;
    let key = FIRST[a] + (random * width >> 32) as i64;
    if key < 0 { (-key) as u32 | 0x8000_0000 } else { key as u32 }
}

fn error_in_ulp(c: f32, hi: f64, lo: f64) -> f64 {
    let exponent = (((hi.to_bits() >> 52 & 0x7ff) as i32) - 1023).clamp(-126, 127);
    let ulp = f64::from_bits(((exponent - 23 + 1023) as u64) << 52);
    ((f64::from(c) - hi) - lo).abs() / ulp
}

fn main() {
    let mut failures = 0;
    let mut sum = 0u64;
    for i in 0..REPLAYS {
        let (x, y) = (draw(i, 0), draw(i, 1));
        sum = sum.wrapping_add(mix(mix(u64::from(x) << 32 | u64::from(y)) ^ u64::from(call(x, y))));
    }
    let mut largest = 0.0f64;
    for &(x, y, result, hi, lo) in WORST {
        let got = call(x, y);
        let error = error_in_ulp(f32::from_bits(got), hi, lo);
        if got != result || !(error <= STATED * (1.0 + 1e-12)) {
            failures += 1;
            let [x, y, got, result] = [x, y, got, result].map(f32::from_bits);
            println!("@NAME@({x:e}, {y:e}) is {got:e}: {error:.6} ULP from the exact value; {result:e} was verified");
        }
        largest = largest.max(error);
    }
    for &(x, y, result) in SPECIAL {
        let got = call(x, y);
        if got != result {
            failures += 1;
            let [x, y, got, result] = [x, y, got, result].map(f32::from_bits);
            println!("@NAME@({x:e}, {y:e}) is {got:e}, {result:e} was verified");
        }
    }
    if sum != CHECKSUM {
        failures += 1;
        println!("checksum {sum:016x}, {CHECKSUM:016x} when verified");
    }
    if failures > 0 {
        println!("FAILED: this build does not compute the function that was verified.");
        std::process::exit(1);
    }
    println!("ok: @COUNT@ pairs, checksum {sum:016x}, largest error known {largest:.6} ULP");
}
