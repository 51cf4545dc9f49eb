//! The name of an Event: the same diagnosis of the same object has the same name, whoever finds it
//! and whenever.

use aws_lc_rs::digest::{Context, SHA256};
use k8s_openapi::api::core::v1::ObjectReference;

use super::note::EventType;

/// Namespace in which the API server wants the Events of cluster-scoped objects.
const CLUSTER_SCOPED_NAMESPACE: &str = "default";
/// Longest DNS subdomain (RFC 1123).
const MAX_NAME_BYTES: usize = 253;
/// 64 bits: names need only differ among the Events of objects of one name in one namespace.
const HASH_BYTES: usize = 8;

/// Where an Event is stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct EventKey {
    pub namespace: String,
    pub name: String,
}

/// What makes two Events one.
pub(super) struct Identity<'a> {
    pub uid: &'a str,
    pub event_type: EventType,
    pub reason: &'a str,
    pub component: &'a str,
    pub key: &'a str,
    /// Whose verdict it is. Empty: the object's as a whole, named as if there were no scopes.
    pub scope: &'a str,
}

impl EventKey {
    pub fn of(regarding: &ObjectReference, identity: &Identity<'_>) -> Self {
        let namespace = regarding
            .namespace
            .as_deref()
            .filter(|namespace| !namespace.is_empty())
            .unwrap_or(CLUSTER_SCOPED_NAMESPACE);
        let room = MAX_NAME_BYTES - 1 - 2 * HASH_BYTES;
        let object = subdomain(regarding.name.as_deref().unwrap_or_default(), room);
        Self { namespace: namespace.to_owned(), name: format!("{object}.{}", identity.hash()) }
    }
}

impl Identity<'_> {
    /// SHA-256, cut. Owners write parts of the messages, and with a hash that can be steered (FNV,
    /// say) one could write a fault whose Event hides under the name of another. Each field is
    /// preceded by its length, so that no two identities run into the same bytes.
    fn hash(&self) -> String {
        let mut digest = Context::new(&SHA256);
        let fields = [self.uid, self.event_type.as_str(), self.reason, self.component, self.key];
        let scope = Some(self.scope).filter(|scope| !scope.is_empty());
        for field in fields.into_iter().chain(scope) {
            digest.update(&(field.len() as u64).to_be_bytes());
            digest.update(field.as_bytes());
        }
        let digest = digest.finish();
        digest.as_ref().iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The nearest DNS subdomain to `name` of at most `limit` bytes. Names of RBAC objects, for
/// instance, may hold colons and capitals.
fn subdomain(name: &str, limit: usize) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '.') => c,
            _ => '-',
        })
        .take(limit)
        .collect();
    let labels: Vec<&str> =
        plain.split('.').map(|label| label.trim_matches('-')).filter(|l| !l.is_empty()).collect();
    if labels.is_empty() { "object".to_owned() } else { labels.join(".") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn identity<'a>() -> Identity<'a> {
        Identity {
            uid: "6f3c2a52-7c0e-4ad9-9f62-0d4e0f7d9a10",
            event_type: EventType::Warning,
            reason: "PkiServiceNameError",
            component: "controlplane",
            key: "a message",
            scope: "",
        }
    }

    fn named(name: &str, namespace: Option<&str>) -> EventKey {
        let regarding = ObjectReference {
            name: Some(name.into()),
            namespace: namespace.map(Into::into),
            ..ObjectReference::default()
        };
        EventKey::of(&regarding, &identity())
    }

    fn is_subdomain(name: &str) -> bool {
        let label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        };
        name.len() <= MAX_NAME_BYTES && name.split('.').all(label)
    }

    /// An installed version must find the Events of the version before it.
    #[test]
    fn the_name_of_a_diagnosis_never_changes() {
        assert_eq!(named("app1-0", Some("shop")).name, "app1-0.9ea93ff46f1652e7");
        assert_eq!(Identity { scope: "app1-pki", ..identity() }.hash(), "9017af08949151f5");
    }

    #[test]
    fn each_part_of_the_identity_counts() {
        let all = [
            identity().hash(),
            Identity { uid: "other", ..identity() }.hash(),
            Identity { event_type: EventType::Normal, ..identity() }.hash(),
            Identity { reason: "Other", ..identity() }.hash(),
            Identity { component: "other", ..identity() }.hash(),
            Identity { key: "other", ..identity() }.hash(),
            Identity { scope: "other", ..identity() }.hash(),
            Identity { scope: "another", ..identity() }.hash(),
            Identity { reason: "PkiServiceNameErrorc", component: "ontrolplane", ..identity() }
                .hash(),
        ];
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn the_event_of_a_cluster_scoped_object_is_in_the_default_namespace() {
        assert_eq!(named("pki", None).namespace, "default");
        assert_eq!(named("pki", Some("")).namespace, "default");
        assert_eq!(named("pki", Some("shop")).namespace, "shop");
    }

    #[test]
    fn a_name_that_is_no_subdomain_is_bent_into_one() {
        assert_eq!(subdomain("system:Node", 236), "system-node");
        assert_eq!(subdomain("-a.-b-.", 236), "a.b");
        assert_eq!(subdomain("", 236), "object");
    }

    proptest! {
        #[test]
        fn a_name_is_always_a_dns_subdomain(name in "\\PC{0,300}|[a-zA-Z0-9.:-]{0,300}") {
            let key = named(&name, None);
            prop_assert!(is_subdomain(&key.name), "{}", key.name);
        }

        #[test]
        fn a_valid_name_that_fits_is_kept(name in "[a-z0-9]{1,50}(-[a-z0-9]{1,30}){0,2}(\\.[a-z0-9]{1,40}){0,2}") {
            let prefix = format!("{name}.");
            prop_assert!(named(&name, None).name.starts_with(&prefix));
        }
    }
}
