//! The fast form of a quantity: 64 bits and a power of ten.

use super::decimal::{Decimal, power_of_ten};

/// The number `value * 10^scale`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scaled {
    pub(super) value: i64,
    pub(super) scale: i32,
}

impl Scaled {
    /// The integer, unless the scale is negative or the integer too large.
    pub(super) fn to_integer(self) -> Option<i64> {
        if self.scale < 0 { None } else { raise(self.value, self.scale) }
    }

    #[expect(clippy::cast_precision_loss, reason = "the result is approximate by name")]
    pub(super) fn to_approximate_float(self) -> f64 {
        let value = self.value as f64;
        if self.scale == 0 { value } else { value * power_of_ten(self.scale) }
    }

    pub(super) fn to_decimal(self) -> Decimal {
        let digits = self.value.unsigned_abs().to_string();
        let negative = self.value < 0;
        Decimal::new(negative, digits.into_bytes(), self.scale.wrapping_neg())
    }

    /// The sum at the smaller scale of the two, unless it overflows.
    pub(super) fn checked_add(self, other: Self) -> Option<Self> {
        if other.value == 0 {
            return Some(self);
        }
        if self.value == 0 {
            return Some(other);
        }
        // The difference of scales wraps in the library, and a negative one then raises nothing.
        let (left, right) = if self.scale >= other.scale {
            (raise(self.value, self.scale.wrapping_sub(other.scale))?, other.value)
        } else {
            (self.value, raise(other.value, other.scale.wrapping_sub(self.scale))?)
        };
        let value = left.checked_add(right)?;
        Some(Self { value, scale: self.scale.min(other.scale) })
    }
}

/// `value * 10^exponent`, unless that overflows.
fn raise(value: i64, exponent: i32) -> Option<i64> {
    if value == 0 {
        return Some(0);
    }
    // Beyond the range of 64 bits, another factor of ten changes nothing.
    (0..exponent.min(20)).try_fold(value, |value, _| value.checked_mul(10))
}
