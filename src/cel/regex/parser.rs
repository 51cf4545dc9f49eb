//! From a pattern to its syntax tree: groups, alternatives, repetitions and flags.

use std::mem;
use std::rc::Rc;

use super::error::{Error, ErrorKind};
use super::escape::{self, Known};
use super::factor;
use super::tree::{Kind, Literal, Look, Repeat, Times, Tree};

/// The most that a repetition may count, and that nested ones may multiply to.
const MAX_REPEAT: u32 = 1000;

/// The most code points that Go lets the nodes of a tree hold together: 128 MiB of four bytes.
const MAX_POINTS: u64 = (128 << 20) / 4;

/// The modes that `(?imsU)` sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// `i`: case is ignored.
    pub(super) fold: bool,
    /// `m`: `^` and `$` match at lines, not only at the text.
    multi_line: bool,
    /// `s`: `.` matches the line feed.
    dot_all: bool,
    /// `U`: repetitions are lazy, and greedy with `?`.
    swap_greed: bool,
}

/// A group that is open, or the whole pattern.
#[derive(Default)]
struct Group {
    /// The alternatives before the last `|`.
    alternatives: Vec<Tree>,
    /// What stands in a row since then.
    items: Vec<Tree>,
    /// Whether it is more than `(?:…)`.
    captures: bool,
    /// The modes to return to after it.
    outer_flags: Flags,
}

/// The syntax tree of a pattern.
///
/// # Errors
/// What Go's `regexp.Compile` says of it.
pub(super) fn parse(pattern: &str) -> Result<Tree, Error> {
    let parser = Parser {
        pattern,
        rest: pattern,
        flags: Flags::default(),
        outer: Vec::new(),
        group: Group::default(),
        points: 0,
        known: Known::default(),
    };
    parser.run()
}

struct Parser<'p> {
    pattern: &'p str,
    /// What is still to be read.
    rest: &'p str,
    flags: Flags,
    /// The open groups around `group`.
    outer: Vec<Group>,
    group: Group,
    /// The code points of every tree that was pushed.
    points: u64,
    known: Known,
}

impl<'p> Parser<'p> {
    fn run(mut self) -> Result<Tree, Error> {
        // Where the repetition began that was read last, if nothing came after it.
        let mut repetition = None;
        while let Some(c) = self.rest.chars().next() {
            let start = self.rest;
            let after = start.get(c.len_utf8()..).unwrap_or_default();
            let mut repeats = None;
            match c {
                '(' if after.starts_with('?') => self.open_special_group()?,
                '(' => {
                    self.rest = after;
                    self.open_group(true);
                }
                '|' => {
                    self.rest = after;
                    self.end_alternative()?;
                }
                ')' => {
                    self.rest = after;
                    self.close_group()?;
                }
                '[' => {
                    let (class, rest) = escape::bracket(start, self.flags.fold, &mut self.known)?;
                    self.rest = rest;
                    self.push(Tree::new(Kind::Class(Rc::new(class))))?;
                }
                '\\' => self.escaped()?,
                '*' | '+' | '?' => {
                    self.rest = after;
                    let times = match c {
                        '*' => Times::Star,
                        '+' => Times::Plus,
                        _ => Times::Quest,
                    };
                    self.repeat(times, start, repetition)?;
                    repeats = Some(start);
                }
                '{' => match counts(start) {
                    Some((bounds, rest)) => {
                        self.rest = rest;
                        let (min, max) = bounds
                            .ok_or_else(|| self.error(ErrorKind::InvalidRepeatSize, start))?;
                        self.repeat(Times::Counted(min, max), start, repetition)?;
                        repeats = Some(start);
                    }
                    // Not a repetition, hence itself.
                    None => {
                        self.rest = after;
                        self.push_literal(c)?;
                    }
                },
                _ => {
                    self.rest = after;
                    match self.symbol(c) {
                        Some(kind) => self.push(Tree::new(kind))?,
                        None => self.push_literal(c)?,
                    }
                }
            }
            repetition = repeats;
        }
        let tree = self.end_group()?;
        if self.outer.is_empty() { Ok(tree) } else { Err(ErrorKind::MissingParen.at(self.pattern)) }
    }

