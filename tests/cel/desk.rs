//! `portreeve cel`, as an author of expressions types it.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::oracle;

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portreeve"))
        .arg("cel")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // What does not read its input closes it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Standard output of what succeeds.
fn printed(arguments: &[&str], input: &str) -> String {
    let output = run(arguments, input);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{complaint}");
    assert_eq!(complaint, "");
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of what fails, and prints nothing else.
fn complaint(arguments: &[&str], input: &str) -> String {
    let output = run(arguments, input);
    assert!(!output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    String::from_utf8(output.stderr).unwrap()
}

fn pod(name: &str) -> String {
    oracle::directory().join("pods").join(name).to_str().unwrap().to_owned()
}

/// A file that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let path = directory.join(format!("{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_value_is_printed_with_type_and_cost() {
    let text =
        printed(&["--object", &pod("web.yaml"), "object.spec.containers.map(c, c.name)"], "");
    assert_eq!(text, "[\"web\", \"proxy\"]\n\ntype: list(dyn)\ncost: 32 of 1000000\n");
    let arguments = ["-o", "json", "--object", &pod("web.yaml"), "object.metadata.name + '!'"];
    let value: Value = serde_json::from_str(&printed(&arguments, "")).unwrap();
    assert_eq!(value, json!({"value": "web!", "type": "string", "cost": 4}));
}

#[test]
fn variables_and_all_objects_can_be_given() {
    let text = printed(
        &[
            "--object",
            "-",
            "--old-object",
            &pod("update-image.old.yaml"),
            "--namespace-object",
            oracle::directory().join("namespaces/payments.yaml").to_str().unwrap(),
            "--variable",
            "new=object.metadata.name",
            "--variable",
            "both=variables.new + ' in ' + namespaceObject.metadata.name",
            "[variables.both, request.operation, string(oldObject.kind)]",
        ],
        "kind: Pod\nmetadata: {name: web}\n",
    );
    assert!(text.starts_with("[\"web in payments\", \"UPDATE\", \"Pod\"]\n"), "{text}");
}

#[test]
fn an_admission_review_is_a_request_and_its_objects() {
    let review = Scratch::new(
        "review.json",
        r#"{"kind": "AdmissionReview", "request": {"operation": "DELETE", "object": null,
            "oldObject": {"spec": {"x": 1}}, "userInfo": {"username": "ada"}}}"#,
    );
    let expression = "[request.userInfo.username, request.operation, string(oldObject.spec.x)]";
    let text = printed(&["--request", review.path(), expression], "");
    assert!(text.starts_with("[\"ada\", \"DELETE\", \"1\"]\n"), "{text}");
}

#[test]
fn what_does_not_compile_is_shown_where_it_stands_with_a_hint() {
    let text = complaint(&["object.a.startsWith(1) &&\n  objct.b"], "");
    let expected = "portreeve: expression: compilation failed: \
        ERROR: <input>:1:20: found no matching overload for 'startsWith' applied to 'dyn.(int)'\n | \
        object.a.startsWith(1) &&\n | ...................^\n\
        ERROR: <input>:2:3: undeclared reference to 'objct' (in container '')\n |   objct.b\n | ..^\n\
        hint: did you mean object?\n";
    assert_eq!(text, expected);

    let output = run(&["-o", "json", "objct"], "");
    assert_eq!(output.status.code(), Some(1));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mistake = json!({"in": "expression", "line": 1, "column": 1, "hint": "did you mean object?",
        "message": "undeclared reference to 'objct' (in container '')"});
    assert_eq!(printed["mistakes"], json!([mistake]));

    let text = complaint(&["--variable", "a=1 +", "variables.a"], "");
    assert!(
        text.starts_with("portreeve: variable a: compilation failed: ERROR: <input>:1:4"),
        "{text}"
    );
}

#[test]
fn what_has_no_value_says_why() {
    let text = complaint(&["--object", &pod("web.yaml"), "object.spec.nope"], "");
    let expected =
        "portreeve: expression 'object.spec.nope' resulted in error: no such key: nope\n";
    assert_eq!(text, expected);
}

