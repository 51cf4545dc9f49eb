//! The form of an expression, with holes.

use super::types::Type;

/// `list(A): $list(A).filter(@A, $bool)`: in the place of `$TYPE` comes an expression of that type,
/// in the place of `@TYPE` the name of a new variable, for the holes behind it.
#[derive(Debug)]
pub struct Template {
    /// What it evaluates to.
    pub result: Type,
    /// What it is made of.
    pub pieces: Vec<Piece>,
    /// Whether it has to be in parentheses where it is a part of another.
    pub is_loose: bool,
    /// Whether it is a list or a map of things of one type.
    pub is_literal: bool,
}

/// A part of a template.
#[derive(Debug)]
pub enum Piece {
    /// As it is.
    Text(&'static str),
    /// An expression of the type.
    Hole(Type),
    /// A new variable of the type.
    Binder(Type),
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &'static str) -> Self {
        let (result, length) = Type::parse(text);
        let body = &text[length + 2..];
        let (mut pieces, mut rest) = (Vec::new(), body);
        while !rest.is_empty() {
            let next = rest.find(['$', '@']).unwrap_or(rest.len());
            if next > 0 {
                pieces.push(Piece::Text(&rest[..next]));
            }
            let Some(mark) = rest[next..].chars().next() else { break };
            let (type_, length) = Type::parse(&rest[next + 1..]);
            pieces.push(if mark == '$' { Piece::Hole(type_) } else { Piece::Binder(type_) });
            rest = &rest[next + 1 + length..];
        }
        let is_literal = body.starts_with(['[', '{']);
        Self { result, pieces, is_loose: is_loose(body), is_literal }
    }
}

/// Whether an operator stands outside of all brackets.
pub fn is_loose(text: &str) -> bool {
    let (mut depth, mut quote, mut escaped) = (0, None, false);
    for character in text.chars() {
        match (quote, character) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ' ' | '\n') if depth == 0 => return true,
            _ => {}
        }
    }
    text.starts_with(['-', '!'])
}
