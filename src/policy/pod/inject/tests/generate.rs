//! Pods and partial Pods of few names, so that they meet.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// A map of the members that have a value.
fn map(members: Vec<(&'static str, Option<Value>)>) -> Value {
    let said = members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(said.collect())
}

/// Nothing, sometimes null where a Pod is meant, or something.
fn maybe(
    is_pod: bool,
    strategy: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Option<Value>> {
    if is_pod {
        prop_oneof![3 => Just(None), 1 => Just(Some(Value::Null)), 4 => strategy.prop_map(Some)]
            .boxed()
    } else {
        option::of(strategy).boxed()
    }
}

fn one_of(values: &[Value]) -> impl Strategy<Value = Value> + use<> {
    select(values.to_vec())
}

/// A list of elements of which each has another key.
fn keyed(
    key: &'static str,
    keys: &[&'static str],
    rest: BoxedStrategy<Value>,
) -> BoxedStrategy<Value> {
    let count = keys.len();
    (subsequence(keys.to_vec(), 0..=count).prop_shuffle(), vec(rest, count))
        .prop_map(move |(keys, rest)| {
            let elements = keys.into_iter().zip(rest).map(|(name, mut element)| {
                element[key] = json!(name);
                element
            });
            elements.collect()
        })
        .boxed()
}

fn texts() -> BoxedStrategy<Value> {
    let keys = ["app", "a.b/c", "x~y", "~1", "team"];
    (subsequence(keys.to_vec(), 0..=5), vec(select(vec!["", "1", "2"]), 5))
        .prop_map(|(keys, values)| {
            let pairs = keys.into_iter().zip(values);
            Value::Object(pairs.map(|(key, value)| (key.to_owned(), json!(value))).collect())
        })
        .boxed()
}

/// Labels and annotations, with the keys that an injection may have.
fn metadata(is_pod: bool) -> BoxedStrategy<Value> {
    (maybe(is_pod, texts()), maybe(is_pod, texts()))
        .prop_map(move |(labels, annotations)| {
            let mut metadata = map(vec![("labels", labels), ("annotations", annotations)]);
            if !is_pod {
                for texts in metadata.as_object_mut().into_iter().flat_map(Map::values_mut) {
                    // No key of Kubernetes has a tilde.
                    texts.as_object_mut().unwrap().retain(|key, _| !key.contains('~'));
                }
            }
            metadata
        })
        .boxed()
}

fn env(is_pod: bool) -> BoxedStrategy<Value> {
    let variable = one_of(&[
        json!({"value": "1"}),
        json!({"value": "2"}),
        json!({"value": ""}),
        json!({"value": "$(A)-$(B)"}),
        json!({"value": "$(D)$$(A)"}),
        json!({"value": "$$$(E)"}),
        json!({"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}),
        json!({}),
    ]);
    let names = ["A", "B", "C", "D", "E", "F"];
    if is_pod {
        // A Pod may have a variable twice.
        let variable = (select(names.to_vec()), variable).prop_map(|(name, mut variable)| {
            variable["name"] = json!(name);
            variable
        });
        vec(variable, 0..6).prop_map(Value::Array).boxed()
    } else {
        keyed("name", &names, variable.boxed())
    }
}

fn ports() -> BoxedStrategy<Value> {
    let port = |names: &[&'static str]| {
        let name = option::of(select(names.iter().map(|name| json!(name)).collect::<Vec<_>>()));
        let host = option::of(one_of(&[json!(90), json!(91), json!(0)]));
        (name, host).prop_map(|(name, host)| map(vec![("name", name), ("hostPort", host)])).boxed()
    };
    let pair = |number: u16, port: BoxedStrategy<Value>| {
        option::of(port.prop_map(move |mut port| {
            port["containerPort"] = json!(number);
            port
        }))
    };
    (pair(80, port(&["web", "w80"])), pair(81, port(&["www", "w81"])), pair(82, port(&["w82"])))
        .prop_map(|(a, b, c)| [a, b, c].into_iter().flatten().collect())
        .boxed()
}

fn mounts() -> BoxedStrategy<Value> {
    let mount = (select(vec!["v", "w", "x"]), option::of(Just(json!(true)))).prop_map(
        |(volume, read_only)| map(vec![("name", Some(json!(volume))), ("readOnly", read_only)]),
    );
    keyed("mountPath", &["/a", "/b/c", "/d~e"], mount.boxed())
}

fn security() -> BoxedStrategy<Value> {
    let flag = || option::of(any::<bool>().prop_map(Value::from));
    let user = option::of(one_of(&[json!(0), json!(5)]));
    let profile = option::of(one_of(&[
        json!({"type": "RuntimeDefault"}),
        json!({"type": "Localhost", "localhostProfile": "x"}),
    ]));
    let capabilities = option::of(one_of(&[
        json!({"add": ["SYS_ADMIN"]}),
        json!({"drop": ["ALL"]}),
        json!({"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}),
    ]));
    (flag(), flag(), flag(), user, profile, capabilities)
        .prop_map(|(privileged, escalation, not_root, user, profile, capabilities)| {
            map(vec![
                ("privileged", privileged),
                ("allowPrivilegeEscalation", escalation),
                ("runAsNonRoot", not_root),
                ("runAsUser", user),
                ("seccompProfile", profile),
                ("capabilities", capabilities),
            ])
        })
        .boxed()
}

fn resources(is_pod: bool) -> BoxedStrategy<Value> {
    let amount = || {
        option::of(one_of(&[json!("500m"), json!("0.5"), json!(1), json!("1000m"), json!("2k")]))
    };
    let amounts = move || {
        (amount(), amount(), amount()).prop_map(|(cpu, memory, gpu)| {
            map(vec![("cpu", cpu), ("memory", memory), ("example.com/gpu", gpu)])
        })
    };
    (maybe(is_pod, amounts()), maybe(is_pod, amounts()))
        .prop_map(|(limits, requests)| map(vec![("limits", limits), ("requests", requests)]))
        .boxed()
}

/// A container's members, but for its name and image.
fn container(is_pod: bool) -> BoxedStrategy<Value> {
    let env_from = vec(
        one_of(&[
            json!({"configMapRef": {"name": "a"}}),
            json!({"configMapRef": {"name": "a"}, "prefix": "P_"}),
            json!({"secretRef": {"name": "a"}}),
        ]),
        0..3,
    );
    let probe = one_of(&[
        json!({"tcpSocket": {"port": 80}}),
        json!({"httpGet": {"port": "web"}}),
        json!({"httpGet": {"port": "web"}, "periodSeconds": 5}),
    ]);
    (
        maybe(is_pod, env(is_pod)),
        maybe(is_pod, env_from.prop_map(Value::Array)),
        maybe(is_pod, ports()),
        maybe(is_pod, mounts()),
        maybe(is_pod, security()),
        maybe(is_pod, resources(is_pod)),
        maybe(is_pod, one_of(&[json!(["a"]), json!(["a", "b"])])),
        option::weighted(0.2, probe),
        option::weighted(0.2, one_of(&[json!({"x": 1}), json!({"x": 2, "y": null})])),
    )
        .prop_map(|(env, env_from, ports, mounts, security, resources, args, probe, unknown)| {
            map(vec![
                ("env", env),
                ("envFrom", env_from),
                ("ports", ports),
                ("volumeMounts", mounts),
                ("securityContext", security),
                ("resources", resources),
                ("args", args),
                ("livenessProbe", probe),
                ("futureField", unknown),
            ])
        })
        .boxed()
}

/// A spec, with these lists of containers.
fn spec(
    is_pod: bool,
    containers: impl Strategy<Value = Value> + 'static,
    init: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Value> {
    let volume = one_of(&[
        json!({"emptyDir": {}}),
        json!({"emptyDir": {"sizeLimit": "1Gi"}}),
        json!({"emptyDir": {"sizeLimit": "1024Mi"}}),
        json!({"secret": {"secretName": "s"}}),
    ]);
    let toleration = one_of(&[
        json!({"operator": "Exists", "key": "a"}),
        json!({"key": "a", "value": "1", "effect": "NoSchedule"}),
        json!({"key": "b", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}),
        json!({"key": "b", "operator": "Exists"}),
    ]);
    let flag = || option::weighted(0.2, any::<bool>().prop_map(Value::from));
    let context = security().prop_map(|mut context| {
        let members = context.as_object_mut().unwrap();
        members.retain(|key, _| {
            matches!(key.as_str(), "runAsUser" | "runAsNonRoot" | "seccompProfile")
        });
        context
    });
    (
        (containers, init),
        maybe(is_pod, keyed("name", &["v", "w", "x"], volume.boxed())),
        maybe(is_pod, vec(toleration, 0..3).prop_map(Value::Array)),
        maybe(is_pod, keyed("name", &["s", "t"], Just(json!({})).boxed())),
        maybe(is_pod, context),
        (flag(), flag(), flag(), flag()),
        option::of(one_of(&[json!({"nodeAffinity": {}}), json!({"podAffinity": {"x": [1]}})])),
    )
        .prop_map(
            |((containers, init), volumes, tolerations, secrets, context, flags, affinity)| {
                map(vec![
                    ("containers", Some(containers)),
                    ("initContainers", Some(init).filter(|init| *init != json!([]))),
                    ("volumes", volumes),
                    ("tolerations", tolerations),
                    ("imagePullSecrets", secrets),
                    ("securityContext", context),
                    ("hostNetwork", flags.0),
                    ("hostPID", flags.1),
                    ("hostUsers", flags.2),
                    ("shareProcessNamespace", flags.3),
                    ("affinity", affinity),
                ])
            },
        )
        .boxed()
}

/// A Pod, valid or not.
pub(super) fn pod() -> BoxedStrategy<Value> {
    let with_image = |mut container: Value| {
        container["image"] = json!("i:1");
        container
    };
    let containers = keyed("name", &["app", "web"], container(true).prop_map(with_image).boxed());
    let sidecar = (container(true), any::<bool>()).prop_map(move |(mut container, is_sidecar)| {
        if is_sidecar {
            container["restartPolicy"] = json!("Always");
        } else {
            container.as_object_mut().unwrap().remove("livenessProbe");
        }
        with_image(container)
    });
    let init = keyed("name", &["init", "proxy"], sidecar.boxed());
    (spec(true, containers, init), maybe(true, metadata(true)))
        .prop_map(|(spec, metadata)| {
            let status = Some(json!({}));
            map(vec![("metadata", metadata), ("spec", Some(spec)), ("status", status)])
        })
        .boxed()
}

/// A partial Pod, of which compiling tells whether it is one.
pub(super) fn injection() -> BoxedStrategy<Value> {
    let image = option::of(select(vec![json!("i:1"), json!("i:2")]));
    let entry = (container(false), image).prop_map(|(mut entry, image)| {
        if let Some(image) = image {
            entry["image"] = image;
        }
        entry
    });
    let without_image = |mut list: Value| {
        for entry in list.as_array_mut().into_iter().flatten() {
            if entry["name"] == "*" {
                entry.as_object_mut().unwrap().remove("image");
            }
        }
        list
    };
    let sidecar = entry.clone().prop_map(|mut entry| {
        if entry.get("image").is_some() {
            entry["restartPolicy"] = json!("Always");
        } else {
            entry.as_object_mut().unwrap().remove("livenessProbe");
        }
        entry
    });
    let containers = keyed("name", &["app", "web", "log", "*"], entry.boxed());
    let init = keyed("name", &["init", "proxy", "*"], sidecar.boxed());
    let spec = spec(false, containers.prop_map(without_image), init.prop_map(without_image));
    (spec, option::of(metadata(false)))
        .prop_map(|(spec, metadata)| map(vec![("metadata", metadata), ("spec", Some(spec))]))
        .boxed()
}
