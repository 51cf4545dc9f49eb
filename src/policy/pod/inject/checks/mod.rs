//! What is wrong with a partial Pod whatever Pods it is merged into: what Kubernetes would refuse,
//! and what is not a policy's to say.

mod container;
mod list;
pub(super) mod metadata;
mod probe;
mod volume;

use std::collections::HashMap;
use std::net::IpAddr;

use crate::cel::{Json, Object};
use crate::policy::pki::forms::{is_label, is_qualified_name, is_subdomain};

use super::compare::{elements, member};
use super::containers::{Containers, List};
use super::guards;
use super::lists::OF_SPEC;
use super::place::Place;
use super::structure::{Report, text_of};

/// Fields of the spec that no policy can inject, and why.
const NOT_INJECTED: [(&str, &str); 5] = [
    ("ephemeralContainers", "are added to Pods that run, not to new ones"),
    ("nodeName", "is the scheduler's to say: nodeSelector and affinity tell it what is wanted"),
    ("os", "decides which other fields a Pod may have, so it is the owner's to say"),
    ("priority", "is computed by the API server: priorityClassName says which it is"),
    ("resources", "is the sum of what the containers may have: it is set with theirs"),
];

/// Fields that every Pod has when a webhook sees it.
const ALWAYS_THERE: [&str; 9] = [
    "dnsPolicy",
    "enableServiceLinks",
    "preemptionPolicy",
    "priorityClassName",
    "restartPolicy",
    "schedulerName",
    "serviceAccount",
    "serviceAccountName",
    "terminationGracePeriodSeconds",
];

const ALWAYS_THERE_MESSAGE: &str = "is decided by the API server before a webhook sees the Pod; \
     where it differs that is a clash, and nothing is added";

/// Checks the spec, whose structure is right or told already.
pub(super) fn check_spec(report: &mut Report, spec: &Object<'_>, place: &Place<'_>) {
    let said = || spec.iter().filter(|(_, value)| !matches!(value, Json::Null));
    for (key, value) in said() {
        let place = place.key(key);
        if let Some((_, reason)) = NOT_INJECTED.iter().find(|(name, _)| *name == key) {
            report.fault(&place, format!("can't be injected: it {reason}"));
        } else if ALWAYS_THERE.contains(&key) {
            report.doubt(&place, ALWAYS_THERE_MESSAGE, None);
        }
        if let Some(because) = guards::of_spec(key, value, spec, &Containers::default()) {
            report.fault(&place, format!("can't be so while {because}"));
        }
    }
    for kind in &OF_SPEC {
        list::check_keys(report, kind, spec.get(kind.field), &place.key(kind.field));
    }
    let each = |field: &'static str| (0..).zip(elements(spec.get(field)));
    let at = |field: &'static str, check: &mut dyn FnMut(&Json<'_>, &Place<'_>)| {
        let place = place.key(field);
        for (index, item) in each(field) {
            check(item, &place.index(index));
        }
    };
    at("volumes", &mut |volume, place| volume::check(report, volume, place));
    at("tolerations", &mut |toleration, place| check_toleration(report, toleration, place));
    at("hostAliases", &mut |alias, place| check_host_alias(report, alias, place));
    for (field, key, is_right, form) in FORMS {
        at(field, &mut |item, place| {
            if let Some(name) = text_of(item, key)
                && !is_right(name)
            {
                report.fault(&place.key(key), format!("{name:?} is not {form}"));
            }
        });
    }
    if let Some(Json::Map(labels)) = spec.get("nodeSelector") {
        metadata::check_labels(report, labels, &place.key("nodeSelector"));
    }
    check_security(report, spec, &place.key("securityContext"));
    check_dns(report, spec, place);
    check_containers(report, spec, place);
}

