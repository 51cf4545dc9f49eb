//! Runs the parser within bounds, and tells what is wrong with a text.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use cel::Env;
use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::parser::ParseErrors;

use super::convert::Converter;
use super::{Node, Position};
use crate::cel::error::Mistake;
use crate::cel::stack;

/// How many characters an expression may have, as in cel-go.
const MAX_LENGTH: usize = 100_000;

/// How deep it may be nested, as in cel-go.
pub(in crate::cel) const MAX_NESTING: usize = 250;

/// What is said of a text of which the parser does not say what is wrong.
const UNREADABLE: &str = "the expression could not be parsed";

/// Without macros: they are read here.
static PARSER: LazyLock<Env> = LazyLock::new(Env::default);

/// Parses `source`, and passes what it is to `next`, on a thread whose stack is large enough for
/// whatever the text may be. How many nodes there are goes with it.
///
/// # Errors
/// All that is wrong with the text.
pub(in crate::cel) fn parse<T: Send>(
    source: &str,
    next: impl FnOnce(Node, usize) -> Result<T, Vec<Mistake>> + Send,
) -> Result<T, Vec<Mistake>> {
    let length = source.chars().count();
    if length > MAX_LENGTH {
        return Err(vec![unplaced(format!(
            "expression code point size exceeds limit: size: {length}, limit {MAX_LENGTH}"
        ))]);
    }
    // The parser recurses for each operator of a chain, and 100,000 characters make chains of 50,000.
    let parsed = stack::on_large(|| {
        let (node, nodes) = parse_here(source)?;
        next(node, nodes)
    });
    parsed.unwrap_or_else(|error| {
        Err(vec![whole(format!("no thread to compile the expression: {error}"))])
    })
}

fn parse_here(source: &str) -> Result<(Node, usize), Vec<Mistake>> {
    let lines = Lines::new(source);
    let parser = PARSER.parser().max_recursion_depth(MAX_NESTING as u16 - 1);
    // It is not ours, and whoever writes expressions must not be able to stop a server by it.
    let parsed = catch_unwind(AssertUnwindSafe(|| parser.parse_with_source_info(source)))
        .map_err(|_| vec![whole(UNREADABLE.to_owned())])?;
    let (tree, places) = parsed.map_err(|errors| mistakes(source, &errors))?;
    if is_nested_too_deep(&tree) {
        return Err(vec![recursion_limit()]);
    }
    if is_too_deep(&tree) {
        return Err(vec![unplaced("max recursion depth exceeded".to_owned())]);
    }
    let mut converter = Converter::new(|id, is_negative| {
        let start = places.offset_for(id)?.0 as usize;
        // A negative number begins at its sign.
        let sign = source.get(..start).map(str::trim_end).and_then(|text| text.strip_suffix('-'));
        Some(lines.position(sign.filter(|_| is_negative).map_or(start, str::len)))
    });
    let node = converter.convert(tree);
    let (mistakes, nodes) = converter.finish();
    if mistakes.is_empty() { Ok((node, nodes)) } else { Err(mistakes) }
}

/// A mistake that cel-go says a place of which there is not.
fn unplaced(message: String) -> Mistake {
    whole(format!("compilation failed: ERROR: <input>:-1:0: {message}"))
}

fn recursion_limit() -> Mistake {
    unplaced(format!("expression recursion limit exceeded: {MAX_NESTING}"))
}

/// A mistake of no place.
fn whole(message: String) -> Mistake {
    Mistake { line: 0, column: 0, message, hint: None }
}

fn mistakes(source: &str, errors: &ParseErrors) -> Vec<Mistake> {
    if errors.errors.iter().any(|error| error.msg.contains("Recursion limit")) {
        return vec![recursion_limit()];
    }
    let mut mistakes: Vec<Mistake> = errors
        .errors
        .iter()
        // What the parser says of a part that it could not read repeats the error before.
        .filter(|error| !error.msg.starts_with("No `") && !error.msg.starts_with("Incomplete"))
        .map(|error| Mistake {
            line: usize::try_from(error.pos.0).unwrap_or(1).max(1),
            column: usize::try_from(error.pos.1).unwrap_or(1).max(1),
            message: reword(&error.msg),
            hint: hint(source, &error.msg),
        })
        .collect();
    if mistakes.is_empty() {
        mistakes.push(whole(UNREADABLE.to_owned()));
    }
    mistakes
}

