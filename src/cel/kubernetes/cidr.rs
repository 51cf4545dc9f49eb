//! Networks as CEL's `cidr()` reads them (Go's `netip.Prefix`).

use super::ip::Literal;
use super::quote::quote;
use super::{Ip, NO_SUCH_OVERLOAD, ParseError};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address and a prefix length in CIDR notation.
///
/// The address may have bits beyond the prefix, and two networks that differ only there are not
/// equal; see [`Cidr::masked`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr {
    address: IpAddr,
    prefix_length: u8,
}

impl Cidr {
    /// Parses `<address>/<prefix length>`.
    ///
    /// # Errors
    /// The text of CEL's `cidr(string)`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::parse_prefix(text).map_err(|reason| {
            ParseError(format!(
                "network address parse error during conversion from string: {reason}"
            ))
        })
    }

    fn parse_prefix(text: &str) -> Result<Self, String> {
        // The library adds this prefix twice to what Go's parser says.
        let fail = |reason: &str| {
            Err(format!(
                "network address parse error during conversion from string: \
                 netip.ParsePrefix({}): {reason}",
                quote(text)
            ))
        };
        let Some((address, length)) = text.rsplit_once('/') else {
            return fail("no '/'");
        };
        let literal = match Literal::parse(address.as_bytes()) {
            Ok(literal) => literal,
            Err(error) => return fail(&error.to_string()),
        };
        if literal.zoned {
            return fail("IPv6 zones cannot be present in a prefix");
        }
        // A sign or leading zeros are not allowed, though they would parse.
        let plain = length.len() <= 1 || length.starts_with(|c: char| ('1'..='9').contains(&c));
        let Some(parsed) = length.parse::<i64>().ok().filter(|_| plain) else {
            return fail(&format!("bad bits after slash: {}", quote(length)));
        };
        let longest = if literal.address.is_ipv4() { 32 } else { 128 };
        let prefix_length = match u8::try_from(parsed) {
            Ok(prefix_length) if prefix_length <= longest => prefix_length,
            _ => return fail("prefix length out of range"),
        };
        if literal.is_mapped() {
            return Err(format!("IPv4-mapped IPv6 address {} is not allowed", quote(text)));
        }
        Ok(Self { address: literal.address, prefix_length })
    }

    /// Reports whether the network includes the address. Families never mix.
    pub fn contains_ip(self, ip: Ip) -> bool {
        mask(ip.address(), self.prefix_length) == mask(self.address, self.prefix_length)
    }

    /// As [`Cidr::contains_ip`], for an address in text.
    ///
    /// # Errors
    /// [`NO_SUCH_OVERLOAD`] for what is no address: the library loses the parser's own error.
    pub fn contains_ip_text(self, text: &str) -> Result<bool, ParseError> {
        let ip = Ip::parse(text).map_err(|_| ParseError(NO_SUCH_OVERLOAD.to_owned()))?;
        Ok(self.contains_ip(ip))
    }

    /// Reports whether every address of the other network is in this one.
    pub fn contains_cidr(self, other: Self) -> bool {
        self.prefix_length <= other.prefix_length && self.contains_ip(other.ip())
    }

    /// As [`Cidr::contains_cidr`], for a network in text.
    ///
    /// # Errors
    /// As [`Cidr::parse`].
    pub fn contains_cidr_text(self, text: &str) -> Result<bool, ParseError> {
        Ok(self.contains_cidr(Self::parse(text)?))
    }

    /// The address, with the bits beyond the prefix that it was given with.
    pub fn ip(self) -> Ip {
        Ip::from_address(self.address)
    }

    /// The network with all bits beyond the prefix zero.
    #[must_use]
    pub fn masked(self) -> Self {
        Self { address: mask(self.address, self.prefix_length), ..self }
    }

    /// The length of the prefix in bits.
    pub fn prefix_length(self) -> i64 {
        self.prefix_length.into()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix_length)
    }
}

/// Clears all but the leading bits of an address; a length beyond the address's keeps all.
fn mask(address: IpAddr, prefix_length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let dropped = u32::BITS.saturating_sub(prefix_length.into());
            let kept = u32::MAX.checked_shl(dropped).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & kept).into()
        }
        IpAddr::V6(address) => {
            let dropped = u128::BITS.saturating_sub(prefix_length.into());
            let kept = u128::MAX.checked_shl(dropped).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & kept).into()
        }
    }
}

#[cfg(test)]
#[path = "cidr_tests.rs"]
mod tests;
