//! Expressions that mean harm: each ends, within its budget, on the stack of an ordinary thread.

use portreeve::cel::{
    Inputs, Json, NamedExpression, Outcome, RuleSources, Rules, ValidationSource, Verdict,
};
use proptest::prelude::*;

/// What a thread of tokio has.
const STACK: usize = 2 << 20;

/// What comes of a policy of one validation and these variables; of what is refused, the words.
fn verdict(variables: &[String], expression: &str, object: &str) -> Result<Outcome, String> {
    let named = |(index, expression): (usize, &String)| NamedExpression {
        name: format!("v{index}"),
        expression: expression.clone(),
    };
    let sources = RuleSources {
        variables: variables.iter().enumerate().map(named).collect(),
        match_conditions: Vec::new(),
        validations: vec![ValidationSource {
            expression: expression.to_owned(),
            ..ValidationSource::default()
        }],
    };
    let judge = || {
        let rules = Rules::compile(&sources).map_err(|refusals| refusals.to_string())?;
        let (object, none) = (Json::parse(object).expect("JSON"), Json::Null);
        let inputs =
            Inputs { object: &object, old_object: &none, request: &none, namespace_object: &none };
        let verdict = rules.evaluate(inputs);
        // To be traced is no more harm.
        let _ = rules.trace(0, inputs);
        match verdict {
            Verdict::Outcomes(outcomes) => Ok(outcomes.into_iter().next().expect("one outcome")),
            Verdict::Error(message) => Ok(Outcome::Error(message)),
            Verdict::Unmatched => panic!("there are no match conditions"),
        }
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, judge);
        thread.expect("a thread").join().expect("no panic")
    })
}

/// It ends; a panic of the compiler would be told as the one refusal that names no cause.
fn ends(variables: &[String], expression: &str, object: &str) -> Result<Outcome, String> {
    let verdict = verdict(variables, expression, object);
    if let Err(refusal) = &verdict {
        assert!(!refusal.contains("could not be parsed"), "{expression:.200}: {refusal:.300}");
    }
    verdict
}

fn is_out_of_budget(verdict: &Result<Outcome, String>) -> bool {
    matches!(verdict, Ok(Outcome::Error(why)) if why.contains("cost"))
}

#[test]
fn nesting_and_chains_of_any_length_are_refused_or_evaluated() {
    let around = |open: &str, inner: &str, close: &str, times: usize| {
        format!("{}{inner}{}", open.repeat(times), close.repeat(times))
    };
    for times in [10, 200, 249, 250, 251, 1_000, 10_000, 30_000, 49_990] {
        let texts = [
            around("(", "true", ")", times),
            around("[", "1", "]", times),
            around("[", "1", "", times),
            around("{1:", "1", "}", times / 2),
            around("{1:", "1", "}", times / 2) + " == {}",
            around("!", "true", "", times),
            around("-", "1", "", times),
            around("!-", "1", "", times),
            around("true ? true : ", "true", "", times / 8),
            around("true ? (", "true", ") : false", times / 12),
            around("true || ", "true", "", times / 6),
            around("true && (false || ", "true", ")", times / 12),
            around("1 + ", "1", " == 1", times.min(12_000)),
            around("object.", "a", "", times / 4),
            format!("object{}", ".a".repeat(times)),
            format!("object{} == 1", "['a']".repeat(times / 4)),
            format!("object{}.hasValue()", ".?a".repeat(times / 4)),
            format!("'a'{} == 'a'", ".trim()".repeat(times / 7)),
            format!("optional.of(1){}.hasValue()", ".optMap(x, x)".repeat(times / 13)),
            format!("[1]{} == [1]", ".map(x, x)".repeat(times / 10)),
            around("[1].all(x, ", "true", ")", times / 12),
            around("[[1]].map(x, ", "x", ") == []", times / 20),
            around("dyn(", "1", ") == 1", times / 5),
            around("has(object.", "a", ")", times / 12),
            format!("[{}].size() == 1", "1,".repeat(times)),
            format!("[{}1].size() == 1", "1,".repeat(times)),
            format!("{{{}}}.size() == 1", "1:1,".repeat(times / 2)),
            format!("'{}' == ''", "a".repeat(times)),
            format!("'{}' == ''", r"\n".repeat(times)),
            format!("true //{}", "/".repeat(times)),
            ")".repeat(times),
            "'".repeat(times),
            "`".repeat(times),
            "\"\"\"".repeat(times / 3),
            "a b ".repeat(times / 4),
            "\u{0}".repeat(times),
            "é".repeat(times),
        ];
        for text in texts {
            let _ = ends(&[], &text, "{}");
        }
    }
}

