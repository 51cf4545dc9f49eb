//! One stored object, judged from scratch.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DynamicObject;

use crate::api::Finding;
use crate::api::names::PKI_ANNOTATION;
use crate::api::pod_policy::EventsMode;
use crate::cel::{self, Json, Object};
use crate::controllers::annotation::{carried, carries};
use crate::policy::Snapshot;
use crate::policy::mounts::secrets_in;
use crate::policy::pod::judge::annotation;
use crate::policy::pod::{Stage, Subject, Workload, certificates, judge};

use super::seen::controller;

/// Who is taken for the maker of an object that no controller made.
const UNKNOWN_USER: &str = "portreeve:unknown";

/// What has come of a judgement.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    /// The policies that are about the object, in the order of their names.
    pub(super) matched: Vec<String>,
    /// What is wrong, the worst first.
    pub(super) findings: Vec<Standing>,
    /// What it reads of certificates, as [`secret`] and [`pki`] have it.
    pub(super) reads: Vec<u64>,
    /// Whether the object carries these findings.
    pub(super) is_carried: bool,
}

impl Judged {
    /// What comes of an object that makes no Pod, or that can't be judged.
    pub(super) fn nothing() -> Self {
        Self { matched: vec![], findings: vec![], reads: vec![], is_carried: true }
    }
}

/// A finding that stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Standing {
    pub(super) finding: Finding,
    /// Of which type its Events are.
    pub(super) events: EventsMode,
}

/// Judges an object by all policies at once, as at its admission.
pub(super) fn judged(object: DynamicObject, workload: Workload, snapshot: &Snapshot) -> Judged {
    let DynamicObject { metadata, data, .. } = object;
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let Some(pod) = workload.pod_of(whole(&metadata, &data, workload), namespace) else {
        return Judged::nothing();
    };
    let certificate = certificates::injection(&pod, namespace, snapshot);
    let given = request(&metadata, workload);
    let asked = cel::Subject {
        object: &Json::Null,
        old_object: &Json::Null,
        request: &given,
        namespace_object: &Json::Null,
    }
    .complete();
    let known = carried(&metadata).unwrap_or_default();
    let spoken: Vec<String> = known.iter().filter_map(|known| known.policy.clone()).collect();
    let is_by_controller = controller(&metadata).is_some();
    let subject = Subject {
        namespace,
        workload,
        pod,
        certificate: certificate.as_ref(),
        old: &Json::Null,
        request: asked.inputs().request,
        stage: if workload == Workload::Pod { Stage::Final } else { Stage::Template },
        carried: Some(spoken.as_slice()).filter(|_| !is_by_controller),
    };
    let judgement = judge(subject, snapshot);
    let standing = |found: crate::policy::pod::Found| {
        let at_admission =
            known.iter().any(|known| !known.past_webhook && is_one(known, &found.finding));
        let finding = Finding { past_webhook: !at_admission, ..found.finding };
        Standing { finding, events: found.events }
    };
    let findings: Vec<Standing> = judgement.found.into_iter().map(standing).collect();
    let plain: Vec<Finding> = findings.iter().map(|standing| standing.finding.clone()).collect();
    let mut reads: Vec<u64> =
        secrets_in(&judgement.pod).iter().map(|(name, _)| secret(name)).collect();
    reads.extend(annotation(&judgement.pod, PKI_ANNOTATION).map(pki));
    Judged {
        matched: judgement.matched.into_iter().map(str::to_owned).collect(),
        is_carried: carries(&metadata, &plain),
        findings,
        reads,
    }
}

/// Whether one finding is another, whenever and with what words it was found.
pub(super) fn is_one(one: &Finding, other: &Finding) -> bool {
    one.reason == other.reason
        && one.policy == other.policy
        && one.rule == other.rule
        && one.field == other.field
}

/// What a Pod that reads a Secret has among its reads.
pub(super) fn secret(name: &str) -> u64 {
    hashed(("secret", name))
}

/// What a Pod that asks for the certificate of a Pki has among its reads.
pub(super) fn pki(name: &str) -> u64 {
    hashed(("pki", name))
}

