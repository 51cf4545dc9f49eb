//! Kubernetes' quantities, versions, URLs, addresses and networks.

use std::cmp::Ordering;
use std::sync::Arc;

use super::arguments::first_text;
use super::{Table, cost};
use crate::cel::error::Fault;
use crate::cel::kubernetes::{Cidr, Ip, Quantity, Url, Version};
use crate::cel::meter::Meter;
use crate::cel::value::{Key, Kubernetes, Text, Value};

pub(super) fn table() -> Table {
    let table = quantities(Table::default());
    let table = versions(table);
    let table = urls(table);
    networks(addresses(table))
}

fn quantities(table: Table) -> Table {
    table
        .named("quantity(string) -> Quantity", quantity, cost::walk_first)
        .named("isQuantity(string) -> bool", is_quantity, cost::walk_first)
        .add("sign(Quantity) -> int", |_, arguments| {
            of_quantity(arguments, |q| Ok(Value::Int(q.sign())))
        })
        .add("Quantity.asInteger() -> int", |_, arguments| {
            of_quantity(arguments, |q| q.as_integer().map(Value::Int).map_err(fault))
        })
        .add("Quantity.isInteger() -> bool", |_, arguments| {
            of_quantity(arguments, |q| Ok(Value::Bool(q.is_integer())))
        })
        .add("Quantity.asApproximateFloat() -> double", |_, arguments| {
            of_quantity(arguments, |q| Ok(Value::Double(q.as_approximate_float())))
        })
        .add("Quantity.isGreaterThan(Quantity) -> bool", |_, arguments| {
            compare_quantities(arguments, |order| Value::Bool(order.is_gt()))
        })
        .add("Quantity.isLessThan(Quantity) -> bool", |_, arguments| {
            compare_quantities(arguments, |order| Value::Bool(order.is_lt()))
        })
        .add("Quantity.compareTo(Quantity) -> int", |_, arguments| {
            compare_quantities(arguments, |order| Value::Int(order as i64))
        })
        .add("Quantity.add(Quantity) -> Quantity", plus)
        .add("Quantity.add(int) -> Quantity", plus)
        .add("Quantity.sub(Quantity) -> Quantity", minus)
        .add("Quantity.sub(int) -> Quantity", minus)
}

fn versions(table: Table) -> Table {
    table
        .named("semver(string) -> Semver", semver, cost::walk_first)
        .named("semver(string, bool) -> Semver", semver, cost::walk_first)
        .named("isSemver(string) -> bool", is_semver, cost::walk_first)
        .named("isSemver(string, bool) -> bool", is_semver, cost::walk_first)
        .add("Semver.major() -> int", |_, arguments| of_version(arguments, Version::major))
        .add("Semver.minor() -> int", |_, arguments| of_version(arguments, Version::minor))
        .add("Semver.patch() -> int", |_, arguments| of_version(arguments, Version::patch))
        .add("Semver.isGreaterThan(Semver) -> bool", |_, arguments| {
            compare_versions(arguments, |order| Value::Bool(order.is_gt()))
        })
        .add("Semver.isLessThan(Semver) -> bool", |_, arguments| {
            compare_versions(arguments, |order| Value::Bool(order.is_lt()))
        })
        .add("Semver.compareTo(Semver) -> int", |_, arguments| {
            compare_versions(arguments, |order| Value::Int(order as i64))
        })
}

fn urls(table: Table) -> Table {
    table
        .named("url(string) -> URL", url, cost::walk_first)
        .add("isURL(string) -> bool", |_, arguments| {
            Ok(Value::Bool(Url::is_url(first_text(arguments)?)))
        })
        .add("URL.getScheme() -> string", |_, arguments| {
            of_url(arguments, |url| url.scheme().to_owned())
        })
        .add("URL.getHost() -> string", |_, arguments| of_url(arguments, Url::host))
        .add("URL.getHostname() -> string", |_, arguments| of_url(arguments, Url::hostname))
        .add("URL.getPort() -> string", |_, arguments| of_url(arguments, Url::port))
        .add("URL.getEscapedPath() -> string", |_, arguments| {
            of_url(arguments, |url| url.escaped_path().to_owned())
        })
        .add("URL.getQuery() -> map(string, list(string))", query)
}

