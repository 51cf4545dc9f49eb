//! Decimals of any length.

use std::cmp::Ordering;

/// The most digits that the operands of a sum or difference may span.
pub(super) const MAX_SUM_DIGITS: i64 = 100_000;
/// The most digits of a number that is brought to base 1024.
const MAX_BASE_1024_DIGITS: i64 = 4_000;

/// The number `digits * 10^exponent`, with a sign.
#[derive(Debug, Clone)]
pub(super) struct Decimal {
    negative: bool,
    /// ASCII digits, most significant first, without zeros at either end; empty for zero.
    digits: Vec<u8>,
    exponent: i64,
    /// The number of digits after the point that the library would hold, zeros included: sums and
    /// approximations depend on it.
    scale: i32,
}

impl Decimal {
    /// Makes the number `digits * 10^-scale` of ASCII digits.
    pub(super) fn new(negative: bool, digits: Vec<u8>, scale: i32) -> Self {
        Self::normalized(negative, digits, -i64::from(scale), scale)
    }

    fn normalized(negative: bool, mut digits: Vec<u8>, exponent: i64, scale: i32) -> Self {
        let zeros = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
        digits.truncate(digits.len() - zeros);
        let leading = digits.iter().take_while(|&&digit| digit == b'0').count();
        digits.drain(..leading);
        let exponent = if digits.is_empty() { 0 } else { exponent + length(zeros) };
        Self { negative: negative && !digits.is_empty(), digits, exponent, scale }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Compares with zero.
    pub(super) fn sign(&self) -> Ordering {
        match (self.is_zero(), self.negative) {
            (true, _) => Ordering::Equal,
            (false, true) => Ordering::Less,
            (false, false) => Ordering::Greater,
        }
    }

    pub(super) fn negated(self) -> Self {
        Self { negative: !self.negative && !self.is_zero(), ..self }
    }

    pub(super) fn order(&self, other: &Self) -> Ordering {
        self.sign().cmp(&other.sign()).then_with(|| {
            let ordering = self.order_magnitude(other);
            if self.negative { ordering.reverse() } else { ordering }
        })
    }

    fn order_magnitude(&self, other: &Self) -> Ordering {
        self.top().cmp(&other.top()).then_with(|| self.digits.cmp(&other.digits))
    }

    /// The power of ten just above the first digit.
    fn top(&self) -> i64 {
        self.exponent + length(self.digits.len())
    }

    /// Multiplies by `2^bits`, at most 2^60.
    pub(super) fn shifted_left(self, bits: u32) -> Self {
        let factor = 1_u64.checked_shl(bits).unwrap_or(0);
        let mut reversed = Vec::with_capacity(self.digits.len() + 19);
        let mut carry = 0;
        for digit in self.digits.iter().rev() {
            // At most 9 * 2^60 and a ninth of that.
            let product = value(*digit) * factor + carry;
            reversed.push(ascii(product % 10));
            carry = product / 10;
        }
        while carry > 0 {
            reversed.push(ascii(carry % 10));
            carry /= 10;
        }
        reversed.reverse();
        Self::normalized(self.negative, reversed, self.exponent, self.scale)
    }

    /// Rounds away from zero to `scale` digits after the point.
    pub(super) fn rounded_up(mut self, scale: i32) -> Self {
        let lowest = -i64::from(scale);
        let dropped = lowest - self.exponent;
        if self.is_zero() || dropped <= 0 {
            return Self { scale, ..self };
        }
        let kept = length(self.digits.len()) - dropped;
        self.digits.truncate(usize::try_from(kept).unwrap_or(0));
        // What was dropped is not zero, as no number ends with one.
        let nines = self.digits.iter().rev().take_while(|&&digit| digit == b'9').count();
        self.digits.truncate(self.digits.len() - nines);
        match self.digits.last_mut() {
            Some(digit) => *digit += 1,
            None => self.digits.push(b'1'),
        }
        Self { exponent: lowest + length(nines), scale, ..self }
    }

    /// The sum, at the larger scale of the two, unless its digits would be too many.
    pub(super) fn checked_add(&self, other: &Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        if other.is_zero() {
            return Some(Self { scale, ..self.clone() });
        }
        if self.is_zero() {
            return Some(Self { scale, ..other.clone() });
        }
        let exponent = self.exponent.min(other.exponent);
        let digits = self.top().max(other.top()) - exponent;
        if digits > MAX_SUM_DIGITS {
            return None;
        }
        let (larger, smaller) =
            if self.order_magnitude(other).is_lt() { (other, self) } else { (self, other) };
        let same_sign = larger.negative == smaller.negative;
        let mut reversed = Vec::with_capacity(usize::try_from(digits + 1).unwrap_or(0));
        let mut smaller_digits = smaller.reversed_from(exponent);
        let mut carry = 0;
        for digit in larger.reversed_from(exponent) {
            let other_digit = smaller_digits.next().unwrap_or(0);
            let sum = if same_sign {
                digit + other_digit + carry
            } else {
                10 + digit - other_digit - carry
            };
            reversed.push(ascii(sum % 10));
            carry = if same_sign { sum / 10 } else { 1 - sum / 10 };
        }
        if carry > 0 {
            reversed.push(ascii(carry));
        }
        reversed.reverse();
        Some(Self::normalized(larger.negative, reversed, exponent, scale))
    }

    /// The digits' values from the least significant, at `exponent`, on.
    fn reversed_from(&self, exponent: i64) -> impl Iterator<Item = u64> {
        let zeros = usize::try_from(self.exponent - exponent).unwrap_or(0);
        std::iter::repeat_n(0, zeros).chain(self.digits.iter().rev().map(|&digit| value(digit)))
    }

    /// The product of the digits as an integer and the power of ten, each rounded.
    pub(super) fn to_approximate_float(&self) -> f64 {
        let digits = String::from_utf8_lossy(&self.digits);
        let exponent = self.exponent + i64::from(self.scale);
        let unscaled = format!("{}0{digits}e{exponent}", self.sign_text());
        // Only a number can stand here, and it parses to the nearest double.
        let unscaled: f64 = if self.is_zero() { 0.0 } else { unscaled.parse().unwrap_or(0.0) };
        match self.scale.wrapping_neg() {
            0 => unscaled,
            exponent => unscaled * power_of_ten(exponent),
        }
    }

    /// The number as an integer and the largest power of ten that is a multiple of three.
    pub(super) fn to_base_1000(&self) -> (String, i64) {
        let zeros = self.exponent.rem_euclid(3);
        let zeros = "0".repeat(usize::try_from(zeros).unwrap_or(0));
        let digits = String::from_utf8_lossy(&self.digits);
        let mantissa = format!("{}{digits}{zeros}", self.sign_text());
        (mantissa, self.exponent - length(zeros.len()))
    }

    /// The number as an integer and the largest power of 1024; nothing if it is no integer, less
    /// than 1024, or too long for a bounded conversion.
    pub(super) fn to_base_1024(&self) -> Option<(String, u32)> {
        if self.exponent < 0 || self.top() < 4 || self.top() > MAX_BASE_1024_DIGITS {
            return None;
        }
        let zeros = usize::try_from(self.exponent).ok()?;
        let mut digits: Vec<u64> = self.digits.iter().map(|&digit| value(digit)).collect();
        digits.extend(std::iter::repeat_n(0, zeros));
        if digits.len() == 4 && digits.as_slice() < [1, 0, 2, 4].as_slice() {
            return None;
        }
        let mut exponent = 0;
        while let Some(quotient) = divided_by_1024(&digits) {
            digits = quotient;
            exponent += 1;
        }
        let digits: String = digits.into_iter().map(|digit| char::from(ascii(digit))).collect();
        Some((format!("{}{digits}", self.sign_text()), exponent))
    }

    fn sign_text(&self) -> &'static str {
        if self.negative { "-" } else { "" }
    }
}

