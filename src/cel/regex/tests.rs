//! Tests. What Go answers stands in `cases`.

mod cases;

use std::thread;

use proptest::prelude::*;

use super::class::Class;
use super::{Error, Regex, parser, unicode};

const GO: &str = "error parsing regexp: ";

fn refusal(pattern: &str) -> String {
    Regex::new(pattern).expect_err(pattern).to_string()
}

fn nested(times: usize, open: &str, inner: &str, close: &str) -> String {
    open.repeat(times) + inner + &close.repeat(times)
}

/// Runs it with the stack that threads of the server have.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap().join().unwrap();
}

/// FNV-1a over little-endian numbers.
fn fingerprint(numbers: impl IntoIterator<Item = u32>) -> u32 {
    let bytes = numbers.into_iter().flat_map(u32::to_le_bytes);
    bytes.fold(2_166_136_261, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619))
}

#[test]
fn what_go_refuses_is_refused_in_the_same_words() {
    for (pattern, complaint) in cases::REFUSED {
        assert_eq!(refusal(pattern), format!("{GO}{complaint}"));
    }
}

#[test]
fn what_go_finds_is_found() {
    for (pattern, text, all) in cases::FOUND {
        let regex = Regex::new(pattern).expect(pattern);
        assert_eq!(regex.find_all(text).collect::<Vec<_>>(), *all, "{pattern} in {text:?}");
        assert_eq!(regex.find(text), all.first().copied(), "{pattern} in {text:?}");
        assert_eq!(regex.is_match(text), !all.is_empty(), "{pattern} in {text:?}");
    }
}

#[test]
fn an_empty_match_right_after_another_is_none() {
    let regex = Regex::new("a|").unwrap();
    assert_eq!(regex.find_all("aba").collect::<Vec<_>>(), ["a", "a"]);
}

#[test]
fn every_property_has_the_members_that_go_gives_it() {
    for property in cases::PROPERTIES.split_ascii_whitespace() {
        let (name, expected) = property.split_once('=').unwrap();
        let bounds = |class: Class| class.ranges().iter().flat_map(|r| [r.0, r.1]).collect();
        let sets: [Vec<u32>; 2] =
            [false, true].map(|fold| unicode::property(name, fold).map(bounds).expect(name));
        assert_eq!(format!("{:08x}", fingerprint(sets.concat())), expected, "{name}");
    }
}

#[test]
fn every_character_has_the_cases_that_go_gives_it() {
    let orbits = (0..=u32::from(char::MAX)).flat_map(|point| {
        let orbit = unicode::orbit(point);
        let others = orbit.len() > 1;
        std::iter::once(point).chain(orbit).filter(move |_| others)
    });
    assert_eq!(fingerprint(orbits), cases::ORBITS);
}

#[test]
fn a_tree_higher_than_go_allows_is_refused_in_its_words() {
    let too_high = |pattern: &str| refusal(pattern).starts_with(&format!("{GO}expression nests"));
    on_a_small_stack(move || {
        assert!(parser::parse(&nested(999, "(", "a", ")")).is_ok());
        assert!(too_high(&nested(1000, "(", "a", ")")));
        assert!(parser::parse(&nested(333, "(a", "b", "|c)")).is_ok());
        assert!(too_high(&nested(334, "(a", "b", "|c)")));
        // What two alternatives have in common is a level each.
        let alike = |times: usize| {
            let head = "[ab]".repeat(times);
            format!("{head}x|{head}yy")
        };
        assert!(parser::parse(&alike(998)).is_ok());
        assert!(too_high(&alike(999)));
        assert!(too_high(&alike(12_000)));
    });
}

#[test]
fn a_tree_too_high_to_be_compiled_is_refused() {
    let pattern = nested(128, "(", "a", ")");
    assert_eq!(refusal(&pattern), "regexp nests too deeply: its syntax tree is higher than 128");
    assert!(Regex::new(&nested(127, "(", "a", ")")).is_ok());
}

