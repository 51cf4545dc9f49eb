//! The two webhook configurations: which requests come to Portreeve, and what becomes of them
//! while it is away. The chart renders the same.

use serde_json::{Value, json};

use crate::api::names::{GROUP, NAMESPACE_NAME_LABEL, SYSTEM_NAMESPACES, VERSION};
use crate::serving_certs::WEBHOOK_SUFFIX;

/// Where the API server finds Portreeve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An HTTPS URL without a path.
    Url(String),
    /// A Service in Portreeve's own namespace.
    Service {
        /// The Service's name.
        name: String,
        /// Its port.
        port: u16,
    },
}

/// What the webhook configurations say.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// The name of both.
    pub name: String,
    /// Portreeve's own namespace.
    pub namespace: String,
    /// Where the API server finds Portreeve.
    pub address: Address,
    /// `Ignore` or `Fail`: what happens to a Pki while Portreeve is away.
    pub failure_policy: String,
    /// How long the API server waits for an answer, in seconds.
    pub timeout_seconds: u32,
    /// The service account that Portreeve itself writes as, if it has one: its writes are not
    /// reviewed.
    pub service_account: Option<String>,
}

impl Webhooks {
    /// The mutating and the validating configuration, without `caBundle`: that is the server's to
    /// set, and is left alone where it stands.
    pub fn configurations(&self) -> [Value; 2] {
        let mut mutating = self.webhook("/mutate", &["CREATE", "UPDATE"]);
        mutating["reinvocationPolicy"] = json!("IfNeeded");
        let validating = self.webhook("/validate", &["CREATE", "UPDATE", "DELETE"]);
        [
            self.configuration("MutatingWebhookConfiguration", mutating),
            self.configuration("ValidatingWebhookConfiguration", validating),
        ]
    }

    fn configuration(&self, kind: &str, webhook: Value) -> Value {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": self.name},
            "webhooks": [webhook],
        })
    }

    fn webhook(&self, path: &str, operations: &[&str]) -> Value {
        let namespaces: Vec<&str> =
            SYSTEM_NAMESPACES.into_iter().chain([self.namespace.as_str()]).collect();
        json!({
            "name": format!("pki{WEBHOOK_SUFFIX}"),
            "clientConfig": self.client_config(path),
            "rules": [{
                "apiGroups": [GROUP],
                "apiVersions": [VERSION],
                "resources": ["pkis"],
                "operations": operations,
                "scope": "Namespaced",
            }],
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "matchPolicy": "Equivalent",
            "failurePolicy": self.failure_policy,
            "timeoutSeconds": self.timeout_seconds,
            "namespaceSelector": {"matchExpressions": [
                {"key": NAMESPACE_NAME_LABEL, "operator": "NotIn", "values": namespaces},
            ]},
            "matchConditions": self.match_conditions(),
        })
    }

    fn client_config(&self, path: &str) -> Value {
        match &self.address {
            Address::Url(url) => json!({"url": format!("{}{path}", url.trim_end_matches('/'))}),
            Address::Service { name, port } => json!({"service": {
                "name": name, "namespace": self.namespace, "path": path, "port": port,
            }}),
        }
    }

    /// The cluster's own components are never held up.
    fn match_conditions(&self) -> Vec<Value> {
        let mut conditions = vec![
            json!({
                "name": "exclude-nodes",
                "expression": "!(\"system:nodes\" in request.userInfo.groups)",
            }),
            json!({
                "name": "exclude-control-plane",
                "expression": "!(request.userInfo.username.startsWith(\"system:kube-\") || request.userInfo.username == \"system:apiserver\")",
            }),
            json!({
                "name": "exclude-garbage-collection",
                "expression": "!(request.userInfo.username in [\"system:serviceaccount:kube-system:generic-garbage-collector\", \"system:serviceaccount:kube-system:namespace-controller\"])",
            }),
        ];
        if let Some(account) = &self.service_account {
            let expression = format!(
                "request.userInfo.username != \"system:serviceaccount:{}:{account}\"",
                self.namespace
            );
            conditions.push(json!({"name": "exclude-portreeve", "expression": expression}));
        }
        conditions
    }
}
