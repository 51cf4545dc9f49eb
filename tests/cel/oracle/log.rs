//! What failed, by the API server's log.
//!
//! The server keeps the audit annotation `validation_failure` of the first validation that fails in
//! a request. Each further one it can't add, and says so, with both the first and the further one in
//! full, in a line of its log. So a request in which at least two validations fail tells them all.
//! The lines are written before the response is.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

const FURTHER: &str = "Failed to set admission audit annotation \
                       validation.policy.admission.k8s.io/validation_failure to ";
const FIRST: &str = " old value: {Metadata ";

/// The messages of the validations that failed, by policy and index.
pub type Failures = BTreeMap<(String, usize), String>;

/// The log, from where it was read last.
pub struct Log {
    path: PathBuf,
    position: u64,
}

impl Log {
    /// A log whose lines up to now are of no interest.
    ///
    /// # Errors
    /// Where there is none.
    pub fn from_now(path: &Path) -> Result<Self> {
        let mut log = Self { path: path.to_owned(), position: 0 };
        log.skip()?;
        Ok(log)
    }

    /// Leaves out what has been written up to now.
    ///
    /// # Errors
    /// Where the log is gone.
    pub fn skip(&mut self) -> Result<()> {
        let metadata = self.path.metadata().with_context(|| self.path.display().to_string())?;
        self.position = metadata.len();
        Ok(())
    }

    /// The failures since the log was read last: those of one request, if there was one.
    ///
    /// # Errors
    /// Where lines are not as they should be, or are of more requests than one.
    pub fn failures(&mut self) -> Result<Failures> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.position))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        self.position += u64::try_from(text.len())?;
        let text = String::from_utf8_lossy(&text);
        let mut failures = Failures::new();
        let further = text.lines().filter_map(|line| Some(line.split_once(FURTHER)?.1));
        for (index, line) in further.enumerate() {
            let rest = add(line, &mut failures)?;
            if index == 0 {
                let (_, first) = rest.split_once(FIRST).context("a line without the first one")?;
                add(first, &mut failures)?;
            }
        }
        Ok(failures)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    policy: String,
    expression_index: usize,
    message: String,
}

/// Adds the failures of the JSON list that a text begins with, and gives the rest of the text.
fn add<'a>(text: &'a str, failures: &mut Failures) -> Result<&'a str> {
    let mut list = serde_json::Deserializer::from_str(text).into_iter::<Vec<Failure>>();
    let found = list.next().context("an empty annotation")?;
    for Failure { policy, expression_index, message } in found.with_context(|| text.to_owned())? {
        let key = (policy, expression_index);
        match failures.get(&key) {
            // A delete is validated twice: as the grace period's begin, and as its end.
            Some(other) if *other != message => {
                bail!("{key:?} failed twice: {other:?}, {message:?}")
            }
            _ => failures.insert(key, message),
        };
    }
    Ok(text.get(list.byte_offset()..).unwrap_or_default())
}
