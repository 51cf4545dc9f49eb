//! The part of a URL between `//` and the path: user, host and port.

use super::super::ip::Literal;
use super::super::quote::quote;
use super::escape::{Component, escape, unescape};
use std::net::IpAddr;

/// Parses an authority into the user, escaped, and host with port, unescaped.
pub(super) fn parse(scheme: &str, authority: &str) -> Result<(Option<String>, Vec<u8>), String> {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let host = parse_host(scheme, host)?;
    Ok((user.map(parse_user).transpose()?, host))
}

fn parse_user(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    if !text.chars().all(allowed) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let escaped =
        |part| Ok::<_, String>(escape(&unescape(part, Component::User)?, Component::User));
    match text.split_once(':') {
        Some((name, password)) => Ok(format!("{}:{}", escaped(name)?, escaped(password)?)),
        None => escaped(text),
    }
}

fn parse_host(scheme: &str, host: &str) -> Result<Vec<u8>, String> {
    match host.rsplit_once('[') {
        Some(("", rest)) => return parse_bracketed(rest),
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    // A colon in the host itself is wrong (RFC 3986 §3.2.2), but lists of hosts with ports are
    // common in the URLs of databases.
    let colon = match scheme {
        "http" | "https" => host.find(':'),
        _ => host.rfind(':'),
    };
    check_port(colon.and_then(|colon| host.get(colon..)).unwrap_or_default())?;
    unescape(host, Component::Host)
}

/// Parses an IPv6 address, what follows its opening bracket.
fn parse_bracketed(rest: &str) -> Result<Vec<u8>, String> {
    let Some((hostname, port)) = rest.rsplit_once(']') else {
        return Err("missing ']' in host".to_owned());
    };
    check_port(port)?;
    let (address, zone) = hostname.split_at(hostname.find("%25").unwrap_or(hostname.len()));
    let mut plain = unescape(address, Component::Host)?;
    plain.extend(unescape(zone, Component::Zone)?);
    match Literal::parse(&plain) {
        Ok(Literal { address: IpAddr::V6(_), .. }) => {}
        Ok(_) => return Err("invalid IP-literal".to_owned()),
        Err(error) => return Err(format!("invalid host: {error}")),
    }
    Ok([b"[", plain.as_slice(), b"]", port.as_bytes()].concat())
}

fn check_port(text: &str) -> Result<(), String> {
    if is_optional_port(text.as_bytes()) {
        Ok(())
    } else {
        Err(format!("invalid port {} after host", quote(text)))
    }
}

fn is_optional_port(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Splits a host, without brackets, from its port.
pub(super) fn split_host_port(text: &[u8]) -> (&[u8], &[u8]) {
    let colon = text.iter().rposition(|&byte| byte == b':').unwrap_or(text.len());
    let (host, port) = match text.split_at_checked(colon) {
        Some((host, port)) if is_optional_port(port) => (host, port.get(1..).unwrap_or_default()),
        _ => (text, &[][..]),
    };
    let bare = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]"));
    (bare.unwrap_or(host), port)
}
