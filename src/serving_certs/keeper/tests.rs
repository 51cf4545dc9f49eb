use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

use hyper::{Method, Request, Response};
use k8s_openapi::{
    ByteString,
    api::admissionregistration::v1::{
        MutatingWebhook, ServiceReference, ValidatingWebhook, WebhookClientConfig,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::client::Body;
use rustls_pki_types::ServerName;
use serde_json::json;

use super::*;
use crate::{pki::PrivateKey, serving_certs::Bundle};

const SERVICE: &str = "portreeve.portreeve.svc";

/// An API server that knows Secrets and answers patches with whatever it is told to.
#[derive(Clone, Default)]
struct ApiServer {
    secrets: Arc<Mutex<BTreeMap<String, Value>>>,
    requests: Arc<Mutex<Vec<(Method, String, Value)>>>,
    /// Answers all requests in place of the above.
    answer: Arc<Mutex<Option<(u16, Value)>>>,
}

fn failure(code: u16, reason: &str) -> (u16, Value) {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": code, "reason": reason, "message": reason,
    });
    (code, status)
}

impl ApiServer {
    fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move {
                let (parts, body) = request.into_parts();
                // A GET has no body.
                let body = body.collect_bytes().await.unwrap();
                let body = serde_json::from_slice(&body).unwrap_or_default();
                let (code, answer) = server.handle(parts.method, parts.uri.path(), body);
                let body = Body::from(serde_json::to_vec(&answer).unwrap());
                Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap())
            }
        });
        Client::new(service, "default")
    }

    fn handle(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        self.requests.lock().unwrap().push((method.clone(), path.to_owned(), body.clone()));
        if let Some(answer) = self.answer.lock().unwrap().clone() {
            return answer;
        }
        assert_eq!((method, path), (Method::POST, "/api/v1/namespaces/portreeve/secrets"));
        let mut secrets = self.secrets.lock().unwrap();
        let name = body["metadata"]["name"].as_str().unwrap().to_owned();
        if secrets.contains_key(&name) {
            return failure(409, "AlreadyExists");
        }
        secrets.insert(name, body.clone());
        (201, body)
    }

    fn always(&self, answer: Option<(u16, Value)>) {
        *self.answer.lock().unwrap() = answer;
    }

    fn secret(&self) -> Option<Secret> {
        let secrets = self.secrets.lock().unwrap();
        secrets.get("portreeve-serving-ca").map(|it| serde_json::from_value(it.clone()).unwrap())
    }

    fn requests(&self) -> Vec<(Method, String, Value)> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

/// A clock that stands where it is put.
#[derive(Clone)]
struct Hands(Arc<Mutex<Timestamp>>);

impl Hands {
    fn new() -> Self {
        Self(Arc::new(Mutex::new("2026-11-21T10:00:00Z".parse().unwrap())))
    }

    fn clock(&self) -> Clock {
        let hands = self.clone();
        Arc::new(move || hands.now())
    }

    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }
}

fn identity() -> Identity {
    Identity::new("portreeve", vec![SERVICE.to_owned(), "127.0.0.1".to_owned()])
}

fn keeper(server: &ApiServer, hands: &Hands) -> Keeper {
    Keeper::with_clock(server.client(), identity(), hands.clock())
}

fn service(name: &str, bundle: Option<&str>) -> WebhookClientConfig {
    WebhookClientConfig {
        ca_bundle: bundle.map(|pem| ByteString(pem.into())),
        service: Some(ServiceReference {
            name: name.to_owned(),
            namespace: "portreeve".to_owned(),
            ..ServiceReference::default()
        }),
        ..WebhookClientConfig::default()
    }
}

fn url(url: &str, bundle: Option<&str>) -> WebhookClientConfig {
    WebhookClientConfig { url: Some(url.to_owned()), service: None, ..service("x", bundle) }
}

fn mutating(webhooks: &[(&str, WebhookClientConfig)]) -> MutatingWebhookConfiguration {
    MutatingWebhookConfiguration {
        metadata: ObjectMeta {
            name: Some("portreeve".to_owned()),
            resource_version: Some("7".to_owned()),
            ..ObjectMeta::default()
        },
        webhooks: Some(
            webhooks
                .iter()
                .map(|(name, client_config)| MutatingWebhook {
                    name: (*name).to_owned(),
                    client_config: client_config.clone(),
                    ..MutatingWebhook::default()
                })
                .collect(),
        ),
    }
}

