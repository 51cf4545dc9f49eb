//! The certificate authorities that sign, read from Secrets of Portreeve's own namespace, or made
//! on first use where a policy says so.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use thiserror::Error;
use tracing::info;

use crate::api::names::{MANAGED_BY_LABEL, MANAGER};
use crate::api::pki_policy::CaIssuer;
use crate::pki::{Authority, KeyAlgorithm, MAX_COMMON_NAME_BYTES};

use super::{Cache, said};

/// The keys of a `kubernetes.io/tls` Secret.
pub(super) const CERTIFICATE: &str = "tls.crt";
pub(super) const KEY: &str = "tls.key";
pub(super) const CA_BUNDLE: &str = "ca.crt";
pub(super) const TLS_SECRET: &str = "kubernetes.io/tls";

/// How long an authority that Portreeve makes lasts: ten years.
const LIFETIME: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

/// Why an authority can't sign.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// There is none, and none is to be made.
    #[error("CA Secret {namespace}/{name} is missing")]
    Missing {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// It holds something else.
    #[error("CA Secret {namespace}/{name} can't be used: {fault}")]
    Unusable {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The API server did not give or take it.
    #[error("CA Secret {namespace}/{name} can't be read or made: {}", said(source))]
    Api {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
}

/// The authorities that have been used, each as long as its Secret is the same.
pub struct Authorities {
    secrets: Api<Secret>,
    namespace: String,
    known: Mutex<HashMap<String, (String, Arc<Authority>)>>,
}

impl AuthorityError {
    /// Whether asking again may help without anything being mended: the API server did not answer,
    /// or was too busy to.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Api { source, .. } => !is_refusal(source),
            Self::Missing { .. } | Self::Unusable { .. } => false,
        }
    }

    /// What the platform engineer can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => {
                "Make that Secret (kubernetes.io/tls), or set spec.issuer.ca.create: true"
            }
            Self::Unusable { .. } => "Put a valid CA certificate and its key there",
            Self::Api { .. } => "Give Portreeve the right to read and make that Secret",
        }
    }
}

/// Whether the API server said no, as opposed to not answering.
pub(super) fn is_refusal(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 403 | 404 | 422))
}

impl Authorities {
    /// The authorities of a namespace.
    pub fn new(client: Client, namespace: &str) -> Self {
        Self {
            secrets: Api::namespaced(client, namespace),
            namespace: namespace.to_owned(),
            known: Mutex::default(),
        }
    }

    /// The authority of a policy. While its Secret is, by the snapshot, the one that was read last,
    /// nothing is read.
    ///
    /// # Errors
    /// When there is none that can sign now.
    pub async fn get(
        &self,
        ca: &CaIssuer,
        cache: &Cache,
        now: Timestamp,
    ) -> Result<Arc<Authority>, AuthorityError> {
        let version = {
            let snapshot = cache.read();
            let secret = snapshot.secret(&self.namespace, &ca.secret_name);
            secret.map(|secret| secret.resource_version.clone())
        };
        let authority = match self.known(&ca.secret_name, version.as_deref()) {
            Some(authority) => authority,
            None => self.read(ca, now).await?,
        };
        if authority.validity().contains(now) {
            return Ok(authority);
        }
        let validity = authority.validity();
        let fault = format!("it is valid from {} to {}", validity.not_before, validity.not_after);
        Err(self.unusable(ca, fault))
    }

    fn known(&self, name: &str, version: Option<&str>) -> Option<Arc<Authority>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (known_version, authority) = known.get(name)?;
        (Some(known_version.as_str()) == version).then(|| authority.clone())
    }

    async fn read(&self, ca: &CaIssuer, now: Timestamp) -> Result<Arc<Authority>, AuthorityError> {
        let name = &ca.secret_name;
        let failed = |source| AuthorityError::Api {
            namespace: self.namespace.clone(),
            name: name.clone(),
            source: Box::new(source),
        };
        let secret = match self.secrets.get_opt(name).await.map_err(failed)? {
            Some(secret) => secret,
            None if ca.create => self.create(ca, now).await?,
            None => {
                let namespace = self.namespace.clone();
                return Err(AuthorityError::Missing { namespace, name: name.clone() });
            }
        };
        let text = |key: &str| {
            let bytes = secret.data.as_ref().and_then(|data| data.get(key));
            let text = bytes.and_then(|bytes| std::str::from_utf8(&bytes.0).ok());
            text.ok_or_else(|| self.unusable(ca, format!("it has no {key}")))
        };
        let authority = Authority::from_pem(text(CERTIFICATE)?, text(KEY)?)
            .map_err(|error| self.unusable(ca, error.to_string()))?;
        let authority = Arc::new(authority);
        let version = secret.resource_version().unwrap_or_default();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.clone(), (version, authority.clone()));
        Ok(authority)
    }

    /// Makes an authority. Of two that try, one succeeds and the other takes what that one made.
    async fn create(&self, ca: &CaIssuer, now: Timestamp) -> Result<Secret, AuthorityError> {
        let name = &ca.secret_name;
        // The schema lets a Secret's name be longer than a common name; both are ASCII.
        let common_name: String =
            format!("Portreeve {name}").chars().take(MAX_COMMON_NAME_BYTES).collect();
        let authority = Authority::create(&common_name, LIFETIME, KeyAlgorithm::EcdsaP256, now)
            .map_err(|error| self.unusable(ca, error.to_string()))?;
        let pem = authority.certificate_pem();
        let data = BTreeMap::from([
            (CERTIFICATE.to_owned(), ByteString(pem.clone().into_bytes())),
            (CA_BUNDLE.to_owned(), ByteString(pem.into_bytes())),
            (KEY.to_owned(), ByteString(authority.key_pem().as_bytes().to_vec())),
        ]);
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                labels: Some([(MANAGED_BY_LABEL.to_owned(), MANAGER.to_owned())].into()),
                ..ObjectMeta::default()
            },
            type_: Some(TLS_SECRET.to_owned()),
            data: Some(data),
            ..Secret::default()
        };
        let created = match self.secrets.create(&PostParams::default(), &secret).await {
            Err(kube::Error::Api(status)) if status.code == 409 => self.secrets.get(name).await,
            Ok(created) => {
                info!(namespace = self.namespace, secret = name, "made a certificate authority");
                Ok(created)
            }
            Err(error) => Err(error),
        };
        created.map_err(|source| AuthorityError::Api {
            namespace: self.namespace.clone(),
            name: name.clone(),
            source: Box::new(source),
        })
    }

    fn unusable(&self, ca: &CaIssuer, fault: String) -> AuthorityError {
        AuthorityError::Unusable {
            namespace: self.namespace.clone(),
            name: ca.secret_name.clone(),
            fault,
        }
    }
}
