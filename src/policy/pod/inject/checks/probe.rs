//! Probes and lifecycle hooks.

use crate::cel::{Json, Object};

use super::super::compare::member;
use super::super::place::Place;
use super::super::structure::Report;
use super::list::check_one_of;

pub(super) const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

/// Numbers of a probe of which 0 stands for a default that is not 0.
const POSITIVE: [&str; 4] =
    ["failureThreshold", "periodSeconds", "successThreshold", "timeoutSeconds"];

/// Checks the probes and hooks of a container.
pub(super) fn check(report: &mut Report, container: &Object<'_>, place: &Place<'_>) {
    for field in PROBES {
        let Some(probe @ Json::Map(_)) = container.get(field) else { continue };
        let place = place.key(field);
        check_one_of(report, probe, &["exec", "grpc", "httpGet", "tcpSocket"], &place);
        for name in POSITIVE {
            if matches!(member(probe, name), Some(Json::Int(number)) if *number < 1) {
                report.fault(&place.key(name), "is less than 1");
            }
        }
        if matches!(member(probe, "initialDelaySeconds"), Some(Json::Int(number)) if *number < 0) {
            report.fault(&place.key("initialDelaySeconds"), "is less than 0");
        }
        let successes = member(probe, "successThreshold");
        if field != "readinessProbe" && successes.is_some_and(|number| *number != Json::Int(1)) {
            report.fault(&place.key("successThreshold"), "is 1 for this probe, or left out");
        }
        if field == "readinessProbe" && member(probe, "terminationGracePeriodSeconds").is_some() {
            let place = place.key("terminationGracePeriodSeconds");
            report.fault(&place, "is not for this probe: it ends no container");
        }
        check_ports(report, probe, &place);
    }
    let lifecycle = place.key("lifecycle");
    for hook in ["postStart", "preStop"] {
        let handler = container.get("lifecycle").and_then(|lifecycle| member(lifecycle, hook));
        if let Some(handler @ Json::Map(_)) = handler {
            let place = lifecycle.key(hook);
            check_one_of(report, handler, &["exec", "httpGet", "sleep", "tcpSocket"], &place);
            check_ports(report, handler, &place);
        }
    }
}

fn check_ports(report: &mut Report, handler: &Json<'_>, place: &Place<'_>) {
    for name in ["grpc", "httpGet", "tcpSocket"] {
        let port = member(handler, name).and_then(|handler| member(handler, "port"));
        if let Some(Json::Int(number)) = port
            && !(1..=65_535).contains(number)
        {
            let path = place.key(name);
            report.fault(&path.key("port"), format!("{number} is not a port: 1 to 65535"));
        }
    }
}
