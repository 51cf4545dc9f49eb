//! The findings that an object carries, kept true after its admission.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use crate::api::finding::annotation;
use crate::api::names::{FINDINGS_ANNOTATION, FINDINGS_LABEL, MANAGER};
use crate::api::{Enforcement, Finding, Pki};

use super::Error;
use super::status::unless_gone;

/// Keeps the findings that a Pki carries true when they change without an admission: after a change
/// of a policy, or where the webhook was away.
#[derive(Default)]
pub(super) struct Annotated(Mutex<HashMap<String, String>>);

impl Annotated {
    pub(super) async fn keep(
        &self,
        pki: &Pki,
        findings: &[Finding],
        client: &Client,
    ) -> Result<(), Error> {
        if carries(&pki.metadata, findings) {
            return Ok(());
        }
        // Once for each version of the truth: whoever else insists on something there wins.
        let uid = pki.uid().unwrap_or_default();
        let truth = format!("{:?} {:?}", pki.metadata.generation, annotation(findings));
        if self.written().get(&uid) == Some(&truth) {
            return Ok(());
        }
        let pkis: Api<Pki> = Api::namespaced(client.clone(), &pki.namespace().unwrap_or_default());
        let patch = Patch::Merge(patch(&uid, findings));
        let written = pkis.patch_metadata(&pki.name_any(), &parameters(), &patch).await;
        unless_gone(written.map(drop)).map_err(Error::api("can't write the findings"))?;
        self.written().insert(uid, truth);
        Ok(())
    }

    pub(super) fn forget(&self, uid: &str) {
        self.written().remove(uid);
    }

    fn written(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What makes an object carry these findings, and no other object of its name.
pub(super) fn patch(uid: &str, findings: &[Finding]) -> Value {
    let text = annotation(findings);
    let label = text.as_ref().map(|_| "true");
    json!({"metadata": {
        "uid": uid,
        "annotations": {FINDINGS_ANNOTATION: text},
        "labels": {FINDINGS_LABEL: label},
    }})
}

/// How such a patch is written.
pub(super) fn parameters() -> PatchParams {
    PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() }
}

/// The findings that an object carries; none where what stands there can't be read.
pub(super) fn carried(metadata: &ObjectMeta) -> Option<Vec<Finding>> {
    let annotations = metadata.annotations.as_ref();
    match annotations.and_then(|annotations| annotations.get(FINDINGS_ANNOTATION)) {
        None => Some(Vec::new()),
        Some(text) => read(text).filter(|carried| !carried.is_empty()),
    }
}

/// Whether an object carries these findings; how far each was enforced at admission, and whether it
/// was found there, is its own story.
pub(super) fn carries(metadata: &ObjectMeta, findings: &[Finding]) -> bool {
    let as_told = |findings: Vec<Finding>| -> Vec<Finding> {
        let (enforcement, past_webhook) = (Enforcement::Inform, false);
        let told = |finding| Finding { enforcement, past_webhook, ..finding };
        let mut findings: Vec<Finding> = findings.into_iter().map(told).collect();
        findings.sort_by(|one, other| (&one.field, &one.fault).cmp(&(&other.field, &other.fault)));
        findings
    };
    let labels = metadata.labels.as_ref();
    let is_labelled =
        labels.and_then(|labels| labels.get(FINDINGS_LABEL)).is_some_and(|value| value == "true");
    if is_labelled == findings.is_empty() {
        return false;
    }
    let Some(carried) = carried(metadata) else { return false };
    if findings.is_empty() {
        return carried.is_empty();
    }
    let wanted = annotation(findings).and_then(|text| read(&text)).unwrap_or_default();
    as_told(carried) == as_told(wanted)
}

fn read(text: &str) -> Option<Vec<Finding>> {
    serde_json::from_str(text).ok()
}
