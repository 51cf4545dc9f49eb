//! What has come of it all, in one line.

use std::fmt;

use crate::api::Enforcement;

use super::judging::{Judged, Told};

/// How much there was of what.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    pub errors: usize,
    pub warnings: usize,
    pub notes: usize,
    /// Those that were judged.
    pub objects: usize,
    pub files: usize,
    pub exempt: usize,
    pub others: usize,
}

impl Summary {
    /// Counts an object, and gives what was found of it.
    pub fn count(&mut self, judged: Judged) -> Vec<Told> {
        let told = match judged {
            Judged::Found(told) => told,
            Judged::Exempt => {
                self.exempt += 1;
                return Vec::new();
            }
            Judged::Other => {
                self.others += 1;
                return Vec::new();
            }
        };
        self.objects += 1;
        for told in &told {
            match told.finding.enforcement {
                Enforcement::Deny => self.errors += 1,
                Enforcement::Warn => self.warnings += 1,
                Enforcement::Inform => self.notes += 1,
            }
        }
        told
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { errors, warnings, notes, objects, files, exempt, others } = *self;
        write!(f, "{}, {}", counted(errors, "error"), counted(warnings, "warning"))?;
        if notes > 0 {
            write!(f, ", {}", counted(notes, "note"))?;
        }
        write!(f, " in {} of {}", counted(objects, "object"), counted(files, "file"))?;
        match (others, exempt) {
            (0, 0) => Ok(()),
            (others, 0) => write!(f, " (not judged: {others} of other kinds)"),
            (0, exempt) => write!(f, " (not judged: {exempt} that policies are not about)"),
            (others, exempt) => {
                write!(
                    f,
                    " (not judged: {others} of other kinds, {exempt} that policies are not about)"
                )
            }
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_in_words() {
        let summary =
            Summary { errors: 3, warnings: 1, objects: 12, files: 4, ..Summary::default() };
        assert_eq!(summary.to_string(), "3 errors, 1 warning in 12 objects of 4 files");
        let summary =
            Summary { notes: 1, objects: 1, files: 1, exempt: 2, others: 5, ..Summary::default() };
        assert_eq!(
            summary.to_string(),
            "0 errors, 0 warnings, 1 note in 1 object of 1 file (not judged: 5 of other kinds, 2 \
             that policies are not about)"
        );
    }
}
