//! Certificates that cert-manager signs: its own controllers run, on a control plane of their own,
//! and Portreeve has no more rights than the chart gives it.

mod faults;
mod issuance;
mod replacement;
mod schema;

use serde_json::{Value, json};

use crate::harness::certificates::make_ca;
use crate::harness::{Space, World, cert_manager};

/// The name of a namespace's own issuer, and of its CA's Secret.
const ISSUER: &str = "company-ca";

/// A namespace in a cluster with cert-manager. None where that can't be had, which is said.
async fn space() -> Option<Space> {
    Some(Space::of(World::with_cert_manager()?).await)
}

/// What a policy says for an issuer of cert-manager to sign.
fn signed_by(kind: &str, name: &str) -> Value {
    json!({"certManager": {"issuerRef": {"kind": kind, "name": name}}})
}

fn signed_by_issuer() -> Value {
    signed_by("Issuer", ISSUER)
}

/// Makes an issuer that signs with the CA in this Secret.
fn apply_issuer(space: &Space, kind: &str, name: &str, secret: &str) {
    let spec = json!({"ca": {"secretName": secret}});
    space.apply(&manifest(kind, name, spec).to_string()).ok();
}

/// Makes the namespace's own issuer, with a CA.
fn make_issuer(space: &Space) {
    make_ca(space, &space.name, ISSUER, "company");
    apply_issuer(space, "Issuer", ISSUER, ISSUER);
}

/// Makes an issuer for the whole cluster, with a CA; its name is the namespace's.
fn make_cluster_issuer(space: &Space) {
    make_ca(space, cert_manager::NAMESPACE, &space.name, "company");
    apply_issuer(space, "ClusterIssuer", &space.name, &space.name);
}

fn manifest(kind: &str, name: &str, spec: Value) -> Value {
    let metadata = json!({"name": name});
    json!({"apiVersion": "cert-manager.io/v1", "kind": kind, "metadata": metadata, "spec": spec})
}

/// Waits until an issuer says that it can sign.
fn await_issuer(space: &Space, kind: &str, name: &str) {
    let line = format!("wait --for=condition=Ready --timeout=60s {kind}/{name}");
    space.kubectl(&line).ok();
}
