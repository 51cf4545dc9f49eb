//! Logs: structured, one line for each decision, on standard error.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, reload};

use crate::server::LogLevel;

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For machines: an object a line.
    Json,
}

/// Starts to log. What is given back changes the level while the program runs.
///
/// # Errors
/// When the level is none.
pub(super) fn start(format: Format, level: &str) -> anyhow::Result<LogLevel> {
    // kube-runtime warns at each try of a watch that fails; our own log says it once.
    let filter = EnvFilter::try_new(format!("kube_runtime=error,{level}"))?;
    let (filter, handle) = reload::Layer::new(filter);
    let registry = tracing_subscriber::registry().with(filter);
    let to = std::io::stderr;
    match format {
        Format::Text => {
            let lines = fmt::layer().with_writer(to).with_ansi(to().is_terminal());
            registry.with(lines).try_init()?;
        }
        Format::Json => {
            let lines = fmt::layer().json().flatten_event(true).with_writer(to);
            registry.with(lines).try_init()?;
        }
    }
    Ok(LogLevel::new(handle))
}
