//! A bounded pace.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// So many in a second, and some at once after a rest.
pub(super) struct Pace {
    each: Duration,
    at_once: Duration,
    /// When all that was taken would have come to its end.
    taken_until: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn new(per_second: u32, at_once: u32) -> Self {
        let each = Duration::from_secs(1) / per_second.max(1);
        Self { each, at_once: each * at_once.max(1), taken_until: Mutex::default() }
    }

    /// Waits for its turn.
    pub(super) async fn take(&self) {
        if let Some(turn) = self.turn(true) {
            sleep_until(turn).await;
        }
    }

    /// Takes a turn that need not be waited for, if there is one.
    pub(super) fn try_take(&self) -> bool {
        self.turn(false).is_none()
    }

    /// None: at once. A turn that is later is taken only by who waits.
    fn turn(&self, waits: bool) -> Option<Instant> {
        let mut taken_until = self.taken_until.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let end = taken_until.map_or(now, |until| until.max(now)) + self.each;
        let is_now = end <= now + self.at_once;
        if is_now || waits {
            *taken_until = Some(end);
        }
        if is_now { None } else { end.checked_sub(self.at_once) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_what_comes_at_once_each_waits_for_its_turn() {
        let (pace, start) = (Pace::new(10, 3), Instant::now());
        for _ in 0..3 {
            pace.take().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(!pace.try_take());
        for _ in 0..10 {
            pace.take().await;
        }
        assert!((995..=1_005).contains(&start.elapsed().as_millis()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_wait_takes_no_turn_of_those_who_do() {
        let (pace, start) = (Pace::new(10, 1), Instant::now());
        assert!(pace.try_take());
        assert!((0..100).all(|_| !pace.try_take()));
        pace.take().await;
        assert!((95..=105).contains(&start.elapsed().as_millis()));
    }
}
