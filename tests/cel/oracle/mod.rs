//! A real API server that is asked what it makes of CEL, and the files of what is asked and answered.
//!
//! [`corpus`] reads what is asked, [`reviews`] the Pods that it is asked about, [`Server::ask`] asks,
//! [`answers`] keeps what came. Nothing here knows of Portreeve's own evaluator, so that none of it
//! can come to agree with it by mistake.

pub mod answers;
pub mod corpus;
pub mod harness;
pub mod log;
pub mod objects;
pub mod policies;
pub mod refusals;
pub mod requests;
pub mod reviews;
pub mod server;
pub mod verify;

use std::path::PathBuf;

pub use answers::{Answer, Outcome};
pub use corpus::{Case, Policy};
pub use reviews::Seen;
pub use server::{Question, Server};

/// `tests/cel`.
pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cel")
}
