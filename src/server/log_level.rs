//! What is logged, and its change while the process runs.

use std::fmt;
use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::reload::Handle;

/// The filter of the process's log, behind its reload handle.
#[derive(Clone)]
pub struct LogLevel {
    get: Arc<dyn Fn() -> Result<String, LogLevelError> + Send + Sync>,
    set: Arc<dyn Fn(EnvFilter) -> Result<(), LogLevelError> + Send + Sync>,
}

/// Why the filter was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogLevelError {
    /// A directive that is neither a level nor a target with one.
    #[error(
        "{0:?} is no directive: a level (off, error, warn, info, debug, trace) or \
         target=level is expected, several separated by commas"
    )]
    NotADirective(String),
    /// A directive that the filter does not take.
    #[error("{directives:?} is not taken: {cause}")]
    Invalid {
        /// What was to be set.
        directives: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The log is gone, as it is while the process ends.
    #[error("the log's filter can't be reached: {0}")]
    Unreachable(String),
}

impl LogLevel {
    /// The filter behind this handle.
    pub fn new<S: 'static>(handle: Handle<EnvFilter, S>) -> Self {
        let unreachable = |error: tracing_subscriber::reload::Error| {
            LogLevelError::Unreachable(error.to_string())
        };
        let setter = handle.clone();
        Self {
            get: Arc::new(move || handle.with_current(ToString::to_string).map_err(unreachable)),
            set: Arc::new(move |filter| setter.reload(filter).map_err(unreachable)),
        }
    }

    /// The directives in force.
    ///
    /// # Errors
    /// [`LogLevelError::Unreachable`].
    pub fn get(&self) -> Result<String, LogLevelError> {
        (self.get)()
    }

    /// Puts these directives in force: `info`, or `info,portreeve::server=debug`.
    ///
    /// # Errors
    /// Any [`LogLevelError`]; the filter is as it was then.
    pub fn set(&self, directives: &str) -> Result<(), LogLevelError> {
        let directives: Vec<&str> = directives.split(',').map(str::trim).collect();
        if let Some(typo) = directives.iter().find(|directive| is_typo(directive)) {
            return Err(LogLevelError::NotADirective((*typo).to_owned()));
        }
        let directives = directives.join(",");
        let filter = EnvFilter::try_new(&directives)
            .map_err(|error| LogLevelError::Invalid { directives, cause: error.to_string() })?;
        (self.set)(filter)
    }
}

/// EnvFilter takes a word that is no level for the one target that is logged, and an empty text
/// for `error`: a slip of the finger would silence the log.
fn is_typo(directive: &str) -> bool {
    let has_target = directive.contains(['=', '[']);
    directive.is_empty() || (!has_target && directive.parse::<LevelFilter>().is_err())
}

impl fmt::Debug for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLevel").finish_non_exhaustive()
    }
}
