//! Which types agree with which, and what stands for the type parameters then: cel-go's rules
//! (`checker/types.go`), in which assignability is what unification is elsewhere.

use crate::cel::types::Type;

/// What stands for the type parameters that have been made.
#[derive(Default)]
pub(super) struct Unifier {
    bound: Vec<Option<Type>>,
    /// What was bound, and what to before, so that an attempt that fails leaves no trace.
    trail: Vec<(u32, Option<Type>)>,
}

/// Types that would be larger than this are refused; nobody means them, and they can grow twofold
/// with each step of an expression.
const MAX_SIZE: usize = 1_000;

impl Unifier {
    /// A type parameter that nothing stands for yet.
    pub(super) fn fresh(&mut self) -> Type {
        self.bound.push(None);
        Type::Parameter(self.bound.len() as u32 - 1)
    }

    /// Whether a value of type `from` can stand where `to` is asked for. If so, what that says of
    /// type parameters is kept.
    pub(super) fn is_assignable(&mut self, from: &Type, to: &Type) -> bool {
        let mark = self.trail.len();
        let agrees = self.agree(from, to);
        self.settle(mark, agrees)
    }

    /// The same, of several at once.
    pub(super) fn are_assignable(&mut self, from: &[Type], to: &[Type]) -> bool {
        let mark = self.trail.len();
        let agrees =
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| self.agree(from, to));
        self.settle(mark, agrees)
    }

    fn settle(&mut self, mark: usize, agrees: bool) -> bool {
        if agrees {
            self.trail.clear();
            return true;
        }
        for (parameter, before) in self.trail.drain(mark..).rev() {
            if let Some(bound) = self.bound.get_mut(parameter as usize) {
                *bound = before;
            }
        }
        false
    }

    fn binding(&self, parameter: u32) -> Option<Type> {
        self.bound.get(parameter as usize).cloned().flatten()
    }

    fn bind(&mut self, parameter: u32, type_: Type) {
        if let Some(bound) = self.bound.get_mut(parameter as usize) {
            self.trail.push((parameter, bound.replace(type_)));
        }
    }

    fn agree(&mut self, a: &Type, b: &Type) -> bool {
        if let Type::Parameter(parameter) = b {
            match self.substitutes(a, *parameter) {
                (true, _) => return true,
                (false, true) => return false,
                // Perhaps the other way round.
                (false, false) => {}
            }
        }
        if let Type::Parameter(parameter) = a {
            return self.substitutes(b, *parameter).0;
        }
        match (a, b) {
            (Type::Dyn | Type::Error, _) | (_, Type::Dyn | Type::Error) => true,
            (Type::Null, other) | (other, Type::Null) => is_nullable(other),
            (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => {
                self.agree(a, b)
            }
            (Type::Map(a), Type::Map(b)) => self.agree(&a.0, &b.0) && self.agree(&a.1, &b.1),
            (Type::Type(_), Type::Type(_)) => true,
            (a, b) => a == b,
        }
    }

    /// Whether `type_` can stand for a parameter, and whether something stands for it already.
    fn substitutes(&mut self, type_: &Type, parameter: u32) -> (bool, bool) {
        if *type_ == Type::Parameter(parameter) {
            return (true, true);
        }
        let Some(bound) = self.binding(parameter) else {
            let free = !self.occurs(parameter, type_);
            if free {
                self.bind(parameter, type_.clone());
            }
            return (free, false);
        };
        if *type_ == bound {
            return (true, true);
        }
        if !self.agree(type_, &bound) {
            return (false, true);
        }
        let general = most_general(type_, &bound).clone();
        if !self.occurs(parameter, &general) {
            self.bind(parameter, general);
        }
        (true, true)
    }

    /// Whether a parameter is part of a type, directly or by what stands for others.
    fn occurs(&self, parameter: u32, within: &Type) -> bool {
        match within {
            Type::Parameter(other) if *other == parameter => true,
            Type::Parameter(other) => {
                self.binding(*other).is_some_and(|bound| self.occurs(parameter, &bound))
            }
            _ => within.parameters().into_iter().any(|part| self.occurs(parameter, part)),
        }
    }

    /// A type with everything put in that is known of its parameters; what is not known stays, or
    /// becomes `dyn`.
    pub(super) fn substitute(&self, type_: &Type, unknown_is_dyn: bool) -> Type {
        let inner = |part: &Type| self.substitute(part, unknown_is_dyn);
        match type_ {
            Type::Parameter(parameter) => match self.binding(*parameter) {
                Some(bound) => inner(&bound),
                None if unknown_is_dyn => Type::Dyn,
                None => type_.clone(),
            },
            Type::List(element) => Type::list(inner(element)),
            Type::Optional(value) => Type::optional(inner(value)),
            Type::Map(entry) => Type::map(inner(&entry.0), inner(&entry.1)),
            Type::Type(Some(of)) => Type::Type(Some(inner(of).into())),
            other => other.clone(),
        }
    }

    /// Whether a type is small enough to go on with.
    pub(super) fn is_small(&self, type_: &Type) -> bool {
        let mut left = MAX_SIZE;
        self.count(type_, &mut left)
    }

    fn count(&self, type_: &Type, left: &mut usize) -> bool {
        let Some(rest) = left.checked_sub(1) else { return false };
        *left = rest;
        match type_ {
            Type::Parameter(parameter) => {
                self.binding(*parameter).is_none_or(|bound| self.count(&bound, left))
            }
            _ => type_.parameters().into_iter().all(|part| self.count(part, left)),
        }
    }
}

