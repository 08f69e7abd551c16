//! One request and the verdict on it that stands: answered once, by whoever comes first.

use std::{fmt, sync::Arc};

use serde::Serialize;

use super::{
    stats::Stats,
    sync::{Mutex, lock},
};
use crate::{
    budget::{Budget, Why},
    pipeline::Publish,
    profile::Profile,
    verdict::{Verdict, millis},
    wire::{
        frame::{Error, Status},
        request::Envelope,
    },
};

/// What a front end asked for, without the message itself.
#[derive(Debug)]
pub(super) struct Request {
    pub envelope: Envelope,
    pub profile: Profile,
    pub budget: Budget,
    /// Bytes of the message.
    pub size: usize,
}

/// The way back to whoever asked, in the dialect that they speak; used once.
pub(super) trait Answer: fmt::Debug + Send {
    fn verdict(self: Box<Self>, status: Status, verdict: &Verdict);

    /// There is no verdict.
    fn refuse(self: Box<Self>, error: Error);

    /// Whether nobody waits for the answer any more.
    fn is_void(&self) -> bool;
}

/// A request that has to be answered; shared by the thread that works on it and the [clock](super::clock).
#[derive(Debug)]
pub(super) struct Slot {
    pub request: Request,
    stats: Arc<Stats>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    standing: Option<Verdict>,
    /// Gone with the reply.
    answer: Option<Box<dyn Answer>>,
}

impl Slot {
    pub fn new(request: Request, answer: Box<dyn Answer>, stats: Arc<Stats>) -> Slot {
        Slot { request, stats, state: Mutex::new(State { standing: None, answer: Some(answer) }) }
    }

    pub fn budget(&self) -> &Budget {
        &self.request.budget
    }

    /// Whether nobody waits for an answer any more.
    pub fn is_gone(&self) -> bool {
        lock(&self.state).answer.as_ref().is_none_or(|answer| answer.is_void())
    }

    /// Answers with the verdict that the last stage came to.
    pub fn finish(&self, verdict: Verdict) {
        if let Some((answer, _)) = self.claim() {
            let status = if verdict.complete { Status::Complete } else { Status::Partial };
            self.answer(answer, status, verdict);
        }
    }

    /// The time is up: answers with the verdict that stands.
    pub fn expire(&self) {
        if let Some((answer, standing)) = self.claim() {
            let verdict = standing.unwrap_or_else(|| self.unseen(Why::Deadline));
            self.answer(answer, Status::Partial, verdict);
        }
    }

    /// There is no room or time for this message: answers as its profile says.
    pub fn shed(&self) {
        if let Some((answer, _)) = self.claim() {
            self.answer(answer, Status::Shed, self.unseen(Why::Overload));
        }
    }

    /// Answers with an error instead of a verdict.
    pub fn refuse(&self, error: Error) {
        if let Some((answer, _)) = self.claim() {
            self.stats.replied(error.status());
            tracing::warn!("qid: <{}>: {error}", Clean(&self.request.envelope.queue_id));
            answer.refuse(error);
        }
    }

    // Whoever gets the way back answers: the others come too late. Nobody does when the client is gone.
    fn claim(&self) -> Option<(Box<dyn Answer>, Option<Verdict>)> {
        let mut state = lock(&self.state);
        let answer = state.answer.take_if(|answer| !answer.is_void())?;
        Some((answer, state.standing.take()))
    }

    fn unseen(&self, why: Why) -> Verdict {
        let Request { profile, budget, envelope, .. } = &self.request;
        Verdict::unseen(profile, budget.clone(), &envelope.queue_id, why)
    }

    fn answer(&self, answer: Box<dyn Answer>, status: Status, mut verdict: Verdict) {
        let elapsed = self.budget().elapsed();
        verdict.elapsed_ms = millis(elapsed);
        // Counted first: a client that has its reply finds it in the figures. Logged last: nobody waits for that.
        self.stats.judged(status, verdict.action, elapsed);
        answer.verdict(status, &verdict);
        tracing::info!("{}", Line { request: &self.request, verdict: &verdict, status });
    }
}

impl Publish for Slot {
    fn publish(&self, verdict: Verdict) {
        // The one before is taken apart without the lock: the clock may be waiting for that.
        let before = lock(&self.state).standing.replace(verdict);
        drop(before);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if lock(&self.state).answer.is_some() {
            self.stats.cancelled();
        }
    }
}

/// One line a message, fields in rspamd's order so that log parsers work.
struct Line<'a> {
    request: &'a Request,
    verdict: &'a Verdict,
    status: Status,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line { request, verdict, status } = self;
        write!(f, "id: <{}>, ", Clean(verdict.message_id.trim_matches(['<', '>', ' '])))?;
        write!(f, "qid: <{}>, ", Clean(&request.envelope.queue_id))?;
        if let Some(ip) = request.envelope.client_ip {
            write!(f, "ip: {ip}, ")?;
        }
        if let Some(user) = &request.envelope.user {
            write!(f, "user: {}, ", Clean(user))?;
        }
        if let Some(from) = &request.envelope.mail_from {
            write!(f, "from: <{}>, ", Clean(from))?;
        }
        let spam = if verdict.score >= verdict.required { 'T' } else { 'F' };
        let action = verdict.action.name();
        write!(f, "({}: {spam} ({action}): ", Clean(&verdict.profile))?;
        write!(f, "[{:.2}/{:.2}] [", verdict.score, verdict.required)?;
        for (index, symbol) in verdict.symbols.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{}({:.2})", symbol.name, symbol.score)?;
        }
        write!(f, "]), len: {}, time: {:.3}ms", request.size, verdict.elapsed_ms)?;
        match status {
            Status::Complete => Ok(()),
            status => write!(f, ", {}", status.name()),
        }
    }
}

/// What a sender wrote, without what would begin a line or colour a terminal, and cut to a bearable length.
struct Clean<'a>(&'a str);

impl fmt::Display for Clean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 200;
        self.0
            .chars()
            .take(SHOWN)
            .try_for_each(|c| fmt::Write::write_char(f, if c.is_control() { '?' } else { c }))
    }
}

/// Body of the reply to a PING.
#[derive(Debug, Serialize)]
pub(super) struct Pong {
    pub pong: bool,
    pub version: &'static str,
}
