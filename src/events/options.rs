//! What may be set about a recorder, and what time it is.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::budget::Budget;

/// What may be set about a recorder. [`Options::new`] has defaults fit for a cluster of thousands
/// of nodes.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who reports: `source.component` and `reportingComponent` of each Event, the FROM column of
    /// `kubectl describe`. The same for all replicas, and never changed between versions: it is
    /// part of every Event's name.
    pub component: String,
    /// Which replica reports: `reportingInstance`, the Pod's name usually; cut at 128 bytes.
    pub instance: String,
    /// How often the Event of a fault that stands is renewed. Well under the API server's
    /// `--event-ttl`, one hour by default, after which the Event would be gone.
    pub renew_every: Duration,
    /// Shortest time between the telling of a fault that has a [count](super::Note::count) and its
    /// next count: of a storm of counts a few are written, and always the last. Each such fault has
    /// a budget for its counts, as large as `per_object` and apart from it, so that they neither
    /// wait behind what else is told of the object, nor the other way round.
    pub recount_every: Duration,
    /// Budget for one object, which the first occurrence of a reason does not wait for. Its refill
    /// should let all faults that an object may have be renewed within `renew_every`.
    pub per_object: Budget,
    /// Budget for all requests that write, which everything waits for.
    pub overall: Budget,
    /// Most distinct Events that wait to be written. A quarter is kept for first occurrences.
    pub pending: usize,
    /// Most distinct Events of one object that wait to be written, first occurrences apart.
    pub pending_per_object: usize,
    /// Most writes in flight at a time.
    pub in_flight: usize,
    /// Wait between attempts.
    pub backoff: Backoff,
    /// Longest wait for one answer of the API server.
    pub request_timeout: Duration,
    /// Time at shutdown for what is still pending.
    pub grace: Duration,
    /// Where the timestamps of Events come from.
    pub clock: Clock,
}

impl Options {
    /// The defaults, for `component` reporting from `instance`.
    pub fn new(component: impl Into<String>, instance: impl Into<String>) -> Self {
        Self {
            component: component.into(),
            instance: instance.into(),
            renew_every: Duration::from_secs(20 * 60),
            recount_every: Duration::from_secs(1),
            per_object: Budget { burst: 25, refill: Duration::from_secs(15) },
            overall: Budget { burst: 100, refill: Duration::from_millis(50) },
            pending: 4096,
            pending_per_object: 32,
            in_flight: 4,
            backoff: Backoff { min: Duration::from_millis(500), max: Duration::from_secs(30) },
            request_timeout: Duration::from_secs(10),
            grace: Duration::from_secs(5),
            clock: Clock::system(),
        }
    }
}

/// Wait between attempts: doubled at each failure, less a random part of up to a half, so that
/// many writers do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Wait after the first failure.
    pub min: Duration,
    /// Longest wait.
    pub max: Duration,
}

impl Backoff {
    /// Wait after the `failures`th failure in a row (from 1), with `random` spread over all of
    /// `u64`.
    pub(super) fn wait(&self, failures: u32, random: u64) -> Duration {
        let factor = 2u32.saturating_pow(failures.saturating_sub(1));
        let whole = self.min.saturating_mul(factor).min(self.max);
        let part = random as f64 / u64::MAX as f64;
        whole.mul_f64(1.0 - part / 2.0)
    }
}

/// The wall clock: it stamps Events and nothing else. Waits are measured by tokio's.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::from_fn(Timestamp::now)
    }

    /// A clock that shows what `now` says.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_doubles_up_to_its_limit_and_is_shortened_by_half_at_most() {
        let backoff = Backoff { min: Duration::from_secs(1), max: Duration::from_secs(10) };
        let longest: Vec<_> = (1..=6).map(|n| backoff.wait(n, 0).as_secs()).collect();
        assert_eq!(longest, [1, 2, 4, 8, 10, 10]);
        assert_eq!(backoff.wait(1, u64::MAX), Duration::from_millis(500));
        assert_eq!(backoff.wait(u32::MAX, 0), Duration::from_secs(10));
    }
}
