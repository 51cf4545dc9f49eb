//! What keeps a reconciliation from its end.

use thiserror::Error;

use super::authorities::AuthorityError;
use super::said;

/// Why a reconciliation has to be tried again.
#[derive(Debug, Error)]
pub enum Error {
    /// The API server did not answer, or was asked with an outdated version.
    #[error("{doing}: {}", said(source))]
    Api {
        /// What was being done.
        doing: &'static str,
        /// What the client says.
        source: Box<kube::Error>,
    },
    /// The authority's Secret could not be read for now.
    #[error(transparent)]
    Authority(AuthorityError),
    /// The thread that made the certificate ended without one.
    #[error("the certificate was not made: {0}")]
    Lost(String),
}

impl Error {
    pub(super) fn api(doing: &'static str) -> impl FnOnce(kube::Error) -> Self {
        move |source| Self::Api { doing, source: Box::new(source) }
    }
}
