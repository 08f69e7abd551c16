//! Work that waits for a thread: earliest deadline first, in two classes.
//!
//! The reserved class never waits for the other one: while both have work, the threads take from them
//! in turns, and one thread takes nothing else. So it gets at least half of a lane, and starts at once
//! even when all the other threads are deep in something slow.
//!
//! What is expected to be slow waits by itself, for threads that take nothing else: they come after the others
//! in the scheduler, so that it costs those a moment and not a thread. What turns out to be slow holds one of the
//! others; while some are held, spare threads do their work.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    mem,
    time::{Duration, Instant},
};

use super::sync::{Condvar, Mutex, PoisonError, lock};

/// A queue between the connections and the threads of one kind of work.
///
/// A heap under a lock: two cores hand over some 10,000 messages a second and hold the lock for
/// a fraction of a microsecond each.
#[derive(Debug)]
pub(super) struct Lane<T> {
    state: Mutex<State<T>>,
    /// For the threads that take anything.
    filled: Condvar,
    /// For the thread that takes the reserved class only.
    reserved_filled: Condvar,
    /// For the threads that take what is slow.
    slow_filled: Condvar,
    /// For the threads that take the place of those that are held.
    spare_filled: Condvar,
    /// How many threads take anything, and how many what is slow.
    threads: u32,
    slow_threads: u32,
}

#[derive(Debug)]
struct State<T> {
    common: Queue<T>,
    /// Of the common class, what is expected to be slow.
    slow: Queue<T>,
    reserved: Queue<T>,
    /// What the threads are at is expected to cost, and what those are at that take what is slow.
    running: Duration,
    slow_running: Duration,
    /// When those began what they are at that take anything, spare ones included.
    begun: Vec<Instant>,
    /// Spare threads that wait for one to be held, since all are busy and something waits.
    watching: usize,
    /// Spare threads that wait for nothing in particular.
    resting: usize,
    /// Whose turn it is while both wait.
    reserved_is_next: bool,
    /// Breaks ties: what came first goes first.
    arrivals: u64,
    closed: bool,
}

#[derive(Debug)]
struct Queue<T> {
    heap: BinaryHeap<Timed<Work<T>>>,
    /// What all that waits here is expected to cost.
    cost: Duration,
}

/// Something to do, and what it is expected to cost.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Work<T> {
    pub item: T,
    pub cost: Duration,
}

/// What a thread has taken, for [`Lane::done`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    cost: Duration,
    takes: Takes,
    begun: Instant,
}

/// Who is at it for longer is held: twenty times what the text of the average mail takes.
const HELD: Duration = Duration::from_millis(10);

/// What a thread takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Both classes, but nothing that is expected to be slow.
    Anything,
    Reserved,
    Slow,
    /// As [`Takes::Anything`], for a thread that is held by what it is at.
    Spare,
}

impl Takes {
    /// Whether it is for one of the threads that take anything.
    fn is_common(self) -> bool {
        matches!(self, Takes::Anything | Takes::Spare)
    }
}

/// How work is queued.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub deadline: Instant,
    pub reserved: bool,
    /// What it is expected to cost one thread.
    pub cost: Duration,
    /// Whether others should not have to wait for it.
    pub is_slow: bool,
}

impl<T> Queue<T> {
    fn new() -> Queue<T> {
        Queue { heap: BinaryHeap::new(), cost: Duration::ZERO }
    }

    fn pop(&mut self) -> Option<Work<T>> {
        let work = self.heap.pop()?.item;
        self.cost = self.cost.saturating_sub(work.cost);
        Some(work)
    }

    /// The deadline of the first one, and when it came.
    fn first(&self) -> Option<(Instant, u64)> {
        self.heap.peek().map(|first| first.order.0)
    }
}

impl<T> State<T> {
    fn pop(&mut self, takes: Takes) -> Option<Work<T>> {
        match takes {
            Takes::Reserved => return self.reserved.pop(),
            Takes::Slow => return self.slow.pop(),
            Takes::Anything | Takes::Spare => {}
        }
        if (self.reserved_is_next || self.common.heap.is_empty())
            && let Some(work) = self.reserved.pop()
        {
            self.reserved_is_next = false;
            return Some(work);
        }
        self.reserved_is_next = true;
        self.common.pop()
    }

    /// Whether more than `threads` would have to be at something, and none of those for long.
    fn is_full(&self, threads: usize, now: Instant) -> bool {
        let is_held = |begun: &&Instant| now.saturating_duration_since(**begun) >= HELD;
        let held = self.begun.iter().filter(is_held).count();
        held == 0 || self.begun.len() - held >= threads
    }

