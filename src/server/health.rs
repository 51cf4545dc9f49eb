//! Whether this replica should be sent requests.

use std::fmt;
use std::sync::Arc;

use super::Lifecycle;

/// Something that has to hold before requests are welcome.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    run: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
}

impl Check {
    /// A check of this name. `run` answers from memory, and says why it fails.
    pub fn new(
        name: &'static str,
        run: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self { name, run: Arc::new(run) }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Readiness: every check holds, and the server has not been told to stop.
#[derive(Clone, Debug)]
pub struct Health {
    lifecycle: Lifecycle,
    checks: Vec<Check>,
}

impl Health {
    /// The readiness of the server with this lifecycle, by these checks.
    pub fn new(lifecycle: Lifecycle, checks: Vec<Check>) -> Self {
        Self { lifecycle, checks }
    }

    /// What speaks against being ready, a line for each; none if it is ready.
    pub fn faults(&self) -> Vec<String> {
        let stopping = self.lifecycle.is_stopping().then(|| "shutdown: it has begun".to_owned());
        let failed = self
            .checks
            .iter()
            .filter_map(|check| Some(format!("{}: {}", check.name, (check.run)().err()?)));
        stopping.into_iter().chain(failed).collect()
    }
}
