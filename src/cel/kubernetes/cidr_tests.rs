use super::*;

fn cidr(text: &str) -> Cidr {
    Cidr::parse(text).unwrap()
}

#[test]
fn a_network_shows_its_parts() {
    let network = cidr("192.168.7.1/24");
    assert_eq!(network.to_string(), "192.168.7.1/24");
    assert_eq!(network.ip().to_string(), "192.168.7.1");
    assert_eq!(network.prefix_length(), 24);
    assert_eq!(network.masked().to_string(), "192.168.7.0/24");
    assert_eq!(cidr("FE80::1:0/64").masked().to_string(), "fe80::/64");
    assert_eq!(cidr("1.2.3.4/0").masked().to_string(), "0.0.0.0/0");
    assert_eq!(cidr("ff::1/128").masked(), cidr("ff::1/128"));
}

#[test]
fn networks_that_differ_only_beyond_the_prefix_are_not_equal() {
    assert_ne!(cidr("10.0.0.1/8"), cidr("10.0.0.0/8"));
    assert_eq!(cidr("10.0.0.1/8").masked(), cidr("10.0.0.0/8"));
}

#[test]
fn a_network_contains_what_shares_its_prefix() {
    for (network, other, contained) in [
        ("10.0.0.0/8", "10.1.2.0/24", true),
        ("10.0.0.5/8", "10.0.0.1/8", true),
        ("10.0.0.0/8", "11.0.0.0/8", false),
        ("10.0.0.0/8", "10.0.0.0/7", false),
        ("0.0.0.0/0", "10.0.0.0/8", true),
        ("0.0.0.0/0", "::/0", false),
        ("fe80::/10", "febf::1/128", true),
        ("fe80::/10", "fec0::/128", false),
    ] {
        assert_eq!(cidr(network).contains_cidr(cidr(other)), contained, "{network} {other}");
        assert_eq!(cidr(network).contains_cidr_text(other), Ok(contained));
    }
    assert_eq!(cidr("10.0.0.0/8").contains_ip_text("10.255.0.1"), Ok(true));
    assert_eq!(cidr("10.0.0.0/8").contains_ip_text("11.0.0.1"), Ok(false));
}

#[test]
fn a_bad_address_to_contain_has_no_overload_but_a_bad_network_says_why() {
    let network = cidr("10.0.0.0/8");
    assert_eq!(network.contains_ip_text("bad").unwrap_err().to_string(), "no such overload");
    assert_eq!(network.contains_cidr_text("bad"), Err(Cidr::parse("bad").unwrap_err()));
}

#[test]
fn what_is_no_network_is_refused_in_gos_words() {
    for (text, reason) in [
        ("bad", "no '/'"),
        ("bad/8", "ParseAddr(\"bad\"): unable to parse IP"),
        ("fe80::1%a/8", "IPv6 zones cannot be present in a prefix"),
        ("10.0.0.0/", "bad bits after slash: \"\""),
        ("10.0.0.0/+", "bad bits after slash: \"+\""),
        ("10.0.0.0/08", "bad bits after slash: \"08\""),
        ("10.0.0.0/-1", "bad bits after slash: \"-1\""),
        ("10.0.0.0/9223372036854775808", "bad bits after slash: \"9223372036854775808\""),
        ("10.0.0.0/33", "prefix length out of range"),
        ("::/129", "prefix length out of range"),
        ("::ffff:1.2.3.4/129", "prefix length out of range"),
    ] {
        assert_eq!(
            Cidr::parse(text).unwrap_err().to_string(),
            format!(
                "network address parse error during conversion from string: network address \
                 parse error during conversion from string: netip.ParsePrefix(\"{text}\"): {reason}"
            )
        );
    }
    assert_eq!(
        Cidr::parse("::ffff:1.2.3.4/96").unwrap_err().to_string(),
        "network address parse error during conversion from string: IPv4-mapped IPv6 address \
         \"::ffff:1.2.3.4/96\" is not allowed"
    );
}
