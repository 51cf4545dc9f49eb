//! The names that an expression can use.

use super::types::Type;

const REQUEST: &str = "kubernetes.AdmissionRequest";
const NAMESPACE: &str = "kubernetes.Namespace";
const VARIABLES: &str = "kubernetes.variables";

/// A name that stands for something of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    Object,
    OldObject,
    Request,
    NamespaceObject,
}

/// What an expression can refer to: `object`, `oldObject`, `request`, `namespaceObject`, and
/// variables where there are some.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    variables: Option<Vec<(String, Type)>>,
}

impl Scope {
    /// Without variables: for match conditions, and for policies that declare none.
    pub fn new() -> Self {
        Self::default()
    }

    /// With `variables`, of which there are none yet.
    pub fn with_variables() -> Self {
        Self { variables: Some(Vec::new()) }
    }

    /// Declares a variable, for the expressions to come; of two of one name the later counts.
    pub fn declare(&mut self, name: &str, type_: &Type) {
        self.variables.get_or_insert_default().push((name.to_owned(), kept(type_)));
    }

    /// The place of a variable in the order of their declaration.
    pub(super) fn variable(&self, name: &str) -> Option<usize> {
        self.variables.as_ref()?.iter().rposition(|(variable, _)| variable == name)
    }

    pub(super) fn variable_names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().flatten().map(|(name, _)| name.as_str())
    }

    /// The type of a name.
    pub(super) fn name(&self, name: &str) -> Option<Type> {
        if let Some(input) = input(name) {
            return Some(match input {
                Input::Object | Input::OldObject => Type::Dyn,
                Input::Request => Type::Object(REQUEST),
                Input::NamespaceObject => Type::Object(NAMESPACE),
            });
        }
        if name == "variables" && self.variables.is_some() {
            return Some(Type::Object(VARIABLES));
        }
        type_name(name).map(|type_| Type::Type(Some(type_.into())))
    }

    /// The names that there are, for hints.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let inputs = ["object", "oldObject", "request", "namespaceObject"];
        inputs.into_iter().chain(self.variables.is_some().then_some("variables"))
    }

    /// The type of a field of a type that has fields.
    pub(super) fn field(&self, object: &str, field: &str) -> Option<Type> {
        if object == VARIABLES {
            let variables = self.variables.as_ref()?;
            return variables
                .iter()
                .rfind(|(name, _)| name == field)
                .map(|(_, type_)| type_.clone());
        }
        fields(object).iter().find(|(name, _)| *name == field).map(|(_, kind)| kind.to_type())
    }

    /// The fields of a type, for hints.
    pub(super) fn field_names(&self, object: &str) -> Vec<&str> {
        if object == VARIABLES {
            return self.variable_names().collect();
        }
        fields(object).iter().map(|(name, _)| *name).collect()
    }
}

/// The type of a variable as the API server remembers it: `dyn` stands for what its schemas can't
/// express.
fn kept(type_: &Type) -> Type {
    match type_ {
        Type::List(element) => Type::list(kept(element)),
        Type::Map(entry) => Type::map(kept(&entry.0), kept(&entry.1)),
        Type::Bool
        | Type::Int
        | Type::Uint
        | Type::Double
        | Type::String
        | Type::Bytes
        | Type::Timestamp
        | Type::Duration
        | Type::Null
        | Type::Error => type_.clone(),
        _ => Type::Dyn,
    }
}

/// The part of the request that a name stands for.
pub(super) fn input(name: &str) -> Option<Input> {
    Some(match name {
        "object" => Input::Object,
        "oldObject" => Input::OldObject,
        "request" => Input::Request,
        "namespaceObject" => Input::NamespaceObject,
        _ => return None,
    })
}