#[test]
fn what_is_deep_is_refused_before_it_is_evaluated() {
    let deep = |times: usize| format!("{}true{}", "[".repeat(times), "]".repeat(times));
    let refusal = ends(&[], &deep(300), "{}").unwrap_err();
    assert!(refusal.ends_with("expression recursion limit exceeded: 250"), "{refusal}");

    let sum = |index: usize| format!("variables.v{index}{}", " + 1".repeat(200));
    let mut variables = vec!["1".to_owned()];
    variables.extend((0..4).map(sum));
    assert_eq!(ends(&variables, "variables.v4 == 801", "{}"), Ok(Outcome::Allow));
    variables.extend((4..10).map(sum));
    let refusal = ends(&variables, "variables.v10 == 1", "{}").unwrap_err();
    assert!(refusal.contains("evaluation would be nested more than 1000 deep"), "{refusal}");
}

#[test]
fn a_type_that_doubles_with_each_level_is_refused() {
    let doubled =
        |times| (0..times).fold("1".to_owned(), |part, _| format!("{{{part}: [{part}]}}"));
    let nested = |times| {
        (0..times).fold("x0".to_owned(), |body, level| {
            format!("[1].map(x{level}, {{'k': {body}}}).map(y, {{[y]: [y]}})")
        })
    };
    assert!(ends(&[], &doubled(3), "{}").unwrap_err().contains("must evaluate to bool"));
    let refusal = ends(&[], &nested(40), "{}").unwrap_err();
    assert!(refusal.contains("the type of this is too large"), "{refusal:.300}");
}

