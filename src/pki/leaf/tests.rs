use std::collections::BTreeSet;

use rcgen::{BasicConstraints, GeneralSubtree, KeyUsagePurpose, NameConstraints};
use rustls_pki_types::{ServerName, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, anchor_from_trusted_cert};

use super::*;
use crate::pki::{Difference, KeyAlgorithm, LeafFacts};

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-21T10:00:00Z")
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

fn authority() -> Authority {
    Authority::create("test CA", days(365), KeyAlgorithm::EcdsaP256, now()).unwrap()
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap()
}

fn app1() -> LeafRequest {
    LeafRequest {
        common_name: Some("app1".to_owned()),
        dns_names: vec!["app1".to_owned(), "app1.box.svc".to_owned(), "*.app1.box.svc".to_owned()],
        ip_addresses: vec!["10.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap()],
        uris: vec!["spiffe://cluster.local/ns/box/sa/app1".to_owned()],
        usages: vec![Usage::ServerAuth, Usage::ClientAuth],
        duration: days(90),
    }
}

fn issue(request: &LeafRequest) -> Result<Leaf, Error> {
    authority().issue(request, &key(), now())
}

/// What a TLS client does with a server's certificate.
fn handshake_check(leaf: &Leaf, authority: &Authority, name: &str) -> Result<(), webpki::Error> {
    let der = &x509::certificates_from_pem(&leaf.certificate_pem).unwrap()[0];
    let certificate = EndEntityCert::try_from(der)?;
    certificate.verify_for_usage(
        ALL_VERIFICATION_ALGS,
        &[anchor_from_trusted_cert(authority.certificate())?],
        &[],
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(
            now().as_second().unsigned_abs(),
        )),
        KeyUsage::server_auth(),
        None,
        None,
    )?;
    certificate.verify_is_valid_for_subject_name(&ServerName::try_from(name).unwrap())
}

#[test]
fn a_leaf_of_every_algorithm_verifies_against_an_authority_of_every_algorithm() {
    let authorities: Vec<_> = KeyAlgorithm::ALL
        .iter()
        .map(|algorithm| Authority::create("test CA", days(365), *algorithm, now()).unwrap())
        .collect();
    for algorithm in KeyAlgorithm::ALL {
        let key = PrivateKey::generate(*algorithm).unwrap();
        for authority in &authorities {
            let leaf = authority.issue(&app1(), &key, now()).unwrap();
            for name in ["app1", "app1.box.svc", "pod-0.app1.box.svc", "10.0.0.1", "fd00::1"] {
                handshake_check(&leaf, authority, name).unwrap();
            }
            let facts = LeafFacts::from_pem(&leaf.certificate_pem).unwrap();
            assert_eq!(facts.algorithm, Some(*algorithm));
            assert!(facts.holds_key(&key));
            assert_eq!(facts.matches(&app1(), *algorithm, authority), Ok(()));
        }
    }
}

#[test]
fn a_leaf_has_the_names_of_its_request_and_no_others() {
    let facts = LeafFacts::from_pem(&issue(&app1()).unwrap().certificate_pem).unwrap();
    assert_eq!(facts.common_name.as_deref(), Some("app1"));
    assert_eq!(facts.dns_names, app1().dns_names.into_iter().collect());
    assert_eq!(facts.ip_addresses, app1().ip_addresses.into_iter().collect());
    assert_eq!(facts.uris, app1().uris.into_iter().collect());
    assert!(!facts.other_names);
}

#[test]
fn a_leaf_without_common_name_has_an_empty_subject() {
    let request = LeafRequest { common_name: None, ..app1() };
    let leaf = issue(&request).unwrap();
    let der = &x509::certificates_from_pem(&leaf.certificate_pem).unwrap()[0];
    let parsed = x509::parse(der).unwrap();
    assert_eq!(parsed.subject().iter_attributes().count(), 0);
    assert!(parsed.subject_alternative_name().unwrap().unwrap().critical);
}

#[test]
fn a_leaf_can_sign_nothing_and_carries_both_key_identifiers() {
    let authority = authority();
    let leaf = authority.issue(&app1(), &key(), now()).unwrap();
    let der = &x509::certificates_from_pem(&leaf.certificate_pem).unwrap()[0];
    let parsed = x509::parse(der).unwrap();
    let basic = parsed.basic_constraints().unwrap().unwrap();
    assert!(basic.critical && !basic.value.ca);
    let usage = parsed.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.digital_signature());
    assert!(!usage.value.key_cert_sign() && !usage.value.key_encipherment());
    let has_own_id = parsed.iter_extensions().any(|it| {
        matches!(
            it.parsed_extension(),
            x509_parser::extensions::ParsedExtension::SubjectKeyIdentifier(_)
        )
    });
    assert!(has_own_id);
    let facts = LeafFacts::from_pem(&leaf.certificate_pem).unwrap();
    assert_eq!(facts.authority_key_id.as_deref(), authority.subject_key_id());
}

