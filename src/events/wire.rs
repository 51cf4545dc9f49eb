//! Events as they are written and read: core/v1, the form that every `kubectl` shows right.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::{
    api::core::v1::{Event, EventSource},
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};
use serde_json::{Value, json};

use super::{
    name::EventKey,
    note::{Part, Role, Telling, identity},
    queue::Batch,
};

/// Label of the Events that belong to a set of faults: `fault` or `resolution`. With it one finds
/// all faults of a cluster: `kubectl get events -A -l event-recorder/role=fault`.
pub const ROLE_LABEL: &str = "event-recorder/role";
/// Annotation with the time of the last occurrence to the microsecond, by which one says whether
/// a fault or its end came last, and whether a write whose answer was lost was done.
pub const TOLD_AT_ANNOTATION: &str = "event-recorder/told-at";
/// Annotation of the Events that belong to a set of faults: the scope of the set, by which one
/// says which faults an end ended.
pub const SCOPE_ANNOTATION: &str = "event-recorder/scope";

/// Who reports.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    pub component: String,
    pub instance: String,
}

/// What an Event had counted so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Past {
    pub count: i32,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

/// What is known of an Event that was told before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// Its resourceVersion. `None`: it is gone, deleted or expired.
    pub version: Option<String>,
    pub past: Past,
}

/// An Event as it is stored, as far as the recorder cares.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub key: EventKey,
    pub account: Account,
    pub uid: String,
    pub part: Option<Part>,
    pub message: String,
    pub told_at: Option<Timestamp>,
    pub instance: String,
}

impl Past {
    /// This, and then `batch`. What has a count of its own is set to it, whatever was counted.
    fn and(&self, batch: &Batch) -> Self {
        let tally = &batch.tally;
        let more = i32::try_from(tally.count).unwrap_or(i32::MAX);
        Self {
            count: batch.telling.count.unwrap_or(self.count.saturating_add(more)),
            first: Some(self.first.map_or(tally.first, |first| first.min(tally.first))),
            last: Some(self.last.map_or(tally.last, |last| last.max(tally.last))),
        }
    }
}

impl Account {
    /// This account, read after `earlier`. Where others created the Event anew meanwhile they may
    /// have counted from one.
    pub fn after(self, earlier: Option<Account>) -> Self {
        let Some(Account { past: earlier, .. }) = earlier else { return self };
        let past = Past {
            count: self.past.count.max(earlier.count),
            first: self.past.first.into_iter().chain(earlier.first).min(),
            last: self.past.last.max(earlier.last),
        };
        Self { past, ..self }
    }
}

/// The Event that tells `batch` for the first time, or again after it was deleted or expired: then
/// `past` is what it had counted.
pub(super) fn created(reporter: &Reporter, batch: &Batch, past: Option<&Past>) -> Event {
    let telling = batch.telling.as_ref();
    let Telling { key, regarding, event_type, reason, action, message, .. } = telling;
    let none = Past { count: 0, first: None, last: None };
    let now = past.unwrap_or(&none).and(batch);
    Event {
        metadata: ObjectMeta {
            name: Some(key.name.clone()),
            namespace: Some(key.namespace.clone()),
            labels: telling
                .role()
                .map(|role| [(ROLE_LABEL.to_owned(), role.as_str().to_owned())].into()),
            annotations: Some(annotations(batch)),
            ..ObjectMeta::default()
        },
        involved_object: regarding.clone(),
        type_: Some(event_type.as_str().to_owned()),
        reason: Some(reason.clone()),
        action: Some(action.clone()),
        message: Some(message.clone()),
        count: Some(now.count),
        first_timestamp: now.first.map(Time),
        last_timestamp: now.last.map(Time),
        source: Some(EventSource { component: Some(reporter.component.clone()), host: None }),
        reporting_component: Some(reporter.component.clone()),
        reporting_instance: Some(reporter.instance.clone()),
        ..Event::default()
    }
}

/// The merge patch that adds `batch` to the Event of `account`, if that is not gone. The API
/// server refuses it with 409 if the Event is at another version by then.
pub(super) fn raised(reporter: &Reporter, batch: &Batch, account: &Account) -> Option<Value> {
    let version = account.version.as_ref()?;
    let now = account.past.and(batch);
    let mut patch = json!({
        "metadata": {
            "resourceVersion": version,
            "annotations": annotations(batch),
        },
        "count": now.count,
        "firstTimestamp": now.first.map(Time),
        "lastTimestamp": now.last.map(Time),
        "message": batch.telling.message,
        "action": batch.telling.action,
        "reportingInstance": reporter.instance,
    });
    if let Some(role) = batch.telling.role() {
        patch["metadata"]["labels"] = json!({ ROLE_LABEL: role.as_str() });
    }
    Some(patch)
}

