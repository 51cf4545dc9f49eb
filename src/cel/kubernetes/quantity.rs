//! Quantities of the Kubernetes API as CEL's `quantity()` reads them (`resource.Quantity`).
//!
//! A quantity is held as a 64-bit number with a power of ten where that was enough to parse it
//! (the fast form), else as a decimal of any length. Which of the two is observable: only the fast
//! form is ever an integer to an expression. So is the sharing of decimals that the library does
//! by accident; see [`Quantity::add`] and [`Quantity::compare`].

mod decimal;
mod parse;
mod scaled;
mod suffix;

use self::decimal::Decimal;
use self::scaled::Scaled;
use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a string is not a quantity, or an operation on quantities has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The string is not a number and a suffix.
    #[error(
        "quantities must match the regular expression \
         '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    FormatWrong,
    /// The string has no digits, and a suffix that needs some.
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    /// There is no such suffix.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// The quantity has no integer form.
    #[error("cannot convert value to integer")]
    NotInteger,
    /// The sum or difference would have too many digits. The API server has no such limit: it
    /// computes on, for as long and in as much memory as that takes.
    #[error("quantity has more than {} digits", decimal::MAX_SUM_DIGITS)]
    TooLong,
}

/// A fixed-point number that remembers the notation it was given in.
///
/// Where an expression names one quantity twice, both must be the same object (hence no `Clone`):
/// see [`Quantity::add`].
#[derive(Debug)]
pub struct Quantity {
    state: Mutex<State>,
    computed: bool,
}

#[derive(Debug, Clone)]
struct State {
    amount: Amount,
    notation: Notation,
    /// The text it was parsed from, where that is shown again.
    text: Option<Arc<str>>,
}

#[derive(Debug, Clone)]
enum Amount {
    Scaled(Scaled),
    Decimal(Arc<Mutex<Decimal>>),
}

/// How a quantity is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    /// `12e6`
    DecimalExponent,
    /// `12Mi`
    BinarySi,
    /// `12M`
    DecimalSi,
}

