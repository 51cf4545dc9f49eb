//! URLs as CEL's `url()` reads them (Go's `net/url`, which is not the WHATWG's parser).

mod authority;
mod escape;

use self::escape::{Component, escape, is_well_escaped, unescape};
use super::ParseError;
use super::quote::{quote, runes};
use std::collections::BTreeMap;
use std::fmt;

/// Beyond this many parameters Go refuses to read a query at all.
const MAX_QUERY_PARAMETERS: usize = 10_000;

/// An absolute URI or an absolute path.
///
/// Two URLs are equal when they display alike. Where unescaping yields bytes that are not UTF-8,
/// each shows as U+FFFD.
#[derive(Debug, Clone, Default)]
pub struct Url {
    scheme: String,
    /// What follows the scheme if that is no path, as given.
    opaque: String,
    /// User name and perhaps password, escaped.
    user: Option<String>,
    /// Host and perhaps port, unescaped.
    host: Vec<u8>,
    escaped_path: String,
    /// The query as given, without the question mark.
    query: String,
    /// Whether there is a question mark with nothing after it.
    empty_query: bool,
    /// Whether a scheme is followed by a path without `//`.
    omit_host: bool,
    escaped_fragment: String,
}

impl Url {
    /// Parses an absolute URI or an absolute path, with or without a fragment.
    ///
    /// # Errors
    /// The text of CEL's `url(string)`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        // As in the library, two parsers must agree: the first takes no relative reference, the
        // second knows of fragments.
        parse_request_uri(text).and_then(|_| parse_reference(text)).map_err(|error| {
            ParseError(format!("URL parse error during conversion from string: {error}"))
        })
    }

    /// The answer of CEL's `isURL`. Not quite whether [`Url::parse`] succeeds: a fragment is not
    /// looked at.
    pub fn is_url(text: &str) -> bool {
        parse_request_uri(text).is_ok()
    }

    /// The scheme in lower case, or empty.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Host and port, an IPv6 address in brackets; empty if there is none.
    pub fn host(&self) -> String {
        runes(&self.host)
    }

    /// The host without port and brackets.
    pub fn hostname(&self) -> String {
        runes(authority::split_host_port(&self.host).0)
    }

    /// The port's digits, or empty.
    pub fn port(&self) -> String {
        runes(authority::split_host_port(&self.host).1)
    }

    /// The path, escaped, or empty.
    pub fn escaped_path(&self) -> &str {
        &self.escaped_path
    }

    /// The query's parameters, unescaped, the values of each in their order.
    ///
    /// Parameters that are not well-formed are left out; of more than 10,000, all are.
    pub fn query(&self) -> BTreeMap<String, Vec<String>> {
        let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if self.query.bytes().filter(|&byte| byte == b'&').count() >= MAX_QUERY_PARAMETERS {
            return parameters;
        }
        for parameter in self.query.split('&') {
            if parameter.is_empty() || parameter.contains(';') {
                continue;
            }
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if let (Ok(key), Ok(value)) =
                (unescape(key, Component::Query), unescape(value, Component::Query))
            {
                parameters.entry(runes(&key)).or_default().push(runes(&value));
            }
        }
        parameters
    }
}

impl PartialEq for Url {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Url {}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(formatter, "{}:", self.scheme)?;
        }
        if self.opaque.is_empty() {
            let bare = self.host.is_empty() && self.user.is_none();
            let omitted = bare && (self.scheme.is_empty() || self.omit_host);
            if !(omitted || bare && self.escaped_path.is_empty()) {
                formatter.write_str("//")?;
            }
            if let Some(user) = &self.user {
                write!(formatter, "{user}@")?;
            }
            formatter.write_str(&escape(&self.host, Component::Host))?;
            formatter.write_str(&self.escaped_path)?;
        } else {
            formatter.write_str(&self.opaque)?;
        }
        if self.empty_query || !self.query.is_empty() {
            write!(formatter, "?{}", self.query)?;
        }
        if !self.escaped_fragment.is_empty() {
            write!(formatter, "#{}", self.escaped_fragment)?;
        }
        Ok(())
    }
}

/// Parses as Go's `url.ParseRequestURI`: no relative reference, no fragment (a `#` is a character
/// like others, where it may stand).
pub(super) fn parse_request_uri(text: &str) -> Result<Url, String> {
    parse(text, Reference::Request).map_err(|error| in_url(text, &error))
}

/// Parses as Go's `url.Parse`: any reference, a fragment may follow.
fn parse_reference(text: &str) -> Result<Url, String> {
    let (base, fragment) = text.split_once('#').unwrap_or((text, ""));
    let mut url = parse(base, Reference::Any).map_err(|error| in_url(base, &error))?;
    url.escaped_fragment =
        canonical_escape(fragment, Component::Fragment).map_err(|error| in_url(text, &error))?;
    Ok(url)
}

fn in_url(url: &str, error: &str) -> String {
    format!("parse {}: {error}", quote(url))
}

/// Which references a parser takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reference {
    /// Those of a request line: absolute URIs and absolute paths.
    Request,
    Any,
}

fn parse(text: &str, reference: Reference) -> Result<Url, String> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    if text.is_empty() && reference == Reference::Request {
        return Err("empty url".to_owned());
    }
    if text == "*" {
        return Ok(Url { escaped_path: "*".to_owned(), ..Url::default() });
    }
    let (scheme, rest) = split_scheme(text)?;
    let mut url = Url { scheme: scheme.to_ascii_lowercase(), ..Url::default() };
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(r, q)| (r, Some(q)));
    url.empty_query = query == Some("");
    url.query = query.unwrap_or_default().to_owned();

    if !rest.starts_with('/') {
        if !url.scheme.is_empty() {
            url.opaque = rest.to_owned();
            return Ok(url);
        }
        if reference == Reference::Request {
            return Err("invalid URI for request".to_owned());
        }
        if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
    }

    let may_have_authority =
        !url.scheme.is_empty() || reference == Reference::Any && !rest.starts_with("///");
    let mut path = rest;
    match rest.strip_prefix("//").filter(|_| may_have_authority) {
        Some(after) => {
            let (authority, after) = after.split_at(after.find('/').unwrap_or(after.len()));
            (url.user, url.host) = authority::parse(&url.scheme, authority)?;
            path = after;
        }
        None => url.omit_host = !url.scheme.is_empty() && rest.starts_with('/'),
    }
    url.escaped_path = canonical_escape(path, Component::Path)?;
    Ok(url)
}

/// Splits the scheme off, which is empty if none stands there.
fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    let is_scheme_character = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    match text.split_once(':') {
        Some(("", _)) => Err("missing protocol scheme".to_owned()),
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(is_scheme_character) =>
        {
            Ok((scheme, rest))
        }
        _ => Ok(("", text)),
    }
}

/// Checks the escapes of a path or fragment, and keeps its form if that is a valid one.
fn canonical_escape(text: &str, component: Component) -> Result<String, String> {
    let plain = unescape(text, component)?;
    if is_well_escaped(text, component) {
        Ok(text.to_owned())
    } else {
        Ok(escape(&plain, component))
    }
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
