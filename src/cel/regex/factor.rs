//! Alternatives with their common beginnings taken out: `abc|abd` is `ab[cd]`.
//!
//! What matches stays the same, and in the same order of preference. It is done because Go does it
//! and limits the height of what results.

use std::{mem, vec};

use super::error::ErrorKind;
use super::tree::{Kind, Literal, MAX_HEIGHT, Times, Tree};

/// The alternation of these alternatives, in order of preference.
///
/// The rests of alternatives that begin alike are alternatives themselves. They are worked on with a
/// stack of our own, since words that share a long beginning nest as deep as it is long.
///
/// # Errors
/// [`ErrorKind::NestingDepth`] if so much was taken out that the tree would be too high.
pub(super) fn alternate(alternatives: Vec<Tree>) -> Result<Tree, ErrorKind> {
    if alternatives.len() == 1 {
        return Ok(unwrap_or(alternatives, Kind::Alternate));
    }
    let mut outer: Vec<Factoring> = Vec::new();
    let mut current = Factoring::new(alternatives);
    loop {
        match current.step() {
            Step::Rests(rests) => {
                outer.push(mem::replace(&mut current, Factoring::new(rests)));
                // Each is a level of the tree.
                if outer.len() > MAX_HEIGHT as usize {
                    return Err(ErrorKind::NestingDepth);
                }
            }
            Step::Done(tree) => match outer.pop() {
                Some(waiting) => {
                    current = waiting;
                    current.rest(tree);
                }
                None => return Ok(tree),
            },
        }
    }
}

/// The concatenation of these.
pub(super) fn concat(items: Vec<Tree>) -> Tree {
    if items.len() == 1 {
        return unwrap_or(items, Kind::Concat);
    }
    let mut flat = Vec::with_capacity(items.len());
    for item in items {
        match item.kind {
            Kind::Concat(subs) => flat.extend(subs),
            _ => flat.push(item),
        }
    }
    unwrap_or(flat, Kind::Concat)
}

/// The only tree there is, or the node of all of them; of none, the empty one.
fn unwrap_or(mut trees: Vec<Tree>, node: fn(Vec<Tree>) -> Kind) -> Tree {
    match trees.len() {
        0 => Tree::new(Kind::Empty),
        1 => trees.swap_remove(0),
        _ => Tree::new(node(trees)),
    }
}

/// What a run of alternatives has in common.
#[derive(Clone, Copy)]
enum Common {
    /// So many code points of a literal.
    Points(usize),
    /// All of the first node.
    Head,
}

/// What beginnings are looked for.
#[derive(Clone, Copy)]
enum Round {
    Literals,
    Heads,
}

impl Round {
    fn next(self) -> Option<Round> {
        match self {
            Round::Literals => Some(Round::Heads),
            Round::Heads => None,
        }
    }

    /// What an alternative has in common with the first of a run that has `common` in common; none
    /// if nothing that may be taken out.
    fn shared(self, first: &Tree, common: Option<Common>, next: &Tree) -> Option<Common> {
        let (first, next) = (head(first), head(next));
        match self {
            Round::Literals => {
                let limit = if let Some(Common::Points(n)) = common { n } else { usize::MAX };
                common_points(first, next, limit).map(Common::Points)
            }
            Round::Heads => same_simple_head(first, next).then_some(Common::Head),
        }
    }
}

/// Alternatives on their way to a tree.
struct Factoring {
    /// What is still to be compared in this round.
    todo: vec::IntoIter<Tree>,
    /// What is looked for in this round; none after the last.
    round: Option<Round>,
    /// Neighbours that have `common` in common; one alone if that is none.
    run: Vec<Tree>,
    common: Option<Common>,
    /// The beginning whose rests are being worked on.
    beginning: Option<Tree>,
    /// What this round came to.
    done: Vec<Tree>,
}

/// What comes next.
enum Step {
    /// To work on these; the result is to be given to [`Factoring::rest`].
    Rests(Vec<Tree>),
    Done(Tree),
}

impl Factoring {
    fn new(alternatives: Vec<Tree>) -> Factoring {
        let mut flat = Vec::with_capacity(alternatives.len());
        for alternative in alternatives {
            match alternative.kind {
                Kind::Alternate(subs) => flat.extend(subs),
                _ => flat.push(alternative),
            }
        }
        Factoring {
            todo: flat.into_iter(),
            round: Some(Round::Literals),
            run: Vec::new(),
            common: None,
            beginning: None,
            done: Vec::new(),
        }
    }

    /// Works up to the next run of alternatives that begin alike, or to the end.
    fn step(&mut self) -> Step {
        while let Some(round) = self.round {
            while let Some(tree) = self.todo.next() {
                let shared = self.run.first().and_then(|run| round.shared(run, self.common, &tree));
                let rests = if shared.is_none() { self.end_run() } else { None };
                self.common = shared;
                self.run.push(tree);
                if let Some(rests) = rests {
                    return Step::Rests(rests);
                }
            }
            if let Some(rests) = self.end_run() {
                return Step::Rests(rests);
            }
            self.round = round.next();
            self.todo = mem::take(&mut self.done).into_iter();
        }
        let mut trees = join_single_chars(mem::take(&mut self.todo));
        trees.dedup_by(|next, kept| matches!((&next.kind, &kept.kind), (Kind::Empty, Kind::Empty)));
        Step::Done(unwrap_or(trees, Kind::Alternate))
    }

