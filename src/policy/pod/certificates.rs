//! The certificates that a Pod reads: the Secret that it asks for by annotation, and those of Pkis
//! that have none to give.

use crate::api::finding::{MAX_ALLOWED_KEPT, clipped, listed, shown};
use crate::api::names::{PKI_ANNOTATION, PKI_MODE_ANNOTATION, PKI_MOUNT_PATH_ANNOTATION};
use crate::api::pod_policy::{EventsMode, RefusalReason};
use crate::api::{Enforcement, Finding};
use crate::cel::Json;
use crate::policy::Snapshot;
use crate::policy::mounts::secrets_in;
use crate::policy::nearest::nearest;
use crate::policy::pki;
use crate::policy::pki::ownership::{CLAIMED, FOREIGN};
use crate::policy::snapshot::{KnownPki, Trouble};

use super::inject::Injection;
use super::judge::annotation;
use super::{Found, Workload};

/// Where the Secret is mounted unless the owner says otherwise.
pub const DEFAULT_MOUNT_PATH: &str = "/etc/pki/box.com";

/// The mode of its files unless the owner says otherwise: for every user of the container to read.
pub const DEFAULT_MODE: u32 = 0o444;

/// The name of the volume.
const VOLUME: &str = "box-com-pki";

/// The reason of a finding that there is no Pki of the name.
pub const NOT_FOUND: &str = "PkiNotFound";

/// The reason of a finding that the Secret can't be mounted as the annotations say.
pub const MOUNT_ERROR: &str = "PkiMountError";

/// What mounts the Secret that a Pod asks for by annotation, if it asks for one that can be mounted.
pub fn injection(pod: &Json<'_>, namespace: &str, snapshot: &Snapshot) -> Option<Injection> {
    let name = annotation(pod, PKI_ANNOTATION)?;
    let pki = snapshot.pki(namespace, name)?;
    let path = mount_path(pod).ok()?;
    let mode = mode(pod).ok()?;
    if is_of_another(namespace, pki, snapshot) {
        return None;
    }
    let whole = serde_json::json!({"spec": {
        "containers": [mounted("*", path)],
        "initContainers": [mounted("*", path)],
        "volumes": [{"name": VOLUME, "secret": {"secretName": pki.secret_name, "defaultMode": mode}}],
    }});
    Injection::compile(&whole).ok()
}

fn mounted(container: &str, path: &str) -> serde_json::Value {
    let mount = serde_json::json!({"name": VOLUME, "mountPath": path, "readOnly": true});
    serde_json::json!({"name": container, "volumeMounts": [mount]})
}

/// Whether the Secret that a Pki asks for is there, and not its own.
fn is_of_another(namespace: &str, pki: &KnownPki, snapshot: &Snapshot) -> bool {
    let stored = snapshot.secret(namespace, &pki.secret_name);
    stored.is_some_and(|stored| stored.pki_uid.as_ref() != Some(&pki.uid))
}

/// Where the Secret is to be mounted.
///
/// # Errors
/// The value, where Kubernetes would not take it, and what is expected.
fn mount_path<'p>(pod: &'p Json<'_>) -> Result<&'p str, (&'p str, &'static str)> {
    match annotation(pod, PKI_MOUNT_PATH_ANNOTATION) {
        None => Ok(DEFAULT_MOUNT_PATH),
        Some(path) if path.starts_with('/') && !path.contains(':') => Ok(path),
        Some(path) => Err((path, "an absolute path without a colon, such as /etc/tls")),
    }
}

/// The mode of the files of the Secret.
///
/// # Errors
/// The value, where it is no mode, and what is expected.
fn mode<'p>(pod: &'p Json<'_>) -> Result<u32, (&'p str, &'static str)> {
    let Some(text) = annotation(pod, PKI_MODE_ANNOTATION) else { return Ok(DEFAULT_MODE) };
    let read = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    read.filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or((text, "octal digits from 0000 to 0777, such as 0440"))
}

/// What is wrong with the certificates that a Pod reads or asks for.
pub(super) fn findings(
    pod: &Json<'_>,
    namespace: &str,
    workload: Workload,
    snapshot: &Snapshot,
) -> Vec<Found> {
    let mut findings = asked_for(pod, namespace, workload, snapshot);
    for (secret, path) in secrets_in(pod) {
        let field = format!("{}{path}", workload.prefix());
        findings.extend(of_secret(namespace, secret, &field, snapshot));
    }
    let found =
        |finding| Found { finding, refusal: RefusalReason::Forbidden, events: EventsMode::Warning };
    findings.into_iter().map(found).collect()
}

