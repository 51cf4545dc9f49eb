use super::*;
use serde_json::json;

fn read(text: &str) -> Node {
    serde_saphyr::from_str_with_options(text, crate::cli::yaml::options()).unwrap()
}

fn line(node: &Node, path: &str) -> u32 {
    node.place_of(path).line
}

const POD: &str = r#"metadata:
  annotations:
    box.com/pki: a
    "a\"b": c
spec:
  hostNetwork: yes
  containers:
  - name: a
    image: b
  -
    name: c
    ports: [{containerPort: 0777}, {}]
"#;

#[test]
fn a_path_leads_to_the_line_of_its_field() {
    let pod = read(POD);
    for (path, expected) in [
        ("", 1),
        ("metadata", 1),
        (r#"metadata.annotations["box.com/pki"]"#, 3),
        ("metadata.annotations.box.com/pki", 3),
        (r#"metadata.annotations["a\"b"]"#, 4),
        ("spec.hostNetwork", 6),
        ("spec.containers", 7),
        ("spec.containers[0]", 8),
        ("spec.containers[0].image", 9),
        (".spec.containers[1].ports[0].containerPort", 12),
    ] {
        assert_eq!(line(&pod, path), expected, "{path}");
    }
    assert_eq!(pod.place_of("spec.containers[1].ports[1]"), Place { line: 12, column: 36 });
}

#[test]
fn a_path_of_what_is_not_there_leads_to_the_nearest_that_is() {
    let pod = read(POD);
    for (path, expected) in [
        ("status.phase", 1),
        ("spec.securityContext.runAsNonRoot", 5),
        ("spec.containers[2].image", 7),
        ("spec.containers[*].image", 7),
        ("spec.containers[1].image", 11),
        ("spec.hostNetworkX", 5),
        ("spec.hostNetwork.x[", 6),
        ("metadata.annotations[\"box.com/pki", 2),
    ] {
        assert_eq!(line(&pod, path), expected, "{path}");
    }
}

#[test]
fn the_values_are_those_that_kubectl_reads() {
    let value = read(POD).value();
    assert_eq!(value["spec"]["hostNetwork"], json!(true));
    assert_eq!(value["spec"]["containers"][1]["ports"][0]["containerPort"], json!(0o777));
}

#[test]
fn an_element_is_found_behind_those_that_were_added_before_it() {
    let node = read(
        "spec:\n  template:\n    env:\n    - name: a\n    - name: b\n      value: x\n    - secret: s\n",
    );
    let pod = r#"{"env": [{"name": "new"}, {"name": "a"}, {"name": "b", "value": "x", "y": 1},
        {"secret": "s"}, {"secret": "t"}]}"#;
    let pod = Json::parse(pod).unwrap();
    for (path, expected) in [
        ("env[0]", 3),
        ("env[1].name", 4),
        ("env[2].value", 6),
        ("env[2].y", 5),
        ("env[3]", 7),
        ("env[4]", 3),
        ("env[5]", 3),
        ("volumes[0]", 2),
    ] {
        let place = node.place_in_pod("spec.template.", path, &pod);
        assert_eq!(place.line, expected, "{path}");
    }
    assert_eq!(node.place_in_pod("spec.jobTemplate.spec.", "env[0]", &pod).line, 1);
}

#[test]
fn what_an_alias_or_a_merge_repeats_stands_where_it_is_repeated() {
    let node = read("a: &a\n  x: 1\nb: *a\nc:\n  <<: *a\n  y: 2\n");
    assert_eq!(line(&node, "a.x"), 2);
    assert_eq!(line(&node, "b.x"), 3);
    assert_eq!(line(&node, "c.x"), 5);
    assert_eq!(node.value()["c"], json!({"x": 1, "y": 2}));
}
