//! Is there room for this message?

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::sync::{Mutex, lock};

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

/// Bounds on the connections of each peer that has an address.
#[derive(Debug)]
pub(super) struct Crowd {
    open: Mutex<HashMap<IpAddr, usize>>,
    max_per_peer: usize,
}

/// A connection that counts as long as this lives.
#[derive(Debug)]
pub(super) struct Guest<'a> {
    crowd: &'a Crowd,
    ip: Option<IpAddr>,
}

impl Crowd {
    pub fn new(max_per_peer: usize) -> Crowd {
        Crowd { open: Mutex::default(), max_per_peer }
    }

    /// Counts a connection from `ip`, unless that has its share; those of Unix sockets have none.
    pub fn enter(&self, ip: Option<IpAddr>) -> Option<Guest<'_>> {
        if let Some(ip) = ip {
            let mut open = lock(&self.open);
            let count = open.entry(ip).or_default();
            if *count >= self.max_per_peer {
                return None;
            }
            *count += 1;
        }
        Some(Guest { crowd: self, ip })
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        let Some(ip) = self.ip else { return };
        let mut open = lock(&self.crowd.open);
        if let Some(count) = open.get_mut(&ip) {
            *count -= 1;
            // An address that is gone takes no memory.
            if *count == 0 {
                open.remove(&ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_its_share_of_connections_and_no_more() {
        let crowd = Crowd::new(2);
        let ip = |last| Some(IpAddr::from([192, 0, 2, last]));
        let first = crowd.enter(ip(1)).unwrap();
        let second = crowd.enter(ip(1)).unwrap();
        assert!(crowd.enter(ip(1)).is_none());
        assert!(crowd.enter(ip(2)).is_some(), "another");
        assert!((0..9).all(|_| crowd.enter(None).is_some()), "programs on this machine");
        drop(first);
        let third = crowd.enter(ip(1)).unwrap();
        drop((second, third));
        assert!(lock(&crowd.open).is_empty());
    }

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
