//! How what was found is printed.

mod json;
mod sarif;
mod text;

use clap::ValueEnum;

use super::judging::Told;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli::check) enum Format {
    /// A line for each finding, as compilers print them: FILE:LINE: error: …
    Text,
    /// A list of objects with `file`, `line`, `column`, `object`, `finding` and `text`.
    Json,
    /// SARIF 2.1.0, as code hosts show it beside the lines.
    Sarif,
}

impl Format {
    /// All that goes to standard output.
    ///
    /// # Errors
    /// None that is known: what is printed can be written as JSON.
    pub fn printed(self, told: &[Told]) -> anyhow::Result<String> {
        match self {
            Self::Text => Ok(text::printed(told)),
            Self::Json => json::printed(told),
            Self::Sarif => sarif::printed(told),
        }
    }
}
