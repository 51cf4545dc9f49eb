//! Which Secrets a Pod reads.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar, PodSpec};

/// The names of the Secrets that a Pod mounts or takes its environment from: Secret volumes,
/// projected volumes, `envFrom` and `valueFrom` of all its containers.
pub fn secrets_of(spec: &PodSpec) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for volume in spec.volumes.iter().flatten() {
        names.extend(volume.secret.iter().filter_map(|secret| secret.secret_name.as_deref()));
        let sources = volume.projected.iter().filter_map(|projected| projected.sources.as_ref());
        names.extend(
            sources.flatten().filter_map(|source| Some(source.secret.as_ref()?.name.as_str())),
        );
    }
    for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
        let Container { env, env_from, .. } = container;
        names.extend(of_environment(env.as_deref(), env_from.as_deref()));
    }
    for container in spec.ephemeral_containers.iter().flatten() {
        names.extend(of_environment(container.env.as_deref(), container.env_from.as_deref()));
    }
    names.remove("");
    names
}

fn of_environment<'a>(
    env: Option<&'a [EnvVar]>,
    env_from: Option<&'a [EnvFromSource]>,
) -> impl Iterator<Item = &'a str> {
    let variables = env.into_iter().flatten().filter_map(|variable| {
        Some(variable.value_from.as_ref()?.secret_key_ref.as_ref()?.name.as_str())
    });
    let sources = env_from
        .into_iter()
        .flatten()
        .filter_map(|source| Some(source.secret_ref.as_ref()?.name.as_str()));
    variables.chain(sources)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_way_to_read_a_secret_counts_and_nothing_else() {
        let spec: PodSpec = serde_json::from_value(json!({
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
        }))
        .unwrap();
        let expected = ["debug", "env-from", "init", "projected", "value-from", "volume"];
        assert_eq!(secrets_of(&spec).into_iter().collect::<Vec<_>>(), expected);
    }
}
