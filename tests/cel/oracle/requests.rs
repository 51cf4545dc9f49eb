//! The requests that are reviewed, and what the validations see of them.

use anyhow::{Context as _, Result, bail};
use kube::api::{DeleteParams, GetParams, PostParams};
use kube::core::Request;
use serde_json::{Value, json};

use super::Server;
use super::reviews::{Review, Seen};

/// Who is in `managedFields` and the request's options.
const MANAGER: &str = "oracle";

impl Server {
    /// Sends a review as a dry run, and gives what its validations saw.
    ///
    /// The Pod that the server answers with is the one that was validated: nothing is changed after
    /// that. (`verify` has the server confirm it.)
    ///
    /// # Errors
    /// Where the server refuses it, or breaks off.
    pub async fn send(&self, review: &Review) -> Result<Seen> {
        let pods = Request::new(format!("/api/v1/namespaces/{}/pods", review.namespace()));
        let name = review.pod_name().unwrap_or_default();
        let get = GetParams::default();
        let old_object = match &review.old {
            Some(_) => self.client.request::<Value>(pods.get(name, &get)?).await?,
            None => Value::Null,
        };
        let dry_run = PostParams { dry_run: true, field_manager: Some(MANAGER.to_owned()) };
        let data = review.new.as_ref().map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let request = match (review.operation(), &review.subresource) {
            ("CREATE", None) => pods.create(&dry_run, data)?,
            ("UPDATE", None) => pods.replace(name, &dry_run, data)?,
            ("UPDATE", Some(of)) => pods.replace_subresource(of, name, &dry_run, data)?,
            ("DELETE", _) => pods.delete(name, &DeleteParams::default().dry_run())?,
            (operation, of) => bail!("no review can be {operation} of {of:?}"),
        };
        let object = match self.client.request::<Value>(request).await? {
            _ if review.new.is_none() => Value::Null,
            object => object,
        };
        let named = if object.is_null() { &old_object } else { &object };
        let request = self.variable(review, named.pointer("/metadata/name").context("no name")?);
        let namespace = Request::new("/api/v1/namespaces").get(review.namespace(), &get)?;
        let namespace_object = namespace_object(self.client.request(namespace).await?);
        Ok(Seen { object, old_object, request, namespace_object })
    }

    /// The variable `request`: an AdmissionRequest, but for what is in variables of its own.
    fn variable(&self, review: &Review, name: &Value) -> Value {
        let kind = json!({"group": "", "version": "v1", "kind": "Pod"});
        let resource = json!({"group": "", "version": "v1", "resource": "pods"});
        let mut request = json!({
            "uid": "", "kind": kind, "resource": resource,
            "requestKind": kind, "requestResource": resource,
            "name": name, "namespace": review.namespace(), "operation": review.operation(),
            "userInfo": self.user, "object": null, "oldObject": null,
            "dryRun": true, "options": options(review.operation()),
        });
        if let Some(subresource) = &review.subresource {
            request["subResource"] = json!(subresource);
            request["requestSubResource"] = json!(subresource);
        }
        request
    }
}

fn options(operation: &str) -> Value {
    let (kind, field, value) = match operation {
        "CREATE" => ("CreateOptions", "fieldManager", json!(MANAGER)),
        "UPDATE" => ("UpdateOptions", "fieldManager", json!(MANAGER)),
        // That of a Pod which no node runs.
        _ => ("DeleteOptions", "gracePeriodSeconds", json!(0)),
    };
    json!({"apiVersion": "meta.k8s.io/v1", "kind": kind, "dryRun": ["All"], field: value})
}

/// The variable `namespaceObject`: the namespace, without the fields that the server keeps back.
fn namespace_object(namespace: Value) -> Value {
    let mut object = json!({});
    for field in ["metadata", "spec", "status"] {
        object[field] = namespace[field].clone();
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|field, _| !["managedFields", "ownerReferences"].contains(&field.as_str()));
    }
    object
}
