//! The objects of the files: those that are judged, and those that others are judged by.

use std::path::PathBuf;

use crate::api::names::{GROUP, VERSION};
use crate::cel::Json;
use crate::policy::pod::Workload;

use super::documents::{self, Document};
use super::fault::Fault;
use super::files::{self, Source};
use super::node::{Node, Place};

/// What an object is to this command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A Pod, or what makes Pods.
    Workload(Workload),
    Pki,
    Namespace,
    PodPolicy,
    PkiPolicy,
    Other,
}

impl Role {
    fn of(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        match (group, version, kind) {
            ("", "v1", "Namespace") => Self::Namespace,
            (GROUP, VERSION, "Pki") => Self::Pki,
            (GROUP, VERSION, "PodPolicy") => Self::PodPolicy,
            (GROUP, VERSION, "PkiPolicy") => Self::PkiPolicy,
            _ => Workload::of_kind(api_version, kind).map_or(Self::Other, Self::Workload),
        }
    }
}

/// An object, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Manifest {
    pub role: Role,
    pub api_version: String,
    pub kind: String,
    /// The file, as it is called in what is printed.
    pub file: String,
    /// Empty for those of others' kinds, of which no more is asked.
    pub node: Node,
    lines_before: u32,
}

impl Manifest {
    /// Its name, or as much of it as there is before the API server makes one.
    pub fn name(&self) -> String {
        let metadata = self.node.get("metadata");
        let text = |key| metadata.and_then(|metadata| metadata.text(key));
        let generated = || text("generateName").map(|prefix| format!("{prefix}…"));
        text("name").map(str::to_owned).or_else(generated).unwrap_or_default()
    }

    /// The namespace that it names, if it names one.
    pub fn namespace(&self) -> Option<&str> {
        self.node.get("metadata")?.text("namespace")
    }

    /// Where a field of it stands in its file; see [`Node::place_of`].
    pub fn place_of(&self, path: &str) -> Place {
        self.node.place_of(path).below(self.lines_before)
    }

    /// Where a field of its Pod stands in its file; see [`Node::place_in_pod`].
    pub fn place_in_pod(&self, workload: Workload, path: &str, pod: &Json<'_>) -> Place {
        self.node.place_in_pod(workload.prefix(), path, pod).below(self.lines_before)
    }
}

/// Whether a kind of this version is Portreeve's, be it one that it does not know.
pub(super) fn is_ours(api_version: &str) -> bool {
    api_version.split_once('/').is_some_and(|(group, _)| group == GROUP)
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    /// In the order of the files and of their lines.
    pub objects: Vec<Manifest>,
    pub files: usize,
}

/// Reads all objects of these paths. `progress` hears of each file.
pub(super) fn read(
    paths: &[PathBuf],
    faults: &mut Vec<Fault>,
    mut progress: impl FnMut(usize, usize),
) -> Manifests {
    let sources = files::find(paths, faults);
    let mut manifests = Manifests { files: sources.len(), ..Manifests::default() };
    for (number, source) in sources.iter().enumerate() {
        progress(number, sources.len());
        match source.read() {
            Ok(text) => {
                for document in documents::read(source, &text, faults) {
                    manifests.take(source, document, faults);
                }
            }
            Err(fault) => faults.push(fault),
        }
    }
    manifests
}

impl Manifests {
    /// Takes in the object of a document, or the objects of a list.
    fn take(&mut self, source: &Source, document: Document, faults: &mut Vec<Fault>) {
        let Document { lines_before, node } = document;
        let kind = node.text("kind").zip(node.text("apiVersion"));
        let Some((kind, api_version)) = kind else {
            // A folder may hold what is no object, such as a kustomization or a chart's values.
            if source.is_named {
                faults.push(unknown(source, lines_before, &node));
            }
            return;
        };
        self.add(source, lines_before, api_version.to_owned(), kind.to_owned(), node, faults);
    }

    fn add(
        &mut self,
        source: &Source,
        lines_before: u32,
        api_version: String,
        kind: String,
        mut node: Node,
        faults: &mut Vec<Fault>,
    ) {
        if let Some(kind_of_items) = kind.strip_suffix("List")
            && let Some(items) = node.take_list("items")
        {
            for item in items {
                // The items of a list of one kind need not say of which they are.
                let kind = item.text("kind").unwrap_or(kind_of_items).to_owned();
                let api_version = item.text("apiVersion").unwrap_or(&api_version).to_owned();
                if kind.is_empty() || !item.is_map() {
                    faults.push(unknown(source, lines_before, &item));
                    continue;
                }
                self.add(source, lines_before, api_version, kind, item, faults);
            }
            return;
        }
        let role = Role::of(&api_version, &kind);
        let node = match role {
            Role::Other if !is_ours(&api_version) => Node::at(node.place, serde_json::Value::Null),
            _ => node,
        };
        let file = source.name.clone();
        self.objects.push(Manifest { role, api_version, kind, file, node, lines_before });
    }
}

/// What has to be said of what is no object.
fn unknown(source: &Source, lines_before: u32, node: &Node) -> Fault {
    let missing = match (node.text("apiVersion"), node.text("kind")) {
        _ if !node.is_map() => {
            format!("expected an object, such as a Pod, got {}", node.description())
        }
        (None, None) => "expected an object, but apiVersion and kind are missing".to_owned(),
        (None, _) => "expected an object, but apiVersion is missing".to_owned(),
        (_, _) => "expected an object, but kind is missing".to_owned(),
    };
    Fault::at(&source.name, node.place.below(lines_before), missing)
}