impl Keeper {
    fn sees_secret(&self, secret: Option<&Secret>) {
        self.context.world().observe(Observation::Secret(secret.map(Trust::read)));
    }

    fn sees_mutating(&self, object: Option<&MutatingWebhookConfiguration>) {
        let seen = object.map(Configuration::from);
        self.context.world().observe(Observation::Configuration(Kind::Mutating, seen));
    }

    fn sees_validating(&self, object: Option<&ValidatingWebhookConfiguration>) {
        let seen = object.map(Configuration::from);
        self.context.world().observe(Observation::Configuration(Kind::Validating, seen));
    }

    async fn reconcile(&self) -> Result<(), String> {
        let result = self.context.reconcile().await.map_err(|error| error.to_string());
        self.context.note_fault(result.clone().err());
        result
    }

    fn serial(&self) -> String {
        self.serving_cert().facts().unwrap().serial
    }

    fn bundle(&self) -> String {
        self.context.world().trust.as_ref().unwrap().bundle.pem()
    }
}

/// A keeper that has made its CA and sees no webhook configuration.
async fn settled(server: &ApiServer, hands: &Hands) -> Keeper {
    let keeper = keeper(server, hands);
    keeper.sees_secret(server.secret().as_ref());
    keeper.sees_mutating(None);
    keeper.sees_validating(None);
    keeper.reconcile().await.unwrap();
    server.requests();
    keeper
}

#[tokio::test]
async fn nothing_is_made_before_the_api_server_has_said_what_there_is() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = keeper(&server, &hands);
    keeper.reconcile().await.unwrap();
    assert!(server.requests().is_empty());
    assert_eq!(keeper.ready().unwrap_err(), "there is no serving certificate yet");
    assert_eq!((keeper.leaf_not_after(), keeper.ca_not_after()), (None, None));
}

#[tokio::test]
async fn a_missing_secret_is_made_and_the_leaf_signed() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let secret = server.secret().unwrap();
    assert_eq!(secret.type_.as_deref(), Some("kubernetes.io/tls"));
    assert_eq!(secret.metadata.labels.unwrap()["app.kubernetes.io/managed-by"], "portreeve");
    assert_eq!(keeper.ready(), Ok(()));
    let facts = keeper.serving_cert().facts().unwrap();
    assert_eq!(facts.dns_names, [SERVICE.to_owned()].into());
    assert_eq!(facts.ip_addresses, ["127.0.0.1".parse().unwrap()].into());
    assert_eq!(keeper.leaf_not_after(), Some(hands.now() + LEAF_LIFETIME));
    assert_eq!(keeper.ca_not_after(), Some(hands.now() + CA_LIFETIME));
}

#[tokio::test]
async fn of_replicas_that_race_one_makes_the_ca_and_the_others_take_it() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let replicas: Vec<_> = (0..5).map(|_| keeper(&server, &hands)).collect();
    for replica in &replicas {
        replica.sees_secret(None);
    }
    let race = replicas.iter().map(Keeper::reconcile);
    assert!(futures::future::join_all(race).await.iter().all(Result::is_ok));
    let winner = server.secret().unwrap();
    for replica in &replicas {
        replica.sees_secret(Some(&winner));
        replica.reconcile().await.unwrap();
    }
    let authority = Trust::read(&winner).unwrap();
    for replica in &replicas {
        assert!(replica.serving_cert().facts().unwrap().signed_by(&authority.authority));
    }
    let serials: BTreeSet<_> = replicas.iter().map(Keeper::serial).collect();
    assert_eq!(serials.len(), 5, "each replica has a leaf of its own");
}

#[tokio::test]
async fn a_missing_namespace_is_named() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    server.always(Some(failure(404, "NotFound")));
    let keeper = keeper(&server, &hands);
    keeper.sees_secret(None);
    let fault = "Secret portreeve/portreeve-serving-ca can't be made: namespace \"portreeve\" \
                 does not exist";
    assert_eq!(keeper.reconcile().await.unwrap_err(), fault);
    assert_eq!(
        keeper.ready().unwrap_err(),
        format!("there is no serving certificate yet: {fault}")
    );
    server.always(None);
    assert_eq!(keeper.reconcile().await, Ok(()));
}