    /// When the next of those that are at something will be held.
    fn next_held(&self, now: Instant) -> Duration {
        let left = |begun: &Instant| (*begun + HELD).checked_duration_since(now);
        self.begun.iter().filter_map(left).filter(|left| !left.is_zero()).min().unwrap_or(HELD)
    }

    /// Notes that a thread is at `work` from now on.
    fn begin(&mut self, Work { item, cost }: Work<T>, takes: Takes) -> (T, Taken) {
        let begun = Instant::now();
        let running = self.running(takes == Takes::Slow);
        *running = running.saturating_add(cost);
        if takes.is_common() {
            self.begun.push(begun);
        }
        (item, Taken { cost, takes, begun })
    }

    /// What the threads of one kind are at.
    fn running(&mut self, is_slow: bool) -> &mut Duration {
        if is_slow { &mut self.slow_running } else { &mut self.running }
    }
}

impl<T> Lane<T> {
    /// A lane for `threads` that take anything, `slow_threads` for what is slow (with none of them nothing is), and
    /// any number that take the reserved class only.
    pub fn new(threads: usize, slow_threads: usize) -> Lane<T> {
        let count = |threads| u32::try_from(threads).unwrap_or(u32::MAX);
        Lane {
            state: Mutex::new(State {
                common: Queue::new(),
                slow: Queue::new(),
                reserved: Queue::new(),
                running: Duration::ZERO,
                slow_running: Duration::ZERO,
                begun: Vec::new(),
                watching: 0,
                resting: 0,
                reserved_is_next: true,
                arrivals: 0,
                closed: false,
            }),
            filled: Condvar::new(),
            reserved_filled: Condvar::new(),
            slow_filled: Condvar::new(),
            spare_filled: Condvar::new(),
            threads: count(threads).max(1),
            slow_threads: count(slow_threads),
        }
    }

    /// Queues `item`.
    pub fn push(&self, order: Order, item: T) {
        let mut state = lock(&self.state);
        state.arrivals += 1;
        let work = Work { item, cost: order.cost };
        let timed = Timed { order: Reverse((order.deadline, state.arrivals)), item: work };
        // The reserved class has a thread of its own.
        let is_slow = order.is_slow && !order.reserved && self.slow_threads > 0;
        let (queue, filled) = match (order.reserved, is_slow) {
            (true, _) => (&mut state.reserved, &self.filled),
            (false, true) => (&mut state.slow, &self.slow_filled),
            (false, false) => (&mut state.common, &self.filled),
        };
        queue.cost = queue.cost.saturating_add(order.cost);
        queue.heap.push(timed);
        let wakes_spare = self.wants_spare(&state);
        drop(state);
        filled.notify_one();
        if wakes_spare {
            self.spare_filled.notify_one();
        }
        if order.reserved {
            self.reserved_filled.notify_one();
        }
    }