impl Stored {
    pub fn of(event: Event) -> Self {
        let Event { metadata, involved_object, count, first_timestamp, last_timestamp, .. } = event;
        let labels = metadata.labels.unwrap_or_default();
        let annotations = metadata.annotations.unwrap_or_default();
        let last = last_timestamp.map(|time| time.0);
        Self {
            key: EventKey {
                namespace: metadata.namespace.unwrap_or_default(),
                name: metadata.name.unwrap_or_default(),
            },
            account: Account {
                version: metadata.resource_version,
                past: Past {
                    // Absent in an Event of the newer API, which was told once at least.
                    count: count.unwrap_or(1),
                    first: first_timestamp.map(|time| time.0),
                    last,
                },
            },
            uid: identity(&involved_object),
            part: labels.get(ROLE_LABEL).and_then(|text| Role::parse(text)).map(|role| Part {
                role,
                scope: annotations.get(SCOPE_ANNOTATION).cloned().unwrap_or_default(),
            }),
            message: event.message.unwrap_or_default(),
            told_at: annotations.get(TOLD_AT_ANNOTATION).and_then(|at| at.parse().ok()).or(last),
            instance: event.reporting_instance.unwrap_or_default(),
        }
    }

    /// Whether the stored Event already holds `batch`, written by `reporter` in an attempt of
    /// which the answer was lost.
    pub fn holds(&self, batch: &Batch, reporter: &Reporter) -> bool {
        batch.failures > 0
            && self.instance == reporter.instance
            && self.told_at == Some(batch.tally.last)
    }
}

fn annotations(batch: &Batch) -> BTreeMap<String, String> {
    let told_at = (TOLD_AT_ANNOTATION.to_owned(), precise(batch.tally.last));
    let part = batch.telling.part.as_ref();
    let scope = part.map(|part| (SCOPE_ANNOTATION.to_owned(), part.scope.clone()));
    scope.into_iter().chain([told_at]).collect()
}

