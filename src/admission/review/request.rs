//! `AdmissionReview.request`: what the API server asks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{API_VERSION, KIND, ReviewError};

/// One admission request (`AdmissionRequest` of `admission.k8s.io/v1`), borrowed from the body
/// that it came in.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The name of this one call; the answer has to repeat it. Not the object's uid.
    pub uid: Cow<'a, str>,
    /// The kind of `object` as it is sent here.
    pub kind: GroupVersionKind<'a>,
    /// The resource, as the webhook's rule matched it.
    pub resource: GroupVersionResource<'a>,
    /// `status`, `scale`, `ephemeralcontainers` …, or none for the object itself.
    pub sub_resource: Option<Cow<'a, str>>,
    /// The kind that the client sent, which differs from `kind` where the API server converted
    /// the object for the webhook (`matchPolicy: Equivalent`).
    pub request_kind: Option<GroupVersionKind<'a>>,
    /// The resource that the client addressed; see `request_kind`.
    pub request_resource: Option<GroupVersionResource<'a>>,
    /// The subresource that the client addressed; see `request_kind`.
    pub request_sub_resource: Option<Cow<'a, str>>,
    /// The object's name; none while only its `generateName` is known.
    pub name: Option<Cow<'a, str>>,
    /// The object's namespace; none for cluster-scoped kinds.
    pub namespace: Option<Cow<'a, str>>,
    /// What is done to the object.
    pub operation: Operation,
    /// Who does it.
    pub user: UserInfo<'a>,
    /// The object as it would be stored: always there at Create and Update, none at Delete.
    pub object: Option<&'a RawValue>,
    /// The object as it is stored: there at Update and Delete.
    pub old_object: Option<&'a RawValue>,
    /// Whether nothing will be stored, whatever the answer.
    pub dry_run: bool,
    /// `CreateOptions`, `PatchOptions` … of `meta.k8s.io/v1`.
    pub options: Option<&'a RawValue>,
}

/// A group, a version and a kind. The core group is the empty text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GroupVersionKind<'a> {
    /// The API group: `apps`, `box.com`, or empty.
    #[serde(borrow, default)]
    pub group: Cow<'a, str>,
    /// The version within the group: `v1`.
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    /// The kind: `Pod`.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
}

impl fmt::Display for GroupVersionKind<'_> {
    /// As a manifest has them: `apps/v1 Deployment`, `v1 Pod`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.group.is_empty() {
            write!(f, "{}/", self.group)?;
        }
        write!(f, "{} {}", self.version, self.kind)
    }
}

/// A group, a version and a resource. The core group is the empty text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GroupVersionResource<'a> {
    /// The API group: `apps`, `box.com`, or empty.
    #[serde(borrow, default)]
    pub group: Cow<'a, str>,
    /// The version within the group: `v1`.
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    /// The resource, plural and lower case: `pods`.
    #[serde(borrow)]
    pub resource: Cow<'a, str>,
}

/// What is done to the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The object is made.
    Create,
    /// The object, or a subresource of it, is changed.
    Update,
    /// The object is deleted.
    Delete,
    /// A connection to the object is opened (`exec`, `proxy` …).
    Connect,
}

impl Operation {
    /// Every operation, in the order of the API.
    pub const ALL: [Self; 4] = [Self::Create, Self::Update, Self::Delete, Self::Connect];

    /// The operation as the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }

    fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == text)
    }

    const fn has_object(self) -> bool {
        matches!(self, Self::Create | Self::Update)
    }
}

/// Who makes the request (`UserInfo` of `authentication.k8s.io/v1`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserInfo<'a> {
    /// `system:serviceaccount:kube-system:replicaset-controller`, `jane` …
    pub username: Cow<'a, str>,
    /// What tells this user from an earlier one of the same name; often empty.
    pub uid: Cow<'a, str>,
    /// The groups that the user is in.
    pub groups: Vec<Cow<'a, str>>,
    /// What else the authenticator said.
    pub extra: BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>,
}

/// Reads the request out of the body of a webhook call.
///
/// # Errors
/// A [`ReviewError`] that says what was expected and what was found: the body is no JSON, no
/// AdmissionReview, one of another version, or its request lacks what every request has.
pub fn parse(body: &[u8]) -> Result<Request<'_>, ReviewError> {
    let review: WireReview<'_> =
        serde_json::from_slice(body).map_err(|error| diagnose(body, &error))?;
    check_type(&text(review.api_version), &text(review.kind))?;
    review.request.ok_or(ReviewError::NoRequest)?.check()
}

fn check_type(api_version: &str, kind: &str) -> Result<(), ReviewError> {
    if kind == KIND && api_version == API_VERSION {
        Ok(())
    } else if kind == KIND && api_version.starts_with("admission.k8s.io/") {
        Err(ReviewError::unsupported_version(api_version))
    } else {
        Err(ReviewError::not_a_review(api_version, kind))
    }
}