/// What is wrong with what the annotations ask for.
fn asked_for(
    pod: &Json<'_>,
    namespace: &str,
    workload: Workload,
    snapshot: &Snapshot,
) -> Vec<Finding> {
    let Some(name) = annotation(pod, PKI_ANNOTATION) else { return Vec::new() };
    let mut findings = Vec::new();
    let field = |key: &str| format!("{}metadata.annotations[{key:?}]", workload.prefix());
    for (key, wrong) in
        [(PKI_MOUNT_PATH_ANNOTATION, mount_path(pod).err()), (PKI_MODE_ANNOTATION, mode(pod).err())]
    {
        let Some((value, expected)) = wrong else { continue };
        let field = field(key);
        let fault = format!("{field}: {value:?} is not {expected}", value = shown(value));
        findings.push(Finding {
            reason: MOUNT_ERROR.to_owned(),
            value: Some(clipped(value)),
            fix: format!("Set annotation {key}, and make the Pod anew"),
            consequence: "the certificate is not mounted".to_owned(),
            ..warning(field, name, fault)
        });
    }
    let known = snapshot.pki(namespace, name);
    if let Some(pki) = known.filter(|pki| is_of_another(namespace, pki, snapshot)) {
        let (field, secret) = (field(PKI_ANNOTATION), &pki.secret_name);
        let fault = format!("{field}: Secret {secret} is not that of Pki {name}");
        findings.push(Finding {
            reason: MOUNT_ERROR.to_owned(),
            value: Some(clipped(name)),
            fix: format!("Mend Pki {name}, and make the Pod anew"),
            consequence: "no certificate is mounted".to_owned(),
            ..warning(field, name, fault)
        });
    }
    if known.is_none() {
        let known: Vec<&str> = snapshot
            .pkis
            .get(namespace)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        let field = field(PKI_ANNOTATION);
        let there_are = match known.as_slice() {
            [] => "there is none in it".to_owned(),
            names => format!(
                "there are {}",
                listed(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(),)
            ),
        };
        findings.push(Finding {
            reason: NOT_FOUND.to_owned(),
            value: Some(clipped(name)),
            allowed: known.iter().map(|name| (*name).to_owned()).take(MAX_ALLOWED_KEPT).collect(),
            nearest: nearest(name, known.iter().copied()).map(str::to_owned),
            fix: "Name another, or make that one; then make the Pod anew".to_owned(),
            consequence: "no certificate is mounted".to_owned(),
            ..warning(
                field.clone(),
                name,
                format!("{field}: no Pki {} in namespace {namespace}: {there_are}", shown(name)),
            )
        });
    }
    findings
}

/// What is wrong with the Pki whose Secret is read.
fn of_secret(namespace: &str, secret: &str, field: &str, snapshot: &Snapshot) -> Vec<Finding> {
    let stored = snapshot.secret(namespace, secret);
    if stored.is_some_and(|stored| stored.pki_uid.is_none()) {
        // Somebody else's Secret: it is there, and no Pki's affair.
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut is_claimed = false;
    for (name, known) in snapshot.claimants(namespace, secret) {
        is_claimed = true;
        findings.extend(of_pki(namespace, name, known, field, snapshot));
    }
    if let Some(stored) = stored
        && !is_claimed
        && !owner_is_known(namespace, stored.pki_uid.as_deref(), snapshot)
    {
        findings.push(Finding {
            reason: NOT_FOUND.to_owned(),
            value: Some(clipped(secret)),
            fix: "Make the Pki again, or mount another Secret".to_owned(),
            consequence: "the Secret goes with its Pki".to_owned(),
            ..warning(
                field.to_owned(),
                secret,
                format!("{field}: the Pki of Secret {secret} is gone"),
            )
        });
    }
    findings
}

fn owner_is_known(namespace: &str, uid: Option<&str>, snapshot: &Snapshot) -> bool {
    let mut pkis = snapshot.pkis.get(namespace).into_iter().flatten();
    pkis.any(|(_, pki)| Some(pki.uid.as_str()) == uid)
}

/// What is told on the Pki, told on whoever reads its Secret.
fn of_pki(
    namespace: &str,
    name: &str,
    known: &KnownPki,
    field: &str,
    snapshot: &Snapshot,
) -> Vec<Finding> {
    let subject = pki::Subject {
        namespace,
        name,
        uid: Some(&known.uid),
        created: known.created,
        issued: known.issued,
        spec: &known.spec,
    };
    let judged = pki::judge(&subject, snapshot).findings;
    if judged.is_empty() {
        return known.trouble.iter().map(|trouble| of_trouble(name, trouble, field)).collect();
    }
    judged
        .into_iter()
        .filter(|finding| ![CLAIMED, FOREIGN].contains(&finding.reason.as_str()))
        .map(|finding| Finding {
            policy: None,
            rule: Some(rule(name)),
            field: field.to_owned(),
            enforcement: Enforcement::Warn,
            ..finding
        })
        .collect()
}

/// A Pki that is allowed, and has no certificate all the same.
fn of_trouble(name: &str, Trouble { reason, message }: &Trouble, field: &str) -> Finding {
    Finding {
        reason: reason.clone(),
        enforcement: Enforcement::Inform,
        ..warning(field.to_owned(), name, format!("Pki {name}: {}", message.trim_end_matches('.')))
    }
}

fn warning(field: String, pki: &str, fault: String) -> Finding {
    Finding {
        reason: String::new(),
        field,
        value: None,
        allowed: Vec::new(),
        policy: None,
        rule: Some(rule(pki)),
        enforcement: Enforcement::Warn,
        fault,
        nearest: None,
        fix: String::new(),
        consequence: String::new(),
        past_webhook: false,
    }
}

/// What says so, where it is a Pki and no policy.
fn rule(pki: &str) -> String {
    format!("pki {pki}")
}
