//! What was told before this process: read from the Events themselves, the only place where every
//! replica writes it down.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kube::api::ListParams;

use super::{
    api::EventsApi,
    failure::Failure,
    note::Role,
    standing::Subject,
    wire::{ROLE_LABEL, Stored},
};

/// Events a page: a few hundred kilobytes.
const PAGE: u32 = 500;

/// Lists the Events of `component` that belong to a set of faults, and returns them.
pub(super) async fn list(api: &EventsApi, component: &str) -> Result<Vec<Stored>, Failure> {
    let mut params = ListParams::default()
        .fields(&format!("reportingComponent={component}"))
        .labels(ROLE_LABEL)
        .limit(PAGE);
    let mut found = Vec::new();
    loop {
        let page = api.list(&params).await?;
        found.extend(page.items.into_iter().map(Stored::of));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(found),
        }
    }
}

/// The sets of which a fault was told after the last word that all their faults are gone.
pub(super) fn open(events: &[Stored]) -> BTreeSet<Subject> {
    #[derive(Default)]
    struct Last {
        fault: Option<Timestamp>,
        resolution: Option<Timestamp>,
    }
    let mut sets: BTreeMap<Subject, Last> = BTreeMap::new();
    for event in events {
        let Some(part) = &event.part else { continue };
        let last = sets.entry(Subject::new(&event.uid, &part.scope)).or_default();
        let told = match part.role {
            Role::Fault => &mut last.fault,
            Role::Resolution => &mut last.resolution,
        };
        *told = (*told).max(event.told_at);
    }
    sets.into_iter()
        .filter(|(_, last)| last.fault > last.resolution)
        .map(|(subject, _)| subject)
        .collect()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Event;

    use super::*;
    use crate::events::wire::{SCOPE_ANNOTATION, TOLD_AT_ANNOTATION};

    /// `subject`: a uid, or a uid and a scope with a slash between.
    fn event(subject: &str, role: &str, told_at: &str) -> Stored {
        let (uid, scope) = subject.split_once('/').unzip();
        let uid = uid.unwrap_or(subject);
        let mut annotations = vec![(TOLD_AT_ANNOTATION.into(), told_at.into())];
        annotations.extend(scope.map(|scope| (SCOPE_ANNOTATION.into(), scope.into())));
        let mut event = Event::default();
        event.involved_object.uid = Some(uid.into());
        event.metadata.labels = Some([(ROLE_LABEL.into(), role.into())].into());
        event.metadata.annotations = Some(annotations.into_iter().collect());
        Stored::of(event)
    }

    fn subjects(subjects: &[(&str, &str)]) -> BTreeSet<Subject> {
        subjects.iter().map(|(uid, scope)| Subject::new(uid, scope)).collect()
    }

    const NOON: &str = "2026-11-21T12:00:00.000001Z";
    const LATER: &str = "2026-11-21T12:00:00.000002Z";

    #[test]
    fn a_fault_with_no_word_of_its_end_is_open() {
        assert_eq!(open(&[event("u1/a", "fault", NOON)]), subjects(&[("u1", "a")]));
    }

    #[test]
    fn a_later_resolution_ends_all_faults_of_its_object_and_no_other() {
        let events = [
            event("u1", "fault", NOON),
            event("u1", "resolution", LATER),
            event("u1", "fault", NOON),
            event("u2", "fault", NOON),
        ];
        assert_eq!(open(&events), subjects(&[("u2", "")]));
    }

    #[test]
    fn a_resolution_ends_the_faults_of_its_scope_and_no_other() {
        let events = [
            event("u1/a", "fault", NOON),
            event("u1/b", "fault", NOON),
            event("u1", "fault", NOON),
            event("u1/a", "resolution", LATER),
        ];
        assert_eq!(open(&events), subjects(&[("u1", ""), ("u1", "b")]));
    }

    #[test]
    fn a_fault_told_again_after_a_resolution_is_open() {
        let events = [event("u1", "resolution", NOON), event("u1", "fault", LATER)];
        assert_eq!(open(&events), subjects(&[("u1", "")]));
    }

    #[test]
    fn an_event_that_was_only_recorded_opens_nothing() {
        assert!(open(&[event("u1", "", NOON)]).is_empty());
    }
}
