use super::*;

/// Displays an answer, or the error after what all of Go's parser have in common.
fn answer(text: &str) -> String {
    match Ip::parse(text) {
        Ok(ip) => ip.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn addresses_display_in_canonical_form() {
    for (text, canonical) in [
        ("127.0.0.1", "127.0.0.1"),
        ("::", "::"),
        ("2001:DB8::ABCD", "2001:db8::abcd"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
    ] {
        assert_eq!(answer(text), canonical);
        assert_eq!(Ip::is_canonical(text).unwrap(), text == canonical, "{text}");
    }
}

#[test]
fn what_is_no_address_is_refused_in_gos_words() {
    for (text, reason) in [
        ("", "unable to parse IP"),
        ("bad", "unable to parse IP"),
        ("%eth0", "missing IPv6 address"),
        ("1.2.3", "IPv4 address too short"),
        ("1.2.3.4.5", "IPv4 address too long"),
        ("01.2.3.4", "IPv4 field has octet with leading zero"),
        ("1.2.3.256", "IPv4 field has value >255"),
        ("1..2.3", "IPv4 field must have at least one digit (at \".2.3\")"),
        ("1.2.3.", "IPv4 field must have at least one digit (at \".\")"),
        ("1.2.3.x", "unexpected character (at \"x\")"),
        ("fe80::1%", "zone must be a non-empty string"),
        ("12345::", "each group must have 4 or less digits (at \"12345::\")"),
        ("1:::2", "each colon-separated field must have at least one digit (at \":2\")"),
        ("1:g", "each colon-separated field must have at least one digit (at \"g\")"),
        ("1g:", "unexpected character, want colon (at \"g:\")"),
        ("1:", "colon must be followed by more characters (at \":\")"),
        ("1::2::3", "multiple :: in address (at \":3\")"),
        ("1:2", "address string too short"),
        ("1:2:3:4:5:6:7:8:9", "trailing garbage after address (at \"9\")"),
        ("1::2:3:4:5:6:7:8", "the :: must expand to at least one field of zeros"),
        (
            "1:2:1.2.3.4",
            "embedded IPv4 address must replace the final 2 fields of the address (at \"1.2.3.4\")",
        ),
        (
            "::1:2:3:4:5:6:7:1.2.3.4",
            "too many hex fields to fit an embedded IPv4 at the end of the address (at \"1.2.3.4\")",
        ),
    ] {
        assert_eq!(
            answer(text),
            format!(
                "IP Address \"{text}\" parse error during conversion from string: \
                 ParseAddr(\"{text}\"): {reason}"
            )
        );
    }
}

#[test]
fn zones_and_mapped_addresses_are_refused() {
    assert_eq!(
        answer("fe80::1%eth0"),
        "IP address \"fe80::1%eth0\" with zone value is not allowed"
    );
    for text in ["::ffff:1.2.3.4", "::ffff:102:304"] {
        assert_eq!(answer(text), format!("IPv4-mapped IPv6 address \"{text}\" is not allowed"));
    }
}

#[test]
fn addresses_know_their_scope() {
    /// Unspecified, loopback, link-local multicast, link-local unicast, global unicast.
    type Scopes = [bool; 5];
    let cases: [(&str, i64, Scopes); 14] = [
        ("0.0.0.0", 4, [true, false, false, false, false]),
        ("::", 6, [true, false, false, false, false]),
        ("127.9.9.9", 4, [false, true, false, false, false]),
        ("::1", 6, [false, true, false, false, false]),
        ("224.0.0.9", 4, [false, false, true, false, false]),
        ("224.0.1.1", 4, [false; 5]),
        ("ff02::1", 6, [false, false, true, false, false]),
        ("ff12::1", 6, [false, false, true, false, false]),
        ("ff05::1", 6, [false; 5]),
        ("169.254.1.1", 4, [false, false, false, true, false]),
        ("febf::1", 6, [false, false, false, true, false]),
        ("255.255.255.255", 4, [false; 5]),
        ("10.0.0.1", 4, [false, false, false, false, true]),
        ("fd00::1", 6, [false, false, false, false, true]),
    ];
    for (text, family, scopes) in cases {
        let ip = Ip::parse(text).unwrap();
        assert_eq!(ip.family(), family, "{text}");
        let found = [
            ip.is_unspecified(),
            ip.is_loopback(),
            ip.is_link_local_multicast(),
            ip.is_link_local_unicast(),
            ip.is_global_unicast(),
        ];
        assert_eq!(found, scopes, "{text}");
    }
}
