//! What a Pod has that what is added to its containers names or must agree with.

use std::collections::HashMap;

use crate::cel::{Json, Object};

use super::compare::{elements, member};
use super::containers::Containers;
use super::place::Place;
use super::run::text;

/// A port of the host that a container has.
pub(super) struct HostPort {
    protocol: String,
    address: String,
    number: i64,
    pub(super) path: String,
}

impl HostPort {
    pub(super) fn of(port: &Json<'_>, number: i64, path: String) -> Self {
        let address = member(port, "hostIP").and_then(Json::as_str).unwrap_or_default();
        Self { protocol: protocol(port), address: address.to_owned(), number, path }
    }

    /// Whether both can't be had.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        let is_any = |address: &str| matches!(address, "" | "0.0.0.0" | "::");
        self.number == other.number
            && self.protocol == other.protocol
            && (self.address == other.address || is_any(&self.address) || is_any(&other.address))
    }
}

/// The protocol of a port.
pub(super) fn protocol(port: &Json<'_>) -> String {
    let protocol = member(port, "protocol").and_then(Json::as_str);
    protocol.filter(|text| !text.is_empty()).unwrap_or("TCP").to_owned()
}

/// The port of the host that a port asks for, or is in the host's network.
pub(super) fn host_port(port: &Json<'_>, host_network: bool) -> Option<i64> {
    let asked = number(port, "hostPort").filter(|number| *number != 0);
    asked.or_else(|| number(port, "containerPort").filter(|_| host_network))
}

/// A whole number that is a member.
pub(super) fn number(of: &Json<'_>, name: &str) -> Option<i64> {
    match of.get(name) {
        Some(Json::Int(number)) => Some(*number),
        _ => None,
    }
}

/// What the Pod has that its containers name or must agree with.
pub(super) struct Surroundings {
    /// Whether each volume can be used as a device.
    pub(super) volumes: HashMap<String, bool>,
    pub(super) host_network: bool,
    /// Whether its users are its own.
    pub(super) own_users: bool,
    pub(super) host_ports: Vec<HostPort>,
}

impl Surroundings {
    pub(super) fn of(spec: &Object<'_>, containers: &Containers<'_>) -> Self {
        let host_network = spec.get("hostNetwork") == Some(&Json::Bool(true));
        let mut host_ports = Vec::new();
        for (list, index, container) in containers.all() {
            for (at, port) in (0..).zip(elements(container.get("ports"))) {
                if let Some(number) = host_port(port, host_network) {
                    let path = format!("spec.{list}[{index}].ports[{at}]");
                    host_ports.push(HostPort::of(port, number, path));
                }
            }
        }
        let volumes = elements(spec.get("volumes")).iter().filter_map(|volume| {
            let name = member(volume, "name")?.as_str()?.to_owned();
            let is_device = ["persistentVolumeClaim", "ephemeral"]
                .into_iter()
                .any(|source| member(volume, source).is_some());
            Some((name, is_device))
        });
        let own_users = spec.get("hostUsers") == Some(&Json::Bool(false));
        Self { volumes: volumes.collect(), host_network, own_users, host_ports }
    }

    /// Why a port can't be added to a container that has these.
    pub(super) fn refuse_port(
        &mut self,
        port: &Json<'_>,
        there: &[&Json<'_>],
        place: &Place<'_>,
    ) -> Option<String> {
        let name = |port: &Json<'_>| member(port, "name").and_then(Json::as_str).map(str::to_owned);
        if let Some(wanted) = name(port)
            && let Some(at) = there.iter().position(|other| name(other).as_ref() == Some(&wanted))
        {
            return Some(format!("{place}.ports[{at}].name is {wanted:?}"));
        }
        let number = host_port(port, self.host_network)?;
        if self.host_network && self::number(port, "containerPort") != Some(number) {
            return Some("spec.hostNetwork is true, and hostPort is not containerPort".to_owned());
        }
        let this = HostPort::of(port, number, format!("{place}.ports[{}]", there.len()));
        if let Some(other) = self.host_ports.iter().find(|other| other.excludes(&this)) {
            return Some(format!("{} has port {number} of the host", other.path));
        }
        self.host_ports.push(this);
        None
    }

    /// Why a mount of a volume can't be added to a container.
    pub(super) fn refuse_mount(
        &self,
        mount: &Json<'_>,
        container: &Object<'_>,
        place: &Place<'_>,
    ) -> Option<String> {
        let part =
            |of: &Json<'_>, name: &str| member(of, name).and_then(Json::as_str).map(str::to_owned);
        let (name, path) = (part(mount, "name"), part(mount, "mountPath"));
        for (at, device) in (0..).zip(elements(container.get("volumeDevices"))) {
            for (key, wanted) in [("name", &name), ("devicePath", &path)] {
                if let Some(found) = part(device, key)
                    && Some(&found) == wanted.as_ref()
                {
                    return Some(format!("{place}.volumeDevices[{at}].{key} is {found:?}"));
                }
            }
        }
        let context = container.get("securityContext");
        let is_privileged =
            context.and_then(|context| context.get("privileged")) == Some(&Json::Bool(true));
        if part(mount, "mountPropagation").as_deref() == Some("Bidirectional") && !is_privileged {
            return Some(format!("{place}.securityContext.privileged is not true"));
        }
        let name = name.unwrap_or_default();
        (!self.volumes.contains_key(&name)).then(|| format!("spec.volumes has no {name}"))
    }

    /// Why a volume can't be added to a container as a device.
    pub(super) fn refuse_device(
        &self,
        device: &Json<'_>,
        there: &[&Json<'_>],
        container: &Object<'_>,
        place: &Place<'_>,
    ) -> Option<String> {
        if self.own_users {
            return Some("spec.hostUsers is false".to_owned());
        }
        let part =
            |of: &Json<'_>, name: &str| member(of, name).and_then(Json::as_str).map(str::to_owned);
        let (name, path) = (part(device, "name"), part(device, "devicePath"));
        if let Some(at) = there.iter().position(|other| part(other, "name") == name) {
            return Some(format!("{place}.volumeDevices[{at}].name is {}", text_of(name)));
        }
        for (at, mount) in (0..).zip(elements(container.get("volumeMounts"))) {
            for (key, wanted) in [("name", &name), ("mountPath", &path)] {
                if let Some(found) = part(mount, key)
                    && Some(&found) == wanted.as_ref()
                {
                    return Some(format!("{place}.volumeMounts[{at}].{key} is {found:?}"));
                }
            }
        }
        let name = name.unwrap_or_default();
        match self.volumes.get(&name) {
            None => Some(format!("spec.volumes has no {name}")),
            Some(false) => Some(format!("volume {name} is not of a persistent volume claim")),
            Some(true) => None,
        }
    }
}

fn text_of(name: Option<String>) -> String {
    text(&Json::String(name.unwrap_or_default().into()))
}
