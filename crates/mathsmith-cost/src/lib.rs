//! Operation counts and machine models as data.
