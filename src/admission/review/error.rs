//! What can be wrong with the body of a webhook call, and what is answered then.

use super::{API_VERSION, Answer, KIND, Operation};

/// A body that is no admission request. Each variant is a sentence that says what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// There is no body.
    #[error("the body is empty: {KIND} of {API_VERSION} is expected")]
    Empty,
    /// The body is not JSON.
    #[error("the body is not JSON: {cause}")]
    NotJson {
        /// The line of the fault, from 1.
        line: usize,
        /// The column of the fault, from 1.
        column: usize,
        /// What the parser expected there; it ends with line and column.
        cause: String,
    },
    /// The body is JSON, but another thing.
    #[error(
        "the body has apiVersion {api_version:?} and kind {kind:?}: \
         {KIND} of {API_VERSION} is expected"
    )]
    NotAReview {
        /// The `apiVersion` that was found, shortened; empty if there is none.
        api_version: String,
        /// The `kind` that was found, shortened; empty if there is none.
        kind: String,
    },
    /// The review is of a version that is not spoken here.
    #[error(
        "the {KIND} is of {api_version}, and only {API_VERSION} is spoken: set \
         admissionReviewVersions: [\"v1\"] in the webhook's configuration"
    )]
    UnsupportedVersion {
        /// The `apiVersion` that was found, shortened.
        api_version: String,
    },
    /// The review has no request; it may be an answer.
    #[error("the {KIND} has no request")]
    NoRequest,
    /// The request has no uid, without which no answer can be matched to it.
    #[error("the request has no uid")]
    NoUid,
    /// A field of the review is missing or of another type.
    #[error("the {KIND} is malformed: {cause}")]
    Malformed {
        /// The request's uid, where it could be read.
        uid: Option<String>,
        /// What is missing or unexpected, and where in the body.
        cause: String,
    },
    /// The operation is none of the API's.
    #[error(
        "the request's operation is {operation:?}: CREATE, UPDATE, DELETE or CONNECT is expected"
    )]
    UnknownOperation {
        /// The request's uid.
        uid: String,
        /// The operation that was found, shortened.
        operation: String,
    },
    /// An operation that carries an object came without.
    #[error("the request has no object, which {} must have", operation.as_str())]
    NoObject {
        /// The request's uid.
        uid: String,
        /// The operation.
        operation: Operation,
    },
    /// `object` or `oldObject` is a JSON value that is not an object.
    #[error("the request's {field} is not a JSON object")]
    NotAnObject {
        /// The request's uid.
        uid: String,
        /// `object` or `oldObject`.
        field: &'static str,
    },
}

impl ReviewError {
    /// The HTTP status for all of them, and the `code` of [`ReviewError::answer`]: 400.
    pub const STATUS: u16 = 400;

    /// The request's uid, where it could be read and an answer of `admission.k8s.io/v1` will be
    /// understood.
    pub fn uid(&self) -> Option<&str> {
        match self {
            Self::Malformed { uid, .. } => uid.as_deref(),
            Self::UnknownOperation { uid, .. }
            | Self::NoObject { uid, .. }
            | Self::NotAnObject { uid, .. } => Some(uid),
            Self::Empty
            | Self::NotJson { .. }
            | Self::NotAReview { .. }
            | Self::UnsupportedVersion { .. }
            | Self::NoRequest
            | Self::NoUid => None,
        }
    }

    /// The refusal that goes back where the uid is known; elsewhere an HTTP error has to do.
    pub fn answer(&self) -> Answer {
        Answer::deny(Self::STATUS, "BadRequest", self.to_string())
    }

    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::NotJson { line: error.line(), column: error.column(), cause: error.to_string() }
    }

    pub(super) fn not_a_review(api_version: &str, kind: &str) -> Self {
        Self::NotAReview { api_version: shortened(api_version), kind: shortened(kind) }
    }

    pub(super) fn unsupported_version(api_version: &str) -> Self {
        Self::UnsupportedVersion { api_version: shortened(api_version) }
    }

    pub(super) fn unknown_operation(uid: impl Into<String>, operation: &str) -> Self {
        Self::UnknownOperation { uid: uid.into(), operation: shortened(operation) }
    }
}

/// As much of a foreign value as an error should repeat.
fn shortened(value: &str) -> String {
    const CHARACTERS: usize = 64;
    match value.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}
