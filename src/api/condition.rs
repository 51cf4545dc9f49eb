//! Conditions, by the API conventions: a list keyed by type, whose transition time moves only when
//! the status does.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// The type of the condition that sums up whether an object does its work.
pub const READY: &str = "Ready";

/// What a condition says now; `lastTransitionTime` follows from the condition before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Whether the object does its work.
    pub ready: bool,
    /// One word in CamelCase.
    pub reason: String,
    /// What the owner reads.
    pub message: String,
    /// The generation of the spec that was judged.
    pub observed_generation: Option<i64>,
}

impl Ready {
    /// The condition to store, given those stored before.
    pub fn following(self, before: &[Condition], now: Timestamp) -> Condition {
        let status = if self.ready { "True" } else { "False" };
        let since = find(before, READY)
            .filter(|old| old.status == status)
            .map_or(Time(now), |old| old.last_transition_time.clone());
        Condition {
            type_: READY.to_owned(),
            status: status.to_owned(),
            reason: self.reason,
            message: self.message,
            observed_generation: self.observed_generation,
            last_transition_time: since,
        }
    }
}

/// The condition of a type.
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(ready: bool) -> Ready {
        Ready { ready, reason: "R".into(), message: "m".into(), observed_generation: Some(1) }
    }

    #[test]
    fn the_transition_time_moves_only_with_the_status() {
        let start = Timestamp::UNIX_EPOCH;
        let later = start + jiff::SignedDuration::from_hours(1);
        let first = ready(false).following(&[], start);
        let same = ready(false).following(std::slice::from_ref(&first), later);
        assert_eq!(same.last_transition_time, Time(start));
        let turned = ready(true).following(&[same], later);
        assert_eq!(turned.last_transition_time, Time(later));
    }
}
