//! The syntax tree, with the sizes that Go limits.

use std::rc::Rc;

use super::class::{Class, MAX};
use super::error::ErrorKind;
use super::unicode;

/// The highest tree that Go accepts. It also bounds every recursion over a tree.
pub(super) const MAX_HEIGHT: u32 = 1000;

/// The most instructions of a program that Go accepts: 128 MiB of 40 bytes each.
const MAX_SIZE: u64 = (128 << 20) / 40;

const LINE_FEED: u32 = '\n' as u32;

/// A node with all below it.
///
/// Its shape is the one of Go's own tree, factored alternatives included, because Go limits the
/// height of that.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) kind: Kind,
    height: u32,
    size: u64,
}

/// What a node matches.
#[derive(Debug)]
pub(super) enum Kind {
    Empty,
    Literal(Literal),
    Class(Rc<Class>),
    /// `.` without the flag `s`.
    AnyButLineFeed,
    /// `.` with the flag `s`.
    Any,
    Look(Look),
    Capture(Box<Tree>),
    Repeat(Repeat),
    Concat(Vec<Tree>),
    Alternate(Vec<Tree>),
}

/// A string of one or more code points, each the least of its orbit if case is ignored.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) points: Vec<u32>,
    pub(super) fold: bool,
}

/// A condition on a position.
#[derive(Clone, Copy, Debug)]
pub(super) enum Look {
    TextStart,
    TextEnd,
    LineStart,
    LineEnd,
    WordBoundary,
    NoWordBoundary,
}

/// A repetition.
#[derive(Debug)]
pub(super) struct Repeat {
    pub(super) times: Times,
    pub(super) greedy: bool,
    pub(super) sub: Box<Tree>,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    Star,
    Plus,
    Quest,
    /// `{min,max}`, `{min,}`
    Counted(u32, Option<u32>),
}

impl Times {
    /// The least and the greatest number.
    pub(super) fn bounds(self) -> (u32, Option<u32>) {
        match self {
            Times::Star => (0, None),
            Times::Plus => (1, None),
            Times::Quest => (0, Some(1)),
            Times::Counted(min, max) => (min, max),
        }
    }
}

impl Tree {
    /// A node of this kind.
    pub(super) fn new(kind: Kind) -> Tree {
        let height = 1 + kind.children().iter().map(|sub| sub.height).max().unwrap_or(0);
        let size = kind.size();
        Tree { kind, height, size }
    }

    /// A string of one code point.
    pub(super) fn literal(point: u32, fold: bool) -> Tree {
        Tree::new(Kind::Literal(Literal { points: vec![point], fold }))
    }

    /// How many nodes there are from this one to the deepest below, both included.
    pub(super) fn height(&self) -> u32 {
        self.height
    }

    /// The node, unless it is higher or larger than Go accepts.
    pub(super) fn within_limits(self) -> Result<Tree, ErrorKind> {
        if self.size > MAX_SIZE {
            Err(ErrorKind::Large)
        } else if self.height > MAX_HEIGHT {
            Err(ErrorKind::NestingDepth)
        } else {
            Ok(self)
        }
    }

    /// How many code points the node itself holds, as Go counts them: two a range.
    pub(super) fn points(&self) -> u64 {
        match &self.kind {
            Kind::Literal(literal) => literal.points.len() as u64,
            Kind::Class(class) => 2 * class.ranges().len() as u64,
            _ => 0,
        }
    }

    /// Whether the node is one character of a set.
    pub(super) fn is_single_char(&self) -> bool {
        match &self.kind {
            Kind::Literal(literal) => literal.points.len() == 1,
            kind => matches!(kind, Kind::Class(_) | Kind::AnyButLineFeed | Kind::Any),
        }
    }

    /// A class of one character, or of the two cases of one, as the literal it is.
    pub(super) fn class_to_literal(self) -> Tree {
        let Kind::Class(class) = &self.kind else { return self };
        let (first, last, ranges) = match *class.ranges() {
            [(first, last)] => (first, last, 1),
            [(first, a), (b, last)] if first == a && b == last => (first, last, 2),
            _ => return self,
        };
        if first == last {
            Tree::literal(first, false)
        } else if (ranges == 2 || first + 1 == last) && unicode::orbit(first) == [first, last] {
            Tree::literal(first, true)
        } else {
            self
        }
    }