    /// What `^`, `$` and `.` are in the present modes.
    fn symbol(&self, c: char) -> Option<Kind> {
        Some(match c {
            '^' if self.flags.multi_line => Kind::Look(Look::LineStart),
            '^' => Kind::Look(Look::TextStart),
            '$' if self.flags.multi_line => Kind::Look(Look::LineEnd),
            '$' => Kind::Look(Look::TextEnd),
            '.' if self.flags.dot_all => Kind::Any,
            '.' => Kind::AnyButLineFeed,
            _ => return None,
        })
    }

    /// Reads what begins with a backslash.
    fn escaped(&mut self) -> Result<(), Error> {
        let start = self.rest;
        let mut chars = start.chars();
        chars.next();
        let next = chars.next();
        let look = match next {
            Some('A') => Some(Look::TextStart),
            Some('z') => Some(Look::TextEnd),
            Some('b') => Some(Look::WordBoundary),
            Some('B') => Some(Look::NoWordBoundary),
            _ => None,
        };
        if let Some(look) = look {
            self.rest = chars.as_str();
            return self.push(Tree::new(Kind::Look(look)));
        }
        if next == Some('Q') {
            let (quoted, rest) = chars.as_str().split_once(r"\E").unwrap_or((chars.as_str(), ""));
            self.rest = rest;
            return quoted.chars().try_for_each(|c| self.push_literal(c));
        }
        if let Some((class, rest)) = escape::class(start, self.flags.fold, &mut self.known)? {
            self.rest = rest;
            return self.push(Tree::new(Kind::Class(class)));
        }
        let (point, rest) = escape::point(start)?;
        self.rest = rest;
        self.push_point(point)
    }

