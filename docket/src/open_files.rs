//! How many files and connections this process may have open at once.
//!
//! Most shells begin a program with 1,024 of them, and let it ask for more; each connection is one.

/// Asks for as many as the system gives. Where it gives no more, it is as it was.
pub(crate) fn as_many_as_there_may_be() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        // A failure leaves what there is.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}
