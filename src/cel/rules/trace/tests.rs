//! Validations that Pods do not pass, and where.

use super::*;
use crate::cel::rules::{NamedExpression, RuleSources, ValidationSource};
use crate::cel::trace::TraceKind;
use crate::cel::value::Json;

const POD: &str = include_str!("pod.json");

/// What the validations below can use.
const VARIABLES: &[(&str, &str)] = &[
    ("containers", "object.spec.containers + object.spec.?initContainers.orValue([])"),
    (
        "allContainers",
        "variables.containers + (has(object.spec.ephemeralContainers) ? \
         object.spec.ephemeralContainers : [])",
    ),
    ("contexts", "variables.containers.map(c, c.?securityContext)"),
    ("allowed", "['registry.example.com/', 'ghcr.io/example/']"),
    ("latest", "variables.containers.filter(c, c.image.endsWith(':latest'))"),
    ("labels", "object.metadata.?labels.orValue({})"),
    ("isPinned", "variables.containers.all(c, c.image.contains('@sha256:'))"),
    ("podIsNonRoot", "object.spec.?securityContext.?runAsNonRoot.orValue(false)"),
];

fn traces(expression: &str, object: &Json<'_>) -> Vec<Trace> {
    let named = |(name, expression): &(&str, &str)| NamedExpression {
        name: (*name).to_owned(),
        expression: (*expression).to_owned(),
    };
    let validation = ValidationSource { expression: expression.to_owned(), ..Default::default() };
    let rules = Rules::compile(&RuleSources {
        variables: VARIABLES.iter().map(named).collect(),
        validations: vec![validation],
        ..Default::default()
    })
    .unwrap_or_else(|refusals| panic!("{expression}: {refusals}"));
    let old = Json::parse(r#"{"spec": {"hostNetwork": false, "volumes": []}}"#).unwrap();
    let request = Json::parse(r#"{"operation": "UPDATE", "userInfo": {"username": "a"}}"#).unwrap();
    let inputs =
        Inputs { object, old_object: &old, request: &request, namespace_object: &Json::Null };
    assert_eq!(
        format!("{:?}", rules.evaluate(inputs)).split('(').nth(1),
        Some("[Deny"),
        "{expression} is not what does not hold"
    );
    rules.trace(0, inputs)
}

fn paths(traces: &[Trace]) -> Vec<String> {
    traces.iter().map(|trace| trace.path.to_string()).collect()
}

fn check(rows: &[(&str, &[&str])], kind: TraceKind) {
    let pod = Json::parse(POD).unwrap();
    for (expression, expected) in rows {
        let found = traces(expression, &pod);
        assert_eq!(paths(&found), *expected, "{expression}");
        assert!(found.iter().all(|trace| trace.kind == kind), "{expression}: {found:?}");
    }
}

/// Validations of elements.
const ELEMENTS: &[(&str, &[&str])] = &[
    // Images.
    ("object.spec.containers.all(c, !c.image.endsWith(':latest'))", &["spec.containers[1].image"]),
    (
        "!object.spec.containers.exists(c, c.image.endsWith(':latest'))",
        &["spec.containers[1].image"],
    ),
    (
        "variables.containers.all(c, c.image.contains(':') && !c.image.endsWith(':latest'))",
        &["spec.containers[1].image", "spec.initContainers[0].image"],
    ),
    (
        "variables.allContainers.all(c, c.image.matches('^[^:]+:[0-9.]+$'))",
        &[
            "spec.containers[1].image",
            "spec.initContainers[0].image",
            "spec.ephemeralContainers[0].image",
        ],
    ),
    (
        "variables.containers.all(c, variables.allowed.exists(r, c.image.startsWith(r)))",
        &["spec.containers[1].image", "spec.initContainers[0].image"],
    ),
    (
        "object.spec.containers.all(c, ['registry.example.com/'].exists(r, c.image.startsWith(r)))",
        &["spec.containers[1].image"],
    ),
    (
        "object.spec.containers.all(c, c.image.split('/')[0] in ['registry.example.com'])",
        &["spec.containers[1].image"],
    ),
    (
        "object.spec.containers.map(c, c.image).all(i, i.startsWith('registry.example.com/'))",
        &["spec.containers[1].image"],
    ),
    (
        "object.spec.containers.map(c, c.image.split(':')[1]).all(tag, tag != 'latest')",
        &["spec.containers[1].image"],
    ),
    (
        "variables.isPinned",
        &["spec.containers[0].image", "spec.containers[1].image", "spec.initContainers[0].image"],
    ),
    ("variables.latest.size() == 0", &["spec.containers[1].image"]),
    ("size(variables.latest) < 1", &["spec.containers[1].image"]),
    ("variables.latest.map(c, c.name) == []", &["spec.containers[1].image"]),
    ("!(size(variables.latest) > 0)", &["spec.containers[1].image"]),
    (
        "object.spec.containers.all(c, c.?imagePullPolicy.orValue('') == 'Always')",
        &["spec.containers[0].imagePullPolicy", "spec.containers[1].imagePullPolicy"],
    ),
    // Limits, requests and probes.
    (
        "object.spec.containers.all(c, has(c.resources.limits.memory))",
        &["spec.containers[1].resources.limits.memory"],
    ),
    (
        "variables.containers.all(c, c.?resources.?limits.?memory.hasValue())",
        &[
            "spec.containers[1].resources.limits.memory",
            "spec.initContainers[0].resources.limits.memory",
        ],
    ),
    (
        "variables.containers.all(c, has(c.resources) && has(c.resources.limits) && \
         has(c.resources.limits.memory))",
        &[
            "spec.containers[1].resources.limits.memory",
            "spec.initContainers[0].resources.limits.memory",
        ],
    ),
    (
        "object.spec.containers.all(c, has(c.resources) && has(c.resources.requests) && \
         'cpu' in c.resources.requests && 'memory' in c.resources.requests)",
        &["spec.containers[1].resources.requests"],
    ),
    (
        "object.spec.containers.all(c, ['cpu', 'memory'].all(r, r in c.resources.limits))",
        &["spec.containers[1].resources.limits.memory"],
    ),
    (
        "object.spec.containers.all(c, ['cpu', 'memory'].all(r, \
         c.?resources.?requests[?r].hasValue()))",
        &[
            "spec.containers[1].resources.requests.cpu",
            "spec.containers[1].resources.requests.memory",
        ],
    ),
    (
        "object.spec.containers.all(c, \
         quantity(c.resources.limits.cpu).compareTo(quantity('1')) <= 0)",
        &["spec.containers[1].resources.limits.cpu"],
    ),
    (
        "object.spec.containers.all(c, quantity(c.resources.?limits.?memory.orValue('0')).isGreaterThan(quantity('0')))",
        &["spec.containers[1].resources.limits.memory"],
    ),
    (
        "object.spec.containers.all(c, has(c.livenessProbe) && has(c.readinessProbe))",
        &["spec.containers[1].readinessProbe"],
    ),
    (
        "object.spec.containers.all(c, !has(c.livenessProbe) || !has(c.livenessProbe.httpGet) || \
         c.livenessProbe.httpGet.port != 80)",
        &["spec.containers[1].livenessProbe.httpGet.port"],
    ),
    // Security contexts.
    (
        "object.spec.containers.all(c, !has(c.securityContext) || \
         !has(c.securityContext.privileged) || c.securityContext.privileged == false)",
        &["spec.containers[1].securityContext.privileged"],
    ),
    (
        "!variables.containers.exists(c, has(c.securityContext) && \
         has(c.securityContext.privileged) && c.securityContext.privileged == true)",
        &["spec.containers[1].securityContext.privileged"],
    ),
    (
        "variables.containers.all(c, c.?securityContext.?privileged.orValue(false) != true)",
        &["spec.containers[1].securityContext.privileged"],
    ),
    (
        "variables.containers.all(c, has(c.securityContext) && \
         has(c.securityContext.allowPrivilegeEscalation) && \
         c.securityContext.allowPrivilegeEscalation == false)",
        &[
            "spec.containers[1].securityContext.allowPrivilegeEscalation",
            "spec.initContainers[0].securityContext.allowPrivilegeEscalation",
        ],
    ),
    (
        "object.spec.containers.all(c, c.name != 'app' && c.securityContext.runAsNonRoot == true)",
        &["spec.containers[0].name", "spec.containers[1].securityContext.runAsNonRoot"],
    ),
    (
        "object.spec.containers.map(c, c.securityContext).all(s, has(s.runAsNonRoot))",
        &["spec.containers[1].securityContext.runAsNonRoot"],
    ),
    (
        "variables.contexts.all(s, s.?runAsNonRoot.orValue(false) == true)",
        &[
            "spec.containers[1].securityContext.runAsNonRoot",
            "spec.initContainers[0].securityContext.runAsNonRoot",
        ],
    ),
    (
        "variables.containers.all(c, c.?securityContext.?runAsNonRoot.orValue(variables.podIsNonRoot) \
         == true)",
        &[
            "spec.containers[1].securityContext.runAsNonRoot",
            "spec.initContainers[0].securityContext.runAsNonRoot",
        ],
    ),
    (
        "variables.containers.all(c, (has(c.securityContext) && has(c.securityContext.runAsNonRoot) \
         ? c.securityContext.runAsNonRoot : (has(object.spec.securityContext) && \
         has(object.spec.securityContext.runAsNonRoot) ? object.spec.securityContext.runAsNonRoot : \
         false)) == true)",
        &[
            "spec.containers[1].securityContext.runAsNonRoot",
            "spec.initContainers[0].securityContext.runAsNonRoot",
        ],
    ),
    (
        "object.spec.containers.all(c, has(c.securityContext) && has(c.securityContext.capabilities) \
         && has(c.securityContext.capabilities.drop) && \
         c.securityContext.capabilities.drop.exists(d, d == 'ALL'))",
        &["spec.containers[1].securityContext.capabilities.drop"],
    ),
    (
        "object.spec.containers.all(c, 'ALL' in c.?securityContext.?capabilities.?drop.orValue([]))",
        &["spec.containers[1].securityContext.capabilities.drop"],
    ),
    (
        "object.spec.containers.all(c, c.?securityContext.?capabilities.?add.orValue([]).all(a, \
         a in ['CHOWN', 'NET_BIND_SERVICE']))",
        &["spec.containers[1].securityContext.capabilities.add[1]"],
    ),
    (
        "object.spec.containers.all(c, !has(c.securityContext.capabilities.add) || \
         !c.securityContext.capabilities.add.exists(a, a.startsWith('NET_')))",
        &["spec.containers[1].securityContext.capabilities.add[1]"],
    ),
    (
        "object.spec.containers.all(c, has(c.securityContext.readOnlyRootFilesystem) ? \
         c.securityContext.readOnlyRootFilesystem == true : false)",
        &["spec.containers[1].securityContext.readOnlyRootFilesystem"],
    ),
    (
        "object.spec.securityContext.supplementalGroups.all(g, g > 0)",
        &["spec.securityContext.supplementalGroups[1]"],
    ),
    (
        "[object.spec.securityContext.runAsNonRoot].all(r, r == true)",
        &["spec.securityContext.runAsNonRoot"],
    ),
    // Ports, variables of the environment, volumes.
    (
        "object.spec.containers.all(c, !has(c.ports) || c.ports.all(p, !has(p.hostPort)))",
        &["spec.containers[1].ports[1].hostPort"],
    ),
    (
        "object.spec.containers.all(c, c.ports.all(p, p.?hostPort.orValue(0) == 0))",
        &["spec.containers[1].ports[1].hostPort"],
    ),
    (
        "object.spec.containers.map(c, c.ports).flatten().all(p, p.containerPort > 1024)",
        &["spec.containers[1].ports[1].containerPort"],
    ),
    (
        "object.spec.containers.all(c, c.ports.map(p, p.containerPort).all(n, n > 1024))",
        &["spec.containers[1].ports[1].containerPort"],
    ),
    (
        "variables.allContainers.all(c, c.?env.orValue([]).all(e, !e.name.contains('PASSWORD') || \
         has(e.valueFrom)))",
        &["spec.containers[1].env[1].name", "spec.containers[1].env[1].valueFrom"],
    ),
    (
        "variables.containers.all(c, c.?env.orValue([]).filter(e, e.name.endsWith('_PASSWORD'))\
         .all(e, e.?value.orValue('') == ''))",
        &["spec.containers[1].env[1].value"],
    ),
    (
        "!variables.containers.exists(c, has(c.env) && c.env.exists(e, e.name == 'DB_PASSWORD'))",
        &["spec.containers[1].env[1].name"],
    ),
    ("object.spec.containers.all(c, c.env.exists(e, e.name == 'A'))", &["spec.containers[1].env"]),
    ("object.spec.volumes.all(v, !has(v.hostPath))", &["spec.volumes[1].hostPath"]),
    (
        "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath) || \
         !v.hostPath.path.startsWith('/var/run'))",
        &["spec.volumes[1].hostPath.path"],
    ),
    (
        "object.spec.?volumes.orValue([]).all(v, ['configMap', 'secret'].exists(k, k in v))",
        &["spec.volumes[1]"],
    ),
    (
        "object.spec.?volumes.optMap(vs, vs.all(v, !has(v.hostPath))).orValue(true)",
        &["spec.volumes[1].hostPath"],
    ),
    ("object.spec.volumes.filter(v, has(v.hostPath)).size() == 0", &["spec.volumes[1].hostPath"]),
    (
        "object.spec.containers.all(c, c.?volumeMounts.orValue([]).all(m, \
         object.spec.volumes.exists(v, v.name == m.name && has(v.configMap))))",
        &["spec.containers[1].volumeMounts[0].name"],
    ),
    ("object.spec.tolerations.all(t, has(t.key))", &["spec.tolerations[0].key"]),
    // All containers, ephemeral ones too.
    ("variables.allContainers.all(c, c.name != 'debug')", &["spec.ephemeralContainers[0].name"]),
    (
        "[object.spec.containers, object.spec.?ephemeralContainers.orValue([])].all(l, \
         l.all(c, c.name != 'debug'))",
        &["spec.ephemeralContainers[0].name"],
    ),
    (
        "(has(object.spec.initContainers) ? object.spec.initContainers : []).all(c, has(c.resources))",
        &["spec.initContainers[0].resources"],
    ),
    (
        "variables.containers.filter(c, c.name != 'app').all(c, has(c.securityContext.seccompProfile))",
        &[
            "spec.containers[1].securityContext.seccompProfile",
            "spec.initContainers[0].securityContext.seccompProfile",
        ],
    ),
    ("object.spec.containers.all(i, c, i == 0 || c.name == 'app')", &["spec.containers[1].name"]),
    ("object.spec.containers.all(c, false)", &["spec.containers[0]", "spec.containers[1]"]),
    // Labels and annotations.
    ("object.metadata.labels.all(k, k.startsWith('app'))", &["metadata.labels.tier"]),
    (
        "object.metadata.annotations.all(k, v, !k.startsWith('example.com/') || v != '')",
        &["metadata.annotations[\"example.com/owner\"]"],
    ),
];

/// Validations of all else.
const READS: &[(&str, &[&str])] = &[
    ("!has(object.spec.hostNetwork) || object.spec.hostNetwork == false", &["spec.hostNetwork"]),
    ("object.spec.?hostNetwork.orValue(false) == false", &["spec.hostNetwork"]),
    (
        "object.spec.?hostPID.orValue(false) != true && object.spec.hostNetwork == oldObject.spec.hostNetwork",
        &["spec.hostNetwork"],
    ),
    ("object.spec.serviceAccountName != 'default'", &["spec.serviceAccountName"]),
    (
        "object.metadata.labels['app.kubernetes.io/name'] == 'api'",
        &["metadata.labels[\"app.kubernetes.io/name\"]"],
    ),
    ("has(object.metadata.labels.owner)", &["metadata.labels.owner"]),
    ("'example.com/team' in object.metadata.labels", &["metadata.labels[\"example.com/team\"]"]),
    ("'example.com/team' in variables.labels", &["metadata.labels[\"example.com/team\"]"]),
    (
        "variables.labels[?'example.com/team'].orValue('') != ''",
        &["metadata.labels[\"example.com/team\"]"],
    ),
    ("['app', 'owner'].all(k, k in object.metadata.labels)", &["metadata.labels.owner"]),
    ("object.metadata.labels.exists(k, k == 'owner')", &["metadata.labels"]),
    (
        "object.metadata.annotations['example.com/owner'].size() > 0",
        &["metadata.annotations[\"example.com/owner\"]"],
    ),
    ("object.spec.containers.exists(c, c.name == 'istio-proxy')", &["spec.containers"]),
    ("object.spec.containers.exists_one(c, c.name.startsWith('x'))", &["spec.containers"]),
    ("variables.containers.exists(c, c.name == 'istio-proxy')", &["spec.containers"]),
    ("!object.spec.containers.all(c, has(c.name))", &["spec.containers"]),
    ("size(object.spec.containers) == 1", &["spec.containers"]),
    ("object.spec.volumes.size() == 0", &["spec.volumes"]),
    ("object.spec.containers[0].image.endsWith('latest')", &["spec.containers[0].image"]),
    ("variables.containers[2].image == 'x'", &["spec.initContainers[0].image"]),
    (
        "object.spec.containers.filter(c, c.name == 'sidecar')[0].image == 'x'",
        &["spec.containers[1].image"],
    ),
    ("variables.containers.map(c, c.name).join(',') == 'app'", &["spec.containers"]),
    ("variables.podIsNonRoot == true", &["spec.securityContext.runAsNonRoot"]),
    ("variables.podIsNonRoot != false", &["spec.securityContext.runAsNonRoot"]),
    (
        "has(object.spec.securityContext.seccompProfile) && \
         object.spec.securityContext.seccompProfile.type in ['RuntimeDefault', 'Localhost']",
        &["spec.securityContext.seccompProfile.type"],
    ),
    (
        "has(object.spec.priorityClassName) ? object.spec.priorityClassName == 'high' : false",
        &["spec.priorityClassName"],
    ),
    (
        "has(object.spec.hostNetwork) ? object.spec.dnsPolicy == 'ClusterFirstWithHostNet' : true",
        &["spec.dnsPolicy"],
    ),
    (
        "object.spec.?affinity.?nodeAffinity.optMap(a, has(a.x)).orValue(false)",
        &["spec.affinity.nodeAffinity.x"],
    ),
    (
        "object.spec.?terminationGracePeriodSeconds.orValue(30) < 30",
        &["spec.terminationGracePeriodSeconds"],
    ),
    (
        "object.spec.hostNetwork == false && object.spec.serviceAccountName == 'a'",
        &["spec.hostNetwork", "spec.serviceAccountName"],
    ),
    ("request.operation == 'CREATE'", &[]),
    ("request.userInfo.username == object.metadata.name", &["metadata.name"]),
    ("oldObject.spec.hostNetwork == true", &[]),
    ("oldObject.spec.volumes.size() > 0", &[]),
    ("has(oldObject.spec.volumes) && object == oldObject", &[]),
    ("false", &[]),
];

#[test]
fn of_elements_that_fail_the_place_in_the_object_is_told() {
    check(ELEMENTS, TraceKind::Element);
}

#[test]
fn of_all_else_what_was_read_is_told() {
    check(READS, TraceKind::Read);
}

#[test]
fn elements_go_before_what_was_read() {
    let found = traces(
        "object.spec.hostNetwork == false && object.spec.containers.all(c, c.name == 'app')",
        &Json::parse(POD).unwrap(),
    );
    assert_eq!(paths(&found), ["spec.containers[1].name", "spec.hostNetwork"]);
    assert_eq!([found[0].kind, found[1].kind], [TraceKind::Element, TraceKind::Read]);
}

#[test]
fn ten_places_are_told_and_no_more() {
    let container = r#"{"name": "a", "image": "b"}"#;
    let containers = vec![container; 5_000].join(", ");
    let pod = format!(r#"{{"spec": {{"containers": [{containers}]}}}}"#);
    let pod = Json::parse(&pod).unwrap();
    for expression in [
        "object.spec.containers.all(c, has(c.resources))",
        "!object.spec.containers.exists(c, object.spec.containers[0].name == c.name)",
    ] {
        let found = paths(&traces(expression, &pod));
        assert_eq!(found.len(), 10, "{expression}");
        assert!(found[9].starts_with("spec.containers[9]."), "{expression}: {found:?}");
    }
}

#[test]
fn of_text_that_is_there_twice_the_place_is_that_of_its_element() {
    let image = Json::parse(r#"{"image": "a:latest"}"#).unwrap();
    let fine = Json::parse(r#"{"image": "a:1"}"#).unwrap();
    let mut pod = Json::parse(r#"{"spec": {"containers": null}}"#).unwrap();
    *pod.get_mut("spec").and_then(|spec| spec.get_mut("containers")).unwrap() =
        Json::List(vec![image.clone(), fine, image]);
    let expression = "object.spec.containers.map(c, c.image).all(i, !i.endsWith(':latest'))";
    let found = paths(&traces(expression, &pod));
    assert_eq!(found, ["spec.containers[0].image", "spec.containers[2].image"]);
}

#[test]
fn a_validation_that_there_is_not_has_no_place() {
    let rules = Rules::compile(&RuleSources::default()).unwrap();
    let none = &Json::Null;
    let inputs = Inputs { object: none, old_object: none, request: none, namespace_object: none };
    assert_eq!(rules.trace(0, inputs), []);
    assert_eq!(rules.validation_count(), 0);
}

#[test]
fn what_the_rules_read_is_known() {
    let reads = |expression: &str, message: Option<&str>| {
        let rules = Rules::compile(&RuleSources {
            match_conditions: vec![NamedExpression {
                name: "a".to_owned(),
                expression: "object.kind == 'Pod'".to_owned(),
            }],
            validations: vec![ValidationSource {
                expression: expression.to_owned(),
                message: None,
                message_expression: message.map(str::to_owned),
            }],
            ..Default::default()
        });
        let reads = rules.unwrap().reads();
        (reads.old_object, reads.request, reads.namespace_object)
    };
    assert_eq!(reads("object.a == 1", None), (false, false, false));
    assert_eq!(reads("object.a == 1", Some("request.name")), (false, true, false));
    assert_eq!(reads("[1].all(x, oldObject == null)", None), (true, false, false));
    assert_eq!(reads("has(namespaceObject.metadata)", None), (false, false, true));
    assert_eq!(reads("object.request == 'oldObject'", None), (false, false, false));
}