fn addresses(table: Table) -> Table {
    table
        .priced("ip(string) -> IP", ip, cost::walk_first)
        .named("isIP(string) -> bool", is_ip, cost::walk_first)
        .named("ip.isCanonical(string) -> bool", is_canonical, cost::walk_twice)
        .add("IP.family() -> int", |_, arguments| of_ip(arguments, |ip| Value::Int(ip.family())))
        .add("IP.isUnspecified() -> bool", |_, arguments| {
            of_ip(arguments, |ip| Value::Bool(ip.is_unspecified()))
        })
        .add("IP.isLoopback() -> bool", |_, arguments| {
            of_ip(arguments, |ip| Value::Bool(ip.is_loopback()))
        })
        .add("IP.isLinkLocalMulticast() -> bool", |_, arguments| {
            of_ip(arguments, |ip| Value::Bool(ip.is_link_local_multicast()))
        })
        .add("IP.isLinkLocalUnicast() -> bool", |_, arguments| {
            of_ip(arguments, |ip| Value::Bool(ip.is_link_local_unicast()))
        })
        .add("IP.isGlobalUnicast() -> bool", |_, arguments| {
            of_ip(arguments, |ip| Value::Bool(ip.is_global_unicast()))
        })
}

fn networks(table: Table) -> Table {
    table
        .named("cidr(string) -> CIDR", cidr, cost::walk_first)
        .named("isCIDR(string) -> bool", is_cidr, cost::walk_first)
        .priced("CIDR.ip() -> IP", network_address, cost::unit)
        .priced("CIDR.containsIP(IP) -> bool", contains_ip, cost::contains_ip)
        .priced("CIDR.containsIP(string) -> bool", contains_ip, cost::contains_ip_text)
        .named("CIDR.containsCIDR(CIDR) -> bool", contains_cidr, cost::contains_cidr)
        .priced("CIDR.containsCIDR(string) -> bool", contains_cidr, cost::contains_cidr_text)
        .add("CIDR.prefixLength() -> int", |_, arguments| {
            of_cidr(arguments, |cidr| Value::Int(cidr.prefix_length()))
        })
        .add("CIDR.masked() -> CIDR", |_, arguments| {
            of_cidr(arguments, |cidr| Value::Kubernetes(Kubernetes::Cidr(cidr.masked())))
        })
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault::error(error.to_string())
}

fn of_quantity<'a>(
    arguments: &[Value<'a>],
    read: impl Fn(&Quantity) -> Result<Value<'a>, Fault>,
) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Kubernetes(Kubernetes::Quantity(quantity))] => read(quantity),
        _ => Err(Fault::no_such_overload()),
    }
}

fn quantity_value<'a>(quantity: Quantity) -> Value<'a> {
    Value::Kubernetes(Kubernetes::Quantity(Arc::new(quantity)))
}

fn quantity<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let text = first_text(arguments)?;
    meter.allocate(text.len())?;
    Quantity::parse(text).map(quantity_value).map_err(fault)
}

fn is_quantity<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Ok(Value::Bool(Quantity::parse(first_text(arguments)?).is_ok()))
}

fn compare_quantities<'a>(
    arguments: &[Value<'a>],
    read: impl Fn(Ordering) -> Value<'a>,
) -> Result<Value<'a>, Fault> {
    match arguments {
        [
            Value::Kubernetes(Kubernetes::Quantity(a)),
            Value::Kubernetes(Kubernetes::Quantity(b)),
        ] => Ok(read(a.compare(b))),
        _ => Err(Fault::no_such_overload()),
    }
}

fn plus<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let sum = match arguments {
        [
            Value::Kubernetes(Kubernetes::Quantity(a)),
            Value::Kubernetes(Kubernetes::Quantity(b)),
        ] => a.add(b),
        [Value::Kubernetes(Kubernetes::Quantity(a)), Value::Int(b)] => a.add_integer(*b),
        _ => return Err(Fault::no_such_overload()),
    };
    sum.map(quantity_value).map_err(fault)
}

fn minus<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let difference = match arguments {
        [
            Value::Kubernetes(Kubernetes::Quantity(a)),
            Value::Kubernetes(Kubernetes::Quantity(b)),
        ] => a.sub(b),
        [Value::Kubernetes(Kubernetes::Quantity(a)), Value::Int(b)] => a.sub_integer(*b),
        _ => return Err(Fault::no_such_overload()),
    };
    difference.map(quantity_value).map_err(fault)
}

/// The version that the text is; with a second argument `true` after it has been tidied up.
fn parse_version(
    arguments: &[Value<'_>],
) -> Result<Result<Version, impl std::fmt::Display + use<>>, Fault> {
    let text = first_text(arguments)?;
    match arguments.get(1) {
        None | Some(Value::Bool(false)) => Ok(Version::parse(text)),
        Some(Value::Bool(true)) => Ok(Version::parse_normalized(text)),
        Some(_) => Err(Fault::no_such_overload()),
    }
}

fn semver<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    meter.allocate(first_text(arguments)?.len())?;
    let version = parse_version(arguments)?.map_err(fault)?;
    Ok(Value::Kubernetes(Kubernetes::Semver(Arc::new(version))))
}

