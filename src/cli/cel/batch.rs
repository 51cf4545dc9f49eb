//! `portreeve cel --batch`: a line of JSON with a question in, a line of JSON with its answer out.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::cel::Question;

/// What a question may say.
const FIELDS: [&str; 10] = [
    "id",
    "expression",
    "messageExpression",
    "message",
    "variables",
    "matchConditions",
    "object",
    "oldObject",
    "request",
    "namespaceObject",
];

/// Answers until the input ends. Each line gets its answer before the next is read, so that another
/// program can ask as it goes.
///
/// A line that is no question is answered too, with the outcome `refused`, and makes the command
/// fail in the end.
pub(super) fn run() -> anyhow::Result<ExitCode> {
    let mut stdin = io::stdin().lock();
    let mut stdout = io::stdout().lock();
    let mut line = Vec::new();
    let (mut number, mut are_all_questions) = (0_u64, true);
    loop {
        line.clear();
        if stdin.read_until(b'\n', &mut line).context("can't read standard input")? == 0 {
            break;
        }
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = match read(&line) {
            Ok(question) => serde_json::to_string(&question.answer())?,
            Err(problem) => {
                are_all_questions = false;
                let message = format!("line {number} is no question: {problem}");
                json!({"id": id(&line), "outcome": "refused", "message": message}).to_string()
            }
        };
        for field in unknown_fields(&line) {
            eprintln!(
                "portreeve: line {number}: the field {field:?} is ignored; known are {}",
                FIELDS.join(", "),
            );
        }
        match writeln!(stdout, "{answer}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
            result => result.context("can't write to standard output")?,
        }
    }
    Ok(if are_all_questions { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(line: &[u8]) -> anyhow::Result<Question<'_>> {
    let text = std::str::from_utf8(line)?;
    Ok(serde_json::from_str(text)?)
}

/// The id of what is no question otherwise; `null` where there is none to be read.
fn id(line: &[u8]) -> Value {
    let question: Option<Value> = serde_json::from_slice(line).ok();
    question.and_then(|mut question| Some(question.get_mut("id")?.take())).unwrap_or_default()
}

fn unknown_fields(line: &[u8]) -> Vec<String> {
    let fields: BTreeMap<String, IgnoredAny> = serde_json::from_slice(line).unwrap_or_default();
    fields.into_keys().filter(|field| !FIELDS.contains(&field.as_str())).collect()
}
