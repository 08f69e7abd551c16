//! The sockets that the service manager opened for us: sd_listen_fds(3).

use std::{
    env,
    os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd},
    process,
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::io::{FdFlags, fcntl_setfd};

/// The first descriptor that is handed over.
const FIRST: RawFd = 3;
/// More than any unit file has.
const MOST: RawFd = 100;

/// Descriptors that were handed over, with the names that the unit file gives them (`FileDescriptorName=`).
/// They are there once: a second call finds none.
pub(super) fn take() -> Vec<(OwnedFd, String)> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let number = |name| env::var(name).ok()?.parse::<u32>().ok();
    // The variables are for one process; a child that finds them must not act on them.
    if number("LISTEN_PID") != Some(process::id()) || TAKEN.swap(true, Ordering::AcqRel) {
        return Vec::new();
    }
    let count =
        number("LISTEN_FDS").and_then(|count| RawFd::try_from(count).ok()).unwrap_or(0).clamp(0, MOST);
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let names = names.split(':').chain(std::iter::repeat(""));
    let own = |(descriptor, name): (RawFd, &str)| {
        // SAFETY: borrowed for this one call, which says whether the descriptor is open at all; a manager that
        // announces more than it hands over must not bring us to own what is not there.
        let there = unsafe { BorrowedFd::borrow_raw(descriptor) };
        // OCR workers have no business with it.
        fcntl_setfd(there, FdFlags::CLOEXEC).ok()?;
        // SAFETY: the service manager opened these descriptors for this very process (LISTEN_PID), nothing
        // else in it knows of them, and TAKEN makes sure that they get no second owner.
        Some((unsafe { OwnedFd::from_raw_fd(descriptor) }, name.to_owned()))
    };
    (FIRST..FIRST + count).zip(names).filter_map(own).collect()
}
