//! Regular expressions as the functions `matches`, `find` and `findAll` have them: exactly the
//! syntax and the meaning of Go's `regexp` package, since that is what the API server evaluates
//! with. A pattern that Go accepts is accepted, one that it refuses is refused in the same words.
//!
//! The parser is our own, because the syntax of Rust's `regex` differs (its classes are Unicode,
//! have operators and nest; it has other flags, escapes and limits). What matches is found by the
//! automata of `regex-automata`: in time proportional to the pattern times the text, in bounded
//! memory.
//!
//! What differs from Go: a pattern is refused, with an error of our own, if its compiled form takes
//! more than 16 MiB or its syntax tree is higher than 128 nodes. And a surrogate, such as `\x{D800}`,
//! never matches; in Go, `^\x{D800}` matches the replacement character.

mod class;
mod error;
mod escape;
mod factor;
mod hir;
mod parser;
#[cfg(test)]
mod tests;
mod tree;
mod unicode;

use std::{fmt, iter};

use regex_automata::meta;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::{Input, Span};

pub use error::Error;

/// What the compiled form of a pattern may take, in bytes.
pub const COMPILED_LIMIT: usize = 16 << 20;

/// What the states that a search adds to a pattern may take before they are dropped, in bytes.
const LAZY_CACHE: usize = 512 << 10;

/// A compiled pattern. A clone shares the compiled form.
#[derive(Clone)]
pub struct Regex {
    automaton: meta::Regex,
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Regex").finish_non_exhaustive()
    }
}

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`Error::Syntax`] where Go refuses the pattern; the others where only we do.
    pub fn new(pattern: &str) -> Result<Regex, Error> {
        let hir = hir::lower(&parser::parse(pattern)?)?;
        // No literal search ahead of the automaton and no other engines: patterns are compiled more
        // often, and texts are shorter, than would pay for them.
        let config = meta::Config::new()
            .nfa_size_limit(Some(COMPILED_LIMIT))
            .hybrid_cache_capacity(LAZY_CACHE)
            .which_captures(WhichCaptures::Implicit)
            .auto_prefilter(false)
            .onepass(false)
            .dfa(false)
            .backtrack(false);
        match meta::Builder::new().configure(config).build_from_hir(&hir) {
            Ok(automaton) => Ok(Regex { automaton }),
            Err(error) if error.size_limit().is_some() => Err(Error::too_large()),
            Err(error) => Err(Error::Compile(error.to_string())),
        }
    }

    /// Whether the pattern matches anywhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        // Its `is_match` stops at the first end of any match, and drops what it has where that is a
        // `\B` between the bytes of a character.
        self.automaton.search_half(&Input::new(text)).is_some()
    }

    /// The leftmost match; of those that begin there, the one that the pattern prefers.
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        text.get(self.find_at(text, 0)?.range())
    }

    /// Successive matches that do not overlap. An empty match right after another match is none.
    ///
    /// The time may grow with the square of the text's length, if each search reads far beyond its
    /// match.
    pub fn find_all<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let mut previous_end = None;
        let mut position = 0;
        iter::from_fn(move || {
            loop {
                let rest = text.get(position..)?;
                let span = self.find_at(text, position)?;
                let follows = span.is_empty() && previous_end == Some(span.start);
                previous_end = Some(span.end);
                position = if span.end == position {
                    // Past the end after the last character, which ends the search.
                    position + rest.chars().next().map_or(1, char::len_utf8)
                } else {
                    span.end
                };
                if !follows {
                    return text.get(span.range());
                }
            }
        })
    }

    /// How many bytes the compiled form takes.
    pub fn size(&self) -> usize {
        self.automaton.memory_usage()
    }

    /// The leftmost match from a position on, with regard to what is before it.
    fn find_at(&self, text: &str, position: usize) -> Option<Span> {
        let input = Input::new(text).range(position..);
        self.automaton.search(&input).map(|found| found.span())
    }
}
