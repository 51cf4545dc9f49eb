//! Certificates that an authority of ours signs: at once.

use std::sync::Arc;

use crate::api::pki_policy::CaIssuer;
use crate::pki::{Authority, LeafFacts, PrivateKey};
use crate::policy::pki::issuance;

use super::super::secret::Wanted;
use super::super::{Context, Error};
use super::{Certificate, Obtained, Order, RETRY_BLOCKED, away};

/// Through what a certificate ends early.
const WITH_ITS_CA: &str = "together with its CA";

pub(super) async fn obtain(
    order: &Order<'_>,
    ca: &CaIssuer,
    context: &Context,
) -> Result<Obtained, Error> {
    let policy = &order.rules.name;
    let authority = match context.authorities.get(ca, &context.cache, order.now).await {
        Ok(authority) => authority,
        Err(error) if error.is_passing() => return Err(Error::Authority(error)),
        Err(error) => {
            let finding = issuance::issuer_not_ready(&order.subject(), policy, &error.to_string());
            return Ok(Obtained::Blocked(Box::new(finding), RETRY_BLOCKED));
        }
    };
    let made = match outdated(order, &authority) {
        None => kept(order, &authority),
        Some(why) => issued(order, &authority, why).await?,
    };
    Ok(match made {
        Ok(certificate) => Obtained::Certificate(Box::new(certificate)),
        // Key or certificate can't be made as asked; more tries won't change that.
        Err(error) => {
            let finding = issuance::not_issued(&order.subject(), policy, &error.to_string());
            Obtained::Blocked(Box::new(finding), RETRY_BLOCKED)
        }
    })
}

/// Why the certificate has to be replaced; none where it will do.
fn outdated(order: &Order<'_>, authority: &Authority) -> Option<String> {
    let Some(holding) = &order.holding else { return Some("there is no Secret".to_owned()) };
    let request = &order.request;
    let facts = match holding.facts(request.algorithm) {
        Ok(facts) => facts,
        Err(why) => return Some(why),
    };
    if let Err(difference) = facts.matches(&request.leaf, request.algorithm, authority) {
        return Some(difference.to_string());
    }
    if facts.validity.not_after >= authority.validity().not_after {
        // It ends with its authority: another would end no later.
        return None;
    }
    request.due(facts.validity, order.seed(), order.now)
}

/// The certificate that is there.
fn kept(order: &Order<'_>, authority: &Authority) -> Result<Certificate, crate::pki::Error> {
    let (certificate, key) =
        order.holding.as_ref().and_then(|holding| holding.pair()).unwrap_or_default();
    let facts = LeafFacts::from_pem(certificate)?;
    let wished = facts.validity.not_before + order.request.leaf.duration;
    let shortened = (facts.validity.not_after < wished).then(|| WITH_ITS_CA.to_owned());
    let wanted = Wanted::new(certificate, key, Some(authority.certificate_pem()))?;
    Ok(Certificate { wanted, why_new: None, shortened })
}

/// A new certificate.
async fn issued(
    order: &Order<'_>,
    authority: &Arc<Authority>,
    why: String,
) -> Result<Result<Certificate, crate::pki::Error>, Error> {
    let (signer, request, now) = (authority.clone(), order.request.clone(), order.now);
    let kept = order.kept_key();
    let made = away(move || {
        let key = match kept {
            Some(key) => key,
            None => PrivateKey::generate(request.algorithm)?,
        };
        let leaf = signer.issue(&request.leaf, &key, now)?;
        Ok((leaf, key))
    });
    Ok(made.await?.and_then(|(leaf, key)| {
        let ca_bundle = Some(authority.certificate_pem());
        Ok(Certificate {
            wanted: Wanted::new(&leaf.certificate_pem, &key.pem(), ca_bundle)?,
            why_new: Some(why),
            shortened: leaf.clamped.then(|| WITH_ITS_CA.to_owned()),
        })
    }))
}