impl Quantity {
    /// Parses a number with an optional SI suffix, binary suffix or decimal exponent.
    ///
    /// What is smaller than a nano-unit is rounded up, away from zero; with a binary suffix, what
    /// is larger than 2^63-1 is taken for that. `+`, `.` and a suffix alone are zero.
    ///
    /// # Errors
    /// [`QuantityError`] with the text of CEL's `quantity(string)`.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        Ok(Self { state: Mutex::new(parse::parse(text)?), computed: false })
    }

    /// Reports whether [`Quantity::as_integer`] succeeds.
    pub fn is_integer(&self) -> bool {
        self.as_integer().is_ok()
    }

    /// The quantity as an integer.
    ///
    /// # Errors
    /// [`QuantityError::NotInteger`] if it is not held in the fast form, or that has a negative
    /// power of ten (even if `1.0` is given), or the integer does not fit.
    pub fn as_integer(&self) -> Result<i64, QuantityError> {
        match &self.lock().amount {
            Amount::Scaled(amount) => amount.to_integer().ok_or(QuantityError::NotInteger),
            Amount::Decimal(_) => Err(QuantityError::NotInteger),
        }
    }

    /// The quantity as the product of two floating-point numbers: mantissa and power of ten.
    ///
    /// Infinite, or for a zero not a number, where that power is beyond the range of a double.
    pub fn as_approximate_float(&self) -> f64 {
        match &self.lock().amount {
            Amount::Scaled(amount) => amount.to_approximate_float(),
            Amount::Decimal(amount) => lock(amount).to_approximate_float(),
        }
    }

    /// -1, 0 or 1.
    pub fn sign(&self) -> i64 {
        let ordering = match &self.lock().amount {
            Amount::Scaled(amount) => amount.value.cmp(&0),
            Amount::Decimal(amount) => lock(amount).sign(),
        };
        match ordering {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }

    /// Reports whether the library made this quantity by arithmetic.
    ///
    /// Such a one, as the right side of `==`, has no overload: see [`Quantity::equals`].
    pub fn is_computed(&self) -> bool {
        self.computed
    }

    /// The answer of `self == other`: whether both are the same number, or `None` for "no such
    /// overload" if `other` [is computed](Quantity::is_computed).
    pub fn equals(&self, other: &Self) -> Option<bool> {
        (!other.computed).then(|| self.same_number(other))
    }

    /// Reports whether both are the same number, in whatever notation and form.
    pub fn same_number(&self, other: &Self) -> bool {
        let other = other.snapshot();
        order(&self.lock().amount, &other.amount).is_eq()
    }

    /// Compares as `compareTo`, `isLessThan` and `isGreaterThan` do.
    ///
    /// If either side is held as a decimal, `self` is from then on: the API server does so too,
    /// after which `isInteger` is false.
    pub fn compare(&self, other: &Self) -> Ordering {
        let other = other.snapshot();
        let mut state = self.lock();
        let ordering = order(&state.amount, &other.amount);
        if !matches!((&state.amount, &other.amount), (Amount::Scaled(_), Amount::Scaled(_))) {
            let promoted = state.amount.shared_decimal();
            state.amount = Amount::Decimal(promoted);
        }
        ordering
    }

    /// The sum, in the notation of `self`, or of `other` if `self` is zero.
    ///
    /// If `self` is held as a decimal, the sum is *the same* decimal: `self` changes its value
    /// too, and later changes of one show in the other. The API server does so, and policies are
    /// judged by what it does.
    ///
    /// # Errors
    /// [`QuantityError::TooLong`], and nothing is changed.
    pub fn add(&self, other: &Self) -> Result<Self, QuantityError> {
        self.combine(&other.snapshot(), Operation::Add)
    }

    /// As [`Quantity::add`], of an integer.
    ///
    /// # Errors
    /// As [`Quantity::add`].
    pub fn add_integer(&self, other: i64) -> Result<Self, QuantityError> {
        self.combine(&State::integer(other), Operation::Add)
    }

    /// The difference; notation and sharing are as with [`Quantity::add`].
    ///
    /// # Errors
    /// As [`Quantity::add`].
    pub fn sub(&self, other: &Self) -> Result<Self, QuantityError> {
        self.combine(&other.snapshot(), Operation::Sub)
    }

    /// As [`Quantity::sub`], of an integer.
    ///
    /// # Errors
    /// As [`Quantity::add`].
    pub fn sub_integer(&self, other: i64) -> Result<Self, QuantityError> {
        self.combine(&State::integer(other), Operation::Sub)
    }

    fn combine(&self, other: &State, operation: Operation) -> Result<Self, QuantityError> {
        let state = self.lock().combine(other, operation)?;
        Ok(Self { state: Mutex::new(state), computed: true })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// A copy that shares nothing, so that no two locks are held at once.
    fn snapshot(&self) -> State {
        let state = self.lock();
        let amount = match &state.amount {
            Amount::Scaled(amount) => Amount::Scaled(*amount),
            Amount::Decimal(amount) => Amount::from_decimal(lock(amount).clone()),
        };
        State { amount, notation: state.notation, text: None }
    }
}

impl fmt::Display for Quantity {
    /// The canonical form, or the text given if that is taken for one.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        match &state.text {
            Some(text) => formatter.write_str(text),
            None => formatter.write_str(&state.canonical()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Add,
    Sub,
}

impl State {
    fn integer(value: i64) -> Self {
        let amount = Amount::Scaled(Scaled { value, scale: 0 });
        Self { amount, notation: Notation::DecimalExponent, text: None }
    }

    fn combine(&self, other: &Self, operation: Operation) -> Result<Self, QuantityError> {
        let notation = if self.amount.is_zero() { other.notation } else { self.notation };
        let state = |amount| Self { amount, notation, text: None };
        if let (Amount::Scaled(left), Amount::Scaled(right)) = (&self.amount, &other.amount) {
            let right = match operation {
                Operation::Add => *right,
                // Wraps, as in the library: -2^63 is its own negation.
                Operation::Sub => Scaled { value: right.value.wrapping_neg(), ..*right },
            };
            if let Some(sum) = left.checked_add(right) {
                return Ok(state(Amount::Scaled(sum)));
            }
        }
        let shared = self.amount.shared_decimal();
        let right = other.amount.decimal();
        let mut left = lock(&shared);
        let sum = match operation {
            Operation::Add => left.checked_add(&right),
            Operation::Sub => left.checked_add(&right.negated()),
        };
        *left = sum.ok_or(QuantityError::TooLong)?;
        drop(left);
        Ok(state(Amount::Decimal(shared)))
    }

    /// The number with as large a suffix as leaves no fraction.
    fn canonical(&self) -> String {
        if self.amount.is_zero() {
            return "0".to_owned();
        }
        let decimal = self.amount.decimal();
        let mut notation = self.notation;
        if notation == Notation::BinarySi {
            match (&self.amount, decimal.to_base_1024()) {
                // The library does not divide the one integer that has no positive counterpart.
                (Amount::Scaled(Scaled { value: i64::MIN, scale: 0 }), _) => {
                    return i64::MIN.to_string();
                }
                (_, Some((mantissa, exponent))) => return mantissa + suffix::binary(exponent),
                (_, None) => notation = Notation::DecimalSi,
            }
        }
        let (mantissa, exponent) = decimal.to_base_1000();
        mantissa + &suffix::decimal(exponent, notation)
    }
}

impl Amount {
    fn from_decimal(decimal: Decimal) -> Self {
        Self::Decimal(Arc::new(Mutex::new(decimal)))
    }

    fn is_zero(&self) -> bool {
        match self {
            Self::Scaled(amount) => amount.value == 0,
            Self::Decimal(amount) => lock(amount).is_zero(),
        }
    }

    /// The decimal itself, or a new one for the fast form.
    fn shared_decimal(&self) -> Arc<Mutex<Decimal>> {
        match self {
            Self::Scaled(amount) => Arc::new(Mutex::new(amount.to_decimal())),
            Self::Decimal(amount) => Arc::clone(amount),
        }
    }

    fn decimal(&self) -> Decimal {
        match self {
            Self::Scaled(amount) => amount.to_decimal(),
            Self::Decimal(amount) => lock(amount).clone(),
        }
    }
}

fn order(left: &Amount, right: &Amount) -> Ordering {
    match (left, right) {
        (Amount::Scaled(left), Amount::Scaled(right)) if left.scale == right.scale => {
            left.value.cmp(&right.value)
        }
        _ => left.decimal().order(&right.decimal()),
    }
}

/// How two quantities compare as numbers, in whatever notation; nothing where either is none.
pub fn compare_quantities(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (Quantity::parse(left).ok()?, Quantity::parse(right).ok()?);
    Some(left.compare(&right))
}

/// Whether a quantity is a whole number, in whatever notation; nothing where it is none.
pub fn is_whole_quantity(text: &str) -> Option<bool> {
    Some(Quantity::parse(text).ok()?.as_approximate_float().fract() == 0.0)
}

/// Locks what cannot be left half-changed, so a panic elsewhere is no reason to refuse it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "quantity_tests.rs"]
mod tests;