    /// Waits for work; `None` once the lane is closed. When it is done, the thread says so with
    /// [`Lane::done`].
    pub fn take(&self, takes: Takes) -> Option<(T, Taken)> {
        let filled = match takes {
            Takes::Anything => &self.filled,
            Takes::Reserved => &self.reserved_filled,
            Takes::Slow => &self.slow_filled,
            Takes::Spare => return self.take_over(),
        };
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            if let Some(work) = state.pop(takes) {
                let begun = state.begin(work, takes);
                // What came before all were busy has nobody that watches over it.
                if takes == Takes::Anything && self.wants_spare(&state) {
                    self.spare_filled.notify_one();
                }
                return Some(begun);
            }
            state = filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until something waits, and one of the threads that would take it is held.
    fn take_over(&self) -> Option<(T, Taken)> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            if self.is_backed_up(&state) {
                if !state.is_full(self.common_threads(), now)
                    && let Some(work) = state.pop(Takes::Spare)
                {
                    // What is left has to be watched by another one.
                    if state.resting > 0 {
                        self.spare_filled.notify_one();
                    }
                    return Some(state.begin(work, Takes::Spare));
                }
                let left = state.next_held(now);
                state.watching += 1;
                state = self.spare_filled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
                state.watching -= 1;
            } else {
                state.resting += 1;
                state = self.spare_filled.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.resting -= 1;
            }
        }
    }

    /// Whether all are busy, something waits, and no spare thread watches over that yet.
    fn wants_spare(&self, state: &State<T>) -> bool {
        self.is_backed_up(state) && state.watching == 0 && state.resting > 0
    }

    fn is_backed_up(&self, state: &State<T>) -> bool {
        let waiting = state.common.heap.len() + state.reserved.heap.len();
        waiting > 0 && state.begun.len() >= self.common_threads()
    }

    fn common_threads(&self) -> usize {
        self.threads as usize
    }

    /// Work that was taken is done.
    pub fn done(&self, Taken { cost, takes, begun }: Taken) {
        let mut state = lock(&self.state);
        let running = state.running(takes == Takes::Slow);
        *running = running.saturating_sub(cost);
        if takes.is_common()
            && let Some(at) = state.begun.iter().position(|&one| one == begun)
        {
            state.begun.swap_remove(at);
        }
    }

    /// How long new work of a class will wait until its turn comes.
    pub fn wait(&self, reserved: bool, is_slow: bool) -> Duration {
        let state = lock(&self.state);
        let (common, own) = (state.common.cost, state.reserved.cost);
        let (ahead, running, threads) = match reserved {
            // In turns: as much of the others goes before it as of its own.
            true => (own.saturating_add(own.min(common)), state.running, self.threads),
            false if is_slow && self.slow_threads > 0 => {
                (state.slow.cost, state.slow_running, self.slow_threads)
            }
            false => (own.saturating_add(common), state.running, self.threads),
        };
        // What runs is half done on average.
        ahead.saturating_add(running / 2) / threads
    }

    /// Whether something waits whose deadline is longer ago than `patience`: threads drop such work as soon
    /// as they come to it, so none of them does.
    pub fn is_stuck(&self, patience: Duration) -> bool {
        let state = lock(&self.state);
        let mut earliest = [state.common.first(), state.slow.first()].into_iter().flatten();
        earliest.any(|(deadline, _)| deadline.elapsed() > patience)
    }

    /// How much waits.
    pub fn len(&self) -> usize {
        let state = lock(&self.state);
        state.common.heap.len() + state.slow.heap.len() + state.reserved.heap.len()
    }

    /// Sends the threads home; what still waits is dropped.
    pub fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let State { common, slow, reserved, .. } = &mut *state;
        let left = [common, slow, reserved].map(|queue| mem::take(&mut queue.heap));
        drop(state);
        drop(left);
        for filled in [&self.filled, &self.reserved_filled, &self.slow_filled, &self.spare_filled] {
            filled.notify_all();
        }
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

