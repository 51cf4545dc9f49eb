//! What to write instead.

use crate::cel::library;
use crate::cel::scope::Scope;
use crate::cel::types::Type;

/// The candidate that is most like `word`, as a question.
pub(super) fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<String> {
    let (best, distance) = candidates
        .map(|candidate| (candidate, strsim::damerau_levenshtein(word, candidate)))
        .min_by_key(|(_, distance)| *distance)?;
    let is_near = distance <= 1 + word.chars().count() / 4;
    is_near.then(|| format!("did you mean {best}?"))
}

/// Why a name that a ValidatingAdmissionPolicy may use is not available here.
pub(super) fn unavailable(name: &str) -> Option<&'static str> {
    match name {
        "authorizer" => Some(
            "authorizer is not available here, since its answers would take calls to the API \
             server, which is waiting for this one",
        ),
        "params" => Some("params is not available here, since there are no parameters"),
        _ => None,
    }
}

/// The methods of `authorizer` and of what they give (`library/authz.go` of the API server).
pub(super) const AUTHORIZER_METHODS: [&str; 15] = [
    "allowed",
    "check",
    "error",
    "errored",
    "fieldSelector",
    "group",
    "labelSelector",
    "name",
    "namespace",
    "path",
    "reason",
    "resource",
    "serviceAccount",
    "subresource",
    "requestResource",
];

/// The names of the macros, which are in no table of functions.
const MACROS: [&str; 13] = [
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "map",
    "filter",
    "transformList",
    "transformMap",
    "transformMapEntry",
    "optMap",
    "optFlatMap",
    "sortBy",
    "has",
];

/// The hint for a name that is not declared.
pub(super) fn name<'n>(
    name: &str,
    scope: &'n Scope,
    locals: impl Iterator<Item = &'n str>,
) -> Option<String> {
    match name {
        "authorizer" | "params" => return None,
        "variables" => {
            let hint = "variables can be used only where the policy declares some, and not in \
                        matchConditions";
            return Some(hint.to_owned());
        }
        _ => {}
    }
    if let Some(variable) = scope.variable_names().find(|variable| *variable == name) {
        return Some(format!("a variable is read as variables.{variable}"));
    }
    nearest(name, scope.names().chain(locals))
}

/// The hint for a function that is not declared.
pub(super) fn function(name: &str) -> Option<String> {
    let hint = match name {
        "all" | "exists" | "exists_one" | "existsOne" | "filter" | "map" => {
            "a macro is called on a list or map: x.all(y, …)"
        }
        "transformList" | "transformMap" | "transformMapEntry" => {
            "a macro is called on a list or map: x.transformList(i, y, …)"
        }
        "optMap" | "optFlatMap" => "a macro is called on an optional: x.optMap(y, …)",
        "sortBy" => "a macro is called on a list: x.sortBy(y, …)",
        "has" => "has takes one field: has(object.spec.x)",
        "abs" | "ceil" | "floor" | "round" => "there is no math library in Kubernetes",
        "bind" => "cel.bind is not in Kubernetes; a variable of the policy does the same",
        "encode" | "decode" => "there are no encoders in Kubernetes",
        "len" | "length" => "the length is size(x)",
        "toLowerCase" | "lower" | "toLower" => "lower case is x.lowerAscii()",
        "toUpperCase" | "upper" | "toUpper" => "upper case is x.upperAscii()",
        "includes" | "has_key" | "hasKey" => "whether it is in a list or map: 'a' in x",
        _ => return nearest(name, library::function_names().chain(MACROS)),
    };
    Some(hint.to_owned())
}

/// The hint for a call that no overload of the function fits.
pub(super) fn overload(function: &str, types: &[Type]) -> Option<String> {
    let is = |type_: &Type| types.contains(type_);
    let hint = match function {
        "_==_" | "_!=_" if is(&Type::Int) && is(&Type::Double) => {
            "write both numbers with a point, or both without"
        }
        "_+_" if is(&Type::String) && types.len() == 2 => {
            "what is no string becomes one by string(x)"
        }
        "_==_" | "_!=_" if types.iter().any(|type_| matches!(type_, Type::Optional(_))) => {
            "an optional is read by orValue(default)"
        }
        _ if types.iter().any(|type_| matches!(type_, Type::Optional(_))) => {
            "an optional is read by orValue(default), or by value() where it is there"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nobody_can_write_are_not_offered() {
        assert_eq!(function("bin").as_deref(), Some("did you mean min?"));
        for word in ["in", "@in", "_+_", "!_", "@mapInsert", "@sortByAssociatedKeys"] {
            let hint = function(word).unwrap_or_default();
            assert!(!hint.contains(['@', '_', '!']), "{word}: {hint}");
        }
        for name in library::function_names() {
            assert!(name.starts_with(char::is_alphabetic) && !name.contains('@'), "{name}");
        }
    }

    #[test]
    fn the_nearest_function_is_offered() {
        for (word, meant) in [
            ("sizes", "size"),
            ("startWith", "startsWith"),
            ("indexof", "indexOf"),
            ("isIp", "isIP"),
            ("quantify", "quantity"),
        ] {
            assert_eq!(function(word), Some(format!("did you mean {meant}?")), "{word}");
        }
    }

    #[test]
    fn macros_are_offered_too() {
        for (word, meant) in [
            ("exist", "exists"),
            ("existOne", "existsOne"),
            ("filters", "filter"),
            ("transformlist", "transformList"),
            ("transformMapEntries", "transformMapEntry"),
            ("optmap", "optMap"),
            ("sortby", "sortBy"),
            ("hash", "has"),
        ] {
            assert_eq!(function(word), Some(format!("did you mean {meant}?")), "{word}");
        }
    }

    #[test]
    fn a_macro_that_is_called_wrongly_is_not_offered_itself() {
        for name in MACROS {
            let hint = function(name).unwrap();
            assert!(!hint.contains("did you mean"), "{name}: {hint}");
        }
    }

    #[test]
    fn of_a_word_that_is_like_none_nothing_is_told() {
        assert_eq!(function("reconciliation"), None);
        assert_eq!(nearest("x", std::iter::empty()), None);
    }

    #[test]
    fn a_variable_is_named_in_full() {
        let mut scope = Scope::with_variables();
        scope.declare("replicas", &Type::Int);
        let hint = |word| name(word, &scope, std::iter::once("local"));
        assert_eq!(hint("replicas").unwrap(), "a variable is read as variables.replicas");
        assert_eq!(hint("locale").unwrap(), "did you mean local?");
        assert_eq!(hint("objct").unwrap(), "did you mean object?");
        assert_eq!(hint("params"), None);
    }
}
