//! What goes into a container.

use std::cmp::Ordering;

use crate::cel::{Json, Object, compare_quantities, is_whole_quantity};
use crate::policy::pki::forms::{is_label, is_qualified_name};

use super::super::EVERY;
use super::super::compare::{elements, member, order, scalar};
use super::super::containers::List;
use super::super::guards;
use super::super::lists::{CLAIMS, ENV, OF_CONTAINER};
use super::super::place::Place;
use super::super::resources::can_be_overcommitted;
use super::super::structure::{Report, did_you_mean, text_of};
use super::super::surroundings::number;
use super::{LABEL_FORM, list, probe, volume};

/// Fields that every container of the owner's has when a webhook sees it.
const ALWAYS_THERE: [&str; 3] =
    ["imagePullPolicy", "terminationMessagePath", "terminationMessagePolicy"];

/// Resources that have no domain in their name.
const RESOURCES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// Checks an entry of a list of containers.
pub(super) fn check(
    report: &mut Report,
    list: List,
    entry: &Object<'_>,
    spec: &Object<'_>,
    place: &Place<'_>,
) {
    check_name(report, entry, place);
    check_image(report, entry, place);
    for kind in &OF_CONTAINER {
        list::check_keys(report, kind, entry.get(kind.field), &place.key(kind.field));
    }
    check_env(report, entry, place);
    check_ports(report, entry, place);
    volume::check_users(report, entry, spec, place);
    probe::check(report, entry, place);
    check_resources(report, entry, &place.key("resources"));
    check_security(report, entry, spec, place);
    if list == List::Init {
        check_init(report, entry, place);
    }
}

fn check_name(report: &mut Report, entry: &Object<'_>, place: &Place<'_>) {
    let place = place.key("name");
    match entry.get("name").and_then(Json::as_str) {
        Some("") => report.fault(&place, "is empty"),
        Some(name) if name != EVERY && !is_label(name) => {
            report.fault(&place, format!("{name:?} is neither \"*\" nor {LABEL_FORM}"));
        }
        _ => {}
    }
}

fn check_image(report: &mut Report, entry: &Object<'_>, place: &Place<'_>) {
    let image = entry.get("image").and_then(Json::as_str);
    let is_for_all = entry.get("name").and_then(Json::as_str) == Some(EVERY);
    if image.is_some_and(|image| image.trim().is_empty()) {
        report.fault(&place.key("image"), "is empty");
    } else if image.is_some() && is_for_all {
        report.fault(&place.key("image"), "can't be that of every container");
    }
    if is_for_all && entry.get("restartPolicy").is_some_and(|policy| *policy != Json::Null) {
        report.fault(&place.key("restartPolicy"), "can't be that of every container");
    }
    if image.is_some() {
        return;
    }
    if entry.iter().all(|(key, value)| key == "name" || *value == Json::Null) {
        report.doubt(place, "adds nothing: it has no image, and no field", None);
    }
    for key in ALWAYS_THERE {
        if entry.get(key).is_some_and(|value| *value != Json::Null) {
            report.doubt(&place.key(key), super::ALWAYS_THERE_MESSAGE, None);
        }
    }
}

fn check_env(report: &mut Report, entry: &Object<'_>, place: &Place<'_>) {
    let env = place.key("env");
    for (index, variable) in (0..).zip(elements(entry.get(ENV.field))) {
        let place = env.index(index);
        if let Some(name) = text_of(variable, "name")
            && !name.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
        {
            let message = format!("{name:?} is not printable ASCII without '='");
            report.fault(&place.key("name"), message);
        }
        let Some(source @ Json::Map(_)) = member(variable, "valueFrom") else { continue };
        if text_of(variable, "value").is_some() {
            report.fault(&place, "has both value and valueFrom, and may have one only");
        }
        let sources =
            ["configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef"];
        list::check_one_of(report, source, &sources, &place.key("valueFrom"));
    }
    let list = place.key("envFrom");
    for (index, source) in (0..).zip(elements(entry.get("envFrom"))) {
        list::check_one_of(report, source, &["configMapRef", "secretRef"], &list.index(index));
    }
}