/// The type that a name denotes. The API server knows by name only the types that cel-go itself
/// registers, and of Kubernetes' own types IP and CIDR.
pub(super) fn type_name(name: &str) -> Option<Type> {
    Some(match name {
        "bool" => Type::Bool,
        "bytes" => Type::Bytes,
        "double" => Type::Double,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "string" => Type::String,
        "null_type" => Type::Null,
        "list" => Type::list(Type::Dyn),
        "map" => Type::map(Type::Dyn, Type::Dyn),
        "type" => Type::Type(None),
        "optional_type" => Type::optional(Type::Dyn),
        "google.protobuf.Timestamp" => Type::Timestamp,
        "google.protobuf.Duration" => Type::Duration,
        "net.IP" => Type::Opaque("net.IP"),
        "net.CIDR" => Type::Opaque("net.CIDR"),
        _ => return None,
    })
}

/// The type of a field.
#[derive(Clone, Copy)]
enum Field {
    Dyn,
    Bool,
    Int,
    String,
    Timestamp,
    Strings,
    /// A map of strings to strings.
    StringMap,
    /// A map of strings to lists of strings.
    StringListMap,
    Object(&'static str),
    Objects(&'static str),
}

impl Field {
    fn to_type(self) -> Type {
        match self {
            Self::Dyn => Type::Dyn,
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::String => Type::String,
            Self::Timestamp => Type::Timestamp,
            Self::Strings => Type::list(Type::String),
            Self::StringMap => Type::map(Type::String, Type::String),
            Self::StringListMap => Type::map(Type::String, Type::list(Type::String)),
            Self::Object(name) => Type::Object(name),
            Self::Objects(name) => Type::list(Type::Object(name)),
        }
    }
}

/// The fields that the API server declares of its typed inputs (`BuildRequestType` and
/// `BuildNamespaceType` in `k8s.io/apiserver/pkg/admission/plugin/cel`).
fn fields(object: &str) -> &'static [(&'static str, Field)] {
    const KIND: &str = "kubernetes.GroupVersionKind";
    const RESOURCE: &str = "kubernetes.GroupVersionResource";
    const USER: &str = "kubernetes.UserInfo";
    const METADATA: &str = "kubernetes.NamespaceMetadata";
    const SPEC: &str = "kubernetes.NamespaceSpec";
    const STATUS: &str = "kubernetes.NamespaceStatus";
    const CONDITION: &str = "kubernetes.NamespaceCondition";
    match object {
        REQUEST => &[
            ("kind", Field::Object(KIND)),
            ("resource", Field::Object(RESOURCE)),
            ("subResource", Field::String),
            ("requestKind", Field::Object(KIND)),
            ("requestResource", Field::Object(RESOURCE)),
            ("requestSubResource", Field::String),
            ("name", Field::String),
            ("namespace", Field::String),
            ("operation", Field::String),
            ("userInfo", Field::Object(USER)),
            ("dryRun", Field::Bool),
            ("options", Field::Dyn),
        ],
        KIND => &[("group", Field::String), ("version", Field::String), ("kind", Field::String)],
        RESOURCE => {
            &[("group", Field::String), ("version", Field::String), ("resource", Field::String)]
        }
        USER => &[
            ("username", Field::String),
            ("uid", Field::String),
            ("groups", Field::Strings),
            ("extra", Field::StringListMap),
        ],
        NAMESPACE => &[
            ("metadata", Field::Object(METADATA)),
            ("spec", Field::Object(SPEC)),
            ("status", Field::Object(STATUS)),
        ],
        METADATA => &[
            ("name", Field::String),
            ("generateName", Field::String),
            ("namespace", Field::String),
            ("labels", Field::StringMap),
            ("annotations", Field::StringMap),
            ("UID", Field::String),
            ("creationTimestamp", Field::Timestamp),
            ("deletionGracePeriodSeconds", Field::Int),
            ("deletionTimestamp", Field::Timestamp),
            ("generation", Field::Int),
            ("resourceVersion", Field::String),
            ("finalizers", Field::Strings),
        ],
        SPEC => &[("finalizers", Field::Strings)],
        STATUS => &[("conditions", Field::Objects(CONDITION)), ("phase", Field::String)],
        CONDITION => &[
            ("status", Field::String),
            ("type", Field::String),
            ("lastTransitionTime", Field::Timestamp),
            ("message", Field::String),
            ("reason", Field::String),
        ],
        _ => &[],
    }
}
