//! From the parser's tree to ours: macros are recognised, and everything has a place.

use cel::common::ast::{
    CallExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, ListExpr, LiteralValue,
};

use super::{
    ACCUMULATORS, Call, Element, Entry, Fold, FoldKind, Kind, Node, OptionalMap, Position,
    SORT_BY_INPUT, SortBy,
};
use crate::cel::error::Mistake;
use crate::cel::types::Type;
use crate::cel::value::Value;

/// Builds the tree, and gathers what is wrong with macros on the way.
pub(super) struct Converter<F> {
    position_of: F,
    nodes: usize,
    mistakes: Vec<Mistake>,
}

impl<F: Fn(u64, bool) -> Option<Position>> Converter<F> {
    /// `position_of` gives the place of a part of the parser's tree, and is told whether that is a
    /// negative number.
    pub(super) fn new(position_of: F) -> Self {
        Self { position_of, nodes: 0, mistakes: Vec::new() }
    }

    /// The mistakes, and how many nodes there are.
    pub(super) fn finish(self) -> (Vec<Mistake>, usize) {
        (self.mistakes, self.nodes)
    }

    fn next_index(&mut self) -> usize {
        self.nodes += 1;
        self.nodes - 1
    }

    fn node(&mut self, at: Position, kind: Kind) -> Node {
        Node { index: self.next_index(), at, kind }
    }

    fn complain(&mut self, at: Position, message: impl Into<String>, hint: Option<&str>) {
        self.mistakes.push(Mistake {
            line: at.line,
            column: at.column,
            message: message.into(),
            hint: hint.map(str::to_owned),
        });
    }

    fn at(&self, id: u64) -> Position {
        (self.position_of)(id, false).unwrap_or_default()
    }

    pub(super) fn convert(&mut self, expression: IdedExpr) -> Node {
        let is_negative = match &expression.expr {
            Expr::Literal(LiteralValue::Int(value)) => *value.inner() < 0,
            Expr::Literal(LiteralValue::Double(value)) => value.inner().is_sign_negative(),
            _ => false,
        };
        let at = (self.position_of)(expression.id, is_negative).unwrap_or_default();
        let kind = match expression.expr {
            Expr::Literal(literal) => literal_kind(literal),
            Expr::Ident(name) => Kind::Identifier(name),
            Expr::Select(select) => Kind::Select {
                operand: Box::new(self.convert(*select.operand)),
                field: select.field,
            },
            Expr::Call(call) => return self.convert_call(at, call),
            Expr::List(list) => self.convert_list(list),
            Expr::Map(map) => {
                Kind::Map(map.entries.into_iter().filter_map(|e| self.convert_entry(e)).collect())
            }
            Expr::Struct(new) => {
                self.complain(
                    at,
                    format!("undeclared reference to '{}' (in container '')", new.type_name),
                    Some("messages cannot be made here; a map is written {'key': value}"),
                );
                Kind::Literal(Value::Null, Type::Error)
            }
            Expr::Comprehension(_) | Expr::Unspecified => Kind::Literal(Value::Null, Type::Error),
        };
        self.node(at, kind)
    }

    fn convert_list(&mut self, list: ListExpr) -> Kind {
        let mut optional = list.optional_indices.into_iter().peekable();
        let elements = list.elements.into_iter().enumerate().map(|(index, value)| Element {
            optional: optional.next_if_eq(&index).is_some(),
            value: self.convert(value),
        });
        Kind::List(elements.collect())
    }

    fn convert_entry(&mut self, entry: IdedEntryExpr) -> Option<Entry> {
        let EntryExpr::MapEntry(entry) = entry.expr else { return None };
        Some(Entry {
            optional: entry.optional,
            key: self.convert(entry.key),
            value: self.convert(entry.value),
        })
    }

