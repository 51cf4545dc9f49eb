//! What was told before this process: read from the Events themselves, the only place where every
//! replica writes it down.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use kube::api::ListParams;

use super::{
    api::EventsApi,
    failure::Failure,
    name::EventKey,
    note::Role,
    standing::{Subject, Told},
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

/// The sets of which a fault was told after the last word that all their faults are gone, with
/// the faults told after it, as they are at `now`.
pub(super) fn open(
    events: &[Stored],
    now: Timestamp,
) -> BTreeMap<Subject, HashMap<EventKey, Told>> {
    let parts = || events.iter().filter_map(|event| Some((event, event.part.as_ref()?)));
    let mut ended: BTreeMap<Subject, Option<Timestamp>> = BTreeMap::new();
    for (event, part) in parts().filter(|(_, part)| part.role == Role::Resolution) {
        let last = ended.entry(Subject::new(&event.uid, &part.scope)).or_default();
        *last = (*last).max(event.told_at);
    }
    let mut open: BTreeMap<Subject, HashMap<EventKey, Told>> = BTreeMap::new();
    for (event, part) in parts().filter(|(_, part)| part.role == Role::Fault) {
        let subject = Subject::new(&event.uid, &part.scope);
        let Some(told_at) = event.told_at else { continue };
        if ended.get(&subject).is_none_or(|ended| Some(told_at) > *ended) {
            let told = Told {
                message: event.message.clone(),
                count: event.account.past.count,
                // A clock ahead of ours wrote it just now.
                ago: now.duration_since(told_at).try_into().unwrap_or_default(),
            };
            open.entry(subject).or_default().insert(event.key.clone(), told);
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use k8s_openapi::api::core::v1::Event;

    use super::*;
    use crate::events::wire::{SCOPE_ANNOTATION, TOLD_AT_ANNOTATION};

    /// `subject`: a uid, or a uid and a scope with a slash between.
    fn event(subject: &str, role: &str, told_at: &str) -> Stored {
        let (uid, scope) = subject.split_once('/').unzip();
        let uid = uid.unwrap_or(subject);
        let mut annotations = vec![(TOLD_AT_ANNOTATION.into(), told_at.into())];
        annotations.extend(scope.map(|scope| (SCOPE_ANNOTATION.into(), scope.into())));
        let mut event = Event { message: Some(format!("{role} at {told_at}")), ..Event::default() };
        event.metadata.name = Some(told_at.into());
        event.involved_object.uid = Some(uid.into());
        event.metadata.labels = Some([(ROLE_LABEL.into(), role.into())].into());
        event.metadata.annotations = Some(annotations.into_iter().collect());
        Stored::of(event)
    }

    fn subjects(subjects: &[(&str, &str)]) -> BTreeSet<Subject> {
        subjects.iter().map(|(uid, scope)| Subject::new(uid, scope)).collect()
    }

    fn found(events: &[Stored]) -> BTreeSet<Subject> {
        open(events, LATER.parse().unwrap()).into_keys().collect()
    }

    const BEFORE: &str = "2026-11-21T12:00:00.000000Z";
    const NOON: &str = "2026-11-21T12:00:00.000001Z";
    const LATER: &str = "2026-11-21T12:00:00.000002Z";

    #[test]
    fn a_fault_with_no_word_of_its_end_is_open() {
        assert_eq!(found(&[event("u1/a", "fault", NOON)]), subjects(&[("u1", "a")]));
    }

    #[test]
    fn a_later_resolution_ends_all_faults_of_its_object_and_no_other() {
        let events = [
            event("u1", "fault", NOON),
            event("u1", "resolution", LATER),
            event("u1", "fault", NOON),
            event("u2", "fault", NOON),
        ];
        assert_eq!(found(&events), subjects(&[("u2", "")]));
    }

    #[test]
    fn a_resolution_ends_the_faults_of_its_scope_and_no_other() {
        let events = [
            event("u1/a", "fault", NOON),
            event("u1/b", "fault", NOON),
            event("u1", "fault", NOON),
            event("u1/a", "resolution", LATER),
        ];
        assert_eq!(found(&events), subjects(&[("u1", ""), ("u1", "b")]));
    }

    #[test]
    fn a_fault_told_again_after_a_resolution_is_open() {
        let events = [event("u1", "resolution", NOON), event("u1", "fault", LATER)];
        assert_eq!(found(&events), subjects(&[("u1", "")]));
    }

    #[test]
    fn an_event_that_was_only_recorded_opens_nothing() {
        assert!(found(&[event("u1", "", NOON)]).is_empty());
    }

    #[test]
    fn of_an_open_set_the_faults_told_since_the_last_end_are_known() {
        let events = [
            event("u1", "fault", BEFORE),
            event("u1", "resolution", NOON),
            event("u1", "fault", LATER),
        ];
        let open = open(&events, (LATER.parse::<Timestamp>().unwrap()) + Duration::from_secs(60));
        let faults: Vec<_> = open.values().flatten().collect();
        let key = EventKey { namespace: String::new(), name: LATER.into() };
        let message = format!("fault at {LATER}");
        let told = Told { message, count: 1, ago: Duration::from_secs(60) };
        assert_eq!(faults, [(&key, &told)]);
    }

    #[test]
    fn what_a_clock_ahead_of_ours_stamped_was_told_just_now() {
        let open = open(&[event("u1", "fault", LATER)], NOON.parse().unwrap());
        assert!(open.values().flatten().all(|(_, told)| told.ago.is_zero()));
    }
}
