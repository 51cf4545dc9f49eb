//! What a Pod shares with its host, and what it can't have then.

use crate::cel::{Json, Object};

use super::compare::{elements, member};
use super::containers::Containers;

/// Beginnings of the names of sysctls, by the field that makes them the host's own.
const SYSCTLS: [(&str, &[&str]); 2] = [
    ("hostNetwork", &["net."]),
    ("hostIPC", &["fs.mqueue.", "kernel.msg", "kernel.sem", "kernel.shm"]),
];

/// Why sysctls can't be set, of which some are the host's.
pub(super) fn of_sysctls(wanted: &Json<'_>, spec: &Object<'_>) -> Option<String> {
    let is_shared = |field: &str| spec.get(field) == Some(&Json::Bool(true));
    let mut of_host = SYSCTLS.iter().filter(|(field, _)| is_shared(field));
    let (field, _) = of_host.find(|(_, names)| first_of(wanted, names).is_some())?;
    Some(format!("spec.{field} is true"))
}

/// Why something can't be shared, of which the Pod sets sysctls.
pub(super) fn of_sharing(field: &str, spec: &Object<'_>) -> Option<String> {
    let (_, names) = SYSCTLS.iter().find(|(name, _)| *name == field)?;
    let (index, name) = first_of(spec.get("securityContext")?.get("sysctls")?, names)?;
    Some(format!("spec.securityContext.sysctls[{index}].name is {name:?}"))
}

/// The first sysctl whose name begins with one of these; its parts can be parted by slashes.
fn first_of<'j>(sysctls: &'j Json<'_>, names: &[&str]) -> Option<(usize, &'j str)> {
    let name = |sysctl: &'j Json<'_>| member(sysctl, "name").and_then(Json::as_str);
    elements(Some(sysctls)).iter().enumerate().find_map(|(index, sysctl)| {
        let name = name(sysctl)?;
        let dotted = name.replace('/', ".");
        names.iter().any(|begin| dotted.starts_with(begin)).then_some((index, name))
    })
}

/// Why the users of a Pod can't be its own: devices know the host's only.
pub(super) fn of_own_users(containers: &Containers<'_>) -> Option<String> {
    containers.all().find_map(|(list, index, container)| {
        let has_devices = !elements(container.get("volumeDevices")).is_empty();
        has_devices.then(|| format!("spec.{list}[{index}] has volumeDevices"))
    })
}

/// Whether something says of itself that it is a process of a Windows host.
fn says(options: Option<&Json<'_>>) -> Option<bool> {
    match options?.get("hostProcess") {
        Some(Json::Bool(says)) => Some(*says),
        _ => None,
    }
}

fn options<'j, 'a>(context: Option<&'j Json<'a>>) -> Option<&'j Json<'a>> {
    context?.get("windowsOptions")
}

fn said_by_pod(spec: &Object<'_>) -> Option<bool> {
    says(options(spec.get("securityContext")))
}

/// What a Pod says of it, as a reason.
fn pod_says(says: Option<bool>) -> String {
    let says = says.map_or_else(|| "absent".to_owned(), |says| says.to_string());
    format!("spec.securityContext.windowsOptions.hostProcess is {says}")
}

/// Why a container with these options for Windows can't be added: either all of a Pod's are
/// processes of the host, or none.
pub(super) fn of_new_process(
    wanted: Option<&Json<'_>>,
    spec: &Object<'_>,
    containers: &Containers<'_>,
) -> Option<String> {
    let (wanted, by_pod) = (says(wanted), said_by_pod(spec));
    if wanted.is_some() && by_pod.is_some() && wanted != by_pod {
        return Some(pod_says(by_pod));
    }
    let is_process = |said: Option<bool>| said.or(by_pod) == Some(true);
    containers.all().find_map(|(list, index, container)| {
        let said = is_process(says(options(container.get("securityContext"))));
        let path = format!("spec.{list}[{index}].securityContext.windowsOptions.hostProcess");
        let not = if said { "" } else { "not " };
        (said != is_process(wanted)).then(|| format!("{path} is {not}true"))
    })
}

/// Why a Pod can't have these options for Windows.
pub(super) fn of_pod_process(
    wanted: &Json<'_>,
    spec: &Object<'_>,
    containers: &Containers<'_>,
) -> Option<String> {
    let wanted = says(Some(wanted))?;
    if wanted && spec.get("hostNetwork") != Some(&Json::Bool(true)) {
        return Some("spec.hostNetwork is not true".to_owned());
    }
    containers.all().find_map(|(list, index, container)| {
        let said = says(options(container.get("securityContext")))?;
        let path = format!("spec.{list}[{index}].securityContext.windowsOptions.hostProcess");
        (said != wanted).then(|| format!("{path} is {said}"))
    })
}

/// Why a container that is there can't have these options for Windows: what it is, is the Pod's to
/// change.
pub(super) fn of_container_process(wanted: &Json<'_>, spec: &Object<'_>) -> Option<String> {
    let (wanted, by_pod) = (says(Some(wanted))?, said_by_pod(spec));
    let is_so = if wanted { by_pod == Some(true) } else { by_pod != Some(true) };
    (!is_so).then(|| pod_says(by_pod))
}
