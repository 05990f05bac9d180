//! Compiling and running foreign code in child processes.
