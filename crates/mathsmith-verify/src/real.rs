//! Sampled error of `real` programs at 200 bits.
