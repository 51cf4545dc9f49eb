//! What is known of a cluster, read once: for who has a question, and does not stay.

use std::fmt::Debug;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use crate::api::{Pki, PkiPolicy, PodPolicy};
use crate::policy::Snapshot;

use super::cache::KINDS;
use super::watches::Indexed;
use super::{indexes, said};

/// How many objects are asked for at once.
const PAGE: u32 = 500;

/// What was read.
#[derive(Debug, Default)]
pub struct Survey {
    /// What is known, Pods but for: they are not asked for.
    pub snapshot: Snapshot,
    /// What could not be read, and why.
    pub unread: Vec<Unread>,
}

/// A kind that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The kind, in the plural: `Namespaces`.
    pub kind: &'static str,
    /// What the API server said.
    pub why: String,
}

impl Survey {
    /// Whether a kind was read, by its plural: `Namespaces`.
    pub fn has_read(&self, kind: &str) -> bool {
        !self.unread.iter().any(|unread| unread.kind == kind)
    }
}

/// Reads all that Pods and Pkis are judged by, as far as it is permitted.
pub async fn survey(client: &Client) -> Survey {
    let mut survey = Survey::default();
    read::<indexes::PodPolicies>(Api::<PodPolicy>::all(client.clone()), &mut survey).await;
    read::<indexes::PkiPolicies>(Api::<PkiPolicy>::all(client.clone()), &mut survey).await;
    read::<indexes::Namespaces>(Api::<Namespace>::all(client.clone()), &mut survey).await;
    read::<indexes::Pkis>(Api::<Pki>::all(client.clone()), &mut survey).await;
    // Of the Secrets no more than their metadata: nothing of what is in them.
    let secrets = Api::<PartialObjectMeta<Secret>>::all(client.clone());
    read::<indexes::Secrets>(secrets, &mut survey).await;
    survey
}

async fn read<I: Indexed>(api: Api<I::Object>, survey: &mut Survey)
where
    I::Object: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let list = match api.list(&page).await {
            Ok(list) => list,
            Err(error) => {
                let why = said(&error);
                survey.unread.push(Unread { kind: KINDS[I::KIND], why });
                return;
            }
        };
        for object in &list.items {
            I::apply(&mut survey.snapshot, object);
        }
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::{Value, json};

    /// What is at a path, for a query.
    type List = (&'static str, fn(&str) -> Value);

    /// An API server that gives these lists, and permits nothing else.
    fn server(lists: &'static [List]) -> Client {
        let service = tower::service_fn(move |request: Request<Body>| async move {
            let query = request.uri().query().unwrap_or_default().to_owned();
            let list = lists.iter().find(|(path, _)| *path == request.uri().path());
            let (code, body) = match list {
                Some((_, list)) => (200, list(&query)),
                None => (
                    403,
                    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                    "message": "forbidden", "reason": "Forbidden", "code": 403}),
                ),
            };
            let response =
                Response::builder().status(code).body(Body::from(body.to_string().into_bytes()));
            Ok::<_, std::convert::Infallible>(response.unwrap())
        });
        Client::new(service, "default")
    }

    fn namespaces(query: &str) -> Value {
        let (name, next) = if query.contains("continue=next") { ("b", "") } else { ("a", "next") };
        json!({"apiVersion": "v1", "kind": "NamespaceList", "metadata": {"continue": next},
            "items": [{"metadata": {"name": name, "labels": {"team": name}}}]})
    }

    fn policies(_: &str) -> Value {
        json!({"apiVersion": "box.com/v1", "kind": "PodPolicyList", "metadata": {}, "items": [
            {"apiVersion": "box.com/v1", "kind": "PodPolicy", "metadata": {"name": "p"},
             "spec": {"validations": [{"expression": "true"}]}}]})
    }

    #[tokio::test]
    async fn all_pages_are_read_and_what_is_not_permitted_is_named() {
        let client = server(&[
            ("/api/v1/namespaces", namespaces),
            ("/apis/box.com/v1/podpolicies", policies),
        ]);
        let survey = survey(&client).await;
        assert_eq!(survey.snapshot.labels("b").unwrap()["team"], "b");
        assert!(survey.snapshot.labels("a").is_some());
        assert!(survey.snapshot.pod_policies["p"].rules.is_some());
        let unread: Vec<_> = survey.unread.iter().map(|unread| unread.kind).collect();
        assert_eq!(unread, ["PkiPolicies", "Pkis", "Secrets"]);
        assert_eq!(survey.unread[0].why, "forbidden (403)");
        assert!(survey.has_read("Namespaces"));
    }
}
