//! What is judged, as the API server shows it to expressions.

use std::borrow::Cow;

use super::program::Inputs;
use super::value::{Json, Object};

/// The objects under review; what there is not is [`Json::Null`].
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The object as it is to be.
    pub object: &'a Json<'a>,
    /// The object as it was.
    pub old_object: &'a Json<'a>,
    /// The admission request, as in an AdmissionReview; made up from the object if there is none.
    pub request: &'a Json<'a>,
    /// The namespace of the object.
    pub namespace_object: &'a Json<'a>,
}

impl<'a> Subject<'a> {
    /// The inputs as the API server would have them.
    pub fn complete(self) -> CompleteSubject<'a> {
        CompleteSubject {
            object: self.object,
            old_object: self.old_object,
            request: self.complete_request(),
            namespace_object: self.complete_namespace(),
        }
    }

    /// The request that expressions see: objects are not in it, and what is empty is left out.
    fn complete_request(self) -> Json<'a> {
        let given = match self.request {
            Json::Null => return self.made_up_request(),
            given => given,
        };
        let text = |key: &str| given.get(key).and_then(Json::as_str).filter(|t| !t.is_empty());
        let kind = complete(given.get("kind"), ["group", "version", "kind"]);
        let resource = complete(given.get("resource"), ["group", "version", "resource"]);
        let or = |key, default: &Json<'a>| given.get(key).unwrap_or(default).clone();
        let mut members: Vec<(&'static str, Json<'a>)> = vec![
            ("uid", string("")),
            ("requestKind", or("requestKind", &kind)),
            ("requestResource", or("requestResource", &resource)),
            ("kind", kind),
            ("resource", resource),
            ("operation", string(text("operation").unwrap_or(""))),
            ("userInfo", or("userInfo", &Json::Map(Object::default()))),
            ("object", Json::Null),
            ("oldObject", Json::Null),
            ("dryRun", or("dryRun", &Json::Bool(false))),
            ("options", or("options", &Json::Null)),
        ];
        for key in ["name", "namespace", "subResource"] {
            members.extend(text(key).map(|value| (key, string(value))));
        }
        let sub_resource = text("requestSubResource").or_else(|| text("subResource"));
        members.extend(sub_resource.map(|value| ("requestSubResource", string(value))));
        object(members)
    }

    /// A request by a cluster's administrator for what is given.
    fn made_up_request(self) -> Json<'a> {
        let (subject, operation, options) = match (self.object, self.old_object) {
            (object, Json::Null) => (object, "CREATE", "CreateOptions"),
            (Json::Null, old) => (old, "DELETE", "DeleteOptions"),
            (object, _) => (object, "UPDATE", "UpdateOptions"),
        };
        let api_version = subject.get("apiVersion").and_then(Json::as_str).unwrap_or("v1");
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = subject.get("kind").and_then(Json::as_str).unwrap_or("Pod");
        let kind_of = || {
            object([("group", string(group)), ("version", string(version)), ("kind", string(kind))])
        };
        let plural = plural(kind);
        let resource_of = || {
            let plural = Json::String(Cow::Owned(plural.clone()));
            object([("group", string(group)), ("version", string(version)), ("resource", plural)])
        };
        let groups = vec![string("system:masters"), string("system:authenticated")];
        let user =
            object([("username", string("kubernetes-admin")), ("groups", Json::List(groups))]);
        let mut options = vec![
            ("apiVersion", string("meta.k8s.io/v1")),
            ("kind", string(options)),
            ("dryRun", Json::List(vec![string("All")])),
        ];
        if operation != "DELETE" {
            let manager = if operation == "CREATE" { "kubectl-create" } else { "kubectl-edit" };
            options.push(("fieldManager", string(manager)));
            options.push(("fieldValidation", string("Strict")));
        }
        let mut members = vec![
            ("uid", string("")),
            ("kind", kind_of()),
            ("resource", resource_of()),
            ("requestKind", kind_of()),
            ("requestResource", resource_of()),
            ("operation", string(operation)),
            ("userInfo", user),
            ("object", Json::Null),
            ("oldObject", Json::Null),
            ("dryRun", Json::Bool(true)),
            ("options", object(options)),
        ];
        for key in ["name", "namespace"] {
            let value = subject.get("metadata").and_then(|metadata| metadata.get(key));
            members.extend(value.map(|value| (key, value.clone())));
        }
        object(members)
    }

    fn complete_namespace(self) -> Json<'a> {
        seen_namespace(self.namespace_object)
    }
}