#[tokio::test]
async fn an_unusable_secret_is_reported_and_left_alone_and_the_last_good_leaf_stays() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let serial = keeper.serial();
    let mut garbage = server.secret().unwrap();
    garbage.data.as_mut().unwrap().insert("tls.crt".to_owned(), ByteString(b"?".to_vec()));
    keeper.sees_secret(Some(&garbage));
    let fault = keeper.reconcile().await.unwrap_err();
    assert!(
        fault.starts_with("Secret portreeve/portreeve-serving-ca is not a usable CA"),
        "{fault}"
    );
    assert!(server.requests().is_empty());
    assert_eq!(keeper.serial(), serial);
    assert_eq!(keeper.ready(), Ok(()));
}

#[tokio::test]
async fn a_secret_that_is_deleted_comes_back_with_the_same_ca() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let (before, serial) = (keeper.bundle(), keeper.serial());
    server.secrets.lock().unwrap().clear();
    keeper.sees_secret(None);
    keeper.reconcile().await.unwrap();
    assert_eq!(Trust::read(&server.secret().unwrap()).unwrap().bundle.pem(), before);
    assert_eq!(keeper.serial(), serial);
}

#[tokio::test]
async fn a_leaf_is_renewed_even_while_the_secret_is_unusable() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let serial = keeper.serial();
    keeper.sees_secret(Some(&Secret::default()));
    hands.advance(LEAF_LIFETIME - SignedDuration::from_hours(1));
    let fault = keeper.reconcile().await.unwrap_err();
    assert!(fault.contains("tls.crt is missing"), "{fault}");
    assert_ne!(keeper.serial(), serial);
}

#[tokio::test]
async fn a_secret_that_is_deleted_after_its_ca_expired_comes_back_with_a_new_ca() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let before = keeper.bundle();
    hands.advance(CA_LIFETIME + SignedDuration::from_secs(1));
    server.secrets.lock().unwrap().clear();
    keeper.sees_secret(None);
    keeper.reconcile().await.unwrap();
    assert_ne!(keeper.bundle(), before);
    assert_eq!(keeper.ready(), Ok(()));
}

#[tokio::test]
async fn a_leaf_is_renewed_when_a_third_of_its_time_is_left_and_not_before() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let first = keeper.serial();
    // A third of seven days is 56 hours, 10 % of which is jitter.
    hands.advance(LEAF_LIFETIME - SignedDuration::from_hours(63));
    keeper.reconcile().await.unwrap();
    assert_eq!(keeper.serial(), first);
    hands.advance(SignedDuration::from_hours(14));
    keeper.reconcile().await.unwrap();
    assert_ne!(keeper.serial(), first);
    assert_eq!(keeper.leaf_not_after(), Some(hands.now() + LEAF_LIFETIME));
}

#[tokio::test]
async fn a_leaf_that_ran_out_is_not_ready_and_says_when() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    hands.advance(LEAF_LIFETIME + SignedDuration::from_secs(1));
    assert_eq!(
        keeper.ready().unwrap_err(),
        "the serving certificate was valid until 2026-11-28T10:00:00Z"
    );
}

#[tokio::test]
async fn an_expired_ca_is_told_with_its_dates() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    hands.advance(CA_LIFETIME + SignedDuration::from_secs(1));
    let fault = keeper.reconcile().await.unwrap_err();
    assert!(fault.contains("expired at 2036-11-18T10:00:00Z"), "{fault}");
    assert!(keeper.ready().unwrap_err().contains(&fault));
}

