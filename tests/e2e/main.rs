//! Tests against a real API server, with the real binary and the real kubectl.
//!
//! They share one control plane and one Portreeve (see [`harness`]), and keep apart by namespaces:
//! each test makes its own, with a policy that selects no other. What takes time is waited for as a
//! condition, never for a while.

// All of it is test code, but clippy knows only the functions marked as tests for such.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

mod admission;
mod article;
mod bad_input;
mod cert_manager;
mod chart;
mod disruption;
mod issuance;
mod operations;
mod pods;
mod policies;
mod readers;
mod schema;
mod secrets;
