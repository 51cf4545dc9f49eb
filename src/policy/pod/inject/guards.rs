//! What may not stand beside what: values that Kubernetes would refuse, each fine by itself. A Pod
//! that was valid must not become invalid by what is added to it.

use crate::cel::{Json, Object};

use super::compare::{elements, member};
use super::containers::{Containers, List};
use super::host;
use super::run::text;

/// What all annotations of an object may have together, in bytes.
const MOST_ANNOTATIONS: usize = 256 * 1024;

/// A member of the spec, and the value that matters; none where any does.
type Setting = (&'static str, Option<bool>);

/// Settings of which at most one may be.
const EXCLUSIVE: [(Setting, Setting); 6] = [
    (("hostPID", Some(true)), ("shareProcessNamespace", Some(true))),
    (("hostUsers", Some(false)), ("hostNetwork", Some(true))),
    (("hostUsers", Some(false)), ("hostPID", Some(true))),
    (("hostUsers", Some(false)), ("hostIPC", Some(true))),
    (("hostnameOverride", None), ("hostNetwork", Some(true))),
    (("hostnameOverride", None), ("setHostnameAsFQDN", Some(true))),
];

/// What a Pod for Windows can't have, in its spec and in its containers' security contexts.
const NOT_ON_WINDOWS: [&str; 19] = [
    "allowPrivilegeEscalation",
    "appArmorProfile",
    "capabilities",
    "fsGroup",
    "fsGroupChangePolicy",
    "hostIPC",
    "hostPID",
    "hostUsers",
    "privileged",
    "procMount",
    "readOnlyRootFilesystem",
    "runAsGroup",
    "runAsUser",
    "seLinuxChangePolicy",
    "seLinuxOptions",
    "seccompProfile",
    "shareProcessNamespace",
    "supplementalGroups",
    "sysctls",
];

/// The size of annotations, as the API server counts it.
pub(super) fn size_of_annotations(annotations: Option<&Json<'_>>) -> usize {
    let Some(Json::Map(annotations)) = annotations else { return 0 };
    annotations.iter().map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum()
}

/// Why no annotation is added to so many.
pub(super) fn too_many_annotations(size: usize) -> Option<String> {
    (size > MOST_ANNOTATIONS)
        .then(|| format!("annotations may have {MOST_ANNOTATIONS} bytes together"))
}

/// Why a member of the spec, which is absent, can't be added.
pub(super) fn of_spec(
    key: &str,
    wanted: &Json<'_>,
    spec: &Object<'_>,
    containers: &Containers<'_>,
) -> Option<String> {
    let is_value =
        |value: Option<bool>, json: &Json<'_>| value.is_none_or(|value| *json == Json::Bool(value));
    let is_wanted = |(name, value): Setting| name == key && is_value(value, wanted);
    let because = |(name, value): Setting| {
        let found = spec.get(name).filter(|found| !matches!(found, Json::Null))?;
        is_value(value, found).then(|| format!("spec.{name} is {}", text(found)))
    };
    for (one, other) in EXCLUSIVE {
        let other = match (is_wanted(one), is_wanted(other)) {
            (true, _) => other,
            (_, true) => one,
            _ => continue,
        };
        if let Some(because) = because(other) {
            return Some(because);
        }
    }
    let because = match key {
        "priorityClassName" => because(("priority", None)),
        "schedulingGates" => because(("nodeName", None)),
        "hostNetwork" if *wanted == Json::Bool(true) => {
            host::of_sharing(key, spec).or_else(|| containers.unfit_for_host_network())
        }
        "hostIPC" if *wanted == Json::Bool(true) => host::of_sharing(key, spec),
        "hostUsers" if *wanted == Json::Bool(false) => host::of_own_users(containers),
        _ => None,
    };
    because.or_else(|| of_system(key, spec))
}

/// Why a member can't be added that another system would need.
fn of_system(key: &str, spec: &Object<'_>) -> Option<String> {
    let system = spec.get("os").and_then(|os| member(os, "name")).and_then(Json::as_str)?;
    let is_foreign = match system {
        "windows" => NOT_ON_WINDOWS.contains(&key),
        _ => key == "windowsOptions",
    };
    is_foreign.then(|| format!("spec.os.name is {system:?}"))
}

/// The user that processes run as, and whether they may be root: the container's, or the Pod's.
fn effective<'j, 'a>(key: &str, contexts: [Option<&'j Json<'a>>; 3]) -> Option<&'j Json<'a>> {
    contexts.into_iter().flatten().find_map(|context| member(context, key))
}

/// Why a member of the Pod's security context, which is absent, can't be added.
pub(super) fn of_pod_security(
    (key, wanted): (&str, &Json<'_>),
    all_wanted: &Json<'_>,
    spec: &Object<'_>,
    containers: &Containers<'_>,
) -> Option<String> {
    let contexts = [spec.get("securityContext"), Some(all_wanted), None];
    let (root, not_root) = (Json::Int(0), Json::Bool(true));
    let (name, value) = match key {
        "runAsNonRoot" if *wanted == not_root => ("runAsUser", root),
        "runAsUser" if *wanted == root => ("runAsNonRoot", not_root),
        "sysctls" => return host::of_sysctls(wanted, spec).or_else(|| of_system(key, spec)),
        "windowsOptions" => {
            let because = host::of_pod_process(wanted, spec, containers);
            return because.or_else(|| of_system(key, spec));
        }
        _ => return of_system(key, spec),
    };
    if effective(name, contexts) == Some(&value) {
        return Some(format!("spec.securityContext.{name} is {}", text(&value)));
    }
    containers.all().find_map(|(list, index, container)| {
        let context = container.get("securityContext")?;
        let is_its_own = member(context, name) == Some(&value) && member(context, key).is_none();
        let place = format!("spec.{list}[{index}].securityContext.{name}");
        is_its_own.then(|| format!("{place} is {}", text(&value)))
    })
}

/// Why a member of a container's security context, which is absent, can't be added. `place` is
/// that of the container.
pub(super) fn of_container_security(
    (key, wanted): (&str, &Json<'_>),
    all_wanted: &Json<'_>,
    container: &Object<'_>,
    spec: &Object<'_>,
    place: &str,
) -> Option<String> {
    let own = container.get("securityContext");
    let of_pod = spec.get("securityContext");
    let is = |name: &str, value: &Json<'_>| {
        let found = own.and_then(|own| member(own, name)) == Some(value);
        found.then(|| format!("{place}.securityContext.{name} is {}", text(value)))
    };
    let is_effective = |name: &str, value: Json<'_>| {
        let found = effective(name, [own, Some(all_wanted), of_pod]) == Some(&value);
        found.then(|| format!("its {name} is {}", text(&value)))
    };
    let (yes, no) = (Json::Bool(true), Json::Bool(false));
    let obstacle = match key {
        "privileged" if *wanted == yes => is("allowPrivilegeEscalation", &no),
        "capabilities" if adds_administration(Some(wanted)) => is("allowPrivilegeEscalation", &no),
        "allowPrivilegeEscalation" if *wanted == no => is("privileged", &yes).or_else(|| {
            let capabilities = own.and_then(|own| member(own, "capabilities"));
            let path = format!("{place}.securityContext.capabilities.add");
            adds_administration(capabilities).then(|| format!("{path} has CAP_SYS_ADMIN"))
        }),
        "runAsNonRoot" if *wanted == yes => is_effective("runAsUser", Json::Int(0)),
        "runAsUser" if *wanted == Json::Int(0) => is_effective("runAsNonRoot", yes),
        "procMount" if wanted.as_str() == Some("Unmasked") => {
            let has_users = spec.get("hostUsers") == Some(&no);
            (!has_users).then(|| "spec.hostUsers is not false".to_owned())
        }
        "windowsOptions" => host::of_container_process(wanted, spec),
        _ => None,
    };
    obstacle.or_else(|| of_system(key, spec))
}

/// Whether these capabilities let a process gain more.
pub(super) fn adds_administration(capabilities: Option<&Json<'_>>) -> bool {
    elements(capabilities.and_then(|capabilities| member(capabilities, "add")))
        .iter()
        .any(|capability| matches!(capability.as_str(), Some("CAP_SYS_ADMIN" | "SYS_ADMIN")))
}

/// Why a member of a container, which is absent, can't be added.
pub(super) fn of_container(
    key: &str,
    container: &Object<'_>,
    list: List,
    place: &str,
) -> Option<String> {
    match key {
        "lifecycle" | "livenessProbe" | "readinessProbe" | "startupProbe" | "resizePolicy"
            if list == List::Init && !is_sidecar(container) =>
        {
            Some(format!("{place}.restartPolicy is not \"Always\""))
        }
        "restartPolicyRules"
            if matches!(container.get("restartPolicy"), None | Some(Json::Null)) =>
        {
            Some(format!("{place}.restartPolicy is absent"))
        }
        _ => None,
    }
}

/// Why a container can't be told by which signal to end.
pub(super) fn of_stop_signal(key: &str, wanted: &Json<'_>, spec: &Object<'_>) -> Option<String> {
    let has_signal = key == "lifecycle" && member(wanted, "stopSignal").is_some();
    let has_system = spec.get("os").and_then(|os| member(os, "name")).is_some();
    (has_signal && !has_system).then(|| "spec.os.name is absent".to_owned())
}

/// Whether an init container goes on running beside the others.
pub(super) fn is_sidecar(container: &Object<'_>) -> bool {
    container.get("restartPolicy").and_then(Json::as_str) == Some("Always")
}
