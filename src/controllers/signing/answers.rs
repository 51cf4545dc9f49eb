//! What an answer of cert-manager comes to, and what its silence does: pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::api::pki_policy::IssuerRef;
use crate::pki::LeafFacts;
use crate::policy::pki::issuance;

use super::super::secret::Wanted;
use super::cert_manager::Open;
use super::fingerprint::Asked;
use super::issuer::State;
use super::{Certificate, Obtained, Order, RETRY_BLOCKED};

/// How long an issuer may take before its silence is told.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// How long one that can't sign may be so before that is told.
pub(super) const GRACE: SignedDuration = SignedDuration::from_secs(5);

/// How long after a refusal the issuer is asked again, though nothing has changed.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// How soon, and how rarely, an open request is looked at.
pub(super) const FIRST_LOOK: Duration = Duration::from_secs(1);
const RAREST_LOOK: Duration = Duration::from_secs(30);

/// What an issuer may round off of a lifetime without being said to have shortened it.
const ROUNDING: SignedDuration = SignedDuration::from_mins(5);

/// The sentence that says who is asked.
pub(super) fn waits(issuer: &IssuerRef, open: &Open) -> String {
    format!("{issuer} is asked by CertificateRequest {}", open.name)
}

/// There is no answer yet.
pub(super) fn still_open(
    order: &Order<'_>,
    issuer: &IssuerRef,
    open: &Open,
    said: Option<String>,
    state: &State,
) -> Obtained {
    let name = &open.name;
    let age = order.now.duration_since(open.since);
    let look_again = Duration::try_from(age).unwrap_or_default() / 4;
    let look_again = look_again.clamp(FIRST_LOOK, RAREST_LOOK);
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    let known =
        state.problem().map(|it| format!("{issuer} {it}; CertificateRequest {name} waits for it"));
    let silence = (age >= PATIENCE).then(|| {
        format!("{issuer} has not answered CertificateRequest {name} since {:.0}{said}", open.since)
    });
    match known.or(silence) {
        Some(problem) => {
            let policy = &order.rules.name;
            let finding = issuance::issuer_not_ready(&order.subject(), policy, &problem);
            Obtained::Blocked(Box::new(finding), look_again)
        }
        None => Obtained::Pending(format!("{}{said}", waits(issuer, open)), look_again),
    }
}

/// It is signed; none where the issuer is to be asked again, because it gave something else.
pub(super) fn signed(
    order: &Order<'_>,
    issuer: &IssuerRef,
    open: &Open,
    chain: &str,
    ca: Option<String>,
    why: &str,
) -> Option<Obtained> {
    match unfit(order, open, chain) {
        None => {
            let why = Some(why.to_owned());
            Some(certificate(order, &open.asked, chain, &open.key.pem(), ca, why))
        }
        Some(problem) => refused(order, issuer, open, &problem, None),
    }
}

/// Why what was given can't be taken. One that would be renewed at once can't, or there would be no
/// end of asking.
fn unfit(order: &Order<'_>, open: &Open, chain: &str) -> Option<String> {
    let facts = match LeafFacts::from_pem(chain) {
        Ok(facts) => facts,
        Err(error) => return Some(format!("what it gave can't be read: {error}")),
    };
    if let Err(difference) = facts.answers(&order.request.leaf, &open.key) {
        return Some(format!("it gave another certificate: {difference}"));
    }
    let due = order.request.due(facts.validity, order.seed(), order.now)?;
    Some(format!("it gave a certificate that ends at {}: {due}", facts.validity.not_after))
}

/// It won't be signed; none where the issuer is to be asked again.
pub(super) fn refused(
    order: &Order<'_>,
    issuer: &IssuerRef,
    open: &Open,
    why: &str,
    at: Option<Timestamp>,
) -> Option<Obtained> {
    // The time is the issuer's word; an old one must not lead to asking without end.
    if order.now > at.unwrap_or(open.since).max(open.since) + ASK_AGAIN {
        return None;
    }
    let problem = format!("{issuer}, CertificateRequest {}: {why}", open.name);
    let finding = issuance::not_issued(&order.subject(), &order.rules.name, &problem);
    Some(Obtained::Blocked(Box::new(finding), RETRY_BLOCKED))
}

