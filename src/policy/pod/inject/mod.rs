//! Injection: a partial Pod, merged into Pods.