fn check_ports(report: &mut Report, entry: &Object<'_>, place: &Place<'_>) {
    let list = place.key("ports");
    let ports = elements(entry.get("ports"));
    for (index, port) in (0..).zip(ports) {
        let place = list.index(index);
        for (field, least) in [("containerPort", 1), ("hostPort", 0)] {
            if let Some(number) = number(port, field)
                && !(least..=65_535).contains(&number)
            {
                report.fault(&place.key(field), format!("{number} is not a port: 1 to 65535"));
            }
        }
        let Some(name) = text_of(port, "name") else { continue };
        if !is_port_name(name) {
            let message = format!(
                "{name:?} is not a port's name: at most 15 lower-case letters, digits and inner \
                 single hyphens, with one letter at least"
            );
            report.fault(&place.key("name"), message);
        }
        if ports.iter().take(index).any(|other| text_of(other, "name") == Some(name)) {
            report.fault(&place.key("name"), format!("{name:?} is another port's name too"));
        }
    }
}

/// A service's name as IANA has it (RFC 6335, 5.1), in lower case.
fn is_port_name(name: &str) -> bool {
    is_label(name)
        && name.len() <= 15
        && !name.contains("--")
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn check_resources(report: &mut Report, entry: &Object<'_>, place: &Place<'_>) {
    let Some(resources) = entry.get("resources") else { return };
    list::check_keys(report, &CLAIMS, member(resources, "claims"), &place.key("claims"));
    for key in ["limits", "requests"] {
        let Some(Json::Map(amounts)) = member(resources, key) else { continue };
        let place = place.key(key);
        for (name, amount) in amounts.iter() {
            let place = place.key(name);
            let is_known = RESOURCES.contains(&name) || name.starts_with("hugepages-");
            if !is_qualified_name(name) || !(is_known || name.contains('/')) {
                let hint = did_you_mean(name, RESOURCES);
                report.fault_with(&place, "is no resource of containers", hint);
            }
            let is_negative = scalar(amount)
                .is_some_and(|text| compare_quantities(&text, "0") == Some(Ordering::Less));
            if is_negative {
                report.fault(&place, "is less than 0");
            }
            let is_part =
                || scalar(amount).and_then(|text| is_whole_quantity(&text)) == Some(false);
            if !can_be_overcommitted(name) && is_part() {
                report.fault(&place, "is no whole number, as the amount of a device has to be");
            }
            let limit = member(resources, "limits").and_then(|limits| member(limits, name));
            if key == "requests"
                && limit.and_then(|limit| order(amount, limit)) == Some(Ordering::Greater)
            {
                report.fault(&place, "is more than the limit");
            }
        }
    }
}

fn check_security(report: &mut Report, entry: &Object<'_>, spec: &Object<'_>, place: &Place<'_>) {
    let Some(context @ Json::Map(members)) = entry.get("securityContext") else { return };
    let (path, place) = (place.to_string(), place.key("securityContext"));
    // What the owner's Pod decides is not known here.
    let is_known = |key: &str| !["procMount", "windowsOptions"].contains(&key);
    for (key, value) in members.iter().filter(|(key, _)| is_known(key)) {
        let because = guards::of_container_security((key, value), context, entry, spec, &path);
        if let Some(because) = because {
            report.fault(&place.key(key), format!("can't be so while {because}"));
        }
    }
}

/// Checks what an init container may have only if it goes on running.
fn check_init(report: &mut Report, entry: &Object<'_>, place: &Place<'_>) {
    let is_certain = entry.get("image").is_some_and(|image| *image != Json::Null)
        || entry.get("name").and_then(Json::as_str) == Some(EVERY);
    if !is_certain || guards::is_sidecar(entry) {
        return;
    }
    for field in probe::PROBES.into_iter().chain(["lifecycle", "resizePolicy"]) {
        if entry.get(field).is_some_and(|value| *value != Json::Null) {
            let message = "is not for an init container, unless that has restartPolicy: Always";
            report.fault(&place.key(field), message);
        }
    }
}
