//! Durations as Go spells them (`720h`, `1h30m`).

use jiff::SignedDuration;
use thiserror::Error;

/// The pattern of a duration in the schemas. Signs are left out: no field takes a negative one.
pub const PATTERN: &str = r"^([0-9]+(\.[0-9]+)?(h|m|s|ms|us|µs|ns))+$";

/// Why a text is no duration.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DurationError {
    /// Not Go's syntax.
    #[error("{0:?} is not a duration like 720h, 90m or 1h30m")]
    Syntax(String),
    /// Longer than Go's 64 bits of nanoseconds hold.
    #[error("{0:?} is longer than 2562047h, the longest duration there is")]
    TooLong(String),
}

/// Reads a duration as Go's `time.ParseDuration` does, without a sign. (kube's own parser panics on
/// numbers that are too large.)
///
/// # Errors
/// When the text is not of that form, or longer than Go can hold.
pub fn parse(text: &str) -> Result<SignedDuration, DurationError> {
    let syntax = || DurationError::Syntax(text.to_owned());
    let too_long = || DurationError::TooLong(text.to_owned());
    let mut rest = text;
    let mut nanoseconds: i64 = 0;
    loop {
        let (whole, after) = split_digits(rest).ok_or_else(syntax)?;
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => split_digits(after).ok_or_else(syntax)?,
            None => ("", after),
        };
        let (unit, after) = UNITS
            .iter()
            .find_map(|(name, unit)| Some((*unit, after.strip_prefix(name)?)))
            .ok_or_else(syntax)?;
        // Past the ninth digit a fraction is less than a nanosecond, except of hours and minutes,
        // where it is less than a microsecond: nobody's certificate depends on it.
        let fraction = &fraction[..fraction.len().min(9)];
        let scale = 10_i128.pow(u32::try_from(fraction.len()).unwrap_or_default());
        let part = whole.parse::<i64>().map_err(|_| too_long())?;
        let part = i128::from(part) * i128::from(unit)
            + fraction.parse::<i128>().unwrap_or_default() * i128::from(unit) / scale;
        let part = i64::try_from(part).map_err(|_| too_long())?;
        nanoseconds = nanoseconds.checked_add(part).ok_or_else(too_long)?;
        if after.is_empty() {
            return Ok(SignedDuration::from_nanos(nanoseconds));
        }
        rest = after;
    }
}

/// Go's units in nanoseconds, a longer name before the one that it begins with.
const UNITS: [(&str, i64); 7] = [
    ("h", 3_600_000_000_000),
    ("ms", 1_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// The digits that a text begins with, one at least, and the rest.
fn split_digits(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Writes a duration in the largest units that hold it exactly: `2160h`, `1h30m`, `45s`.
pub fn format(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
    let mut text = String::new();
    for (amount, unit) in [(hours, "h"), (minutes, "m"), (rest, "s")] {
        if amount != 0 {
            text.push_str(&format!("{amount}{unit}"));
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_go_reads() {
        assert_eq!(parse("720h"), Ok(SignedDuration::from_hours(720)));
        assert_eq!(parse("1h30m"), Ok(SignedDuration::from_mins(90)));
        assert_eq!(parse("1.5h"), Ok(SignedDuration::from_mins(90)));
        assert_eq!(parse("1500ms2us3ns"), Ok(SignedDuration::new(1, 500_002_003)));
    }

    #[test]
    fn refuses_days_signs_and_bare_numbers() {
        for text in ["90d", "-1h", "", "720", "h", "0", "1h 2m", ".5h", "1.h"] {
            assert_eq!(parse(text), Err(DurationError::Syntax(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn refuses_what_go_cannot_hold() {
        assert!(matches!(parse("9999999999h"), Err(DurationError::TooLong(_))));
        for text in ["99999999999999999999999999h", "2562048h", "2562047h2562047h"] {
            assert!(matches!(parse(text), Err(DurationError::TooLong(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "[0-9.hmsuµn]{0,40}|.{0,20}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_written_is_read_back(seconds in 0..9_000_000_000_i64) {
            let duration = SignedDuration::from_secs(seconds);
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }
    }

    #[test]
    fn writes_the_largest_units() {
        assert_eq!(format(SignedDuration::from_hours(2160)), "2160h");
        assert_eq!(format(SignedDuration::from_mins(90)), "1h30m");
        assert_eq!(format(SignedDuration::ZERO), "0s");
    }
}