    fn convert_call(&mut self, at: Position, call: CallExpr) -> Node {
        let count = call.args.len();
        let name = call.func_name.as_str();
        match (&call.target, name, count) {
            (None, "has", 1) => self.has(at, call),
            (None, "_?._", 2) => self.optional_select(at, call),
            (Some(_), "all", 2 | 3) => self.fold(at, call, FoldKind::All),
            (Some(_), "exists", 2 | 3) => self.fold(at, call, FoldKind::Exists),
            (Some(_), "exists_one", 2 | 3) | (Some(_), "existsOne", 3) => {
                self.fold(at, call, FoldKind::ExistsOne)
            }
            (Some(_), "map", 2 | 3) | (Some(_), "filter", 2) => self.fold(at, call, FoldKind::List),
            (Some(_), "transformList", 3 | 4) => self.fold(at, call, FoldKind::List),
            (Some(_), "transformMap", 3 | 4) => self.fold(at, call, FoldKind::Map),
            (Some(_), "transformMapEntry", 3 | 4) => self.fold(at, call, FoldKind::MapEntry),
            (Some(_), "optMap" | "optFlatMap", 2) => self.optional_map(at, call),
            (Some(_), "sortBy", 2) => self.sort_by(at, call),
            _ => {
                let target = call.target.map(|target| Box::new(self.convert(*target)));
                let arguments = call.args.into_iter().map(|a| self.convert(a)).collect();
                let function = call.func_name;
                self.node(at, Kind::Call(Call { function, target, arguments }))
            }
        }
    }

    /// What stands in the place of a macro that is used wrongly.
    fn wrong(&mut self, at: Position) -> Node {
        self.node(at, Kind::Literal(Value::Null, Type::Error))
    }

    fn has(&mut self, at: Position, call: CallExpr) -> Node {
        let argument = call.args.into_iter().next().map(|argument| self.convert(argument));
        match argument {
            Some(Node {
                kind: Kind::Select { operand, field } | Kind::Has { operand, field },
                ..
            }) => self.node(at, Kind::Has { operand, field }),
            other => {
                let place = other.map_or(at, |node| node.at);
                self.complain(
                    place,
                    "invalid argument to has() macro",
                    Some("has(x.field) asks for a field; whether a key is there: 'key' in x"),
                );
                self.wrong(place)
            }
        }
    }

    fn optional_select(&mut self, at: Position, call: CallExpr) -> Node {
        let mut arguments = call.args.into_iter();
        match (arguments.next(), arguments.next().map(|field| field.expr)) {
            (Some(operand), Some(Expr::Literal(LiteralValue::String(field)))) => {
                let operand = Box::new(self.convert(operand));
                self.node(at, Kind::OptionalSelect { operand, field: field.inner().to_owned() })
            }
            _ => self.wrong(at),
        }
    }

    /// The variable that an argument names, or a complaint.
    fn variable(&mut self, argument: Option<IdedExpr>, message: &str) -> Option<String> {
        let argument = argument?;
        let at = self.at(argument.id);
        match argument.expr {
            Expr::Ident(name) if ACCUMULATORS.contains(&name.as_str()) => {
                self.complain(at, "iteration variable overwrites accumulator variable", None);
                None
            }
            Expr::Ident(name) => Some(name),
            _ => {
                self.complain(at, message, Some("the first argument names the variable"));
                None
            }
        }
    }

