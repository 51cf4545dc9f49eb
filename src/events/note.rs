//! What a caller says about an object, brought within the limits of an Event.

use k8s_openapi::api::core::v1::ObjectReference;

use super::name::{EventKey, Identity};

/// Longest message, in bytes (validation of events.k8s.io/v1; kept here so that an Event reads the
/// same through either API).
pub const MAX_MESSAGE_BYTES: usize = 1024;
/// Longest reason, action and reporting instance, in bytes (the same validation).
pub const MAX_FIELD_BYTES: usize = 128;

const CUT_MARK: &str = "…";

/// The severity of an Event, as `kubectl` prints it in the TYPE column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventType {
    /// For information: nothing is asked of the reader.
    Normal,
    /// Something is wrong and somebody should act.
    Warning,
}

impl EventType {
    /// The value of the Event's `type` field.
    pub fn as_str(self) -> &'static str {
        match self {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        }
    }
}

/// What is told about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Severity.
    pub event_type: EventType,
    /// Why, in CamelCase; cut at [`MAX_FIELD_BYTES`].
    pub reason: String,
    /// What was being done, in CamelCase; cut at [`MAX_FIELD_BYTES`].
    pub action: String,
    /// The text for the reader; cut at [`MAX_MESSAGE_BYTES`] and then marked with "…".
    pub message: String,
    /// What makes two notes the same where their messages vary (a number, a time). `None`: the
    /// whole message does.
    pub key: Option<String>,
    /// How many things it is about, where that is known: the Event's count is exactly this, and
    /// at least 1, whenever it is written. `None`: the count says how often it was told, and each
    /// telling raises it by one. It makes no two notes different.
    pub count: Option<i32>,
    /// Whether it is told again and again while it [stands](super::Recorder::stand), so that its
    /// Event does not expire. It has no meaning for what is recorded or ends faults.
    pub renew: bool,
}

/// Role of an Event in a set of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A fault that stood when it was last told.
    Fault,
    /// The word that all faults of the set are gone.
    Resolution,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Fault => "fault",
            Role::Resolution => "resolution",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Role::Fault, Role::Resolution].into_iter().find(|role| role.as_str() == text)
    }
}

/// Part that an Event plays in a set of faults: all those of one scope of its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub role: Role,
    pub scope: String,
}

/// One Event in the making: everything about it but when it is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Telling {
    pub key: EventKey,
    /// Identity of the object, see [`identity`].
    pub uid: String,
    pub regarding: ObjectReference,
    pub event_type: EventType,
    pub reason: String,
    pub action: String,
    pub message: String,
    /// How many things it is about, 1 at least. `None`: its Event counts the tellings.
    pub count: Option<i32>,
    /// `None`: it was recorded, and belongs to no set.
    pub part: Option<Part>,
}

impl Telling {
    pub fn new(
        component: &str,
        regarding: &ObjectReference,
        note: &Note,
        part: Option<Part>,
    ) -> Self {
        let uid = identity(regarding);
        let reason = cut(&note.reason, MAX_FIELD_BYTES);
        let key = EventKey::of(
            regarding,
            &Identity {
                uid: &uid,
                event_type: note.event_type,
                reason: &reason,
                component,
                key: note.key.as_deref().unwrap_or(&note.message),
                scope: part.as_ref().map_or("", |part| &part.scope),
            },
        );
        Self {
            key,
            uid,
            // The involved object's resourceVersion moves with every write to it; an Event that
            // follows it would be about a moment, not about the object.
            regarding: ObjectReference { resource_version: None, ..regarding.clone() },
            event_type: note.event_type,
            reason,
            action: cut(&note.action, MAX_FIELD_BYTES),
            message: cut(&note.message, MAX_MESSAGE_BYTES),
            count: note.count.map(|count| count.max(1)),
            part,
        }
    }

    pub fn role(&self) -> Option<Role> {
        self.part.as_ref().map(|part| part.role)
    }
}

