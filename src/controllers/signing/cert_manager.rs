//! Certificates that cert-manager has signed: asked for by a CertificateRequest in the namespace of
//! the Pki, and answered when its issuer gets to it.
//!
//! The key stays in the memory of the leader until the certificate is there; it is written nowhere
//! else. A leader that takes over asks anew, with a key of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, Resource, ResourceExt};
use tracing::info;

use crate::api::duration;
use crate::api::names::{ISSUED_FOR_ANNOTATION, MANAGED_BY_LABEL, MANAGER, PKI_UID_LABEL};
use crate::api::pki_policy::IssuerRef;
use crate::pki::PrivateKey;
use crate::policy::pki::issuance;

use super::super::{Context, Error, indexes, said, status};
use super::answers::{self, FIRST_LOOK, GRACE};
use super::certificate_request::{Answer, CertificateRequest, CertificateRequestSpec};
use super::fingerprint::Asked;
use super::issuer::{self, State};
use super::{Obtained, Order, RETRY_BLOCKED, away};

/// The longest name of an object.
const MAX_NAME_BYTES: usize = 253;

/// What cert-manager was asked for each Pki, by its uid, and has not answered yet.
#[derive(Default)]
pub(in crate::controllers) struct Requests(Mutex<HashMap<String, Open>>);

/// A request that is open.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) name: String,
    pub(super) key: Arc<PrivateKey>,
    pub(super) asked: Asked,
    pub(super) since: Timestamp,
}