#[test]
fn serial_numbers_are_long_positive_random_and_lower_case() {
    let (authority, key) = (authority(), key());
    let serials: BTreeSet<_> =
        (0..50).map(|_| authority.issue(&app1(), &key, now()).unwrap().serial).collect();
    assert_eq!(serials.len(), 50);
    for serial in serials {
        assert_eq!(serial.len(), 2 * SERIAL_BYTES);
        assert!(matches!(serial.as_bytes()[0], b'4'..=b'7'), "{serial}");
        assert_eq!(serial, serial.to_lowercase());
    }
}

#[test]
fn a_leaf_is_backdated_by_five_minutes_and_lasts_from_now_as_long_as_asked() {
    let authority = Authority::create("old", days(365), KeyAlgorithm::EcdsaP256, now()).unwrap();
    let leaf = authority.issue(&app1(), &key(), at("2026-12-01T00:00:00.7Z")).unwrap();
    assert_eq!(leaf.validity.not_before, at("2026-11-30T23:55:00Z"));
    assert_eq!(leaf.validity.not_after, at("2027-03-01T00:00:00Z"));
    assert!(!leaf.clamped);
    let facts = LeafFacts::from_pem(&leaf.certificate_pem).unwrap();
    assert_eq!(facts.validity, leaf.validity);
    assert_eq!(facts.serial, leaf.serial);
}

#[test]
fn a_leaf_never_outlives_its_authority_and_says_that_it_was_cut_short() {
    let authority = authority();
    for duration in [days(366), SignedDuration::MAX] {
        let request = LeafRequest { duration, ..app1() };
        let leaf = authority.issue(&request, &key(), now()).unwrap();
        assert!(leaf.clamped);
        assert_eq!(leaf.validity.not_after, authority.validity().not_after);
        let facts = LeafFacts::from_pem(&leaf.certificate_pem).unwrap();
        assert_eq!(facts.matches(&request, KeyAlgorithm::EcdsaP256, &authority), Ok(()));
    }
    let request = LeafRequest { duration: days(365), ..app1() };
    assert!(!authority.issue(&request, &key(), now()).unwrap().clamped);
}

#[test]
fn an_authority_out_of_its_time_refuses_and_names_the_dates() {
    let authority = authority();
    let late = authority.issue(&app1(), &key(), at("2027-11-21T10:00:01Z")).unwrap_err();
    assert_eq!(
        late.to_string(),
        "CA \"CN=test CA\" expired at 2027-11-21T10:00:00Z; it is 2027-11-21T10:00:01Z now"
    );
    let early = authority.issue(&app1(), &key(), at("2026-11-21T09:54:59Z")).unwrap_err();
    assert_eq!(
        early.to_string(),
        "CA \"CN=test CA\" is not valid before 2026-11-21T09:55:00Z; it is 2026-11-21T09:54:59Z now"
    );
    assert!(authority.issue(&app1(), &key(), at("2027-11-21T10:00:00Z")).is_ok());
}

#[test]
fn a_common_name_of_more_than_64_bytes_is_refused_with_its_length() {
    let request = |name: String| LeafRequest { common_name: Some(name), ..app1() };
    assert!(issue(&request("x".repeat(64))).is_ok());
    let error = issue(&request("é".repeat(33))).unwrap_err();
    assert!(error.to_string().contains("is 66 bytes long"), "{error}");
    assert!(issue(&request(String::new())).is_err());
}

#[test]
fn what_is_no_dns_name_is_refused_and_named() {
    for value in [
        "",
        ".",
        "a..b",
        "app1.",
        "-app1",
        "app 1",
        "app1.bücher.de",
        "*",
        "*.",
        "*.com",
        "a.*.com",
        "**.a.com",
        "*a.b.com",
        "10.0.0.1\0.com",
        &"a.".repeat(127),
        &"a".repeat(64),
    ] {
        let request = LeafRequest { dns_names: vec![value.to_owned()], ..app1() };
        let error = issue(&request).expect_err(value);
        assert!(matches!(&error, Error::DnsName { value: named } if named == value), "{error}");
    }
}

#[test]
fn what_is_no_uri_is_refused_and_named() {
    for value in ["", "app1", ":x", "1a:x", "spiffe:", "spiffe://a b", "spiffe://ü", "http://a\n"]
    {
        let request = LeafRequest { uris: vec![value.to_owned()], ..app1() };
        let error = issue(&request).expect_err(value);
        assert!(matches!(&error, Error::Uri { value: named } if named == value), "{error}");
    }
}

