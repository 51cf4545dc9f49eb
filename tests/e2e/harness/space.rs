//! A test's own namespace, and what it holds.

use std::fmt::Debug;
use std::process::Stdio;

use k8s_openapi::api::core::v1::{Event, Secret};
use kube::api::{ListParams, PostParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource};
use portreeve::api::Pki;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Cluster, Output, Portreeve, World, eventually, kubectl, unique};

/// A namespace, with all that a test asks of it.
pub struct Space {
    /// The cluster that it lies in.
    pub cluster: &'static Cluster,
    /// The Portreeve that serves it.
    pub portreeve: &'static Portreeve,
    /// Its name.
    pub name: String,
    /// A client of this test's own runtime.
    pub client: Client,
}

impl Space {
    /// A namespace that no policy selects.
    pub async fn bare() -> Self {
        Self::of(World::shared()).await
    }

    /// A namespace of this world that no policy selects.
    pub async fn of(world: &'static World) -> Self {
        let World { cluster, portreeve, .. } = world;
        let name = format!("test-{}", unique());
        let space = Self { cluster, portreeve, name, client: cluster.client().await };
        space.kubectl_anywhere(&format!("create namespace {}", space.name), "").ok();
        space
    }

    /// A namespace with a policy that allows the service names app1 and app2.
    pub async fn with_policy(on_violation: &str) -> Self {
        let space = Self::bare().await;
        space.set_policy(json!({"onViolation": on_violation})).await;
        space
    }

    /// Applies the namespace's policy with these fields over the usual ones, and waits until
    /// Portreeve has judged it.
    pub async fn set_policy(&self, fields: Value) {
        let policy = self.policy(fields);
        self.kubectl_anywhere("apply -f -", &policy.to_string()).ok();
        self.await_policy(policy["spec"]["onViolation"] == "Warn").await;
    }

