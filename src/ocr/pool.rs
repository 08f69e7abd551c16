//! The worker processes of an engine, shared by all scans.
//!
//! A scan takes an idle worker, or waits for one while its page can still be read by its deadline. A worker that is
//! not done by then is handed to the keeper, a thread that lends it out again when it has given up that page; so is one
//! that crashed or is old, which it buries, and starts the next, so that no scan waits for that. All workers are started
//! by that thread, because the kernel ties their life to the thread that did.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
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
/// How often the keeper looks whether a worker has given up its page: a small part of what a page takes.
const LOOK: Duration = Duration::from_millis(2);
/// Rows of the first part of a page, about (`bands.rs`).
const FIRST_ROWS: u32 = 150;

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
    /// Pages that were begun and not read to their end by their deadline.
    pub cut: u64,
    /// Pages that were not begun, because what was left of their time was too little.
    pub not_begun: u64,
    /// Workers killed, because they did not come back from a page whose deadline was past.
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
    pace: Pace,
}

/// What a page costs, learnt from those that were read to their end lately.
#[derive(Debug, Default)]
struct Pace {
    cpu_us: f64,
    pixels: f64,
}

impl Pace {
    fn learn(&mut self, page: &Page, cpu_us: u64) {
        // The last twenty pages, about.
        self.cpu_us = self.cpu_us * 0.95 + cpu_us as f64;
        self.pixels = self.pixels * 0.95 + page.pixels.len() as f64;
    }

    /// A page was left out for what it was thought to cost. Where that is never put to the test, it is believed
    /// less each time.
    fn doubt(&mut self) {
        self.cpu_us *= 0.98;
    }

    /// CPU time that so many rows of a page take; 0 while nothing is known.
    fn cost(&self, page: &Page, rows: u32) -> Duration {
        let pixels = f64::from(page.width) * f64::from(page.height.min(rows));
        Duration::from_micros((self.cpu_us / self.pixels.max(1.0) * pixels) as u64)
    }
}

/// What the keeper is asked to do.
#[derive(Debug)]
enum Order {
    Start,
    /// Lend this one out again when it has given up its page.
    Await(Process),
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
    /// Nothing was read by the deadline, or nothing can be; or the worker died, or none can be started.
    pub fn read(&self, page: &Page, deadline: Instant) -> Result<Reading, Error> {
        let mut worker = self.acquire(page, deadline)?;
        let result = worker.read(page, deadline);
        let mut state = self.shared.lock();
        match result {
            Ok(reading) => {
                state.counts.read += 1;
                state.counts.cpu_us += worker.cpu_us;
                state.pace.learn(page, worker.cpu_us);
                self.give_back(&mut state, worker);
                Ok(reading)
            }
            Err(Stopped::Deadline(reading)) => {
                state.counts.cut += 1;
                match worker.is_busy() {
                    true => self.order(&mut state, Order::Await(worker)),
                    false => self.give_back(&mut state, worker),
                }
                if reading.text.is_empty() { Err(Error::Deadline) } else { Ok(reading) }
            }
            Err(stopped) => {
                worker.kill();
                self.order(&mut state, Order::Replace(worker));
                let error = state.lost(stopped);
                self.shared.changed.notify_all();
                Err(error)
            }
        }
    }

    fn give_back(&self, state: &mut State, worker: Process) {
        match worker.pages < PAGES_A_WORKER {
            true => {
                state.idle.push(worker);
                self.shared.changed.notify_one();
            }
            false => self.order(state, Order::Replace(worker)),
        }
    }

    /// A worker for `page`. One that is idle begins whatever page can be read in part by its deadline; who has to wait
    /// for one leaves it to the pages that can be read as a whole.
    fn acquire(&self, page: &Page, deadline: Instant) -> Result<Process, Error> {
        let mut state = self.shared.lock();
        let mut rows = FIRST_ROWS;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let fits = |state: &State, rows| {
                left.checked_sub(state.pace.cost(page, rows)).filter(|left| !left.is_zero())
            };
            while fits(&state, rows).is_some()
                && let Some(mut worker) = state.idle.pop()
            {
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
            rows = u32::MAX;
            let Some(left) = fits(&state, rows) else {
                state.counts.not_begun += 1;
                state.pace.doubt();
                // It may have been woken for a worker that another page can use.
                self.shared.changed.notify_one();
                return Err(Error::Deadline);
            };
            if state.live < self.shared.size {
                state.live += 1;
                self.order(&mut state, Order::Start);
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

impl State {
    /// Counts a worker that has to be replaced, and why.
    fn lost(&mut self, stopped: Stopped) -> Error {
        match stopped {
            Stopped::Crashed(how) => {
                self.counts.crashed += 1;
                Error::Crashed(how)
            }
            Stopped::Unavailable(why) => {
                self.broken = Some((Instant::now(), why.clone()));
                Error::Unavailable(why)
            }
            Stopped::Hangs | Stopped::Deadline(_) => {
                self.counts.killed += 1;
                Error::Deadline
            }
        }
    }
}

/// The keeper's thread.
fn keep(shared: &Shared, orders: &Receiver<Order>) {
    let mut late: Vec<Process> = Vec::new();
    loop {
        let order = match late.is_empty() {
            true => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => orders.recv_timeout(LOOK),
        };
        match order {
            Ok(Order::Start) => start(shared),
            Ok(Order::Await(worker)) => late.push(worker),
            Ok(Order::Replace(worker)) => replace(shared, worker),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        for mut worker in std::mem::take(&mut late) {
            match worker.catch_up() {
                Ok(false) => late.push(worker),
                Ok(true) if worker.pages < PAGES_A_WORKER => {
                    shared.lock().idle.push(worker);
                    shared.changed.notify_one();
                }
                Ok(true) => replace(shared, worker),
                Err(stopped) => {
                    let error = shared.lock().lost(stopped);
                    tracing::debug!(%error, "an OCR worker does not come back from its page");
                    replace(shared, worker);
                }
            }
        }
    }
    late.into_iter().for_each(Process::bury);
}

fn replace(shared: &Shared, worker: Process) {
    worker.bury();
    let mut state = shared.lock();
    if state.broken.as_ref().is_some_and(|(when, _)| when.elapsed() < BACKOFF) {
        // The next page after the pause starts one.
        state.live = state.live.saturating_sub(1);
        shared.changed.notify_all();
        return;
    }
    drop(state);
    start(shared);
}

fn start(shared: &Shared) {
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

#[cfg(test)]
mod tests;
