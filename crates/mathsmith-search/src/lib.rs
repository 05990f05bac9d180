//! Populations, archives, islands, checkpoints, deterministic for any thread count.