    /// Takes out what the run has in common, and leaves the rests of its alternatives, if anything.
    fn end_run(&mut self) -> Option<Vec<Tree>> {
        let run = mem::take(&mut self.run);
        let Some(common) = self.common.take() else {
            self.done.extend(run);
            return None;
        };
        let mut rests = Vec::with_capacity(run.len());
        for tree in run {
            let (beginning, rest) = match common {
                Common::Points(n) => split_literal(tree, n),
                Common::Head => split_head(tree),
            };
            self.beginning = self.beginning.take().or(beginning);
            rests.push(rest);
        }
        Some(rests)
    }

    /// Takes the alternation of the rests.
    fn rest(&mut self, rest: Tree) {
        let trees = self.beginning.take().into_iter().chain([rest]).collect();
        self.done.push(Tree::new(Kind::Concat(trees)));
    }
}

/// The first node of a concatenation; of another node, itself.
fn head(tree: &Tree) -> &Tree {
    match &tree.kind {
        Kind::Concat(subs) => subs.first().unwrap_or(tree),
        _ => tree,
    }
}

/// How many code points two literals have in common at the beginning, up to a limit; none if none.
fn common_points(one: &Tree, other: &Tree, limit: usize) -> Option<usize> {
    let (Kind::Literal(one), Kind::Literal(other)) = (&one.kind, &other.kind) else {
        return None;
    };
    let pairs = one.points.iter().zip(&other.points).take(limit);
    let same = pairs.take_while(|(one, other)| one == other).count();
    (one.fold == other.fold && same > 0).then_some(same)
}

/// Whether both are the same single character, or the same fixed number of the same one. Anything
/// else has more than one way to match, and to take it out would change their order.
fn same_simple_head(one: &Tree, other: &Tree) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Repeat(one), Kind::Repeat(other)) => {
            let fixed = matches!(one.times, Times::Counted(min, max) if max == Some(min));
            fixed
                && (one.times, one.greedy) == (other.times, other.greedy)
                && same_char(&one.sub, &other.sub)
        }
        _ => same_char(one, other),
    }
}

/// Whether both are the same single character of a set.
fn same_char(one: &Tree, other: &Tree) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Literal(one), Kind::Literal(other)) => one.points.len() == 1 && one == other,
        (Kind::Class(one), Kind::Class(other)) => one == other,
        (Kind::Any, Kind::Any) | (Kind::AnyButLineFeed, Kind::AnyButLineFeed) => true,
        _ => false,
    }
}

/// The first `n` code points of the literal that the tree begins with, and what is after them.
fn split_literal(tree: Tree, n: usize) -> (Option<Tree>, Tree) {
    match tree.kind {
        Kind::Literal(mut literal) => {
            let rest = literal.points.split_off(n.min(literal.points.len()));
            let fold = literal.fold;
            let rest = if rest.is_empty() {
                Kind::Empty
            } else {
                Kind::Literal(Literal { points: rest, fold })
            };
            (Some(Tree::new(Kind::Literal(literal))), Tree::new(rest))
        }
        Kind::Concat(mut subs) => {
            let Some(first) = subs.first_mut() else {
                return (None, Tree::new(Kind::Concat(subs)));
            };
            let (beginning, rest) = split_literal(mem::replace(first, Tree::new(Kind::Empty)), n);
            if matches!(rest.kind, Kind::Empty) {
                subs.remove(0);
            } else {
                *first = rest;
            }
            (beginning, unwrap_or(subs, Kind::Concat))
        }
        kind => (None, Tree::new(kind)),
    }
}

/// The first node, and what is after it.
fn split_head(tree: Tree) -> (Option<Tree>, Tree) {
    match tree.kind {
        Kind::Concat(mut subs) if !subs.is_empty() => {
            let head = subs.remove(0);
            (Some(head), unwrap_or(subs, Kind::Concat))
        }
        kind => (Some(Tree::new(kind)), Tree::new(Kind::Empty)),
    }
}

/// Neighbours that are single characters as one class.
fn join_single_chars(trees: impl ExactSizeIterator<Item = Tree>) -> Vec<Tree> {
    let mut out: Vec<Tree> = Vec::with_capacity(trees.len());
    let mut joined = false;
    for tree in trees {
        if tree.is_single_char()
            && let Some(last) = out.last_mut().filter(|last| last.is_single_char())
        {
            last.add_alternative(tree);
            joined = true;
            continue;
        }
        if joined && let Some(last) = out.pop() {
            out.push(last.normalised());
            joined = false;
        }
        out.push(tree);
    }
    if joined && let Some(last) = out.pop() {
        out.push(last.normalised());
    }
    out
}
