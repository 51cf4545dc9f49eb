//! What is asked about: the files of `tests/cel/pods`, and what a validation sees of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request about a Pod.
///
/// `NAME.yaml` alone is a create. With `NAME.old.yaml`, which is made beforehand, it is an update
/// of that, or, as `NAME.SUBRESOURCE.yaml`, an update of a subresource; and `NAME.old.yaml` alone
/// is a delete.
#[derive(Clone, Debug)]
pub struct Review {
    /// The name of the file, up to its first dot.
    pub name: String,
    /// The Pod that is sent.
    pub new: Option<Value>,
    /// The Pod that is there.
    pub old: Option<Value>,
    /// To which subresource it is sent.
    pub subresource: Option<String>,
}

/// The variables of a validation, as the API server makes them of a review.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// `object`; null at DELETE.
    pub object: Value,
    /// `oldObject`; null at CREATE.
    pub old_object: Value,
    /// `request`.
    pub request: Value,
    /// `namespaceObject`, which is null in matchConditions.
    pub namespace_object: Value,
}

impl Review {
    /// CREATE, UPDATE or DELETE.
    pub fn operation(&self) -> &'static str {
        match (&self.old, &self.new) {
            (None, _) => "CREATE",
            (Some(_), Some(_)) => "UPDATE",
            (Some(_), None) => "DELETE",
        }
    }

    /// The namespace of the Pod.
    pub fn namespace(&self) -> &str {
        self.metadata("namespace").unwrap_or("default")
    }

    /// The name of the Pod, where the server does not make it.
    pub fn pod_name(&self) -> Option<&str> {
        self.metadata("name")
    }

    fn metadata(&self, field: &str) -> Option<&str> {
        self.new.as_ref().or(self.old.as_ref())?.pointer(&format!("/metadata/{field}"))?.as_str()
    }
}

/// All reviews, by name.
///
/// # Errors
/// Where a file can't be read, or there are two Pods where one is meant.
pub fn read(directory: &Path) -> Result<BTreeMap<String, Review>> {
    let mut reviews = BTreeMap::<String, Review>::new();
    for (stem, pod) in read_objects(directory)? {
        let (name, role) = stem.split_once('.').unwrap_or((&stem, ""));
        let review = reviews.entry(name.to_owned()).or_insert_with(|| Review {
            name: name.to_owned(),
            new: None,
            old: None,
            subresource: None,
        });
        match role {
            "old" => review.old = Some(pod),
            _ => {
                ensure!(review.new.is_none(), "{stem}: there is another Pod for this review");
                review.subresource = Some(role.to_owned()).filter(|role| !role.is_empty());
                review.new = Some(pod);
            }
        }
    }
    Ok(reviews)
}

/// Makes sure that policies can be matched to each of these alone.
///
/// # Errors
/// Where the server could not tell one Pod from another.
pub fn tell_apart(reviews: &BTreeMap<String, Review>) -> Result<()> {
    let places: BTreeSet<_> =
        reviews.values().map(|review| (review.namespace(), review.pod_name())).collect();
    ensure!(places.len() == reviews.len(), "two Pods have the same namespace and name");
    for (namespace, _) in places.iter().filter(|(_, name)| name.is_none()) {
        let neighbours = places.iter().filter(|(other, _)| other == namespace).count();
        ensure!(neighbours == 1, "a Pod without a name is not alone in namespace {namespace}");
    }
    Ok(())
}

/// The objects of a directory's YAML files, with the files' names.
///
/// # Errors
/// Where a file can't be read.
pub fn read_objects(directory: &Path) -> Result<Vec<(String, Value)>> {
    let mut objects = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        let about = || path.display().to_string();
        let object = serde_saphyr::from_str(&fs::read_to_string(&path)?).with_context(about)?;
        objects.push((path.file_stem().unwrap_or_default().to_string_lossy().into(), object));
    }
    Ok(objects)
}

/// What validations saw, by the name of the review: the files of `tests/cel/seen`.
///
/// # Errors
/// Where a file can't be read.
pub fn read_seen(directory: &Path) -> Result<BTreeMap<String, Seen>> {
    let mut seen = BTreeMap::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        let about = || path.display().to_string();
        let variables = serde_json::from_slice(&fs::read(&path)?).with_context(about)?;
        seen.insert(path.file_stem().unwrap_or_default().to_string_lossy().into(), variables);
    }
    Ok(seen)
}

/// Writes these files anew.
///
/// # Errors
/// Where a file can't be written.
pub fn write_seen(directory: &Path, seen: &BTreeMap<String, Seen>) -> Result<()> {
    let mut files = Vec::new();
    for (name, variables) in seen {
        files.push((format!("{name}.json"), serde_json::to_string_pretty(variables)? + "\n"));
    }
    super::answers::replace(directory, files.into_iter())
}
