//! Integration tests: one binary.
mod titles;