/// What tells one object from another: its uid or, for a reference without one, its coordinates.
pub(super) fn identity(regarding: &ObjectReference) -> String {
    if let Some(uid) = regarding.uid.as_deref().filter(|uid| !uid.is_empty()) {
        return uid.to_owned();
    }
    let part = |field: &Option<String>| field.clone().unwrap_or_default();
    format!(
        "{}/{}/{}/{}",
        part(&regarding.api_version),
        part(&regarding.kind),
        part(&regarding.namespace),
        part(&regarding.name)
    )
}

/// `text` within `limit` bytes; what is cut is cut at a character's edge and marked.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let edge = text.floor_char_boundary(limit.saturating_sub(CUT_MARK.len()));
    format!("{}{CUT_MARK}", &text[..edge])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pod() -> ObjectReference {
        ObjectReference {
            api_version: Some("v1".into()),
            kind: Some("Pod".into()),
            namespace: Some("shop".into()),
            name: Some("app1-0".into()),
            uid: Some("u1".into()),
            resource_version: Some("77".into()),
            ..ObjectReference::default()
        }
    }

    fn note(message: &str) -> Note {
        Note {
            event_type: EventType::Warning,
            reason: "Broken".into(),
            action: "Check".into(),
            message: message.into(),
            key: None,
            count: None,
            renew: true,
        }
    }

    fn telling(regarding: &ObjectReference, note: &Note) -> Telling {
        Telling::new("controlplane", regarding, note, None)
    }

    #[test]
    fn the_resource_version_of_the_object_is_left_out() {
        let told = telling(&pod(), &note("m"));
        assert_eq!(told.regarding.resource_version, None);
        let moved = ObjectReference { resource_version: Some("78".into()), ..pod() };
        assert_eq!(telling(&moved, &note("m")), told);
    }

    #[test]
    fn messages_that_differ_after_the_cut_are_different_events() {
        let long = "x".repeat(2 * MAX_MESSAGE_BYTES);
        let one = telling(&pod(), &note(&format!("{long}1")));
        let two = telling(&pod(), &note(&format!("{long}2")));
        assert_eq!(one.message, two.message);
        assert_ne!(one.key, two.key);
    }

    #[test]
    fn messages_with_one_key_are_one_event() {
        let keyed = |message| Note { key: Some("replicas".into()), ..note(message) };
        assert_eq!(telling(&pod(), &keyed("3 Pods")).key, telling(&pod(), &keyed("4 Pods")).key);
    }

    #[test]
    fn a_count_is_one_at_least_and_no_part_of_the_name() {
        let counted = |count| telling(&pod(), &Note { count: Some(count), ..note("m") });
        assert_eq!(counted(7).key, telling(&pod(), &note("m")).key);
        assert_eq!([counted(7), counted(0), counted(-1)].map(|t| t.count), [7, 1, 1].map(Some));
    }

    #[test]
    fn one_diagnosis_in_two_scopes_is_two_events_and_in_no_scope_the_recorded_one() {
        let part = |role, scope: &str| Some(Part { role, scope: scope.into() });
        let key = |part| Telling::new("controlplane", &pod(), &note("m"), part).key;
        for role in [Role::Fault, Role::Resolution] {
            assert_ne!(key(part(role, "a")), key(part(role, "b")));
            assert_eq!(key(part(role, "")), key(None));
        }
    }

    #[test]
    fn objects_without_a_uid_are_told_apart_by_their_coordinates() {
        let nameless = |name: &str| ObjectReference { uid: None, name: Some(name.into()), ..pod() };
        assert_ne!(identity(&nameless("a")), identity(&nameless("b")));
    }

    #[test]
    fn a_text_within_the_limit_is_left_alone() {
        assert_eq!(cut("äöü", 6), "äöü");
    }

    proptest! {
        #[test]
        fn a_cut_text_fits_is_marked_and_splits_no_character(text in "\\PC{0,200}", limit in 3usize..150) {
            let short = cut(&text, limit);
            prop_assert!(short.len() <= limit);
            match short.strip_suffix(CUT_MARK) {
                Some(kept) if text.len() > limit => prop_assert!(text.starts_with(kept)),
                _ => prop_assert_eq!(short, text),
            }
        }
    }
}
