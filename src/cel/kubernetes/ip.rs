//! IP addresses as CEL's `ip()` reads them (Go's `net/netip`).

use super::ParseError;
use super::quote::quote;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IPv4 or IPv6 address: never with a zone, never an IPv4-mapped IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ip(IpAddr);

impl Ip {
    /// Parses an address in dotted decimal (without leading zeros) or in one of RFC 4291's forms.
    ///
    /// # Errors
    /// The text of CEL's `ip(string)` for what is no address, has a zone, or is IPv4-mapped.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let literal = Literal::parse(text.as_bytes()).map_err(|error| {
            ParseError(format!(
                "IP Address {} parse error during conversion from string: {error}",
                quote(text)
            ))
        })?;
        if literal.zoned {
            let quoted = quote(text);
            return Err(ParseError(format!("IP address {quoted} with zone value is not allowed")));
        }
        if literal.is_mapped() {
            return Err(ParseError(format!(
                "IPv4-mapped IPv6 address {} is not allowed",
                quote(text)
            )));
        }
        Ok(Self(literal.address))
    }

    /// Reports whether the text is what the address it denotes displays as (RFC 5952).
    ///
    /// # Errors
    /// As [`Ip::parse`].
    pub fn is_canonical(text: &str) -> Result<bool, ParseError> {
        Ok(Self::parse(text)?.to_string() == text)
    }

    /// The address that a network begins with.
    pub(super) fn from_address(address: IpAddr) -> Self {
        Self(address)
    }

    /// The address as the standard library's type.
    pub fn address(self) -> IpAddr {
        self.0
    }

    /// The protocol's version: 4 or 6.
    pub fn family(self) -> i64 {
        if self.0.is_ipv4() { 4 } else { 6 }
    }

    /// Reports whether this is `0.0.0.0` or `::`.
    pub fn is_unspecified(self) -> bool {
        self.0.is_unspecified()
    }

    /// Reports whether this is in `127.0.0.0/8` or is `::1`.
    pub fn is_loopback(self) -> bool {
        self.0.is_loopback()
    }

    /// Reports whether this is in `224.0.0.0/24` or in an IPv6 multicast group of link scope.
    pub fn is_link_local_multicast(self) -> bool {
        match self.0 {
            IpAddr::V4(address) => matches!(address.octets(), [224, 0, 0, _]),
            IpAddr::V6(address) => leading_segment(address) & 0xff0f == 0xff02,
        }
    }

    /// Reports whether this is in `169.254.0.0/16` or `fe80::/10`.
    pub fn is_link_local_unicast(self) -> bool {
        match self.0 {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => leading_segment(address) & 0xffc0 == 0xfe80,
        }
    }

    /// Reports whether this is none of: unspecified, the IPv4 broadcast address, loopback,
    /// multicast, link-local. Private addresses count as global.
    pub fn is_global_unicast(self) -> bool {
        let broadcast = self.0 == IpAddr::V4(Ipv4Addr::BROADCAST);
        !(broadcast
            || self.is_unspecified()
            || self.is_loopback()
            || self.0.is_multicast()
            || self.is_link_local_unicast())
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

fn leading_segment(address: Ipv6Addr) -> u16 {
    let [segment, ..] = address.segments();
    segment
}

/// What Go's `netip.ParseAddr` accepts, before any rule of CEL.
#[derive(Debug, Clone, Copy)]
pub(super) struct Literal {
    pub(super) address: IpAddr,
    /// Whether a zone followed the address.
    pub(super) zoned: bool,
}

impl Literal {
    /// Parses as `netip.ParseAddr` does. Not a `str`: a URL's host, unescaped, may be any bytes.
    pub(super) fn parse(text: &[u8]) -> Result<Self, ParseError> {
        match text.iter().find(|byte| matches!(byte, b'.' | b':' | b'%')) {
            Some(b'.') => {
                let [a, b, c, d] = parse_ipv4(text, text)?;
                Ok(Self { address: Ipv4Addr::new(a, b, c, d).into(), zoned: false })
            }
            Some(b':') => {
                let mut parts = text.splitn(2, |&byte| byte == b'%');
                let address = parts.next().unwrap_or_default();
                let zone = parts.next();
                if zone.is_some_and(<[u8]>::is_empty) {
                    return Err(failure(text, "zone must be a non-empty string", b""));
                }
                let octets = parse_ipv6(text, address)?;
                Ok(Self { address: Ipv6Addr::from(octets).into(), zoned: zone.is_some() })
            }
            Some(_) => Err(failure(text, "missing IPv6 address", b"")),
            None => Err(failure(text, "unable to parse IP", b"")),
        }
    }

    /// Reports whether this is an IPv6 address that stands for an IPv4 one (`::ffff:0:0/96`).
    pub(super) fn is_mapped(self) -> bool {
        matches!(self.address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
    }
}

fn failure(whole: &[u8], message: &str, at: &[u8]) -> ParseError {
    let whole = quote(whole);
    ParseError(if at.is_empty() {
        format!("ParseAddr({whole}): {message}")
    } else {
        format!("ParseAddr({whole}): {message} (at {})", quote(at))
    })
}

/// Parses `text`, dotted decimal; `whole` is the input that errors show.
fn parse_ipv4(whole: &[u8], text: &[u8]) -> Result<[u8; 4], ParseError> {
    let fail = |message| Err(failure(whole, message, b""));
    let mut octets = [0; 4];
    let mut remaining = octets.iter_mut();
    let mut value = 0_u16;
    let mut digits = 0_usize;
    for (position, &byte) in text.iter().enumerate() {
        let at = text.get(position..).unwrap_or_default();
        match byte {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return fail("IPv4 field has octet with leading zero");
                }
                value = value * 10 + u16::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return fail("IPv4 field has value >255");
                }
            }
            b'.' => {
                if digits == 0 || at.len() == 1 {
                    return Err(failure(whole, "IPv4 field must have at least one digit", at));
                }
                if remaining.len() == 1 {
                    return fail("IPv4 address too long");
                }
                store(&mut remaining, value);
                value = 0;
                digits = 0;
            }
            _ => return Err(failure(whole, "unexpected character", at)),
        }
    }
    if remaining.len() > 1 {
        return fail("IPv4 address too short");
    }
    store(&mut remaining, value);
    Ok(octets)
}