#[tokio::test]
async fn a_webhook_that_lacks_our_ca_gets_the_bundle_and_others_are_not_touched() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let bundle = keeper.bundle();
    let lacking = mutating(&[
        ("pki.portreeve.box.com", service("portreeve", None)),
        ("pods.portreeve.box.com", service("portreeve", Some("garbage"))),
        ("good.portreeve.box.com", service("portreeve", Some(&bundle))),
        ("somebody.example.com", service("portreeve", None)),
        ("notportreeve.box.com", service("portreeve", None)),
    ]);
    let good = mutating(&[("pki.portreeve.box.com", service("portreeve", Some(&bundle)))]);
    server.always(Some((200, serde_json::to_value(&good).unwrap())));
    keeper.sees_mutating(Some(&lacking));
    assert!(keeper.ready().unwrap_err().contains("webhook pki.portreeve.box.com"));

    keeper.reconcile().await.unwrap();
    let requests = server.requests();
    let [(method, path, body)] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(*method, Method::PATCH);
    assert_eq!(
        path,
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/portreeve"
    );
    let encoded = serde_json::to_value(ByteString(bundle.into_bytes())).unwrap();
    let expected = json!({
        "metadata": {"resourceVersion": "7"},
        "webhooks": [
            {"name": "pki.portreeve.box.com", "clientConfig": {"caBundle": encoded}},
            {"name": "pods.portreeve.box.com", "clientConfig": {"caBundle": encoded}},
        ],
    });
    assert_eq!(*body, expected);
    assert_eq!(keeper.ready(), Ok(()));
    keeper.reconcile().await.unwrap();
    assert!(server.requests().is_empty(), "nothing differs, so nothing is written");
}

#[tokio::test]
async fn both_kinds_of_configuration_are_kept() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let validating = ValidatingWebhookConfiguration {
        webhooks: Some(vec![ValidatingWebhook {
            name: "pki.portreeve.box.com".to_owned(),
            client_config: service("portreeve", None),
            ..ValidatingWebhook::default()
        }]),
        ..ValidatingWebhookConfiguration::default()
    };
    keeper.sees_validating(Some(&validating));
    server.always(Some(failure(409, "Conflict")));
    keeper.reconcile().await.unwrap();
    let path = server.requests().remove(0).1;
    assert!(path.ends_with("/validatingwebhookconfigurations/portreeve"), "{path}");
}

#[tokio::test]
async fn a_conflict_or_a_deletion_is_no_fault_but_a_refusal_is() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let lacking = mutating(&[("pki.portreeve.box.com", service("portreeve", None))]);
    keeper.sees_mutating(Some(&lacking));
    for (code, reason) in [(409, "Conflict"), (404, "NotFound")] {
        server.always(Some(failure(code, reason)));
        assert_eq!(keeper.reconcile().await, Ok(()));
    }
    server.always(Some(failure(403, "Forbidden")));
    let fault = keeper.reconcile().await.unwrap_err();
    assert!(
        fault.starts_with("writing the caBundle of MutatingWebhookConfiguration portreeve failed"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_bundle_that_cannot_be_published_does_not_keep_the_leaf_from_being_renewed() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let first = keeper.serial();
    keeper.sees_mutating(Some(&mutating(&[("a.portreeve.box.com", service("portreeve", None))])));
    server.always(Some(failure(403, "Forbidden")));
    hands.advance(LEAF_LIFETIME - SignedDuration::from_hours(1));
    keeper.reconcile().await.unwrap_err();
    assert_ne!(keeper.serial(), first);
}

#[tokio::test]
async fn readiness_dials_the_name_that_the_api_server_dials() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let bundle = keeper.bundle();
    let ready_with = |client: WebhookClientConfig| {
        keeper.sees_mutating(Some(&mutating(&[("pki.portreeve.box.com", client)])));
        keeper.ready()
    };
    assert_eq!(ready_with(service("portreeve", Some(&bundle))), Ok(()));
    assert_eq!(ready_with(url("https://127.0.0.1:8443/mutate", Some(&bundle))), Ok(()));
    let other = ready_with(service("other", Some(&bundle))).unwrap_err();
    assert!(other.contains("refused at other.portreeve.svc by the caBundle"), "{other}");
    let v6 = ready_with(url("https://[::1]:8443/mutate", Some(&bundle))).unwrap_err();
    assert!(v6.contains("refused at ::1 by"), "{v6}");
    let nowhere = ready_with(url("not a url", Some(&bundle))).unwrap_err();
    assert!(nowhere.contains("neither a Service nor a usable URL"), "{nowhere}");
}

#[tokio::test]
async fn readiness_waits_until_the_configurations_have_been_read() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = keeper(&server, &hands);
    keeper.sees_secret(None);
    keeper.sees_mutating(None);
    keeper.reconcile().await.unwrap();
    assert_eq!(
        keeper.ready().unwrap_err(),
        "the ValidatingWebhookConfiguration has not been read yet"
    );
}

