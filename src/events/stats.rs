//! Counts of what the recorder did, for whatever exports them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Why a write was not done at once, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// 429: the API server asks to wait.
    Throttled,
    /// 5xx, 408 or an answer that is none: the API server can't serve now.
    Unavailable,
    /// No connection, or one that broke.
    Connection,
    /// No answer within the time given.
    Timeout,
    /// Others wrote the same Event each time we tried.
    Conflict,
    /// 401: the credentials are not, or no longer, valid.
    Unauthorized,
    /// 403: not allowed to write Events here, or over a quota.
    Forbidden,
    /// The namespace is being deleted, or gone.
    NamespaceGone,
    /// 422 or 400: the API server finds the Event wrong.
    Invalid,
    /// Any other refusal.
    Rejected,
}

impl Cause {
    /// All causes, in the order of their declaration.
    pub const ALL: [Cause; 10] = [
        Cause::Throttled,
        Cause::Unavailable,
        Cause::Connection,
        Cause::Timeout,
        Cause::Conflict,
        Cause::Unauthorized,
        Cause::Forbidden,
        Cause::NamespaceGone,
        Cause::Invalid,
        Cause::Rejected,
    ];

    /// The value for a metric's `cause` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Throttled => "throttled",
            Cause::Unavailable => "unavailable",
            Cause::Connection => "connection",
            Cause::Timeout => "timeout",
            Cause::Conflict => "conflict",
            Cause::Unauthorized => "unauthorized",
            Cause::Forbidden => "forbidden",
            Cause::NamespaceGone => "namespace_gone",
            Cause::Invalid => "invalid",
            Cause::Rejected => "rejected",
        }
    }
}

/// Counters and gauges of one recorder; all but [`Stats::pending`] and [`Stats::standing`] only
/// rise.
#[derive(Debug, Default)]
pub struct Stats {
    created: AtomicU64,
    updated: AtomicU64,
    retried: [AtomicU64; Cause::ALL.len()],
    failed: [AtomicU64; Cause::ALL.len()],
    held_back: AtomicU64,
    dropped: AtomicU64,
    pending: AtomicU64,
    standing: AtomicU64,
}

impl Stats {
    /// Events created.
    pub fn created(&self) -> u64 {
        self.created.load(Relaxed)
    }

    /// Events whose count was raised.
    pub fn updated(&self) -> u64 {
        self.updated.load(Relaxed)
    }

    /// Attempts that failed with `cause` and are tried again.
    pub fn retried(&self, cause: Cause) -> u64 {
        self.retried[cause as usize].load(Relaxed)
    }

    /// Writes given up with `cause`.
    pub fn failed(&self, cause: Cause) -> u64 {
        self.failed[cause as usize].load(Relaxed)
    }

    /// Occurrences told only as part of an "N more …" Event.
    pub fn held_back(&self) -> u64 {
        self.held_back.load(Relaxed)
    }

    /// Occurrences not told at all, for want of room even to count them by object.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Distinct Events that wait to be written, or are being written, now.
    pub fn pending(&self) -> u64 {
        self.pending.load(Relaxed)
    }

    /// Faults that stand now, over all objects.
    pub fn standing(&self) -> u64 {
        self.standing.load(Relaxed)
    }

    pub(super) fn count_created(&self) {
        self.created.fetch_add(1, Relaxed);
    }

    pub(super) fn count_updated(&self) {
        self.updated.fetch_add(1, Relaxed);
    }

    pub(super) fn count_retried(&self, cause: Cause) {
        self.retried[cause as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn count_failed(&self, cause: Cause) {
        self.failed[cause as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn count_held_back(&self) {
        self.held_back.fetch_add(1, Relaxed);
    }

    pub(super) fn count_dropped(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    pub(super) fn set_gauges(&self, pending: usize, standing: usize) {
        self.pending.store(pending as u64, Relaxed);
        self.standing.store(standing as u64, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_its_own_counter_and_label() {
        let stats = Stats::default();
        for cause in Cause::ALL {
            stats.count_retried(cause);
            stats.count_failed(cause);
        }
        assert!(Cause::ALL.iter().all(|&c| stats.retried(c) == 1 && stats.failed(c) == 1));
        let labels: std::collections::HashSet<_> = Cause::ALL.map(Cause::as_str).into();
        assert_eq!(labels.len(), Cause::ALL.len());
    }
}
