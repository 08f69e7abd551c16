//! The locks of the server: those of `std`, or with the feature `model` those of a model checker.

#[cfg(not(feature = "model"))]
pub(super) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock};

#[cfg(feature = "model")]
pub(super) use shuttle::sync::{Condvar, Mutex, MutexGuard, RwLock};
#[cfg(feature = "model")]
pub(super) use std::sync::PoisonError;

/// Locks; a thread that panicked while it held the lock left nothing half done in this server.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