/// `at` to the microsecond, as the annotation spells it.
fn precise(at: Timestamp) -> String {
    format!("{at:.6}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use k8s_openapi::api::core::v1::ObjectReference;

    use super::*;
    use crate::events::{
        note::{EventType, Note},
        queue::Tally,
    };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn reporter() -> Reporter {
        Reporter { component: "controlplane".into(), instance: "replica-1".into() }
    }

    fn batch(role: Option<Role>, failures: u32) -> Batch {
        let part = role.map(|role| Part { role, scope: "app1-pki".into() });
        let pod = ObjectReference {
            api_version: Some("v1".into()),
            kind: Some("Pod".into()),
            namespace: Some("shop".into()),
            name: Some("app1-0".into()),
            uid: Some("u1".into()),
            ..ObjectReference::default()
        };
        let note = Note {
            event_type: EventType::Warning,
            reason: "PkiServiceNameError".into(),
            action: "IssueCertificate".into(),
            message: "ServiceName: appp1 is not found".into(),
            key: None,
            count: None,
            renew: true,
        };
        Batch {
            telling: Arc::new(Telling::new("controlplane", &pod, &note, part)),
            tally: Tally {
                count: 2,
                first: at("2026-11-21T10:00:00Z"),
                last: at("2026-11-21T10:05:00.123456Z"),
            },
            failures,
        }
    }

    #[test]
    fn an_event_has_the_form_that_every_kubectl_shows_right() {
        let event = created(&reporter(), &batch(Some(Role::Fault), 0), None);
        insta::assert_snapshot!(serde_json::to_string_pretty(&event).unwrap(), @r#"
        {
          "apiVersion": "v1",
          "kind": "Event",
          "action": "IssueCertificate",
          "count": 2,
          "firstTimestamp": "2026-11-21T10:00:00Z",
          "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": "app1-0",
            "namespace": "shop",
            "uid": "u1"
          },
          "lastTimestamp": "2026-11-21T10:05:00Z",
          "message": "ServiceName: appp1 is not found",
          "metadata": {
            "annotations": {
              "event-recorder/scope": "app1-pki",
              "event-recorder/told-at": "2026-11-21T10:05:00.123456Z"
            },
            "labels": {
              "event-recorder/role": "fault"
            },
            "name": "app1-0.f13a0e8cada71b73",
            "namespace": "shop"
          },
          "reason": "PkiServiceNameError",
          "reportingComponent": "controlplane",
          "reportingInstance": "replica-1",
          "source": {
            "component": "controlplane"
          },
          "type": "Warning"
        }
        "#);
    }

    #[test]
    fn an_event_of_no_set_of_faults_has_neither_role_nor_scope() {
        let metadata = created(&reporter(), &batch(None, 0), None).metadata;
        assert_eq!(metadata.labels, None);
        assert!(metadata.annotations.unwrap().keys().eq([TOLD_AT_ANNOTATION]));
    }

    #[test]
    fn a_raise_adds_to_the_count_and_keeps_the_first_time() {
        let past = Past {
            count: 22,
            first: Some(at("2026-11-20T10:00:00Z")),
            last: Some(at("2026-11-21T09:00:00Z")),
        };
        let account = Account { version: Some("7".into()), past };
        let patch = raised(&reporter(), &batch(Some(Role::Fault), 0), &account);
        insta::assert_snapshot!(serde_json::to_string_pretty(&patch).unwrap(), @r#"
        {
          "action": "IssueCertificate",
          "count": 24,
          "firstTimestamp": "2026-11-20T10:00:00Z",
          "lastTimestamp": "2026-11-21T10:05:00Z",
          "message": "ServiceName: appp1 is not found",
          "metadata": {
            "annotations": {
              "event-recorder/scope": "app1-pki",
              "event-recorder/told-at": "2026-11-21T10:05:00.123456Z"
            },
            "labels": {
              "event-recorder/role": "fault"
            },
            "resourceVersion": "7"
          },
          "reportingInstance": "replica-1"
        }
        "#);
    }

    #[test]
    fn an_event_created_anew_keeps_its_count_and_its_first_time() {
        let past = Past { count: 22, first: Some(at("2026-11-20T10:00:00Z")), last: None };
        let event = created(&reporter(), &batch(None, 0), Some(&past));
        assert_eq!(event.count, Some(24));
        assert_eq!(event.first_timestamp, Some(Time(at("2026-11-20T10:00:00Z"))));
    }

    #[test]
    fn a_count_of_its_own_is_set_whatever_was_counted() {
        let counted = |count| {
            let plain = batch(None, 0);
            let telling = Telling { count: Some(count), ..Telling::clone(&plain.telling) };
            Batch { telling: Arc::new(telling), ..plain }
        };
        let past = Past { count: 22, first: None, last: None };
        assert_eq!(created(&reporter(), &counted(7), None).count, Some(7));
        assert_eq!(created(&reporter(), &counted(7), Some(&past)).count, Some(7));
        let account = Account { version: Some("7".into()), past };
        assert_eq!(raised(&reporter(), &counted(7), &account).unwrap()["count"], 7);
        assert_eq!(raised(&reporter(), &counted(50), &account).unwrap()["count"], 50);
    }

    #[test]
    fn an_account_read_later_keeps_the_greater_count_and_the_earlier_start() {
        let account = |version: &str, count, first: &str| Account {
            version: Some(version.into()),
            past: Past { count, first: Some(at(first)), last: None },
        };
        let before = account("7", 22, "2026-11-20T10:00:00Z");
        let read = account("9", 1, "2026-11-21T10:00:00Z");
        assert_eq!(read.clone().after(Some(before)), account("9", 22, "2026-11-20T10:00:00Z"));
        assert_eq!(read.clone().after(None), read);
    }

    #[test]
    fn the_count_stays_at_its_greatest_value() {
        let past = Past { count: i32::MAX - 1, first: None, last: None };
        assert_eq!(created(&reporter(), &batch(None, 0), Some(&past)).count, Some(i32::MAX));
    }

    #[test]
    fn what_was_written_is_read_back() {
        let batch = batch(Some(Role::Resolution), 1);
        let stored = Stored::of(created(&reporter(), &batch, None));
        assert_eq!(stored.key, batch.telling.key);
        assert_eq!(stored.uid, "u1");
        assert_eq!(stored.part, batch.telling.part);
        assert_eq!(stored.part.as_ref().unwrap().role, Role::Resolution);
        assert_eq!(stored.message, batch.telling.message);
        assert_eq!(stored.told_at, Some(batch.tally.last));
        assert!(stored.holds(&batch, &reporter()));
    }

    #[test]
    fn only_another_attempt_of_the_same_replica_is_taken_for_written() {
        let event = created(&reporter(), &batch(None, 0), None);
        let stored = Stored::of(event);
        assert!(!stored.holds(&batch(None, 0), &reporter()));
        let other = Reporter { instance: "replica-2".into(), ..reporter() };
        assert!(!stored.holds(&batch(None, 1), &other));
    }
}