#[test]
fn a_certificate_for_nobody_is_refused() {
    assert!(matches!(issue(&LeafRequest::lasting(days(1))), Err(Error::NoNames)));
}

#[test]
fn a_lifetime_that_is_not_positive_is_refused() {
    for duration in [SignedDuration::ZERO, SignedDuration::from_secs(-5), SignedDuration::MIN] {
        let error = issue(&LeafRequest { duration, ..app1() });
        assert!(matches!(error, Err(Error::Duration { .. })), "{error:?}");
    }
}

#[test]
fn a_name_that_is_asked_for_twice_is_held_once() {
    let mut request = app1();
    request.dns_names.push("app1".to_owned());
    let leaf = issue(&request).unwrap();
    let der = &x509::certificates_from_pem(&leaf.certificate_pem).unwrap()[0];
    let parsed = x509::parse(der).unwrap();
    let names = parsed.subject_alternative_name().unwrap().unwrap();
    assert_eq!(names.value.general_names.len(), 3 + 2 + 1);
}

#[test]
fn usages_that_tls_does_not_know_are_issued_too() {
    for usages in [
        vec![Usage::Any],
        vec![Usage::CodeSigning],
        vec![Usage::IpsecUser],
        vec![Usage::DigitalSignature],
    ] {
        let request = LeafRequest { usages: usages.clone(), ..app1() };
        let facts = LeafFacts::from_pem(&issue(&request).unwrap().certificate_pem).unwrap();
        assert!(usages.iter().all(|usage| facts.usages.contains(usage)), "{:?}", facts.usages);
        assert!(!facts.usages.contains(&Usage::ServerAuth));
    }
}

/// An authority of somebody else's making.
fn foreign(
    issuer: Option<&Authority>,
    change: impl FnOnce(&mut CertificateParams),
) -> Result<Authority, Error> {
    let key = key();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    change(&mut params);
    let pem = match issuer {
        None => params.self_signed(key.pair()).unwrap().pem(),
        Some(issuer) => {
            let signed = params.signed_by(key.pair(), &issuer.issuer().unwrap()).unwrap();
            signed.pem() + &issuer.certificate_pem()
        }
    };
    Authority::from_pem(&pem, &key.pem())
}

#[test]
fn a_name_that_the_authority_may_not_sign_is_refused_before_it_is_stored() {
    let authority = foreign(None, |params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".to_owned())],
            excluded_subtrees: vec![],
        });
    })
    .unwrap();
    let request = |name: &str| LeafRequest {
        dns_names: vec![name.to_owned()],
        ..LeafRequest::lasting(days(1))
    };
    assert!(authority.issue(&request("app1.example.com"), &key(), now()).is_ok());
    let error = authority.issue(&request("app1.example.org"), &key(), now()).unwrap_err();
    assert!(matches!(error, Error::Unverifiable { .. }), "{error}");
}

#[test]
fn a_leaf_of_an_intermediate_comes_with_the_intermediate_but_not_the_root() {
    let root = foreign(None, |params| {
        params.distinguished_name.push(DnType::CommonName, "root");
    })
    .unwrap();
    let intermediate = foreign(Some(&root), |params| {
        params.distinguished_name.push(DnType::CommonName, "intermediate");
    })
    .unwrap();
    let leaf = intermediate.issue(&app1(), &key(), now()).unwrap();
    let chain = x509::certificates_from_pem(&leaf.certificate_pem).unwrap();
    assert_eq!(chain.len(), 2);
    assert_eq!(&chain[1], intermediate.certificate());
}

#[test]
fn an_issuer_with_a_name_of_several_attributes_signs() {
    let authority = foreign(None, |params| {
        params.distinguished_name.push(DnType::OrganizationName, "Box");
        params.distinguished_name.push(DnType::OrganizationalUnitName, "Platform");
        params.distinguished_name.push(DnType::CommonName, "CA");
    })
    .unwrap();
    let leaf = authority.issue(&app1(), &key(), now()).unwrap();
    handshake_check(&leaf, &authority, "app1").unwrap();
}

#[test]
fn a_signature_is_told_from_a_like_named_authority() {
    let (ours, theirs) = (authority(), authority());
    let leaf = ours.issue(&app1(), &key(), now()).unwrap();
    let facts = LeafFacts::from_pem(&leaf.certificate_pem).unwrap();
    assert!(facts.signed_by(&ours));
    assert!(!facts.signed_by(&theirs));
    assert_eq!(
        facts.matches(&app1(), KeyAlgorithm::EcdsaP256, &theirs).unwrap_err().to_string(),
        "it was not signed by CA \"CN=test CA\""
    );
}

