//! kubectl, as a person types it.

use std::io::Write as _;
use std::process::Stdio;
use std::thread;

use super::Cluster;

/// What kubectl printed.
#[derive(Debug)]
pub struct Output {
    /// Its standard output.
    pub stdout: String,
    /// Its standard error, where warnings and refusals are.
    pub stderr: String,
    /// Whether it ended with 0.
    pub success: bool,
}

impl Output {
    /// Standard output of a command that must have worked.
    #[track_caller]
    pub fn ok(self) -> String {
        assert!(self.success, "kubectl failed:\n{}{}", self.stderr, self.stdout);
        self.stdout
    }

    /// Standard error of a command that must have been refused.
    #[track_caller]
    pub fn refused(self) -> String {
        assert!(!self.success, "kubectl was not refused:\n{}{}", self.stderr, self.stdout);
        self.stderr
    }

    /// All that a person sees: errors and warnings first.
    pub fn screen(&self) -> String {
        format!("{}{}", self.stderr, self.stdout)
    }
}

/// Runs kubectl with the words of `line`, which are parted by white space, and with this input.
pub fn kubectl(cluster: &Cluster, line: &str, input: &str) -> Output {
    let mut child = cluster
        .kubectl_command()
        .args(line.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl starts");
    let mut stdin = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        // It need not read all of its input before it ends.
        scope.spawn(move || drop(stdin.write_all(input.as_bytes())));
        child.wait_with_output().expect("kubectl ends")
    });
    Output {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        success: output.status.success(),
    }
}
