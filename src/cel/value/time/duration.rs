//! Spans of time as text and as numbers, as Go has them. A span is a number of nanoseconds.

use super::NANOS;

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
