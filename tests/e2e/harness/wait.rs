//! Waiting for conditions.

use std::time::{Duration, Instant};

/// How long anything may take. Nothing takes a tenth of it on a machine that is not overloaded.
pub const LIMIT: Duration = Duration::from_secs(60);

/// How soon a condition is looked at again.
pub const PAUSE: Duration = Duration::from_millis(100);

/// Waits until `look` finds what is wanted, and gives it. Until then `look` says what it saw
/// instead, which is shown if it goes on for too long.
#[track_caller]
pub fn eventually<T, S, F>(wanted: &str, mut look: impl FnMut() -> F) -> impl Future<Output = T>
where
    F: Future<Output = Result<T, S>>,
    S: std::fmt::Debug,
{
    let caller = std::panic::Location::caller();
    async move {
        let begun = Instant::now();
        loop {
            match look().await {
                Ok(found) => return found,
                Err(seen) if begun.elapsed() > LIMIT => {
                    panic!("{caller}: waited in vain until {wanted}; last seen: {seen:#?}")
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// The same, of what is found without waiting.
#[track_caller]
pub fn eventually_now<T, S: std::fmt::Debug>(
    wanted: &str,
    mut look: impl FnMut() -> Result<T, S>,
) -> T {
    let begun = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) if begun.elapsed() > LIMIT => {
                panic!("waited in vain until {wanted}; last seen: {seen:#?}")
            }
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}
