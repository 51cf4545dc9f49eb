//! The server: HTTPS for the API server's webhook calls, and a plain second port for the
//! kubelet, Prometheus and the platform engineer.
//!
//! It promises that no client holds it up (every wait has an end, every queue a bound), that no
//! body and no decision brings it down, and that a replica which is told to stop answers every
//! request it has been sent. Of admission it knows the wire format alone: the decision is a
//! function that is passed in ([`webhook`]).

mod connection;
mod health;
mod lifecycle;
mod limits;
mod log_level;
mod metrics;
mod ops;
mod refusal;
#[cfg(test)]
mod testing;
mod webhook;

pub use connection::{Peer, serve, serve_plain};
pub use health::{Check, Health};
pub use lifecycle::Lifecycle;
pub use limits::Limits;
pub use log_level::{LogLevel, LogLevelError};
pub use metrics::Metrics;
pub use ops::ops;
pub use refusal::{Refusal, Undecided};
pub use webhook::{Endpoint, webhook};
