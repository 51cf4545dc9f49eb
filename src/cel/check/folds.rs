//! Macros: checked as if they were the loops that cel-go makes of them.

use super::{Checker, Resolution};
use crate::cel::library;
use crate::cel::syntax::{Fold, FoldKind, Node, OptionalMap, Position, SORT_BY_INPUT, SortBy};
use crate::cel::types::Type;

impl Checker<'_> {
    /// The type of a call with arguments of `types`; if no overload fits, that is noted as a mistake.
    fn apply(&mut self, at: Position, name: &str, is_member: bool, types: &[Type]) -> Type {
        let resolved = library::function(name)
            .and_then(|function| self.resolve(at, function, is_member, types));
        resolved.map_or(Type::Error, |(type_, _)| type_)
    }

    pub(super) fn check_fold(&mut self, node: &Node, fold: &Fold) -> Type {
        let range = self.check(&fold.range);
        let accumulator = match fold.kind {
            FoldKind::All | FoldKind::Exists => Type::Bool,
            FoldKind::ExistsOne => Type::Int,
            FoldKind::List => Type::list(self.unifier.fresh()),
            FoldKind::Map | FoldKind::MapEntry => {
                let key = self.unifier.fresh();
                Type::map(key, self.unifier.fresh())
            }
        };
        let range = self.known(&range);
        let (first, second) = self.variables(fold, &range);
        let outer = self.locals.len();
        self.locals.push((fold.variable.clone(), first.clone()));
        if let Some(name) = &fold.second {
            self.locals.push((name.clone(), second));
        }
        let step = self.check_step(node, fold, &accumulator, first);
        if !self.unifier.is_assignable(&accumulator, &step) {
            self.mismatch(node.at, &accumulator, &step);
        }
        self.locals.truncate(outer);
        match fold.kind {
            FoldKind::ExistsOne => Type::Bool,
            _ => self.known(&accumulator),
        }
    }

    fn variables(&mut self, fold: &Fold, range: &Type) -> (Type, Type) {
        let has_two = fold.second.is_some();
        match range {
            Type::List(element) if has_two => (Type::Int, (**element).clone()),
            Type::List(element) => ((**element).clone(), Type::Dyn),
            Type::Map(entry) => (entry.0.clone(), entry.1.clone()),
            Type::Dyn | Type::Error | Type::Parameter(_) => {
                self.unifier.is_assignable(&Type::Dyn, range);
                (Type::Dyn, Type::Dyn)
            }
            other => {
                let name = other.in_errors();
                let message = format!(
                    "expression of type '{name}' cannot be range of a comprehension (must be \
                     list, map, or dynamic)"
                );
                self.complain(fold.range.at, message, None);
                (Type::Error, Type::Error)
            }
        }
    }

    /// The type of what one round makes.
    fn check_step(&mut self, node: &Node, fold: &Fold, accumulator: &Type, key: Type) -> Type {
        let at = node.at;
        let condition = fold.condition.as_ref().map(|condition| self.check(condition));
        let body = self.check(&fold.body);
        let step = match fold.kind {
            FoldKind::All | FoldKind::Exists => {
                let is_bool = self.expect_bool(&fold.body, &body);
                return if is_bool { Type::Bool } else { Type::Error };
            }
            FoldKind::ExistsOne => {
                return self.apply(at, "_?_:_", false, &[body, Type::Int, Type::Int]);
            }
            FoldKind::List => {
                self.apply(at, "_+_", false, &[accumulator.clone(), Type::list(body)])
            }
            FoldKind::Map => {
                self.apply(at, "cel.@mapInsert", false, &[accumulator.clone(), key, body])
            }
            FoldKind::MapEntry => {
                self.apply(at, "cel.@mapInsert", false, &[accumulator.clone(), body])
            }
        };
        match condition {
            Some(condition) => {
                self.apply(at, "_?_:_", false, &[condition, step, accumulator.clone()])
            }
            None => step,
        }
    }

    pub(super) fn check_optional_map(&mut self, node: &Node, map: &OptionalMap) -> Type {
        let target = self.check(&map.target);
        let has = self.apply(node.at, "hasValue", true, std::slice::from_ref(&target));
        let value = self.apply(node.at, "value", true, &[target]);
        self.locals.push((map.variable.clone(), value));
        let body = self.check(&map.body);
        self.locals.pop();
        let body = self.known(&body);
        let some = match map.flat {
            true => body,
            false => self.apply(node.at, "optional.of", false, &[body]),
        };
        let none = self.apply(node.at, "optional.none", false, &[]);
        self.apply(node.at, "_?_:_", false, &[has, some, none])
    }

    pub(super) fn check_sort_by(&mut self, node: &Node, sort: &SortBy) -> Type {
        let target = self.check(&sort.target);
        self.locals.push((SORT_BY_INPUT.to_owned(), target.clone()));
        let keys = self.check(&sort.keys);
        self.locals.pop();
        let Some(function) = library::function("@sortByAssociatedKeys") else {
            return Type::Error;
        };
        let Some((type_, only)) = self.resolve(node.at, function, true, &[target, keys]) else {
            return Type::Error;
        };
        if let Some(call) = self.calls.get_mut(node.index) {
            *call = Some(Resolution { function, only, is_qualified: false });
        }
        type_
    }
}
