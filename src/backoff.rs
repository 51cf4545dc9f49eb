//! How long to wait before the next try.

use std::time::Duration;

use aws_lc_rs::rand;
use kube::runtime::utils::Backoff;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

/// Waits that double from 200 ms to 5 s, each shortened by up to a quarter, so that replicas that
/// failed together don't try again together.
#[derive(Debug)]
pub(crate) struct Waits {
    next: Duration,
}

impl Waits {
    pub(crate) fn new() -> Self {
        Self { next: FIRST }
    }
}

impl Iterator for Waits {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        let mut random = [0];
        // Without random numbers the waits are merely regular.
        let _ = rand::fill(&mut random);
        Some(wait - wait / 4 * u32::from(random[0]) / 255)
    }
}

impl Backoff for Waits {
    fn reset(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_200_ms_to_5_s_less_a_quarter_at_most() {
        let mut waits = Waits::new();
        for full in [200, 400, 800, 1600, 3200, 5000, 5000, 5000] {
            let wait = waits.next().unwrap().as_millis();
            assert!((full - full / 4..=full).contains(&wait), "{wait} of {full}");
        }
        waits.reset();
        assert!(waits.next().unwrap() <= FIRST);
    }
}
