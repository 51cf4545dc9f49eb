//! Points in time as text: RFC 3339, as Go reads and writes it.

use super::calendar::days_from_civil;
use super::{Calendar, Timestamp};

impl Timestamp {
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

/// Local seconds since 1970, nanoseconds and offset of an RFC 3339 text, with what Go's parser
/// takes beside: an hour of one digit, and a comma before the fraction.
pub(super) fn parse(text: &str) -> Option<(i64, i32, i32)> {
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
