//! Workloads: which kinds make Pods, and where in them the Pod's template is.

use std::borrow::Cow;

use crate::cel::{Json, Object};

/// A kind of object that Pods are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Workload {
    /// The Pod itself.
    Pod,
    /// `apps/v1`
    Deployment,
    /// `apps/v1`
    StatefulSet,
    /// `apps/v1`
    DaemonSet,
    /// `apps/v1`
    ReplicaSet,
    /// `batch/v1`
    Job,
    /// `batch/v1`
    CronJob,
    /// `v1`
    ReplicationController,
}

impl Workload {
    /// All kinds, Pods first.
    pub const ALL: [Self; 8] = [
        Self::Pod,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::ReplicaSet,
        Self::Job,
        Self::CronJob,
        Self::ReplicationController,
    ];

    /// The kind as a manifest has it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Pod => "Pod",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::ReplicationController => "ReplicationController",
        }
    }

    /// The API group; the core group is the empty text.
    pub fn group(self) -> &'static str {
        match self {
            Self::Pod | Self::ReplicationController => "",
            Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::ReplicaSet => "apps",
            Self::Job | Self::CronJob => "batch",
        }
    }

    /// The resource: the kind's plural, in lower case.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Pod => "pods",
            Self::Deployment => "deployments",
            Self::StatefulSet => "statefulsets",
            Self::DaemonSet => "daemonsets",
            Self::ReplicaSet => "replicasets",
            Self::Job => "jobs",
            Self::CronJob => "cronjobs",
            Self::ReplicationController => "replicationcontrollers",
        }
    }

    /// The kind of a resource, if Pods are judged by it.
    pub fn of_resource(group: &str, resource: &str) -> Option<Self> {
        let is_it = |kind: &Self| kind.group() == group && kind.resource() == resource;
        Self::ALL.into_iter().find(is_it)
    }

    /// The kind of an object, if Pods are judged by it: `apps/v1`, `Deployment`.
    pub fn of_kind(api_version: &str, kind: &str) -> Option<Self> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let is_it = |known: &Self| known.group() == group && known.kind() == kind;
        Self::ALL.into_iter().find(is_it)
    }

    /// Whether a workload makes this object, as a Deployment its ReplicaSets: it was judged by
    /// itself, and the Pods will be.
    pub fn makes(object: &Json<'_>) -> bool {
        let owners = object.get("metadata").and_then(|metadata| metadata.get("ownerReferences"));
        let Some(Json::List(owners)) = owners else { return false };
        owners.iter().any(|owner| {
            let text = |key: &str| owner.get(key).and_then(Json::as_str);
            let controls = owner.get("controller") == Some(&Json::Bool(true));
            let kind = text("apiVersion").zip(text("kind"));
            controls && kind.is_some_and(|(version, kind)| Self::of_kind(version, kind).is_some())
        })
    }

    /// Where the Pod is in the object.
    fn place(self) -> &'static [&'static str] {
        match self {
            Self::Pod => &[],
            Self::CronJob => &["spec", "jobTemplate", "spec", "template"],
            _ => &["spec", "template"],
        }
    }

    /// What paths within the Pod begin with, as paths of the object: `spec.template.`.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Pod => "",
            Self::CronJob => "spec.jobTemplate.spec.template.",
            _ => "spec.template.",
        }
    }

    /// The Pod that the object is, or that its template makes in this namespace; none where it has
    /// no template. It is taken out of the object.
    pub fn pod_of<'a>(self, mut object: Json<'a>, namespace: &'a str) -> Option<Json<'a>> {
        if self == Self::Pod {
            return Some(object);
        }
        let template =
            self.place().iter().try_fold(&mut object, |object, key| object.get_mut(key))?;
        let Json::Map(mut template) = std::mem::take(template) else { return None };
        let mut metadata = match template.remove("metadata") {
            Some(Json::Map(metadata)) => metadata,
            _ => Object::default(),
        };
        let text = |text: &'a str| Json::String(Cow::Borrowed(text));
        metadata.insert("namespace".into(), text(namespace));
        let members = [
            ("apiVersion", text("v1")),
            ("kind", text("Pod")),
            ("metadata", Json::Map(metadata)),
            ("spec", template.remove("spec")?),
        ];
        Some(Json::Map(members.into_iter().map(|(key, value)| (key.into(), value)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pod_of_a_template_has_its_labels_and_spec_in_the_namespace() {
        let object = r#"{"spec": {"jobTemplate": {"spec": {"template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}}}}}"#;
        let pod = Workload::CronJob.pod_of(Json::parse(object).unwrap(), "shop").unwrap();
        let expected = r#"{"apiVersion": "v1", "kind": "Pod",
            "metadata": {"labels": {"a": "b"}, "namespace": "shop"}, "spec": {"containers": []}}"#;
        assert_eq!(pod, Json::parse(expected).unwrap());
    }

    #[test]
    fn an_object_without_a_template_makes_no_pod() {
        for object in ["{}", r#"{"spec": {"template": null}}"#, r#"{"spec": {"template": {}}}"#] {
            assert_eq!(
                Workload::Job.pod_of(Json::parse(object).unwrap(), "shop"),
                None,
                "{object}"
            );
        }
    }

    #[test]
    fn a_resource_of_another_group_is_no_workload() {
        assert_eq!(Workload::of_resource("apps", "deployments"), Some(Workload::Deployment));
        assert_eq!(Workload::of_resource("", "deployments"), None);
        assert_eq!(Workload::of_kind("batch/v1", "CronJob"), Some(Workload::CronJob));
        assert_eq!(Workload::of_kind("example.com/v1", "Pod"), None);
    }
}
