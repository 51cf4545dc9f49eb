//! Token buckets: how often something may be done.

use std::time::Duration;

use tokio::time::Instant;

/// Longest wait that is told apart from a longer one; keeps sums of times within their range.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// How much may be done at once, and how fast that allowance comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// What may be done at once after a rest; at least one.
    pub burst: u32,
    /// Time in which the allowance for one more comes back. Zero: no limit.
    pub refill: Duration,
}

/// What is left of a [`Budget`].
///
/// Kept as the time at which the bucket is full again (the generic cell rate algorithm): no
/// counter to refill, nothing to do while nothing happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    budget: Budget,
    full_at: Option<Instant>,
}

impl Bucket {
    pub fn full(budget: Budget) -> Self {
        Self { budget: Budget { burst: budget.burst.max(1), ..budget }, full_at: None }
    }

    /// Takes a token, or says when there will be one.
    pub fn take(&mut self, now: Instant) -> Result<(), Instant> {
        match self.wait(now) {
            Some(wait) => Err(after(now, wait)),
            None => {
                self.spend(now);
                Ok(())
            }
        }
    }

    /// Takes a token that may not be there; an empty bucket stays empty and owes nothing.
    pub fn charge(&mut self, now: Instant) {
        if self.wait(now).is_none() {
            self.spend(now);
        }
    }

    /// When there is a token.
    pub fn ready_at(&self, now: Instant) -> Instant {
        after(now, self.wait(now).unwrap_or_default())
    }

    pub fn is_full(&self, now: Instant) -> bool {
        self.deficit(now).is_zero()
    }

    fn spend(&mut self, now: Instant) {
        self.full_at = Some(after(now, self.deficit(now).saturating_add(self.budget.refill)));
    }

    fn deficit(&self, now: Instant) -> Duration {
        self.full_at.map(|at| at.saturating_duration_since(now)).unwrap_or_default()
    }

    fn wait(&self, now: Instant) -> Option<Duration> {
        let capacity = self.budget.refill.saturating_mul(self.budget.burst);
        let wait = self.deficit(now).saturating_add(self.budget.refill).saturating_sub(capacity);
        (!wait.is_zero()).then_some(wait)
    }
}

/// `wait` after `at`, a year at most: callers may say `Duration::MAX` for never.
pub(super) fn after(at: Instant, wait: Duration) -> Instant {
    at + wait.min(FAR)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_passes_and_then_one_per_refill() {
        let start = Instant::now();
        let mut bucket = Bucket::full(Budget { burst: 3, refill: SECOND });
        for _ in 0..3 {
            assert_eq!(bucket.take(start), Ok(()));
        }
        assert_eq!(bucket.take(start), Err(start + SECOND));
        assert_eq!(bucket.take(start + SECOND), Ok(()));
        assert_eq!(bucket.take(start + SECOND), Err(start + 2 * SECOND));
    }

    #[test]
    fn a_rest_fills_the_bucket_and_not_more() {
        let start = Instant::now();
        let mut bucket = Bucket::full(Budget { burst: 2, refill: SECOND });
        assert_eq!((bucket.take(start), bucket.take(start)), (Ok(()), Ok(())));
        let later = start + 100 * SECOND;
        assert!(bucket.is_full(later));
        assert_eq!((bucket.take(later), bucket.take(later)), (Ok(()), Ok(())));
        assert!(bucket.take(later).is_err());
    }

    #[test]
    fn a_charge_on_an_empty_bucket_is_not_owed() {
        let start = Instant::now();
        let mut bucket = Bucket::full(Budget { burst: 1, refill: SECOND });
        for _ in 0..50 {
            bucket.charge(start);
        }
        assert_eq!(bucket.ready_at(start), start + SECOND);
    }

    #[test]
    fn no_refill_time_is_no_limit() {
        let start = Instant::now();
        let mut bucket = Bucket::full(Budget { burst: 0, refill: Duration::ZERO });
        assert!((0..1000).all(|_| bucket.take(start).is_ok()));
    }

    #[test]
    fn the_longest_times_do_not_overflow() {
        let start = Instant::now();
        let mut bucket = Bucket::full(Budget { burst: u32::MAX, refill: Duration::MAX });
        assert_eq!(bucket.take(start), Ok(()));
        assert!(bucket.ready_at(start) >= start);
    }

    proptest! {
        #[test]
        fn in_any_time_no_more_passes_than_the_burst_and_the_refills(
            burst in 1u32..20,
            steps in prop::collection::vec(0u64..500, 1..200),
        ) {
            let refill = Duration::from_millis(100);
            let start = Instant::now();
            let mut bucket = Bucket::full(Budget { burst, refill });
            let (mut now, mut passed) = (start, 0u128);
            for step in steps {
                now += Duration::from_millis(step);
                passed += u128::from(bucket.take(now).is_ok());
                let most = u128::from(burst) + (now - start).as_millis() / refill.as_millis();
                prop_assert!(passed <= most);
            }
        }

        #[test]
        fn a_token_is_there_when_it_was_promised(burst in 1u32..5, takes in 1usize..20) {
            let mut bucket = Bucket::full(Budget { burst, refill: SECOND });
            let mut now = Instant::now();
            for _ in 0..takes {
                if let Err(ready_at) = bucket.take(now) {
                    now = ready_at;
                    prop_assert_eq!(bucket.take(now), Ok(()));
                }
            }
        }
    }
}
