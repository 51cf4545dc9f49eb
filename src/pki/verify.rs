//! webpki's verdict on a certificate: the same code that will judge it in a TLS handshake.

use std::time::Duration;

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{
    ALL_VERIFICATION_ALGS, EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage,
    anchor_from_trusted_cert,
};

/// Accepts every extended key usage: for questions about the signature alone.
pub(super) struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        purposes.into_iter().try_for_each(|purpose| purpose.map(drop))
    }
}

/// What a TLS client does with the certificates that a server shows (the leaf first) when it
/// trusts `anchors` and dialled `name`, a DNS name or an IP address.
///
/// # Errors
/// webpki's verdict. An anchor that can't be parsed is passed over, as TLS clients do.
pub fn verify_server(
    shown: &[CertificateDer<'_>],
    anchors: &[CertificateDer<'_>],
    name: &str,
    now: Timestamp,
) -> Result<(), webpki::Error> {
    let (leaf, intermediates) = shown.split_first().ok_or(webpki::Error::BadDer)?;
    verify(leaf, intermediates, anchors, now, KeyUsage::server_auth())?;
    let name = ServerName::try_from(name).map_err(|_| webpki::Error::MalformedDnsIdentifier)?;
    EndEntityCert::try_from(leaf)?.verify_is_valid_for_subject_name(&name)
}

/// Verifies that `leaf` was signed by `anchor` and is valid at `now` for `usage`.
pub(super) fn verify_chain(
    leaf: &CertificateDer<'_>,
    anchor: &CertificateDer<'_>,
    now: Timestamp,
    usage: impl ExtendedKeyUsageValidator,
) -> Result<(), webpki::Error> {
    verify(leaf, &[], std::slice::from_ref(anchor), now, usage)
}

fn verify(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    anchors: &[CertificateDer<'_>],
    now: Timestamp,
    usage: impl ExtendedKeyUsageValidator,
) -> Result<(), webpki::Error> {
    let anchors: Vec<_> =
        anchors.iter().filter_map(|anchor| anchor_from_trusted_cert(anchor).ok()).collect();
    let since_1970 = Duration::from_secs(u64::try_from(now.as_second()).unwrap_or(0));
    EndEntityCert::try_from(leaf)?
        .verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &anchors,
            intermediates,
            UnixTime::since_unix_epoch(since_1970),
            usage,
            None,
            None,
        )
        .map(drop)
}
