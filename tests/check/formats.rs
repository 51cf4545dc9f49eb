//! What programs read.

use insta::assert_snapshot;

use super::command::check;

#[test]
fn json_has_each_finding_as_the_annotation_has_it() {
    let run = check(&["--policy", "policies", "-o", "json", "shop/web.yaml", "shop/pki.json"]);
    assert_snapshot!(run.stdout, @r#"
    [
      {
        "file": "shop/web.yaml",
        "line": 19,
        "column": 7,
        "object": {
          "apiVersion": "apps/v1",
          "kind": "Deployment",
          "namespace": "shop",
          "name": "web"
        },
        "finding": {
          "reason": "HostNetworkUsed",
          "field": "spec.template.spec.hostNetwork",
          "value": "true",
          "policy": "hardened",
          "rule": "validations[0]",
          "enforcement": "Deny",
          "fault": "spec.template.spec.hostNetwork: true: Pods must not use the network of their node (PodPolicy hardened)"
        },
        "text": "spec.template.spec.hostNetwork: true: Pods must not use the network of their node (PodPolicy hardened)."
      },
      {
        "file": "shop/web.yaml",
        "line": 36,
        "column": 3,
        "object": {
          "apiVersion": "v1",
          "kind": "Pod",
          "namespace": "shop",
          "name": "debug"
        },
        "finding": {
          "reason": "PodPolicyViolation",
          "field": "metadata.labels.owner",
          "policy": "hardened",
          "rule": "validations[1]",
          "enforcement": "Warn",
          "fault": "metadata.labels.owner: Say whose it is, as in \"checkout\" (PodPolicy hardened)"
        },
        "text": "metadata.labels.owner: Say whose it is, as in \"checkout\" (PodPolicy hardened)."
      },
      {
        "file": "shop/pki.json",
        "line": 6,
        "column": 5,
        "object": {
          "apiVersion": "box.com/v1",
          "kind": "Pki",
          "namespace": "shop",
          "name": "app1-pki"
        },
        "finding": {
          "reason": "PkiServiceNameError",
          "field": "spec.serviceName",
          "value": "appp1",
          "allowed": [
            "app1",
            "app2"
          ],
          "policy": "apps",
          "enforcement": "Deny",
          "fault": "ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]",
          "nearest": "app1",
          "fix": "Set spec.serviceName of Pki app1-pki",
          "consequence": "Secret app1-pki is not made until then"
        },
        "text": "ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean \"app1\"? Set spec.serviceName of Pki app1-pki."
      }
    ]
    "#);
    assert_snapshot!(run.stderr, @"2 errors, 1 warning in 3 objects of 2 files (not judged: 1 of other kinds)");
    assert_eq!(run.code, Some(1));
}

#[test]
fn sarif_has_rules_results_and_fingerprints() {
    let run =
        check(&["--policy", "policies", "--output", "sarif", "shop/web.yaml", "shop/pki.json"]);
    insta::with_settings!({filters => vec![(env!("CARGO_PKG_VERSION"), "VERSION")]}, {
        assert_snapshot!(run.stdout, @r#"
        {
          "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
          "version": "2.1.0",
          "runs": [
            {
              "tool": {
                "driver": {
                  "name": "portreeve",
                  "version": "VERSION",
                  "rules": [
                    {
                      "id": "PkiServiceNameError",
                      "name": "PkiServiceNameError",
                      "shortDescription": {
                        "text": "PkiServiceNameError"
                      }
                    },
                    {
                      "id": "hardened/validations[0]",
                      "name": "HostNetworkUsed",
                      "shortDescription": {
                        "text": "HostNetworkUsed: validations[0] of PodPolicy hardened"
                      }
                    },
                    {
                      "id": "hardened/validations[1]",
                      "name": "PodPolicyViolation",
                      "shortDescription": {
                        "text": "PodPolicyViolation: validations[1] of PodPolicy hardened"
                      }
                    }
                  ]
                }
              },
              "columnKind": "unicodeCodePoints",
              "results": [
                {
                  "ruleId": "hardened/validations[0]",
                  "ruleIndex": 1,
                  "level": "error",
                  "message": {
                    "text": "Deployment shop/web: spec.template.spec.hostNetwork: true: Pods must not use the network of their node (PodPolicy hardened)."
                  },
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "shop/web.yaml"
                        },
                        "region": {
                          "startLine": 19,
                          "startColumn": 7
                        }
                      },
                      "logicalLocations": [
                        {
                          "fullyQualifiedName": "Deployment shop/web spec.template.spec.hostNetwork"
                        }
                      ]
                    }
                  ],
                  "partialFingerprints": {
                    "portreeveFinding/v1": "dda9321fc40ae2150d1bd43e1f0c39e1:1"
                  }
                },
                {
                  "ruleId": "hardened/validations[1]",
                  "ruleIndex": 2,
                  "level": "warning",
                  "message": {
                    "text": "Pod shop/debug: metadata.labels.owner: Say whose it is, as in \"checkout\" (PodPolicy hardened)."
                  },
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "shop/web.yaml"
                        },
                        "region": {
                          "startLine": 36,
                          "startColumn": 3
                        }
                      },
                      "logicalLocations": [
                        {
                          "fullyQualifiedName": "Pod shop/debug metadata.labels.owner"
                        }
                      ]
                    }
                  ],
                  "partialFingerprints": {
                    "portreeveFinding/v1": "f5e353b9bc8f5d08a790c58c8f4615c0:1"
                  }
                },
                {
                  "ruleId": "PkiServiceNameError",
                  "ruleIndex": 0,
                  "level": "error",
                  "message": {
                    "text": "Pki shop/app1-pki: ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean \"app1\"? Set spec.serviceName of Pki app1-pki."
                  },
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "shop/pki.json"
                        },
                        "region": {
                          "startLine": 6,
                          "startColumn": 5
                        }
                      },
                      "logicalLocations": [
                        {
                          "fullyQualifiedName": "Pki shop/app1-pki spec.serviceName"
                        }
                      ]
                    }
                  ],
                  "partialFingerprints": {
                    "portreeveFinding/v1": "40a3f494f848d848c448588cc906218f:1"
                  }
                }
              ]
            }
          ]
        }
        "#);
    });
    assert_eq!(run.code, Some(1));
}

#[test]
fn fingerprints_stay_where_lines_move_and_tell_findings_apart() {
    let prints = |text: &str| {
        let arguments = ["--policy", "policies", "-o", "sarif", "-"];
        let run = super::command::check_in(&super::command::fixtures(), &arguments, text);
        let log: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        let print = |result: &serde_json::Value| result["partialFingerprints"].to_string();
        results.iter().map(print).collect::<Vec<_>>()
    };
    let text = std::fs::read_to_string(super::command::fixtures().join("list.yaml")).unwrap();
    let before = prints(&text);
    assert_eq!(prints(&format!("# moved\n\n{text}")), before);
    assert_eq!(before.len(), 2);
    assert_ne!(before[0], before[1]);
}

#[test]
fn nothing_found_is_an_empty_list_and_a_run_without_results() {
    let run = check(&["--policy", "policies/pods.yaml", "-o", "json", "shop/pki.json"]);
    assert_eq!((run.stdout.as_str(), run.code), ("[]\n", Some(0)));
    let run = check(&["--policy", "policies/pods.yaml", "-o", "sarif", "shop/pki.json"]);
    let log: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
}
