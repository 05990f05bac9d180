//! Sweeps with polynomials over neighbouring inputs against sweeps with one evaluation an input: the exact figures are
//! the same, whatever the fast values were.

use mathsmith_ir::{Literal, Op, Program, Type};
use mathsmith_oracle::{Reference, Scratch};
use mathsmith_verify::grid::Single;
use mathsmith_verify::{ErrorReport, FloatDomain, PointError, SweepOptions, Truth, sweep};

/// The reference without its polynomials.
struct Direct(Reference);

impl Truth for Direct {
    type Scratch = Scratch;
    type Grid = Single;

    fn fast_block(&self, xs: &[f64], ys: &mut [f64], errs: &mut [f64], scratch: &mut Scratch) {
        self.0.fast_block(&[xs], ys, errs, scratch);
    }

    fn round_f32(&self, x: f64) -> f32 {
        Truth::round_f32(&self.0, x)
    }

    fn errors(&self, x: f64, computed: f32) -> PointError {
        Truth::errors(&self.0, x, computed)
    }

    fn errors_bound(&self, lo: f64, hi: f64, computed: f32) -> PointError {
        Truth::errors_bound(&self.0, lo, hi, computed)
    }

    fn value_dd(&self, x: f64) -> (f64, f64) {
        Truth::value_dd(&self.0, x)
    }
}

/// Horner's rule by fma.
fn polynomial(coefficients: &[f32]) -> Program {
    let mut p = Program::new("polynomial");
    let x = p.input("x", Type::F32);
    let mut y = p.lit(Literal::F32(coefficients[0]));
    for &c in &coefficients[1..] {
        let c = p.lit(Literal::F32(c));
        y = p.must(Op::Fma, &[y, x, c]);
    }
    p.output(y);
    p
}

fn report<T: Truth>(truth: &T, domain: &FloatDomain, programs: &[Program], threads: usize) -> Vec<ErrorReport> {
    let options = SweepOptions { threads, ..SweepOptions::default() };
    sweep(truth, domain, programs, &options).expect("sweeps")
}

#[test]
fn figures_do_not_depend_on_the_path() {
    // Ends of the sweep, and a program near the function there, besides the constant that its middle is near.
    let cases: &[(&str, f32, f32, &[f32])] = &[
        ("exp2(x)", 0.99, 1.0, &[0.001_877_576_7, 0.008_989_341, 0.055_826_318, 0.240_153_62, 0.693_153_1, 1.0]),
        ("exp2(x)", -0.01, 1e-30, &[0.240_153_62, 0.693_146_7, 1.0]),
        ("sin(x)", 99.9, 100.3, &[1.0, -100.53]),
        ("sin(x)", -1e-3, -9.9e-4, &[-0.166_666_67, 0.0, 1.0, 0.0]),
        ("cos(x)", 1.57, 1.571, &[-1.0, 1.570_796_4]),
        ("tanh(x)", -9.0, -8.9, &[-1.0]),
        ("erf(x)", 0.4, 0.41, &[1.0, 0.0]),
        ("log2(x)", 0.995, 1.005, &[1.443_1, -1.443_1]),
        ("lgamma(x)", 1.98, 2.02, &[0.422_784_33, -0.845_568_7]),
        ("x*0.5*(1+erf(x/sqrt(2)))", -0.1, -0.099, &[0.398_942_3, 0.5, 0.0]),
        ("1/(1+exp(-x))", 16.5, 17.0, &[1.0]),
        ("tan(x)", 1.5705, 1.5712, &[0.0]),
        ("exp(x)", -104.0, -103.9, &[0.0]),
        ("exp(x)", 88.7, 88.73, &[3e38]),
        ("if x < 1/3 then exp(x) else 1+x", 0.333, 0.3335, &[1.0, 1.0]),
    ];
    for &(text, lo, hi, coefficients) in cases {
        let f = Reference::new(&mathsmith_dsl::parse_expr(text).expect("parses")).expect("compiles");
        let domain = FloatDomain::new(lo, hi).expect("a domain");
        // A large domain is cut to what a test has time for.
        let domain = FloatDomain::new(domain.get(domain.count().saturating_sub(1 << 19)), hi).expect("a domain");
        let middle = domain.get(domain.count() / 2);
        let programs = [polynomial(coefficients), polynomial(&[Truth::round_f32(&f, f64::from(middle))])];
        let run = report(&f, &domain, &programs, 2);
        assert_eq!(run, report(&f, &domain, &programs, 1), "{text} on {lo}..{hi}: threads");
        for (a, b) in run.into_iter().zip(report(&Direct(f), &domain, &programs, 2)) {
            let place = format!("{text} on {lo}..{hi}");
            assert_eq!((a.inputs, a.lo, a.hi, a.checksum), (b.inputs, b.lo, b.hi, b.checksum), "{place}");
            assert_eq!((&a.max_ulp, &a.max_rel, &a.max_abs), (&b.max_ulp, &b.max_rel, &b.max_abs), "{place}");
            assert_eq!(a.not_correctly_rounded, b.not_correctly_rounded, "{place}");
            assert_eq!(a.wrong_class, b.wrong_class, "{place}");
            assert_eq!(a.specials, b.specials, "{place}");
            // These are sums of fast figures, which differ in their last bits.
            let near = (a.mean_ulp - b.mean_ulp).abs() <= 1e-6 * b.mean_ulp.abs() || a.mean_ulp == b.mean_ulp;
            assert!(near, "{place}: {} {}", a.mean_ulp, b.mean_ulp);
            assert_eq!(a.histogram.counts.iter().sum::<u64>(), b.histogram.counts.iter().sum::<u64>(), "{place}");
        }
    }
}