    fn fold(&mut self, at: Position, call: CallExpr, kind: FoldKind) -> Node {
        let is_quantifier = matches!(kind, FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne);
        let is_filter = call.func_name == "filter";
        let has_two =
            call.func_name.starts_with("transform") || (is_quantifier && call.args.len() == 3);
        let message = match call.func_name.as_str() {
            "map" | "filter" => "argument is not an identifier",
            _ => "argument must be a simple name",
        };
        let mut arguments = call.args.into_iter();
        // In the order of the text, so that numbering and errors are too.
        let range = call.target.map(|target| self.convert(*target));
        let first = arguments.next();
        let first_at = first.as_ref().map_or(at, |argument| self.at(argument.id));
        let variable = self.variable(first, message);
        let second = has_two.then(|| {
            let argument = arguments.next();
            let place = argument.as_ref().map_or(at, |argument| self.at(argument.id));
            (self.variable(argument, message), place)
        });
        if let (Some(first), Some((Some(second), place))) = (&variable, &second)
            && first == second
        {
            let message = format!("duplicate variable name: {first}");
            self.complain(*place, message, None);
        }
        let mut rest: Vec<Node> = arguments.map(|argument| self.convert(argument)).collect();
        let last = rest.pop();
        let (condition, body) = match (is_filter, last) {
            (true, predicate) => {
                let element = Kind::Identifier(variable.clone().unwrap_or_default());
                (predicate, Some(self.node(first_at, element)))
            }
            (false, body) => (rest.pop(), body),
        };
        let (Some(range), Some(variable), Some(body)) = (range, variable, body) else {
            return self.wrong(at);
        };
        let second = match second {
            None => None,
            Some((Some(second), _)) => Some(second),
            Some((None, _)) => return self.wrong(at),
        };
        let fold = Fold { kind, range, variable, second, condition, body };
        self.node(at, Kind::Fold(Box::new(fold)))
    }

    fn optional_map(&mut self, at: Position, call: CallExpr) -> Node {
        let flat = call.func_name == "optFlatMap";
        let target = call.target.map(|target| self.convert(*target));
        let mut arguments = call.args.into_iter();
        let message = format!("{}() variable name must be a simple identifier", call.func_name);
        let variable = match arguments.next() {
            Some(IdedExpr { expr: Expr::Ident(name), .. }) => Some(name),
            other => {
                let place = other.map_or(at, |argument| self.at(argument.id));
                self.complain(place, message, Some("the first argument names the variable"));
                None
            }
        };
        let body = arguments.next().map(|body| self.convert(body));
        let (Some(target), Some(variable), Some(body)) = (target, variable, body) else {
            return self.wrong(at);
        };
        let map = OptionalMap { flat, target, variable, body };
        self.node(at, Kind::OptionalMap(Box::new(map)))
    }

    fn sort_by(&mut self, at: Position, call: CallExpr) -> Node {
        let target = call.target.map(|target| self.convert(*target));
        let Some(target) = target else { return self.wrong(at) };
        if matches!(target.kind, Kind::Literal(..) | Kind::Map(_)) {
            self.complain(
                target.at,
                "sortBy can only be applied to a list, identifier, comprehension, call or select \
                 expression",
                None,
            );
            return self.wrong(at);
        }
        let mut arguments = call.args.into_iter();
        let variable = self.variable(arguments.next(), "argument is not an identifier");
        let body = arguments.next().map(|body| self.convert(body));
        let (Some(variable), Some(body)) = (variable, body) else { return self.wrong(at) };
        let range = self.node(at, Kind::Identifier(SORT_BY_INPUT.to_owned()));
        let fold =
            Fold { kind: FoldKind::List, range, variable, second: None, condition: None, body };
        let keys = self.node(at, Kind::Fold(Box::new(fold)));
        self.node(at, Kind::SortBy(Box::new(SortBy { target, keys })))
    }
}

fn literal_kind(literal: LiteralValue) -> Kind {
    match literal {
        LiteralValue::Boolean(value) => Kind::Literal(Value::Bool(*value.inner()), Type::Bool),
        LiteralValue::Int(value) => Kind::Literal(Value::Int(*value.inner()), Type::Int),
        LiteralValue::UInt(value) => Kind::Literal(Value::Uint(*value.inner()), Type::Uint),
        LiteralValue::Double(value) => Kind::Literal(Value::Double(*value.inner()), Type::Double),
        LiteralValue::String(text) => Kind::Literal(Value::string(text.inner()), Type::String),
        LiteralValue::Bytes(bytes) => {
            Kind::Literal(Value::Bytes(bytes.inner().into()), Type::Bytes)
        }
        LiteralValue::Null => Kind::Literal(Value::Null, Type::Null),
    }
}
