//! Which files are meant, and what is in them.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::fault::Fault;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// What the files of a folder end in that are read.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// What standard input is called.
pub(super) const STDIN: &str = "<stdin>";

/// A file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// What it is called in what is printed.
    pub name: String,
    /// Whether the user named it herself, and did not just name the folder that it is in.
    pub is_named: bool,
    /// None for standard input.
    path: Option<PathBuf>,
}

/// The files of these paths, folders with all that is below them, in the order of the paths and
/// within a folder in that of their names. A file that is meant twice is there once.
pub(super) fn find(paths: &[PathBuf], faults: &mut Vec<Fault>) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut seen = HashSet::new();
    for path in paths {
        if is_stdin(path) {
            if sources.iter().any(|source: &Source| source.path.is_none()) {
                continue;
            }
            sources.push(Source { name: STDIN.to_owned(), is_named: true, path: None });
            continue;
        }
        let mut found = Vec::new();
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => collect(path, &mut found, faults),
            Ok(_) => found.push(path.clone()),
            Err(error) => faults.push(Fault::of_file(&named(path), said(&error))),
        }
        found.sort();
        for file in found {
            let identity = fs::canonicalize(&file).unwrap_or_else(|_| file.clone());
            if seen.insert(identity) {
                let is_named = file == *path;
                sources.push(Source { name: named(&file), is_named, path: Some(file) });
            }
        }
    }
    sources
}

/// Whether a path means standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The manifests below a folder. What is hidden is left alone, and so are links to folders, which
/// may lead in circles.
fn collect(folder: &Path, found: &mut Vec<PathBuf>, faults: &mut Vec<Fault>) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                faults.push(Fault::of_file(&named(&folder), said(&error)));
                continue;
            }
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    faults.push(Fault::of_file(&named(&folder), said(&error)));
                    break;
                }
            };
            let path = entry.path();
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(_) if !is_manifest(&path) => {}
                // A link that leads nowhere is told of when it is read.
                Ok(kind) if kind.is_file() || kind.is_symlink() && !path.is_dir() => {
                    found.push(path);
                }
                Ok(_) => {}
                Err(error) => faults.push(Fault::of_file(&named(&path), said(&error))),
            }
        }
    }
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|found| EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
}

/// A path as it is printed.
fn named(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

impl Source {
    #[cfg(test)]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), is_named: true, path: Some(name.into()) }
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// When it can't be read, is larger than any manifest, or is no text.
    pub fn read(&self) -> Result<String, Fault> {
        let bytes = match &self.path {
            None => read(io::stdin().lock()),
            Some(path) => File::open(path).and_then(read),
        };
        let bytes = bytes.map_err(|error| Fault::of_file(&self.name, said(&error)))?;
        if bytes.len() as u64 > LARGEST {
            let limit = LARGEST / 1024 / 1024;
            let message = format!("is larger than {limit} MiB, which is the most that is read");
            return Err(Fault::of_file(&self.name, message));
        }
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Fault::of_file(&self.name, format!("is no text in UTF-8: see the byte at offset {at}"))
        })
    }
}

/// Reads to the end, but no more than says that it is too much.
fn read(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "can't be read: permission denied".to_owned(),
        _ => format!("can't be read: {error}"),
    }
}
