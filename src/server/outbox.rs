//! The way back to one client: replies are put in by any thread, one task writes them.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::Notify,
    time::timeout,
};

use super::sync::{Mutex, lock};

/// More than this waiting for a client that does not read: its next request is not read either.
const FULL: usize = 1 << 20;

/// Replies to one connection.
#[derive(Debug)]
pub(super) struct Outbox {
    state: Mutex<State>,
    /// For the writer: there is something to do.
    filled: Notify,
    /// For the reader: there is room again.
    drained: Notify,
    /// For the reader: the client is lost.
    lost: Notify,
    /// Requests of all connections whose reply has not left.
    pending: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// Replies in `bytes`.
    queued: usize,
    /// Requests that still have no reply.
    open: usize,
    /// No more requests will come; the writer leaves after the last reply.
    ended: bool,
    closed: bool,
}

/// What the writer does next.
enum Next {
    Wait,
    /// So many replies are in the buffer.
    Write(usize),
    End,
}

impl Outbox {
    /// `pending` counts the requests of all connections whose reply has not left yet.
    pub fn new(pending: Arc<AtomicUsize>) -> Arc<Outbox> {
        Arc::new(Outbox {
            state: Mutex::default(),
            filled: Notify::new(),
            drained: Notify::new(),
            lost: Notify::new(),
            pending,
        })
    }

    /// A request has come that will be answered through the ticket.
    pub fn open(self: &Arc<Self>) -> Ticket {
        let mut state = lock(&self.state);
        // A closed outbox settles nothing any more, so it counts nothing either.
        if !state.closed {
            state.open += 1;
            self.pending.fetch_add(1, Ordering::AcqRel);
        }
        Ticket { outbox: Arc::clone(self), sent: false }
    }

    /// Requests of this connection whose reply is not written.
    pub fn in_flight(&self) -> usize {
        let state = lock(&self.state);
        state.open + state.queued
    }

    /// Waits until the client has taken in enough of its replies.
    pub async fn room(&self) {
        loop {
            {
                let state = lock(&self.state);
                if state.closed || state.bytes.len() < FULL {
                    return;
                }
            }
            self.drained.notified().await;
        }
    }

    /// Waits until the client is lost.
    pub async fn lost(&self) {
        self.lost.notified().await;
    }

    /// No more requests will come.
    pub fn end(&self) {
        lock(&self.state).ended = true;
        self.filled.notify_one();
    }

    /// Drops what was not sent; the client is gone or has to go.
    pub fn close(&self) {
        let mut state = lock(&self.state);
        if !mem::replace(&mut state.closed, true) {
            self.pending.fetch_sub(state.open + state.queued, Ordering::AcqRel);
            *state = State { closed: true, ..State::default() };
        }
        drop(state);
        self.filled.notify_one();
        self.drained.notify_one();
        self.lost.notify_one();
    }

    /// Writes replies until the last one after [`Outbox::end`], or until [`Outbox::close`]. A client that
    /// takes longer than `patience` over a batch of them is given up.
    pub async fn write_to(&self, mut output: impl AsyncWrite + Unpin, patience: Duration) {
        let mut buffer = Vec::new();
        loop {
            match self.next(&mut buffer) {
                Next::Wait => self.filled.notified().await,
                Next::Write(replies) => {
                    let written = timeout(patience, output.write_all(&buffer)).await;
                    self.pending.fetch_sub(replies, Ordering::AcqRel);
                    if !matches!(written, Ok(Ok(()))) {
                        return self.close();
                    }
                    self.drained.notify_one();
                }
                Next::End => break,
            }
        }
        // The client may be gone, and that is its right.
        let _ = timeout(patience, output.shutdown()).await;
    }

    fn next(&self, buffer: &mut Vec<u8>) -> Next {
        let mut state = lock(&self.state);
        if state.queued > 0 {
            buffer.clear();
            mem::swap(buffer, &mut state.bytes);
            return Next::Write(mem::take(&mut state.queued));
        }
        match state.closed || state.ended && state.open == 0 {
            true => Next::End,
            false => Next::Wait,
        }
    }
}

/// The right to answer one request; dropping it answers nothing.
#[derive(Debug)]
pub(super) struct Ticket {
    outbox: Arc<Outbox>,
    sent: bool,
}

impl Ticket {
    /// Queues the reply.
    pub fn send(mut self, reply: &[u8]) {
        self.sent = true;
        let mut state = lock(&self.outbox.state);
        if state.closed {
            return;
        }
        state.open -= 1;
        state.queued += 1;
        state.bytes.extend_from_slice(reply);
        drop(state);
        self.outbox.filled.notify_one();
    }

    /// Whether nobody waits for the reply any more.
    pub fn is_void(&self) -> bool {
        lock(&self.outbox.state).closed
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.sent {
            return;
        }
        let mut state = lock(&self.outbox.state);
        if !state.closed {
            state.open -= 1;
            self.outbox.pending.fetch_sub(1, Ordering::AcqRel);
            drop(state);
            self.outbox.filled.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn replies_leave_and_the_count_goes_back_to_nothing() {
        let pending = Arc::new(AtomicUsize::new(0));
        let outbox = Outbox::new(Arc::clone(&pending));
        let (first, second) = (outbox.open(), outbox.open());
        assert_eq!((outbox.in_flight(), pending.load(Ordering::Acquire)), (2, 2));
        second.send(b"two");
        drop(first);
        outbox.end();
        let mut written = Vec::new();
        outbox.write_to(&mut written, Duration::from_secs(5)).await;
        assert_eq!((written.as_slice(), pending.load(Ordering::Acquire)), (&b"two"[..], 0));
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_given_up() {
        let pending = Arc::new(AtomicUsize::new(0));
        let outbox = Outbox::new(Arc::clone(&pending));
        let (client, server) = tokio::io::duplex(16);
        outbox.open().send(&[0; 100]);
        let late = outbox.open();
        outbox.write_to(server, Duration::from_millis(20)).await;
        assert!(late.is_void());
        late.send(b"nobody reads this");
        assert_eq!(pending.load(Ordering::Acquire), 0);
        outbox.lost().await;
        outbox.room().await;
        drop(client);
    }
}
