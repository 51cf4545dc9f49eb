//! The two webhook configurations: which requests come to Portreeve, and what becomes of them
//! while it is away. The chart renders the same.

use serde_json::{Value, json};

use crate::api::names::{GROUP, NAMESPACE_NAME_LABEL, SYSTEM_NAMESPACES, VERSION};
use crate::serving_certs::WEBHOOK_SUFFIX;

/// Whether a request does not come from the control plane.
const CONTROL_PLANE: &str = "!(request.userInfo.username.startsWith(\"system:kube-\") || request.userInfo.username == \"system:apiserver\")";

/// The same, but for the controllers, which make the Pods of workloads.
const CONTROL_PLANE_BUT_CONTROLLERS: &str =
    "!(request.userInfo.username in [\"system:kube-scheduler\", \"system:apiserver\"])";

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
    /// `Ignore` or `Fail`: what happens to a Pki, or a PodPolicy, while Portreeve is away.
    pub failure_policy: String,
    /// The same, of Pods and workloads.
    pub pod_failure_policy: String,
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
        let mut mutating =
            [self.pkis("/mutate", &["CREATE", "UPDATE"]), self.pods("/mutate", &["pods"])];
        for webhook in &mut mutating {
            // Seen again when a later webhook changed the object.
            webhook["reinvocationPolicy"] = json!("IfNeeded");
        }
        let parts = ["pods", "pods/ephemeralcontainers", "pods/resize"];
        let validating = [
            self.pkis("/validate", &["CREATE", "UPDATE", "DELETE"]),
            self.pods("/validate", &parts),
            self.pod_policies(),
        ];
        [
            self.configuration("MutatingWebhookConfiguration", &mutating),
            self.configuration("ValidatingWebhookConfiguration", &validating),
        ]
    }

    fn configuration(&self, kind: &str, webhooks: &[Value]) -> Value {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": self.name},
            "webhooks": webhooks,
        })
    }

    fn pkis(&self, path: &str, operations: &[&str]) -> Value {
        let rule = json!({
            "apiGroups": [GROUP],
            "apiVersions": [VERSION],
            "resources": ["pkis"],
            "operations": operations,
            "scope": "Namespaced",
        });
        self.webhook("pki", path, &[rule], &self.failure_policy, CONTROL_PLANE)
    }

    /// Pods, and the workloads that make them.
    fn pods(&self, path: &str, parts: &[&str]) -> Value {
        let rule = |group: &str, resources: &[&str]| {
            json!({
                "apiGroups": [group],
                "apiVersions": ["v1"],
                "resources": resources,
                "operations": ["CREATE", "UPDATE"],
                "scope": "Namespaced",
            })
        };
        let core: Vec<&str> = parts.iter().copied().chain(["replicationcontrollers"]).collect();
        let rules = [
            rule("", &core),
            rule("apps", &["deployments", "statefulsets", "daemonsets", "replicasets"]),
            rule("batch", &["jobs", "cronjobs"]),
        ];
        self.webhook("pods", path, &rules, &self.pod_failure_policy, CONTROL_PLANE_BUT_CONTROLLERS)
    }

    /// Where PodPolicies are refused that do not compile; whoever writes them runs the cluster.
    fn pod_policies(&self) -> Value {
        let rule = json!({
            "apiGroups": [GROUP],
            "apiVersions": [VERSION],
            "resources": ["podpolicies"],
            "operations": ["CREATE", "UPDATE"],
            "scope": "Cluster",
        });
        let failure_policy = &self.failure_policy;
        self.webhook("podpolicies", "/validate", &[rule], failure_policy, CONTROL_PLANE)
    }

    fn webhook(
        &self,
        name: &str,
        path: &str,
        rules: &[Value],
        failure_policy: &str,
        control_plane: &str,
    ) -> Value {
        let namespaces: Vec<&str> =
            SYSTEM_NAMESPACES.into_iter().chain([self.namespace.as_str()]).collect();
        json!({
            "name": format!("{name}{WEBHOOK_SUFFIX}"),
            "clientConfig": self.client_config(path),
            "rules": rules,
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "matchPolicy": "Equivalent",
            "failurePolicy": failure_policy,
            "timeoutSeconds": self.timeout_seconds,
            "namespaceSelector": {"matchExpressions": [
                {"key": NAMESPACE_NAME_LABEL, "operator": "NotIn", "values": namespaces},
            ]},
            "matchConditions": self.match_conditions(control_plane),
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
    fn match_conditions(&self, control_plane: &str) -> Vec<Value> {
        let mut conditions = vec![
            json!({
                "name": "exclude-nodes",
                "expression": "!(\"system:nodes\" in request.userInfo.groups)",
            }),
            json!({
                "name": "exclude-control-plane",
                "expression": control_plane,
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
