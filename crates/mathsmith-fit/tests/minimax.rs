//! Best forms: the proof is the alternation itself.

mod common;

use common::{ALL, exp2, sin};
use mathsmith_fit::{Dd, FitError, Fitter, Metric, MinimaxOptions, Tape, polynomial_form};
use mathsmith_ir::{Op, Program, Type};

#[test]
fn polynomials_up_to_degree_ten_level_out() {
    let mut fitter = Fitter::new();
    for (name, f) in ALL {
        for degree in 1..=10 {
            for metric in [Metric::Relative, Metric::Absolute] {
                let m = fitter.polynomial(degree, &f, (0.0, 1.0), metric).expect("valid problem").minimax;
                println!("{name} {degree} {metric:?} {:.4e} {:.5} {} {:?}", m.max_error, m.levelled, m.iterations, m.stop);
                // De la Vallée-Poussin: no polynomial of this degree has a smaller largest error than the smallest of
                // degree + 2 alternating ones.
                assert_eq!(m.extrema.len(), degree + 2, "{name} {degree}");
                assert!(m.extrema.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 * w[1].1 < 0.0));
                assert!(m.equioscillates && m.levelled >= 0.99, "{name} {degree} {m:?}");
            }
        }
    }
}

#[test]
fn ratios_up_to_five_over_five_level_out() {
    let mut fitter = Fitter::new();
    for (name, f) in ALL {
        for (m, n) in [(0, 1), (1, 1), (2, 1), (1, 3), (2, 2), (3, 2), (3, 3), (4, 4), (5, 3), (5, 5)] {
            let r = fitter.rational(m, n, &f, (0.0, 1.0), Metric::Relative).expect("valid problem").minimax;
            println!("{name} [{m}/{n}] {:.4e} {:.5} {} {:?}", r.max_error, r.levelled, r.iterations, r.stop);
            assert!(r.equioscillates, "{name} [{m}/{n}] {r:?}");
            assert_eq!(r.extrema.len(), m + n + 2);
        }
    }
}
