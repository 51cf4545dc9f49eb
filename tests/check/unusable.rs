//! What can't be used: all of it is told, and nothing is judged.

use insta::assert_snapshot;

use super::command::{Folder, check, check_in, fixtures};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\nspec: {}\n";

#[test]
fn all_that_cannot_be_read_is_told_at_once() {
    let folder = Folder::new(
        "unreadable",
        &[
            ("a/broken.yaml", b"---\na: 1\n---\nkind: Pod\napiVersion: v1\nspec: [\n---\nb: : c\n"),
            ("a/binary.yaml", b"\x7fELF\xff\xfe"),
            ("a/pod.yaml", POD.as_bytes()),
            ("no-object.yaml", b"replicas: 3\n---\n- a\n---\nkind: Pod\n---\ntext\n"),
            ("template.yaml", b"kind: Pod\nmetadata:\n  {{- include \"x\" . | nindent 2 }}\n"),
        ],
    );
    let policies = fixtures().join("policies");
    let arguments =
        ["--policy", policies.to_str().unwrap(), "a", "no-object.yaml", "template.yaml", "nowhere"];
    let run = folder.check(&arguments);
    assert_snapshot!(run.stderr, @r#"
    nowhere: error: there is no such file or folder
    a/binary.yaml: error: is no text in UTF-8: see the byte at offset 4
    a/broken.yaml:6: error: unclosed bracket '['
    a/broken.yaml:8: error: mapping values are not allowed in this context
    no-object.yaml:1: error: expected an object, but apiVersion and kind are missing
    no-object.yaml:3: error: expected an object, such as a Pod, got a list
    no-object.yaml:5: error: expected an object, but apiVersion is missing
    no-object.yaml:7: error: expected an object, such as a Pod, got a single value
    template.yaml:3: error: "-" is only valid inside a block (is it a template? Give what it renders: helm template CHART | portreeve check - …)
    "#);
    assert_eq!((run.stdout.as_str(), run.code), ("", Some(2)));
}

#[test]
fn all_faults_of_the_policies_are_told_at_their_lines() {
    let policies = r#"apiVersion: box.com/v1
kind: PodPolicy
metadata: {name: wrong}
spec:
  match:
    namespaceSelector:
      matchExpressions:
      - {key: team, operator: Near, values: [a]}
  validations:
  - expression: object.spec.hostNetwrk == true
  - expression: "1 +"
    messageExpression: "1"
---
apiVersion: box.com/v1
kind: PodPolicy
metadata: {name: misspelt}
spec:
  validation: []
  onViolation: Denied
---
apiVersion: box.com/v1
kind: PkiPolicy
metadata: {name: signs-not}
spec: {namespaceSelector: {}, issuer: {}}
---
apiVersion: box.com/v2
kind: PodPolicy
metadata: {name: of-tomorrow}
---
apiVersion: box.com/v1
kind: PkiPolicy
metadata: {name: signs-not}
spec: {namespaceSelector: {}, issuer: {}, maxDuration: a year}
"#;
    let folder =
        Folder::new("policies", &[("p.yaml", policies.as_bytes()), ("a.yaml", POD.as_bytes())]);
    let run = folder.check(&["--policy", "p.yaml", "a.yaml"]);
    insta::with_settings!({filters => vec![("(namespaceSelector: ).*", "$1…")]}, {
        assert_snapshot!(run.stderr, @r#"
        p.yaml:6: error: PodPolicy wrong: spec.match.namespaceSelector: …
        p.yaml:11: error: PodPolicy wrong: spec.validations[1].expression: compilation failed: ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}
         | 1 +
         | ...^
        p.yaml:12: error: PodPolicy wrong: spec.validations[1].messageExpression: must evaluate to string but got int; make it text: string(…)
        p.yaml:18: error: PodPolicy misspelt: spec.validation: there is no such field; did you mean "validations"?
        p.yaml:19: error: PodPolicy misspelt: spec.onViolation: Denied is not one of [Deny Warn]
        p.yaml:24: error: PkiPolicy signs-not: spec.issuer: exactly one of ca and certManager must be given
        p.yaml:26: error: PodPolicy of-tomorrow: apiVersion: there is no PodPolicy of box.com/v2; there are PodPolicy and PkiPolicy of box.com/v1
        p.yaml:32: error: PkiPolicy signs-not: is in p.yaml:21 already, under the same name
        p.yaml:33: error: PkiPolicy signs-not: spec.maxDuration: "a year" is not a duration like 720h, 90m or 1h30m
        "#);
    });
    assert_eq!((run.stdout.as_str(), run.code), ("", Some(2)));
}

#[test]
fn what_is_among_the_policies_and_is_none_is_noted() {
    let run = check_in(&fixtures(), &["--policy", "shop", "--policy", "policies", "-"], POD);
    assert_snapshot!(run.stderr, @"
    portreeve: note: among the policies, 5 objects of other kinds (CronJob, Deployment, Pki, Pod, Service) had no use
    0 errors, 1 warning in 1 object of 1 file
    ");
    assert_eq!(run.code, Some(0));
}

#[test]
fn without_policies_or_manifests_there_is_nothing_to_do() {
    let folder =
        Folder::new("empty", &[("e/a.yaml", b"---\n# nothing\n"), ("a.yaml", POD.as_bytes())]);
    let policies = fixtures().join("policies");
    let policies = policies.to_str().unwrap();
    let said = |arguments: &[&str]| {
        let run = folder.check(arguments);
        assert_eq!((run.stdout.as_str(), run.code), ("", Some(2)), "{arguments:?}");
        run.stderr
    };
    assert_snapshot!(said(&["--policy", "e", "e"]), @"
    portreeve: error: there is no policy to judge by: neither a PodPolicy nor a PkiPolicy
    portreeve: error: there is nothing to check: what is given has no object in it
    ");
    assert_snapshot!(said(&["--policy", policies, "e"]), @"portreeve: error: there is nothing to check: what is given has no object in it");
    assert_snapshot!(said(&["--policy", "-", "-"]), @"portreeve: error: standard input (-) can be read once only: either the policies or the manifests");
    assert_snapshot!(said(&["--policy", policies, "--context", "x", "a.yaml"]), @"portreeve: error: --kubeconfig and --context are of use with --policies-from-cluster only");
    assert!(said(&["a.yaml"]).contains("--policies-from-cluster"), "policies are asked for");
    assert!(said(&["--policy", policies]).contains("<PATH>"), "manifests are asked for");
    let kubeconfig = folder.path().join("none");
    let arguments =
        ["--policies-from-cluster", "--kubeconfig", kubeconfig.to_str().unwrap(), "a.yaml"];
    assert!(said(&arguments).starts_with("portreeve: error: can't read kubeconfig "));
}

#[test]
fn a_file_that_has_no_end_is_not_read_to_it() {
    let run = check(&["--policy", "policies", "/dev/zero"]);
    assert_snapshot!(run.stderr, @"/dev/zero: error: is larger than 64 MiB, which is the most that is read");
    assert_eq!(run.code, Some(2));
}

#[test]
fn a_bomb_is_told_with_its_place() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..10 {
        let item = format!("*a{}", n - 1);
        bomb.push_str(&format!("a{n}: &a{n} [{}]\n", [item.as_str(); 10].join(",")));
    }
    let run = check_in(&fixtures(), &["--policy", "policies", "-"], &format!("{POD}---\n{bomb}"));
    assert_snapshot!(run.stderr, @"<stdin>:10: error: YAML document too large or too complex: total_replayed_events=100001 > 100000 at line 6, column 18 (defined at line 9, column 9) (used at line 10, column 38)");
    assert_eq!(run.code, Some(2));
}
