//! Who holds the Secret that a Pki asks for. What Portreeve did not make is never overwritten.

use crate::api::{Enforcement, Finding};
use crate::policy::Snapshot;
use crate::policy::snapshot::KnownPki;

use super::Subject;

/// The reason of a finding that the Secret belongs to another Pki.
pub const CLAIMED: &str = "PkiSecretClaimed";

/// The reason of a finding that the Secret is no Pki's.
pub const FOREIGN: &str = "PkiSecretNotOurs";

/// What is wrong with the Secret's name as the cluster stands: another Pki has it, or somebody
/// else made it.
pub fn findings(subject: &Subject<'_>, snapshot: &Snapshot) -> Option<Finding> {
    let secret_name = subject.secret_name();
    match snapshot.secret(subject.namespace, secret_name) {
        Some(secret) => held(subject, snapshot, secret.pki_uid.as_deref()),
        None => rivals(subject, snapshot)
            .filter(|rival| is_elder(rival, subject))
            .map(|(name, _)| claimed(subject, name))
            .next(),
    }
}

/// What is wrong where the Secret is there and the Pki of this uid owns it, or none does.
pub fn held(subject: &Subject<'_>, snapshot: &Snapshot, pki_uid: Option<&str>) -> Option<Finding> {
    let Some(uid) = pki_uid else { return Some(foreign(subject)) };
    if subject.uid == Some(uid) {
        return None;
    }
    // The Secret of a Pki that is gone goes too: the garbage collector is on its way.
    let mut pkis = snapshot.pkis.get(subject.namespace).into_iter().flatten();
    let (holder, _) = pkis.find(|(_, pki)| pki.uid == uid)?;
    Some(claimed(subject, holder))
}

/// The other Pkis that claim the same Secret.
fn rivals<'a>(
    subject: &Subject<'a>,
    snapshot: &'a Snapshot,
) -> impl Iterator<Item = (&'a str, &'a KnownPki)> + use<'a> {
    let own = subject.name;
    snapshot
        .claimants(subject.namespace, subject.secret_name())
        .filter(move |(name, _)| *name != own)
}

/// What is wrong with an update: the Secret of an issued Pki stays.
pub fn change(subject: &Subject<'_>, before: &Subject<'_>) -> Option<Finding> {
    let (now, then) = (subject.secret_name(), before.secret_name());
    if !before.issued || now == then {
        return None;
    }
    let name = subject.name;
    let problem = format!("can't be changed from {then} once the certificate is issued");
    let finding =
        subject.finding("PkiSecretNameError", "spec.secretName", "SecretName", now, &problem);
    Some(Finding {
        allowed: vec![then.to_owned()],
        enforcement: Enforcement::Deny,
        fix: format!(
            "Set spec.secretName of Pki {name} back to {then}, or make a new Pki for Secret {now}"
        ),
        ..finding
    })
}

/// Whether a rival was there first: the earlier creation, or, of one second, the earlier name.
/// What is not stored yet is the youngest of all.
fn is_elder((name, pki): &(&str, &KnownPki), subject: &Subject<'_>) -> bool {
    match (pki.created, subject.created) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(rival), Some(own)) => (rival, *name) < (own, subject.name),
    }
}

fn claimed(subject: &Subject<'_>, holder: &str) -> Finding {
    let problem = format!("is already claimed by Pki {holder}");
    Finding { reason: CLAIMED.to_owned(), ..taken(subject, &problem) }
}

fn foreign(subject: &Subject<'_>) -> Finding {
    let problem = "is a Secret that Portreeve did not make, and will not overwrite";
    let finding = taken(subject, problem);
    let fix = format!("{}, or delete that Secret if nothing needs it", finding.fix);
    Finding { reason: FOREIGN.to_owned(), fix, ..finding }
}

fn taken(subject: &Subject<'_>, problem: &str) -> Finding {
    let secret_name = subject.secret_name();
    let finding = subject.finding("", "spec.secretName", "SecretName", secret_name, problem);
    let fix = format!("{} to a name that is free", finding.fix);
    let consequence = format!(
        "no certificate is issued for it until then; Secret {secret_name} is left as it is"
    );
    Finding { fix, consequence, ..finding }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{snapshot, spec};
    use super::*;
    use crate::policy::snapshot::KnownSecret;
    use jiff::Timestamp;
    use serde_json::json;

    fn rival(snapshot: &mut Snapshot, name: &str, created: i64) {
        let pki = KnownPki {
            uid: format!("uid-{name}"),
            created: Timestamp::from_second(created).ok(),
            secret_name: "tls".into(),
            spec: Default::default(),
            issued: false,
            trouble: None,
        };
        snapshot.pkis.entry("app1".into()).or_default().insert(name.into(), pki);
    }

    fn held_by(snapshot: &mut Snapshot, pki_uid: Option<&str>) {
        let secret = KnownSecret { pki_uid: pki_uid.map(Into::into), resource_version: "1".into() };
        snapshot.secrets.entry("app1".into()).or_default().insert("tls".into(), secret);
    }

    fn found(snapshot: &Snapshot, uid: Option<&str>, created: Option<i64>) -> Option<String> {
        let spec = spec(json!({"serviceName": "app1", "secretName": "tls"}));
        let subject = Subject {
            namespace: "app1",
            name: "mine",
            uid,
            created: created.and_then(|second| Timestamp::from_second(second).ok()),
            issued: false,
            spec: &spec,
        };
        findings(&subject, snapshot).map(|finding| finding.reason)
    }

    #[test]
    fn the_elder_claim_wins_while_there_is_no_secret() {
        let mut snapshot = snapshot(&[]);
        rival(&mut snapshot, "other", 100);
        assert_eq!(found(&snapshot, None, None).as_deref(), Some(CLAIMED));
        assert_eq!(found(&snapshot, Some("me"), Some(101)).as_deref(), Some(CLAIMED));
        assert_eq!(found(&snapshot, Some("me"), Some(99)), None);
        // "mine" comes before "other".
        assert_eq!(found(&snapshot, Some("me"), Some(100)), None);
    }

    #[test]
    fn the_owner_of_the_secret_wins_once_it_is_there() {
        let mut snapshot = snapshot(&[]);
        rival(&mut snapshot, "other", 100);
        held_by(&mut snapshot, Some("me"));
        assert_eq!(found(&snapshot, Some("me"), Some(200)), None);
        held_by(&mut snapshot, Some("uid-other"));
        assert_eq!(found(&snapshot, Some("me"), Some(50)).as_deref(), Some(CLAIMED));
    }

    #[test]
    fn a_secret_that_nobody_of_ours_made_is_not_taken() {
        let mut snapshot = snapshot(&[]);
        held_by(&mut snapshot, None);
        assert_eq!(found(&snapshot, Some("me"), Some(1)).as_deref(), Some(FOREIGN));
    }

    #[test]
    fn the_secret_of_a_pki_that_is_gone_is_no_obstacle() {
        let mut snapshot = snapshot(&[]);
        held_by(&mut snapshot, Some("gone"));
        assert_eq!(found(&snapshot, None, None), None);
    }
}
