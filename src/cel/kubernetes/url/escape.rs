//! Percent-encoding, with Go's rules for each part of a URL.

use super::super::quote::quote;

/// A part of a URL that has its own rules for escapes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Component {
    Path,
    Host,
    /// The zone of an IPv6 address, `%25` included.
    Zone,
    /// A user name or a password.
    User,
    /// A key or a value of a query.
    Query,
    Fragment,
}

impl Component {
    /// Reports whether a byte stands for itself in this part.
    fn keeps(self, byte: u8) -> bool {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => true,
            b'$' | b'&' | b'+' | b',' | b';' | b'=' => self != Self::Query,
            b':' => !matches!(self, Self::Query | Self::User),
            b'/' | b'@' => matches!(self, Self::Path | Self::Fragment),
            b'?' => self == Self::Fragment,
            b'!' | b'(' | b')' | b'*' => {
                matches!(self, Self::Host | Self::Zone | Self::Fragment)
            }
            b'\'' | b'[' | b']' | b'<' | b'>' | b'"' => matches!(self, Self::Host | Self::Zone),
            _ => false,
        }
    }
}

/// Decodes a part of a URL; any bytes may come out.
pub(super) fn unescape(text: &str, component: Component) -> Result<Vec<u8>, String> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'%' => {
                let decoded = decode(after).filter(|&decoded| may_be_escaped(decoded, component));
                let Some(decoded) = decoded else {
                    let shown = rest.get(..3).unwrap_or(rest);
                    return Err(format!("invalid URL escape {}", quote(shown)));
                };
                plain.push(decoded);
                rest = after.get(2..).unwrap_or_default();
                continue;
            }
            b'+' if component == Component::Query => plain.push(b' '),
            _ if matches!(component, Component::Host | Component::Zone)
                && byte.is_ascii()
                && !component.keeps(byte) =>
            {
                return Err(format!("invalid character {} in host name", quote([byte])));
            }
            _ => plain.push(byte),
        }
        rest = after;
    }
    Ok(plain)
}

/// A host escapes what is not ASCII (RFC 3986 §3.2.2) and, for zones, the percent sign (RFC 6874);
/// a zone also what might stand there unescaped, and the space.
fn may_be_escaped(decoded: u8, component: Component) -> bool {
    match component {
        Component::Host => decoded == b'%' || !decoded.is_ascii(),
        Component::Zone => matches!(decoded, b'%' | b' ') || Component::Host.keeps(decoded),
        _ => true,
    }
}

/// Reads the two hexadecimal digits of an escape.
fn decode(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    match *digits {
        [high, low, ..] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    }
}

/// Encodes a part of a URL; the result is ASCII.
pub(super) fn escape(plain: &[u8], component: Component) -> String {
    let mut text = String::with_capacity(plain.len());
    for &byte in plain {
        if component.keeps(byte) {
            text.push(byte.into());
        } else {
            text.push('%');
            for digit in [byte >> 4, byte & 0xf] {
                text.extend(char::from_digit(digit.into(), 16).map(|d| d.to_ascii_uppercase()));
            }
        }
    }
    text
}

/// Reports whether a path or fragment is escaped in a way that RFC 3986 allows.
pub(super) fn is_well_escaped(text: &str, component: Component) -> bool {
    text.bytes().all(|byte| {
        matches!(byte, b'!' | b'\'' | b'(' | b')' | b'*' | b'[' | b']' | b'%')
            || matches!(byte, b'$' | b'&' | b'+' | b',' | b';' | b'=' | b':' | b'@')
            || component.keeps(byte)
    })
}
