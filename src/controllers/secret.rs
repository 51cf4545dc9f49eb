//! The Secret of a Pki: what it holds, what it should hold, and how it gets there.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use zeroize::Zeroizing;

use crate::api::Pki;
use crate::api::names::{ISSUED_FOR_ANNOTATION, MANAGED_BY_LABEL, MANAGER, PKI_ANNOTATION};
use crate::pki::{Error, KeyAlgorithm, LeafFacts, PrivateKey};

use super::authorities::{CA_BUNDLE, CERTIFICATE, KEY, TLS_SECRET};

/// What a Secret that is ours holds now.
pub(super) struct Holding {
    uid: Option<String>,
    version: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    certificate: Option<String>,
    key: Option<Zeroizing<String>>,
    ca_bundle: Option<String>,
}

impl Holding {
    pub(super) fn of(secret: &Secret) -> Self {
        let text = |key: &str| {
            let ByteString(bytes) = secret.data.as_ref()?.get(key)?;
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        };
        Self {
            uid: secret.uid(),
            version: secret.resource_version(),
            labels: secret.labels().clone(),
            annotations: secret.annotations().clone(),
            certificate: text(CERTIFICATE),
            key: text(KEY).map(Zeroizing::new),
            ca_bundle: text(CA_BUNDLE),
        }
    }

    /// Certificate and key, where both are there.
    pub(super) fn pair(&self) -> Option<(&str, &str)> {
        Some((self.certificate.as_deref()?, self.key.as_deref()?))
    }

    /// The authority's certificate, where it is there.
    pub(super) fn ca_bundle(&self) -> Option<&str> {
        self.ca_bundle.as_deref()
    }

    /// What an annotation says.
    pub(super) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str)
    }

    /// What the certificate says of itself.
    ///
    /// # Errors
    /// Why it has to be replaced whoever signed it: it is not there or can't be read, or its key is
    /// not there, not its own, or not of this kind.
    pub(super) fn facts(&self, algorithm: KeyAlgorithm) -> Result<LeafFacts, String> {
        let (certificate, key) =
            self.pair().ok_or_else(|| "the Secret lacks certificate or key".to_owned())?;
        let facts = LeafFacts::from_pem(certificate)
            .map_err(|error| format!("the certificate can't be read: {error}"))?;
        let key =
            PrivateKey::from_pem(key).map_err(|error| format!("the key can't be read: {error}"))?;
        if !facts.holds_key(&key) {
            return Err("the key is not the certificate's".to_owned());
        }
        if key.algorithm() != algorithm {
            return Err(format!("the key is {}, not {algorithm}", key.algorithm()));
        }
        Ok(facts)
    }

    /// Whether everything beside certificate and key is as it should be.
    pub(super) fn is_dressed(&self, pki: &Pki, wanted: &Wanted) -> bool {
        let (labels, annotations) = dress(pki, wanted);
        let has = |there: &BTreeMap<String, String>, wanted: BTreeMap<String, String>| {
            wanted.iter().all(|(key, value)| there.get(key) == Some(value))
        };
        has(&self.labels, labels)
            && has(&self.annotations, annotations)
            // Where the issuer gave none, somebody else may have put one there.
            && (wanted.ca_bundle.is_none() || self.ca_bundle == wanted.ca_bundle)
    }
}

/// What a Secret should hold.
pub(super) struct Wanted {
    certificate: String,
    key: Zeroizing<String>,
    ca_bundle: Option<String>,
    issued_for: Option<String>,
    pub(super) facts: LeafFacts,
}

impl Wanted {
    /// A certificate with the chain above it, its key, and the authority at the top where it is
    /// known; all in PEM form.
    ///
    /// # Errors
    /// If the certificate can't be read.
    pub(super) fn new(
        certificate: &str,
        key: &str,
        ca_bundle: Option<String>,
    ) -> Result<Self, Error> {
        Ok(Self {
            facts: LeafFacts::from_pem(certificate)?,
            certificate: certificate.to_owned(),
            key: Zeroizing::new(key.to_owned()),
            ca_bundle,
            issued_for: None,
        })
    }

    /// The same, with a fingerprint of what was asked for.
    pub(super) fn issued_for(self, fingerprint: String) -> Self {
        Self { issued_for: Some(fingerprint), ..self }
    }
}

/// Labels and annotations: the owner's, and ours.
fn dress(pki: &Pki, wanted: &Wanted) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let template = pki.spec.secret_template.clone().unwrap_or_default();
    let (mut labels, mut annotations) = (template.labels, template.annotations);
    labels.insert(MANAGED_BY_LABEL.to_owned(), MANAGER.to_owned());
    annotations.insert(PKI_ANNOTATION.to_owned(), pki.name_any());
    if let Some(issued_for) = &wanted.issued_for {
        annotations.insert(ISSUED_FOR_ANNOTATION.to_owned(), issued_for.clone());
    }
    (labels, annotations)
}

/// Writes the Secret by server-side apply, so that what others add to it stays theirs.
///
/// A Secret that is there is bound by uid and resourceVersion to the one that was looked at. One
/// that is not there yet is applied without force: had somebody made a Secret of that name in the
/// meantime, the apply would fail, because a `kubernetes.io/tls` Secret always has an owner of its
/// certificate and the type of another can't be changed.
pub(super) async fn write(
    pki: &Pki,
    wanted: &Wanted,
    holding: Option<&Holding>,
    client: &Client,
) -> Result<(), kube::Error> {
    let (labels, annotations) = dress(pki, wanted);
    let name = pki.secret_name();
    let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": pki.controller_owner_ref(&()).into_iter().collect::<Vec<_>>(),
        },
        "type": TLS_SECRET,
        "data": {
            CERTIFICATE: bytes(&wanted.certificate),
            KEY: bytes(&wanted.key),
        },
    });
    if let Some(ca_bundle) = &wanted.ca_bundle {
        object["data"][CA_BUNDLE] = json!(bytes(ca_bundle));
    }
    let mut parameters = PatchParams::apply(MANAGER);
    if let Some(holding) = holding {
        object["metadata"]["uid"] = json!(holding.uid);
        object["metadata"]["resourceVersion"] = json!(holding.version);
        parameters = parameters.force();
    }
    let secrets: Api<Secret> =
        Api::namespaced(client.clone(), &pki.namespace().unwrap_or_default());
    secrets.patch(&name, &parameters, &Patch::Apply(&object)).await.map(drop)
}
