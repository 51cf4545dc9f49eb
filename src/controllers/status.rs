//! What a Pki says of itself.

use std::fmt::Debug;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::api::condition::{self, READY, Ready};
use crate::api::finding::Outcome;
use crate::api::names::MANAGER;
use crate::api::{Finding, Pki, PkiStatus, duration};
use crate::pki::LeafFacts;
use crate::policy::pki::certificate::{CertificateRequest, shown_key};

use super::Error;

/// The reason of a Pki that has its certificate.
const ISSUED: &str = "Issued";

/// The reason of a Pki whose certificate is on its way.
const ISSUING: &str = "Issuing";

/// A certificate as it lies in its Secret.
pub(super) struct Issued {
    pub(super) facts: LeafFacts,
    pub(super) renewal_time: Timestamp,
    /// Through what it ends earlier than asked for, if it does.
    pub(super) shortened: Option<String>,
    pub(super) policy: String,
    pub(super) request: CertificateRequest,
}

impl Issued {
    /// The sentence that says what the Secret holds.
    pub(super) fn sentence(&self, pki: &Pki) -> String {
        let validity = self.facts.validity;
        let mut text = format!(
            "Secret {} holds the certificate of {}, valid until {}, renewed at {}",
            pki.secret_name(),
            pki.spec.service_name,
            validity.not_after,
            self.renewal_time,
        );
        if let Some(how) = &self.shortened {
            let asked = duration::format(self.request.leaf.duration);
            text.push_str(&format!("; it ends before the {asked} that were asked for, {how}"));
        }
        text.push('.');
        text
    }
}

/// Writes the status of a Pki that gets no certificate. What was issued before still stands in it.
pub(super) async fn write_blocked(
    pki: &Pki,
    findings: &[Finding],
    client: &Client,
    now: Timestamp,
) -> Result<(), Error> {
    let reason = findings.first().map(|finding| finding.reason.clone()).unwrap_or_default();
    let texts: Vec<String> = findings.iter().map(|finding| finding.text(Outcome::Stored)).collect();
    write_unready(pki, reason, texts.join(" "), client, now).await
}

/// Writes the status of a Pki whose certificate is on its way. One that has a certificate for its
/// spec as it stands goes on with that.
pub(super) async fn write_issuing(
    pki: &Pki,
    message: &str,
    client: &Client,
    now: Timestamp,
) -> Result<(), Error> {
    if was_ready(pki) {
        return Ok(());
    }
    let secret = pki.secret_name();
    let message = format!("{message}. Secret {secret} gets the certificate as soon as it answers.");
    write_unready(pki, ISSUING.to_owned(), message, client, now).await
}

async fn write_unready(
    pki: &Pki,
    reason: String,
    message: String,
    client: &Client,
    now: Timestamp,
) -> Result<(), Error> {
    let before = pki.status.clone().unwrap_or_default();
    let observed_generation = pki.metadata.generation;
    let ready = Ready { ready: false, reason, message, observed_generation };
    let status = PkiStatus {
        conditions: vec![ready.following(&before.conditions, now)],
        observed_generation: pki.metadata.generation,
        ..before
    };
    write(pki, status, client).await
}

/// Writes the status of a Pki that has its certificate.
pub(super) async fn write_issued(
    pki: &Pki,
    issued: &Issued,
    client: &Client,
    now: Timestamp,
) -> Result<(), Error> {
    let before = pki.status.clone().unwrap_or_default();
    let Issued { facts, request, .. } = issued;
    let ready = Ready {
        ready: true,
        reason: ISSUED.to_owned(),
        message: issued.sentence(pki),
        observed_generation: pki.metadata.generation,
    };
    // A certificate whose status was lost on the way counts too.
    let is_counted = before.serial_number.as_deref() == Some(facts.serial.as_str());
    let revision = before.revision.unwrap_or_default();
    let status = PkiStatus {
        conditions: vec![ready.following(&before.conditions, now)],
        observed_generation: pki.metadata.generation,
        not_before: Some(Time(facts.validity.not_before)),
        not_after: Some(Time(facts.validity.not_after)),
        renewal_time: Some(Time(issued.renewal_time)),
        serial_number: Some(facts.serial.clone()),
        revision: Some(if is_counted { revision.max(1) } else { revision + 1 }),
        secret_name: Some(pki.secret_name()),
        policy: Some(issued.policy.clone()),
        dns_names: request.leaf.dns_names.clone(),
        duration: Some(duration::format(request.leaf.duration)),
        renew_before: Some(duration::format(request.renew_before)),
        private_key: Some(shown_key(request.algorithm, request.rotation)),
    };
    write(pki, status, client).await
}

/// Whether the spec as it stands had its certificate when it was looked at last; if not, what lies
/// in the Secret is written anew.
pub(super) fn was_ready(pki: &Pki) -> bool {
    let conditions = pki.status.as_ref().map(|status| status.conditions.as_slice());
    condition::find(conditions.unwrap_or_default(), READY).is_some_and(|ready| {
        ready.status == "True" && ready.observed_generation == pki.metadata.generation
    })
}

async fn write(pki: &Pki, status: PkiStatus, client: &Client) -> Result<(), Error> {
    if pki.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let pkis = Api::namespaced(client.clone(), &pki.namespace().unwrap_or_default());
    apply(&pkis, pki, &status).await
}

/// Applies a status to the object that was looked at, and to no other of its name.
pub(super) async fn apply<K, S>(api: &Api<K>, object: &K, status: &S) -> Result<(), Error>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
    S: Serialize,
{
    let name = object.name_any();
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": name, "uid": object.uid()},
        "status": status,
    });
    let parameters = PatchParams::apply(MANAGER).force();
    let written = api.patch_status(&name, &parameters, &Patch::Apply(&patch)).await;
    unless_gone(written.map(drop)).map_err(Error::api("can't write the status"))
}

/// What is gone has nothing to write to; its deletion is on its way to us.
pub(super) fn unless_gone(written: Result<(), kube::Error>) -> Result<(), kube::Error> {
    match written {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        written => written,
    }
}