/// What the parser says, in cel-go's words.
fn reword(message: &str) -> String {
    let has = |part: &str| message.contains(part);
    if has("literal: InvalidUnicode") {
        return "invalid unicode code point".to_owned();
    }
    if has("literal: InvalidEscape") {
        return "unable to unescape string".to_owned();
    }
    for word in ["true", "false", "null"] {
        if has(&format!("no viable alternative at input '.{word}'")) {
            return format!("Syntax error: mismatched input '{word}' expecting IDENTIFIER");
        }
    }
    without_operators(message).unwrap_or_else(|| message.to_owned())
}

/// Leaves what continues an expression out of what could have come next, where any operator could
/// have: cel-go does not name them either.
fn without_operators(message: &str) -> Option<String> {
    const CONTINUING: [&str; 18] = [
        "'=='", "'!='", "'in'", "'<'", "'<='", "'>='", "'>'", "'&&'", "'||'", "'['", "'.'", "'-'",
        "'?'", "'+'", "'*'", "'/'", "'%'", "','",
    ];
    let (before, list) = message.split_once(" expecting {")?;
    let list = list.strip_suffix('}').filter(|list| list.contains("'%'"))?;
    let rest: Vec<&str> = list.split(", ").filter(|token| !CONTINUING.contains(token)).collect();
    match rest.as_slice() {
        [] => None,
        [one] => Some(format!("{before} expecting {one}")),
        several => Some(format!("{before} expecting {{{}}}", several.join(", "))),
    }
}

/// What people coming from other languages write, and what it is here.
fn hint(source: &str, message: &str) -> Option<String> {
    let hint = if message.contains("token recognition error at: '=") {
        "equality is written =="
    } else if message.contains("unsupported syntax: '`'") {
        "a field whose name is no identifier is read by an index: x['the-name']"
    } else if message.contains("token recognition error at: '&") {
        "and is written &&"
    } else if message.contains("token recognition error at: '|") {
        "or is written ||"
    } else if message.contains("viable alternative at input '.in'")
        || message.contains("viable alternative at input '.true'")
        || message.contains("viable alternative at input '.false'")
        || message.contains("viable alternative at input '.null'")
    {
        "a field that is called like a word of the language is read by an index: x['in']"
    } else if message.contains("<EOF>") && source.matches('(').count() > source.matches(')').count()
    {
        "a ) is missing"
    } else {
        return None;
    };
    Some(hint.to_owned())
}

/// Where lines begin, in bytes, as the parser counts.
struct Lines<'s> {
    source: &'s str,
    starts: Vec<usize>,
}

impl<'s> Lines<'s> {
    fn new(source: &'s str) -> Self {
        let breaks = source.match_indices('\n').map(|(at, _)| at + 1);
        Self { source, starts: std::iter::once(0).chain(breaks).collect() }
    }

    fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.wrapping_sub(1)).copied().unwrap_or(0);
        let before = self.source.get(start..offset).unwrap_or_default();
        Position { line, column: before.chars().count() + 1 }
    }
}

