//! How far a long check has come, for somebody who waits at a terminal.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long it is silent: what is over by then needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar that is there only when it takes long. It goes away by itself.
pub(super) struct Progress {
    bar: ProgressBar,
    began: Instant,
    is_wanted: bool,
}

impl Progress {
    /// One that is shown only where it can't get into anything that is kept: standard error is a
    /// terminal, and what goes to standard output goes there too.
    pub fn new() -> Self {
        let is_wanted = io::stderr().is_terminal() && io::stdout().is_terminal();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, began: Instant::now(), is_wanted }
    }

    /// So much of so much is done of this.
    pub fn at(&mut self, what: &'static str, done: usize, of: usize) {
        if self.is_wanted && self.began.elapsed() > PATIENCE {
            self.is_wanted = false;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        if self.bar.message() != what {
            self.bar.set_message(what);
        }
        self.bar.set_length(of as u64);
        self.bar.set_position(done as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