/// Divides, if there is no remainder.
fn divided_by_1024(digits: &[u64]) -> Option<Vec<u64>> {
    let mut remainder = 0;
    let mut quotient = Vec::with_capacity(digits.len());
    for digit in digits {
        remainder = remainder * 10 + digit;
        if !quotient.is_empty() || remainder >= 1024 {
            quotient.push(remainder / 1024);
        }
        remainder %= 1024;
    }
    (remainder == 0 && !quotient.is_empty()).then_some(quotient)
}

fn value(digit: u8) -> u64 {
    u64::from(digit.saturating_sub(b'0'))
}

fn ascii(digit: u64) -> u8 {
    b'0'.saturating_add(u8::try_from(digit).unwrap_or(0))
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Ten to a power, by one multiplication or division of two rounded powers as Go's `math.Pow10`
/// has it; not always the double nearest to the power.
pub(super) fn power_of_ten(exponent: i32) -> f64 {
    let power = |exponent: u32, sign: &str| -> f64 {
        format!("1e{sign}{exponent}").parse().unwrap_or(f64::NAN)
    };
    let magnitude = exponent.unsigned_abs();
    let (high, low) = (magnitude / 32 * 32, magnitude % 32);
    match exponent {
        309.. => f64::INFINITY,
        0..=308 => power(high, "") * power(low, ""),
        -323..=-1 => power(high, "-") / power(low, ""),
        _ => 0.0,
    }
}
