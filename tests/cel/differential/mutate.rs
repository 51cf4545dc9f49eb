//! Text with a mistake in it.

use super::random::Random;

/// The text with one of its tokens dropped, doubled, exchanged for another, or for one of these.
pub fn mutate(text: &str, random: &mut Random) -> String {
    const TOKENS: &[&str] = &[
        "(", ")", "[", "]", "{", "}", ",", ".", "?", ":", "+", "-", "!", "&&", "||", "==", "<",
        "in", "true", "null", "1", "'a'", "x", "object", "0", "1u", "if", ".?", "[?", "%", "_",
        "'",
    ];
    let mut tokens = tokens(text);
    if tokens.is_empty() {
        return text.to_owned();
    }
    let at = random.below(tokens.len());
    match random.below(5) {
        0 => drop(tokens.remove(at)),
        1 => tokens.insert(at, tokens[at]),
        2 => {
            let other = random.below(tokens.len());
            tokens.swap(at, other);
        }
        3 => tokens[at] = *random.pick(TOKENS),
        _ => tokens.insert(at, *random.pick(TOKENS)),
    }
    tokens.concat()
}

/// Words, strings and signs; white space belongs to what is before it.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = if first == '\'' || first == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|c: char| {
                let ends = c == first && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |end| end + 2)
        } else if is_word(first) {
            rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())
        } else {
            let two = ["&&", "||", "==", "!=", "<=", ">=", ".?", "[?"];
            if two.iter().any(|two| rest.starts_with(two)) { 2 } else { first.len_utf8() }
        };
        let spaces = rest[end..].len() - rest[end..].trim_start_matches(' ').len();
        tokens.push(&rest[..end + spaces]);
        rest = &rest[end + spaces..];
    }
    tokens
}
