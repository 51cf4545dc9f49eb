//! The findings that a Pki carries, kept true after its admission.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

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
        if carries(pki, findings) {
            return Ok(());
        }
        let text = annotation(findings);
        // Once for each version of the truth: whoever else insists on something there wins.
        let uid = pki.uid().unwrap_or_default();
        let truth = format!("{:?} {text:?}", pki.metadata.generation);
        if self.written().get(&uid) == Some(&truth) {
            return Ok(());
        }
        let label = text.as_ref().map(|_| "true");
        let patch = json!({"metadata": {
            "uid": pki.uid(),
            "annotations": {FINDINGS_ANNOTATION: text},
            "labels": {FINDINGS_LABEL: label},
        }});
        let pkis: Api<Pki> = Api::namespaced(client.clone(), &pki.namespace().unwrap_or_default());
        let parameters =
            PatchParams { field_manager: Some(MANAGER.to_owned()), ..Default::default() };
        let written =
            pkis.patch_metadata(&pki.name_any(), &parameters, &Patch::Merge(&patch)).await;
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

/// Whether a Pki carries these findings; how far each was enforced at admission is its own story.
fn carries(pki: &Pki, findings: &[Finding]) -> bool {
    let read = |text: &String| -> Option<Vec<Finding>> { serde_json::from_str(text).ok() };
    let as_told = |findings: Vec<Finding>| -> Vec<Finding> {
        let unenforced = |finding| Finding { enforcement: Enforcement::Inform, ..finding };
        let mut findings: Vec<Finding> = findings.into_iter().map(unenforced).collect();
        findings.sort_by(|one, other| (&one.field, &one.fault).cmp(&(&other.field, &other.fault)));
        findings
    };
    let wanted = annotation(findings).as_ref().and_then(read).unwrap_or_default();
    let carried = match pki.annotations().get(FINDINGS_ANNOTATION) {
        None => Some(Vec::new()),
        Some(text) => read(text).filter(|carried| !carried.is_empty()),
    };
    let labelled = pki.labels().get(FINDINGS_LABEL).is_some_and(|value| value == "true");
    labelled != findings.is_empty()
        && carried.is_some_and(|carried| as_told(carried) == as_told(wanted))
}
