//! Work that recurses deeper than the stack of an ordinary thread bears.

use std::io;
use std::panic::resume_unwind;
use std::thread;

/// How deep an evaluation may recurse on the thread that it is called on: one of tokio's has 2 MiB,
/// and a level takes some 5 kB without optimisation.
const SHALLOW: usize = 150;

/// What is not used of it is not paid for.
const STACK: usize = 256 << 20;

/// Does `work` on a thread of its own, whose stack is large enough for whatever is let through.
///
/// # Errors
/// Where there is no such thread to be had.
pub(super) fn on_large<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("cel".to_owned()).stack_size(STACK);
        let worker = builder.spawn_scoped(scope, work)?;
        Ok(worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// Does `work`, which recurses `depth` deep: here if that is not much.
///
/// # Errors
/// Where it is much, and there is no thread to be had.
pub(super) fn for_depth<T: Send>(depth: usize, work: impl FnOnce() -> T + Send) -> io::Result<T> {
    if depth <= SHALLOW { Ok(work()) } else { on_large(work) }
}