/// A certificate that will do.
pub(super) fn certificate(
    order: &Order<'_>,
    asked: &Asked,
    chain: &str,
    key: &str,
    ca: Option<String>,
    why_new: Option<String>,
) -> Obtained {
    let note = asked.note(chain, ca.as_deref());
    let wanted = match Wanted::new(chain, key, ca) {
        Ok(wanted) => wanted.issued_for(note),
        Err(error) => {
            let (subject, policy) = (order.subject(), &order.rules.name);
            let finding = issuance::not_issued(&subject, policy, &error.to_string());
            return Obtained::Blocked(Box::new(finding), RETRY_BLOCKED);
        }
    };
    let is_short = wanted.facts.validity.lifetime() + ROUNDING < order.request.leaf.duration;
    let shortened = is_short.then(|| "as its issuer gave it".to_owned());
    Obtained::Certificate(Box::new(Certificate { wanted, why_new, shortened }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::api::finding::Outcome;
    use crate::api::{Pki, PkiPolicy};
    use crate::pki::{Authority, KeyAlgorithm, LeafRequest, PrivateKey};
    use crate::policy::pki::{PkiRules, Subject, certificate::request};
    use serde_json::json;

    const BEGUN: Timestamp = Timestamp::constant(1_767_225_600, 0);

    /// Of a Pki that asks for three days, what comes of it after this time.
    fn after(
        age: SignedDuration,
        come: impl FnOnce(&Order<'_>, &IssuerRef, &Open) -> Option<Obtained>,
    ) -> String {
        let pki: Pki = serde_json::from_value(json!({
            "metadata": {"name": "app1-pki", "namespace": "shop", "uid": "u"},
            "spec": {"serviceName": "app1", "duration": "72h"},
        }))
        .unwrap();
        let issuer: IssuerRef = serde_json::from_value(json!({"name": "ca"})).unwrap();
        let policy: PkiPolicy = serde_json::from_value(json!({
            "metadata": {"name": "p"},
            "spec": {
                "namespaceSelector": {},
                "allowedNames": ["app1"],
                "issuer": {"certManager": {"issuerRef": issuer}},
            },
        }))
        .unwrap();
        let rules = PkiRules::compile(&policy).unwrap();
        let request = request(&Subject::stored(&pki), &rules);
        let asked = Asked::of(&request, &issuer);
        let order = Order { pki: &pki, rules: &rules, request, holding: None, now: BEGUN + age };
        let key = Arc::new(PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
        let open = Open { name: "app1-pki-x".to_owned(), key, asked, since: BEGUN };
        match come(&order, &issuer, &open) {
            None => "it is asked again".to_owned(),
            Some(Obtained::Certificate(it)) => {
                format!("new: {:?}; short: {:?}", it.why_new, it.shortened)
            }
            Some(Obtained::Pending(text, again)) => format!("in {again:?}: {text}"),
            Some(Obtained::Blocked(finding, again)) => {
                format!("in {again:?}: {} {}", finding.reason, finding.text(Outcome::Stored))
            }
        }
    }

    fn seconds(count: i64) -> SignedDuration {
        SignedDuration::from_secs(count)
    }

    fn waiting(age: SignedDuration, said: Option<&str>, state: &State) -> String {
        after(age, |order, issuer, open| {
            Some(still_open(order, issuer, open, said.map(str::to_owned), state))
        })
    }

    #[test]
    fn silence_is_told_after_a_minute_and_looked_at_ever_more_rarely() {
        let waits = |age: i64| waiting(seconds(age), Some("on its way"), &State::Ready);
        insta::assert_snapshot!(waits(0), @"in 1s: Issuer ca of cert-manager is asked by CertificateRequest app1-pki-x: on its way");
        insta::assert_snapshot!(waits(40), @"in 10s: Issuer ca of cert-manager is asked by CertificateRequest app1-pki-x: on its way");
        insta::assert_snapshot!(waits(59), @"in 14.75s: Issuer ca of cert-manager is asked by CertificateRequest app1-pki-x: on its way");
        insta::assert_snapshot!(waits(60), @"in 15s: PkiIssuerNotReady Issuer: PkiPolicy p, which pki: app1-pki falls under, can't sign: Issuer ca of cert-manager has not answered CertificateRequest app1-pki-x since 2026-01-01T00:00:00Z: on its way. Nothing is wrong with Pki app1-pki; tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");
        insta::assert_snapshot!(waits(9999), @"in 30s: PkiIssuerNotReady Issuer: PkiPolicy p, which pki: app1-pki falls under, can't sign: Issuer ca of cert-manager has not answered CertificateRequest app1-pki-x since 2026-01-01T00:00:00Z: on its way. Nothing is wrong with Pki app1-pki; tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");
    }

    #[test]
    fn what_is_known_to_keep_an_issuer_from_signing_is_told_at_once() {
        let waits = |state: State| waiting(GRACE, None, &state);
        insta::assert_snapshot!(waits(State::Missing(Some("shop".to_owned()))), @"in 1.25s: PkiIssuerNotReady Issuer: PkiPolicy p, which pki: app1-pki falls under, can't sign: Issuer ca of cert-manager is missing in namespace shop; CertificateRequest app1-pki-x waits for it. Nothing is wrong with Pki app1-pki; tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");
        insta::assert_snapshot!(waits(State::NotReady("no CA".to_owned())), @"in 1.25s: PkiIssuerNotReady Issuer: PkiPolicy p, which pki: app1-pki falls under, can't sign: Issuer ca of cert-manager is not ready: no CA; CertificateRequest app1-pki-x waits for it. Nothing is wrong with Pki app1-pki; tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");
        insta::assert_snapshot!(waits(State::NotInstalled), @"in 1.25s: PkiIssuerNotReady Issuer: PkiPolicy p, which pki: app1-pki falls under, can't sign: Issuer ca of cert-manager can't be asked: the cluster lacks the kinds of cert-manager.io/v1, which come with cert-manager; CertificateRequest app1-pki-x waits for it. Nothing is wrong with Pki app1-pki; tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");
        // Nothing is known of these.
        insta::assert_snapshot!(waits(State::Unknown), @"in 1.25s: Issuer ca of cert-manager is asked by CertificateRequest app1-pki-x");
        insta::assert_snapshot!(waits(State::Unreadable("forbidden".to_owned())), @"in 1.25s: Issuer ca of cert-manager is asked by CertificateRequest app1-pki-x");
    }

    #[test]
    fn a_refusal_is_told_and_after_ten_minutes_it_is_asked_again() {
        let refused_at = |at: Option<Timestamp>| {
            move |order: &Order<'_>, issuer: &IssuerRef, open: &Open| {
                refused(order, issuer, open, "not on Sundays", at)
            }
        };
        insta::assert_snapshot!(after(seconds(600), refused_at(None)), @"in 60s: PkiNotIssued Certificate: of pki: app1-pki can't be made under PkiPolicy p: Issuer ca of cert-manager, CertificateRequest app1-pki-x: not on Sundays. Change what Pki app1-pki asks for if that is the cause, else tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");
        assert_eq!(after(seconds(601), refused_at(None)), "it is asked again");
        // It took its time.
        let late = Some(BEGUN + seconds(500));
        assert_ne!(after(seconds(601), refused_at(late)), "it is asked again");
        // A time of before it was asked would have it asked without end.
        let wrong = Some(BEGUN - seconds(9999));
        assert_ne!(after(seconds(1), refused_at(wrong)), "it is asked again");
    }

    /// What comes of a certificate that an issuer made `early` before it was asked, for what
    /// `change` makes of the request.
    fn gives(early: SignedDuration, change: impl FnOnce(&mut LeafRequest)) -> String {
        after(seconds(2), |order, issuer, open| {
            let year = SignedDuration::from_hours(365 * 24);
            let at = BEGUN - early;
            let ca = Authority::create("ca", year, KeyAlgorithm::EcdsaP256, at).unwrap();
            let mut leaf = order.request.leaf.clone();
            change(&mut leaf);
            let leaf = ca.issue(&leaf, &open.key, at).unwrap();
            signed(order, issuer, open, &leaf.certificate_pem, None, "there is no Secret")
        })
    }

    #[test]
    fn what_an_issuer_gives_is_taken_if_it_is_for_the_names() {
        let none = SignedDuration::ZERO;
        assert_eq!(gives(none, |_| {}), r#"new: Some("there is no Secret"); short: None"#);
        let shorter = |leaf: &mut LeafRequest| leaf.duration = SignedDuration::from_hours(2);
        insta::assert_snapshot!(gives(none, shorter), @r#"new: Some("there is no Secret"); short: Some("as its issuer gave it")"#);
        let another = |leaf: &mut LeafRequest| leaf.dns_names.push("shop.example.com".to_owned());
        insta::assert_snapshot!(gives(none, another), @"in 60s: PkiNotIssued Certificate: of pki: app1-pki can't be made under PkiPolicy p: Issuer ca of cert-manager, CertificateRequest app1-pki-x: it gave another certificate: its DNS names differ: it has besides shop.example.com. Change what Pki app1-pki asks for if that is the cause, else tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");
    }

    #[test]
    fn a_certificate_that_would_be_renewed_at_once_is_not_taken() {
        insta::assert_snapshot!(gives(SignedDuration::from_hours(70), |_| {}), @"in 60s: PkiNotIssued Certificate: of pki: app1-pki can't be made under PkiPolicy p: Issuer ca of cert-manager, CertificateRequest app1-pki-x: it gave a certificate that ends at 2026-01-01T02:00:00Z: it was to be renewed at 2025-12-31T02:46:04Z. Change what Pki app1-pki asks for if that is the cause, else tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");
        let rubbish = |order: &Order<'_>, issuer: &IssuerRef, open: &Open| {
            signed(order, issuer, open, "rubbish", None, "")
        };
        insta::assert_snapshot!(after(seconds(2), rubbish), @"in 60s: PkiNotIssued Certificate: of pki: app1-pki can't be made under PkiPolicy p: Issuer ca of cert-manager, CertificateRequest app1-pki-x: what it gave can't be read: no certificate could be read: there is no such PEM section. Change what Pki app1-pki asks for if that is the cause, else tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");
    }
}