impl Requests {
    fn open(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked for this Pki is answered, or it is gone.
    pub(in crate::controllers) fn forget(&self, uid: &str) {
        self.open().remove(uid);
    }
}

pub(super) async fn obtain(
    order: &Order<'_>,
    issuer: &IssuerRef,
    context: &Context,
) -> Result<Obtained, Error> {
    let asked = Asked::of(&order.request, issuer);
    let Some(why) = outdated(order, &asked) else { return Ok(kept(order, &asked)) };
    let requests = Api::namespaced(context.client.clone(), order.subject().namespace);
    let open = context.cert_manager.open().get(order.seed()).cloned();
    if let Some(open) = open.filter(|open| open.asked == asked) {
        let found: Result<Option<CertificateRequest>, _> = requests.get_opt(&open.name).await;
        let found = found.map_err(Error::api("can't read the CertificateRequest"))?;
        let obtained = match found.map(|request| request.answer()) {
            None => None,
            Some(Answer::Open(said)) => {
                let state = state(order, issuer, &open, context).await?;
                Some(answers::still_open(order, issuer, &open, said, &state))
            }
            Some(Answer::Signed { chain, ca }) => {
                answers::signed(order, issuer, &open, &chain, ca, &why)
            }
            Some(Answer::Refused { why, at }) => answers::refused(order, issuer, &open, &why, at),
        };
        if let Some(obtained) = obtained {
            return Ok(obtained);
        }
    }
    ask(order, issuer, asked, &requests, context).await
}

/// Why the certificate has to be replaced; none where it will do.
fn outdated(order: &Order<'_>, asked: &Asked) -> Option<String> {
    let Some(holding) = &order.holding else { return Some("there is no Secret".to_owned()) };
    let facts = match holding.facts(order.request.algorithm) {
        Ok(facts) => facts,
        Err(why) => return Some(why),
    };
    let Some(note) = holding.annotation(ISSUED_FOR_ANNOTATION) else {
        return Some("cert-manager did not sign it".to_owned());
    };
    if !asked.is_noted(note) {
        return Some("another certificate, or another issuer, is asked for".to_owned());
    }
    let (chain, _) = holding.pair().unwrap_or_default();
    if asked.noted_ca(note, chain, holding.ca_bundle()).is_none() {
        return Some("it, or the CA beside it, is not what cert-manager gave".to_owned());
    }
    order.request.due(facts.validity, order.seed(), order.now)
}

/// The certificate that is there.
fn kept(order: &Order<'_>, asked: &Asked) -> Obtained {
    let holding = order.holding.as_ref();
    let (chain, key) = holding.and_then(|holding| holding.pair()).unwrap_or_default();
    let ca = holding.and_then(|holding| {
        let note = holding.annotation(ISSUED_FOR_ANNOTATION)?;
        asked.noted_ca(note, chain, holding.ca_bundle())?
    });
    answers::certificate(order, asked, chain, key, ca.map(str::to_owned), None)
}

/// How the issuer is that has not answered. For a moment it is not asked after: what is applied
/// together is not ready together.
async fn state(
    order: &Order<'_>,
    issuer: &IssuerRef,
    open: &Open,
    context: &Context,
) -> Result<State, Error> {
    if order.now < open.since + GRACE {
        return Ok(State::Unknown);
    }
    issuer::look(issuer, Some(order.subject().namespace), &context.client).await
}

/// Asks, in place of whatever was asked before.
async fn ask(
    order: &Order<'_>,
    issuer: &IssuerRef,
    asked: Asked,
    requests: &Api<CertificateRequest>,
    context: &Context,
) -> Result<Obtained, Error> {
    let (subject, policy) = (order.subject(), &order.rules.name);
    if let Err(error) = withdraw(order, requests).await {
        return refused_by_api(order, issuer, error);
    }
    let (request, kept) = (order.request.clone(), order.kept_key());
    let made = away(move || {
        let key = match kept {
            Some(key) => key,
            None => PrivateKey::generate(request.algorithm)?,
        };
        let pem = request.leaf.signing_request(&key)?;
        Ok::<_, crate::pki::Error>((key, pem))
    });
    let (key, pem) = match made.await? {
        Ok(made) => made,
        Err(error) => {
            let finding = issuance::not_issued(&subject, policy, &error.to_string());
            return Ok(Obtained::Blocked(Box::new(finding), RETRY_BLOCKED));
        }
    };
    let request = certificate_request(order, issuer, &pem);
    let request = match requests.create(&PostParams::default(), &request).await {
        Ok(request) => request,
        Err(error) => return refused_by_api(order, issuer, error),
    };
    let (name, namespace) = (request.name_any(), subject.namespace);
    info!(namespace, name = subject.name, request = name, %issuer, "asked for a certificate");
    let open = Open { name, key: Arc::new(key), asked, since: order.now };
    let obtained = Obtained::Pending(answers::waits(issuer, &open), FIRST_LOOK);
    context.cert_manager.open().insert(order.seed().to_owned(), open);
    Ok(obtained)
}

/// The request as it is sent. Its name is that of the Pki, and a suffix that the API server makes.
fn certificate_request(order: &Order<'_>, issuer: &IssuerRef, pem: &str) -> CertificateRequest {
    let request = &order.request;
    let usages = request.leaf.effective_usages(request.algorithm);
    let spec = CertificateRequestSpec {
        request: ByteString(pem.as_bytes().to_vec()),
        issuer_ref: issuer.clone(),
        duration: Some(duration::format(request.leaf.duration)),
        usages: usages.into_iter().map(|usage| usage.as_str().to_owned()).collect(),
    };
    let suffix = "-xxxxx".len();
    let prefix: String = order.pki.name_any().chars().take(MAX_NAME_BYTES - suffix).collect();
    let mut asked = CertificateRequest::new("", spec);
    asked.metadata = ObjectMeta {
        generate_name: Some(format!("{prefix}-")),
        labels: Some(BTreeMap::from([
            (MANAGED_BY_LABEL.to_owned(), MANAGER.to_owned()),
            (PKI_UID_LABEL.to_owned(), order.seed().to_owned()),
        ])),
        owner_references: order.pki.controller_owner_ref(&()).map(|owner| vec![owner]),
        ..ObjectMeta::default()
    };
    asked
}

/// Takes away what was asked for this Pki before: answered, refused, or of a leader that is gone
/// and its key with it.
async fn withdraw(
    order: &Order<'_>,
    requests: &Api<CertificateRequest>,
) -> Result<(), kube::Error> {
    let ours = ListParams::default()
        .labels(&format!("{MANAGED_BY_LABEL}={MANAGER},{PKI_UID_LABEL}={}", order.seed()));
    for request in requests.list_metadata(&ours).await? {
        // Anybody can write a label.
        if indexes::owning_pki(&request.metadata) != Some(order.seed()) {
            continue;
        }
        let deleted = requests.delete(&request.name_any(), &DeleteParams::default()).await;
        status::unless_gone(deleted.map(drop))?;
    }
    Ok(())
}

/// What the API server says no to is told; what it does not answer is tried again.
fn refused_by_api(
    order: &Order<'_>,
    issuer: &IssuerRef,
    error: kube::Error,
) -> Result<Obtained, Error> {
    let kube::Error::Api(refusal) = &error else {
        return Err(Error::api("can't ask cert-manager")(error));
    };
    let (subject, policy) = (order.subject(), &order.rules.name);
    let not_ready = |problem: &str| issuance::issuer_not_ready(&subject, policy, problem);
    let finding = match refusal.code {
        404 if issuer::is_unknown_kind(refusal) => {
            let problem = State::NotInstalled.problem().unwrap_or_default();
            not_ready(&format!("{issuer} {problem}"))
        }
        // 500 is also what the API server makes of a webhook of cert-manager's that is away.
        403 | 500 => not_ready(&format!("{issuer} can't be asked: {}", said(&error))),
        400 | 406 | 422 => {
            let problem =
                format!("a CertificateRequest to {issuer} is refused: {}", refusal.message);
            issuance::not_issued(&subject, policy, &problem)
        }
        _ => return Err(Error::api("can't ask cert-manager")(error)),
    };
    Ok(Obtained::Blocked(Box::new(finding), RETRY_BLOCKED))
}
