//! Strings as Go's error messages show them.

use super::printable::is_printable;
use std::fmt::Write as _;

/// The replacement for a byte that is not part of valid UTF-8.
const REPLACEMENT: char = '\u{fffd}';

/// Quotes a string as Go's `strconv.Quote` and the `%q` verb do.
///
/// Bytes that are not UTF-8 become `\xNN`, characters that Go does not print become `\uNNNN` or
/// `\UNNNNNNNN`. The result is at most ten characters for each character of the input.
pub fn quote(text: impl AsRef<[u8]>) -> String {
    let text = text.as_ref();
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_char(&mut quoted, c);
        }
        for byte in chunk.invalid() {
            push_formatted(&mut quoted, format_args!("\\x{byte:02x}"));
        }
    }
    quoted.push('"');
    quoted
}

fn push_char(quoted: &mut String, c: char) {
    match c {
        '"' => quoted.push_str("\\\""),
        '\\' => quoted.push_str("\\\\"),
        c if is_printable(c) => quoted.push(c),
        '\x07' => quoted.push_str("\\a"),
        '\x08' => quoted.push_str("\\b"),
        '\x0c' => quoted.push_str("\\f"),
        '\n' => quoted.push_str("\\n"),
        '\r' => quoted.push_str("\\r"),
        '\t' => quoted.push_str("\\t"),
        '\x0b' => quoted.push_str("\\v"),
        c => {
            let code = u32::from(c);
            match code {
                0..=0x1f | 0x7f => push_formatted(quoted, format_args!("\\x{code:02x}")),
                0..=0xffff => push_formatted(quoted, format_args!("\\u{code:04x}")),
                _ => push_formatted(quoted, format_args!("\\U{code:08x}")),
            }
        }
    }
}

fn push_formatted(quoted: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = quoted.write_fmt(arguments);
}

/// Decodes bytes as Go's rune iteration sees them: every byte that is not part of valid UTF-8
/// counts as one U+FFFD.
///
/// Go strings may hold any bytes; Rust's may not. `String::from_utf8_lossy` would fold several
/// such bytes into one character and so change the length an expression observes.
pub(super) fn runes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| REPLACEMENT));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        let cases: [(&[u8], &str); 8] = [
            (b"plain", r#""plain""#),
            (b"a\"b\\c", r#""a\"b\\c""#),
            (b"\x07\x08\x0c\n\r\t\x0b\x00\x7f", r#""\a\b\f\n\r\t\v\x00\x7f""#),
            ("é\u{a0}\u{ad}\u{fffd}".as_bytes(), "\"é\\u00a0\\u00ad\u{fffd}\""),
            ("\u{1f600}\u{e0001}".as_bytes(), "\"\u{1f600}\\U000e0001\""),
            ("\u{2028}\u{3000}\u{378}".as_bytes(), r#""\u2028\u3000\u0378""#),
            (b"a\xffb\xe2\x82", r#""a\xffb\xe2\x82""#),
            (b"", r#""""#),
        ];
        for (text, quoted) in cases {
            assert_eq!(quote(text), quoted);
        }
    }

    #[test]
    fn each_stray_byte_is_one_rune() {
        assert_eq!(runes(b"a\xe2\x82b\xff"), "a\u{fffd}\u{fffd}b\u{fffd}");
    }
}
