//! The approx problem: from a question to a verified front.
