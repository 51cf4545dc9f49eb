//! Why a pattern was refused.

use thiserror::Error;

/// A refused pattern.
///
/// [`Error::Syntax`] reads word for word as the error of Go's `regexp.Compile` for the same
/// pattern; the other variants are limits that Go does not have.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Error {
    /// Go refuses the pattern too, with these words.
    #[error("error parsing regexp: {kind}: `{fragment}`")]
    Syntax {
        /// The rule that was broken.
        kind: ErrorKind,
        /// The part of the pattern that breaks it; of some rules, the whole pattern.
        fragment: String,
    },
    /// The pattern is well-formed, but its automaton would be larger than we give to one pattern.
    #[error("regexp too large: its compiled form exceeds {limit} bytes")]
    CompiledTooLarge {
        /// What its compiled form may take, in bytes.
        limit: usize,
    },
    /// The pattern is well-formed, but compiling it would take more stack than a thread has.
    #[error("regexp nests too deeply: its syntax tree is higher than {limit}")]
    NestsTooDeeply {
        /// How high its tree may be, in nodes.
        limit: u32,
    },
    /// The pattern is well-formed, but the automaton could not be built.
    #[error("regexp cannot be compiled: {0}")]
    Compile(String),
}

/// The rule of the syntax that a pattern breaks, in the words of Go's `regexp/syntax.ErrorCode`.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ErrorKind {
    /// An unknown class (`\p{Nope}`, `[[:nope:]]`), or a range whose end comes before its start.
    #[error("invalid character class range")]
    InvalidCharRange,
    /// An escape that has no meaning, such as `\8` or `\C`.
    #[error("invalid escape sequence")]
    InvalidEscape,
    /// A group name that is empty, unterminated or not made of `[A-Za-z0-9_]`.
    #[error("invalid named capture")]
    InvalidNamedCapture,
    /// An unknown flag or group, such as `(?=`.
    #[error("invalid or unsupported Perl syntax")]
    InvalidPerlOp,
    /// A repetition of a repetition, such as `a**`.
    #[error("invalid nested repetition operator")]
    InvalidRepeatOp,
    /// A count, or a product of nested counts, above 1000; or a range that runs backwards.
    #[error("invalid repeat count")]
    InvalidRepeatSize,
    /// A class without its `]`.
    #[error("missing closing ]")]
    MissingBracket,
    /// A group without its `)`.
    #[error("missing closing )")]
    MissingParen,
    /// A repetition of nothing, such as `(*`.
    #[error("missing argument to repetition operator")]
    MissingRepeatArgument,
    /// A `\` at the end.
    #[error("trailing backslash at end of expression")]
    TrailingBackslash,
    /// A `)` without its `(`.
    #[error("unexpected )")]
    UnexpectedParen,
    /// A syntax tree higher than 1000.
    #[error("expression nests too deeply")]
    NestingDepth,
    /// An expression whose program would be out of all proportion.
    #[error("expression too large")]
    Large,
}

impl Error {
    /// The compiled form would be too large.
    pub(super) fn too_large() -> Error {
        Error::CompiledTooLarge { limit: super::COMPILED_LIMIT }
    }
}

impl ErrorKind {
    /// The error of this kind at `fragment`.
    pub(super) fn at(self, fragment: &str) -> Error {
        Error::Syntax { kind: self, fragment: fragment.to_owned() }
    }
}
