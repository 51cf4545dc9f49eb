//! From text to a tree, macros expanded.
//!
//! The grammar, the parser and its errors are the `cel` crate's, which follows cel-go's grammar to
//! the letter. What is done here besides: the bounds that it lacks, and the macros, which are kept
//! as what they are ([`Fold`] and its like) instead of being taken apart into loops.

mod convert;
mod parse;

use super::types::Type;
use super::value::Value;

pub(super) use parse::parse;

/// A part of an expression.
#[derive(Debug)]
pub(super) struct Node {
    /// Where its type is found; each node has its own.
    pub index: usize,
    /// Where in the text it is told of.
    pub at: Position,
    pub kind: Kind,
}

/// A place in the text, counted from 1; the line is 0 where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub line: usize,
    pub column: usize,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A literal, with its type.
    Literal(Value<'static>, Type),
    Identifier(String),
    /// `operand.field`
    Select {
        operand: Box<Node>,
        field: String,
    },
    /// `has(operand.field)`
    Has {
        operand: Box<Node>,
        field: String,
    },
    /// `operand.?field`
    OptionalSelect {
        operand: Box<Node>,
        field: String,
    },
    Call(Call),
    List(Vec<Element>),
    Map(Vec<Entry>),
    Fold(Box<Fold>),
    OptionalMap(Box<OptionalMap>),
    SortBy(Box<SortBy>),
}

#[derive(Debug)]
pub(super) struct Call {
    /// Operators have cel-go's names, such as `_+_`.
    pub function: String,
    pub target: Option<Box<Node>>,
    pub arguments: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Element {
    /// `[?x]`: an element only if there is one.
    pub optional: bool,
    pub value: Node,
}

#[derive(Debug)]
pub(super) struct Entry {
    /// `{?k: x}`: an entry only if there is one.
    pub optional: bool,
    pub key: Node,
    pub value: Node,
}

/// A macro that goes through a list or a map.
#[derive(Debug)]
pub(super) struct Fold {
    pub kind: FoldKind,
    pub range: Node,
    /// The variable of the elements, or of the keys; with a second that of the indices.
    pub variable: String,
    pub second: Option<String>,
    /// Which elements are taken, of `map`, `filter`, `transformList` and `transformMap`.
    pub condition: Option<Node>,
    /// The predicate of a quantifier, or what is put into the result. `filter` puts the element
    /// itself there, so this is its variable.
    pub body: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FoldKind {
    All,
    Exists,
    ExistsOne,
    /// `map`, `filter` and `transformList`.
    List,
    /// `transformMap`: the body is the value of the key at hand.
    Map,
    /// `transformMapEntry`: the body is a map, which is merged.
    MapEntry,
}

/// `target.optMap(variable, body)`, and with `flat` `optFlatMap`.
#[derive(Debug)]
pub(super) struct OptionalMap {
    pub flat: bool,
    pub target: Node,
    pub variable: String,
    pub body: Node,
}

/// `target.sortBy(variable, key)`
#[derive(Debug)]
pub(super) struct SortBy {
    pub target: Node,
    /// The list of the keys, in the order of the elements: a `map` over [`SORT_BY_INPUT`].
    pub keys: Node,
}

/// What `sortBy` calls the list that is sorted; no text can name it.
pub(super) const SORT_BY_INPUT: &str = "@__sortBy_input__";

/// What cel-go calls the result of a fold; a variable must not.
const ACCUMULATORS: [&str; 2] = ["@result", "__result__"];

impl Node {
    /// The name that `a.b.c` spells, if it is nothing but names.
    pub(super) fn qualified_name(&self) -> Option<String> {
        match &self.kind {
            Kind::Identifier(name) => Some(name.clone()),
            Kind::Select { operand, field } => {
                Some(format!("{}.{field}", operand.qualified_name()?))
            }
            _ => None,
        }
    }

    /// The parts that this one has itself.
    pub(super) fn children(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Literal(..) | Kind::Identifier(_) => Vec::new(),
            Kind::Select { operand, .. }
            | Kind::Has { operand, .. }
            | Kind::OptionalSelect { operand, .. } => vec![operand],
            Kind::Call(call) => {
                call.target.iter().map(AsRef::as_ref).chain(&call.arguments).collect()
            }
            Kind::List(elements) => elements.iter().map(|element| &element.value).collect(),
            Kind::Map(entries) => {
                entries.iter().flat_map(|entry| [&entry.key, &entry.value]).collect()
            }
            Kind::Fold(fold) => {
                [&fold.range].into_iter().chain(&fold.condition).chain([&fold.body]).collect()
            }
            Kind::OptionalMap(map) => vec![&map.target, &map.body],
            Kind::SortBy(sort) => vec![&sort.target, &sort.keys],
        }
    }
}