    /// Reads `(?…`: a named group, or flags with or without a group.
    fn open_special_group(&mut self) -> Result<(), Error> {
        let start = self.rest;
        let name = start.strip_prefix("(?P<").or_else(|| start.strip_prefix("(?<"));
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            let (name, rest) =
                name.split_once('>').ok_or_else(|| ErrorKind::InvalidNamedCapture.at(start))?;
            self.rest = rest;
            let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(valid) {
                return Err(self.error(ErrorKind::InvalidNamedCapture, start));
            }
            self.open_group(true);
            return Ok(());
        }
        let mut flags = self.flags;
        let mut on = true;
        // Whether a flag came since the `-`; without one there need be none.
        let mut any = true;
        let mut chars = start.chars();
        chars.nth(1);
        while let Some(c) = chars.next() {
            self.rest = chars.as_str();
            match c {
                'i' => flags.fold = on,
                'm' => flags.multi_line = on,
                's' => flags.dot_all = on,
                'U' => flags.swap_greed = on,
                '-' if on => (on, any) = (false, false),
                ':' | ')' if any => {
                    if c == ':' {
                        self.open_group(false);
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            any |= c != '-';
        }
        self.rest = chars.as_str();
        Err(self.error(ErrorKind::InvalidPerlOp, start))
    }

    fn open_group(&mut self, captures: bool) {
        let group = Group { captures, outer_flags: self.flags, ..Group::default() };
        self.outer.push(mem::replace(&mut self.group, group));
    }

    fn close_group(&mut self) -> Result<(), Error> {
        let tree = self.end_group()?;
        let outer = self.outer.pop().ok_or_else(|| ErrorKind::UnexpectedParen.at(self.pattern))?;
        let group = mem::replace(&mut self.group, outer);
        self.flags = group.outer_flags;
        let captured = |tree| Tree::new(Kind::Capture(Box::new(tree)));
        self.push(if group.captures { captured(tree) } else { tree })
    }

    /// The tree of the group that ends here.
    fn end_group(&mut self) -> Result<Tree, Error> {
        self.end_alternative()?;
        let mut alternatives = mem::take(&mut self.group.alternatives);
        if let Some(last) = alternatives.pop() {
            alternatives.push(last.normalised());
        }
        let tree = factor::alternate(alternatives).map_err(|kind| self.whole(kind))?;
        self.admit(tree)
    }

    /// Makes an alternative of what stands in a row.
    fn end_alternative(&mut self) -> Result<(), Error> {
        self.join_literals();
        let items = mem::take(&mut self.group.items);
        let tree = self.admit(factor::concat(items))?;
        let alternatives = &mut self.group.alternatives;
        match alternatives.pop() {
            Some(mut last) if last.is_single_char() && tree.is_single_char() => {
                last.add_alternative(tree);
                alternatives.push(last);
            }
            Some(last) => alternatives.extend([last.normalised(), tree]),
            None => alternatives.push(tree),
        }
        Ok(())
    }

    /// Reads the `?` after a repetition that began at `start`, and repeats what stands last.
    fn repeat(
        &mut self,
        times: Times,
        start: &'p str,
        previous: Option<&'p str>,
    ) -> Result<(), Error> {
        let mut greedy = !self.flags.swap_greed;
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.rest = rest;
            greedy = !greedy;
        }
        if let Some(previous) = previous {
            return Err(self.error(ErrorKind::InvalidRepeatOp, previous));
        }
        let Some(sub) = self.group.items.pop() else {
            return Err(self.error(ErrorKind::MissingRepeatArgument, start));
        };
        let tree = Tree::new(Kind::Repeat(Repeat { times, greedy, sub: Box::new(sub) }));
        let tree = tree.within_limits().map_err(|kind| self.whole(kind))?;
        // Only these multiply.
        if matches!(times, Times::Counted(min, max) if min.max(max.unwrap_or(0)) >= 2)
            && !tree.repeats_within(MAX_REPEAT)
        {
            return Err(self.error(ErrorKind::InvalidRepeatSize, start));
        }
        self.group.items.push(tree);
        Ok(())
    }

    fn push_literal(&mut self, c: char) -> Result<(), Error> {
        self.push_point(u32::from(c))
    }

    fn push_point(&mut self, point: u32) -> Result<(), Error> {
        let fold = self.flags.fold;
        self.push(Tree::literal(if fold { escape::least_of_orbit(point) } else { point }, fold))
    }

    /// Appends to the row.
    fn push(&mut self, tree: Tree) -> Result<(), Error> {
        let tree = self.admit(tree)?;
        self.join_literals();
        self.group.items.push(tree);
        Ok(())
    }

    /// Joins the last two literals of the row. The very last one stays alone until another comes,
    /// because a repetition may follow that is of it only.
    fn join_literals(&mut self) {
        let items = &mut self.group.items;
        let Some(mut last) = items.pop() else { return };
        if let (Some(Tree { kind: Kind::Literal(before), .. }), Kind::Literal(literal)) =
            (items.last_mut(), &mut last.kind)
            && before.fold == literal.fold
        {
            let mut points = mem::take(&mut before.points);
            points.append(&mut literal.points);
            let joined = Literal { points, fold: before.fold };
            items.pop();
            items.push(Tree::new(Kind::Literal(joined)));
        } else {
            items.push(last);
        }
    }

    /// The tree in its simplest form, unless a limit is exceeded.
    fn admit(&mut self, tree: Tree) -> Result<Tree, Error> {
        self.points += tree.points();
        if self.points > MAX_POINTS {
            return Err(self.whole(ErrorKind::Large));
        }
        tree.class_to_literal().within_limits().map_err(|kind| self.whole(kind))
    }

    /// An error in what was read since `start`.
    fn error(&self, kind: ErrorKind, start: &str) -> Error {
        kind.at(start.strip_suffix(self.rest).unwrap_or(start))
    }

    /// An error of the pattern as a whole.
    fn whole(&self, kind: ErrorKind) -> Error {
        kind.at(self.pattern)
    }
}

/// The least and, if there is one, the greatest number of a repetition.
type Bounds = (u32, Option<u32>);

/// The bounds of a `{n}`, `{n,}` or `{n,m}` that the text begins with, and what is after it; none
/// if it begins with no such thing. The bounds are none if Go refuses them.
fn counts(text: &str) -> Option<(Option<Bounds>, &str)> {
    let (min, text) = count(text.strip_prefix('{')?)?;
    let (max, text) = match text.strip_prefix(',') {
        None => (Some(min), text),
        Some(text) if text.starts_with('}') => (None, text),
        Some(text) => {
            let (max, text) = count(text)?;
            (Some(max), text)
        }
    };
    let rest = text.strip_prefix('}')?;
    let valid = min <= MAX_REPEAT && max.is_none_or(|max| min <= max && max <= MAX_REPEAT);
    Some((valid.then_some((min, max)), rest))
}

/// A decimal number without leading zeros, and what is after it. One that is far too large is
/// `u32::MAX`.
fn count(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), rest))
}
