//! What was answered: the files of `tests/cel/answers`, a line of JSON for each case.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// How a policy comes out.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The validation holds.
    Allow,
    /// It does not hold.
    Deny,
    /// It, its message, or a matchCondition, has no value.
    Error,
    /// The server does not accept the policy.
    Refused,
    /// A matchCondition is false.
    Unmatched,
}

/// What the server makes of a policy and a review.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// How it comes out.
    pub outcome: Outcome,
    /// What is said of a denial, an error or a refusal; empty otherwise.
    pub message: String,
}

impl Answer {
    /// An answer that nothing is said about.
    pub fn silent(outcome: Outcome) -> Self {
        Self { outcome, message: String::new() }
    }

    /// The answer of a server in trouble, who refuses the policy, or the request, without a word of
    /// CEL.
    pub fn of_trouble(outcome: Outcome, trouble: &str) -> Self {
        Self { outcome, message: trouble.to_owned() }
    }
}

/// A line of a file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Of which case.
    pub id: String,
    /// How it comes out.
    pub outcome: Outcome,
    /// What is said of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// All answers, by the id of their case.
///
/// # Errors
/// Where a file can't be read, or is not of answers.
pub fn read(directory: &Path) -> Result<BTreeMap<String, Answer>> {
    let mut answers = BTreeMap::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        for line in fs::read_to_string(&path)?.lines() {
            let Line { id, outcome, message } =
                serde_json::from_str(line).with_context(|| path.display().to_string())?;
            answers.insert(id, Answer { outcome, message });
        }
    }
    Ok(answers)
}

/// Writes the files anew: one for each theme, sorted by id.
///
/// # Errors
/// Where a file can't be written.
pub fn write(directory: &Path, answers: &BTreeMap<String, Answer>) -> Result<()> {
    let mut files = BTreeMap::<&str, String>::new();
    for (id, Answer { outcome, message }) in answers {
        let theme = id.split('/').next().unwrap_or_default();
        let line = Line { id: id.clone(), outcome: *outcome, message: message.clone() };
        let file = files.entry(theme).or_default();
        file.push_str(&serde_json::to_string(&line)?);
        file.push('\n');
    }
    let files = files.into_iter().map(|(theme, text)| (format!("{theme}.jsonl"), text));
    replace(directory, files)
}

/// Makes these the only files of a directory.
///
/// # Errors
/// Where a file can't be written or removed.
pub fn replace(directory: &Path, files: impl Iterator<Item = (String, String)>) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir(directory)?;
    for (name, text) in files {
        fs::write(directory.join(name), text)?;
    }
    Ok(())
}
