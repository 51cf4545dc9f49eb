//! The type checker: cel-go's rules and words (`checker/checker.go`), over a tree in which macros
//! are whole.

mod calls;
mod folds;
mod formats;
mod hints;
mod literals;
mod unify;

use super::error::Mistake;
use super::library::{Function, Overload};
use super::scope::Scope;
use super::syntax::{Kind, Node, Position};
use super::types::Type;
use unify::{Unifier, most_general};

/// What the checker found out, by the indices of the nodes.
pub(super) struct Checked {
    types: Vec<Type>,
    calls: Vec<Option<Resolution>>,
}

/// The function that a call is of.
#[derive(Clone, Copy)]
pub(super) struct Resolution {
    pub function: &'static Function,
    /// The overload, where there is but one that fits.
    pub only: Option<&'static Overload>,
    /// Whether the call's target is only the first part of the function's name.
    pub is_qualified: bool,
}

impl Checked {
    /// The type of a node.
    pub(super) fn type_of(&self, node: &Node) -> &Type {
        self.types.get(node.index).unwrap_or(&Type::Dyn)
    }

    /// The function that is called by a node.
    pub(super) fn call_of(&self, node: &Node) -> Option<Resolution> {
        self.calls.get(node.index).copied().flatten()
    }
}

/// Checks a tree of `nodes` nodes.
///
/// # Errors
/// All that is wrong with its types.
pub(super) fn check(root: &Node, nodes: usize, scope: &Scope) -> Result<Checked, Vec<Mistake>> {
    let mut checker = Checker {
        scope,
        types: vec![Type::Dyn; nodes],
        calls: vec![None; nodes],
        unifier: Unifier::default(),
        locals: Vec::new(),
        mistakes: Vec::new(),
        is_authorizer_missing: false,
    };
    checker.check(root);
    if !checker.mistakes.is_empty() {
        return Err(checker.mistakes);
    }
    let types = checker.types.iter().map(|type_| checker.unifier.substitute(type_, true)).collect();
    let checked = Checked { types, calls: checker.calls };
    let mistakes = literals::check(root, &checked);
    if mistakes.is_empty() { Ok(checked) } else { Err(mistakes) }
}

struct Checker<'s> {
    scope: &'s Scope,
    types: Vec<Type>,
    calls: Vec<Option<Resolution>>,
    unifier: Unifier,
    /// The variables of macros, innermost last.
    locals: Vec<(String, Type)>,
    mistakes: Vec<Mistake>,
    is_authorizer_missing: bool,
}

