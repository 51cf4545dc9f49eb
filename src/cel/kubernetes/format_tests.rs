use super::*;

fn messages(format: NamedFormat, text: &str) -> String {
    format.validate(text).join(" | ")
}

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
    characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or \
    '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
    characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
    'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const DNS1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or \
    '-', start with an alphabetic character, and end with an alphanumeric character (e.g. \
    'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and \
    end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used \
    for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

#[test]
fn formats_are_found_by_name() {
    for format in NamedFormat::ALL {
        assert_eq!(NamedFormat::named(format.name()), Some(format));
    }
    assert_eq!(NamedFormat::named("datetime"), Some(NamedFormat::DateTime));
    assert_eq!(NamedFormat::named("DNS1123Label"), None);
}

#[test]
fn labels_and_subdomains_are_checked_in_the_api_servers_words() {
    use NamedFormat::{Dns1035Label, Dns1123Label, Dns1123Subdomain};
    assert_eq!(messages(Dns1123Label, "1-a"), "");
    assert_eq!(messages(Dns1123Label, "a.b"), "must not contain dots");
    assert_eq!(messages(Dns1123Label, "a-"), LABEL);
    assert_eq!(
        messages(Dns1123Label, &"A".repeat(64)),
        format!("must be no more than 63 characters | {LABEL}")
    );
    assert_eq!(messages(Dns1123Subdomain, "a.1-b"), "");
    assert_eq!(messages(Dns1123Subdomain, "a..b"), SUBDOMAIN);
    assert_eq!(messages(Dns1123Subdomain, &"a".repeat(254)), "must be no more than 253 characters");
    assert_eq!(messages(Dns1035Label, "a-1"), "");
    assert_eq!(messages(Dns1035Label, "1-a"), DNS1035);
}

#[test]
fn a_prefix_may_end_with_a_dash() {
    use NamedFormat::{Dns1035LabelPrefix, Dns1123LabelPrefix, Dns1123SubdomainPrefix};
    assert_eq!(messages(Dns1123LabelPrefix, "a-"), "");
    // The dash and the character before it are not looked at.
    assert_eq!(messages(Dns1123LabelPrefix, "a_-"), "");
    assert_eq!(messages(Dns1123LabelPrefix, "-"), LABEL);
    assert_eq!(messages(Dns1123SubdomainPrefix, "a.-"), "");
    assert_eq!(messages(Dns1123SubdomainPrefix, "é-"), SUBDOMAIN);
    assert_eq!(messages(Dns1035LabelPrefix, "1a-"), DNS1035);
}

#[test]
fn label_keys_and_values_are_checked_in_the_api_servers_words() {
    use NamedFormat::{LabelValue, QualifiedName};
    assert_eq!(messages(QualifiedName, "example.com/My_name"), "");
    assert_eq!(
        messages(QualifiedName, "/"),
        format!("prefix part must be non-empty | name part must be non-empty | name part {NAME}")
    );
    assert_eq!(
        messages(QualifiedName, &format!("{}X/{}", "a".repeat(253), "b".repeat(64))),
        format!(
            "prefix part must be no more than 253 bytes | prefix part {SUBDOMAIN} | name part \
             must be no more than 63 bytes"
        )
    );
    assert_eq!(
        messages(QualifiedName, "a/b/c"),
        format!(
            "a valid label key {NAME} with an optional DNS subdomain prefix and '/' (e.g. \
             'example.com/MyName')"
        )
    );
    assert_eq!(messages(LabelValue, ""), "");
    assert_eq!(
        messages(LabelValue, &"-".repeat(64)),
        "must be no more than 63 bytes | a valid label must be an empty string or consist of \
         alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
         character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
         '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
    );
}

#[test]
fn a_uri_is_refused_in_the_parsers_own_words() {
    assert_eq!(messages(NamedFormat::Uri, "http://e.com/#x"), "");
    assert_eq!(messages(NamedFormat::Uri, "x"), "parse \"x\": invalid URI for request");
}

#[test]
fn strings_are_checked_as_loosely_as_strfmt_does() {
    use NamedFormat::{Byte, Date, DateTime, Uuid};
    let cases: [(NamedFormat, &str, &[&str], &[&str]); 4] = [
        (
            Uuid,
            "does not match the UUID format",
            &["123e4567-e89b-12d3-a456-426614174000", "123E4567e89b-12d3a456426614174000"],
            &["", "123e4567-e89b-12d3-a456-42661417400g", "123e4567--e89b12d3a456426614174000"],
        ),
        (Byte, "invalid base64", &["aGk=", "aA==", "a+/b"], &["", "aGk", "====", "a-_b", "a==="]),
        (
            Date,
            "invalid date",
            &["2020-02-29", "2000-02-29", "0000-02-29", "9999-12-31"],
            &["", "2021-02-29", "1900-02-29", "2021-13-01", "2021-01-00", "2021-1-1"],
        ),
        (
            DateTime,
            "invalid datetime",
            &[
                "2021-01-01T23:59:59Z",
                "2021-01-01t00:00:00.5+99:99",
                "2021-01-01T00:00:00é5z",
                "2021-01-01T00:00:0012z",
                "2021-01-01T00:00:00ZTrash",
            ],
            &[
                "2021-01-01",
                "2021-01-01T24:00:00Z",
                "2021-01-01T00:00:60Z",
                "2021-01-01T00:00:00",
                "2021-01-01T00:00:00.Z",
                "2021-01-01T00:00:00\n1Z",
                "2021-02-30T00:00:00Z",
            ],
        ),
    ];
    for (format, message, valid, invalid) in cases {
        for text in valid {
            assert_eq!(messages(format, text), "", "{text}");
        }
        for text in invalid {
            assert_eq!(messages(format, text), message, "{text}");
        }
    }
}