#[test]
fn what_runs_away_is_out_of_budget_whatever_absorbs_errors_around_it() {
    let object = format!(r#"{{"s": "{}", "l": [{}1]}}"#, "a".repeat(100_000), "1,".repeat(20_000));
    let loops = "lists.range(2000).all(x, lists.range(2000).all(y, true))";
    let texts = [
        loops.to_owned(),
        format!("{loops} || true"),
        format!("[1, 2].exists(z, {loops} || z == 2)"),
        format!("{loops} ? true : true"),
        "object.l.all(x, object.l.all(y, y == x))".to_owned(),
        "object.l.map(x, object.l).flatten().size() > 0".to_owned(),
        "object.l.all(x, object.s.contains('b') || true)".to_owned(),
        "object.l.all(x, object.s.matches('(a+)+b') || true)".to_owned(),
        "object.l.map(x, object.s + object.s).size() > 0".to_owned(),
        "object.l.all(x, object.s.replace('a', 'bb').size() > 0)".to_owned(),
        "object.l.all(x, object.s.split('').size() > 0)".to_owned(),
        "object.l.all(x, object.l.sort().size() > 0)".to_owned(),
        "object.l.all(x, sets.contains(object.l, object.l))".to_owned(),
    ];
    for text in texts {
        let verdict = ends(&[], &text, &object);
        assert!(is_out_of_budget(&verdict), "{text}: {verdict:?}");
    }
}

#[test]
fn what_costs_nothing_and_takes_time_is_out_of_budget_too() {
    let numbers: Vec<String> = (0..60_000).map(|number: u32| number.to_string()).collect();
    let object = format!(
        r#"{{"l": [{}], "text": "{}", "p": "\\pL{{900}}", "greedy": "a.*b|a", "i": 65535}}"#,
        numbers.join(","),
        "a".repeat(1_000_000),
    );
    for text in [
        // A list whose type is not known costs nothing to be searched.
        "object.l.all(x, x in object.l)",
        "object.l.all(x, object.l == object.l)",
        // Neither does a pattern cost anything to be compiled.
        "object.l.all(x, 'a'.matches(object.p) || true)",
        // Each match is found by a search to the end.
        "object.text.findAll(object.greedy).size() > 0",
        "object.l.all(x, object.text.size() > 0)",
        "object.l.all(x, object.text.indexOf('b') < 0)",
    ] {
        let verdict = ends(&[], text, &object);
        assert!(is_out_of_budget(&verdict), "{text}: {verdict:?}");
    }
    // What is done within the bound is done.
    for text in ["60000 in object.l || true", "object.l.all(x, x != object.text)"] {
        assert_eq!(ends(&[], text, &object), Ok(Outcome::Allow), "{text}");
    }
}

#[test]
fn the_memory_of_variables_adds_up() {
    let object = format!(r#"{{"s": "{}"}}"#, "a".repeat(1_000_000));
    let twenty = |count| -> Vec<String> {
        (0..count).map(|_| "[1, 2, 3, 4].map(x, object.s + object.s)".to_owned()).collect()
    };
    let all = |count| {
        let read: Vec<String> =
            (0..count).map(|index| format!("variables.v{index}.size() == 4")).collect();
        read.join(" && ")
    };
    assert_eq!(ends(&twenty(4), &all(4), &object), Ok(Outcome::Allow));
    let verdict = ends(&twenty(20), &all(20), &object);
    assert!(is_out_of_budget(&verdict), "{verdict:?}");
    // What a variable has made and does not keep is not counted.
    let small: Vec<String> =
        (0..20).map(|_| "[1, 2, 3, 4].map(x, object.s + object.s).size() > 0".to_owned()).collect();
    let read: Vec<String> = (0..20).map(|index| format!("variables.v{index}")).collect();
    assert_eq!(ends(&small, &read.join(" && "), &object), Ok(Outcome::Allow));
}

#[test]
fn memory_has_a_bound() {
    let object =
        format!(r#"{{"s": "{}", "l": [{}1]}}"#, "a".repeat(1_000_000), "1,".repeat(99_999));
    let mut variables = vec!["object.s".to_owned(), "object.l".to_owned()];
    for index in 0..40 {
        let (text, list) = (index * 2, index * 2 + 1);
        variables.push(format!("variables.v{text} + variables.v{text}"));
        variables.push(format!("variables.v{list} + variables.v{list}"));
    }
    for last in [80, 81] {
        let verdict = ends(&variables, &format!("size(variables.v{last}) > 0"), &object);
        assert!(is_out_of_budget(&verdict), "{verdict:?}");
    }
    for text in [
        "lists.range(2147483647).size() > 0",
        "lists.range(9223372036854775807).size() > 0",
        "'%.2147483647f'.format([1.0]) == ''",
        "'%.1000000000e'.format([1.0]) == ''",
        "[object.s, object.s].join(object.s).replace('a', object.s).size() > 0",
        "object.l.map(x, object.s).join(object.s).size() > 0",
        "quantity('1e2147483647').add(quantity('1')).isInteger()",
        "quantity('1e-2147483647').asApproximateFloat() > 0.0",
        "object.s.matches('(a{1000}){1000}')",
        "object.s.matches('((((a{10}){10}){10}){10}){10}')",
        r"object.s.matches('(\\pL|\\pN){1000}')",
        "object.s.findAll('a*?').size() > 0",
        "object.s.findAll('a|b*c').size() > 0",
        "semver('1.2.3-' + object.s).major() == 1",
        "url('https://' + object.s).getHost() == ''",
        "isIP(object.s) || ip(object.s).isUnspecified()",
        "duration(object.s) == duration('1s')",
        "timestamp(object.s) == timestamp(0)",
        "int(object.s) + int(double(object.s)) == 0",
    ] {
        let _ = ends(&[], text, &object);
    }
}

#[test]
fn json_that_is_nested_without_end_is_no_object() {
    let text = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Json::parse(&text).is_err());
}

/// Pieces that expressions are made of, and some that they are not.
fn token() -> impl Strategy<Value = String> {
    let words = [
        "object",
        "oldObject",
        "request",
        "namespaceObject",
        "variables",
        "x",
        "y",
        "a",
        "true",
        "null",
        "in",
        "has",
        "all",
        "exists",
        "exists_one",
        "map",
        "filter",
        "transformMap",
        "optMap",
        "orValue",
        "optional",
        "of",
        "none",
        "size",
        "string",
        "int",
        "dyn",
        "type",
        "matches",
        "format",
        "sortBy",
        "lists",
        "range",
        "quantity",
        "ip",
        "cidr",
        "semver",
        "url",
        "sets",
        "duration",
        "timestamp",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        ".?",
        "[?",
        "?",
        ":",
        "==",
        "!=",
        "<",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "&&",
        "||",
        "!",
        "'a'",
        "\"%s\"",
        "b'x'",
        "1",
        "1u",
        "1.5",
        "1e400",
        "0x1F",
        "'",
        "\"\"\"",
        "`",
        "//",
        "\n",
        "\\",
        "é",
        "🚀",
        "\u{0}",
        "@",
        "9223372036854775808",
        "-9223372036854775808",
    ];
    prop_oneof![9 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(tokens in proptest::collection::vec(token(), 0..40), gap in "[ ]?") {
        let _ = ends(&["1".to_owned()], &tokens.join(&gap), r#"{"a": {"x": [1, "é"]}}"#);
    }
}
