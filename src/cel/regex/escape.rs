//! Characters and classes: what begins with `\` or `[`.

use std::collections::HashMap;
use std::rc::Rc;

use super::class::{Class, MAX, MAX_RANGES};
use super::error::{Error, ErrorKind};
use super::unicode;

/// What is known of a pattern's classes from those before: a pattern may have thousands.
#[derive(Default)]
pub(super) struct Known {
    /// The properties, by name, whether case is ignored and whether they are negated. Each has up to
    /// hundreds of ranges.
    properties: HashMap<(String, bool, bool), Option<Rc<Class>>>,
    /// No `:]` is in what is left of the pattern.
    no_named_class: bool,
    /// The ranges of all classes in brackets.
    ranges: usize,
}

/// `\d`, `\s`, `\w` and what has a name between `[:` and `:]`: all ASCII.
const ASCII_CLASSES: &[(&str, &[(u8, u8)])] = &[
    ("d", &[(b'0', b'9')]),
    ("s", &[(b'\t', b'\n'), (0x0C, b'\r'), (b' ', b' ')]),
    ("w", &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')]),
    ("alnum", &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')]),
    ("alpha", &[(b'A', b'Z'), (b'a', b'z')]),
    ("ascii", &[(0, 0x7F)]),
    ("blank", &[(b'\t', b'\t'), (b' ', b' ')]),
    ("cntrl", &[(0, 0x1F), (0x7F, 0x7F)]),
    ("digit", &[(b'0', b'9')]),
    ("graph", &[(b'!', b'~')]),
    ("lower", &[(b'a', b'z')]),
    ("print", &[(b' ', b'~')]),
    ("punct", &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')]),
    ("space", &[(b'\t', b'\r'), (b' ', b' ')]),
    ("upper", &[(b'A', b'Z')]),
    ("word", &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')]),
    ("xdigit", &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')]),
];

/// The least code point that a character matches without regard to case.
pub(super) fn least_of_orbit(point: u32) -> u32 {
    unicode::orbit(point).first().copied().unwrap_or(point)
}

/// The class that the text begins with, if it begins with `\d` and the like or `\p`, and what is
/// after it.
///
/// # Errors
/// [`ErrorKind::InvalidCharRange`] if there is no such property.
pub(super) fn class<'p>(
    text: &'p str,
    fold: bool,
    known: &mut Known,
) -> Result<Option<(Rc<Class>, &'p str)>, Error> {
    let mut chars = text.chars();
    if chars.next() != Some('\\') {
        return Ok(None);
    }
    match chars.next() {
        Some(c @ ('p' | 'P')) => {
            let (name, rest) = property_name(text, chars.as_str())?;
            let (name, negated) = match name.strip_prefix('^') {
                Some(name) => (name, c == 'p'),
                None => (name, c == 'P'),
            };
            let class = known.property(name, fold, negated).ok_or_else(|| {
                ErrorKind::InvalidCharRange.at(text.strip_suffix(rest).unwrap_or(text))
            })?;
            Ok(Some((class, rest)))
        }
        Some(c @ ('d' | 's' | 'w' | 'D' | 'S' | 'W')) => {
            let name = c.to_ascii_lowercase();
            let class = ascii_class(name.encode_utf8(&mut [0; 4]), c.is_ascii_uppercase(), fold);
            Ok(class.map(|class| (Rc::new(class), chars.as_str())))
        }
        _ => Ok(None),
    }
}

impl Known {
    fn property(&mut self, name: &str, fold: bool, negated: bool) -> Option<Rc<Class>> {
        let load = || {
            let class = unicode::property(name, fold)?;
            Some(Rc::new(if negated { class.negated() } else { class }))
        };
        let key = (name.to_owned(), fold, negated);
        self.properties.entry(key).or_insert_with(load).clone()
    }
}

/// The name in `\pN` or `\p{Name}`, and what is after it; `text` begins with the backslash, `after`
/// behind the `p`.
fn property_name<'p>(text: &str, after: &'p str) -> Result<(&'p str, &'p str), Error> {
    if let Some(name) = after.strip_prefix('{') {
        return name.split_once('}').ok_or_else(|| ErrorKind::InvalidCharRange.at(text));
    }
    let end = after.chars().next().map_or(0, char::len_utf8);
    Ok(after.split_at_checked(end).unwrap_or((after, "")))
}

/// A class of [`ASCII_CLASSES`]. With case ignored, it may have members outside of ASCII.
fn ascii_class(name: &str, negated: bool, fold: bool) -> Option<Class> {
    let (_, ranges) = ASCII_CLASSES.iter().find(|(known, _)| *known == name)?;
    let class = Class::new(ranges.iter().map(|&(start, end)| (start.into(), end.into())));
    let class = if fold { class.folded() } else { class };
    Some(if negated { class.negated() } else { class })
}

/// The class between brackets that the text begins with, and what is after it.
pub(super) fn bracket<'p>(
    text: &'p str,
    fold: bool,
    known: &mut Known,
) -> Result<(Class, &'p str), Error> {
    let missing = || ErrorKind::MissingBracket.at(text);
    let mut rest = text.strip_prefix('[').ok_or_else(missing)?;
    let negated = rest.starts_with('^');
    rest = rest.strip_prefix('^').unwrap_or(rest);
    let mut class = Class::default();
    // What is in the set as written, and in all its cases.
    let mut cased = Class::default();
    let mut first = true;
    loop {
        // A bracket that comes first is a member.
        if !first && let Some(after) = rest.strip_prefix(']') {
            rest = after;
            break;
        }
        first = false;
        if let Some((named, after)) = named_class(rest, fold, known)? {
            class.extend(&named);
            rest = after;
        } else if let Some((escaped, after)) = self::class(rest, fold, known)? {
            class.extend(&escaped);
            rest = after;
        } else {
            let start = rest;
            let (low, mut high);
            (low, rest) = member(rest).unwrap_or_else(|| Err(missing()))?;
            high = low;
            if let Some(after) = rest.strip_prefix('-')
                && !after.is_empty()
                && !after.starts_with(']')
            {
                (high, rest) = member(after).unwrap_or_else(|| Err(missing()))?;
                if high < low {
                    let range = start.strip_suffix(rest).unwrap_or(start);
                    return Err(ErrorKind::InvalidCharRange.at(range));
                }
            }
            cased.push(low, high);
        }
    }
    if fold {
        cased.normalise();
        cased = cased.folded();
    }
    class.extend(&cased);
    class.normalise();
    known.ranges += class.ranges().len();
    if known.ranges > MAX_RANGES {
        return Err(Error::too_large());
    }
    Ok((if negated { class.negated() } else { class }, rest))
}

/// The class `[:name:]` that the text begins with, and what is after it.
fn named_class<'p>(
    text: &'p str,
    fold: bool,
    known: &mut Known,
) -> Result<Option<(Class, &'p str)>, Error> {
    let Some(name) = text.strip_prefix("[:").filter(|_| !known.no_named_class) else {
        return Ok(None);
    };
    let Some((name, rest)) = name.split_once(":]") else {
        known.no_named_class = true;
        return Ok(None);
    };
    let (bare, negated) = match name.strip_prefix('^') {
        Some(bare) => (bare, true),
        None => (name, false),
    };
    // Those of one letter are no named classes.
    let class = ascii_class(bare, negated, fold).filter(|_| bare.len() > 1);
    let class = class
        .ok_or_else(|| ErrorKind::InvalidCharRange.at(text.strip_suffix(rest).unwrap_or(text)))?;
    Ok(Some((class, rest)))
}

/// A single member of a class, and what is after it; none at the end of the pattern.
fn member(text: &str) -> Option<Result<(u32, &str), Error>> {
    let mut chars = text.chars();
    match chars.next()? {
        '\\' => Some(point(text)),
        c => Some(Ok((c.into(), chars.as_str()))),
    }
}

/// The code point that the escape is which the text begins with, and what is after it.
///
/// # Errors
/// [`ErrorKind::TrailingBackslash`], [`ErrorKind::InvalidEscape`]
pub(super) fn point(text: &str) -> Result<(u32, &str), Error> {
    let mut chars = text.chars();
    chars.next();
    let c = chars.next().ok_or_else(|| ErrorKind::TrailingBackslash.at(""))?;
    let rest = chars.as_str();
    let result = match c {
        '0' => Ok(octal(c, rest)),
        // One digit alone would be a reference to a group.
        '1'..='7' if rest.starts_with(|c| matches!(c, '0'..='7')) => Ok(octal(c, rest)),
        'x' => hexadecimal(rest),
        'a' => Ok((0x07, rest)),
        'f' => Ok((0x0C, rest)),
        'n' => Ok(('\n'.into(), rest)),
        'r' => Ok(('\r'.into(), rest)),
        't' => Ok(('\t'.into(), rest)),
        'v' => Ok((0x0B, rest)),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok((c.into(), rest)),
        _ => Err(rest),
    };
    result.map_err(|rest| ErrorKind::InvalidEscape.at(text.strip_suffix(rest).unwrap_or(text)))
}

/// A number of up to three octal digits, of which the first was read.
fn octal(first: char, rest: &str) -> (u32, &str) {
    let more = rest.bytes().take(2).take_while(|b| matches!(b, b'0'..=b'7')).count();
    let (digits, after) = rest.split_at_checked(more).unwrap_or(("", rest));
    let digits = std::iter::once(first).chain(digits.chars());
    (digits.filter_map(|c| c.to_digit(8)).fold(0, |n, digit| n * 8 + digit), after)
}

/// What is after `\x`: two digits, or any number in braces. An error is what is after the part
/// that was read up to there.
fn hexadecimal(text: &str) -> Result<(u32, &str), &str> {
    let mut chars = text.chars();
    match chars.next() {
        Some('{') => {
            let mut value = None;
            loop {
                match (chars.next(), value) {
                    (Some('}'), Some(value)) => return Ok((value, chars.as_str())),
                    (Some(c), _) => {
                        let digit = c.to_digit(16).ok_or(chars.as_str())?;
                        let next = value.unwrap_or(0) * 16 + digit;
                        value = Some(next);
                        if next > MAX {
                            return Err(chars.as_str());
                        }
                    }
                    (None, _) => return Err(""),
                }
            }
        }
        Some(high) => {
            let low = chars.next();
            let digits = high.to_digit(16).zip(low.and_then(|low| low.to_digit(16)));
            let (high, low) = digits.ok_or(chars.as_str())?;
            Ok((high * 16 + low, chars.as_str()))
        }
        None => Err(""),
    }
}
