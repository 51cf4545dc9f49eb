//! Named string formats: what CEL's `format` library checks names and other strings against.

mod names;
mod strings;

use super::url::parse_request_uri;
use std::fmt;

/// A format by which strings can be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamedFormat {
    /// A label in DNS (RFC 1123), lower case.
    Dns1123Label,
    /// A subdomain in DNS (RFC 1123), lower case.
    Dns1123Subdomain,
    /// A label in DNS (RFC 1035).
    Dns1035Label,
    /// A label's key: a name, perhaps behind a subdomain and a slash.
    QualifiedName,
    /// What a DNS label of RFC 1123 may begin with: it may end with a dash.
    Dns1123LabelPrefix,
    /// What a DNS subdomain may begin with: it may end with a dash.
    Dns1123SubdomainPrefix,
    /// What a DNS label of RFC 1035 may begin with: it may end with a dash.
    Dns1035LabelPrefix,
    /// A label's value.
    LabelValue,
    /// An absolute URI or an absolute path.
    Uri,
    /// A UUID of any version, hyphens optional.
    Uuid,
    /// Standard base64 with padding (RFC 4648 §4); not empty.
    Byte,
    /// A full-date of RFC 3339.
    Date,
    /// A date-time of RFC 3339, checked loosely.
    DateTime,
}

impl NamedFormat {
    /// Every format, in the order in which the library lists them.
    pub const ALL: [Self; 13] = [
        Self::Dns1123Label,
        Self::Dns1123Subdomain,
        Self::Dns1035Label,
        Self::QualifiedName,
        Self::Dns1123LabelPrefix,
        Self::Dns1123SubdomainPrefix,
        Self::Dns1035LabelPrefix,
        Self::LabelValue,
        Self::Uri,
        Self::Uuid,
        Self::Byte,
        Self::Date,
        Self::DateTime,
    ];

    /// Finds a format by its name in `format.named(name)` and `format.<name>()`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The name by which expressions call for this format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns1123Label => "dns1123Label",
            Self::Dns1123Subdomain => "dns1123Subdomain",
            Self::Dns1035Label => "dns1035Label",
            Self::QualifiedName => "qualifiedName",
            Self::Dns1123LabelPrefix => "dns1123LabelPrefix",
            Self::Dns1123SubdomainPrefix => "dns1123SubdomainPrefix",
            Self::Dns1035LabelPrefix => "dns1035LabelPrefix",
            Self::LabelValue => "labelValue",
            Self::Uri => "uri",
            Self::Uuid => "uuid",
            Self::Byte => "byte",
            Self::Date => "date",
            Self::DateTime => "datetime",
        }
    }

    /// The size of the regular expression that the cost of a check is reckoned by.
    pub const fn max_regex_size(self) -> u64 {
        match self {
            Self::Dns1123Label
            | Self::Dns1123LabelPrefix
            | Self::Dns1035Label
            | Self::Dns1035LabelPrefix => 30,
            Self::Dns1123Subdomain | Self::Dns1123SubdomainPrefix | Self::QualifiedName => 60,
            Self::LabelValue => 40,
            Self::Uri => 1103,
            Self::Uuid => 70,
            Self::Byte => 84,
            Self::Date | Self::DateTime => 71,
        }
    }

    /// Says what is wrong with a string, in the API server's words; nothing if it is valid.
    pub fn validate(self, text: &str) -> Vec<String> {
        let bytes = text.as_bytes();
        let unless = |valid: bool, message: &str| {
            if valid { Vec::new() } else { vec![message.to_owned()] }
        };
        match self {
            Self::Dns1123Label => names::dns1123_label(bytes),
            Self::Dns1123Subdomain => names::dns1123_subdomain(bytes),
            Self::Dns1035Label => names::dns1035_label(bytes),
            Self::QualifiedName => names::qualified_name(bytes),
            Self::Dns1123LabelPrefix => names::dns1123_label(&names::completed(bytes)),
            Self::Dns1123SubdomainPrefix => names::dns1123_subdomain(&names::completed(bytes)),
            Self::Dns1035LabelPrefix => names::dns1035_label(&names::completed(bytes)),
            Self::LabelValue => names::label_value(bytes),
            Self::Uri => match parse_request_uri(text) {
                Ok(_) => Vec::new(),
                Err(error) => vec![error],
            },
            Self::Uuid => unless(strings::is_uuid(bytes), "does not match the UUID format"),
            Self::Byte => unless(strings::is_base64(bytes), "invalid base64"),
            Self::Date => unless(strings::is_date(bytes), "invalid date"),
            Self::DateTime => unless(strings::is_date_time(text), "invalid datetime"),
        }
    }
}

impl fmt::Display for NamedFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