impl Checker<'_> {
    fn complain(&mut self, at: Position, message: String, hint: Option<String>) {
        self.mistakes.push(Mistake { line: at.line, column: at.column, message, hint });
    }

    fn mismatch(&mut self, at: Position, expected: &Type, found: &Type) {
        let (expected, found) = (expected.in_errors(), found.in_errors());
        self.complain(at, format!("expected type '{expected}' but found '{found}'"), None);
    }

    fn known(&self, type_: &Type) -> Type {
        self.unifier.substitute(type_, false)
    }

    /// The type of a node, which is kept.
    fn check(&mut self, node: &Node) -> Type {
        let mut type_ = match &node.kind {
            Kind::Literal(_, type_) => type_.clone(),
            Kind::Identifier(name) => self.check_identifier(node, name),
            Kind::Select { operand, field } => match self.check_qualified(node) {
                Some(type_) => type_,
                None => {
                    let type_ = self.check_field(node, operand, field, false);
                    self.known(&type_)
                }
            },
            Kind::Has { operand, field } => {
                self.check_field(node, operand, field, false);
                Type::Bool
            }
            Kind::OptionalSelect { operand, field } => {
                let type_ = self.check_field(node, operand, field, true);
                self.known(&type_)
            }
            Kind::Call(call) => self.check_call(node, call),
            Kind::List(elements) => {
                let mut joined = None;
                for element in elements {
                    let type_ = self.check(&element.value);
                    let type_ = self.unwrap(element.optional, &element.value, type_);
                    joined = Some(self.join(joined, type_));
                }
                let element = joined.unwrap_or_else(|| self.unifier.fresh());
                Type::list(element)
            }
            Kind::Map(entries) => {
                let mut joined: Option<(Type, Type)> = None;
                for entry in entries {
                    let (keys, values) = joined.unzip();
                    let key = self.check(&entry.key);
                    let key = self.join(keys, key);
                    let value = self.check(&entry.value);
                    let value = self.unwrap(entry.optional, &entry.value, value);
                    let value = self.join(values, value);
                    joined = Some((key, value));
                }
                let (key, value) =
                    joined.unwrap_or_else(|| (self.unifier.fresh(), self.unifier.fresh()));
                Type::map(key, value)
            }
            Kind::Fold(fold) => self.check_fold(node, fold),
            Kind::OptionalMap(map) => self.check_optional_map(node, map),
            Kind::SortBy(sort) => self.check_sort_by(node, sort),
        };
        if !self.unifier.is_small(&type_) {
            self.complain(node.at, "the type of this is too large".to_owned(), None);
            type_ = Type::Error;
        }
        if let Some(slot) = self.types.get_mut(node.index) {
            slot.clone_from(&type_);
        }
        type_
    }

    /// The type of a name, if it is one.
    fn lookup(&self, name: &str) -> Option<Type> {
        let name = name.strip_prefix('.').unwrap_or(name);
        let local = self.locals.iter().rfind(|(local, _)| local == name);
        local.map(|(_, type_)| type_.clone()).or_else(|| self.scope.name(name))
    }

    fn check_identifier(&mut self, node: &Node, name: &str) -> Type {
        if let Some(type_) = self.lookup(name) {
            return type_;
        }
        let hint = hints::name(name, self.scope, self.locals.iter().map(|(name, _)| &**name));
        let mut message = format!("undeclared reference to '{name}' (in container '')");
        self.is_authorizer_missing |= name == "authorizer";
        if let Some(why) = hints::unavailable(name) {
            message = format!("{message}: {why}");
        }
        self.complain(node.at, message, hint);
        Type::Error
    }

    /// The type that `a.b.c` has as one name.
    fn check_qualified(&mut self, node: &Node) -> Option<Type> {
        let name = node.qualified_name()?;
        self.lookup(&name)
    }

    fn check_field(&mut self, node: &Node, operand: &Node, field: &str, is_optional: bool) -> Type {
        let type_ = self.check(operand);
        let type_ = self.known(&type_);
        let (target, was_optional) = match type_ {
            Type::Optional(inner) => ((*inner).clone(), true),
            other => (other, false),
        };
        let result = match &target {
            Type::Map(entry) => entry.1.clone(),
            Type::Object(name) => match self.scope.field(name, field) {
                Some(type_) => type_,
                None => {
                    let names = self.scope.field_names(name);
                    let hint = hints::nearest(field, names.into_iter());
                    self.complain(node.at, format!("undefined field '{field}'"), hint);
                    Type::Error
                }
            },
            Type::Parameter(_) => {
                self.unifier.is_assignable(&Type::Dyn, &target);
                Type::Dyn
            }
            Type::Dyn | Type::Error => Type::Dyn,
            other => {
                let name = other.in_errors();
                let message = format!("type '{name}' does not support field selection");
                self.complain(node.at, message, None);
                Type::Dyn
            }
        };
        if was_optional || is_optional { Type::optional(result) } else { result }
    }

    /// The type within an optional, where `?` asks for one.
    fn unwrap(&mut self, optional: bool, node: &Node, type_: Type) -> Type {
        match type_ {
            Type::Optional(inner) if optional => (*inner).clone(),
            Type::Dyn => Type::Dyn,
            other => {
                if optional {
                    self.mismatch(node.at, &Type::optional(other.clone()), &other);
                }
                other
            }
        }
    }

    /// The type that several elements have in common, or `dyn`; whether they may differ is checked
    /// afterwards, in `literals`.
    fn join(&mut self, before: Option<Type>, type_: Type) -> Type {
        match before {
            None => type_,
            Some(before) if self.unifier.is_assignable(&before, &type_) => {
                most_general(&before, &type_).clone()
            }
            Some(_) => Type::Dyn,
        }
    }
}