#[test]
fn the_highest_trees_compile_on_a_small_stack() {
    on_a_small_stack(|| {
        for (open, close, levels) in [
            ("(", ")", 1),
            ("(?:", ")*", 1),
            ("(?:", "){1}", 1),
            ("(?:x|", ")*", 2),
            ("(?:(?:", ")+)?", 2),
            ("(?:x(?:", ")?)", 2),
            ("(x", "|y)", 3),
            ("(?:x|(?:yz", ")*)*", 5),
        ] {
            let pattern = nested(126 / levels, open, "a*", close);
            let regex = Regex::new(&pattern).expect(&pattern);
            regex.is_match("xyzxyza");
        }
    });
}

#[test]
fn a_pattern_whose_compiled_form_is_too_large_is_refused() {
    let complaint = "regexp too large: its compiled form exceeds 16777216 bytes";
    assert_eq!(refusal(r"\pL{1000}"), complaint);
    let distinct = (0..3000).map(|i| format!(r"[\pL{i:04}]")).collect::<String>();
    assert_eq!(refusal(&distinct), complaint);
    let large = refusal(&format!("(?:{}){{1000}}", "ab".repeat(5000)));
    assert!(large.starts_with(&format!("{GO}expression too large: `(?:abab")));
    let properties = refusal(&r"\pL".repeat(33_000));
    assert!(properties.starts_with(&format!("{GO}expression too large")));
}

#[test]
fn names_of_any_script_may_be_as_long_as_kubernetes_allows() {
    let regex = Regex::new(r"^[\pL\pN]{1,253}$").unwrap();
    assert!(regex.is_match(&"é".repeat(253)));
    assert!(!regex.is_match(&"é".repeat(254)));
}

#[test]
fn long_patterns_that_are_nothing_but_one_thing_are_answered() {
    on_a_small_stack(|| {
        for part in [
            "(",
            ")",
            "(?:",
            "[",
            "[[:",
            "[[:]",
            "{",
            "a{",
            "|",
            "a|",
            "a*|",
            "\\",
            r"\Q",
            r"\Qa\E",
            "(?i)",
            "(?is",
            "(?P<a>",
            "(?P<",
            "a*",
            "(a*)*",
            "(|a)+",
            "^*",
            r"\b",
            r"\p{",
            r"\x{0",
            "(a|b)",
            "a{1000}",
            "(?i)[B-\u{1E900}]",
            r"\p{Greek}",
        ] {
            let pattern = part.repeat(20_000 / part.len());
            if let Ok(regex) = Regex::new(&pattern) {
                regex.find_all("ab\u{3c3}").count();
            }
        }
    });
}

#[test]
fn a_pattern_is_shared_between_threads() {
    let regex = Regex::new("^a+$").unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let regex = regex.clone();
            thread::spawn(move || regex.is_match("aaa") && !regex.is_match("ab"))
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
}

/// Patterns of the pieces that mean something, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "(",
            ")",
            "(?:",
            "(?i)",
            "(?P<n>",
            "(?s-m:",
            "[",
            "]",
            "[^",
            "[:alpha:]",
            "-",
            "|",
            "*",
            "+",
            "?",
            "{",
            "}",
            "{2}",
            "{1,3}",
            "{1000}",
            ",",
            "^",
            "$",
            ".",
            "\\",
            r"\b",
            r"\d",
            r"\W",
            r"\pL",
            r"\P{Greek}",
            r"\p{",
            r"\x{",
            r"\x{d800}",
            r"\Q",
            r"\E",
            "a",
            "b",
            "K",
            "\u{17f}",
            "0",
            "<",
            ">",
            ":",
            "\n",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_pattern_and_no_text_panics(pattern in pieces(), text in "[abKk\u{17f}\n\u{3c3}0-9]{0,12}") {
        match Regex::new(&pattern) {
            Ok(regex) => {
                let all: Vec<_> = regex.find_all(&text).collect();
                prop_assert_eq!(regex.find(&text), all.first().copied());
                prop_assert_eq!(regex.is_match(&text), !all.is_empty());
                prop_assert!(all.concat().len() <= text.len());
            }
            Err(Error::Syntax { fragment, .. }) => prop_assert!(pattern.contains(&fragment)),
            Err(error) => prop_assert!(!matches!(error, Error::Compile(_)), "{}", error),
        }
    }
}
