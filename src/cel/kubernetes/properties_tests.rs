//! No input, however odd, may do harm.

use super::*;
use proptest::prelude::*;

/// Text of the characters that the parsers look for, and now and then any other.
fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-fA-F.:%/]{0,40}",
        "[+-]?[0-9.]{0,30}([eEinumkKMGTP]{0,2}[+-]?[0-9]{0,12})?",
        "v?[0-9.]{0,12}[-+a-zA-Z0-9.]{0,20}",
        "(https?|[a-z+.-]{0,5}):?/{0,3}[-a-z0-9%:@\\[\\]/?#&;=+ é]{0,40}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}[tT][0-9:.+-]{0,20}[zZé\\n]?",
        "\\PC{0,30}",
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_a_parser_panic(text in odd_text(), other in odd_text()) {
        let _ = Ip::is_canonical(&text);
        if let Ok(cidr) = Cidr::parse(&text) {
            prop_assert!(cidr.contains_ip(cidr.ip()) && cidr.contains_cidr(cidr.masked()));
            let _ = (cidr.contains_ip_text(&other), cidr.contains_cidr_text(&other));
        }
        if let (Ok(left), Ok(right)) = (Version::parse(&text), Version::parse_normalized(&other)) {
            prop_assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
        }
        if let Ok(url) = Url::parse(&text) {
            let _ = (url.to_string(), url.host(), url.hostname(), url.port(), url.query());
        }
        for format in NamedFormat::ALL {
            let _ = format.validate(&text);
        }
    }

    #[test]
    fn no_quantities_make_arithmetic_panic(
        left in odd_text(), right in odd_text(), integer in any::<i64>(),
    ) {
        if let (Ok(left), Ok(right)) = (Quantity::parse(&left), Quantity::parse(&right)) {
            let _ = (left.compare(&right), left.add(&right), left.sub(&left));
            let _ = (right.add_integer(integer), right.sub_integer(integer), right.is_integer());
            let _ = (left.as_approximate_float(), left.sign(), left.to_string(), right.to_string());
        }
    }

    #[test]
    fn a_quantity_is_the_number_its_canonical_form_says(text in "-?[0-9]{1,25}(\\.[0-9]{0,9})?[kMm]?") {
        if let Ok(quantity) = Quantity::parse(&text) {
            let again = Quantity::parse(&quantity.to_string()).unwrap();
            // Beyond the largest suffix, the library's canonical form loses the exponent.
            prop_assert!(quantity.same_number(&again) || quantity.as_approximate_float().abs() >= 1e21);
        }
    }
}
