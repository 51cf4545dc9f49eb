//! How cases are measured, and what is told of them.

pub mod instructions;
pub mod report;
pub mod time;
