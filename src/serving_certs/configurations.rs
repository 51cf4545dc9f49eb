//! Webhook configurations as far as certificates go: what each of our webhooks trusts, by which
//! name the API server calls it, and the patch that makes it trust our CA.

use jiff::Timestamp;
use k8s_openapi::{
    ByteString,
    api::admissionregistration::v1::{
        MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};

use super::{Bundle, WEBHOOK_SUFFIX};
use crate::pki;

/// Which of the two kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Mutating,
    Validating,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Mutating => "MutatingWebhookConfiguration",
            Self::Validating => "ValidatingWebhookConfiguration",
        }
    }
}

/// Our webhooks in one configuration, as last seen.
#[derive(Debug)]
pub(super) struct Configuration {
    kind: Kind,
    resource_version: Option<String>,
    webhooks: Vec<Webhook>,
}

#[derive(Debug)]
struct Webhook {
    name: String,
    /// The host that the API server calls; `None` if it can't be told.
    host: Option<String>,
    trusts: Bundle,
}

impl From<&MutatingWebhookConfiguration> for Configuration {
    fn from(object: &MutatingWebhookConfiguration) -> Self {
        let webhooks = object.webhooks.iter().flatten();
        let parts = webhooks.map(|webhook| (webhook.name.as_str(), &webhook.client_config));
        Self::new(Kind::Mutating, &object.metadata, parts)
    }
}

impl From<&ValidatingWebhookConfiguration> for Configuration {
    fn from(object: &ValidatingWebhookConfiguration) -> Self {
        let webhooks = object.webhooks.iter().flatten();
        let parts = webhooks.map(|webhook| (webhook.name.as_str(), &webhook.client_config));
        Self::new(Kind::Validating, &object.metadata, parts)
    }
}

impl Configuration {
    fn new<'a>(
        kind: Kind,
        metadata: &ObjectMeta,
        webhooks: impl Iterator<Item = (&'a str, &'a WebhookClientConfig)>,
    ) -> Self {
        let webhooks = webhooks
            .filter(|(name, _)| name.ends_with(WEBHOOK_SUFFIX))
            .map(|(name, client)| Webhook {
                name: name.to_owned(),
                host: host(client),
                trusts: trusted(client),
            })
            .collect();
        Self { kind, resource_version: metadata.resource_version.clone(), webhooks }
    }

    /// Whether every webhook trusts this CA.
    pub(super) fn trusts(&self, authority: &CertificateDer<'_>) -> bool {
        self.webhooks.iter().all(|webhook| webhook.trusts.contains(authority))
    }

    /// The strategic merge patch that gives `bundle` to each webhook that lacks a part of it;
    /// `None` where none does.
    ///
    /// No server-side apply: an applied entry would hold on to the webhook itself (its key counts
    /// as a field), so whoever installs could not remove or rename a webhook any more: the API
    /// server would be left with an entry that has a `caBundle` and nothing else, and refuse. A
    /// patch owns the one field. For a webhook that is gone it is refused, as it should be.
    pub(super) fn patch(&self, bundle: &Bundle) -> Option<Value> {
        let pem = ByteString(bundle.pem().into_bytes());
        let lacking: Vec<_> = self
            .webhooks
            .iter()
            .filter(|webhook| !webhook.trusts.contains_all(bundle))
            .map(|webhook| json!({"name": webhook.name, "clientConfig": {"caBundle": pem}}))
            .collect();
        (!lacking.is_empty()).then(|| {
            json!({
                "metadata": {"resourceVersion": self.resource_version},
                "webhooks": lacking,
            })
        })
    }

    /// Does what the API server does at each call, for each webhook.
    ///
    /// # Errors
    /// A sentence that names the first webhook whose calls would fail.
    pub(super) fn verify(
        &self,
        shown: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Result<(), String> {
        for Webhook { name, host, trusts } in &self.webhooks {
            let kind = self.kind.as_str();
            let host = host.as_deref().ok_or_else(|| {
                format!("webhook {name} of the {kind} has neither a Service nor a usable URL")
            })?;
            pki::verify_server(shown, trusts.certificates(), host, now).map_err(|error| {
                format!(
                    "the serving certificate would be refused at {host} by the caBundle of \
                     webhook {name} of the {kind}: {error}"
                )
            })?;
        }
        Ok(())
    }
}

/// As the API server's own resolver has it: a Service is called as `NAME.NAMESPACE.svc`.
fn host(client: &WebhookClientConfig) -> Option<String> {
    if let Some(service) = &client.service {
        return Some(format!("{}.{}.svc", service.name, service.namespace));
    }
    let url: hyper::Uri = client.url.as_deref()?.parse().ok()?;
    Some(url.host()?.trim_matches(['[', ']']).to_owned())
}

/// What can't be read is not trusted, and so is replaced.
fn trusted(client: &WebhookClientConfig) -> Bundle {
    client
        .ca_bundle
        .as_ref()
        .and_then(|ByteString(bytes)| std::str::from_utf8(bytes).ok())
        .and_then(|text| Bundle::from_pem(text).ok())
        .unwrap_or_default()
}
