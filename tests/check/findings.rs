//! What is found, where, and what it ends with.

use insta::assert_snapshot;

use super::command::{Folder, check, check_in, fixtures};

#[test]
fn a_folder_is_judged_with_the_lines_of_the_fields() {
    let run = check(&["--policy", "policies", "shop"]);
    assert_snapshot!(run.stdout, @r#"
    shop/jobs/nightly.yml:10: warning: CronJob shop/nightly: spec.jobTemplate.spec.template.metadata.labels.owner: Say whose it is, as in "checkout" (PodPolicy hardened). (PodPolicyViolation)
    shop/jobs/nightly.yml:12: error: CronJob shop/nightly: spec.jobTemplate.spec.template.spec.hostNetwork: true: Pods must not use the network of their node (PodPolicy hardened). (HostNetworkUsed)
    shop/pki.json:6: error: Pki shop/app1-pki: ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki. (PkiServiceNameError)
    shop/web.yaml:19: error: Deployment shop/web: spec.template.spec.hostNetwork: true: Pods must not use the network of their node (PodPolicy hardened). (HostNetworkUsed)
    shop/web.yaml:36: warning: Pod shop/debug: metadata.labels.owner: Say whose it is, as in "checkout" (PodPolicy hardened). (PodPolicyViolation)
    "#);
    assert_snapshot!(run.stderr, @"3 errors, 2 warnings in 4 objects of 4 files (not judged: 1 of other kinds)");
    assert_eq!(run.code, Some(1));
}

#[test]
fn what_helm_renders_is_judged_in_the_namespace_that_is_given() {
    let run = check(&["--policy", "policies", "--namespace", "shop", "helm.yaml"]);
    assert_snapshot!(run.stdout, @r#"
    helm.yaml:28: error: StatefulSet shop/release-name-shop: spec.template.spec.hostNetwork: true: Pods must not use the network of their node (PodPolicy hardened). (HostNetworkUsed)
    helm.yaml:40: warning: Pod shop/release-name-shop-test-connection: metadata.labels.owner: Say whose it is, as in "checkout" (PodPolicy hardened). (PodPolicyViolation)
    "#);
    assert_snapshot!(run.stderr, @"1 error, 1 warning in 2 objects of 1 file (not judged: 1 of other kinds)");
    assert_eq!(run.code, Some(1));
}

#[test]
fn what_kustomize_renders_is_judged_by_the_labels_of_its_own_namespace() {
    let text = std::fs::read_to_string(fixtures().join("overlay/kustomized.yaml")).unwrap();
    let run = check_in(&fixtures(), &["--policy", "policies/pods.yaml", "-"], &text);
    assert_snapshot!(run.stdout, @"<stdin>:30: error: DaemonSet stage/agent: spec.template.spec.hostNetwork: true: Pods must not use the network of their node (PodPolicy hardened). (HostNetworkUsed)");
    assert_snapshot!(run.stderr, @"1 error, 0 warnings in 1 object of 1 file (not judged: 2 of other kinds)");
    assert_eq!(run.code, Some(1));
}

#[test]
fn the_items_of_a_list_are_judged_but_for_those_that_policies_are_not_about() {
    let run = check(&["--policy", "policies", "list.yaml"]);
    assert_snapshot!(run.stdout, @"
    list.yaml:11: error: Pod shop/first: spec.hostNetwork: true: Pods must not use the network of their node (PodPolicy hardened). (HostNetworkUsed)
    list.yaml:17: error: Pod shop/second: spec.hostNetwork: true: Pods must not use the network of their node (PodPolicy hardened). (HostNetworkUsed)
    ");
    assert_snapshot!(run.stderr, @"2 errors, 0 warnings in 2 objects of 1 file (not judged: 2 that policies are not about)");
    assert_eq!(run.code, Some(1));
}

#[test]
fn warnings_refuse_nothing() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\nspec: {}\n";
    let run = check_in(&fixtures(), &["--policy", "policies", "-"], pod);
    assert_snapshot!(run.stdout, @r#"<stdin>:3: warning: Pod shop/a: metadata.labels.owner: Say whose it is, as in "checkout" (PodPolicy hardened). (PodPolicyViolation)"#);
    assert_snapshot!(run.stderr, @"0 errors, 1 warning in 1 object of 1 file");
    assert_eq!(run.code, Some(0));
}

#[test]
fn a_namespace_that_is_nowhere_has_no_label_but_its_name_and_that_is_said() {
    let run = check(&["--policy", "policies", "helm.yaml"]);
    assert_snapshot!(run.stdout, @"");
    assert_snapshot!(run.stderr, @"
    portreeve: note: nothing is known of namespace default: taken as having no label but the name, where policies select by others (PkiPolicy apps by team; PodPolicy hardened by team). Give the Namespaces with the manifests or with the policies
    0 errors, 0 warnings in 2 objects of 1 file (not judged: 1 of other kinds)
    ");
    assert_eq!(run.code, Some(0));
}

#[test]
fn a_certificate_that_a_pod_asks_for_is_looked_for_among_the_manifests() {
    let pod = |pki: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: shop\n  labels: {{owner: me}}\n  \
             annotations:\n    box.com/pki: {pki}\nspec: {{containers: []}}\n---\napiVersion: box.com/v1\n\
             kind: Pki\nmetadata: {{name: app1-pki, namespace: shop}}\nspec: {{serviceName: app1}}\n"
        )
    };
    let run = check_in(&fixtures(), &["--policy", "policies", "-"], &pod("app1-pki"));
    assert_eq!(run.stdout, "");
    let run = check_in(&fixtures(), &["--policy", "policies", "-"], &pod("app1-pk"));
    assert_snapshot!(run.stdout, @r#"<stdin>:8: warning: Pod shop/a: metadata.annotations["box.com/pki"]: no Pki app1-pk in namespace shop: there are [app1-pki]; did you mean "app1-pki"? Name another, or make that one; then make the Pod anew. (PkiNotFound)"#);
    assert_snapshot!(run.stderr, @"
    portreeve: note: nothing is known of the cluster's Pkis: one that is not among the manifests is taken as not being there
    0 errors, 1 warning in 2 objects of 1 file
    ");
    assert_eq!(run.code, Some(0));
}

#[test]
fn of_two_pkis_that_claim_one_secret_the_second_is_told() {
    let pki = |name: &str, secret: &str| {
        format!(
            "apiVersion: box.com/v1\nkind: Pki\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n  \
             serviceName: app1\n  secretName: {secret}\n---\n"
        )
    };
    let text = format!("{}{}", pki("b", "tls"), pki("a", "tls"));
    let run = check_in(&fixtures(), &["--policy", "policies", "-"], &text);
    assert_snapshot!(run.stdout, @"<stdin>:13: error: Pki shop/a: SecretName: tls in pki: a is already claimed by Pki b. Set spec.secretName of Pki a to a name that is free. (PkiSecretClaimed)");
    assert_eq!(run.code, Some(1));
}

#[test]
fn pkis_are_not_judged_where_no_policy_of_pkis_is_given() {
    let run = check(&["--policy", "policies/pods.yaml", "shop/pki.json"]);
    assert_eq!(run.stdout, "");
    assert_snapshot!(run.stderr, @"
    portreeve: note: there is no PkiPolicy, and without one no Pki is judged
    portreeve: note: nothing is known of namespace shop: taken as having no label but the name, where policies select by others (PodPolicy hardened by team). Give the Namespaces with the manifests or with the policies
    0 errors, 0 warnings in 0 objects of 1 file (not judged: 1 of other kinds)
    ");
    assert_eq!(run.code, Some(0));
}

#[test]
fn a_file_that_is_named_twice_is_judged_once() {
    let run = check(&["--policy", "policies", "shop/web.yaml", "shop", "./shop/web.yaml"]);
    assert_eq!(run.stdout.matches("HostNetworkUsed").count(), 2, "{}", run.stdout);
    assert!(run.stdout.starts_with("shop/web.yaml:19: "), "{}", run.stdout);
}

#[test]
fn what_a_file_says_moves_no_cursor() {
    let pod = "kind: Pod\napiVersion: v1\nmetadata: {name: \"a\\e[2J\", namespace: shop}\n";
    let folder =
        Folder::new("cursor", &[("p.yaml", POLICY.as_bytes()), ("a.yaml", pod.as_bytes())]);
    let run = folder.check(&["--policy", "p.yaml", "a.yaml"]);
    assert_snapshot!(run.stdout, @r"a.yaml:1: error: Pod shop/a\u{1b}[2J: No (PodPolicy never). (PodPolicyViolation)");
    assert_eq!(run.code, Some(1));
}

/// Refuses everything.
const POLICY: &str = "{apiVersion: box.com/v1, kind: PodPolicy, metadata: {name: never}, \
                      spec: {validations: [{expression: 'false', message: No.}]}}";

#[test]
fn a_pod_that_mounts_the_secret_of_a_faulty_pki_hears_of_it() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {owner: me}}\nspec:\n  \
                containers: []\n  volumes:\n  - name: tls\n    secret: {secretName: app1-pki}\n---\n\
                apiVersion: box.com/v1\nkind: Pki\nmetadata: {name: app1-pki, namespace: shop}\n\
                spec: {serviceName: appp1}\n";
    let run = check_in(&fixtures(), &["--policy", "policies", "-"], text);
    assert_snapshot!(run.stdout, @r#"
    <stdin>:7: warning: Pod shop/a: ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki. (PkiServiceNameError)
    <stdin>:13: error: Pki shop/app1-pki: ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki. (PkiServiceNameError)
    "#);
    // Without the policies of Pkis there is nothing that it would not be allowed.
    let run = check_in(&fixtures(), &["--policy", "policies/pods.yaml", "-"], text);
    assert_eq!((run.stdout.as_str(), run.code), ("", Some(0)));
}

#[test]
fn an_element_that_fails_has_its_line_and_what_policies_add_is_taken_for_added() {
    let text = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers:
      - name: own
        image: registry.example/own@sha256:01
      containers:
      - name: web
        image: registry.example/web@sha256:02
        imagePullPolicy: Never
        env:
        - {name: A, value: a}
        - name: B
          value: ''
      - name: sidecar
        image: registry.example/sidecar:latest
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: web,
  image: web}]}
";
    let run = check_in(&fixtures(), &["--policy", "elements.yaml", "-"], text);
    assert_snapshot!(run.stdout, @r#"
    <stdin>:13: warning: Deployment default/web: spec.template.spec.containers[0].imagePullPolicy is "Never", where PodPolicy images would put "Always". If that is yours, leave it out to have that of PodPolicy images. (PodPolicyInjectionClash)
    <stdin>:17: warning: Deployment default/web: spec.template.spec.containers[0].env[2].value: "": Give it a value (PodPolicy images). (PodPolicyViolation)
    <stdin>:19: error: Deployment default/web: spec.template.spec.containers[1].image: "registry.example/sidecar:latest": Pin the image by its digest (PodPolicy images). (PodPolicyViolation)
    <stdin>:25: error: Pod default/web: spec.containers[0].image: "web": Pin the image by its digest (PodPolicy images). (PodPolicyViolation)
    "#);
    assert_eq!(run.code, Some(1));
}
