//! Rewrite rules as data, canonical form and simplification with egg.
