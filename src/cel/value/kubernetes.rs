//! Values of Kubernetes' libraries.

use std::sync::Arc;

use super::display::go_quote;
use crate::cel::error::Fault;
use crate::cel::kubernetes::{Cidr, Ip, NamedFormat, Quantity, Url, Version};

/// A value of one of Kubernetes' libraries.
#[derive(Clone, Debug)]
pub enum Kubernetes {
    /// `kubernetes.Quantity`
    Quantity(Arc<Quantity>),
    /// `kubernetes.Semver`
    Semver(Arc<Version>),
    /// `kubernetes.URL`
    Url(Arc<Url>),
    /// `net.IP`
    Ip(Ip),
    /// `net.CIDR`
    Cidr(Cidr),
    /// `kubernetes.NamedFormat`
    Format(NamedFormat),
    /// In an optional: one of the others that cel-go has taken out and could not put in again, so
    /// that there is an error in its place.
    Lost(Arc<Kubernetes>),
}

impl Kubernetes {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Url(_) => "kubernetes.URL",
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Format(_) => "kubernetes.NamedFormat",
            Self::Lost(_) => "error",
        }
    }

    pub(super) fn go_type(&self) -> &'static str {
        match self {
            Self::Quantity(_) => "cel.Quantity",
            Self::Semver(_) => "cel.Semver",
            Self::Url(_) => "cel.URL",
            Self::Ip(_) => "cel.IP",
            Self::Cidr(_) => "cel.CIDR",
            Self::Format(_) => "cel.Format",
            Self::Lost(_) => "*types.Err",
        }
    }

    /// Addresses have the size of their bytes, networks that of their prefix.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Ip(ip) => {
                if ip.address().is_ipv4() {
                    4
                } else {
                    16
                }
            }
            Self::Cidr(cidr) => cidr.prefix_length().unsigned_abs().div_ceil(8),
            _ => 1,
        }
    }

    /// What is left of it when cel-go takes it out of an optional and puts it in again, which it can
    /// do with formats alone.
    pub(in crate::cel) fn taken_out(&self) -> Self {
        match self {
            Self::Format(_) | Self::Lost(_) => self.clone(),
            other => Self::Lost(Arc::new(other.clone())),
        }
    }

    /// The error in its place, as one.
    pub(in crate::cel) fn error(&self) -> Fault {
        Fault::error(self.loss())
    }

    /// The error in its place.
    fn loss(&self) -> String {
        let go_type = match self {
            Self::Quantity(_) => "*resource.Quantity",
            Self::Semver(_) => "semver.Version",
            Self::Url(_) => "*url.URL",
            Self::Ip(_) => "netip.Addr",
            Self::Cidr(_) => "netip.Prefix",
            Self::Format(_) => "*validation.Format",
            Self::Lost(value) => return value.loss(),
        };
        format!("unsupported conversion to ref.Val: ({go_type}){}", self.text())
    }

    /// Whether two are equal; `None` where they cannot be compared.
    pub(super) fn equals(&self, other: &Self) -> Option<bool> {
        Some(match (self, other) {
            (Self::Quantity(a), Self::Quantity(b)) => return a.equals(b),
            (Self::Semver(a), Self::Semver(b)) => a == b,
            (Self::Url(a), Self::Url(b)) => a == b,
            (Self::Ip(a), Self::Ip(b)) => a == b,
            (Self::Cidr(a), Self::Cidr(b)) => a == b,
            (Self::Format(a), Self::Format(b)) => a == b,
            _ => return None,
        })
    }

    pub(in crate::cel) fn text(&self) -> String {
        match self {
            Self::Quantity(quantity) => quantity.to_string(),
            Self::Semver(version) => version.to_string(),
            Self::Url(url) => url.to_string(),
            Self::Ip(ip) => ip.to_string(),
            Self::Cidr(cidr) => cidr.to_string(),
            Self::Format(format) => format.to_string(),
            Self::Lost(value) => value.loss(),
        }
    }

    pub(super) fn literal(&self) -> String {
        let text = go_quote(self.text());
        match self {
            Self::Quantity(_) => format!("quantity({text})"),
            Self::Semver(_) => format!("semver({text})"),
            Self::Url(_) => format!("url({text})"),
            Self::Ip(_) => format!("ip({text})"),
            Self::Cidr(_) => format!("cidr({text})"),
            Self::Format(format) => format!("format.{format}()"),
            Self::Lost(value) => value.literal(),
        }
    }
}
