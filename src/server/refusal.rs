//! Requests that get no answer of the decision, and what they get instead.

use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Endpoint;
use crate::admission::review::ReviewError;

/// Why the decision was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undecided {
    /// It can't be made yet: `the cluster's PkiPolicies have not been read yet`. The API server
    /// asks again.
    NotReady(String),
    /// It is not this server's to make: `portreeve does not review pods`.
    NotOurs(String),
}

/// Why a webhook call was refused. What happens to the object then is for the webhook's
/// `failurePolicy` to say, except where a [`Refusal::Review`] knows its uid.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There are as many reviews in hand as the limits allow.
    #[error("the limit of {0} reviews in hand is reached: ask again")]
    Busy(usize),
    /// The bodies in hand take as much memory as the limits allow.
    #[error("the limit of {0} bytes for all bodies in hand is reached: ask again")]
    BodiesFull(usize),
    /// The body is declared to be something else than JSON.
    #[error("Content-Type is {0:?}: application/json is expected")]
    ContentType(String),
    /// The body is longer than the limits allow.
    #[error("the body is longer than {0} bytes, which is the limit")]
    BodyTooLarge(usize),
    /// The body did not arrive whole.
    #[error("the body broke off: {0}")]
    BodyLost(#[source] axum::Error),
    /// The body did not arrive in time.
    #[error("the body did not arrive within {0:?}")]
    BodyTooSlow(Duration),
    /// The body is no admission request.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// The decision can't be made yet.
    #[error("not ready to decide: {0}")]
    NotReady(String),
    /// The decision is not this server's to make.
    #[error("{0}")]
    NotOurs(String),
    /// The decision panicked; the text has no more, because it may be shown to anyone.
    #[error("the decision of {} failed by a fault of Portreeve's: its log has the cause", .0.path())]
    Panicked(Endpoint),
}

impl From<Undecided> for Refusal {
    fn from(undecided: Undecided) -> Self {
        match undecided {
            Undecided::NotReady(why) => Self::NotReady(why),
            Undecided::NotOurs(why) => Self::NotOurs(why),
        }
    }
}

impl Refusal {
    /// The HTTP status that goes with it.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Busy(_) | Self::BodiesFull(_) | Self::NotReady(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::ContentType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyLost(_) | Self::Review(_) | Self::NotOurs(_) => StatusCode::BAD_REQUEST,
            Self::BodyTooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Panicked(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether it is for want of room, and not for anything in the request.
    pub fn is_shed(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::BodiesFull(_))
    }

    /// The request's uid, where it is known and an AdmissionReview is to carry the refusal.
    pub fn uid(&self) -> Option<&str> {
        match self {
            Self::Review(error) => error.uid(),
            _ => None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Self::Review(error) = &self
            && let Some(uid) = error.uid()
        {
            return json(error.answer().to_json(uid));
        }
        let status = self.status();
        let mut response = text(status, &self.to_string());
        if status == StatusCode::SERVICE_UNAVAILABLE {
            // The API server's client tries again after as many seconds, within its time-out.
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// An AdmissionReview.
pub(super) fn json(body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

/// A sentence. The API server shows plain text to the client, as part of its own error.
pub(super) fn text(status: StatusCode, sentence: &str) -> Response {
    (status, format!("{sentence}\n")).into_response()
}
