//! From text to quantity.

use super::decimal::Decimal;
use super::scaled::Scaled;
use super::suffix::{Factor, interpret};
use super::{Amount, Notation, QuantityError, State};
use std::sync::Arc;

/// The most digits that the fast form is tried with.
const MAX_FAST_DIGITS: usize = 18;
/// The power of ten of the smallest unit.
const NANO: i32 = -9;

/// The parts of a quantity's text.
struct Parts<'a> {
    negative: bool,
    /// Whether there is any digit at all.
    has_digits: bool,
    /// The digits before the point without leading zeros, but at least one.
    whole: &'a str,
    /// The digits after the point.
    fraction: &'a str,
    suffix: &'a str,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Result<Self, QuantityError> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let number = unsigned.trim_start_matches('0');
        let (whole, rest) = split_digits(number);
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => split_digits(rest),
            None => ("", rest),
        };
        let exponent = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if !exponent.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(QuantityError::FormatWrong);
        }
        let has_digits = number.len() < unsigned.len() || !whole.is_empty() || !fraction.is_empty();
        let whole = if whole.is_empty() { "0" } else { whole };
        Ok(Self { negative, has_digits, whole, fraction, suffix })
    }

    fn digits(&self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    /// The number of digits after the point.
    fn fraction_scale(&self) -> i32 {
        i32::try_from(self.fraction.len()).unwrap_or(i32::MAX)
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(end).unwrap_or((text, ""))
}

pub(super) fn parse(text: &str) -> Result<State, QuantityError> {
    if text.is_empty() {
        return Err(QuantityError::FormatWrong);
    }
    if text == "0" {
        let amount = Amount::Scaled(Scaled { value: 0, scale: 0 });
        return Ok(State { amount, notation: Notation::DecimalSi, text: Some(text.into()) });
    }
    let parts = Parts::split(text)?;
    let (factor, notation) = interpret(parts.suffix).ok_or(QuantityError::Suffix)?;
    match parse_fast(&parts, factor) {
        Some((amount, canonical)) => {
            let text = canonical.then(|| Arc::from(text));
            Ok(State { amount: Amount::Scaled(amount), notation, text })
        }
        None => parse_decimal(&parts, factor, notation),
    }
}

/// Parses what fits the fast form surely, and tells whether the text is to be shown again.
fn parse_fast(parts: &Parts<'_>, factor: Factor) -> Option<(Scaled, bool)> {
    let (multiplier, exponent, max_digits) = match factor {
        Factor::Ten(exponent) => (1, exponent, MAX_FAST_DIGITS),
        // A factor of 2^10 takes about three of the digits.
        Factor::Two(exponent) if parts.fraction.is_empty() => {
            let taken = usize::try_from(exponent).ok()? / 10 * 3;
            (1_i64.checked_shl(exponent)?, 0, 14_usize.checked_sub(taken)?)
        }
        Factor::Two(_) => return None,
    };
    let scale = exponent.wrapping_sub(parts.fraction_scale());
    if parts.digits() > max_digits || scale < NANO {
        return None;
    }
    let shifted = format!("{}{}", parts.whole, parts.fraction);
    let digits: i64 = shifted.parse().ok()?;
    let value = digits.checked_mul(multiplier)?;
    let value = if parts.negative { -value } else { value };
    let canonical = match factor {
        Factor::Two(_) => digits & 7 != 0,
        Factor::Ten(_) => scale % 3 == 0 && !shifted.ends_with("000") && !shifted.starts_with('0'),
    };
    Some((Scaled { value, scale }, canonical))
}

fn parse_decimal(
    parts: &Parts<'_>,
    factor: Factor,
    notation: Notation,
) -> Result<State, QuantityError> {
    if !parts.has_digits {
        return Err(QuantityError::Numeric);
    }
    let digits = [parts.whole.as_bytes(), parts.fraction.as_bytes()].concat();
    let scale = parts.fraction_scale();
    let mut notation = notation;
    let mut magnitude = match factor {
        Factor::Ten(exponent) => {
            Decimal::new(false, digits, scale.wrapping_add(exponent.wrapping_neg()))
        }
        Factor::Two(exponent) => Decimal::new(false, digits, scale).shifted_left(exponent),
    };
    if !magnitude.is_zero() {
        magnitude = magnitude.rounded_up(-NANO);
    }
    if notation == Notation::BinarySi {
        let largest = Scaled { value: i64::MAX, scale: 0 }.to_decimal();
        if magnitude.order(&largest).is_gt() {
            magnitude = largest;
        }
        let one = Scaled { value: 1, scale: 0 }.to_decimal();
        if !magnitude.is_zero() && magnitude.order(&one).is_lt() {
            notation = Notation::DecimalSi;
        }
    }
    let amount = if parts.negative { magnitude.negated() } else { magnitude };
    Ok(State { amount: Amount::from_decimal(amount), notation, text: None })
}
