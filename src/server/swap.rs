//! Something that is replaced while it is in use: who has the old one keeps it to the end.

use std::sync::Arc;

use super::sync::{Mutex, PoisonError, RwLock, lock};

/// A shared value and its successor.
#[derive(Debug)]
pub(super) struct Swap<T> {
    current: RwLock<Arc<T>>,
    /// One successor at a time is made.
    making: Mutex<()>,
}

impl<T> Swap<T> {
    pub fn new(first: T) -> Swap<T> {
        Swap { current: RwLock::new(Arc::new(first)), making: Mutex::new(()) }
    }

    /// The value of now.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts `next` in place.
    pub fn put(&self, next: T) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }

    /// Puts in place what `make` makes of the value of now, however long that takes; others go on with
    /// that meanwhile, and for good where `make` fails.
    pub fn replace<E>(&self, make: impl FnOnce(&T) -> Result<T, E>) -> Result<(), E> {
        let _one_at_a_time = lock(&self.making);
        self.put(make(&self.get())?);
        Ok(())
    }
}
