//! Globs over DNS names and URIs, in which `*` stays within its part: one DNS label, or one
//! segment of a path.

/// A glob over DNS names: it has as many labels as what it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsGlob(String);

impl DnsGlob {
    /// A glob of this text.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether the name is of this form. A wildcard label in the name is matched by a `*` only.
    pub fn matches(&self, name: &str) -> bool {
        parts_match(&self.0, name, '.')
    }

    /// Whether it matches one name only, its own text.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// Its text, as written in the policy.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A glob over URIs: scheme and authority and each segment of the path match by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriGlob(String);

impl UriGlob {
    /// A glob of this text.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether the URI is of this form. A `*` in the authority stays within one label of the host,
    /// so that it never reaches a port, a user or another domain.
    pub fn matches(&self, uri: &str) -> bool {
        let (Some((scheme, rest)), Some((other_scheme, other_rest))) =
            (self.0.split_once(':'), uri.split_once(':'))
        else {
            return false;
        };
        scheme == other_scheme
            && match (split_authority(rest), split_authority(other_rest)) {
                (Some((authority, path)), Some((other_authority, other_path))) => {
                    authority_matches(authority, other_authority) && path_matches(path, other_path)
                }
                (None, None) => path_matches(rest, other_rest),
                _ => false,
            }
    }
}

/// Authority and path of what follows a scheme, if there is an authority (RFC 3986, section 3).
fn split_authority(rest: &str) -> Option<(&str, &str)> {
    let rest = rest.strip_prefix("//")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    Some(rest.split_at(end))
}

/// A `*` stands neither for a port nor for a user.
fn authority_matches(glob: &str, authority: &str) -> bool {
    let plain = glob.matches([':', '@']).count() == authority.matches([':', '@']).count();
    plain && parts_match(glob, authority, '.')
}

/// A `*` stands for no segment that another program would take for a step elsewhere.
fn path_matches(glob: &str, path: &str) -> bool {
    let steps = |segment: &str| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        segment == "." || segment == ".." || segment.contains("%2f")
    };
    (glob == path || !path.split('/').any(steps)) && parts_match(glob, path, '/')
}

fn parts_match(glob: &str, text: &str, separator: char) -> bool {
    let (mut globs, mut texts) = (glob.split(separator), text.split(separator));
    loop {
        match (globs.next(), texts.next()) {
            (None, None) => return true,
            (Some(glob), Some(text)) if part_matches(glob.as_bytes(), text.as_bytes()) => {}
            _ => return false,
        }
    }
}

/// Whether one part matches, `*` standing for one character or more; in linear space and without
/// recursion, so that no glob is expensive.
fn part_matches(glob: &[u8], text: &[u8]) -> bool {
    if text.is_empty() {
        return glob.is_empty();
    }
    let (mut g, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if g < glob.len() && glob[g] == b'*' {
            star = Some((g, t));
            (g, t) = (g + 1, t + 1);
        } else if g < glob.len() && glob[g] == text[t] {
            (g, t) = (g + 1, t + 1);
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (g, t) = (at + 1, from + 2);
            if t > text.len() {
                return false;
            }
        } else {
            return false;
        }
    }
    g == glob.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_star_stays_within_one_label() {
        let glob = DnsGlob::new("*.shop.example.com");
        assert!(glob.matches("cart.shop.example.com"));
        assert!(!glob.matches("a.b.shop.example.com"));
        assert!(!glob.matches("shop.example.com"));
        assert!(!glob.matches(".shop.example.com"));
        assert!(!glob.matches("cart.shop.example.com.evil.org"));
    }

    #[test]
    fn a_star_within_a_label_takes_at_least_one_character() {
        let glob = DnsGlob::new("app-*-web");
        assert!(glob.matches("app-1-web"));
        assert!(glob.matches("app-a-b-web"));
        assert!(!glob.matches("app--web"));
        assert!(!glob.matches("app-1-webs"));
    }

    #[test]
    fn a_wildcard_is_not_matched_by_an_exact_name() {
        assert!(!DnsGlob::new("a.example.com").matches("*.example.com"));
        assert!(DnsGlob::new("*.example.com").matches("*.example.com"));
    }

    #[test]
    fn a_star_in_a_uri_reaches_neither_another_host_nor_another_segment() {
        let glob = UriGlob::new("spiffe://cluster.local/ns/shop/sa/*");
        assert!(glob.matches("spiffe://cluster.local/ns/shop/sa/cart"));
        assert!(!glob.matches("spiffe://cluster.local/ns/shop/sa/cart/x"));
        assert!(!glob.matches("spiffe://evil/ns/shop/sa/cart"));
        let host = UriGlob::new("https://*.example.com/");
        assert!(host.matches("https://a.example.com/"));
        assert!(!host.matches("https://a.b.example.com/"));
        assert!(!host.matches("https://evil.org:80@x.example.com/"));
        assert!(!host.matches("https://evil.org/x.example.com/"));
        assert!(!host.matches("https://x:80.example.com/"));
        assert!(!UriGlob::new("urn:app:*").matches("https://app/"));
        assert!(UriGlob::new("urn:app:*").matches("urn:app:cart"));
        assert!(!UriGlob::new("urn:app:*").matches("urn:other:cart"));
        assert!(UriGlob::new("spiffe://td/*").matches("spiffe://td/a:b"));
        for step in ["..", ".", "%2e%2E", "a%2Fb"] {
            assert!(!UriGlob::new("spiffe://td/*/x").matches(&format!("spiffe://td/{step}/x")));
        }
    }

    proptest! {
        #[test]
        fn a_part_matches_as_the_same_regular_expression_does(
            glob in "[ab*]{0,8}", text in "[ab]{0,10}",
        ) {
            let pattern = glob.split('*').collect::<Vec<_>>().join(".+");
            let expected = regex_lite(&pattern, &text);
            prop_assert_eq!(part_matches(glob.as_bytes(), text.as_bytes()), expected);
        }
    }

    /// The plain recursive definition, for `.+` and letters.
    fn regex_lite(pattern: &str, text: &str) -> bool {
        match pattern.strip_prefix(".+") {
            Some(rest) => (1..=text.len()).any(|n| regex_lite(rest, &text[n..])),
            None => match (pattern.chars().next(), text.chars().next()) {
                (None, None) => true,
                (Some(p), Some(t)) if p == t => regex_lite(&pattern[1..], &text[1..]),
                _ => false,
            },
        }
    }
}
