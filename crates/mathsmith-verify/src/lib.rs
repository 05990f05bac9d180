//! Error metrics and exhaustive sweeps.
