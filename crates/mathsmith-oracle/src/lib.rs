//! Reference values: CORE-MATH fast path, MPFR judge, correct rounding, enclosures.
