//! Any text as an expression of each kind: compiled, and evaluated and traced where it compiles. It
//! must end, within its budget and without a panic.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portreeve::cel::{Json, NamedExpression, RuleSources, Rules, Subject, ValidationSource};

const POD: &str = r#"{"metadata": {"name": "a", "labels": {"app": "web", "a.b/c": "é"}},
    "spec": {"hostNetwork": true, "containers": [{"name": "c", "image": "nginx:1",
    "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "1.5", "memory": "1Gi"}}}]}}"#;

static OBJECT: LazyLock<Json<'static>> = LazyLock::new(|| Json::parse(POD).expect("JSON"));

fuzz_target!(|text: &str| {
    // Separated: a variable, a message expression, a match condition, and the validation.
    let mut parts = text.rsplitn(4, '\u{1f}');
    let expression = parts.next().unwrap_or_default().to_owned();
    let (match_condition, message_expression, variable) = (parts.next(), parts.next(), parts.next());
    let named = |name: &str, expression: &str| NamedExpression {
        name: name.to_owned(),
        expression: expression.to_owned(),
    };
    let sources = RuleSources {
        match_conditions: match_condition.map(|text| named("a", text)).into_iter().collect(),
        validations: vec![ValidationSource {
            expression,
            message: None,
            message_expression: message_expression.map(str::to_owned),
        }],
        variables: variable.map(|text| named("v", text)).into_iter().collect(),
    };
    let Ok(rules) = Rules::compile(&sources) else { return };
    let none = Json::Null;
    let subject =
        Subject { object: &OBJECT, old_object: &none, request: &none, namespace_object: &none };
    let subject = subject.complete();
    let _ = rules.evaluate(subject.inputs());
    let _ = rules.trace(0, subject.inputs());
});
