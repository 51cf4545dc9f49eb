//! Files as URIs, relative to where the command was run.

use std::path::{Component, Path};

use crate::cli::check::files::STDIN;

/// The URI of a file: relative, so that it means the same in the repository; absolute where the
/// file is elsewhere.
pub(super) fn of(file: &str) -> String {
    within(file, std::env::current_dir().ok().as_deref())
}

fn within(file: &str, folder: Option<&Path>) -> String {
    if file == STDIN {
        return "stdin".to_owned();
    }
    let path = Path::new(file);
    let path = folder.and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(path);
    let parts = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(escaped(&name.to_string_lossy())),
        Component::ParentDir => Some("..".to_owned()),
        _ => None,
    });
    let parts: Vec<String> = parts.collect();
    let relative = parts.join("/");
    match path.is_absolute() {
        true => format!("file:///{relative}"),
        false => relative,
    }
}

/// With the characters that a path of a URI may have (RFC 3986, 3.3), but for the colon, which in a
/// relative one could be taken for the end of a scheme.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => text.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'+' | b'@' | b'=' | b',' => text.push(char::from(byte)),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_below_is_relative_and_one_elsewhere_is_not() {
        for (file, expected) in [
            ("a/b.yaml", "a/b.yaml"),
            ("./a//b.yaml", "a/b.yaml"),
            ("../b.yaml", "../b.yaml"),
            ("/repo/a/b.yaml", "a/b.yaml"),
            ("/etc/b.yaml", "file:///etc/b.yaml"),
            ("a b/é:%.yaml", "a%20b/%C3%A9%3A%25.yaml"),
            ("<stdin>", "stdin"),
        ] {
            assert_eq!(within(file, Some(Path::new("/repo"))), expected, "{file}");
        }
    }
}
