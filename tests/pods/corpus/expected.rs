//! What a policy has to add to a Pod, told by other means than the policy's own.

use serde_json::{Value, json};

/// What has to come of an injection.
#[derive(Default)]
pub struct Expected {
    /// What is added, each with its path as [`additions`](super::additions) has it.
    pub added: Vec<(String, Value)>,
    /// How many things the Pod has otherwise.
    pub clashes: usize,
}

/// What has to come of this injection into this Pod.
pub fn expected(pod: &Value, inject: &Value) -> Expected {
    let mut expected = Expected::default();
    for field in ["labels", "annotations"] {
        for (key, value) in inject["metadata"][field].as_object().unwrap() {
            expected.member(&pod["metadata"][field], &format!("metadata.{field}"), key, value);
        }
    }
    let spec = &pod["spec"];
    for volume in list(&inject["spec"]["volumes"]) {
        expected.element(&spec["volumes"], "spec.volumes", "name", volume);
    }
    for field in ["initContainers", "containers"] {
        let ours = list(&inject["spec"][field]);
        let for_all: &Value = ours.iter().find(|container| container["name"] == "*").unwrap();
        for container in list(&spec[field]) {
            let name = container["name"].as_str().unwrap_or_default();
            let path = format!("spec.{field}[{name}]");
            expected.within(container, &path, for_all);
        }
        for container in ours.iter().filter(|container| container["name"] != "*") {
            if list(&spec["containers"]).iter().any(is_process_of_host) {
                expected.clashes += 1;
                continue;
            }
            let mut whole = container.clone();
            whole["volumeMounts"] = for_all["volumeMounts"].clone();
            let mut env = list(&for_all["env"]).to_vec();
            env.splice(0..0, list(&container["env"]).iter().cloned());
            whole["env"] = json!(env);
            let path = format!("spec.{field}[{}]", container["name"].as_str().unwrap());
            expected.added.push((path, whole));
        }
    }
    expected
}

impl Expected {
    fn member(&mut self, there: &Value, path: &str, key: &str, value: &Value) {
        match there.get(key) {
            None | Some(Value::Null) => self.added.push((format!("{path}.{key}"), value.clone())),
            Some(found) if found == value => {}
            Some(_) => self.clashes += 1,
        }
    }

    fn element(&mut self, there: &Value, path: &str, key: &str, value: &Value) {
        let name = &value[key];
        match list(there).iter().find(|element| element[key] == *name) {
            None => {
                let path = format!("{path}[{}]", name.as_str().unwrap());
                self.added.push((path, value.clone()));
            }
            Some(found) if found == value => {}
            Some(_) => self.clashes += 1,
        }
    }

    fn within(&mut self, container: &Value, path: &str, for_all: &Value) {
        for (field, key) in [("env", "name"), ("volumeMounts", "mountPath")] {
            for value in list(&for_all[field]) {
                self.element(&container[field], &format!("{path}.{field}"), key, value);
            }
        }
    }
}

/// Whether a container says that it is a process of a Windows host: then all of its Pod have to.
fn is_process_of_host(container: &Value) -> bool {
    container["securityContext"]["windowsOptions"]["hostProcess"] == true
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
