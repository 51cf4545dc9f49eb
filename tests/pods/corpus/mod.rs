//! The Pods, and how what becomes of one is told: also for the tests against a real API server.

mod additions;
mod expected;
pub mod numbers;
pub mod samples;

pub use additions::additions;
pub use expected::expected;
pub use samples::{Sample, policy, wild};