    /// A class of all characters, or of all but the line feed, as the `.` it is.
    pub(super) fn class_to_dot(self) -> Tree {
        let Kind::Class(class) = &self.kind else { return self };
        match *class.ranges() {
            [(0, MAX)] => Tree::new(Kind::Any),
            [(0, before), (after, MAX)] if before + 1 == LINE_FEED && after == LINE_FEED + 1 => {
                Tree::new(Kind::AnyButLineFeed)
            }
            _ => self,
        }
    }

    /// Sorts a class to which alternatives were added.
    pub(super) fn normalised(mut self) -> Tree {
        if let Kind::Class(class) = &mut self.kind {
            Rc::make_mut(class).normalise();
        }
        self.class_to_dot()
    }

    /// Adds to a character of a set the characters of another. A resulting class isn't normalised.
    pub(super) fn add_alternative(&mut self, other: Tree) {
        let kind = match (std::mem::replace(&mut self.kind, Kind::Empty), other.kind) {
            (Kind::Any, _) | (_, Kind::Any) => Kind::Any,
            (Kind::AnyButLineFeed, other) | (other, Kind::AnyButLineFeed) => {
                if other.has_line_feed() { Kind::Any } else { Kind::AnyButLineFeed }
            }
            (Kind::Literal(one), Kind::Literal(other)) if one == other => Kind::Literal(one),
            (Kind::Class(mut class), other) | (other, Kind::Class(mut class)) => {
                other.add_to(Rc::make_mut(&mut class));
                Kind::Class(class)
            }
            (one, other) => {
                let mut class = Class::default();
                one.add_to(&mut class);
                other.add_to(&mut class);
                Kind::Class(Rc::new(class))
            }
        };
        *self = Tree::new(kind);
    }

    /// Whether, in `n` nested copies at most, no counted repetition below goes beyond.
    ///
    /// Each repetition that counts at least halves `n`, so that a tree is walked ten times at most
    /// however its repetitions nest.
    pub(super) fn repeats_within(&self, mut n: u32) -> bool {
        if let Kind::Repeat(Repeat { times: Times::Counted(min, max), .. }) = self.kind {
            let most = max.unwrap_or(min);
            if max == Some(0) {
                return true;
            }
            if most > n {
                return false;
            }
            n /= most.max(1);
        }
        self.kind.children().iter().all(|sub| sub.repeats_within(n))
    }
}

impl Kind {
    /// The nodes right below.
    fn children(&self) -> &[Tree] {
        match self {
            Kind::Capture(sub) | Kind::Repeat(Repeat { sub, .. }) => std::slice::from_ref(&**sub),
            Kind::Concat(subs) | Kind::Alternate(subs) => subs,
            _ => &[],
        }
    }

    /// How many instructions Go would compile this to.
    fn size(&self) -> u64 {
        let size = match self {
            Kind::Literal(literal) => literal.points.len() as u64,
            Kind::Capture(sub) => 2 + sub.size,
            Kind::Concat(subs) => subs.iter().map(|sub| sub.size).sum(),
            Kind::Alternate(subs) => {
                subs.iter().map(|sub| sub.size + 1).sum::<u64>().saturating_sub(1)
            }
            Kind::Repeat(Repeat { times, sub, .. }) => match times.bounds() {
                (0, None) => 2 + sub.size,
                (min, None) => 1 + u64::from(min) * sub.size,
                (min, Some(max)) => u64::from(max) * sub.size + u64::from(max.saturating_sub(min)),
            },
            _ => 1,
        };
        size.max(1)
    }

    /// Whether a single character may be the line feed; only of a normalised class or a literal.
    fn has_line_feed(&self) -> bool {
        match self {
            Kind::Literal(literal) => literal.points.contains(&LINE_FEED),
            Kind::Class(class) => class.contains(LINE_FEED),
            kind => matches!(kind, Kind::Any),
        }
    }

    /// Adds what a literal of one code point or a class matches.
    fn add_to(&self, class: &mut Class) {
        match self {
            Kind::Class(other) => class.extend(other),
            Kind::Literal(literal) => {
                for &point in &literal.points {
                    let orbit = if literal.fold { unicode::orbit(point) } else { vec![point] };
                    orbit.into_iter().for_each(|p| class.push(p, p));
                }
            }
            _ => {}
        }
    }
}
