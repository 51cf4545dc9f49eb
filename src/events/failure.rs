//! Triage: what an answer of the API server means for the write that it answers.

use std::time::Duration;

use kube::core::Status;

use super::stats::Cause;

/// Longest wait that the API server may ask for; a value beyond it is taken for a mistake.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);

/// Name of the cause in a 403 of a namespace that is being deleted (`NamespaceTerminatingCause`
/// of the core API).
const NAMESPACE_TERMINATING: &str = "NamespaceTerminating";

/// Why a request to the API server was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the API server answered {code} {message:?}")]
    Refused { cause: Cause, code: u16, message: String, retry_after: Option<Duration> },
    #[error("the API server can't be reached: {0}")]
    Unreachable(#[source] kube::Error),
    #[error("the API server did not answer within {0:?}")]
    TimedOut(Duration),
    #[error("the API server's answer can't be read: {0}")]
    Unreadable(#[source] serde_json::Error),
    #[error("the request can't be built: {0}")]
    Unbuildable(String),
    #[error("others wrote the same Event at each of {0} attempts")]
    Contended(u32),
}

impl Failure {
    pub fn cause(&self) -> Cause {
        match self {
            Failure::Refused { cause, .. } => *cause,
            Failure::Unreachable(_) => Cause::Connection,
            Failure::TimedOut(_) => Cause::Timeout,
            Failure::Unreadable(_) => Cause::Unavailable,
            Failure::Unbuildable(_) => Cause::Invalid,
            Failure::Contended(_) => Cause::Conflict,
        }
    }

    /// Whether another attempt could not do better.
    pub fn is_final(&self) -> bool {
        matches!(
            self.cause(),
            Cause::Forbidden | Cause::NamespaceGone | Cause::Invalid | Cause::Rejected
        )
    }

    /// Whether it is the API server that has trouble, or we with it, so that other requests would
    /// fare no better now.
    pub fn is_outage(&self) -> bool {
        match self {
            // A 500 may be one webhook's or one object's fault.
            Failure::Refused { cause, code, .. } => {
                matches!(cause, Cause::Throttled | Cause::Unauthorized) || *code == 503
            }
            Failure::Unreachable(_) | Failure::TimedOut(_) => true,
            Failure::Unreadable(_) | Failure::Unbuildable(_) | Failure::Contended(_) => false,
        }
    }

    /// How long the API server asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Failure::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The meaning of an answer that is no success. `creating`: it answers a create, where 404
    /// speaks of the namespace.
    pub fn refused(code: u16, status: &Status, header: Option<Duration>, creating: bool) -> Self {
        let details = status.details.as_ref();
        let terminating = details.is_some_and(|details| {
            details.causes.iter().any(|c| c.reason == NAMESPACE_TERMINATING)
        });
        let cause = match code {
            _ if terminating => Cause::NamespaceGone,
            404 if creating => Cause::NamespaceGone,
            429 => Cause::Throttled,
            401 => Cause::Unauthorized,
            403 => Cause::Forbidden,
            409 => Cause::Conflict,
            400 | 422 => Cause::Invalid,
            408 => Cause::Unavailable,
            code if code >= 500 => Cause::Unavailable,
            _ => Cause::Rejected,
        };
        let in_body = details
            .map(|details| details.retry_after_seconds)
            .filter(|&seconds| seconds > 0)
            .map(|seconds| Duration::from_secs(seconds.into()));
        Failure::Refused {
            cause,
            code,
            message: status.message.clone(),
            retry_after: header.or(in_body).map(|wait| wait.min(MAX_RETRY_AFTER)),
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::response::{StatusCause, StatusDetails};

    use super::*;

    fn refused(code: u16) -> Failure {
        Failure::refused(code, &Status::failure("no", "No"), None, false)
    }

    fn details(reason: &str, retry_after_seconds: u32) -> StatusDetails {
        StatusDetails {
            name: String::new(),
            group: String::new(),
            kind: String::new(),
            uid: String::new(),
            causes: vec![StatusCause {
                reason: reason.into(),
                message: String::new(),
                field: String::new(),
            }],
            retry_after_seconds,
        }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_final() {
        for code in [401, 408, 409, 429, 500, 502, 503, 504] {
            assert!(!refused(code).is_final(), "{code}");
        }
        for code in [400, 403, 404, 405, 413, 415, 422] {
            assert!(refused(code).is_final(), "{code}");
        }
    }

    #[test]
    fn a_namespace_that_is_going_away_is_told_from_a_missing_right() {
        let status = Status::failure("being deleted", "Forbidden")
            .with_details(details(NAMESPACE_TERMINATING, 0));
        assert_eq!(Failure::refused(403, &status, None, true).cause(), Cause::NamespaceGone);
        assert_eq!(refused(403).cause(), Cause::Forbidden);
    }

    #[test]
    fn a_create_that_is_not_found_speaks_of_the_namespace() {
        let status = Status::failure("namespaces \"shop\" not found", "NotFound");
        assert_eq!(Failure::refused(404, &status, None, true).cause(), Cause::NamespaceGone);
    }

    #[test]
    fn the_wait_asked_for_is_read_from_the_header_or_the_body_and_bounded() {
        let wait = |header, body| {
            let status =
                Status::failure("slow down", "TooManyRequests").with_details(details("", body));
            Failure::refused(429, &status, header, false).retry_after()
        };
        assert_eq!(wait(Some(Duration::from_secs(7)), 3), Some(Duration::from_secs(7)));
        assert_eq!(wait(None, 3), Some(Duration::from_secs(3)));
        assert_eq!(wait(None, 0), None);
        assert_eq!(wait(Some(Duration::MAX), 0), Some(MAX_RETRY_AFTER));
    }

    #[test]
    fn one_events_trouble_is_no_outage() {
        assert!(!refused(500).is_outage());
        assert!(!refused(409).is_outage());
        assert!(refused(503).is_outage());
        assert!(refused(429).is_outage());
    }
}
