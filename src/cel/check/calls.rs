//! Calls: which overloads fit.

use super::unify::instantiate;
use super::{Checker, Resolution, hints};
use crate::cel::library::{self, Function, Overload};
use crate::cel::syntax::{Call, Node, Position};
use crate::cel::types::Type;

impl Checker<'_> {
    pub(super) fn check_call(&mut self, node: &Node, call: &Call) -> Type {
        let arguments: Vec<Type> =
            call.arguments.iter().map(|argument| self.check(argument)).collect();
        let Some(target) = &call.target else {
            let name = call.function.strip_prefix('.').unwrap_or(&call.function);
            if matches!(name, "_&&_" | "_||_") {
                return self.check_logic(call, &arguments);
            }
            let Some(function) = library::function(name) else {
                return self.undeclared_function(node.at, &call.function);
            };
            return self.resolve_call(node, function, false, arguments);
        };
        if let Some(prefix) = target.qualified_name() {
            let name = format!("{}.{}", prefix.trim_start_matches('.'), call.function);
            if let Some(function) = library::function(&name) {
                return self.resolve_call(node, function, true, arguments);
            }
        }
        let mut all = vec![self.check(target)];
        all.extend(arguments);
        let Some(function) = library::function(&call.function) else {
            return self.undeclared_function(node.at, &call.function);
        };
        let resolved = self.resolve(node.at, function, true, &all);
        self.keep(node, function, false, resolved)
    }

    fn check_logic(&mut self, call: &Call, types: &[Type]) -> Type {
        let mut result = Type::Bool;
        for (argument, type_) in call.arguments.iter().zip(types) {
            if !self.expect_bool(argument, type_) {
                result = Type::Error;
            }
        }
        result
    }

    /// Whether a part that has to be a bool is one; if not, that is noted as a mistake.
    pub(super) fn expect_bool(&mut self, node: &Node, type_: &Type) -> bool {
        if self.unifier.is_assignable(type_, &Type::Bool) {
            return true;
        }
        self.mismatch(node.at, &Type::Bool, type_);
        false
    }

    fn undeclared_function(&mut self, at: Position, name: &str) -> Type {
        // Of the methods of what is not there, enough is said.
        if !(self.is_authorizer_missing && hints::AUTHORIZER_METHODS.contains(&name)) {
            let message = format!("undeclared reference to '{name}' (in container '')");
            self.complain(at, message, hints::function(name));
        }
        Type::Error
    }

    fn resolve_call(
        &mut self,
        node: &Node,
        function: &'static Function,
        is_qualified: bool,
        arguments: Vec<Type>,
    ) -> Type {
        let resolved = self.resolve(node.at, function, false, &arguments);
        self.keep(node, function, is_qualified, resolved)
    }

    fn keep(
        &mut self,
        node: &Node,
        function: &'static Function,
        is_qualified: bool,
        resolved: Option<(Type, Option<&'static Overload>)>,
    ) -> Type {
        let Some((type_, only)) = resolved else { return Type::Error };
        if let Some(call) = self.calls.get_mut(node.index) {
            *call = Some(Resolution { function, only, is_qualified });
        }
        type_
    }

    /// Finds the overloads of a function that fit: the type of the result, and the overload if
    /// only one fits. If none does, that is noted as a mistake.
    pub(super) fn resolve(
        &mut self,
        at: Position,
        function: &'static Function,
        is_member: bool,
        arguments: &[Type],
    ) -> Option<(Type, Option<&'static Overload>)> {
        let mut found: Option<(Type, Option<&'static Overload>)> = None;
        for overload in &function.overloads {
            if overload.member != is_member {
                continue;
            }
            let parameters: Vec<Type> =
                (0..overload.type_parameters).map(|_| self.unifier.fresh()).collect();
            let expected: Vec<Type> =
                overload.parameters.iter().map(|type_| instantiate(type_, &parameters)).collect();
            if !self.unifier.are_assignable(arguments, &expected) {
                continue;
            }
            let result = self.known(&instantiate(&overload.result, &parameters));
            found = Some(match found {
                None => (result, Some(overload)),
                Some((before, _)) if before == result || before == Type::Dyn => (before, None),
                Some(_) => (Type::Dyn, None),
            });
        }
        if found.is_none() {
            let known: Vec<Type> =
                arguments.iter().map(|type_| self.unifier.substitute(type_, true)).collect();
            let mut names = known.iter().map(Type::in_errors);
            let target = if is_member { names.next() } else { None };
            let target = target.map(|name| format!("{name}.")).unwrap_or_default();
            let names: Vec<String> = names.collect();
            let message = format!(
                "found no matching overload for '{}' applied to '{target}({})'",
                function.name,
                names.join(", ")
            );
            let hint = hints::overload(function.name, &known);
            self.complain(at, message, hint);
        }
        found
    }
}
