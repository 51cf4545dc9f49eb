//! Sets of code points.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::unicode;

/// The highest code point.
pub(super) const MAX: u32 = char::MAX as u32;

/// The code points that are no characters in UTF-8. A pattern may name them (`\x{D800}`, `\p{Cs}`)
/// and they count in its classes, but no text contains them.
pub(super) const SURROGATES: (u32, u32) = (0xD800, 0xDFFF);

/// The most ranges that the classes of one pattern may have together: eight bytes each. Any more
/// would also exceed what its compiled form may take.
pub(super) const MAX_RANGES: usize = 1 << 20;

/// A set of code points, surrogates included.
///
/// The ranges are inclusive. After [`Class::normalise`] they are sorted and neither overlap nor
/// touch, as every reader but `push` and `extend` expects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Class {
    ranges: Vec<(u32, u32)>,
}

impl Class {
    /// The normalised set of these ranges.
    pub(super) fn new(ranges: impl IntoIterator<Item = (u32, u32)>) -> Class {
        let mut class = Class { ranges: ranges.into_iter().collect() };
        class.normalise();
        class
    }

    /// Adds a range; the set must be normalised before it is read.
    pub(super) fn push(&mut self, start: u32, end: u32) {
        // Patterns mostly list their characters in order: keep those short as they come.
        if let Some(last) = self.ranges.last_mut()
            && last.0 <= start
            && start <= last.1.saturating_add(1)
        {
            last.1 = last.1.max(end);
        } else {
            self.ranges.push((start, end));
        }
    }

    /// Adds all of `other`; the set must be normalised before it is read.
    pub(super) fn extend(&mut self, other: &Class) {
        // Thousands of alternatives may be the same class.
        if self.ranges.len() + other.ranges.len() > self.ranges.capacity() {
            self.normalise();
        }
        self.ranges.extend_from_slice(&other.ranges);
    }

    /// Sorts the ranges and joins those that overlap or touch.
    pub(super) fn normalise(&mut self) {
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, kept| {
            let joins = next.0 <= kept.1.saturating_add(1);
            if joins {
                kept.1 = kept.1.max(next.1);
            }
            joins
        });
    }

    /// All code points that are not in the set.
    pub(super) fn negated(&self) -> Class {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = 0;
        for &(start, end) in &self.ranges {
            if next < start {
                ranges.push((next, start - 1));
            }
            next = end + 1;
        }
        if next <= MAX {
            ranges.push((next, MAX));
        }
        Class { ranges }
    }

    /// The set with every code point that differs from one of it only by case.
    pub(super) fn folded(&self) -> Class {
        let mut class = self.clone();
        class.extend(&Class::from(&unicode::fold(&self.to_unicode())));
        class.normalise();
        class
    }

    /// The ranges, inclusive.
    pub(super) fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// Whether the set has this code point.
    pub(super) fn contains(&self, point: u32) -> bool {
        self.ranges.iter().any(|&(start, end)| start <= point && point <= end)
    }

    /// The set without surrogates, for the compiler.
    pub(super) fn to_unicode(&self) -> ClassUnicode {
        let chars = self.ranges.iter().flat_map(|&(start, end)| {
            [(start, end.min(SURROGATES.0 - 1)), (start.max(SURROGATES.1 + 1), end)]
        });
        // A range that is wholly on one side of the surrogates runs backwards on the other.
        let chars = chars.filter(|(start, end)| start <= end).filter_map(|(start, end)| {
            Some(ClassUnicodeRange::new(char::from_u32(start)?, char::from_u32(end)?))
        });
        ClassUnicode::new(chars)
    }
}

impl From<&ClassUnicode> for Class {
    /// The same characters: a range across the surrogates, which the crate's ranges skip, is split.
    fn from(class: &ClassUnicode) -> Class {
        Class::new(class.iter().flat_map(|range| {
            let (start, end) = (u32::from(range.start()), u32::from(range.end()));
            let spans = start < SURROGATES.0 && SURROGATES.1 < end;
            let (first, second) = if spans {
                ((start, SURROGATES.0 - 1), Some((SURROGATES.1 + 1, end)))
            } else {
                ((start, end), None)
            };
            [Some(first), second].into_iter().flatten()
        }))
    }
}
