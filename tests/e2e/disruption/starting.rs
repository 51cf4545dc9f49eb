//! Replicas that start where nothing is installed yet.

use std::net::SocketAddr;
use std::sync::Arc;

use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use kube::Api;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{QUICK, Scene, stop};
use crate::harness::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn replicas_wait_for_what_is_missing_and_of_two_that_start_together_one_makes_the_ca() {
    let Some(scene) = Scene::bare().await else { return };
    let replicas = [scene.start(&QUICK), scene.start(&QUICK)];
    for replica in &replicas {
        eventually("it lives, and says what is missing", async || {
            let missing = ["PkiPolicies", "Pkis", "namespace \"portreeve\""];
            match (replica.get("/livez"), replica.get("/readyz")) {
                (Ok((200, _)), Ok((503, why))) if missing.iter().all(|it| why.contains(it)) => {
                    Ok(())
                }
                other => Err((format!("{other:?}"), replica.log())),
            }
        })
        .await;
    }

    scene.install_at(replicas[0].url(), &[]);
    for replica in &replicas {
        replica.await_readiness();
    }
    let made = "made the Secret of the serving CA";
    let logs = replicas.each_ref().map(|replica| replica.log());
    let makers = logs.iter().map(|log| log.matches(made).count());
    assert_eq!(makers.sum::<usize>(), 1, "{logs:#?}");

    let bundles = ca_bundles(&scene).await;
    for bundle in &bundles {
        assert_eq!(CertificateDer::pem_slice_iter(bundle).count(), 1);
        for replica in &replicas {
            shake_hands(replica.webhook(), bundle).await.expect("its certificate verifies");
        }
    }
    replicas.into_iter().for_each(stop);
}

/// What the API server trusts when it calls: by both configurations.
async fn ca_bundles(scene: &Scene) -> [Vec<u8>; 2] {
    let mutating: Api<MutatingWebhookConfiguration> = Api::all(scene.client.clone());
    let mutating = mutating.get("portreeve").await.unwrap().webhooks.unwrap().remove(0);
    let validating: Api<ValidatingWebhookConfiguration> = Api::all(scene.client.clone());
    let validating = validating.get("portreeve").await.unwrap().webhooks.unwrap().remove(0);
    [mutating.client_config, validating.client_config].map(|client| client.ca_bundle.unwrap().0)
}

/// A TLS handshake as the API server makes it.
async fn shake_hands(address: SocketAddr, bundle: &[u8]) -> std::io::Result<()> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::from(address.ip());
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map(drop)
}
