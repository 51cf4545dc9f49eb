//! The many ways to read a field.

use super::fields::Step;
use super::random::Random;
use crate::oracle::verify::literal;

/// What can't stand behind a dot.
const RESERVED: &[&str] = &["in", "true", "false", "null"];

/// The field that a path leads to from `base`.
pub fn select(base: &str, path: &[Step], random: &mut Random) -> String {
    path.iter().fold(base.to_owned(), |text, step| text + &plain(step, random))
}

/// The same as an optional.
pub fn select_optional(base: &str, path: &[Step], random: &mut Random) -> String {
    let mut text = base.to_owned();
    // Once there is one, the rest of the way is optional, whatever is written.
    let first = random.below(path.len().max(1));
    for (index, step) in path.iter().enumerate() {
        text += &match step {
            _ if index < first || index > first && random.percent(50) => plain(step, random),
            Step::Key(key) if is_name(key) && random.percent(70) => format!(".?{key}"),
            step => format!("[?{}]", written(step)),
        };
    }
    text
}

/// Whether there is such a field; nothing if that can't be asked of it.
pub fn has(base: &str, path: &[Step], random: &mut Random) -> Option<String> {
    match path {
        [way @ .., Step::Key(key)] if is_name(key) => {
            let way = match random.percent(10) && !way.is_empty() {
                true => select_optional(base, way, random),
                false => select(base, way, random),
            };
            Some(format!("has({way}.{key})"))
        }
        _ => None,
    }
}

fn plain(step: &Step, random: &mut Random) -> String {
    match step {
        Step::Key(key) if is_name(key) && random.percent(95) => format!(".{key}"),
        Step::Index(index) if random.percent(2) => format!("[{index}.0]"),
        Step::Index(index) if random.percent(2) => format!("[{index}u]"),
        step => format!("[{}]", written(step)),
    }
}

fn written(step: &Step) -> String {
    match step {
        Step::Key(key) => literal(key),
        Step::Index(index) => index.to_string(),
    }
}

fn is_name(key: &str) -> bool {
    !RESERVED.contains(&key)
        && !key.starts_with(|c: char| c.is_ascii_digit())
        && !key.is_empty()
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