#[tokio::test]
async fn a_new_ca_signs_only_once_every_webhook_trusts_it() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let old = keeper.serial();
    let old_bundle = keeper.bundle();
    let client = |bundle: &str| service("portreeve", Some(bundle));
    keeper.sees_mutating(Some(&mutating(&[("a.portreeve.box.com", client(&old_bundle))])));

    let mut next = Trust::create(&identity(), hands.now()).unwrap();
    for certificate in Bundle::from_pem(&old_bundle).unwrap().certificates() {
        next.bundle.insert(certificate.clone());
    }
    keeper.sees_secret(Some(&next.to_secret(&identity())));
    server.always(Some(failure(409, "Conflict")));
    keeper.reconcile().await.unwrap();
    assert_eq!(keeper.serial(), old, "the bundle has not been read back");
    assert_eq!(keeper.ready(), Ok(()));

    let both = mutating(&[("a.portreeve.box.com", client(&next.bundle.pem()))]);
    keeper.sees_mutating(Some(&both));
    keeper.reconcile().await.unwrap();
    assert!(keeper.serving_cert().facts().unwrap().signed_by(&next.authority));
    assert_eq!(keeper.ready(), Ok(()));
}

#[tokio::test]
async fn a_replica_that_is_behind_does_not_take_a_new_ca_out_of_the_live_bundle() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let mut more = Bundle::from_pem(&keeper.bundle()).unwrap();
    let next = Trust::create(&identity(), hands.now()).unwrap();
    more.insert(next.authority.certificate().clone());
    let live = mutating(&[("a.portreeve.box.com", service("portreeve", Some(&more.pem())))]);
    keeper.sees_mutating(Some(&live));
    keeper.reconcile().await.unwrap();
    assert!(server.requests().is_empty());
}

/// A TLS handshake in memory; gives the protocol that was agreed on and the serial that was shown.
fn handshake(config: &Arc<rustls::ServerConfig>, bundle: &str) -> (Vec<u8>, String) {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in Bundle::from_pem(bundle).unwrap().certificates() {
        roots.add(certificate.clone()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    let name = ServerName::try_from(SERVICE).unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = rustls::ServerConnection::new(Arc::clone(config)).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets().unwrap();
    }
    let shown = crate::pki::certificates_to_pem(client.peer_certificates().unwrap());
    let serial = crate::pki::LeafFacts::from_pem(&shown).unwrap().serial;
    (client.alpn_protocol().unwrap().to_vec(), serial)
}

#[tokio::test]
async fn handshakes_follow_a_renewal_without_a_new_configuration_and_prefer_http_2() {
    // The handshake reads the machine's clock.
    let (server, hands) = (ApiServer::default(), Hands::new());
    *hands.0.lock().unwrap() = Timestamp::now();
    let keeper = settled(&server, &hands).await;
    let config = keeper.serving_cert().server_config().unwrap();
    let (protocol, first) = handshake(&config, &keeper.bundle());
    assert_eq!(protocol, b"h2");
    assert_eq!(first, keeper.serial());

    let trust = Arc::clone(keeper.context.world().trust.as_ref().unwrap());
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut request = LeafRequest::lasting(LEAF_LIFETIME);
    request.dns_names.push(SERVICE.to_owned());
    let leaf = trust.authority.issue(&request, &key, hands.now()).unwrap();
    keeper.serving_cert().replace(&leaf.certificate_pem, &key).unwrap();
    assert_eq!(handshake(&config, &keeper.bundle()).1, leaf.serial);
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused_and_what_was_shown_stays() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    let keeper = settled(&server, &hands).await;
    let serial = keeper.serial();
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let shown = keeper.serving_cert().shown().unwrap();
    let pem = crate::pki::certificates_to_pem(&shown.chain);
    assert!(keeper.serving_cert().replace(&pem, &other).is_err());
    assert_eq!(keeper.serial(), serial);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_fails_is_asked_ever_less_often() {
    let (server, hands) = (ApiServer::default(), Hands::new());
    server.always(Some(failure(500, "InternalError")));
    let keeper = keeper(&server, &hands);
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(keeper.clone().run(shutdown.clone()));
    tokio::time::sleep(Duration::from_secs(600)).await;
    // Three watches, each at 3.75 to 5 s once the waits have grown.
    let requests = server.requests().len();
    assert!((3 * 120..3 * 170).contains(&requests), "{requests} requests in ten minutes");
    shutdown.cancel();
    task.await.unwrap();
}
