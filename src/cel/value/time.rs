//! Points in time and spans of it, read and written as Go does.

use jiff::Timestamp as Instant;
use jiff::tz::TimeZone;

use super::display::go_quote;
use crate::cel::error::Fault;

const NANOS: i64 = 1_000_000_000;

/// `0001-01-01T00:00:00Z` and `9999-12-31T23:59:59Z`, in seconds: the range of protobuf's
/// Timestamp, which is CEL's.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A point in time, and the offset from UTC that it was written with: `string()` writes it so.
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
        let Some((local, nanos, offset)) = parse_rfc3339(text) else { return Ok(None) };
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

    /// The fields of the calendar in a zone: an IANA name, or hours and minutes as `-07:30`.
    ///
    /// # Errors
    /// In Go's words, where there is no such zone.
    pub(in crate::cel) fn calendar(self, zone: &str) -> Result<Calendar, Fault> {
        let offset = match zone.split_once(':') {
            Some((hours, minutes)) => {
                let hours_number = atoi(hours)?;
                let minutes = atoi(minutes)?;
                let sign: i64 = if hours.starts_with('-') { -1 } else { 1 };
                // Go's numbers wrap around, and it counts a zone's offset in nanoseconds.
                let minutes =
                    hours_number.wrapping_mul(60).wrapping_add(minutes.wrapping_mul(sign));
                minutes.wrapping_mul(60 * 1_000_000_000) / 1_000_000_000
            }
            None if zone.is_empty() || zone == "UTC" || zone == "Local" => 0,
            None => {
                if zone.contains("..") || zone.starts_with(['/', '\\']) {
                    return Err(Fault::error("time: invalid location name"));
                }
                // In Go, the case of the letters counts.
                let found = TimeZone::get(zone)
                    .ok()
                    .filter(|found| found.iana_name() == Some(zone))
                    .ok_or_else(|| Fault::error(format!("unknown time zone {zone}")))?;
                // jiff's last moment is some hours before the last of the year 9999; no zone
                // changes between the two.
                let instant = Instant::new(self.seconds, self.nanos).unwrap_or(Instant::MAX);
                i64::from(found.to_offset(instant).seconds())
            }
        };
        Ok(Calendar::new(self.seconds.saturating_add(offset), self.nanos))
    }

    /// Go's `RFC3339Nano`, in the offset that it was written with.
    pub(in crate::cel) fn rfc3339(self) -> String {
        let local = Calendar::new(self.seconds + i64::from(self.offset), self.nanos);
        let mut text = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            local.year, local.month, local.day, local.hours, local.minutes, local.seconds
        );
        if self.nanos > 0 {
            let fraction = format!("{:09}", self.nanos);
            text.push('.');
            text.push_str(fraction.trim_end_matches('0'));
        }
        match self.offset {
            0 => text.push('Z'),
            offset => {
                let minutes = offset.abs() / 60;
                let sign = if offset < 0 { '-' } else { '+' };
                text.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
            }
        }
        text
    }

    /// Go's `time.Time.String`, which error texts have.
    pub(in crate::cel) fn go_string(self) -> String {
        let text = self.rfc3339();
        let (date, rest) = text.split_once('T').unwrap_or((&text, ""));
        let end = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
        let clock = rest.get(..end).unwrap_or(rest);
        if self.offset == 0 {
            return format!("{date} {clock} +0000 UTC");
        }
        let zone = rest.get(end..).unwrap_or("").replace(':', "");
        format!("{date} {clock} {zone} {zone}")
    }
}

/// Go's `strconv.Atoi`, with its words for what is no number.
fn atoi(text: &str) -> Result<i64, Fault> {
    let failed = |why| Fault::error(format!("strconv.Atoi: parsing {}: {why}", go_quote(text)));
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(failed("invalid syntax"));
    }
    text.parse().map_err(|_| failed("value out of range"))
}

/// The fields of a moment in some zone, counted as people do: months and days from 1.
pub(in crate::cel) struct Calendar {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub day_of_year: i64,
    pub day_of_week: i64,
    pub hours: i64,
    pub minutes: i64,
    pub seconds: i64,
    pub milliseconds: i64,
}

impl Calendar {
    fn new(local: i64, nanos: i32) -> Self {
        let days = local.div_euclid(86_400);
        let second = local.rem_euclid(86_400);
        let (year, month, day) = civil(days);
        Self {
            year,
            month,
            day,
            day_of_year: days - days_from_civil(year, 1, 1) + 1,
            day_of_week: (days + 4).rem_euclid(7),
            hours: second / 3_600,
            minutes: second / 60 % 60,
            seconds: second % 60,
            milliseconds: i64::from(nanos) / 1_000_000,
        }
    }
}

