//! When a certificate is renewed.

use aws_lc_rs::digest;
use jiff::{SignedDuration, Timestamp};

/// How long before its end a certificate is renewed where nobody says: a third of its lifetime,
/// as in cert-manager.
pub fn default_renew_before(lifetime: SignedDuration) -> SignedDuration {
    lifetime / 3
}

/// When a certificate that is valid from `not_before` to `not_after` is to be renewed.
///
/// That is `renew_before` ahead of the end, moved by up to 10 % of `renew_before` to either side,
/// so that certificates made together (by a restored backup, a new cluster) are not renewed
/// together. The move depends on `seed` alone (take the owner's uid): after a restart, and on
/// every replica, the answer is the same.
///
/// Never before the middle of the lifetime (a `renew_before` of more than half of it would
/// otherwise renew without end), and never after `not_after`. To the second.
pub fn renewal_time(
    not_before: Timestamp,
    not_after: Timestamp,
    renew_before: SignedDuration,
    seed: &str,
) -> Timestamp {
    let (start, end) = (i128::from(not_before.as_second()), i128::from(not_after.as_second()));
    let half = (end - start).max(0) / 2;
    let ahead = i128::from(renew_before.as_secs()).clamp(0, half);
    let jitter = ahead / 10 * i128::from(per_mille(seed)) / 1000;
    // At the middle only a later time is left to go to: fold, so that the jitter is not lost there.
    let ahead = if ahead + jitter > half { ahead - jitter } else { ahead + jitter };
    i64::try_from(end - ahead)
        .ok()
        .and_then(|s| Timestamp::from_second(s).ok())
        .unwrap_or(not_after)
}

/// A number from -1000 to 1000 that only the seed decides.
fn per_mille(seed: &str) -> i16 {
    let hash = digest::digest(&digest::SHA256, seed.as_bytes());
    let word = hash.as_ref().iter().take(4).fold(0u32, |word, byte| word << 8 | u32::from(*byte));
    i16::try_from(word % 2001).unwrap_or(0) - 1000
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const DAY: i64 = 86_400;

    #[test]
    fn a_third_of_the_lifetime_is_the_default() {
        assert_eq!(
            default_renew_before(SignedDuration::from_hours(90 * 24)),
            SignedDuration::from_hours(30 * 24)
        );
    }

    #[test]
    fn a_storm_of_equal_certificates_is_spread() {
        let times: BTreeSet<_> = (0..100)
            .map(|i| {
                renewal_time(at(0), at(90 * DAY), SignedDuration::from_hours(720), &i.to_string())
            })
            .collect();
        assert!(times.len() > 90, "{} distinct times", times.len());
    }

    #[test]
    fn a_storm_is_spread_even_where_renewal_is_held_at_the_middle() {
        let times: BTreeSet<_> = (0..100)
            .map(|i| {
                renewal_time(at(0), at(90 * DAY), SignedDuration::from_hours(2000), &i.to_string())
            })
            .collect();
        assert!(times.len() > 80, "{} distinct times", times.len());
    }

    #[test]
    fn the_last_date_of_a_certificate_does_not_overflow() {
        let time = renewal_time(Timestamp::MIN, Timestamp::MAX, SignedDuration::MAX, "anything");
        assert!(time <= Timestamp::MAX);
    }

    proptest! {
        #[test]
        fn renewal_is_within_a_tenth_of_renew_before_and_within_the_second_half(
            start in 0i64..4_000_000_000,
            lifetime in 0i64..400 * DAY,
            renew_before in -DAY..500 * DAY,
            seed in ".{0,40}",
        ) {
            let (not_before, not_after) = (at(start), at(start + lifetime));
            let time = renewal_time(
                not_before, not_after, SignedDuration::from_secs(renew_before), &seed,
            ).as_second();
            prop_assert!(time >= start + lifetime / 2, "before the middle");
            prop_assert!(time <= start + lifetime, "after the end");
            let ahead = renew_before.clamp(0, lifetime / 2);
            let exact = start + lifetime - ahead;
            prop_assert!((time - exact).abs() <= ahead / 10, "jitter of more than a tenth");
        }

        #[test]
        fn renewal_is_the_same_each_time_it_is_asked(seed in ".{0,40}") {
            let ask = || renewal_time(at(0), at(90 * DAY), SignedDuration::from_hours(720), &seed);
            prop_assert_eq!(ask(), ask());
        }
    }
}
