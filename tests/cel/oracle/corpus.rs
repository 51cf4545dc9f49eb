//! What is asked: the files of `tests/cel/corpus`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// A ValidatingAdmissionPolicy of one validation, as far as CEL is concerned.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// The validation's expression.
    pub expression: String,
    /// What a denial says, where no messageExpression says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The expression of what a denial says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_expression: Option<String>,
    /// The policy's variables, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<Named>,
    /// The policy's matchConditions, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub match_conditions: Vec<Named>,
}

/// A variable, or a matchCondition.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its expression.
    #[serde(deserialize_with = "text")]
    pub expression: String,
}

/// A policy, and what it is asked about.
#[derive(Clone, Debug)]
pub struct Case {
    /// `theme/what`: the file's name, and the case's in it.
    pub id: String,
    /// The policy.
    pub policy: Policy,
    /// The name of the [review](super::reviews::Review).
    pub pod: String,
}

/// The cases of the files.
///
/// # Errors
/// Where a file can't be read, or has what no file of the corpus has.
pub fn read(directory: &Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        let theme = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let about = || path.display().to_string();
        let file: File = serde_saphyr::from_str(&fs::read_to_string(&path)?).with_context(about)?;
        cases.extend(file.into_cases(&theme).with_context(about)?);
    }
    Ok(cases)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The review of the cases that name none.
    #[serde(default = "minimal")]
    pod: String,
    cases: BTreeMap<String, Entry>,
}

fn minimal() -> String {
    "minimal".to_owned()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Expression(String),
    Full(Box<Full>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Full {
    pod: Option<String>,
    /// What would be printed: an expression of type string. It becomes the message of a denial.
    #[serde(default, deserialize_with = "optional_text")]
    shows: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    expression: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    message: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    message_expression: Option<String>,
    #[serde(default)]
    variables: Vec<Named>,
    #[serde(default)]
    match_conditions: Vec<Named>,
}

impl File {
    fn into_cases(self, theme: &str) -> Result<Vec<Case>> {
        let case = |(name, entry)| {
            let id = format!("{theme}/{name}");
            let (pod, policy) = match entry {
                Entry::Expression(expression) => (None, Policy { expression, ..Policy::default() }),
                Entry::Full(full) => full.into_policy().with_context(|| id.clone())?,
            };
            Ok(Case { id, policy, pod: pod.unwrap_or_else(|| self.pod.clone()) })
        };
        self.cases.into_iter().map(case).collect()
    }
}

impl Full {
    fn into_policy(self) -> Result<(Option<String>, Policy)> {
        let (expression, message_expression) = match (self.shows, self.expression) {
            (None, Some(expression)) => (expression, self.message_expression),
            (Some(shows), None) if self.message_expression.is_none() => {
                ("false".to_owned(), Some(shows))
            }
            _ => anyhow::bail!("either `expression`, or `shows` without `messageExpression`"),
        };
        let policy = Policy {
            expression,
            message: self.message,
            message_expression,
            variables: self.variables,
            match_conditions: self.match_conditions,
        };
        Ok((self.pod, policy))
    }
}

/// A text, or the parts of one that is too long to be written out.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Plain(String),
    Repeated(Repeated),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeated {
    repeat: String,
    times: usize,
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        let part = |part| match part {
            Part::Plain(text) => text,
            Part::Repeated(Repeated { repeat, times }) => repeat.repeat(times),
        };
        match text {
            Text::Plain(text) => text,
            Text::Parts(parts) => parts.into_iter().map(part).collect(),
        }
    }
}

fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Text::deserialize(deserializer).map(String::from)
}

fn optional_text<'de, D>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    text(deserializer).map(Some)
}
