//! What can go wrong with an expression: when it is compiled, and when it is evaluated.

use std::borrow::Cow;
use std::fmt;

/// Longer lines of source are not repeated under an error, as cel-go does not.
const MAX_SNIPPET: usize = 16_384;

/// How many errors of one expression are told.
const MAX_ERRORS: usize = 100;

/// One mistake in the text of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1; 0 where the mistake is in no place but in the whole.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, as the API server words it.
    pub message: String,
    /// What to write instead, where that can be told.
    pub hint: Option<String>,
}

/// Why an expression is refused: everything that is wrong with it, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    mistakes: Vec<Mistake>,
    /// How many there are besides.
    truncated: usize,
    source: String,
}

impl CompileError {
    /// `mistakes` as they were found; as in cel-go, only so many are kept.
    pub(super) fn new(source: &str, mut mistakes: Vec<Mistake>) -> Self {
        let truncated = mistakes.len().saturating_sub(MAX_ERRORS);
        mistakes.truncate(MAX_ERRORS);
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        Self { mistakes, truncated, source: source.to_owned() }
    }

    /// One about the whole, in no place.
    pub(super) fn whole(message: impl Into<String>) -> Self {
        let message = message.into();
        Self::new("", vec![Mistake { line: 0, column: 0, message, hint: None }])
    }

    /// All mistakes, in the order of the text; there is at least one.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// The hint of the first mistake that has one.
    pub fn hint(&self) -> Option<&str> {
        self.mistakes.iter().find_map(|mistake| mistake.hint.as_deref())
    }

    /// The line and column of the first mistake that has a place.
    pub fn position(&self) -> Option<(usize, usize)> {
        let placed = self.mistakes.iter().find(|mistake| mistake.line > 0)?;
        Some((placed.line, placed.column))
    }

    fn write_mistake(&self, f: &mut fmt::Formatter<'_>, mistake: &Mistake) -> fmt::Result {
        write!(f, "ERROR: <input>:{}:{}: {}", mistake.line, mistake.column, mistake.message)?;
        let Some(line) = self.source.split('\n').nth(mistake.line.wrapping_sub(1)) else {
            return Ok(());
        };
        if line.len() > MAX_SNIPPET {
            return Ok(());
        }
        let line = line.replace('\t', " ");
        write!(f, "\n | {line}\n | ")?;
        let mut characters = line.chars();
        for character in characters.by_ref().take(mistake.column.saturating_sub(1)) {
            // A wide dot and caret keep the place under wide characters.
            f.write_str(if character.is_ascii() { "." } else { "\u{ff0e}" })?;
        }
        match characters.next() {
            Some(character) if !character.is_ascii() => f.write_str("\u{ff3e}"),
            _ => f.write_str("^"),
        }
    }
}

/// As the API server prints it behind `compilation failed: `; one that is about the result's type
/// alone is its sentence.
impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [Mistake { line: 0, message, .. }] = self.mistakes.as_slice() {
            return f.write_str(message);
        }
        f.write_str("compilation failed: ")?;
        for (number, mistake) in self.mistakes.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            self.write_mistake(f, mistake)?;
        }
        match self.truncated {
            0 => Ok(()),
            more => write!(f, "\n{more} more errors were truncated"),
        }
    }
}

impl std::error::Error for CompileError {}

/// Why an evaluation has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An error of the expression, which `&&`, `||`, `all` and `exists` can absorb.
    Error(Cow<'static, str>),
    /// The budget is spent. Nothing absorbs that.
    OverBudget,
    /// The API server fails here by a fault of its own, and nothing absorbs that either.
    Aborted(Box<str>),
}

impl Fault {
    pub(super) fn error(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Error(message.into())
    }

    /// Whether `&&`, `||` and their like have to pass it on.
    pub(super) fn is_final(&self) -> bool {
        !matches!(self, Self::Error(_))
    }

    pub(super) fn no_such_overload() -> Self {
        Self::Error(Cow::Borrowed("no such overload"))
    }
}

/// In cel-go's words.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(message) => f.write_str(message),
            Self::OverBudget => f.write_str("operation cancelled: actual cost limit exceeded"),
            Self::Aborted(why) => write!(f, "internal error: {why}"),
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(line: usize, column: usize, message: &str) -> Mistake {
        Mistake { line, column, message: message.to_owned(), hint: None }
    }

    #[test]
    fn a_mistake_is_shown_where_it_stands() {
        let error = CompileError::new("a\n\tb + c", vec![mistake(2, 4, "wrong")]);
        let shown = "compilation failed: ERROR: <input>:2:4: wrong\n |  b + c\n | ...^";
        assert_eq!(error.to_string(), shown);
        assert_eq!(error.position(), Some((2, 4)));
    }

    #[test]
    fn wide_characters_are_passed_by_wide_dots() {
        let error = CompileError::new("'é' é", vec![mistake(1, 5, "wrong")]);
        assert!(error.to_string().ends_with("\n | 'é' é\n | .\u{ff0e}..\u{ff3e}"), "{error}");
    }

    #[test]
    fn a_line_without_end_is_not_shown() {
        let error = CompileError::new(&"a".repeat(MAX_SNIPPET + 1), vec![mistake(1, 1, "wrong")]);
        assert_eq!(error.to_string(), "compilation failed: ERROR: <input>:1:1: wrong");
    }

    #[test]
    fn of_more_than_a_hundred_mistakes_the_first_that_were_found_are_told() {
        let mistakes: Vec<_> =
            (0..101).rev().map(|column| mistake(1, column + 1, "wrong")).collect();
        let error = CompileError::new("a", mistakes);
        assert_eq!(error.mistakes().len(), MAX_ERRORS);
        assert_eq!(error.position(), Some((1, 2)));
        assert!(error.to_string().ends_with("\n1 more errors were truncated"));
    }

    #[test]
    fn what_is_in_no_place_is_its_sentence() {
        assert_eq!(CompileError::whole("must be a bool").to_string(), "must be a bool");
        assert_eq!(CompileError::whole("must be a bool").position(), None);
    }
}
