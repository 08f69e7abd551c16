//! Is there room for this message?

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Bounds on what is in memory, kept over all connections.
#[derive(Debug)]
pub(super) struct Admission {
    bytes: AtomicUsize,
    max_bytes: usize,
    max_per_connection: usize,
}

/// Room for one message, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    admission: Arc<Admission>,
    bytes: usize,
}

impl Admission {
    pub fn new(max_bytes: usize, max_per_connection: usize) -> Admission {
        Admission { bytes: AtomicUsize::new(0), max_bytes, max_per_connection }
    }

    /// Room for `size` bytes, asked for by a connection that has `in_flight` requests, this one included;
    /// `None` where there is none. Nothing was reserved for them before.
    pub fn enter(self: &Arc<Self>, size: usize, in_flight: usize) -> Option<Room> {
        if in_flight > self.max_per_connection {
            return None;
        }
        let fits = |bytes: usize| bytes.checked_add(size).filter(|&sum| sum <= self.max_bytes);
        self.bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).ok()?;
        Some(Room { admission: Arc::clone(self), bytes: size })
    }

    /// Bytes of all messages in memory.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Acquire)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.admission.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_and_comes_back() {
        let admission = Arc::new(Admission::new(100, 2));
        let first = admission.enter(60, 1).unwrap();
        assert!(admission.enter(41, 1).is_none());
        let second = admission.enter(40, 2).unwrap();
        assert_eq!(admission.bytes(), 100);
        drop((first, second));
        assert_eq!(admission.bytes(), 0);
        assert!(admission.enter(1, 3).is_none(), "a connection over its share");
        assert!(admission.enter(usize::MAX, 1).is_none());
    }
}
