//! `portreeve check`, run as its users run it.

// All of it is test code, but clippy knows only the functions marked as tests for such.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod command;
mod findings;
mod formats;
mod unusable;
