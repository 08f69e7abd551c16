//! Sends what is known when a message's time is up, whatever its worker is doing then.
//!
//! A thread of its own, so that a busy runtime or a worker deep in a decoder cannot delay it.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use super::{
    lane::Timed,
    slot::Slot,
    sync::{Condvar, Mutex, PoisonError, lock},
};

/// The deadlines of all requests that are not answered yet.
#[derive(Debug)]
pub(super) struct Clock {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    heap: BinaryHeap<Timed<Weak<Slot>>>,
    arrivals: u64,
    closed: bool,
}

impl Clock {
    pub fn new() -> Clock {
        let state = State { heap: BinaryHeap::new(), arrivals: 0, closed: false };
        Clock { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Has `slot` answered at its deadline, unless it was before.
    pub fn watch(&self, slot: &Arc<Slot>) {
        let at = leaving(slot.budget().deadline(), slot.budget().allowance());
        let mut state = lock(&self.state);
        state.arrivals += 1;
        let order = Reverse((at, state.arrivals));
        let earliest = state.heap.peek().is_none_or(|first| order > first.order);
        state.heap.push(Timed { order, item: Arc::downgrade(slot) });
        drop(state);
        // The thread already wakes for the deadlines before this one.
        if earliest {
            self.changed.notify_one();
        }
    }

    /// Runs the clock until it is closed.
    pub fn run(&self) {
        let mut state = lock(&self.state);
        while !state.closed {
            let Some(first) = state.heap.peek() else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = first.order.0.0.saturating_duration_since(Instant::now());
            // Those that were answered meanwhile need no waking for: mostly that is all of them.
            let waits = first.item.upgrade().filter(|slot| !slot.is_gone());
            if waits.is_some() && !left.is_zero() {
                // The request may be done before; nothing of it is kept for that long.
                drop(waits);
                state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            state.heap.pop();
            drop(state);
            if let Some(slot) = waits {
                slot.expire();
            }
            state = lock(&self.state);
        }
    }

    /// Ends [`Clock::run`].
    pub fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_one();
    }
}

/// When the reply is made so that it leaves by the deadline: it has to be written and sent.
fn leaving(deadline: Instant, allowance: Duration) -> Instant {
    const MARGIN: Duration = Duration::from_millis(2);
    deadline.checked_sub(MARGIN.min(allowance / 4)).unwrap_or(deadline)
}