fn hashed(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// The object with all of its fields; a list leaves out what all of its elements are.
fn whole(metadata: &ObjectMeta, data: &serde_json::Value, workload: Workload) -> Json<'static> {
    let mut whole = match Json::from(data) {
        Json::Map(members) => members,
        _ => Object::default(),
    };
    let metadata = serde_json::to_value(metadata).unwrap_or_default();
    whole.insert("metadata".into(), Json::from(&metadata));
    whole.insert("apiVersion".into(), Json::String(api_version(workload).into()));
    whole.insert("kind".into(), text(workload.kind()));
    Json::Map(whole)
}

pub(super) fn api_version(workload: Workload) -> String {
    match workload.group() {
        "" => "v1".to_owned(),
        group => format!("{group}/v1"),
    }
}

/// The request by which the object came, as far as that can be told.
fn request(metadata: &ObjectMeta, workload: Workload) -> Json<'_> {
    let kind = [("group", workload.group()), ("version", "v1"), ("kind", workload.kind())];
    let resource =
        [("group", workload.group()), ("version", "v1"), ("resource", workload.resource())];
    let texts = |members: [(&'static str, &'static str); 3]| {
        object(members.map(|(key, value)| (key, text(value))))
    };
    object([
        ("kind", texts(kind)),
        ("resource", texts(resource)),
        ("operation", text("CREATE")),
        ("name", text(metadata.name.as_deref().unwrap_or_default())),
        ("namespace", text(metadata.namespace.as_deref().unwrap_or_default())),
        ("userInfo", maker(metadata)),
    ])
}

/// Who made the object: the controller of the workload that it belongs to, or somebody.
fn maker(metadata: &ObjectMeta) -> Json<'static> {
    const AUTHENTICATED: &str = "system:authenticated";
    const CONTROLLERS: [&str; 3] =
        ["system:serviceaccounts", "system:serviceaccounts:kube-system", AUTHENTICATED];
    let account = controller(metadata).and_then(|owner| match owner.workload {
        Workload::Pod => None,
        Workload::Deployment => Some("deployment-controller"),
        Workload::StatefulSet => Some("statefulset-controller"),
        Workload::DaemonSet => Some("daemon-set-controller"),
        Workload::ReplicaSet => Some("replicaset-controller"),
        Workload::Job => Some("job-controller"),
        Workload::CronJob => Some("cronjob-controller"),
        Workload::ReplicationController => Some("replication-controller"),
    });
    let (name, groups) = match account {
        Some(account) => {
            (format!("system:serviceaccount:kube-system:{account}"), CONTROLLERS.as_slice())
        }
        None => (UNKNOWN_USER.to_owned(), [AUTHENTICATED].as_slice()),
    };
    let groups = groups.iter().map(|group| text(group)).collect();
    object([("username", Json::String(name.into())), ("groups", Json::List(groups))])
}

fn text(text: &str) -> Json<'_> {
    Json::String(Cow::Borrowed(text))
}

