//! Validations as policies on Pods have them, none of which holds of this Pod.

pub(super) const POD: &str = include_str!("pod.json");

/// What the validations below can use.
pub(super) const VARIABLES: &[(&str, &str)] = &[
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

/// An expression, and the paths that are told.
pub(super) type Case = (&'static str, &'static [&'static str]);

/// Validations of elements.
pub(super) const ELEMENTS: &[Case] = &[
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
    (
        "object.spec.containers.all(c, request.operation == 'DELETE' || c.name == 'app')",
        &["spec.containers[1].name"],
    ),
    (
        "object.spec.volumes.all(v, object.spec.containers.exists(c, has(c.volumeMounts) && \
         c.volumeMounts.exists(m, m.name == v.name)))",
        &["spec.volumes[0].name"],
    ),
    ("object.spec.containers.all(c, false)", &["spec.containers[0]", "spec.containers[1]"]),
    // Labels and annotations.
    ("object.metadata.labels.all(k, k.startsWith('app'))", &["metadata.labels.tier"]),
    (
        "object.metadata.annotations.all(k, v, !k.startsWith('example.com/') || v != '')",
        &["metadata.annotations[\"example.com/owner\"]"],
    ),
];

/// Validations of all else.
pub(super) const READS: &[Case] = &[
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
    ("request.operation == 'CREATE' && object.spec.hostNetwork == false", &["spec.hostNetwork"]),
    ("request.operation == 'DELETE' && object.spec.hostNetwork == true", &[]),
    ("(request.operation == 'DELETE' && has(object.spec)) == true", &[]),
];
