//! The threads that scan: the fast lane for text, the heavy lane for pictures and documents.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

use super::{
    Shared,
    admission::Room,
    forecast::Forecast,
    lane::{Order, Takes},
    slot::Slot,
};
use crate::{
    engine::Engine,
    pipeline::{self, Mail, Pending, Progress, Scratch},
    precedence_ffi::{self, Precedence},
    wire::frame::Error,
};

/// A message with a request to answer. It ends with the engine that it began with.
#[derive(Debug)]
pub(super) struct Job {
    pub slot: Arc<Slot>,
    pub engine: Arc<Engine>,
    pub raw: Vec<u8>,
    /// Held until the message leaves memory.
    pub _room: Room,
}

impl Job {
    fn mail(&self) -> Mail<'_> {
        let request = &self.slot.request;
        Mail { raw: &self.raw, envelope: &request.envelope, profile: &request.profile }
    }

    /// How it is queued, where it will cost `cost`.
    pub fn order(&self, cost: Duration, is_slow: bool) -> Order {
        let request = &self.slot.request;
        Order { deadline: request.budget.deadline(), reserved: request.profile.reserved, cost, is_slow }
    }
}

/// A message whose text is judged, and whose pictures and documents wait.
#[derive(Debug)]
pub(super) struct MediaJob {
    pub job: Job,
    pub pending: Pending,
}

/// Judges text until the lane is closed.
pub(super) fn fast(shared: &Shared, takes: Takes) {
    match takes {
        Takes::Slow => precedence_ffi::take(Precedence::Patient),
        Takes::Reserved => precedence_ffi::take(Precedence::Reserved),
        Takes::Anything | Takes::Spare => true,
    };
    let mut own = None;
    while let Some((job, taken)) = shared.fast.take(takes) {
        judge_text(shared, &mut own, job);
        shared.fast.done(taken);
    }
}

/// Looks into pictures and documents until the lane is closed.
pub(super) fn heavy(shared: &Shared, takes: Takes) {
    // It decodes pictures for as long as a hundred text mails take.
    if takes == Takes::Anything {
        precedence_ffi::take(Precedence::Patient);
    }
    let mut own = None;
    while let Some((item, taken)) = shared.heavy.take(takes) {
        judge_media(shared, &mut own, item);
        shared.heavy.done(taken);
    }
}

/// A thread's scratch, and the engine that it belongs to.
type Own = Option<(Arc<Engine>, Scratch)>;

fn judge_text(shared: &Shared, own: &mut Own, job: Job) {
    // Nobody waits for it: the reply left at the deadline, or the client did.
    if job.slot.is_gone() {
        return;
    }
    let scan = |scratch: &mut Scratch| {
        #[cfg(all(test, not(feature = "model")))]
        super::tests::provoke(&job.raw);
        pipeline::scan_text(&job.engine, scratch, job.mail(), job.slot.budget().clone(), &*job.slot)
    };
    match attempt(own, &job, shared, &shared.text_costs, scan) {
        None => {}
        Some(Progress::Done(verdict)) => job.slot.finish(verdict),
        Some(Progress::Media(pending)) => shared.queue_media(job, pending),
    }
}

fn judge_media(shared: &Shared, own: &mut Own, MediaJob { job, pending }: MediaJob) {
    if job.slot.is_gone() {
        return;
    }
    let scan =
        |scratch: &mut Scratch| pipeline::scan_media(&job.engine, scratch, job.mail(), pending, &*job.slot);
    if let Some(verdict) = attempt(own, &job, shared, &shared.media_costs, scan) {
        job.slot.finish(verdict);
    }
}

/// Runs `scan` with the thread's scratch, which is made anew for a new engine. A scan that panics
/// costs its own message: the thread goes on, with new scratch.
fn attempt<T>(
    own: &mut Own,
    job: &Job,
    shared: &Shared,
    costs: &Forecast,
    scan: impl FnOnce(&mut Scratch) -> T,
) -> Option<T> {
    if own.as_ref().is_none_or(|(engine, _)| !Arc::ptr_eq(engine, &job.engine)) {
        // The old one goes first, so that there are never two.
        drop(mem::take(own));
    }
    let (started, cpu) = (Instant::now(), cpu_time());
    let result = catch_unwind(AssertUnwindSafe(|| {
        let (_, scratch) = own.get_or_insert_with(|| (Arc::clone(&job.engine), job.engine.scratch()));
        scan(scratch)
    }));
    match result {
        Ok(result) => {
            costs.measured(job.raw.len(), started.elapsed(), cpu_time().saturating_sub(cpu));
            Some(result)
        }
        Err(_) => {
            *own = None;
            shared.stats.panicked();
            job.slot.refuse(Error::Scan);
            None
        }
    }
}

/// How long this thread has kept a core busy.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
