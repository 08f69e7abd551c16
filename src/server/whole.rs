//! A message that is in memory already, as those dialects bring it that tell its parts one by one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use tokio::sync::oneshot;

use super::{
    Shared,
    slot::{Answer, Request, Slot},
    worker::Job,
};
use crate::{
    bayes::{Class, Spooled as Learned},
    budget::Budget,
    profile::Caller,
    verdict::Verdict,
    wire::{
        frame::{Error, Status},
        request::Envelope,
    },
};

/// Brings the answer to the task that waits for it.
#[derive(Debug)]
struct Hand(oneshot::Sender<Result<Verdict, Error>>);

impl Answer for Hand {
    fn verdict(self: Box<Self>, _: Status, verdict: &Verdict) {
        // Nobody may be there any more to take it.
        let _ = self.0.send(Ok(verdict.clone()));
    }

    fn refuse(self: Box<Self>, error: Error) {
        let _ = self.0.send(Err(error));
    }

    fn is_void(&self) -> bool {
        self.0.is_closed()
    }
}

/// Counts a request as unanswered until its reply is written: a drain waits for it.
#[derive(Debug)]
pub(super) struct Unanswered(Arc<AtomicUsize>);

impl Unanswered {
    pub fn new(shared: &Shared) -> Unanswered {
        shared.pending.fetch_add(1, Ordering::AcqRel);
        Unanswered(Arc::clone(&shared.pending))
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Puts a message that a user sorted into the feedback spool, beside all else, as that waits for the disk.
///
/// # Errors
/// Why it was not learned, in words for the client.
pub(super) async fn learn(shared: &Arc<Shared>, class: Class, raw: Vec<u8>) -> Result<Learned, String> {
    let Some(room) = shared.admission.enter(raw.len(), 1) else {
        return Err("there is no room in memory now, try again later".into());
    };
    let engine = shared.engine();
    let writing = tokio::task::spawn_blocking(move || {
        let learned = engine.learn(class, &raw);
        drop((raw, room));
        learned
    });
    let refused = match writing.await {
        Ok(Some(Ok(learned))) => return Ok(learned),
        Ok(Some(Err(error))) => error.to_string(),
        Ok(None) => "this engine has no feedback spool: [bayes] spool in its configuration".into(),
        Err(_) => "the spool could not be written".into(),
    };
    tracing::warn!("a message was not learned: {refused}");
    Err(refused)
}

/// Has a message judged that `caller` brought; its clock started at `started`. Dropping the future cancels the scan.
///
/// # Errors
/// There is no verdict; the message has to be kept by whoever has it.
pub(super) async fn judge(
    shared: &Shared,
    caller: &Caller,
    envelope: Envelope,
    raw: Vec<u8>,
    started: Instant,
) -> Result<Verdict, Error> {
    if shared.is_draining() {
        return Err(Error::Draining);
    }
    let engine = shared.engine();
    let Some(profile) = engine.profile_for(&envelope, caller).cloned() else {
        return Err(Error::Profile(envelope.profile.unwrap_or_default()));
    };
    let budget = Budget::starting_at(started, profile.budget);
    let request = Request { envelope, profile, budget, size: raw.len() };
    let (hand, answer) = oneshot::channel();
    let slot = Arc::new(Slot::new(request, Box::new(Hand(hand)), Arc::clone(&shared.stats)));
    match shared.admit(&slot, 1) {
        Some(room) => {
            shared.clock.watch(&slot);
            shared.queue_text(Job { slot, engine, raw, _room: room });
        }
        None => slot.shed(),
    }
    // A slot that goes without an answer belonged to a scan that was dropped.
    answer.await.unwrap_or(Err(Error::Scan))
}