/// A namespace as expressions see it: without the fields that the API server leaves out.
pub fn seen_namespace<'a>(namespace: &'a Json<'a>) -> Json<'a> {
    const SEEN: [&str; 12] = [
        "name",
        "generateName",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "labels",
        "annotations",
        "finalizers",
    ];
    let given = match namespace {
        Json::Null => return Json::Null,
        given => given,
    };
    let metadata = match given.get("metadata") {
        Some(Json::Map(metadata)) => metadata
            .iter()
            .filter(|(key, value)| SEEN.contains(key) && !is_empty(value))
            .map(|(key, value)| (Cow::Borrowed(key), value.clone()))
            .collect(),
        _ => Object::default(),
    };
    let part = |key| given.get(key).cloned().unwrap_or_else(|| Json::Map(Object::default()));
    object([("metadata", Json::Map(metadata)), ("spec", part("spec")), ("status", part("status"))])
}

/// A subject as expressions see it.
#[derive(Debug)]
pub struct CompleteSubject<'a> {
    object: &'a Json<'a>,
    old_object: &'a Json<'a>,
    request: Json<'a>,
    namespace_object: Json<'a>,
}

impl CompleteSubject<'_> {
    /// What rules are evaluated on.
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs {
            object: self.object,
            old_object: self.old_object,
            request: &self.request,
            namespace_object: &self.namespace_object,
        }
    }
}

fn is_empty(value: &Json<'_>) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::List(elements) => elements.is_empty(),
        Json::Map(object) => object.is_empty(),
        _ => false,
    }
}

fn string(text: &str) -> Json<'_> {
    Json::String(Cow::Borrowed(text))
}

fn object<'a>(members: impl IntoIterator<Item = (&'static str, Json<'a>)>) -> Json<'a> {
    let members = members.into_iter().map(|(key, value)| (Cow::Borrowed(key), value));
    Json::Map(members.collect())
}

/// An object with all of three members; those that are missing are empty.
fn complete<'j>(given: Option<&'j Json<'j>>, keys: [&'static str; 3]) -> Json<'j> {
    let member = |key: &str| given.and_then(|given| given.get(key)).and_then(Json::as_str);
    object(keys.map(|key| (key, string(member(key).unwrap_or("")))))
}

/// The resource of a kind, as kubectl guesses it.
fn plural(kind: &str) -> String {
    let name = kind.to_lowercase();
    match name.strip_suffix('y') {
        // The one whose kind is a plural (`meta.UnsafeGuessKindToResource`).
        _ if name == "endpoints" => name,
        Some(stem) => format!("{stem}ies"),
        None if name.ends_with('s') => format!("{name}es"),
        None => format!("{name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_guessed_as_kubectl_does() {
        let guessed = ["Pod", "NetworkPolicy", "Ingress", "Endpoints", "Pki"].map(plural);
        assert_eq!(guessed, ["pods", "networkpolicies", "ingresses", "endpoints", "pkis"]);
    }

    #[test]
    fn a_request_that_is_not_given_is_made_up_from_the_objects() {
        let object = Json::parse(
            r#"{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}"#,
        )
        .unwrap();
        let (none, old) = (Json::Null, object.clone());
        let operation = |object, old_object| {
            let subject =
                Subject { object, old_object, request: &none, namespace_object: &none }.complete();
            let request = subject.inputs().request;
            let resource = request.get("resource").and_then(|r| r.get("resource")).unwrap();
            assert_eq!(resource.as_str(), Some("deployments"));
            assert_eq!(request.get("name").and_then(Json::as_str), Some("a"));
            request.get("operation").and_then(Json::as_str).unwrap().to_owned()
        };
        assert_eq!(operation(&object, &none), "CREATE");
        assert_eq!(operation(&object, &old), "UPDATE");
        assert_eq!(operation(&none, &old), "DELETE");
    }

    #[test]
    fn of_a_request_what_is_empty_is_left_out_and_no_object_is_in_it() {
        let given = Json::parse(
            r#"{"uid": "u", "name": "", "subResource": "scale", "object": {"a": 1},
                "operation": "UPDATE", "kind": {"kind": "Pod"}}"#,
        )
        .unwrap();
        let none = Json::Null;
        let subject =
            Subject { object: &none, old_object: &none, request: &given, namespace_object: &none }
                .complete();
        let request = subject.inputs().request;
        assert_eq!(request.get("uid").and_then(Json::as_str), Some(""));
        assert_eq!(request.get("name"), None);
        assert_eq!(request.get("requestSubResource").and_then(Json::as_str), Some("scale"));
        assert_eq!(request.get("object"), Some(&Json::Null));
        assert_eq!(request.get("requestKind"), request.get("kind"));
    }
}
