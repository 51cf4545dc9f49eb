//! The OpenAPI string formats, as loosely checked as `kube-openapi`'s `strfmt` checks them.

pub(super) fn is_uuid(text: &[u8]) -> bool {
    let mut rest = text;
    for (position, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if position > 0 {
            rest = rest.strip_prefix(b"-").unwrap_or(rest);
        }
        match rest.split_at_checked(length) {
            Some((group, after)) if group.iter().all(u8::is_ascii_hexdigit) => rest = after,
            _ => return false,
        }
    }
    rest.is_empty()
}

pub(super) fn is_base64(text: &[u8]) -> bool {
    let digits = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && digits.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

pub(super) fn is_date(text: &[u8]) -> bool {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = text else {
        return false;
    };
    let (Some(century), Some(year), Some(month), Some(day)) =
        (two_digits(y0, y1), two_digits(y2, y3), two_digits(m0, m1), two_digits(d0, d1))
    else {
        return false;
    };
    let leap = if year == 0 { century % 4 == 0 } else { year % 4 == 0 };
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Whatever follows a second `t` is not looked at, an offset from UTC is not limited, and the
/// mark before the fraction of a second may be any character.
pub(super) fn is_date_time(text: &str) -> bool {
    let mut parts = text.split(['t', 'T']);
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else {
        return false;
    };
    is_date(date.as_bytes()) && is_time(time)
}

fn is_time(text: &str) -> bool {
    let Some((&[h0, h1, b':', m0, m1, b':', s0, s1], _)) = text.as_bytes().split_first_chunk::<8>()
    else {
        return false;
    };
    let (Some(hour), Some(minute), Some(second)) =
        (two_digits(h0, h1), two_digits(m0, m1), two_digits(s0, s1))
    else {
        return false;
    };
    let rest = text.get(8..).unwrap_or_default();
    hour <= 23 && minute <= 59 && second <= 59 && (is_zone(rest) || is_fraction_and_zone(rest))
}

fn is_fraction_and_zone(text: &str) -> bool {
    let mut characters = text.chars();
    if characters.next().is_none_or(|mark| mark == '\n') {
        return false;
    }
    let digits = characters.as_str();
    let zone = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    zone.len() < digits.len() && is_zone(zone)
}

fn is_zone(text: &str) -> bool {
    match text.as_bytes() {
        b"z" | b"Z" => true,
        &[b'+' | b'-', h0, h1, b':', m0, m1] => {
            two_digits(h0, h1).is_some() && two_digits(m0, m1).is_some()
        }
        _ => false,
    }
}

fn two_digits(tens: u8, units: u8) -> Option<u8> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| byte - b'0');
    Some(digit(tens)? * 10 + digit(units)?)
}