#[test]
fn files_that_can_not_be_used_are_named() {
    let two = Scratch::new("two.yaml", "a: 1\n---\nb: 2\n");
    let list = Scratch::new("list.yaml", "- 1\n");
    let broken = Scratch::new("broken.yaml", "a: [1\n");
    let empty = Scratch::new("empty.yaml", "\n");
    for (path, words) in [
        (two.path(), "one object is expected, there are 2"),
        (list.path(), "expected an object, such as a Pod, got a list"),
        (broken.path(), "line 1 column 4: unclosed bracket"),
        (empty.path(), "there is no object in it"),
        ("/there/is/none", "No such file"),
    ] {
        let text = complaint(&["--object", path, "true"], "");
        assert!(text.contains(&format!("--object {path}")) && text.contains(words), "{text}");
    }
    let text = complaint(&["--object", "-", "--old-object", "-", "true"], "");
    assert!(text.contains("can be read for one object only"), "{text}");
    let text = complaint(&["--variable", "a", "true"], "");
    assert!(text.contains("expected NAME=EXPR"), "{text}");
}

#[test]
fn a_batch_is_answered_line_by_line_whatever_a_line_is() {
    let lines = [
        (r#"{"id": 1, "expression": "true"}"#, json!({"id": 1, "outcome": "allow"})),
        ("", Value::Null),
        (
            r#"{"id": "b", "expression": "false", "messageExpression": null, "variables": null}"#,
            json!({"id": "b", "outcome": "deny", "message": "failed expression: false"}),
        ),
        (
            r#"{"id": 3, "expression": "true", "matchConditions": [{"name": "a", "expression": "false"}]}"#,
            json!({"id": 3, "outcome": "unmatched"}),
        ),
        (
            r#"{"id": 4, "expression": "object.a.b == 1", "object": {"a": {}}}"#,
            json!({"id": 4, "outcome": "error",
                "message": "expression 'object.a.b == 1' resulted in error: no such key: b"}),
        ),
        (
            r#"{"id": 5, "expression": "true &&\n foo"}"#,
            json!({"id": 5, "outcome": "refused", "line": 2, "column": 2, "message":
                "compilation failed: ERROR: <input>:2:2: undeclared reference to 'foo' (in container '')\n |  foo\n | .^"}),
        ),
        (
            "nonsense",
            json!({"id": null, "outcome": "refused",
                "message": "line 7 is no question: expected ident at line 1 column 2"}),
        ),
        (
            r#"{"id": 8}"#,
            json!({"id": 8, "outcome": "refused",
                "message": "line 8 is no question: missing field `expression` at line 1 column 9"}),
        ),
    ];
    let input: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
    let output = run(&["--batch"], &input);
    assert_eq!(output.status.code(), Some(1), "two lines are no questions");
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let expected: Vec<&Value> =
        lines.iter().map(|(_, answer)| answer).filter(|answer| !answer.is_null()).collect();
    assert_eq!(answers.iter().collect::<Vec<_>>(), expected);

    let output = run(&["--batch"], "{\"expression\": \"true\", \"varaibles\": []}\n");
    assert!(output.status.success());
    assert!(
        String::from_utf8(output.stderr).unwrap().contains("the field \"varaibles\" is ignored")
    );
}

#[test]
fn a_batch_is_answered_before_the_next_question_is_asked() {
    use std::io::{BufRead as _, BufReader};
    let mut child = Command::new(env!("CARGO_BIN_EXE_portreeve"))
        .args(["cel", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut questions, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut answers = BufReader::new(answers).lines();
    for id in 0..3 {
        writeln!(questions, r#"{{"id": {id}, "expression": "true"}}"#).unwrap();
        let answer = answers.next().unwrap().unwrap();
        assert_eq!(answer, format!(r#"{{"id":{id},"outcome":"allow"}}"#));
    }
    drop(questions);
    assert!(child.wait().unwrap().success());
}
