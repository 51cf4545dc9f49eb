//! What is in a Secret, as openssl reads it.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use k8s_openapi::api::core::v1::Secret;

use super::{Space, unique};

/// An entry of a Secret; empty where there is none.
pub fn entry(secret: &Secret, key: &str) -> String {
    let bytes = secret.data.as_ref().and_then(|data| data.get(key));
    bytes.map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned()).unwrap_or_default()
}

/// Runs openssl with the words of `line` and this input, and gives what it prints.
pub fn openssl(line: &str, input: &str) -> String {
    let mut child = Command::new("openssl")
        .args(line.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl starts");
    child.stdin.take().unwrap().write_all(input.as_bytes()).expect("openssl reads");
    let output = child.wait_with_output().expect("openssl ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {line}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Checks that a Secret's certificate is signed by its `ca.crt` and that the key is its own, and
/// gives the names in it.
pub fn verified_names(space: &Space, secret: &Secret) -> String {
    let authority = space.cluster.directory().join(unique());
    fs::write(&authority, entry(secret, "ca.crt")).unwrap();
    let certificate = entry(secret, "tls.crt");
    let line = format!("verify -purpose sslserver -CAfile {}", authority.display());
    assert_eq!(openssl(&line, &certificate), "stdin: OK\n");
    assert_eq!(public_key(secret), openssl("pkey -pubout", &entry(secret, "tls.key")));
    openssl("x509 -noout -ext subjectAltName", &certificate)
}

/// Puts a CA made by openssl, with this common name, into a Secret.
pub fn make_ca(space: &Space, namespace: &str, secret: &str, common_name: &str) {
    let file = |end: &str| {
        let path = space.cluster.directory().join(format!("{}-{secret}.{end}", space.name));
        path.display().to_string()
    };
    let (key, certificate) = (file("key"), file("crt"));
    openssl(&format!("ecparam -name prime256v1 -genkey -noout -out {key}"), "");
    let usage = "-addext keyUsage=critical,keyCertSign,cRLSign";
    let subject = format!("-subj /CN={common_name} -days 30");
    openssl(&format!("req -x509 -new -key {key} -out {certificate} {subject} {usage}"), "");
    let line = format!(
        "create secret tls {secret} --namespace={namespace} --cert={certificate} --key={key}"
    );
    space.kubectl_anywhere(&line, "").ok();
}

/// The public key of a Secret's certificate.
pub fn public_key(secret: &Secret) -> String {
    openssl("x509 -noout -pubkey", &entry(secret, "tls.crt"))
}
