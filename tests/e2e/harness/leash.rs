//! Child processes that end with the test process.
//!
//! A static is never dropped, and a process that is killed drops nothing. So a child's shell holds
//! the reading end of a pipe, of which only this process has the other one: when it ends, by
//! whatever means, the pipe does, and the shell stops what it started and removes what is left.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Lines};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A shell script whose standard input ends when this value is dropped, or the process is no more.
pub struct Leashed {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Leashed {
    /// Runs a script of `sh` with these arguments (`$1`, …). A terminal's Ctrl-C does not reach it:
    /// it has a process group of its own.
    pub fn run(script: &str, arguments: &[&OsStr]) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", script, "leash"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("sh starts");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line that the script writes; none when it has ended.
    pub fn line(&mut self) -> Option<String> {
        self.lines.next()?.ok()
    }

    /// Whether the script has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the child can be waited for").is_some()
    }

    /// Waits for the script's own end, with its input open, and gives its exit status.
    pub fn wait(&mut self) -> Option<i32> {
        let input = self.child.stdin.take();
        let status = self.child.wait().expect("the child can be waited for");
        drop(input);
        status.code()
    }
}

impl Drop for Leashed {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It has nothing to say by now; if it can't be waited for, nobody is the worse for it.
        let _ = self.child.wait();
    }
}
