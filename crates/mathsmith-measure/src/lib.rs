//! Measurements of code that people already have: subjects, demands, certificates.
