//! How an issuer of cert-manager is, as far as that can be known of it without asking it for a
//! certificate.

use kube::api::Api;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Client, core::Status};
use serde_json::Value;

use crate::api::pki_policy::{CERT_MANAGER_GROUP, CLUSTER_ISSUER, ISSUER, IssuerRef};

use super::super::{Error, said};

/// How it is.
#[derive(Debug, PartialEq)]
pub(in crate::controllers) enum State {
    /// It says that it can sign.
    Ready,
    /// Not known: it is of another group, or is looked for in namespaces and none was named.
    Unknown,
    /// It may not be read, in the API server's words.
    Unreadable(String),
    /// The cluster has no such kind.
    NotInstalled,
    /// There is none of its name, in the namespace if it is of a kind that lies in namespaces.
    Missing(Option<String>),
    /// It can't sign, in its own words; they may be empty.
    NotReady(String),
}

/// Looks at an issuer; at one of a namespace, if it is of a kind that lies in namespaces.
///
/// # Errors
/// When the API server does not answer.
pub(in crate::controllers) async fn look(
    issuer: &IssuerRef,
    namespace: Option<&str>,
    client: &Client,
) -> Result<State, Error> {
    let IssuerRef { name, kind, group } = issuer;
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
    let namespace = match (group.as_str(), kind.as_str(), namespace) {
        (CERT_MANAGER_GROUP, CLUSTER_ISSUER, _) => None,
        (CERT_MANAGER_GROUP, ISSUER, Some(namespace)) => Some(namespace),
        _ => return Ok(State::Unknown),
    };
    let issuers: Api<DynamicObject> = match namespace {
        None => Api::all_with(client.clone(), &resource),
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
    };
    match issuers.get(name).await {
        Ok(object) => Ok(State::of(&object.data)),
        Err(kube::Error::Api(status)) if is_unknown_kind(&status) => Ok(State::NotInstalled),
        Err(kube::Error::Api(status)) if status.code == 404 => {
            Ok(State::Missing(namespace.map(str::to_owned)))
        }
        Err(error @ kube::Error::Api(_)) if super::super::authorities::is_refusal(&error) => {
            Ok(State::Unreadable(said(&error)))
        }
        Err(error) => Err(Error::api("can't read the issuer")(error)),
    }
}

/// Whether it is the kind that is not found, and not an object of it: of a path that it does not
/// know the API server says only so, in plain text.
pub(super) fn is_unknown_kind(status: &Status) -> bool {
    status.code == 404 && status.reason != "NotFound"
}

impl State {
    fn of(object: &Value) -> Self {
        let conditions = object["status"]["conditions"].as_array();
        let ready = conditions.into_iter().flatten().find(|condition| condition["type"] == "Ready");
        match ready {
            Some(ready) if ready["status"] == "True" => Self::Ready,
            ready => {
                let said = ready.and_then(|ready| ready["message"].as_str()).unwrap_or_default();
                Self::NotReady(said.trim().trim_end_matches('.').to_owned())
            }
        }
    }

    /// What keeps it from signing, after its name; none where nothing is known to.
    pub(in crate::controllers) fn problem(&self) -> Option<String> {
        Some(match self {
            Self::Ready | Self::Unknown | Self::Unreadable(_) => return None,
            Self::NotInstalled => format!(
                "can't be asked: the cluster lacks the kinds of {CERT_MANAGER_GROUP}/v1, which \
                 come with cert-manager"
            ),
            Self::Missing(None) => "is missing".to_owned(),
            Self::Missing(Some(namespace)) => format!("is missing in namespace {namespace}"),
            Self::NotReady(said) if said.is_empty() => "is not ready".to_owned(),
            Self::NotReady(said) => format!("is not ready: {said}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_issuer_that_does_not_say_that_it_is_ready_is_not() {
        let of = |conditions: Value| State::of(&json!({"status": {"conditions": conditions}}));
        let ready = |status: &str| json!([{"type": "Ready", "status": status, "message": "Said."}]);
        assert_eq!(of(ready("True")), State::Ready);
        assert_eq!(of(ready("False")), State::NotReady("Said".to_owned()));
        assert_eq!(of(json!([])), State::NotReady(String::new()));
        assert_eq!(State::of(&json!({})), State::NotReady(String::new()));
    }
}
