//! Work that waits for a thread, earliest deadline first.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// A queue between the connections and the threads of one kind of work.
///
/// A heap under a lock: two cores hand over some 10,000 messages a second and hold the lock for
/// a fraction of a microsecond each.
#[derive(Debug)]
pub(super) struct Lane<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
}

#[derive(Debug)]
struct State<T> {
    heap: BinaryHeap<Timed<T>>,
    /// Breaks ties: what came first goes first.
    arrivals: u64,
    closed: bool,
}

impl<T> Lane<T> {
    pub fn new() -> Lane<T> {
        let state = State { heap: BinaryHeap::new(), arrivals: 0, closed: false };
        Lane { state: Mutex::new(state), filled: Condvar::new() }
    }

    /// Queues `item`, which has to be done by `deadline`.
    pub fn push(&self, deadline: Instant, item: T) {
        let mut state = lock(&self.state);
        state.arrivals += 1;
        let order = Reverse((deadline, state.arrivals));
        state.heap.push(Timed { order, item });
        drop(state);
        self.filled.notify_one();
    }

    /// Waits for work; `None` once the lane is closed.
    pub fn take(&self) -> Option<T> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            if let Some(timed) = state.heap.pop() {
                return Some(timed.item);
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How much waits.
    pub fn len(&self) -> usize {
        lock(&self.state).heap.len()
    }

    /// Sends the threads home; what still waits is dropped.
    pub fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let left = std::mem::take(&mut state.heap);
        drop(state);
        drop(left);
        self.filled.notify_all();
    }
}

/// Something that is ordered by time, the earliest on top of a [`BinaryHeap`].
#[derive(Debug)]
pub(super) struct Timed<T> {
    pub order: Reverse<(Instant, u64)>,
    pub item: T,
}

impl<T> PartialEq for Timed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl<T> Eq for Timed<T> {}

impl<T> PartialOrd for Timed<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Timed<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order.cmp(&other.order)
    }
}

/// Locks; a thread that panicked while it held the lock left nothing half done here.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread, time::Duration};

    use super::*;

    #[test]
    fn the_earliest_deadline_goes_first_and_ties_by_arrival() {
        let lane = Lane::new();
        let now = Instant::now();
        for (after, name) in [(3, "c"), (1, "a"), (2, "b1"), (2, "b2")] {
            lane.push(now + Duration::from_millis(after), name);
        }
        let order: Vec<_> = (0..4).filter_map(|_| lane.take()).collect();
        assert_eq!(order, ["a", "b1", "b2", "c"]);
    }

    #[test]
    fn each_item_reaches_one_thread() {
        let lane = Arc::new(Lane::new());
        let takers: Vec<_> = (0..3)
            .map(|_| {
                let lane = Arc::clone(&lane);
                thread::spawn(move || {
                    let mut taken = Vec::new();
                    while let Some(item) = lane.take() {
                        if item == u32::MAX {
                            lane.close();
                        } else {
                            taken.push(item);
                        }
                    }
                    taken
                })
            })
            .collect();
        let now = Instant::now();
        (0..1000).for_each(|item| lane.push(now, item));
        lane.push(now + Duration::from_secs(1), u32::MAX);
        let mut all: Vec<u32> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_closed_lane_gives_nothing_more() {
        let lane = Lane::new();
        lane.push(Instant::now(), 1);
        lane.close();
        assert_eq!((lane.take(), lane.len()), (None, 0));
    }
}
