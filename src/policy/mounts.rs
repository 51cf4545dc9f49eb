//! Which Secrets a Pod reads.

use crate::cel::Json;

/// The lists of containers of a Pod.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The Secrets that a Pod mounts or takes its environment from, each with the path by which it
/// first does so: Secret volumes, projected volumes, `envFrom` and `valueFrom` of all its
/// containers.
pub fn secrets_in<'p>(pod: &'p Json<'_>) -> Vec<(&'p str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    let Some(spec) = pod.get("spec") else { return found };
    let mut read = |name: Option<&'p Json<'_>>, path: &dyn Fn() -> String| {
        let name = name.and_then(Json::as_str).filter(|name| !name.is_empty());
        if let Some(name) = name
            && !found.iter().any(|(known, _)| *known == name)
        {
            found.push((name, path()));
        }
    };
    for (index, volume) in items(spec, "volumes") {
        let path = || format!("spec.volumes[{index}]");
        read(volume.get("secret").and_then(|secret| secret.get("secretName")), &path);
        for (_, source) in volume.get("projected").into_iter().flat_map(|p| items(p, "sources")) {
            read(source.get("secret").and_then(|secret| secret.get("name")), &path);
        }
    }
    for list in CONTAINERS {
        for (at, container) in items(spec, list) {
            for (index, variable) in items(container, "env") {
                let source = variable.get("valueFrom").and_then(|from| from.get("secretKeyRef"));
                let path = || format!("spec.{list}[{at}].env[{index}]");
                read(source.and_then(|source| source.get("name")), &path);
            }
            for (index, source) in items(container, "envFrom") {
                let path = || format!("spec.{list}[{at}].envFrom[{index}]");
                read(source.get("secretRef").and_then(|source| source.get("name")), &path);
            }
        }
    }
    found
}

fn items<'p, 'a>(
    object: &'p Json<'a>,
    list: &str,
) -> impl Iterator<Item = (usize, &'p Json<'a>)> + use<'p, 'a> {
    let elements = match object.get(list) {
        Some(Json::List(elements)) => elements.as_slice(),
        _ => &[],
    };
    elements.iter().enumerate()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_way_to_read_a_secret_counts_and_nothing_else() {
        let pod = Json::from(&json!({"spec": {
            "imagePullSecrets": [{"name": "pull"}],
            "volumes": [
                {"name": "a", "secret": {"secretName": "volume"}},
                {"name": "b", "projected": {"sources": [{"secret": {"name": "projected"}}, {"configMap": {"name": "cm"}}]}},
                {"name": "c", "configMap": {"name": "not-a-secret"}},
            ],
            "containers": [{"name": "main",
                "env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "value-from", "key": "k"}}}, {"name": "Y", "value": "plain"}],
                "envFrom": [{"secretRef": {"name": "env-from"}}, {"configMapRef": {"name": "cm"}}]}],
            "initContainers": [{"name": "init", "envFrom": [{"secretRef": {"name": "init"}}]}],
            "ephemeralContainers": [{"name": "debug", "envFrom": [{"secretRef": {"name": "debug"}}]}],
        }}));
        let found = secrets_in(&pod);
        let found: Vec<_> = found.iter().map(|(name, path)| (*name, path.as_str())).collect();
        let expected = [
            ("volume", "spec.volumes[0]"),
            ("projected", "spec.volumes[1]"),
            ("value-from", "spec.containers[0].env[0]"),
            ("env-from", "spec.containers[0].envFrom[0]"),
            ("init", "spec.initContainers[0].envFrom[0]"),
            ("debug", "spec.ephemeralContainers[0].envFrom[0]"),
        ];
        assert_eq!(found, expected);
    }
}
