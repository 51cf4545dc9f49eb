//! The calendar of a point in time, in the zone that is asked for.

use jiff::Timestamp as Instant;
use jiff::tz::TimeZone;

use super::Timestamp;
use crate::cel::error::Fault;
use crate::cel::value::display::go_quote;

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

impl Timestamp {
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

impl Calendar {
    pub(super) fn new(local: i64, nanos: i32) -> Self {
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

/// The day that a Gregorian date is, counted from 1970-01-01.
pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}