/// A declaration's type with parameters of its own: `parameters[n]` for the number n.
pub(super) fn instantiate(type_: &Type, parameters: &[Type]) -> Type {
    let inner = |part: &Type| instantiate(part, parameters);
    match type_ {
        Type::Parameter(number) => parameters.get(*number as usize).cloned().unwrap_or(Type::Dyn),
        Type::List(element) => Type::list(inner(element)),
        Type::Optional(value) => Type::optional(inner(value)),
        Type::Map(entry) => Type::map(inner(&entry.0), inner(&entry.1)),
        Type::Type(Some(of)) => Type::Type(Some(inner(of).into())),
        other => other.clone(),
    }
}

/// Whether `null` can stand for a value of the type.
fn is_nullable(type_: &Type) -> bool {
    matches!(
        type_,
        Type::Null
            | Type::Optional(_)
            | Type::Opaque(_)
            | Type::Object(_)
            | Type::Duration
            | Type::Timestamp
    )
}

/// The more general of two types that agree.
pub(super) fn most_general<'t>(a: &'t Type, b: &'t Type) -> &'t Type {
    if is_no_more_specific(a, b) { a } else { b }
}

fn is_no_more_specific(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dyn | Type::Parameter(_), _) => true,
        (_, Type::Dyn | Type::Parameter(_)) => false,
        (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => {
            is_no_more_specific(a, b)
        }
        (Type::Map(a), Type::Map(b)) => {
            is_no_more_specific(&a.0, &b.0) && is_no_more_specific(&a.1, &b.1)
        }
        (Type::Type(_), Type::Type(_)) => true,
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overload_that_fails_leaves_nothing_bound() {
        let mut unifier = Unifier::default();
        let parameter = unifier.fresh();
        let expected = [parameter.clone(), Type::Int];
        assert!(!unifier.are_assignable(&[Type::Int, Type::String], &expected));
        assert_eq!(unifier.substitute(&parameter, false), parameter);
        assert!(unifier.are_assignable(&[Type::String, Type::Int], &expected));
        assert_eq!(unifier.substitute(&parameter, false), Type::String);
    }

    #[test]
    fn an_overload_that_fails_leaves_what_was_bound_before() {
        let mut unifier = Unifier::default();
        let parameter = unifier.fresh();
        let (numbers, anything) = (Type::list(Type::Int), Type::list(Type::Dyn));
        assert!(unifier.is_assignable(&numbers, &parameter));
        let expected = [parameter.clone(), Type::Int];
        assert!(!unifier.are_assignable(&[anything.clone(), Type::Bool], &expected));
        assert_eq!(unifier.substitute(&parameter, false), numbers);
        assert!(unifier.are_assignable(&[anything.clone(), Type::Int], &expected));
        assert_eq!(unifier.substitute(&parameter, false), anything);
    }

    #[test]
    fn another_number_of_arguments_does_not_fit() {
        let mut unifier = Unifier::default();
        assert!(!unifier.are_assignable(&[Type::Int], &[Type::Int, Type::Int]));
        assert!(unifier.are_assignable(&[], &[]));
    }

    #[test]
    fn nothing_stands_for_a_part_of_itself() {
        let mut unifier = Unifier::default();
        let parameter = unifier.fresh();
        let list = Type::list(parameter.clone());
        assert!(!unifier.is_assignable(&list, &parameter));
        assert!(!unifier.is_assignable(&parameter, &list));
        assert!(unifier.is_assignable(&parameter, &parameter));
        assert_eq!(unifier.substitute(&parameter, false), parameter);
    }

    #[test]
    fn nor_for_what_is_bound_to_a_whole_of_it() {
        let mut unifier = Unifier::default();
        let (inner, outer) = (unifier.fresh(), unifier.fresh());
        assert!(unifier.is_assignable(&Type::list(inner.clone()), &outer));
        assert!(!unifier.is_assignable(&outer, &inner));
        assert!(!unifier.is_assignable(&inner, &outer));
        assert_eq!(unifier.substitute(&inner, false), inner);
    }

    #[test]
    fn null_agrees_with_what_may_be_absent() {
        let mut unifier = Unifier::default();
        for (type_, agrees) in [
            (Type::Null, true),
            (Type::Dyn, true),
            (Type::Error, true),
            (Type::optional(Type::Int), true),
            (Type::Timestamp, true),
            (Type::Duration, true),
            (Type::Opaque("net.IP"), true),
            (Type::Object("kubernetes.Quantity"), true),
            (Type::Bool, false),
            (Type::Int, false),
            (Type::Uint, false),
            (Type::Double, false),
            (Type::String, false),
            (Type::Bytes, false),
            (Type::list(Type::Dyn), false),
            (Type::map(Type::Dyn, Type::Dyn), false),
            (Type::Type(None), false),
        ] {
            assert_eq!(unifier.is_assignable(&Type::Null, &type_), agrees, "null to {type_}");
            assert_eq!(unifier.is_assignable(&type_, &Type::Null), agrees, "{type_} to null");
        }
    }

    #[test]
    fn what_is_not_known_stays_or_is_dyn() {
        let mut unifier = Unifier::default();
        let list = Type::list(unifier.fresh());
        assert_eq!(unifier.substitute(&list, false), list);
        assert_eq!(unifier.substitute(&list, true), Type::list(Type::Dyn));
    }

    #[test]
    fn a_type_that_grows_without_end_is_not_small() {
        let unifier = Unifier::default();
        let doubled =
            |times| (0..times).fold(Type::Int, |type_, _| Type::map(type_.clone(), type_));
        assert!(unifier.is_small(&doubled(8)));
        assert!(!unifier.is_small(&doubled(9)));
        assert!(!unifier.is_small(&doubled(40)));
    }

    #[test]
    fn the_more_general_type_has_more_dyn() {
        let (numbers, anything) = (Type::list(Type::Int), Type::list(Type::Dyn));
        assert_eq!(most_general(&numbers, &anything), &anything);
        assert_eq!(most_general(&anything, &numbers), &anything);
    }
}