/// The Gregorian date of a day counted from 1970-01-01. A zone can move the last day of the year
/// 9999 beyond what calendars of libraries have, so it is reckoned here: eras of 400 years, years
/// that begin in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Local seconds since 1970, nanoseconds and offset of an RFC 3339 text, with what Go's parser
/// takes beside: an hour of one digit, and a comma before the fraction.
fn parse_rfc3339(text: &str) -> Option<(i64, i32, i32)> {
    let mut rest = Reader(text.as_bytes());
    let year = rest.digits(4)?;
    rest.expect(b'-')?;
    let month = rest.digits(2)?;
    rest.expect(b'-')?;
    let day = rest.digits(2)?;
    rest.expect(b'T')?;
    let hours = if rest.is_digit(1) { rest.digits(2)? } else { rest.digits(1)? };
    rest.expect(b':')?;
    let minutes = rest.digits(2)?;
    rest.expect(b':')?;
    let seconds = rest.digits(2)?;
    let mut nanos = 0;
    if matches!(rest.0.first(), Some(b'.' | b',')) && rest.is_digit(1) {
        rest.0 = rest.0.get(1..)?;
        let mut scale = 100_000_000;
        while rest.is_digit(0) {
            nanos += rest.digits(1)? as i32 * scale;
            scale /= 10;
        }
    }
    let offset = match rest.0.first()? {
        b'Z' => {
            rest.0 = rest.0.get(1..)?;
            0
        }
        sign @ (b'+' | b'-') => {
            rest.0 = rest.0.get(1..)?;
            let hours = rest.digits(2)?;
            rest.expect(b':')?;
            let minutes = rest.digits(2)?;
            if hours > 24 || minutes > 60 {
                return None;
            }
            let seconds = (hours * 3_600 + minutes * 60) as i32;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !rest.0.is_empty()
        || !(1..=days).contains(&day)
        || hours > 23
        || minutes > 59
        || seconds > 59
    {
        return None;
    }
    let day = days_from_civil(year, month, day);
    Some((day * 86_400 + hours * 3_600 + minutes * 60 + seconds, nanos, offset))
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn is_digit(&self, at: usize) -> bool {
        self.0.get(at).is_some_and(u8::is_ascii_digit)
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
        })
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        (*first == byte).then_some(())
    }
}

/// Reads a span of time as Go's `time.ParseDuration` does, into nanoseconds.
pub(in crate::cel) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let whole_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (whole, after) = rest.split_at(whole_end);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => {
                let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
                after.split_at(end)
            }
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let unit_end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let scale: u64 = match unit {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let limit = 1_u64 << 63;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let mut nanos = whole.checked_mul(scale).filter(|nanos| *nanos <= limit)?;
        nanos = nanos.checked_add(fraction_of(fraction, scale)).filter(|nanos| *nanos <= limit)?;
        total = total.checked_add(nanos).filter(|total| *total <= limit)?;
        rest = after;
    }
    if negative {
        return Some((total as i64).wrapping_neg());
    }
    i64::try_from(total).ok()
}

/// The part of `scale` that a fraction's digits stand for; Go reckons it in floating point.
fn fraction_of(digits: &str, scale: u64) -> u64 {
    let mut number: u64 = 0;
    let mut divisor = 1.0_f64;
    for digit in digits.bytes() {
        let Some(next) =
            number.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit - b'0')))
        else {
            break;
        };
        if next > i64::MAX as u64 {
            break;
        }
        number = next;
        divisor *= 10.0;
    }
    (number as f64 * (scale as f64 / divisor)) as u64
}

/// Go's `time.Duration.Seconds`.
pub(in crate::cel) fn duration_seconds(nanos: i64) -> f64 {
    (nanos / NANOS) as f64 + (nanos % NANOS) as f64 / 1e9
}

/// Go's `time.Duration.String`, which error texts have.
pub(in crate::cel) fn go_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let total = nanos.unsigned_abs();
    let decimal = |whole: u64, fraction: u64, width: usize| {
        let digits = format!("{fraction:0width$}");
        match digits.trim_end_matches('0') {
            "" => whole.to_string(),
            digits => format!("{whole}.{digits}"),
        }
    };
    if total < 1_000 {
        return if total == 0 { "0s".to_owned() } else { format!("{sign}{total}ns") };
    }
    if total < 1_000_000 {
        return format!("{sign}{}\u{b5}s", decimal(total / 1_000, total % 1_000, 3));
    }
    if total < 1_000_000_000 {
        return format!("{sign}{}ms", decimal(total / 1_000_000, total % 1_000_000, 6));
    }
    let seconds = total / 1_000_000_000;
    let text = decimal(seconds % 60, total % 1_000_000_000, 9);
    match seconds / 60 {
        0 => format!("{sign}{text}s"),
        minutes if minutes < 60 => format!("{sign}{minutes}m{text}s"),
        minutes => format!("{sign}{}h{}m{text}s", minutes / 60, minutes % 60),
    }
}
