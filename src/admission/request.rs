//! What expressions see of a request, and its objects.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::cel::Json;

use super::review::{GroupVersionKind, GroupVersionResource, Request, UserInfo};

/// An object of the request; `null` where there is none.
///
/// # Errors
/// A sentence on what can't be read.
pub(super) fn object<'a>(field: &str, raw: Option<&'a RawValue>) -> Result<Json<'a>, String> {
    let Some(raw) = raw else { return Ok(Json::Null) };
    Json::parse(raw.get())
        .map_err(|error| format!("request.{field} of the AdmissionReview can't be read: {error}"))
}

/// The request as expressions see it, which is as the API server shows it to those of its own
/// policies: without its uid and its objects, and without texts that are empty.
///
/// # Errors
/// A sentence on what can't be read.
pub(super) fn seen<'a>(request: &'a Request<'a>) -> Result<Json<'a>, String> {
    let request_kind = request.request_kind.as_ref().unwrap_or(&request.kind);
    let request_resource = request.request_resource.as_ref().unwrap_or(&request.resource);
    let request_sub_resource =
        request.request_sub_resource.as_ref().or(request.sub_resource.as_ref());
    let mut members = vec![
        ("uid", text("")),
        ("kind", kind(&request.kind)),
        ("resource", resource(&request.resource)),
        ("requestKind", kind(request_kind)),
        ("requestResource", resource(request_resource)),
        ("operation", text(request.operation.as_str())),
        ("userInfo", user(&request.user)),
        ("object", Json::Null),
        ("oldObject", Json::Null),
        ("dryRun", Json::Bool(request.dry_run)),
        ("options", object("options", request.options)?),
    ];
    for (key, value) in [
        ("name", request.name.as_ref()),
        ("namespace", request.namespace.as_ref()),
        ("subResource", request.sub_resource.as_ref()),
        ("requestSubResource", request_sub_resource),
    ] {
        members.extend(value.map(|value| (key, text(value))));
    }
    Ok(map(members))
}

fn kind<'a>(kind: &'a GroupVersionKind<'_>) -> Json<'a> {
    map([
        ("group", text(&kind.group)),
        ("version", text(&kind.version)),
        ("kind", text(&kind.kind)),
    ])
}

fn resource<'a>(resource: &'a GroupVersionResource<'_>) -> Json<'a> {
    map([
        ("group", text(&resource.group)),
        ("version", text(&resource.version)),
        ("resource", text(&resource.resource)),
    ])
}

fn user<'a>(user: &'a UserInfo<'_>) -> Json<'a> {
    let mut members = Vec::new();
    for (key, value) in [("username", &user.username), ("uid", &user.uid)] {
        if !value.is_empty() {
            members.push((key, text(value)));
        }
    }
    if !user.groups.is_empty() {
        members.push(("groups", texts(&user.groups)));
    }
    if !user.extra.is_empty() {
        let extra = user.extra.iter().map(|(key, values)| (key.as_ref().into(), texts(values)));
        members.push(("extra", Json::Map(extra.collect())));
    }
    map(members)
}

fn texts<'a>(texts: &'a [Cow<'_, str>]) -> Json<'a> {
    Json::List(texts.iter().map(|value| text(value)).collect())
}

fn text(text: &str) -> Json<'_> {
    Json::String(Cow::Borrowed(text))
}

fn map<'a>(members: impl IntoIterator<Item = (&'static str, Json<'a>)>) -> Json<'a> {
    Json::Map(members.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect())
}
