//! The Secret of a Pki: what it holds, what it should hold, and how it gets there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use zeroize::Zeroizing;

use crate::api::Pki;
use crate::api::names::{MANAGED_BY_LABEL, MANAGER, PKI_ANNOTATION};
use crate::pki::{Authority, Error, Leaf, LeafFacts, PrivateKey, renewal_time};
use crate::policy::pki::certificate::CertificateRequest;

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

    /// Why the certificate has to be replaced; none where it will do.
    pub(super) fn outdated(
        &self,
        request: &CertificateRequest,
        authority: &Authority,
        seed: &str,
        now: Timestamp,
    ) -> Option<String> {
        let Some((certificate, key)) = self.pair() else {
            return Some("the Secret lacks certificate or key".to_owned());
        };
        let facts = match LeafFacts::from_pem(certificate) {
            Ok(facts) => facts,
            Err(error) => return Some(format!("the certificate can't be read: {error}")),
        };
        match PrivateKey::from_pem(key) {
            Ok(key) if !facts.holds_key(&key) => {
                return Some("the key is not the certificate's".to_owned());
            }
            Ok(key) if key.algorithm() != request.algorithm => {
                return Some(format!("the key is {}, not {}", key.algorithm(), request.algorithm));
            }
            Ok(_) => {}
            Err(error) => return Some(format!("the key can't be read: {error}")),
        }
        if let Err(difference) = facts.matches(&request.leaf, request.algorithm, authority) {
            return Some(difference.to_string());
        }
        let validity = facts.validity;
        if validity.not_after >= authority.validity().not_after {
            // It ends with its authority: another would end no later.
            return None;
        }
        let renewal =
            renewal_time(validity.not_before, validity.not_after, request.renew_before, seed);
        (now >= renewal).then(|| format!("it was to be renewed at {renewal}"))
    }

    /// Whether everything beside certificate and key is as it should be.
    pub(super) fn is_dressed(&self, pki: &Pki, wanted: &Wanted) -> bool {
        let (labels, annotations) = dress(pki);
        let has = |there: &BTreeMap<String, String>, wanted: BTreeMap<String, String>| {
            wanted.iter().all(|(key, value)| there.get(key) == Some(value))
        };
        has(&self.labels, labels)
            && has(&self.annotations, annotations)
            && self.ca_bundle.as_deref() == Some(wanted.ca_bundle.as_str())
    }
}

/// What a Secret should hold.
pub(super) struct Wanted {
    certificate: String,
    key: Zeroizing<String>,
    ca_bundle: String,
    pub(super) facts: LeafFacts,
}

impl Wanted {
    /// A new certificate.
    pub(super) fn new(leaf: &Leaf, key: &PrivateKey, authority: &Authority) -> Result<Self, Error> {
        Self::keeping(&leaf.certificate_pem, &key.pem(), authority)
    }

    /// The certificate that is there already.
    pub(super) fn keeping(
        certificate: &str,
        key: &str,
        authority: &Authority,
    ) -> Result<Self, Error> {
        Ok(Self {
            facts: LeafFacts::from_pem(certificate)?,
            certificate: certificate.to_owned(),
            key: Zeroizing::new(key.to_owned()),
            ca_bundle: authority.certificate_pem(),
        })
    }
}

/// Labels and annotations: the owner's, and ours.
fn dress(pki: &Pki) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let template = pki.spec.secret_template.clone().unwrap_or_default();
    let (mut labels, mut annotations) = (template.labels, template.annotations);
    labels.insert(MANAGED_BY_LABEL.to_owned(), MANAGER.to_owned());
    annotations.insert(PKI_ANNOTATION.to_owned(), pki.name_any());
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
    let (labels, annotations) = dress(pki);
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
            CA_BUNDLE: bytes(&wanted.ca_bundle),
        },
    });
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
