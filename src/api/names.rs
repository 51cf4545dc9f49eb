//! Names that Portreeve writes on objects. They are ours: whatever anyone else writes there is
//! replaced at each admission, and never believed.

/// The API group of all kinds.
pub const GROUP: &str = "box.com";

/// The API version of all kinds.
pub const VERSION: &str = "v1";

/// Annotation: the findings of the object, a JSON list of [`super::Finding`]s.
pub const FINDINGS_ANNOTATION: &str = "box.com/findings";

/// Label: `"true"` on an object that has findings, so that such objects can be selected.
pub const FINDINGS_LABEL: &str = "box.com/findings";

/// Annotation: the replica (and its version) that admitted the object.
pub const ADMITTED_BY_ANNOTATION: &str = "box.com/admitted-by";

/// Annotation on a certificate's Secret: the Pki that it belongs to. On a Pod: the Pki whose Secret
/// is to be mounted into it.
pub const PKI_ANNOTATION: &str = "box.com/pki";

/// Annotation on a Pod: where the Secret of [`PKI_ANNOTATION`] is mounted, in every container.
pub const PKI_MOUNT_PATH_ANNOTATION: &str = "box.com/pki-mount-path";

/// Annotation on a Pod: the mode of the files of that Secret, in octal digits.
pub const PKI_MODE_ANNOTATION: &str = "box.com/pki-mode";

/// Annotation on a Secret whose certificate cert-manager signed: fingerprints of what was asked for
/// and of what was got. These may differ, and it is not asked for again because they do.
pub const ISSUED_FOR_ANNOTATION: &str = "box.com/issued-for";

/// Label on a CertificateRequest: the uid of the Pki that it was made for.
pub const PKI_UID_LABEL: &str = "box.com/pki-uid";

/// Label on what Portreeve makes; its value is [`MANAGER`].
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";

/// The field manager of every write, and the value of [`MANAGED_BY_LABEL`].
pub const MANAGER: &str = "portreeve";

/// The namespaces of the cluster itself: Portreeve must not stand in their way, nor in its own's.
pub const SYSTEM_NAMESPACES: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// The component that Events come from, as the owner reads it in the column `From`.
pub const EVENT_COMPONENT: &str = "controlplane";

/// The key under which a namespace carries its own name as a label
/// (<https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name>).
pub const NAMESPACE_NAME_LABEL: &str = "kubernetes.io/metadata.name";