/// A list, a field of its elements, and the form that this has.
type Form = (&'static str, &'static str, fn(&str) -> bool, &'static str);

const LABEL_FORM: &str = "a name of lower-case letters, digits and inner hyphens, at most 63";
const KEY_FORM: &str =
    "a name of letters, digits, '-', '_' and '.', with or without DOMAIN/ before it";

const FORMS: [Form; 4] = [
    ("volumes", "name", is_label, LABEL_FORM),
    ("resourceClaims", "name", is_label, LABEL_FORM),
    ("readinessGates", "conditionType", is_qualified_name, KEY_FORM),
    ("schedulingGates", "name", is_qualified_name, KEY_FORM),
];

fn check_security(report: &mut Report, spec: &Object<'_>, place: &Place<'_>) {
    let Some(context @ Json::Map(members)) = spec.get("securityContext") else { return };
    // What the owner's Pod decides is not known here.
    for (key, value) in members.iter().filter(|(key, _)| *key != "windowsOptions") {
        let because = guards::of_pod_security((key, value), context, spec, &Containers::default());
        if let Some(because) = because {
            report.fault(&place.key(key), format!("can't be so while {because}"));
        }
    }
}

fn check_dns(report: &mut Report, spec: &Object<'_>, place: &Place<'_>) {
    let is_none = spec.get("dnsPolicy").and_then(Json::as_str) == Some("None");
    let servers = spec.get("dnsConfig").and_then(|config| member(config, "nameservers"));
    if is_none && elements(servers).is_empty() {
        report.fault(&place.key("dnsPolicy"), "\"None\" needs nameservers in dnsConfig");
    }
}

fn check_toleration(report: &mut Report, toleration: &Json<'_>, place: &Place<'_>) {
    let key = text_of(toleration, "key");
    let operator = text_of(toleration, "operator").unwrap_or("Equal");
    if !matches!(operator, "Equal" | "Exists" | "Lt" | "Gt") {
        let message = format!("{operator:?} is not one of Equal, Exists, Lt, Gt");
        let hint = super::structure::did_you_mean(operator, ["Equal", "Exists"]);
        report.fault_with(&place.key("operator"), message, hint);
    }
    match key {
        Some(key) if !is_qualified_name(key) => {
            report.fault(&place.key("key"), format!("{key:?} is not {KEY_FORM}"));
        }
        None if operator != "Exists" => {
            report.fault(place, "has no key; only with operator Exists it may have none");
        }
        _ => {}
    }
    if operator == "Exists" && text_of(toleration, "value").is_some() {
        report.fault(&place.key("value"), "is not taken with operator Exists");
    }
    let has_seconds = member(toleration, "tolerationSeconds").is_some();
    if has_seconds && text_of(toleration, "effect") != Some("NoExecute") {
        report.fault(&place.key("tolerationSeconds"), "is only for the effect NoExecute");
    }
}

fn check_host_alias(report: &mut Report, alias: &Json<'_>, place: &Place<'_>) {
    if let Some(ip) = text_of(alias, "ip")
        && ip.parse::<IpAddr>().is_err()
    {
        report.fault(&place.key("ip"), format!("{ip:?} is not an IP address"));
    }
    let names = place.key("hostnames");
    for (index, name) in (0..).zip(elements(member(alias, "hostnames"))) {
        if let Some(name) = name.as_str().filter(|name| !is_subdomain(name)) {
            report.fault(&names.index(index), format!("{name:?} is not a host's name"));
        }
    }
}

/// Checks both lists of containers.
fn check_containers(report: &mut Report, spec: &Object<'_>, place: &Place<'_>) {
    let mut names: HashMap<&str, (List, bool, String)> = HashMap::new();
    for list in List::BOTH {
        let field = place.key(list.field());
        for (index, entry) in (0..).zip(elements(spec.get(list.field()))) {
            let place = field.index(index);
            let Json::Map(members) = entry else { continue };
            container::check(report, list, members, spec, &place);
            let Some(name) = text_of(entry, "name") else { continue };
            let brings = text_of(entry, "image").is_some();
            match names.get(name) {
                Some((other, is_brought, first)) if *other == list || brings && *is_brought => {
                    let message = format!("{name:?} is there already, at {first}");
                    report.fault(&place.key("name"), message);
                }
                _ => drop(names.insert(name, (list, brings, place.to_string()))),
            }
        }
    }
}
