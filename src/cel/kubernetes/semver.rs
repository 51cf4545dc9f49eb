//! Semantic versions as CEL's `semver()` reads them (`blang/semver` v4).

use super::ParseError;
use super::quote::quote;
use std::cmp::Ordering;
use std::fmt;

/// A semantic version (semver.org 2.0.0).
///
/// Two versions are equal when neither precedes the other, whatever their build metadata.
#[derive(Debug, Clone)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    /// The dotted identifiers after the hyphen; empty for a release.
    pre_release: String,
    /// The dotted identifiers after the plus sign; empty if there are none.
    build: String,
}

impl Version {
    /// Parses `major.minor.patch[-prerelease][+build]`.
    ///
    /// # Errors
    /// The text of CEL's `semver(string)`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.is_empty() {
            return fail("Version string empty");
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            return fail("No Major.Minor.Patch elements found");
        };
        let major = parse_number(major, "Major", "major")?;
        let minor = parse_number(minor, "Minor", "minor")?;
        let (rest, build) = match rest.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (rest, None),
        };
        let (patch, pre_release) = match rest.split_once('-') {
            Some((patch, pre_release)) => (patch, Some(pre_release)),
            None => (rest, None),
        };
        let patch = parse_number(patch, "Patch", "patch")?;
        if let Some(identifiers) = pre_release {
            identifiers.split('.').try_for_each(check_pre_release)?;
        }
        if let Some(identifiers) = build {
            identifiers.split('.').try_for_each(check_build)?;
        }
        Ok(Self {
            major,
            minor,
            patch,
            pre_release: pre_release.unwrap_or_default().to_owned(),
            build: build.unwrap_or_default().to_owned(),
        })
    }

    /// Parses after dropping one leading `v` and leading zeros, and adding a missing minor or
    /// patch number.
    ///
    /// # Errors
    /// The text of CEL's `semver(string, true)`.
    pub fn parse_normalized(text: &str) -> Result<Self, ParseError> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts: Vec<String> = text.splitn(3, '.').map(without_leading_zeros).collect();
        if parts.len() < 3 && parts.last().is_some_and(|part| part.contains(['+', '-'])) {
            return fail("short version cannot contain PreRelease/Build meta data");
        }
        while parts.len() < 3 {
            parts.push("0".to_owned());
        }
        Self::parse(&parts.join("."))
    }

    /// The major version, wrapped to a signed number as the library does.
    pub fn major(&self) -> i64 {
        self.major.cast_signed()
    }

    /// The minor version, wrapped to a signed number as the library does.
    pub fn minor(&self) -> i64 {
        self.minor.cast_signed()
    }

    /// The patch version, wrapped to a signed number as the library does.
    pub fn patch(&self) -> i64 {
        self.patch.cast_signed()
    }
}

impl Ord for Version {
    /// Precedence (semver.org, item 11).
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| {
            match (self.pre_release.is_empty(), other.pre_release.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => {
                    let identifiers = self.pre_release.split('.').map(Identifier);
                    identifiers.cmp(other.pre_release.split('.').map(Identifier))
                }
            }
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { major, minor, patch, pre_release, build } = self;
        write!(formatter, "{major}.{minor}.{patch}")?;
        if !pre_release.is_empty() {
            write!(formatter, "-{pre_release}")?;
        }
        if !build.is_empty() {
            write!(formatter, "+{build}")?;
        }
        Ok(())
    }
}

/// One identifier of a pre-release, in order of precedence: numbers by value, before text.
#[derive(PartialEq, Eq)]
struct Identifier<'a>(&'a str);

impl Ord for Identifier<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (is_numeric(self.0), is_numeric(other.0)) {
            // Without leading zeros, the longer number is the greater.
            (true, true) => (self.0.len(), self.0).cmp(&(other.0.len(), other.0)),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.0.cmp(other.0),
        }
    }
}

impl PartialOrd for Identifier<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn fail<T>(message: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError(message.into()))
}

fn is_numeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_alphanumeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn has_leading_zero(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0')
}

fn without_leading_zeros(part: &str) -> String {
    if part.len() <= 1 {
        return part.to_owned();
    }
    let trimmed = part.trim_start_matches('0');
    if trimmed.starts_with(|c: char| c.is_ascii_digit()) {
        trimmed.to_owned()
    } else {
        format!("0{trimmed}")
    }
}

/// Parses a part of the version; `capitalized` and `lower` are its name in the two errors.
fn parse_number(text: &str, capitalized: &str, lower: &str) -> Result<u64, ParseError> {
    if !is_numeric(text) {
        return fail(format!("Invalid character(s) found in {lower} number {}", quote(text)));
    }
    if has_leading_zero(text) {
        let quoted = quote(text);
        return fail(format!("{capitalized} number must not contain leading zeroes {quoted}"));
    }
    parse_u64(text)
}

fn parse_u64(digits: &str) -> Result<u64, ParseError> {
    digits.parse().or_else(|_| {
        let reason = if digits.is_empty() { "invalid syntax" } else { "value out of range" };
        fail(format!("strconv.ParseUint: parsing {}: {reason}", quote(digits)))
    })
}

fn check_pre_release(identifier: &str) -> Result<(), ParseError> {
    if identifier.is_empty() {
        return fail("Prerelease is empty");
    }
    if is_numeric(identifier) {
        if has_leading_zero(identifier) {
            let quoted = quote(identifier);
            return fail(format!(
                "Numeric PreRelease version must not contain leading zeroes {quoted}"
            ));
        }
        return parse_u64(identifier).map(drop);
    }
    if !is_alphanumeric(identifier) {
        let quoted = quote(identifier);
        return fail(format!("Invalid character(s) found in prerelease {quoted}"));
    }
    Ok(())
}

fn check_build(identifier: &str) -> Result<(), ParseError> {
    if identifier.is_empty() {
        return fail("Build meta data is empty");
    }
    if !is_alphanumeric(identifier) {
        let quoted = quote(identifier);
        return fail(format!("Invalid character(s) found in build meta data {quoted}"));
    }
    Ok(())
}

#[cfg(test)]
#[path = "semver_tests.rs"]
mod tests;
