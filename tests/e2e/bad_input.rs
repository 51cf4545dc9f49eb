//! What comes to the webhook's port and is no review: each has a clear answer, and the server goes
//! on.

use std::sync::Arc;

use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use kube::Api;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::harness::World;

/// A client of the webhook that trusts what the API server trusts: the `caBundle`.
struct Caller {
    tls: TlsConnector,
    name: ServerName<'static>,
}

impl Caller {
    async fn new() -> Self {
        let world = World::shared();
        let client = world.cluster.client().await;
        let name = &world.portreeve.replica().configuration;
        let configuration = Api::<MutatingWebhookConfiguration>::all(client).get(name).await;
        let webhooks = configuration.expect("the configuration is there").webhooks.unwrap();
        let bundle = webhooks[0].client_config.ca_bundle.clone().expect("the caBundle is set").0;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&bundle) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from(world.cluster.host()).unwrap().to_owned();
        Self { tls: TlsConnector::from(Arc::new(config)), name }
    }

    /// Sends these bytes and reads until the server closes: the status, and the body.
    async fn send(&self, request: &[u8]) -> (u16, String) {
        let stream = TcpStream::connect(World::shared().portreeve.webhook()).await.unwrap();
        let mut stream = self.tls.connect(self.name.clone(), stream).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    async fn request(&self, line: &str, media_type: &str, body: &[u8]) -> (u16, String) {
        let mut request = format!(
            "{line} HTTP/1.1\r\nHost: portreeve\r\nConnection: close\r\n\
             Content-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.send(&request).await
    }

    async fn post(&self, body: &str) -> (u16, String) {
        self.request("POST /mutate?timeout=5s", "application/json", body.as_bytes()).await
    }
}

/// A review of the creation of a Pki, as the API server sends it.
fn review() -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "6f5e4d3c", "operation": "CREATE", "namespace": "nowhere", "name": "p",
        "kind": {"group": "box.com", "version": "v1", "kind": "Pki"},
        "resource": {"group": "box.com", "version": "v1", "resource": "pkis"},
        "userInfo": {"username": "owner"},
        "object": {"apiVersion": "box.com/v1", "kind": "Pki",
            "metadata": {"name": "p", "namespace": "nowhere"}, "spec": {"serviceName": "app1"}},
    }})
}

/// The review without a field of its request, or with another value there.
fn review_with(field: &str, value: Option<Value>) -> String {
    let mut review = review();
    let request = review["request"].as_object_mut().unwrap();
    match value {
        Some(value) => request.insert(field.to_owned(), value),
        None => request.remove(field),
    };
    review.to_string()
}

/// The code and the message of an AdmissionReview that refuses.
fn refusal(body: &str) -> (u64, String) {
    let review: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {body}"));
    let response = &review["response"];
    assert_eq!(
        (&review["kind"], &response["uid"]),
        (&json!("AdmissionReview"), &json!("6f5e4d3c"))
    );
    assert_eq!(response["allowed"], json!(false), "{body}");
    let status = &response["status"];
    (status["code"].as_u64().unwrap(), status["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn what_is_no_review_gets_an_http_status_and_a_sentence() {
    let caller = Caller::new().await;
    let (status, said) = caller.post("").await;
    insta::assert_snapshot!(format!("{status} {said}"), @"400 the body is empty: AdmissionReview of admission.k8s.io/v1 is expected");
    let (status, said) = caller.post("rubbish").await;
    insta::assert_snapshot!(format!("{status} {said}"), @"400 the body is not JSON: expected value at line 1 column 1");
    let (status, said) = caller.post("{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}").await;
    insta::assert_snapshot!(format!("{status} {said}"), @r#"400 the body has apiVersion "v1" and kind "Pod": AdmissionReview of admission.k8s.io/v1 is expected"#);
    let (status, said) = caller.post(&review().to_string()[..200]).await;
    insta::assert_snapshot!(format!("{status} {said}"), @"400 the body is not JSON: EOF while parsing a string at line 1 column 200");
    let beta = review().to_string().replace("k8s.io/v1", "k8s.io/v1beta1");
    let (status, said) = caller.post(&beta).await;
    insta::assert_snapshot!(format!("{status} {said}"), @r#"400 the AdmissionReview is of admission.k8s.io/v1beta1, and only admission.k8s.io/v1 is spoken: set admissionReviewVersions: ["v1"] in the webhook's configuration"#);
    let (status, said) = caller.post(&review_with("uid", None)).await;
    insta::assert_snapshot!(format!("{status} {said}"), @"400 the request has no uid");
    let body = review().to_string();
    let (status, said) = caller.request("POST /mutate", "text/yaml", body.as_bytes()).await;
    insta::assert_snapshot!(format!("{status} {said}"), @r#"415 Content-Type is "text/yaml": application/json is expected"#);
    let (status, said) = caller.request("GET /validate", "application/json", b"").await;
    insta::assert_snapshot!(format!("{status} {said}"), @"405 /validate takes no GET: POST is expected");
    let (status, said) = caller.request("POST /", "application/json", body.as_bytes()).await;
    insta::assert_snapshot!(format!("{status} {said}"), @r#"404 there is no "/" here: /mutate and /validate are"#);
    let large = vec![b' '; 8 << 20];
    let (status, said) = caller.request("POST /mutate", "application/json", &large).await;
    insta::assert_snapshot!(format!("{status} {said}"), @"413 the body is longer than 7340032 bytes, which is the limit");
    let (status, _) = caller.send(b"\x16rubbish\r\n\r\n").await;
    assert_eq!(status, 400);
    assert_still_serves(&caller).await;
}

#[tokio::test]
async fn a_review_that_can_be_named_is_refused_by_a_review() {
    let caller = Caller::new().await;
    let answered = async |body: &str| {
        let (status, body) = caller.post(body).await;
        assert_eq!(status, 200, "{body}");
        let (code, message) = refusal(&body);
        format!("{code} {message}")
    };
    insta::assert_snapshot!(answered(&review_with("object", None)).await, @"400 the request has no object, which CREATE must have");
    insta::assert_snapshot!(answered(&review_with("object", Some(json!(7)))).await, @"400 the request's object is not a JSON object");
    insta::assert_snapshot!(answered(&review_with("operation", Some(json!("STEAL")))).await, @r#"400 the request's operation is "STEAL": CREATE, UPDATE, DELETE or CONNECT is expected"#);
    insta::assert_snapshot!(answered(&review_with("operation", None)).await, @"400 the AdmissionReview is malformed: missing field `operation` at line 1 column 399");
    assert_still_serves(&caller).await;
}

#[tokio::test]
async fn a_kind_that_is_not_portreeves_gets_a_sentence() {
    let caller = Caller::new().await;
    let mut review = review();
    review["request"]["kind"] = json!({"group": "", "version": "v1", "kind": "Service"});
    review["request"]["resource"] = json!({"group": "", "version": "v1", "resource": "services"});
    let (status, said) = caller.post(&review.to_string()).await;
    insta::assert_snapshot!(format!("{status} {said}"), @"400 portreeve 0.1.0 does not review services: the webhook configuration should not send it");
    assert_still_serves(&caller).await;
}

/// An honest review has an answer.
async fn assert_still_serves(caller: &Caller) {
    let (status, body) = caller.post(&review().to_string()).await;
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["response"]["uid"], json!("6f5e4d3c"), "{body}");
}