#[test]
fn every_difference_is_found_and_said_in_words() {
    let authority = authority();
    let leaf = authority.issue(&app1(), &key(), now()).unwrap();
    let facts = LeafFacts::from_pem(&leaf.certificate_pem).unwrap();
    let say = |request: LeafRequest| -> String {
        facts.matches(&request, KeyAlgorithm::EcdsaP256, &authority).unwrap_err().to_string()
    };
    assert_eq!(
        say(LeafRequest { common_name: None, ..app1() }),
        "its common name is \"app1\", not empty"
    );
    assert_eq!(
        say(LeafRequest { dns_names: vec!["app1".to_owned(), "app2".to_owned()], ..app1() }),
        "its DNS names differ: it lacks app2; it has besides *.app1.box.svc, app1.box.svc"
    );
    assert_eq!(
        say(LeafRequest { ip_addresses: vec![], ..app1() }),
        "its IP addresses differ: it has besides 10.0.0.1, fd00::1"
    );
    assert_eq!(
        say(LeafRequest { uris: vec![], ..app1() }),
        "its URIs differ: it has besides spiffe://cluster.local/ns/box/sa/app1"
    );
    assert_eq!(
        say(LeafRequest { usages: vec![Usage::ServerAuth], ..app1() }),
        "its usages differ: it has besides client auth"
    );
    for duration in [days(30), days(91)] {
        let said = say(LeafRequest { duration, ..app1() });
        assert_eq!(said, format!("it is valid for 2160h, not {}h", duration.as_hours()));
    }
    let other = facts.matches(&app1(), KeyAlgorithm::Rsa2048, &authority).unwrap_err();
    assert!(matches!(other, Difference::KeyAlgorithm { .. }));
    assert_eq!(other.to_string(), "its key is ECDSA 256, not RSA 2048");
}

#[test]
fn a_certificate_that_is_not_ours_is_read_all_the_same() {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::Rfc822Name("a@b.c".try_into().unwrap())];
    let pem = params.self_signed(key().pair()).unwrap().pem();
    let facts = LeafFacts::from_pem(&pem).unwrap();
    assert!(facts.other_names);
    assert!(!facts.signed_by(&authority()));
    for garbage in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(LeafFacts::from_pem(garbage).is_err());
    }
}

#[test]
fn a_certificate_answers_if_it_has_the_key_and_exactly_the_names() {
    let key = key();
    let leaf = authority().issue(&app1(), &key, now()).unwrap();
    let facts = LeafFacts::from_pem(&leaf.certificate_pem).unwrap();
    assert_eq!(facts.answers(&app1(), &key), Ok(()));

    // What an issuer may do as it likes.
    let shorter = LeafRequest { duration: days(3), usages: vec![Usage::CodeSigning], ..app1() };
    assert_eq!(facts.answers(&shorter, &key), Ok(()));
    let common = |name: &str| LeafRequest { common_name: Some(name.to_owned()), ..app1() };
    assert_eq!(facts.answers(&common("app1.box.svc"), &key), Ok(()));
    let with = |change: &dyn Fn(&mut LeafFacts)| {
        let mut changed = facts.clone();
        change(&mut changed);
        changed
    };
    let repeated = with(&|facts| {
        facts.common_name = None;
        facts.dns_names.insert("shop".to_owned());
    });
    assert_eq!(repeated.answers(&common("shop"), &key), Ok(()));

    // What it may not.
    let said = |facts: LeafFacts| facts.answers(&app1(), &key).unwrap_err().to_string();
    assert_eq!(said(repeated), "its DNS names differ: it has besides shop");
    let fewer = with(&|facts| facts.ip_addresses.clear());
    assert_eq!(said(fewer), "its IP addresses differ: it lacks 10.0.0.1, fd00::1");
    let renamed = with(&|facts| facts.common_name = Some("shop".to_owned()));
    assert_eq!(said(renamed), r#"its common name is "shop", not "app1""#);
    let others = with(&|facts| facts.other_names = true);
    assert_eq!(said(others), Difference::OtherNames.to_string());
    assert_eq!(said(with(&|facts| facts.is_authority = true)), "it is a CA's certificate");
    let of_another = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    assert_eq!(facts.answers(&app1(), &of_another), Err(Difference::Key));
}

#[test]
fn a_certificate_says_whether_it_is_a_cas() {
    let is_authority = |pem: &str| LeafFacts::from_pem(pem).unwrap().is_authority;
    assert!(is_authority(&authority().certificate_pem()));
    assert!(!is_authority(&issue(&app1()).unwrap().certificate_pem));
}
