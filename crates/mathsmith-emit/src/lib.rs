//! Rust and C with the tests that re-prove them.
