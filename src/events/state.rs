//! The recorder's state, behind one lock, and what the two halves do to it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{sync::Notify, time::Instant};
use tracing::debug;

use super::{
    budget::after,
    note::Telling,
    options::{Clock, Options},
    queue::{Limits, Moment, Queue},
    standing::{Pace, Standing, Wanted},
    stats::Stats,
};

/// Wait of a fault that finds no room in the queue.
const NO_ROOM_WAIT: Duration = Duration::from_secs(5);

/// How far the clock may be set back without being followed. Beyond it the time before was wrong,
/// and Events stamped in the future would be worse than two in the wrong order.
const MAX_SET_BACK: SignedDuration = SignedDuration::from_mins(1);

/// What [`super::Recorder`] and [`super::Delivery`] share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Told of every change that may give the delivery something to do.
    pub changed: Notify,
    pub stats: Stats,
}

#[derive(Debug)]
pub(super) struct State {
    pub queue: Queue,
    pub standing: Standing,
    /// Shutting down: nothing new is taken in.
    pub closed: bool,
    clock: Clock,
    last_stamp: Timestamp,
}

impl Shared {
    pub fn new(options: &Options) -> Self {
        let limits = Limits {
            pending: options.pending.max(1),
            pending_per_object: options.pending_per_object.max(1),
            per_object: options.per_object,
            overall: options.overall,
        };
        let pace = Pace {
            renew_every: options.renew_every,
            recount_every: options.recount_every,
            recounts: options.per_object,
        };
        Self {
            state: Mutex::new(State {
                queue: Queue::new(&options.component, limits),
                standing: Standing::new(pace),
                closed: false,
                clock: options.clock.clone(),
                last_stamp: Timestamp::MIN,
            }),
            changed: Notify::new(),
            stats: Stats::default(),
        }
    }

    /// Does `change` to the state, under the lock, and keeps the gauges right.
    pub fn with<T>(&self, change: impl FnOnce(&mut State, &Stats) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut state, &self.stats);
        self.stats.set_gauges(state.queue.len(), state.standing.faults());
        result
    }
}

impl State {
    /// The present, later than any present before it: two occurrences in one microsecond, or a
    /// clock set back a little, must not make a fault and its end look simultaneous.
    pub fn now(&mut self) -> Moment {
        let shown = self.clock.now();
        let shown = Timestamp::from_microsecond(shown.as_microsecond()).unwrap_or(shown);
        let next = self.last_stamp.saturating_add(SignedDuration::from_micros(1)).unwrap_or(shown);
        let set_back = next.duration_since(shown) > MAX_SET_BACK;
        let wall = if set_back { shown } else { shown.max(next) };
        self.last_stamp = wall;
        Moment { wall, tick: Instant::now() }
    }

    /// Takes in one occurrence, or counts it among those held back.
    pub fn record(&mut self, telling: &Arc<Telling>, stats: &Stats) {
        if self.closed {
            return;
        }
        let now = self.now();
        if self.queue.offer(telling, now) {
            return;
        }
        if self.queue.hold_back(telling, now) {
            stats.count_held_back();
        } else {
            stats.count_dropped();
            debug!(name = telling.key.name, reason = telling.reason, "no room for an Event");
        }
    }

    /// Puts what the standing faults want told by now into the queue.
    pub fn pump(&mut self) {
        if self.closed {
            return;
        }
        let tick = Instant::now();
        while let Some(Wanted { due, telling, is_recount }) = self.standing.due(tick) {
            let now = self.now();
            let taken = if is_recount {
                self.queue.recount(&telling, now)
            } else {
                self.queue.offer(&telling, now)
            };
            if taken {
                self.standing.told(due, tick);
            } else {
                self.standing.postpone(due, after(tick, NO_ROOM_WAIT));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stamps given while the clock shows `shown`, in seconds, one after the other.
    fn stamps(shown: &[i64]) -> Vec<Timestamp> {
        let clock = Arc::new(Mutex::new(shown.to_vec()));
        let mut options = Options::new("controlplane", "replica-1");
        options.clock = Clock::from_fn(move || {
            Timestamp::from_second(clock.lock().unwrap().remove(0)).unwrap()
        });
        let shared = Shared::new(&options);
        shown.iter().map(|_| shared.with(|state, _| state.now().wall)).collect()
    }

    #[test]
    fn stamps_rise_even_where_the_clock_does_not() {
        let stamps = stamps(&[100, 100, 99, 101]);
        assert!(stamps.is_sorted_by(|one, next| one < next), "{stamps:?}");
        assert_eq!(stamps[2].as_microsecond(), 100_000_002);
        assert_eq!(stamps[3].as_second(), 101);
    }

    #[test]
    fn a_clock_that_was_far_ahead_is_followed_back() {
        assert_eq!(stamps(&[1_000_000, 100])[1].as_second(), 100);
    }
}