#[cfg(all(test, not(feature = "model")))]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn take<T>(lane: &Lane<T>, takes: Takes) -> Option<T> {
        let (item, taken) = lane.take(takes)?;
        lane.done(taken);
        Some(item)
    }

    fn order(deadline: Instant, reserved: bool) -> Order {
        Order { deadline, reserved, cost: 10 * MS, is_slow: false }
    }

    #[test]
    fn the_earliest_deadline_goes_first_and_ties_by_arrival() {
        let lane = Lane::new(1, 0);
        let now = Instant::now();
        for (after, name) in [(3, "c"), (1, "a"), (2, "b1"), (2, "b2")] {
            lane.push(order(now + after * MS, false), name);
        }
        let taken: Vec<_> = (0..4).filter_map(|_| take(&lane, Takes::Anything)).collect();
        assert_eq!(taken, ["a", "b1", "b2", "c"]);
    }

    #[test]
    fn the_reserved_class_has_its_turn_whatever_the_deadlines() {
        let lane = Lane::new(1, 0);
        let now = Instant::now();
        for item in 0..4 {
            lane.push(order(now, false), item);
        }
        for item in 10..12 {
            lane.push(order(now + 100 * MS, true), item);
        }
        assert_eq!((lane.wait(false, false), lane.wait(true, false)), (60 * MS, 40 * MS));
        let (first, taken) = lane.take(Takes::Anything).unwrap();
        assert_eq!((first, lane.wait(false, false)), (10, 55 * MS), "it runs, and is half done");
        lane.done(taken);
        let taken: Vec<_> = (0..5).filter_map(|_| take(&lane, Takes::Anything)).collect();
        assert_eq!(taken, [0, 11, 1, 2, 3]);
        assert_eq!((lane.wait(false, false), lane.len()), (Duration::ZERO, 0));
    }

    #[test]
    fn a_thread_of_the_reserved_class_takes_nothing_else() {
        let lane = Arc::new(Lane::new(1, 0));
        let own = Arc::clone(&lane);
        let thread = thread::spawn(move || [take(&own, Takes::Reserved), take(&own, Takes::Reserved)]);
        let now = Instant::now();
        lane.push(order(now, false), "common");
        lane.push(order(now, true), "reserved");
        // Nobody but that thread is there to take it.
        while lane.len() > 1 {
            thread::yield_now();
        }
        assert_eq!(take(&lane, Takes::Anything), Some("common"));
        lane.close();
        assert_eq!(thread.join().unwrap(), [Some("reserved"), None]);
    }

    #[test]
    fn slow_work_has_threads_of_its_own_and_holds_nobody_up() {
        let lane = Lane::new(2, 1);
        let now = Instant::now();
        for item in ["slow 1", "slow 2"] {
            lane.push(Order { is_slow: true, ..order(now, false) }, item);
        }
        lane.push(order(now + 9 * MS, false), "quick");
        assert_eq!((lane.wait(false, false), lane.wait(false, true)), (5 * MS, 20 * MS));
        let (first, slow) = lane.take(Takes::Slow).unwrap();
        assert_eq!(first, "slow 1");
        assert_eq!((lane.wait(false, false), lane.wait(false, true)), (5 * MS, 15 * MS));
        assert_eq!(take(&lane, Takes::Anything), Some("quick"), "whatever the deadlines");
        lane.done(slow);
        assert_eq!((take(&lane, Takes::Slow), lane.len()), (Some("slow 2"), 0));
        assert_eq!((lane.wait(false, false), lane.wait(false, true)), (Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn a_spare_thread_takes_the_place_of_one_that_is_held_and_no_other() {
        let lane = Lane::new(2, 0);
        let now = Instant::now();
        for item in 0..3 {
            lane.push(order(now, false), item);
        }
        let (_, first) = lane.take(Takes::Anything).unwrap();
        let (_, second) = lane.take(Takes::Anything).unwrap();
        let is_full = |after| lock(&lane.state).is_full(2, second.begun + after);
        assert!(is_full(Duration::ZERO), "both have just begun");
        assert!(!is_full(HELD), "both are held");
        // Waits until then.
        let (third, spare) = lane.take(Takes::Spare).unwrap();
        assert_eq!(third, 2);
        lane.done(first);
        lane.done(spare);
        assert_eq!(lock(&lane.state).begun, [second.begun]);
        lane.close();
        assert!(lane.take(Takes::Spare).is_none());
    }

    #[test]
    fn what_is_slow_goes_with_the_rest_where_no_thread_is_for_it_alone() {
        let lane = Lane::new(1, 0);
        let now = Instant::now();
        lane.push(Order { is_slow: true, ..order(now, false) }, "slow");
        lane.push(Order { is_slow: true, ..order(now, true) }, "reserved");
        assert_eq!(lane.wait(false, true), 20 * MS);
        let taken = [(); 2].map(|()| take(&lane, Takes::Anything));
        assert_eq!(taken, [Some("reserved"), Some("slow")]);
    }

    #[test]
    fn each_item_reaches_one_thread() {
        let lane = Arc::new(Lane::new(2, 1));
        let takers: Vec<_> = [Takes::Anything, Takes::Anything, Takes::Spare, Takes::Reserved, Takes::Slow]
            .into_iter()
            .map(|takes| {
                let lane = Arc::clone(&lane);
                thread::spawn(move || {
                    let mut taken = Vec::new();
                    while let Some(item) = take(&lane, takes) {
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
        let push = |item| {
            lane.push(Order { is_slow: item % 7 == 0, ..order(now, item % 3 == 0) }, item);
        };
        (0..1000).for_each(push);
        while lane.len() > 0 {
            thread::yield_now();
        }
        lane.push(order(now, false), u32::MAX);
        let mut all: Vec<u32> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_lane_is_stuck_when_nobody_takes_what_is_overdue() {
        let lane = Lane::new(1, 0);
        let now = Instant::now();
        lane.push(order(now + 60_000 * MS, false), 1);
        assert!(!lane.is_stuck(Duration::ZERO));
        lane.push(order(now - 60_000 * MS, false), 2);
        assert!(lane.is_stuck(1000 * MS) && !lane.is_stuck(120_000 * MS));
        take(&lane, Takes::Anything);
        assert!(!lane.is_stuck(1000 * MS));
    }

    #[test]
    fn a_closed_lane_gives_nothing_more() {
        let lane = Lane::new(1, 0);
        lane.push(order(Instant::now(), false), 1);
        lane.close();
        assert_eq!((take(&lane, Takes::Anything), lane.len()), (None, 0));
    }
}