/// Whether right operands are nested deeper than the rules of cel-go's grammar may: each is within
/// two of one rule, and the parser here counts but one.
fn is_nested_too_deep(root: &IdedExpr) -> bool {
    const OPERATORS: [&str; 12] =
        ["_+_", "_-_", "_*_", "_/_", "_%_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"];
    let mut work = vec![(root, 0)];
    while let Some((node, depth)) = work.pop() {
        if depth >= MAX_NESTING {
            return true;
        }
        match &node.expr {
            Expr::Call(call) => {
                let is_operator = OPERATORS.contains(&call.func_name.as_str());
                work.extend(call.target.iter().map(|target| (&**target, depth)));
                work.extend(call.args.iter().enumerate().map(|(index, argument)| {
                    (argument, if is_operator && index == 1 { depth + 2 } else { depth })
                }));
            }
            Expr::Select(select) => work.push((&select.operand, depth)),
            Expr::List(list) => work.extend(list.elements.iter().map(|element| (element, depth))),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        work.extend([(&entry.key, depth), (&entry.value, depth)]);
                    }
                }
            }
            _ => {}
        }
    }
    false
}

/// Whether operators and selections are nested deeper than cel-go's parser recurses.
fn is_too_deep(root: &IdedExpr) -> bool {
    let mut work = vec![(root, 0)];
    while let Some((node, depth)) = work.pop() {
        if depth > MAX_NESTING {
            return true;
        }
        let mut push = |node, counts: bool| work.push((node, depth + usize::from(counts)));
        match &node.expr {
            Expr::Select(select) => push(&select.operand, true),
            // has(x.f) is a selection that asks.
            Expr::Call(call) if call.target.is_none() && call.func_name == "has" => {
                call.args.iter().for_each(|argument| push(argument, false));
            }
            Expr::Call(call) => {
                // && and || are balanced trees, however long a chain of them is.
                let counts = !matches!(call.func_name.as_str(), "_&&_" | "_||_" | "!_" | "-_");
                call.target.iter().for_each(|target| push(target, true));
                call.args.iter().for_each(|argument| push(argument, counts));
            }
            Expr::List(list) => list.elements.iter().for_each(|element| push(element, true)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    push(&entry.key, true);
                    push(&entry.value, true);
                }
            }),
            Expr::Struct(new) => new.entries.iter().for_each(|entry| {
                if let EntryExpr::StructField(field) = &entry.expr {
                    push(&field.value, true);
                }
            }),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(source: &str) -> Mistake {
        parse(source, |_, _| Ok(())).unwrap_err().into_iter().next().unwrap()
    }

    #[test]
    fn what_other_languages_write_is_hinted_at() {
        for (source, hint) in [
            ("a = 1", "=="),
            ("a & b", "&&"),
            ("a | b", "||"),
            ("a.`b-c`", "x['the-name']"),
            ("a.in", "x['in']"),
            ("a.true", "x['in']"),
            ("f(a", ") is missing"),
        ] {
            let mistake = first(source);
            let given = mistake.hint.as_deref().unwrap_or_default();
            assert!(given.contains(hint), "{source}: {mistake:?}");
        }
    }

    #[test]
    fn the_words_are_those_of_cel_go() {
        for (source, message) in [
            ("a.true", "Syntax error: mismatched input 'true' expecting IDENTIFIER"),
            (r"'\ud800'", "invalid unicode code point"),
            ("f(a", "Syntax error: missing ')' at '<EOF>'"),
            (
                "1 +",
                "Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', \
              'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
            ),
        ] {
            assert_eq!(first(source).message, message, "{source}");
        }
    }

    #[test]
    fn right_operands_are_nested_half_as_deep_as_parentheses() {
        let nested = |times: usize| format!("[{}1{}]", "1 + (".repeat(times), ")".repeat(times));
        assert!(parse(&nested(124), |_, _| Ok(())).is_ok());
        assert!(first(&nested(125)).message.ends_with("expression recursion limit exceeded: 250"));
        let chain = format!("1{}", " + 1".repeat(248));
        assert!(parse(&chain, |_, _| Ok(())).is_ok());
    }

    #[test]
    fn columns_are_counted_in_characters_and_lines_from_one() {
        let mistake = first("'é' ==\n  'é' $ 1");
        assert_eq!((mistake.line, mistake.column), (2, 7));
        let lines = Lines::new("a\né b");
        assert_eq!(lines.position(0), Position { line: 1, column: 1 });
        assert_eq!(lines.position(4), Position { line: 2, column: 2 });
    }
}
