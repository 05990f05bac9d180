//! `measure` and `check` from end to end.
