//! For people, and for editors that know how compilers print.

use std::fmt::Write as _;

use crate::cli::check::fault::printable;
use crate::cli::check::judging::Told;

pub(super) fn printed(told: &[Told]) -> String {
    let mut text = String::new();
    for told in told {
        let (file, line, level) = (printable(&told.file), told.place.line, told.level());
        let (object, what, reason) = (told.object(), told.text(), &told.finding.reason);
        let _ = writeln!(text, "{file}:{line}: {level}: {object}: {what} ({reason})");
    }
    text
}
