//! Regular expressions. A pattern that is a literal is compiled with the expression; one that is
//! not, each time it is used.

use super::{Table, cost};
use crate::cel::error::Fault;
use crate::cel::meter::Meter;
use crate::cel::regex::{COMPILED_LIMIT, Error, Regex};
use crate::cel::value::Value;

pub(super) fn table() -> Table {
    Table::default()
        .singleton("matches(string, string) -> bool", matches)
        .priced_singleton("string.matches(string) -> bool", matches, cost::pattern)
        .named("string.find(string) -> string", find, cost::pattern)
        .named("string.findAll(string) -> list(string)", find_all, cost::pattern)
        .named("string.findAll(string, int) -> list(string)", find_all, cost::pattern)
}

/// A pattern that is a literal, and what is done with it.
#[derive(Debug)]
pub(in crate::cel) struct Pattern {
    regex: Regex,
    /// Its characters, for the cost.
    pub length: u64,
    action: Action,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Match,
    Find,
    FindAll,
}

impl Pattern {
    /// The pattern of a call, if the function called `name` takes one there.
    ///
    /// # Errors
    /// Where the pattern is none.
    pub(in crate::cel) fn new(name: &str, pattern: &str) -> Result<Option<Self>, Error> {
        let action = match name {
            "matches" => Action::Match,
            "find" => Action::Find,
            "findAll" => Action::FindAll,
            _ => return Ok(None),
        };
        let length = pattern.chars().count() as u64;
        Ok(Some(Self { regex: Regex::new(pattern)?, length, action }))
    }

    /// What the call gives for a text, and for `findAll` for at most so many.
    pub(in crate::cel) fn apply<'a>(
        &self,
        meter: &mut Meter,
        text: &Value<'a>,
        count: Option<&Value<'a>>,
    ) -> Result<Value<'a>, Fault> {
        let text = native_text(text).ok_or_else(Fault::no_such_overload)?;
        let count = match count {
            None => None,
            Some(Value::Int(count)) => usize::try_from(*count).ok(),
            Some(_) => return Err(Fault::no_such_overload()),
        };
        match self.action {
            Action::Match => Ok(Value::Bool(self.regex.is_match(text))),
            Action::Find => first_found(meter, &self.regex, text),
            Action::FindAll => all_found(meter, &self.regex, text, count),
        }
    }
}

/// The text that cel-go takes a value for where the pattern is a literal.
fn native_text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::String(text) => Some(text),
        Value::Type(name) => Some(name),
        Value::Optional(Some(value)) => native_text(value),
        _ => None,
    }
}

fn first_found<'a>(meter: &mut Meter, regex: &Regex, text: &str) -> Result<Value<'a>, Fault> {
    let part = regex.find(text).unwrap_or("");
    meter.allocate(part.len())?;
    Ok(Value::string(part))
}

fn all_found<'a>(
    meter: &mut Meter,
    regex: &Regex,
    text: &str,
    limit: Option<usize>,
) -> Result<Value<'a>, Fault> {
    let mut parts = Vec::new();
    for part in regex.find_all(text).take(limit.unwrap_or(usize::MAX)) {
        // Each search may read the text to its end, at half the pace of others.
        meter.work(text.len() / 8);
        meter.charge(0)?;
        meter.allocate(part.len() + size_of::<Value<'_>>())?;
        parts.push(Value::string(part));
    }
    Ok(Value::list(parts))
}

/// Compiles a pattern that is no literal. That costs nothing, but is much to do.
fn compile(meter: &mut Meter, pattern: &str) -> Result<Regex, Error> {
    let compiled = Regex::new(pattern);
    meter.work(match &compiled {
        Ok(regex) => regex.size(),
        Err(Error::Syntax { .. }) => pattern.len(),
        Err(_) => COMPILED_LIMIT,
    });
    compiled
}

fn matches<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::String(text), Value::String(pattern)] => {
            let regex = compile(meter, pattern).map_err(|why| Fault::error(why.to_string()))?;
            Ok(Value::Bool(regex.is_match(text)))
        }
        [Value::String(_) | Value::Timestamp(_) | Value::Duration(_), _] => {
            Err(Fault::no_such_overload())
        }
        _ => Err(Fault::error("no such overload: matches")),
    }
}

fn compile_to_find(meter: &mut Meter, pattern: &str) -> Result<Regex, Fault> {
    compile(meter, pattern).map_err(|why| Fault::error(format!("Illegal regex: {why}")))
}

fn find<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let [Value::String(text), Value::String(pattern)] = arguments else {
        return Err(Fault::no_such_overload());
    };
    let regex = compile_to_find(meter, pattern)?;
    first_found(meter, &regex, text)
}

fn find_all<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let (text, pattern, count) = match arguments {
        [Value::String(text), Value::String(pattern)] => (text, pattern, None),
        [Value::String(text), Value::String(pattern), Value::Int(count)] => {
            (text, pattern, usize::try_from(*count).ok())
        }
        _ => return Err(Fault::no_such_overload()),
    };
    let regex = compile_to_find(meter, pattern)?;
    all_found(meter, &regex, text, count)
}
