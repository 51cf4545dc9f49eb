//! From the syntax tree to the form that `regex-automata` compiles.

use regex_syntax::hir::{self, Hir};

use super::class::{Class, MAX_RANGES};
use super::error::Error;
use super::tree::{Kind, Literal, Look, Repeat, Tree};
use super::unicode;

/// The highest tree that is compiled: compiling recurses, with some kilobytes of stack for each level
/// of the tree.
const MAX_HEIGHT: u32 = 128;

/// The form to compile. It has no groups: nobody asks for what they captured.
///
/// # Errors
/// [`Error::NestsTooDeeply`] and [`Error::CompiledTooLarge`]
pub(super) fn lower(tree: &Tree) -> Result<Hir, Error> {
    if tree.height() > MAX_HEIGHT {
        return Err(Error::NestsTooDeeply { limit: MAX_HEIGHT });
    }
    Lowering { ranges: 0 }.tree(tree).ok_or(Error::too_large())
}

struct Lowering {
    /// How many ranges the classes had so far.
    ranges: usize,
}

/// Each is none if the classes would take too much memory.
impl Lowering {
    /// Recurses as deep as the tree is high, which is bounded.
    fn tree(&mut self, tree: &Tree) -> Option<Hir> {
        match &tree.kind {
            Kind::Empty => Some(Hir::empty()),
            Kind::Literal(literal) => self.literal(literal),
            Kind::Class(class) => self.class(class),
            Kind::Any => Some(Hir::dot(hir::Dot::AnyChar)),
            Kind::AnyButLineFeed => Some(Hir::dot(hir::Dot::AnyCharExceptLF)),
            Kind::Look(look) => Some(Hir::look(match look {
                Look::TextStart => hir::Look::Start,
                Look::TextEnd => hir::Look::End,
                Look::LineStart => hir::Look::StartLF,
                Look::LineEnd => hir::Look::EndLF,
                Look::WordBoundary => hir::Look::WordAscii,
                Look::NoWordBoundary => hir::Look::WordAsciiNegate,
            })),
            Kind::Capture(sub) => self.tree(sub),
            Kind::Repeat(repeat) => self.repeat(repeat),
            Kind::Concat(subs) => Some(Hir::concat(self.trees(subs)?)),
            Kind::Alternate(subs) => {
                Some(Hir::alternation(self.trees(subs)?.into_iter().map(as_one).collect()))
            }
        }
    }

    fn trees(&mut self, trees: &[Tree]) -> Option<Vec<Hir>> {
        trees.iter().map(|tree| self.tree(tree)).collect()
    }

    fn repeat(&mut self, repeat: &Repeat) -> Option<Hir> {
        if repeats_idly(repeat) {
            return self.tree(&repeat.sub);
        }
        let (min, max) = repeat.times.bounds();
        let sub = Box::new(self.tree(&repeat.sub)?);
        Some(Hir::repetition(hir::Repetition { min, max, greedy: repeat.greedy, sub }))
    }

    fn literal(&mut self, literal: &Literal) -> Option<Hir> {
        let mut parts = Vec::new();
        let mut text = String::new();
        for &point in &literal.points {
            let orbit = if literal.fold { unicode::orbit(point) } else { vec![point] };
            match (orbit.as_slice(), char::from_u32(point)) {
                ([_], Some(c)) => text.push(c),
                // A surrogate.
                (_, None) => return Some(Hir::fail()),
                _ => {
                    parts.push(Hir::literal(std::mem::take(&mut text).into_bytes()));
                    parts.push(self.class(&Class::new(orbit.into_iter().map(|p| (p, p))))?);
                }
            }
        }
        parts.push(Hir::literal(text.into_bytes()));
        Some(Hir::concat(parts))
    }

    fn class(&mut self, class: &Class) -> Option<Hir> {
        self.ranges += class.ranges().len();
        let fits = self.ranges <= MAX_RANGES;
        fits.then(|| Hir::class(hir::Class::Unicode(class.to_unicode())))
    }
}

/// Keeps an alternative together. `Hir::alternation` takes out what concatenations have in common at
/// the beginning, though that changes what is found where it can match in several ways: in "abbc",
/// `ab*b|ab*c` finds "abb", and `ab*(?:b|c)` all of it.
fn as_one(alternative: Hir) -> Hir {
    match alternative.kind() {
        // A group is all the same to an automaton that captures nothing.
        hir::HirKind::Concat(_) => {
            Hir::capture(hir::Capture { index: 1, name: None, sub: Box::new(alternative) })
        }
        _ => alternative,
    }
}

/// Whether what is repeated is repeated in the same way already, as in `(?:a*)*`.
fn repeats_idly(outer: &Repeat) -> bool {
    let Kind::Repeat(inner) = &outer.sub.kind else { return false };
    let bounds = outer.times.bounds();
    matches!(bounds, (0, None) | (1, None) | (0, Some(1)))
        && (inner.times.bounds(), inner.greedy) == (bounds, outer.greedy)
}
