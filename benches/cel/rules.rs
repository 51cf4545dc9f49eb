//! Ten rules as policies have them, over every container of a Pod.

pub const RULES: [&str; 10] = [
    // Runs as no root.
    "has(object.spec.securityContext) && has(object.spec.securityContext.runAsNonRoot) && \
     object.spec.securityContext.runAsNonRoot == true",
    // Nothing privileged.
    "object.spec.containers.all(c, !has(c.securityContext) || \
     !has(c.securityContext.privileged) || c.securityContext.privileged == false)",
    // Images of our registries.
    "object.spec.containers.all(c, ['registry.example.com/', 'ghcr.io/example/']\
     .exists(registry, c.image.startsWith(registry)))",
    // No image by a tag that moves.
    "object.spec.containers.all(c, c.image.contains(':') && !c.image.endsWith(':latest'))",
    // Limits, and what is asked for.
    "object.spec.containers.all(c, has(c.resources) && has(c.resources.limits) && \
     has(c.resources.requests) && 'memory' in c.resources.limits && \
     'cpu' in c.resources.requests && 'memory' in c.resources.requests)",
    // The labels that one looks for, at creation.
    "request.operation != 'CREATE' || has(object.metadata.labels) && \
     ['app.kubernetes.io/name', 'app.kubernetes.io/part-of', 'team']\
     .all(label, label in object.metadata.labels && object.metadata.labels[label] != '')",
    // Nothing of the node's.
    "(!has(object.spec.hostNetwork) || object.spec.hostNetwork == false) && \
     (!has(object.spec.hostPID) || object.spec.hostPID == false) && \
     (!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath)))",
    // Probes. This one does not hold: one container is without readiness.
    "object.spec.containers.all(c, has(c.livenessProbe) && has(c.readinessProbe))",
    // Ports that need no privilege, and none of the node's.
    "object.spec.containers.all(c, !has(c.ports) || c.ports.all(p, \
     p.containerPort >= 1024 && p.containerPort <= 65535 && !has(p.hostPort)))",
    // No capabilities.
    "object.spec.containers.all(c, has(c.securityContext) && \
     has(c.securityContext.capabilities) && has(c.securityContext.capabilities.drop) && \
     'ALL' in c.securityContext.capabilities.drop)",
];

/// What they say of the Pod.
pub const HOLD: [bool; 10] = [true, true, true, true, true, true, true, false, true, true];
