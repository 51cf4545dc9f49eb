//! Volumes, and what uses them in a container.

use crate::cel::{Json, Object};

use super::super::compare::elements;
use super::super::place::Place;
use super::super::structure::{Report, text_of};

/// Checks a volume: it has one source.
pub(super) fn check(report: &mut Report, volume: &Json<'_>, place: &Place<'_>) {
    let Json::Map(members) = volume else { return };
    let sources: Vec<&str> = members
        .iter()
        .filter(|(key, value)| *key != "name" && !matches!(value, Json::Null))
        .map(|(key, _)| key)
        .collect();
    match sources.as_slice() {
        [_] => {}
        [] => report.fault(place, "has no source, such as emptyDir or configMap"),
        [one, other, ..] => {
            report.fault(place, format!("has two sources: {one} and {other}"));
        }
    }
}

/// Checks what uses volumes in a container.
pub(super) fn check_users(
    report: &mut Report,
    container: &Object<'_>,
    spec: &Object<'_>,
    place: &Place<'_>,
) {
    let volumes = elements(spec.get("volumes"));
    let is_brought =
        |name: &str| volumes.iter().any(|volume| text_of(volume, "name") == Some(name));
    for field in ["volumeMounts", "volumeDevices"] {
        let place = place.key(field);
        for (index, user) in (0..).zip(elements(container.get(field))) {
            if let Some(name) = text_of(user, "name").filter(|name| !is_brought(name)) {
                let place = place.index(index);
                let message = format!(
                    "{name:?} is no volume of this policy; where a Pod has none it is left out"
                );
                let names = volumes.iter().filter_map(|volume| text_of(volume, "name"));
                let hint = super::super::structure::did_you_mean(name, names);
                report.doubt(&place.key("name"), message, hint);
            }
        }
    }
    let mounts = elements(container.get("volumeMounts"));
    let list = place.key("volumeMounts");
    for (index, mount) in (0..).zip(mounts) {
        check_mount(report, mount, &list.index(index));
    }
    let list = place.key("volumeDevices");
    let devices = elements(container.get("volumeDevices"));
    for (index, device) in (0..).zip(devices) {
        let (name, path) = (text_of(device, "name"), text_of(device, "devicePath"));
        let is_taken = devices.iter().take(index).any(|other| text_of(other, "name") == name)
            || mounts
                .iter()
                .any(|mount| text_of(mount, "name") == name || text_of(mount, "mountPath") == path);
        if name.is_some() && is_taken {
            report.fault(&list.index(index), "has a volume or a path that is used already");
        }
    }
}

fn check_mount(report: &mut Report, mount: &Json<'_>, place: &Place<'_>) {
    let sub_path = text_of(mount, "subPath");
    if sub_path.is_some() && text_of(mount, "subPathExpr").is_some() {
        report.fault(place, "has both subPath and subPathExpr, and may have one only");
    }
    for field in ["subPath", "subPathExpr"] {
        if let Some(path) = text_of(mount, field)
            && (path.starts_with('/') || path.split('/').any(|part| part == ".."))
        {
            report.fault(&place.key(field), format!("{path:?} is not a path within the volume"));
        }
    }
    if let Some(recursive) = text_of(mount, "recursiveReadOnly") {
        let place = place.key("recursiveReadOnly");
        let is_read_only = mount.get("readOnly") == Some(&Json::Bool(true));
        let is_propagated = !matches!(text_of(mount, "mountPropagation"), None | Some("None"));
        if !matches!(recursive, "Disabled" | "IfPossible" | "Enabled") {
            let message = format!("{recursive:?} is not one of Disabled, IfPossible, Enabled");
            report.fault(&place, message);
        } else if recursive != "Disabled" && (!is_read_only || is_propagated) {
            report.fault(&place, "needs readOnly: true, and no mountPropagation");
        }
    }
}
