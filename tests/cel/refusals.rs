//! Where Portreeve is known to differ.

use std::collections::BTreeMap;

/// How it differs.
#[derive(Clone, Copy, Debug)]
pub enum Difference {
    /// It refuses what the server takes, as `docs/cel.md` says.
    WeRefuse,
    /// Both refuse, in other words.
    Words,
}

/// What Portreeve refuses and the server does not.
const WE_REFUSE: &[&str] = &[
    // `authorizer`: it would ask the API server, which is waiting for the answer.
    "match-conditions/authorizer",
    "refused-types/authorizer",
    "refused-types/authorizer-request-resource",
    "variables/authorizer-in-variable",
    // Messages of Protocol Buffers.
    "refused-syntax/message-of-any",
    "refused-syntax/message-of-kubernetes-type",
    "refused-syntax/message-of-timestamp",
    "refused-syntax/message-of-wrapper-type",
    // `variables` as a whole.
    "conversions/type-of-variables",
    // Two variables of one name: the server reads the second for the first.
    "variables/name-twice",
    "variables/name-twice-of-other-type",
];

/// What both refuse, in other words.
const OTHER_WORDS: &[&str] = &[
    // The place is beside theirs, or there is more than one mistake and one of them is not told.
    "fields/back-quoted",
    "refused-limits/parentheses-unopened",
    "refused-syntax/reserved-var-in-macro",
    "refused-syntax/unfinished-optional-select",
    "text/int-under",
    // Ours say why: of `authorizer`, of `params`, and which name is there twice.
    "match-conditions/name-duplicate",
    "match-conditions/params",
    "messages/authorizer",
    "messages/params",
    "refused-types/authorizer-alone",
    "refused-types/authorizer-unknown-method",
    "refused-types/undeclared-params",
    "refused-types/undeclared-params-has",
    // The server fails over it.
    "optionals/list-entry-dyn-not-optional",
    "optionals/map-entry-dyn-not-optional",
];

/// All cases that differ.
pub fn all() -> BTreeMap<&'static str, Difference> {
    let refused = WE_REFUSE.iter().map(|id| (*id, Difference::WeRefuse));
    let worded = OTHER_WORDS.iter().map(|id| (*id, Difference::Words));
    refused.chain(worded).collect()
}
