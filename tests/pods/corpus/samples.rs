//! The Pods.

use std::fs;
use std::path::PathBuf;

use portreeve::api::PodPolicy;
use portreeve::policy::pod::Workload;
use serde_json::{Value, json};

use super::numbers;

/// A Pod.
pub struct Sample {
    /// The file, and which of its documents: `web.yaml: nginx`.
    pub id: String,
    /// The Pod, as JSON.
    pub text: String,
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pods")
}

/// A policy of the folder `policies`.
pub fn policy(name: &str) -> PodPolicy {
    let path = directory().join(format!("policies/{name}.yaml"));
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The Pods that Kubernetes 1.36 takes.
pub fn wild() -> Vec<Sample> {
    read("wild")
}

/// The Pods that are ahead of it, or odd.
pub fn newer() -> Vec<Sample> {
    read("newer")
}

fn read(folder: &str) -> Vec<Sample> {
    let entries = fs::read_dir(directory().join(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut samples = Vec::new();
    for path in files {
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        if file.ends_with(".json") {
            // As it is: parsed and written again, its numbers would be other texts.
            samples.push(Sample { id: file, text });
            continue;
        }
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text)
            .unwrap_or_else(|error| panic!("{file} can't be read: {error}"));
        samples.extend(documents.into_iter().map(|pod| {
            let text = pod.to_string();
            let mut sample = Sample { id: file.clone(), text };
            sample.id = format!("{file}: {}", sample.name());
            sample
        }));
    }
    samples
}

impl Sample {
    /// The Pod.
    pub fn pod(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{} can't be read: {error}", self.id))
    }

    /// Its name, or what its name begins with.
    pub fn name(&self) -> String {
        let metadata = &self.pod()["metadata"];
        let name = metadata["name"].as_str().or(metadata["generateName"].as_str());
        name.unwrap_or_default().to_owned()
    }

    /// A workload that makes such Pods, as JSON in which numbers are as the Pod has them.
    pub fn as_template_of(&self, workload: Workload) -> String {
        let pod = numbers::mark(&self.text);
        let template = json!({"metadata": pod["metadata"], "spec": pod["spec"]});
        let template = json!({"template": template});
        let spec = match workload {
            Workload::CronJob => json!({"jobTemplate": {"spec": template}}),
            _ => template,
        };
        let version = match workload.group() {
            "" => "v1".to_owned(),
            group => format!("{group}/v1"),
        };
        let metadata = json!({"name": "made-of-it", "namespace": "shop"});
        numbers::restore(&json!({
            "apiVersion": version, "kind": workload.kind(), "metadata": metadata, "spec": spec,
        }))
    }
}
