//! Points in time and spans of it, read and written as Go does: here what a point is and how it
//! is moved; its calendar, its text and the spans have files of their own.

mod calendar;
mod duration;
mod rfc3339;
#[cfg(test)]
mod tests;

pub(in crate::cel) use calendar::Calendar;
pub(in crate::cel) use duration::{duration_seconds, go_duration, parse_duration};

use crate::cel::error::Fault;

const NANOS: i64 = 1_000_000_000;

/// `0001-01-01T00:00:00Z` and `9999-12-31T23:59:59Z`, in seconds: the range of protobuf's
/// Timestamp, which is CEL's.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A point in time, and the offset from UTC that it was written with, in which `string()` writes
/// it again.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp {
    seconds: i64,
    nanos: i32,
    offset: i32,
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }
}

fn overflow() -> Fault {
    Fault::error("timestamp overflow")
}

impl Timestamp {
    /// The point `seconds` after 1970.
    ///
    /// # Errors
    /// Outside the years 1 to 9999.
    pub(in crate::cel) fn from_seconds(seconds: i64) -> Result<Self, Fault> {
        if !RANGE.contains(&seconds) {
            return Err(overflow());
        }
        Ok(Self { seconds, nanos: 0, offset: 0 })
    }

    /// Reads RFC 3339, as Go's `time.Parse` with that layout does: `None` where it is none.
    ///
    /// # Errors
    /// Outside the years 1 to 9999.
    pub(in crate::cel) fn parse(text: &str) -> Result<Option<Self>, Fault> {
        let Some((local, nanos, offset)) = rfc3339::parse(text) else { return Ok(None) };
        let seconds = local - i64::from(offset);
        if !RANGE.contains(&seconds) {
            return Err(overflow());
        }
        Ok(Some(Self { seconds, nanos, offset }))
    }

    /// Whole seconds since 1970, rounded down.
    pub(in crate::cel) fn seconds(self) -> i64 {
        self.seconds
    }

    /// Whether it is Go's zero time, the first moment of year 1.
    pub(in crate::cel) fn is_zero(self) -> bool {
        self.seconds == *RANGE.start() && self.nanos == 0
    }

    /// This point moved by `nanos` nanoseconds.
    ///
    /// # Errors
    /// Outside the years 1 to 9999.
    pub(in crate::cel) fn plus(self, nanos: i64) -> Result<Self, Fault> {
        let total = i64::from(self.nanos) + nanos % NANOS;
        let seconds = self.seconds + nanos / NANOS + total.div_euclid(NANOS);
        if !RANGE.contains(&seconds) {
            return Err(overflow());
        }
        Ok(Self { seconds, nanos: total.rem_euclid(NANOS) as i32, offset: self.offset })
    }

    /// The nanoseconds from `other` to this point.
    ///
    /// # Errors
    /// Where they do not fit into 64 bits: some 292 years.
    pub(in crate::cel) fn since(self, other: Self) -> Result<i64, Fault> {
        (self.seconds - other.seconds)
            .checked_mul(NANOS)
            .and_then(|nanos| nanos.checked_add(i64::from(self.nanos - other.nanos)))
            .ok_or_else(|| Fault::error("integer overflow"))
    }
}
