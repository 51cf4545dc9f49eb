//! Kubernetes' named formats.

use super::{Table, pattern_cost};
use crate::cel::error::Fault;
use crate::cel::kubernetes::NamedFormat;
use crate::cel::meter::Meter;
use crate::cel::value::{Kubernetes, Value};

/// One function for each format.
macro_rules! formats {
    ($table:expr, $($name:literal => $format:ident),+ $(,)?) => {
        $table$(.add(concat!("format.", $name, "() -> Format"), |_, _| {
            Ok(Value::Kubernetes(Kubernetes::Format(NamedFormat::$format)))
        }))+
    };
}

pub(super) fn table() -> Table {
    formats! {
        Table::default(),
        "dns1123Label" => Dns1123Label,
        "dns1123Subdomain" => Dns1123Subdomain,
        "dns1035Label" => Dns1035Label,
        "qualifiedName" => QualifiedName,
        "dns1123LabelPrefix" => Dns1123LabelPrefix,
        "dns1123SubdomainPrefix" => Dns1123SubdomainPrefix,
        "dns1035LabelPrefix" => Dns1035LabelPrefix,
        "labelValue" => LabelValue,
        "uri" => Uri,
        "uuid" => Uuid,
        "byte" => Byte,
        "date" => Date,
        "datetime" => DateTime,
    }
    .add("format.named(string) -> optional(Format)", named)
    .named("Format.validate(string) -> optional(list(string))", validate, price)
}

fn named<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::String(name)] => Ok(NamedFormat::named(name)
            .map_or(Value::Optional(None), |format| {
                Value::some(Value::Kubernetes(Kubernetes::Format(format)))
            })),
        _ => Err(Fault::no_such_overload()),
    }
}

fn validate<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let [Value::Kubernetes(Kubernetes::Format(format)), Value::String(text)] = arguments else {
        return Err(Fault::no_such_overload());
    };
    let wrong = format.validate(text);
    if wrong.is_empty() {
        return Ok(Value::Optional(None));
    }
    Ok(Value::some(Value::list(wrong.into_iter().map(Value::string).collect())))
}

fn price(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    match arguments {
        [Value::Kubernetes(Kubernetes::Format(format)), text] => {
            pattern_cost(text.size(), format.max_regex_size())
        }
        _ => 1,
    }
}
