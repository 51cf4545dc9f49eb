//! What evaluation costs, and what becomes of errors on the way.

use super::Inputs;
use crate::cel::error::Fault;
use crate::cel::expression::{Expression, ExpressionKind};
use crate::cel::meter::{EXPRESSION_LIMIT, Meter};
use crate::cel::value::Json;

const OBJECT: &str =
    r#"{"m": {"a": 1}, "l": [1, 2, 3], "lo": [{"v": 1}], "nul": null, "s": "abc"}"#;

/// The value as text or why there is none, and the cost.
fn evaluate_within(limit: u64, source: &str) -> (Result<String, Fault>, u64) {
    let expression = Expression::compile(ExpressionKind::Variable, source)
        .unwrap_or_else(|error| panic!("{source}: {error}"));
    let object = Json::parse(OBJECT).unwrap();
    let request = Json::parse(r#"{"operation": "CREATE", "userInfo": {}}"#).unwrap();
    let (none, mut meter) = (Json::Null, Meter::new(limit));
    let inputs =
        Inputs { object: &object, old_object: &none, request: &request, namespace_object: &none };
    let value = expression.evaluate(inputs, &mut meter).map(|value| value.literal());
    (value, meter.cost())
}

fn evaluate(source: &str) -> Result<String, Fault> {
    evaluate_within(EXPRESSION_LIMIT, source).0
}

fn is(source: &str, literal: &str) {
    assert_eq!(evaluate(source), Ok(literal.to_owned()), "{source}");
}

fn fails(source: &str, message: &str) {
    assert_eq!(evaluate(source), Err(Fault::error(message.to_owned())), "{source}");
}

/// Expressions, and the cost that cel-go's tracker gives for each in a 1.36 API server.
const COSTS: &[(&str, u64)] = &[
    ("true", 0),
    ("object.m.a", 3),
    ("object.m['a']", 3),
    ("object.?m.?a", 3),
    ("object.l[0]", 3),
    ("[1,2][2]", 2),
    ("object.l[3]", 3),
    ("object.l.x", 3),
    ("object.l[3] == 1 || true", 4),
    ("object.nope == 1 || true", 3),
    ("object.nope.x == 1 || true", 3),
    ("object.s.x == 1 || true", 4),
    ("object.nul.x == 1 || true", 4),
    ("object.l[1.5] == 1 || true", 4),
    ("object.m[object.nul] == 1 || true", 5),
    ("{'a': 1}[?dyn(object.nul)].hasValue() || true", 5),
    ("request.name == '' || true", 2),
    ("request.userInfo.uid == '' || true", 3),
    ("has(request.name)", 1),
    ("has(object.m.a)", 2),
    ("has(object.m.zz)", 2),
    ("has(object.?m.a)", 2),
    ("has(object.?m.zz)", 1),
    ("has(object.?nope.a)", 0),
    ("has(object.l[9].b) || true", 2),
    ("object.l.all(x, x > 0)", 18),
    ("object.l.exists(x, x > 1)", 18),
    ("object.l.exists_one(x, x > 2)", 12),
    ("object.l.map(x, x + 1)", 45),
    ("object.l.filter(x, x > 1)", 35),
    ("object.l.map(x, 1)", 9),
    ("object.m.all(k, v, v == 1)", 8),
    ("object.l.transformList(i, v, i + v)", 48),
    ("object.m.transformMap(k, v, v)", 7),
    ("[object.s].map(x, x.size()).exists(y, y == 3)", 34),
    ("object.s == 'abc'", 3),
    ("object.s + object.s", 5),
    ("'abc' + 'abcdefghijklmnop'", 2),
    ("object.s.contains('b')", 3),
    ("object.s.matches('^a.*c$')", 4),
    ("object.s.startsWith('a')", 3),
    ("object.s in ['abc', 'b', 'c', 'd']", 2),
    ("'abc' in object.m", 3),
    ("[object.s, object.s]", 14),
    ("{'a': object.s}", 32),
    ("object.l == [1, 2, 3]", 3),
    ("size(object.s)", 3),
    ("object.l.sort()", 3),
    ("object.lo.sortBy(x, x.v)", 20),
    ("object.lo.sortBy(x, x.missing)", 20),
    ("optional.of(1).optMap(x, x + 1).hasValue()", 8),
    ("optional.of(1).optMap(x, object.nope).hasValue() || true", 6),
    ("optional.of(1).optFlatMap(x, object.nope).hasValue() || true", 5),
    ("optional.none().or(optional.of(1))", 2),
    ("object.?nope.orValue(1)", 1),
    ("true ? object.m.a : object.nope", 2),
    ("quantity('1Gi').isGreaterThan(quantity('1Mi'))", 3),
    ("cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16'))", 6),
    ("cidr('10.0.0.0/8').containsCIDR(dyn(cidr('10.0.0.0/8')))", 6),
    ("cidr('10.0.0.0/8').containsIP('10.0.0.1')", 3),
    ("sets.contains([1, 2, 3], [1, 2])", 7),
    ("[[1, 2], [3]].flatten()", 13),
    ("[[1, 2], [3]].flatten(2)", 15),
    ("'%s-%d'.format(['a', 1])", 1),
    ("object.s.replace('a', 'bb')", 3),
    ("object.s.split('b')", 3),
    ("timestamp('2024-01-01T00:00:00Z').getFullYear()", 1),
];

#[test]
fn an_expression_costs_what_it_costs_in_the_api_server() {
    for (source, cost) in COSTS {
        assert_eq!(evaluate_within(EXPRESSION_LIMIT, source).1, *cost, "{source}");
    }
}

#[test]
fn an_expression_may_cost_its_limit_and_no_more() {
    let source = "object.l.all(x, x > 0)";
    assert_eq!(evaluate_within(18, source), (Ok("true".to_owned()), 18));
    assert_eq!(evaluate_within(17, source).0, Err(Fault::OverBudget));
}

#[test]
fn errors_are_absorbed_by_what_decides_without_them() {
    let error = "object.nope == 1";
    for source in [
        format!("{error} || true"),
        format!("true || {error}"),
        format!("!({error} && false)"),
        format!("!(false && {error})"),
        format!("[1, 2].exists(x, x == 1 ? {error} : true)"),
        format!("![1, 2].all(x, x == 1 ? {error} : false)"),
    ] {
        is(&source, "true");
    }
    for source in [
        format!("{error} || false"),
        format!("false || {error}"),
        format!("{error} && true"),
        format!("[1, 2].exists(x, x == 1 ? {error} : false)"),
        format!("[1, 2].exists_one(x, x == 1 ? {error} : true)"),
        format!("[1, 2].map(x, x == 1 ? {error} : true)"),
    ] {
        fails(&source, "no such key: nope");
    }
}

#[test]
fn of_several_errors_the_first_is_told_and_by_exists_one_the_last() {
    fails("object.a == 1 || object.b == 1", "no such key: a");
    fails("object.a == object.b", "no such key: a");
    fails("['a', 'b'].all(x, object[x] == 1)", "no such key: a");
    fails("['a', 'b'].exists_one(x, object[x] == 1)", "no such key: b");
}

#[test]
fn nothing_absorbs_a_spent_budget_or_a_failure_of_the_api_server() {
    let costly = "lists.range(2000).all(x, lists.range(2000).all(y, true))";
    let aborted = "[[1]].flatten(1 / 0) == []";
    for (source, is_final) in [
        (costly, Fault::is_final as fn(&Fault) -> bool),
        (aborted, |fault| matches!(fault, Fault::Aborted(_))),
    ] {
        for around in [
            format!("{source} || true"),
            format!("false && {source} || {source}"),
            format!("[1].exists(x, {source})"),
            format!("![1].all(x, {source})"),
            format!("[1].map(x, {source}).size() >= 0 || true"),
            format!("{{'a': {source}}}.size() >= 0 || true"),
        ] {
            let fault = evaluate(&around).expect_err(&around);
            assert!(is_final(&fault), "{around}: {fault}");
        }
    }
}

#[test]
fn an_index_is_a_whole_number_of_any_type() {
    for index in ["1", "1u", "1.0", "dyn(1)"] {
        is(&format!("object.l[{index}]"), "2");
    }
    fails("object.l[-1]", "index out of bounds: -1");
    fails("object.l[1.5]", "unsupported index value 1.5 in list");
    fails("object.l[dyn('a')]", "unsupported index type 'string' in list");
    fails("object.l[9223372036854775808u]", "unsupported index value 9223372036854775808 in list");
    is("object.l[?7].hasValue()", "false");
}

#[test]
fn what_cannot_be_compared_is_unequal_and_no_order() {
    is("dyn(1) != 'a'", "true");
    is("dyn(1) == 1.0 && dyn(1u) == 1", "true");
    is("double('NaN') != double('NaN')", "true");
    fails("dyn(1) < dyn('a')", "no such overload");
    fails("dyn(quantity('1')) == dyn(1)", "no such overload");
}

#[test]
fn an_optional_makes_what_follows_it_optional() {
    is("object.?nope.a.b.hasValue()", "false");
    is("object.?m.a", "optional.of(1)");
    is("object.?m.?nope.orValue(7)", "7");
    is("[?object.?m.a, ?object.?nope]", "[1]");
    is("{?'a': object.?nope}", "{}");
    fails("object.?nope.value()", "optional.none() dereference");
}

#[test]
fn a_key_may_be_there_once_where_maps_are_made_by_a_macro() {
    is("[1, 2].transformMapEntry(i, v, {v: i})", "{1: 0, 2: 1}");
    fails("[1, 1].transformMapEntry(i, v, {v: i})", "insert failed: key 1 already exists");
    fails(
        "[dyn(1), dyn(1u)].transformMapEntry(i, v, {v: i})",
        "insert failed: key 1 already exists",
    );
}

#[test]
fn what_an_optional_has_lost_is_told_where_it_is_compared() {
    let lost = "optional.of(2).optFlatMap(x, optional.of(ip('::1')))";
    let why = "unsupported conversion to ref.Val: (netip.Addr)::1";
    fails(&format!("{lost} == optional.of(ip('::'))"), why);
    fails(&format!("optional.of(ip('::')) == {lost}"), why);
    fails(&format!("dyn(ip('::')) == dyn({lost})"), "no such overload");
    is(&format!("{lost} != optional.of(ip('::'))"), "true");
}
