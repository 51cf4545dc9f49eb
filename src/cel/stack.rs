//! Work that recurses deeper than the stack of an ordinary thread bears.

use std::cell::Cell;
use std::io;
use std::panic::resume_unwind;
use std::thread;

/// How deep an evaluation may recurse on the thread that it is called on: one of tokio's has 2 MiB,
/// and a level takes some 5 kB without optimisation.
const SHALLOW: usize = 150;

/// Pages of it that are never touched are not committed.
const STACK: usize = 256 << 20;

thread_local! {
    /// Whether this thread has the large stack.
    static IS_LARGE: Cell<bool> = const { Cell::new(false) };
}

/// Does `work` on a thread of its own, whose stack is large enough for whatever is let through; or
/// here, if this is such a thread.
///
/// # Errors
/// Where there is no such thread to be had.
pub(super) fn on_large<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    if IS_LARGE.get() {
        return Ok(work());
    }
    let work = || {
        IS_LARGE.set(true);
        work()
    };
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

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn what_is_shallow_stays_on_its_thread() {
        let here = thread::current().id();
        assert_eq!(for_depth(SHALLOW, || thread::current().id()).unwrap(), here);
        assert_ne!(for_depth(SHALLOW + 1, || thread::current().id()).unwrap(), here);
    }

    #[test]
    fn one_large_stack_is_enough() {
        let (outer, inner) =
            on_large(|| (thread::current().id(), on_large(|| thread::current().id()).unwrap()))
                .unwrap();
        assert_eq!(outer, inner);
    }

    #[test]
    fn a_panic_on_the_other_thread_goes_on_here() {
        let panicked = catch_unwind(|| on_large(|| panic!("over there"))).unwrap_err();
        assert_eq!(panicked.downcast_ref(), Some(&"over there"));
    }
}
