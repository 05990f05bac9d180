//! Least squares, minimax refinement, rounding constants to a format.
