//! Numbers kept as they are written: `1e3` is another text than `1000`, and `0.10` than `0.1`.

use serde_json::Value;

/// What a number is marked by, once it is a string. No text has this character.
pub const MARK: char = '\u{f8ff}';

/// JSON in which each number is a string of its text, marked.
pub fn mark(json: &str) -> Value {
    let mut marked = String::with_capacity(json.len() * 2);
    let mut rest = json;
    while let Some(start) =
        rest.find(|char: char| char == '"' || char == '-' || char.is_ascii_digit())
    {
        let (before, from) = rest.split_at(start);
        marked.push_str(before);
        let end = if from.starts_with('"') { end_of_string(from) } else { end_of_number(from) };
        let (token, after) = from.split_at(end);
        match token.starts_with('"') {
            true => marked.push_str(token),
            false => marked.extend(["\"", &format!("{MARK}{token}"), "\""]),
        }
        rest = after;
    }
    marked.push_str(rest);
    serde_json::from_str(&marked).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// The JSON that was marked, as text.
pub fn restore(marked: &Value) -> String {
    let text = marked.to_string();
    let begin = format!("\"{MARK}");
    let mut parts = text.split(&begin);
    let mut json = parts.next().unwrap().to_owned();
    for part in parts {
        let (number, after) = part.split_once('"').unwrap();
        json.extend([number, after]);
    }
    json
}

fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    panic!("a string without an end: {text}")
}

fn end_of_number(text: &str) -> usize {
    let goes_on = |char: char| char.is_ascii_digit() || "+-.eE".contains(char);
    text.find(|char| !goes_on(char)).unwrap_or(text.len())
}