/// Says what is wrong with a body that did not parse. It reads the body once more, leniently:
/// JSON of another shape may be a review of another version, or may still tell its uid.
fn diagnose(body: &[u8], error: &serde_json::Error) -> ReviewError {
    if body.trim_ascii().is_empty() {
        return ReviewError::Empty;
    }
    if !error.is_data() {
        return ReviewError::not_json(error);
    }
    let envelope: Envelope<'_> = match serde_json::from_slice(body) {
        Ok(envelope) => envelope,
        Err(error) if !error.is_data() => return ReviewError::not_json(&error),
        Err(_) => return ReviewError::not_a_review("", ""),
    };
    if let Err(error) = check_type(&lenient(envelope.api_version), &lenient(envelope.kind)) {
        return error;
    }
    let uid = envelope
        .request
        .and_then(|request| serde_json::from_str::<UidOnly<'_>>(request.get()).ok())
        .map(|request| lenient(request.uid).into_owned())
        .filter(|uid| !uid.is_empty());
    ReviewError::Malformed { uid, cause: error.to_string() }
}

fn lenient(raw: Option<&RawValue>) -> Cow<'_, str> {
    text(raw.and_then(|raw| serde_json::from_str(raw.get()).ok()))
}

/// The parts that tell what a body was meant to be, of whatever type they are.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "apiVersion")]
    api_version: Option<&'a RawValue>,
    #[serde(borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct UidOnly<'a> {
    #[serde(borrow)]
    uid: Option<&'a RawValue>,
}

/// A text that borrows where it has no escapes. serde borrows for a bare `Cow`, but not for one
/// inside an `Option`, a `Vec` or a map.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn text(text: Option<Text<'_>>) -> Cow<'_, str> {
    text.map(|Text(text)| text).unwrap_or_default()
}

/// Go leaves an empty text out or writes it as "": both mean that there is none.
fn non_empty(field: Option<Text<'_>>) -> Option<Cow<'_, str>> {
    Some(text(field)).filter(|text| !text.is_empty())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireReview<'a> {
    #[serde(borrow)]
    api_version: Option<Text<'a>>,
    #[serde(borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    request: Option<WireRequest<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRequest<'a> {
    #[serde(borrow)]
    uid: Option<Text<'a>>,
    #[serde(borrow)]
    kind: GroupVersionKind<'a>,
    #[serde(borrow)]
    resource: GroupVersionResource<'a>,
    #[serde(borrow)]
    sub_resource: Option<Text<'a>>,
    #[serde(borrow)]
    request_kind: Option<GroupVersionKind<'a>>,
    #[serde(borrow)]
    request_resource: Option<GroupVersionResource<'a>>,
    #[serde(borrow)]
    request_sub_resource: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    namespace: Option<Text<'a>>,
    #[serde(borrow)]
    operation: Cow<'a, str>,
    #[serde(borrow)]
    user_info: Option<WireUser<'a>>,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
    #[serde(borrow)]
    old_object: Option<&'a RawValue>,
    dry_run: Option<bool>,
    #[serde(borrow)]
    options: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct WireUser<'a> {
    #[serde(borrow)]
    username: Option<Text<'a>>,
    #[serde(borrow)]
    uid: Option<Text<'a>>,
    #[serde(borrow)]
    groups: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    extra: Option<BTreeMap<Text<'a>, Vec<Text<'a>>>>,
}

impl<'a> WireRequest<'a> {
    fn check(self) -> Result<Request<'a>, ReviewError> {
        let uid = non_empty(self.uid).ok_or(ReviewError::NoUid)?;
        let Some(operation) = Operation::from_wire(&self.operation) else {
            return Err(ReviewError::unknown_operation(uid, &self.operation));
        };
        for (field, value) in [("object", self.object), ("oldObject", self.old_object)] {
            if value.is_some_and(|value| !value.get().starts_with('{')) {
                return Err(ReviewError::NotAnObject { uid: uid.into_owned(), field });
            }
        }
        if operation.has_object() && self.object.is_none() {
            return Err(ReviewError::NoObject { uid: uid.into_owned(), operation });
        }
        Ok(Request {
            uid,
            kind: self.kind,
            resource: self.resource,
            sub_resource: non_empty(self.sub_resource),
            request_kind: self.request_kind,
            request_resource: self.request_resource,
            request_sub_resource: non_empty(self.request_sub_resource),
            name: non_empty(self.name),
            namespace: non_empty(self.namespace),
            operation,
            user: self.user_info.unwrap_or_default().into(),
            object: self.object,
            old_object: self.old_object,
            dry_run: self.dry_run.unwrap_or(false),
            options: self.options,
        })
    }
}

impl<'a> From<WireUser<'a>> for UserInfo<'a> {
    fn from(user: WireUser<'a>) -> Self {
        let texts = |list: Vec<Text<'a>>| list.into_iter().map(|Text(text)| text).collect();
        Self {
            username: text(user.username),
            uid: text(user.uid),
            groups: texts(user.groups.unwrap_or_default()),
            extra: user
                .extra
                .unwrap_or_default()
                .into_iter()
                .map(|(Text(key), values)| (key, texts(values)))
                .collect(),
        }
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
