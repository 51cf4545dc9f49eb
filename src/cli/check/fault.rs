//! What is given and can't be used.

use std::fmt;
use std::io::{self, Write as _};

use super::node::Place;

/// Why nothing can be judged by what was given, for whoever typed the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The file that it is in, if it is in one.
    file: Option<String>,
    place: Option<Place>,
    message: String,
}

impl Fault {
    /// One of the command itself.
    pub fn of_command(message: impl Into<String>) -> Self {
        Self { file: None, place: None, message: message.into() }
    }

    /// One of a whole file.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self { file: Some(file.to_owned()), place: None, message: message.into() }
    }

    /// One at a place in a file.
    pub fn at(file: &str, place: Place, message: impl Into<String>) -> Self {
        Self { file: Some(file.to_owned()), place: Some(place), message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.place) {
            (Some(file), Some(place)) => write!(f, "{}:{}: ", printable(file), place.line)?,
            (Some(file), None) => write!(f, "{}: ", printable(file))?,
            (None, _) => f.write_str("portreeve: ")?,
        }
        write!(f, "error: {}", lines(&self.message))
    }
}

/// Tells of all faults at once.
pub(super) fn tell(faults: &[Fault]) {
    let mut stderr = io::stderr().lock();
    for fault in faults {
        let _ = writeln!(stderr, "{fault}");
    }
}

/// Says what may surprise, and holds nothing up.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "portreeve: note: {}", printable(text));
}

/// A text as a terminal may have it: what is in a file must not move the cursor.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The same of a text that may have several lines.
fn lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_where_it_is_as_compilers_do() {
        let place = Place { line: 7, column: 2 };
        assert_eq!(Fault::at("a.yaml", place, "no").to_string(), "a.yaml:7: error: no");
        assert_eq!(Fault::of_file("a\u{1b}b", "no").to_string(), "a\\u{1b}b: error: no");
        assert_eq!(Fault::of_command("no\n \u{7}").to_string(), "portreeve: error: no\n \\u{7}");
    }
}
