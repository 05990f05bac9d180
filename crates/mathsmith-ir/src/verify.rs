//! The verifier: invariants of a [`crate::Program`].