fn is_semver<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Ok(Value::Bool(parse_version(arguments)?.is_ok()))
}

fn of_version<'a>(
    arguments: &[Value<'a>],
    read: impl Fn(&Version) -> i64,
) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Kubernetes(Kubernetes::Semver(version))] => Ok(Value::Int(read(version))),
        _ => Err(Fault::no_such_overload()),
    }
}

fn compare_versions<'a>(
    arguments: &[Value<'a>],
    read: impl Fn(Ordering) -> Value<'a>,
) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Kubernetes(Kubernetes::Semver(a)), Value::Kubernetes(Kubernetes::Semver(b))] => {
            Ok(read(a.cmp(b)))
        }
        _ => Err(Fault::no_such_overload()),
    }
}

fn url<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let text = first_text(arguments)?;
    meter.allocate(text.len())?;
    let url = Url::parse(text).map_err(fault)?;
    Ok(Value::Kubernetes(Kubernetes::Url(Arc::new(url))))
}

fn of_url<'a>(arguments: &[Value<'a>], read: impl Fn(&Url) -> String) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Kubernetes(Kubernetes::Url(url))] => Ok(Value::string(read(url))),
        _ => Err(Fault::no_such_overload()),
    }
}

fn query<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let [Value::Kubernetes(Kubernetes::Url(url))] = arguments else {
        return Err(Fault::no_such_overload());
    };
    let query = url.query();
    let texts = query.values().map(Vec::len).sum::<usize>();
    meter.allocate(texts.saturating_mul(size_of::<Value<'_>>() * 2))?;
    let entries = query.into_iter().map(|(name, values)| {
        let values = values.into_iter().map(Value::string).collect();
        (Key::String(Text::Shared(name.into())), Value::list(values))
    });
    Ok(Value::map(entries.collect()))
}

fn ip<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let ip = Ip::parse(first_text(arguments)?).map_err(fault)?;
    Ok(Value::Kubernetes(Kubernetes::Ip(ip)))
}

fn is_ip<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Ok(Value::Bool(Ip::parse(first_text(arguments)?).is_ok()))
}

fn is_canonical<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Ip::is_canonical(first_text(arguments)?).map(Value::Bool).map_err(fault)
}

fn of_ip<'a>(arguments: &[Value<'a>], read: impl Fn(Ip) -> Value<'a>) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Kubernetes(Kubernetes::Ip(ip))] => Ok(read(*ip)),
        _ => Err(Fault::no_such_overload()),
    }
}

fn cidr<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let cidr = Cidr::parse(first_text(arguments)?).map_err(fault)?;
    Ok(Value::Kubernetes(Kubernetes::Cidr(cidr)))
}

fn is_cidr<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Ok(Value::Bool(Cidr::parse(first_text(arguments)?).is_ok()))
}

fn of_cidr<'a>(
    arguments: &[Value<'a>],
    read: impl Fn(Cidr) -> Value<'a>,
) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Kubernetes(Kubernetes::Cidr(cidr))] => Ok(read(*cidr)),
        _ => Err(Fault::no_such_overload()),
    }
}

fn network_address<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    of_cidr(arguments, |cidr| Value::Kubernetes(Kubernetes::Ip(cidr.ip())))
}

fn contains_ip<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Kubernetes(Kubernetes::Cidr(cidr)), Value::Kubernetes(Kubernetes::Ip(ip))] => {
            Ok(Value::Bool(cidr.contains_ip(*ip)))
        }
        [Value::Kubernetes(Kubernetes::Cidr(cidr)), Value::String(text)] => {
            cidr.contains_ip_text(text).map(Value::Bool).map_err(fault)
        }
        _ => Err(Fault::no_such_overload()),
    }
}

fn contains_cidr<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Kubernetes(Kubernetes::Cidr(cidr)), Value::Kubernetes(Kubernetes::Cidr(other))] => {
            Ok(Value::Bool(cidr.contains_cidr(*other)))
        }
        [Value::Kubernetes(Kubernetes::Cidr(cidr)), Value::String(text)] => {
            cidr.contains_cidr_text(text).map(Value::Bool).map_err(fault)
        }
        _ => Err(Fault::no_such_overload()),
    }
}