    /// Waits until both the controller and the webhook know the policy as it stands.
    async fn await_policy(&self, warns: bool) {
        let policies: Api<portreeve::api::PkiPolicy> = Api::all(self.client.clone());
        eventually("the policy is judged", async || {
            let policy = policies.get(&self.name).await.map_err(|error| error.to_string())?;
            let judged = policy.status.as_ref().and_then(|status| status.observed_generation);
            match judged == policy.metadata.generation {
                true => Ok(()),
                false => Err(format!("{:?}", policy.status)),
            }
        })
        .await;
        let probe = serde_json::from_value(pki("probe", json!({"serviceName": "not-allowed"})));
        let (probe, pkis) = (probe.unwrap(), self.api::<Pki>());
        let dry_run = PostParams { dry_run: true, ..PostParams::default() };
        eventually("the webhook knows the policy", async || {
            match pkis.create(&dry_run, &probe).await {
                Ok(_) if warns => Ok(()),
                Err(kube::Error::Api(refusal))
                    if !warns && refusal.message.contains("is not found in allowedNames") =>
                {
                    Ok(())
                }
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }

    /// The policy of this namespace, and of no other, with these fields over the usual ones. Its
    /// name and its CA's are the namespace's.
    pub fn policy(&self, fields: Value) -> Value {
        let mut spec = json!({
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self.name}},
            "allowedNames": ["app1", "app2"],
            "issuer": {"ca": {"secretName": self.name, "create": true}},
        });
        for (field, value) in fields.as_object().expect("fields are a map") {
            spec[field] = value.clone();
        }
        json!({"apiVersion": "box.com/v1", "kind": "PkiPolicy", "metadata": {"name": self.name}, "spec": spec})
    }

    /// Runs kubectl in this namespace.
    pub fn kubectl(&self, line: &str) -> Output {
        self.kubectl_with(line, "")
    }

    /// Runs kubectl in this namespace, with this input.
    pub fn kubectl_with(&self, line: &str, input: &str) -> Output {
        self.kubectl_anywhere(&format!("--namespace={} {line}", self.name), input)
    }

    /// Runs kubectl in no namespace in particular.
    pub fn kubectl_anywhere(&self, line: &str, input: &str) -> Output {
        kubectl::kubectl(self.cluster, line, input)
    }

    /// `kubectl apply` of manifests in this namespace.
    pub fn apply(&self, manifests: &str) -> Output {
        self.kubectl_with("apply -f -", manifests)
    }

    /// `kubectl apply` of a Pki in this namespace.
    pub fn apply_pki(&self, name: &str, spec: Value) -> Output {
        self.apply(&pki(name, spec).to_string())
    }

    /// The objects of a kind in this namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned,
    {
        Api::namespaced(self.client.clone(), &self.name)
    }

    /// An object that has to be there.
    pub async fn get<K>(&self, name: &str) -> K
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + DeserializeOwned
            + Clone
            + Debug,
    {
        self.api().get(name).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Waits until a Pki's condition `Ready`, for its present spec, has this reason.
    pub async fn await_reason(&self, pki: &str, reason: &str) -> Pki {
        let pkis = self.api::<Pki>();
        eventually(&format!("Pki {pki} is {reason}"), async || {
            let found = pkis.get(pki).await.map_err(|error| error.to_string())?;
            let status = found.status.clone().unwrap_or_default();
            let is_so = status.observed_generation == found.metadata.generation
                && status.conditions.iter().any(|condition| condition.reason == reason);
            if is_so { Ok(found) } else { Err(format!("{status:#?}")) }
        })
        .await
    }

    /// Waits until a Secret is there and is as it should be.
    pub async fn await_secret(
        &self,
        name: &str,
        wanted: &str,
        is_so: impl Fn(&Secret) -> bool,
    ) -> Secret {
        let secrets = self.api::<Secret>();
        eventually(&format!("Secret {name} {wanted}"), async || match secrets.get_opt(name).await {
            Ok(Some(secret)) if is_so(&secret) => Ok(secret),
            Ok(found) => Err(format!("{:?}", found.map(|secret| secret.metadata))),
            Err(error) => Err(error.to_string()),
        })
        .await
    }

    /// The Events about an object of this namespace, oldest first.
    pub async fn events(&self, kind: &str, name: &str) -> Vec<Event> {
        events_of(&self.api(), kind, name).await
    }

    /// Waits until there is an Event of this reason about an object, with at least this count.
    pub async fn await_event(&self, kind: &str, name: &str, reason: &str, count: i32) -> Event {
        eventually(&format!("{kind} {name} has Event {reason} x{count}"), async || {
            let events = self.events(kind, name).await;
            let found = events.iter().find(|event| {
                event.reason.as_deref() == Some(reason) && event.count.unwrap_or_default() >= count
            });
            found.cloned().ok_or_else(|| lines(&events))
        })
        .await
    }

    /// Waits for an Event about the namespace's policy; those of cluster-scoped objects are in the
    /// namespace `default`.
    pub async fn await_policy_event(&self, reason: &str) -> Event {
        let all = Api::<Event>::namespaced(self.client.clone(), "default");
        eventually(&format!("the policy has Event {reason}"), async || {
            let events = events_of(&all, "PkiPolicy", &self.name).await;
            let found = events.iter().find(|event| event.reason.as_deref() == Some(reason));
            found.cloned().ok_or_else(|| lines(&events))
        })
        .await
    }

    /// The Warnings of ours about a Pod.
    pub async fn warnings_of_pod(&self, name: &str) -> Vec<Event> {
        let mut events = self.events("Pod", name).await;
        events.retain(|event| event.type_.as_deref() == Some("Warning") && is_ours(event));
        events
    }

    /// Makes a Pod that the Secret is mounted into.
    pub fn apply_mounting_pod(&self, name: &str, secret: &str) {
        let volume = json!({"name": "certificate", "secret": {"secretName": secret}});
        self.apply_pod(name, json!({"volumes": [volume]}));
    }

    /// Makes a Pod of one container, with these fields in its spec.
    pub fn apply_pod(&self, name: &str, fields: Value) {
        self.apply(&pod(name, fields).to_string()).ok();
    }
}

impl Drop for Space {
    /// A test that failed shows what Portreeve said of its namespace, and all that it warned of.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---- Portreeve's log, of namespace {} ----", self.name);
            let log = self.portreeve.log();
            let concerns = |line: &&str| line.contains(&self.name) || !line.contains(" INFO ");
            log.lines().filter(concerns).for_each(|line| eprintln!("{line}"));
        }
        if self.cluster.is_current() {
            let names =
                ["namespace", "pkipolicy", "podpolicy"].map(|kind| format!("{kind}/{}", self.name));
            let mut command = self.cluster.kubectl_command();
            command.args(["delete", "--wait=false", "--ignore-not-found"]).args(names);
            // Whoever looks at the cluster sees what could not be removed.
            let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
}

/// A Pki.
pub fn pki(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "box.com/v1", "kind": "Pki", "metadata": {"name": name}, "spec": spec})
}

/// A Pod of one container `main`, with these fields in its spec.
pub fn pod(name: &str, fields: Value) -> Value {
    let mut spec = json!({"containers": [{"name": "main", "image": "nginx:1.29"}]});
    for (field, value) in fields.as_object().expect("fields are a map") {
        spec[field] = value.clone();
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
}

/// The Events about an object, oldest first.
pub async fn events_of(events: &Api<Event>, kind: &str, name: &str) -> Vec<Event> {
    let about = format!("involvedObject.kind={kind},involvedObject.name={name}");
    let found = events.list(&ListParams::default().fields(&about)).await;
    let mut found = found.expect("Events can be listed").items;
    found.sort_by_key(|event| event.first_timestamp.as_ref().map(|time| time.0));
    found
}

/// Whether an Event comes from Portreeve.
pub fn is_ours(event: &Event) -> bool {
    event.source.as_ref().and_then(|source| source.component.as_deref()) == Some("controlplane")
}

/// Events, a line each.
pub fn lines(events: &[Event]) -> Vec<String> {
    let line = |event: &Event| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let count = event.count.unwrap_or_default();
        let (kind, reason) = (text(&event.type_), text(&event.reason));
        format!("{kind} {reason} x{count} {}", text(&event.message))
    };
    events.iter().map(line).collect()
}
