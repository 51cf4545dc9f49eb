//! Saying that something was not said: what of an object was held back, as one Event.

use std::collections::VecDeque;

use super::note::{EventType, Note, Telling, cut};

/// Reason of the Event that stands for those held back.
pub const HELD_BACK_REASON: &str = "EventsHeldBack";

const HELD_BACK_KEY: &str = "held-back";
/// Distinct texts that the summary lists, and the bytes of each: together within one message.
const MAX_TEXTS: usize = 3;
const MAX_TEXT_BYTES: usize = 280;

/// What was held back of one object since it was last at rest.
#[derive(Debug, Default)]
pub(super) struct HeldBack {
    count: u64,
    latest: VecDeque<String>,
    warning: bool,
}

impl HeldBack {
    pub fn add(&mut self, telling: &Telling) {
        self.count = self.count.saturating_add(1);
        self.warning |= telling.event_type == EventType::Warning;
        let text = cut(&format!("{}: {}", telling.reason, telling.message), MAX_TEXT_BYTES);
        self.latest.retain(|known| *known != text);
        self.latest.push_front(text);
        self.latest.truncate(MAX_TEXTS);
    }

    /// The Event that says so, about the object of `telling`.
    pub fn summary(&self, component: &str, telling: &Telling) -> Telling {
        let latest: Vec<&str> = self.latest.iter().map(String::as_str).collect();
        let note = Note {
            event_type: if self.warning { EventType::Warning } else { EventType::Normal },
            reason: HELD_BACK_REASON.to_owned(),
            action: telling.action.clone(),
            message: format!(
                "{} more about this object, not told one by one to spare the API server; the latest: {}",
                self.count,
                latest.join(" | ")
            ),
            key: Some(HELD_BACK_KEY.to_owned()),
            count: None,
            renew: false,
        };
        Telling::new(component, &telling.regarding, &note, None)
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ObjectReference;

    use super::*;
    use crate::events::note::MAX_MESSAGE_BYTES;

    fn telling(message: &str) -> Telling {
        let note = Note {
            event_type: EventType::Warning,
            reason: "Broken".into(),
            action: "Check".into(),
            message: message.into(),
            key: None,
            count: None,
            renew: true,
        };
        Telling::new("c", &ObjectReference::default(), &note, None)
    }

    #[test]
    fn the_summary_counts_all_and_lists_the_latest_once_each() {
        let mut held = HeldBack::default();
        for message in ["one", "two", "three", "four", "three"] {
            held.add(&telling(message));
        }
        assert_eq!(
            held.summary("c", &telling("x")).message,
            "5 more about this object, not told one by one to spare the API server; the latest: \
             Broken: three | Broken: four | Broken: two"
        );
    }

    #[test]
    fn long_messages_are_listed_whole_in_number() {
        let mut held = HeldBack::default();
        for start in ["a", "b", "c"] {
            held.add(&telling(&start.repeat(2000)));
        }
        let message = held.summary("c", &telling("x")).message;
        assert!(message.len() <= MAX_MESSAGE_BYTES);
        assert!(message.contains("Broken: aaa") && message.ends_with("aa…"), "{message}");
    }

    #[test]
    fn one_event_takes_all_summaries_of_an_object() {
        let mut held = HeldBack::default();
        held.add(&telling("one"));
        let before = held.summary("c", &telling("x"));
        held.add(&telling("two"));
        assert_eq!(held.summary("c", &telling("y")).key, before.key);
    }
}
