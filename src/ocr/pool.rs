//! The worker processes of an engine, shared by all scans.
//!
//! A scan takes an idle worker, or waits for one until its deadline. A worker that is killed, crashed or old is
//! handed to the keeper, a thread that buries it and starts the next one, so that no scan waits for that. All
//! workers are started by that thread, because the kernel ties their life to the thread that did.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    Error, Options, Page, Reading,
    process::{Process, Stopped},
};

/// Pages after which a worker is replaced: Tesseract does not give memory back.
const PAGES_A_WORKER: u32 = 500;
/// After a worker could not work at all, none is started for this long.
const BACKOFF: Duration = Duration::from_secs(1);

/// Worker processes, shared by all scans; they end with it.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
}

/// What the pool has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Pages that were read to their end.
    pub read: u64,
    /// Pages whose worker was killed at their deadline.
    pub killed: u64,
    /// Pages that a worker died of.
    pub crashed: u64,
    /// Workers started.
    pub started: u64,
    /// CPU time that workers took for the pages they read to their end, in microseconds.
    pub cpu_us: u64,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    size: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Process>,
    /// Workers that exist or are asked for.
    live: usize,
    keeper: Option<(Sender<Order>, JoinHandle<()>)>,
    broken: Option<(Instant, String)>,
    counts: Counts,
}

/// What the keeper is asked to do.
#[derive(Debug)]
enum Order {
    Start,
    /// Bury this one and start another.
    Replace(Process),
}

impl Pool {
    /// A pool whose workers start when the first page comes ([`Pool::warm`] starts them ahead of need).
    pub fn start(options: &Options) -> Pool {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        let size = if options.workers == 0 { cores() } else { options.workers };
        let shared =
            Shared { options: options.clone(), size, state: Mutex::default(), changed: Condvar::default() };
        Pool { shared: Arc::new(shared) }
    }

    /// How many workers there are at most.
    pub fn size(&self) -> usize {
        self.shared.size
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        self.shared.lock().counts
    }

    /// Starts all workers now, so that the first picture does not wait for Tesseract to load.
    pub fn warm(&self) {
        let mut state = self.shared.lock();
        while state.live < self.shared.size {
            state.live += 1;
            self.order(&mut state, Order::Start);
        }
    }

    /// Reads `page`; returns by `deadline` whatever the worker does.
    ///
    /// # Errors
    /// Nothing was read by the deadline, or the worker died, or none can be started.
    pub fn read(&self, page: &Page, deadline: Instant) -> Result<Reading, Error> {
        let mut worker = self.acquire(deadline)?;
        let result = worker.read(page, deadline);
        let mut state = self.shared.lock();
        let error = match result {
            Ok(reading) => {
                state.counts.read += 1;
                state.counts.cpu_us += worker.cpu_us;
                match worker.pages < PAGES_A_WORKER {
                    true => {
                        state.idle.push(worker);
                        self.shared.changed.notify_one();
                    }
                    false => self.order(&mut state, Order::Replace(worker)),
                }
                return Ok(reading);
            }
            Err(Stopped::Deadline(reading)) => {
                state.counts.killed += 1;
                if reading.text.is_empty() { Err(Error::Deadline) } else { Ok(reading) }
            }
            Err(Stopped::Crashed(how)) => {
                state.counts.crashed += 1;
                Err(Error::Crashed(how))
            }
            Err(Stopped::Unavailable(why)) => {
                state.broken = Some((Instant::now(), why.clone()));
                self.shared.changed.notify_all();
                Err(Error::Unavailable(why))
            }
        };
        worker.kill();
        self.order(&mut state, Order::Replace(worker));
        error
    }

    fn acquire(&self, deadline: Instant) -> Result<Process, Error> {
        let mut state = self.shared.lock();
        loop {
            while let Some(mut worker) = state.idle.pop() {
                if worker.is_alive() {
                    return Ok(worker);
                }
                // It died while nobody asked it anything (killed for memory, say).
                self.order(&mut state, Order::Replace(worker));
            }
            if let Some((when, why)) = &state.broken
                && when.elapsed() < BACKOFF
            {
                return Err(Error::Unavailable(why.clone()));
            }
            if state.live < self.shared.size {
                state.live += 1;
                self.order(&mut state, Order::Start);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Deadline);
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn order(&self, state: &mut State, order: Order) {
        let keeper = state.keeper.get_or_insert_with(|| {
            let (sender, orders) = mpsc::channel();
            let shared = Arc::clone(&self.shared);
            (sender, thread::spawn(move || keep(&shared, &orders)))
        });
        // The keeper ends only after its sender.
        let _ = keeper.0.send(order);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let (keeper, idle) = {
            let mut state = self.shared.lock();
            (state.keeper.take(), std::mem::take(&mut state.idle))
        };
        idle.into_iter().for_each(Process::bury);
        if let Some((sender, thread)) = keeper {
            drop(sender);
            // It has nothing to say if it panicked.
            let _ = thread.join();
        }
        let idle = std::mem::take(&mut self.shared.lock().idle);
        idle.into_iter().for_each(Process::bury);
    }
}

impl Shared {
    // A scan that panicked while it held the lock left nothing half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keeper's thread.
fn keep(shared: &Shared, orders: &Receiver<Order>) {
    for order in orders {
        if let Order::Replace(worker) = order {
            worker.bury();
            let mut state = shared.lock();
            if state.broken.as_ref().is_some_and(|(when, _)| when.elapsed() < BACKOFF) {
                // The next page after the pause starts one.
                state.live = state.live.saturating_sub(1);
                continue;
            }
        }
        let started = Process::start(&shared.options);
        let mut state = shared.lock();
        match started {
            Ok(worker) => {
                state.counts.started += 1;
                state.idle.push(worker);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot start an OCR worker");
                state.live = state.live.saturating_sub(1);
                state.broken = Some((Instant::now(), error.to_string()));
            }
        }
        shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
