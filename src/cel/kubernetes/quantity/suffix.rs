//! The suffixes of quantities, and what they mean.

use super::Notation;

/// What a suffix multiplies by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Factor {
    /// A power of ten.
    Ten(i32),
    /// A power of two.
    Two(u32),
}

const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

const BINARY: [(&str, u32); 6] =
    [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// Reads a suffix, if there is such a one.
pub(super) fn interpret(suffix: &str) -> Option<(Factor, Notation)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((Factor::Ten(*exponent), Notation::DecimalSi));
    }
    if let Some((_, exponent)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((Factor::Two(*exponent), Notation::BinarySi));
    }
    let exponent: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    // The library keeps the low 32 bits.
    #[expect(clippy::cast_possible_truncation, reason = "as in the library")]
    let exponent = exponent as i32;
    Some((Factor::Ten(exponent), Notation::DecimalExponent))
}

/// The suffix for a power of ten; empty where the notation has none.
pub(super) fn decimal(exponent: i64, notation: Notation) -> String {
    match notation {
        Notation::DecimalExponent if exponent != 0 => format!("e{exponent}"),
        Notation::DecimalExponent => String::new(),
        Notation::DecimalSi | Notation::BinarySi => {
            let known = DECIMAL.iter().find(|(_, known)| i64::from(*known) == exponent);
            known.map_or_else(String::new, |(name, _)| (*name).to_owned())
        }
    }
}

/// The suffix for a power of 1024; empty where there is none.
pub(super) fn binary(exponent: u32) -> &'static str {
    BINARY.iter().find(|(_, known)| *known == exponent.saturating_mul(10)).map_or("", |(n, _)| n)
}
