use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn a_url_shows_its_parts() {
    /// Scheme, host, host name, port, escaped path.
    type Parts = [&'static str; 5];
    let cases: [(&str, Parts); 12] = [
        ("HTTPS://u:p@e.com:80/a?b#c", ["https", "e.com:80", "e.com", "80", "/a"]),
        ("https://[::1]:80/", ["https", "[::1]:80", "::1", "80", "/"]),
        ("https://[fe80::1%25e%20n]/", ["https", "[fe80::1%e n]", "fe80::1%e n", "", "/"]),
        ("https://e.com", ["https", "e.com", "e.com", "", ""]),
        ("https://e.com:", ["https", "e.com:", "e.com", "", ""]),
        ("pg://h1:1,h2:2/db", ["pg", "h1:1,h2:2", "h1:1,h2", "2", "/db"]),
        // An escaped slash stays so only where the whole path is in a valid form as given.
        ("/a b/%2f/é", ["", "", "", "", "/a%20b///%C3%A9"]),
        ("/a%2fb", ["", "", "", "", "/a%2fb"]),
        ("//host/path", ["", "host", "host", "", "/path"]),
        ("///path", ["", "", "", "", "///path"]),
        ("mailto:joe@x", ["mailto", "", "", "", ""]),
        ("http://%e2%82%ac.de/", ["http", "€.de", "€.de", "", "/"]),
    ];
    for (text, parts) in cases {
        let url = url(text);
        let (host, hostname, port) = (url.host(), url.hostname(), url.port());
        let found = [url.scheme(), &host, &hostname, &port, url.escaped_path()];
        // An escaped slash stays so only where the whole path is in a valid form as given.
        let expected =
            if text.starts_with("/a b") { ["", "", "", "", "/a%20b///%C3%A9"] } else { parts };
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_url_displays_as_go_puts_it_together() {
    for (text, expected) in [
        ("HTTP://u%20s:p%40@h:1/a?b#c d", "http://u%20s:p%40@h:1/a?b#c%20d"),
        ("http://u@h", "http://u@h"),
        ("http://u:@h", "http://u:@h"),
        ("http:", "http:"),
        ("http://", "http:"),
        ("http:///", "http:///"),
        ("file:/x", "file:/x"),
        ("mailto:a b?c", "mailto:a b?c"),
        ("/a?", "/a?"),
        ("/a??", "/a??"),
        ("/a#", "/a"),
        ("*", "*"),
        ("/*", "/*"),
        ("/a'\"", "/a%27%22"),
        ("/a#!'\"", "/a#!%27%22"),
        ("http://é/", "http://%C3%A9/"),
        ("http://[::1%25a%20b]/", "http://[::1%25a%20b]/"),
    ] {
        assert_eq!(url(text).to_string(), expected, "{text}");
    }
    assert_eq!(url("HTTP://h/%41?"), url("http://h/%41?"));
    assert_ne!(url("http://h/%41"), url("http://h/A"));
}

#[test]
fn a_query_is_a_list_of_values_for_each_key() {
    let parameters = |text: &str| {
        let lists = url(text).query().into_iter();
        lists.map(|(key, values)| format!("{key}={}", values.join("|"))).collect::<Vec<_>>()
    };
    assert_eq!(parameters("/?k1=a&k2=b&k2=c"), ["k1=a", "k2=b|c"]);
    assert_eq!(parameters("/?k+%41=%e2%82%ac+x&&=y&z"), ["=y", "k A=€ x", "z="]);
    assert_eq!(parameters("/?a;b=c&%zz=d&e=%&f=1"), ["f=1"]);
    assert_eq!(parameters("/?a=%ff%e2"), ["a=\u{fffd}\u{fffd}"]);
    assert_eq!(parameters("/?"), [""; 0]);
    let many = |ampersands| parameters(&format!("/?{}a=1", "&".repeat(ampersands)));
    assert_eq!(many(9_999), ["a=1"]);
    assert_eq!(many(10_000), [""; 0]);
}

#[test]
fn what_is_no_url_is_refused_in_gos_words() {
    for (text, reason) in [
        ("", "empty url"),
        ("../relative", "invalid URI for request"),
        ("#f", "invalid URI for request"),
        (":x", "missing protocol scheme"),
        ("http://a\\b/", "invalid character \"\\\\\" in host name"),
        ("http://a b/", "invalid character \" \" in host name"),
        ("http://h/%zz", "invalid URL escape \"%zz\""),
        ("http://h/%4", "invalid URL escape \"%4\""),
        ("http://%41/", "invalid URL escape \"%41\""),
        ("https://a:b:c/", "invalid port \":b:c\" after host"),
        ("http://h1:1,h2:2/", "invalid port \":1,h2:2\" after host"),
        ("http://é@h/", "net/url: invalid userinfo"),
        ("http://[1.2.3.4]/", "invalid IP-literal"),
        ("http://x[::1]/", "invalid IP-literal"),
        ("http://[::1", "missing ']' in host"),
        ("http://[::1]x", "invalid port \"x\" after host"),
        ("http://[x]/", "invalid host: ParseAddr(\"x\"): unable to parse IP"),
        ("http://[::1%25%41%00]/", "invalid URL escape \"%00\""),
        ("/a#%zz", "invalid URL escape \"%zz\""),
    ] {
        let expected = format!(
            "URL parse error during conversion from string: parse {}: {reason}",
            quote(text)
        );
        assert_eq!(Url::parse(text).unwrap_err().to_string(), expected);
    }
    assert_eq!(
        Url::parse("/\u{7f}").unwrap_err().to_string(),
        "URL parse error during conversion from string: parse \"/\\x7f\": net/url: invalid \
         control character in URL"
    );
}

#[test]
fn an_error_before_the_fragment_shows_the_url_without_it() {
    assert_eq!(
        Url::parse("//a b#c").unwrap_err().to_string(),
        "URL parse error during conversion from string: parse \"//a b\": invalid character \
         \" \" in host name"
    );
}

#[test]
fn is_url_does_not_look_at_the_fragment() {
    assert!(Url::is_url("mailto:a#%zz"));
    assert!(Url::parse("mailto:a#%zz").is_err());
    assert!(!Url::is_url("relative"));
}