fn object<'a>(members: impl IntoIterator<Item = (&'static str, Json<'a>)>) -> Json<'a> {
    Json::Map(members.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::api::PodPolicy;
    use crate::policy::pod::PodRules;
    use crate::policy::snapshot::{KnownNamespace, KnownPodPolicy};

    /// A cluster with one policy.
    fn cluster(spec: Value) -> Snapshot {
        let policy: PodPolicy = serde_json::from_value(json!({
            "apiVersion": "box.com/v1", "kind": "PodPolicy", "metadata": {"name": "images"},
            "spec": spec,
        }))
        .unwrap();
        let rules = Some(Arc::new(PodRules::compile(&policy).unwrap()));
        let known =
            KnownPodPolicy { uid: String::new(), generation: None, is_refused: false, rules };
        Snapshot {
            pod_policies: [("images".into(), known)].into(),
            namespaces: [("shop".into(), KnownNamespace::default())].into(),
            ..Snapshot::default()
        }
    }

    fn asking(expression: &str) -> Snapshot {
        let validation = json!({"expression": expression, "message": "no", "fieldPath": "spec.x"});
        cluster(json!({"validations": [validation], "onViolation": "Warn"}))
    }

    fn pod(metadata: Value) -> DynamicObject {
        let mut object = json!({
            "metadata": {"name": "app1-0", "namespace": "shop", "uid": "u1"},
            "spec": {"containers": [{"name": "main", "image": "nginx"}], "aFieldOfTomorrow": 1},
        });
        for (key, value) in metadata.as_object().unwrap() {
            object["metadata"][key] = value.clone();
        }
        serde_json::from_value(object).unwrap()
    }

    fn texts(object: DynamicObject, workload: Workload, snapshot: &Snapshot) -> Vec<String> {
        let findings = judged(object, workload, snapshot).findings;
        let text = |standing: Standing| standing.finding.text(crate::api::finding::Outcome::Stored);
        findings.into_iter().map(text).collect()
    }

    #[test]
    fn expressions_see_the_stored_object_with_all_its_fields() {
        for holds in [
            "object.kind == 'Pod' && object.apiVersion == 'v1'",
            "object.spec.aFieldOfTomorrow == 1",
            "object.metadata.uid == 'u1' && oldObject == null",
            "request.operation == 'CREATE' && request.name == 'app1-0' && request.namespace == 'shop'",
            "request.kind.kind == 'Pod' && request.resource.resource == 'pods'",
        ] {
            let found = texts(pod(json!({})), Workload::Pod, &asking(holds));
            assert_eq!(found, [""; 0], "{holds}");
        }
    }

    #[test]
    fn who_made_a_pod_is_the_controller_of_its_workload_or_somebody() {
        let replica_set = json!({"ownerReferences": [{
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "r", "controller": true,
        }]});
        let by_controller = asking(
            "request.userInfo.username == 'system:serviceaccount:kube-system:replicaset-controller' \
             && 'system:serviceaccounts' in request.userInfo.groups",
        );
        let by_somebody = asking(
            "request.userInfo.username == 'portreeve:unknown' && \
             request.userInfo.groups == ['system:authenticated']",
        );
        assert_eq!(texts(pod(replica_set), Workload::Pod, &by_controller), [""; 0]);
        assert_eq!(texts(pod(json!({})), Workload::Pod, &by_somebody), [""; 0]);
    }

    #[test]
    fn what_was_not_found_at_admission_came_past_the_webhook() {
        let snapshot = asking("object.spec.containers.size() > 1");
        let found = judged(pod(json!({})), Workload::Pod, &snapshot);
        assert!(!found.is_carried);
        assert_eq!(found.matched, ["images"]);
        let findings: Vec<Finding> =
            found.findings.into_iter().map(|standing| standing.finding).collect();
        assert!(findings[0].past_webhook);

        let carrying = |past_webhook| {
            let carried = findings.iter().map(|known| Finding { past_webhook, ..known.clone() });
            let text = serde_json::to_string(&carried.collect::<Vec<_>>()).unwrap();
            let metadata = json!({
                "annotations": {"box.com/findings": text}, "labels": {"box.com/findings": "true"},
            });
            judged(pod(metadata), Workload::Pod, &snapshot)
        };
        let at_admission = carrying(false);
        assert!(at_admission.is_carried && !at_admission.findings[0].finding.past_webhook);
        let by_the_scan = carrying(true);
        assert!(by_the_scan.is_carried && by_the_scan.findings[0].finding.past_webhook);
    }

    #[test]
    fn what_anyone_wrote_into_the_annotations_changes_nothing() {
        let (holds, fails) = (asking("true"), asking("false"));
        for written in ["", "[]", "{", "[{}]", "null"] {
            let metadata = json!({
                "annotations": {"box.com/findings": written}, "labels": {"box.com/findings": "true"},
            });
            let clean = judged(pod(metadata.clone()), Workload::Pod, &holds);
            assert!(clean.findings.is_empty() && !clean.is_carried, "{written}");
            let faulty = judged(pod(metadata), Workload::Pod, &fails);
            assert!(faulty.findings[0].finding.past_webhook && !faulty.is_carried, "{written}");
        }
    }

    #[test]
    fn a_template_is_judged_as_the_pod_that_it_makes() {
        let snapshot = asking("object.kind == 'Pod' && object.spec.hostNetwork == false");
        let object: DynamicObject = serde_json::from_value(json!({
            "metadata": {"name": "app1", "namespace": "shop", "uid": "d"},
            "spec": {"template": {
                "metadata": {"annotations": {"box.com/pki": "app1-pki"}},
                "spec": {"hostNetwork": true, "volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
            }},
        }))
        .unwrap();
        let found = judged(object, Workload::Deployment, &snapshot);
        assert!(found.findings[0].finding.field.starts_with("spec.template."));
        assert_eq!(found.reads, [secret("s"), pki("app1-pki")]);
        assert!(found.findings.iter().any(|found| found.finding.reason == "PkiNotFound"));
    }
}