fn store(octets: &mut std::slice::IterMut<'_, u8>, value: u16) {
    if let (Some(octet), Ok(value)) = (octets.next(), u8::try_from(value)) {
        *octet = value;
    }
}

/// Parses `text`, an IPv6 address without zone; `whole` is the input that errors show.
fn parse_ipv6(whole: &[u8], text: &[u8]) -> Result<[u8; 16], ParseError> {
    let mut octets = Vec::with_capacity(16);
    // Where the run of zeros that "::" stands for begins.
    let mut ellipsis = None;
    let mut rest = text;
    if let Some(after) = rest.strip_prefix(b"::") {
        ellipsis = Some(0);
        rest = after;
        if rest.is_empty() {
            return Ok([0; 16]);
        }
    }
    while octets.len() < 16 {
        let fail = |message, at| Err(failure(whole, message, at));
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits > 4 {
            return fail("each group must have 4 or less digits", rest);
        }
        if digits == 0 {
            return fail("each colon-separated field must have at least one digit", rest);
        }
        let (group, after) = rest.split_at_checked(digits).unwrap_or((rest, b""));
        if after.starts_with(b".") {
            if ellipsis.is_none() && octets.len() != 12 {
                let message =
                    "embedded IPv4 address must replace the final 2 fields of the address";
                return fail(message, rest);
            }
            if octets.len() > 12 {
                let message =
                    "too many hex fields to fit an embedded IPv4 at the end of the address";
                return fail(message, rest);
            }
            octets.extend(parse_ipv4(whole, rest)?);
            rest = b"";
            break;
        }
        let value = group.iter().fold(0_u16, |value, &digit| value << 4 | hex_value(digit));
        octets.extend(value.to_be_bytes());
        rest = match after {
            [] => after,
            [b':'] => return fail("colon must be followed by more characters", after),
            [b':', b':', ..] if ellipsis.is_some() => {
                return fail("multiple :: in address", after.get(1..).unwrap_or_default());
            }
            [b':', b':', next @ ..] => {
                ellipsis = Some(octets.len());
                next
            }
            [b':', next @ ..] => next,
            _ => return fail("unexpected character, want colon", after),
        };
        if rest.is_empty() {
            break;
        }
    }
    if !rest.is_empty() {
        return Err(failure(whole, "trailing garbage after address", rest));
    }
    match (ellipsis, 16_usize.saturating_sub(octets.len())) {
        (None, 0) => {}
        (None, _) => return Err(failure(whole, "address string too short", b"")),
        (Some(_), 0) => {
            let message = "the :: must expand to at least one field of zeros";
            return Err(failure(whole, message, b""));
        }
        (Some(start), missing) => {
            octets.splice(start..start, std::iter::repeat_n(0, missing));
        }
    }
    <[u8; 16]>::try_from(octets).map_err(|_| failure(whole, "address string too short", b""))
}

fn hex_value(digit: u8) -> u16 {
    char::from(digit).to_digit(16).and_then(|value| u16::try_from(value).ok()).unwrap_or_default()
}

#[cfg(test)]
#[path = "ip_tests.rs"]
mod tests;
