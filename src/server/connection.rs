//! One client: its requests come in here, frame by frame.

use std::{io, mem, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, BufReader},
    time::{Instant, timeout, timeout_at},
};

use super::{
    Shared,
    outbox::{Outbox, Ticket},
    slot::{Answer, Pong, Request, Slot},
    worker::Job,
};
use crate::{
    bayes::{Class, Spooled},
    budget::Budget,
    profile::Caller,
    verdict::Verdict,
    wire::{
        frame::{self, Decoded, Error, Header, Kind, REQUEST_HEADER, Refused, Status},
        request::Envelope,
    },
};

/// Most mails fit; what is longer goes to its own buffer directly.
const BUFFER: usize = 16 << 10;
/// A client may name any time; messages are not kept longer than this.
const LONGEST_BUDGET: Duration = Duration::from_secs(600);
/// How long a client that sent a bad frame may take to read why.
const LINGER: Duration = Duration::from_secs(2);

/// Feedback moves the model: it is for programs on the engine's own machine, where a spool is configured.
const NO_FEEDBACK: &str = "this engine does not learn from this client";

/// The reply to LEARN.
#[derive(Serialize)]
struct Learned {
    /// False where the spool had it already.
    learned: bool,
    class: &'static str,
}

/// The reading half of a connection.
pub(super) trait Input: AsyncRead + Unpin + Send {
    /// Whether the client closed both directions: replies would reach nobody.
    fn is_hung_up(&self) -> bool;
}

/// Why no more requests are read.
enum End {
    /// The client has no more to say.
    Finished,
    /// It sent a frame that cannot be accepted, and was told so.
    Refused,
    /// It is gone, or was too slow to take in its replies.
    Lost,
}

struct Connection<R> {
    input: BufReader<R>,
    outbox: Arc<Outbox>,
    caller: Caller,
    shared: Arc<Shared>,
    /// Reused for the metadata of all requests.
    metadata: Vec<u8>,
}

/// The reply to a SCAN.
#[derive(Debug)]
struct ScanReply {
    ticket: Ticket,
    id: u32,
}

impl Answer for ScanReply {
    fn verdict(self: Box<Self>, status: Status, verdict: &Verdict) {
        self.ticket.send(&frame::reply(Kind::Scan as u8, self.id, status, verdict));
    }

    fn refuse(self: Box<Self>, error: Error) {
        let (kind, id) = (Kind::Scan as u8, self.id);
        self.ticket.send(&frame::refusal(&Refused { kind, id, error }));
    }

    fn is_void(&self) -> bool {
        self.ticket.is_void()
    }
}

/// Serves one client until it leaves.
pub(super) async fn serve(
    input: impl Input,
    output: impl AsyncWrite + Unpin + Send + 'static,
    caller: Caller,
    shared: Arc<Shared>,
) {
    let patience = shared.options.frame_timeout;
    let outbox = Outbox::new(Arc::clone(&shared.pending));
    let writing = Arc::clone(&outbox);
    let writer = tokio::spawn(async move { writing.write_to(output, patience).await });
    let input = BufReader::with_capacity(BUFFER, input);
    let mut connection =
        Connection { input, outbox: Arc::clone(&outbox), caller, shared, metadata: Vec::new() };
    let end = tokio::select! {
        end = connection.requests() => end,
        () = outbox.lost() => End::Lost,
    };
    match end {
        // Half closed: it still waits for its replies.
        End::Finished if !connection.input.get_ref().is_hung_up() => {
            outbox.end();
            let _ = writer.await;
        }
        End::Refused => {
            outbox.end();
            let _ = writer.await;
            // A socket that is closed with bytes unread resets the connection, and the reply is lost.
            let _ = timeout(LINGER, connection.discard(usize::MAX)).await;
        }
        End::Finished | End::Lost => {}
    }
    // Whatever is still being worked on is cancelled.
    outbox.close();
}

impl<R: Input> Connection<R> {
    async fn requests(&mut self) -> End {
        loop {
            self.outbox.room().await;
            match self.input.fill_buf().await {
                Ok([]) => return End::Finished,
                Ok(_) => {}
                Err(_) => return End::Lost,
            }
            if let Err(end) = self.request().await {
                return end;
            }
        }
    }

    /// Reads one request whose first byte is there, and sends it on its way.
    async fn request(&mut self) -> Result<(), End> {
        let started = Instant::now();
        let until = started + self.shared.options.frame_timeout;
        let header = match timeout_at(until, self.header()).await {
            Ok(header) => header?,
            Err(_) => return Err(self.refuse(Refused { kind: 0, id: 0, error: Error::Stalled })),
        };
        self.shared.stats.asked(header.kind);
        // A second a MiB on top: slower than any network that mail comes over.
        let until = until + Duration::from_secs((header.metadata as u64 + header.message as u64) >> 20);
        match header.kind {
            Kind::Scan => self.scan(header, started, until).await,
            Kind::Learn if self.caller.is_local() && self.shared.engine().learns() => {
                self.learn(header, until).await
            }
            _ => {
                match timeout_at(until, self.discard(header.metadata + header.message)).await {
                    Ok(Ok(())) => self.control(header),
                    Ok(Err(_)) => return Err(End::Lost),
                    Err(_) => return Err(self.refuse_as(header, Error::Stalled)),
                }
                Ok(())
            }
        }
    }

    async fn header(&mut self) -> Result<Header, End> {
        let mut bytes = [0; REQUEST_HEADER];
        let mut have = 0;
        loop {
            match Header::decode(&bytes[..have], &self.shared.options.limits) {
                Ok(Decoded::Done(header)) => return Ok(header),
                Ok(Decoded::More) => match self.input.read(&mut bytes[have..]).await {
                    Ok(0) | Err(_) => return Err(End::Lost),
                    Ok(more) => have += more,
                },
                Err(refused) => return Err(self.refuse(refused)),
            }
        }
    }

    /// A message that a user sorted: into the spool, beside all else, as that waits for the disk.
    async fn learn(&mut self, header: Header, until: Instant) -> Result<(), End> {
        // A connection that scans and learns has the same share for both.
        let room = self.shared.admission.enter(header.message, self.outbox.in_flight() + 1);
        let mut json = vec![0; header.metadata];
        self.read(header, &mut json, until).await?;
        let class = Envelope::parse(&mut json).and_then(|envelope| {
            let class = envelope.class.unwrap_or_default();
            class.parse::<Class>().map_err(Error::Metadata)
        });
        let (class, room) = match (class, room) {
            (Ok(class), Some(room)) => (class, room),
            (class, _) => {
                let full = || Error::Learn("there is no room in memory now, try again later".into());
                self.refuse_as(header, class.err().unwrap_or_else(full));
                return self.skip(header.message, until).await;
            }
        };
        let mut raw = vec![0; header.message];
        self.read(header, &mut raw, until).await?;
        let (ticket, shared) = (self.outbox.open(), Arc::clone(&self.shared));
        tokio::task::spawn_blocking(move || {
            let Header { kind, id, .. } = header;
            let learned = shared.engine().learn(class, &raw);
            drop((raw, room));
            let (status, bytes) = match learned {
                Some(Ok(learned)) => {
                    let body = Learned { learned: learned == Spooled::Spooled, class: class.name() };
                    (Status::Complete, frame::reply(kind as u8, id, Status::Complete, &body))
                }
                refused => {
                    let error = match refused {
                        Some(Err(error)) => Error::Learn(error.to_string()),
                        _ => Error::NotAllowed(NO_FEEDBACK),
                    };
                    tracing::warn!("{error}");
                    (error.status(), frame::refusal(&Refused { kind: kind as u8, id, error }))
                }
            };
            shared.stats.replied(status);
            ticket.send(&bytes);
        });
        Ok(())
    }

    /// The next bytes of a frame.
    async fn read(&mut self, header: Header, bytes: &mut [u8], until: Instant) -> Result<(), End> {
        match timeout_at(until, self.input.read_exact(bytes)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(End::Lost),
            Err(_) => Err(self.refuse_as(header, Error::Stalled)),
        }
    }

    /// A message to judge: makes its slot before the message itself is read, since its clock runs.
    async fn scan(&mut self, header: Header, started: Instant, until: Instant) -> Result<(), End> {
        let mut json = mem::take(&mut self.metadata);
        json.clear();
        json.resize(header.metadata, 0);
        match timeout_at(until, self.input.read_exact(&mut json)).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return Err(End::Lost),
            Err(_) => return Err(self.refuse_as(header, Error::Stalled)),
        }
        let envelope = Envelope::parse(&mut json).map_err(|error| self.refuse_as(header, error))?;
        self.metadata = json;
        let engine = self.shared.engine();
        let Some(profile) = engine.profile_for(&envelope, &self.caller).cloned() else {
            let error = Error::Profile(envelope.profile.unwrap_or_default());
            return Err(self.refuse_as(header, error));
        };
        let allowance = match header.budget {
            0 => profile.budget,
            ms => Duration::from_millis(ms.into()).min(LONGEST_BUDGET),
        };
        let budget = Budget::starting_at(started.into_std(), allowance);
        let request = Request { envelope, profile, budget, size: header.message };
        let answer = Box::new(ScanReply { ticket: self.outbox.open(), id: header.id });
        let slot = Arc::new(Slot::new(request, answer, Arc::clone(&self.shared.stats)));
        if self.shared.is_draining() {
            slot.refuse(Error::Draining);
            return self.skip(header.message, until).await;
        }
        let Some(room) = self.shared.admit(&slot, self.outbox.in_flight()) else {
            slot.shed();
            return self.skip(header.message, until).await;
        };
        self.shared.clock.watch(&slot);
        let mut raw = vec![0; header.message];
        match timeout_at(until, self.input.read_exact(&mut raw)).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return Err(End::Lost),
            Err(_) => {
                slot.refuse(Error::Stalled);
                return Err(End::Refused);
            }
        }
        self.shared.queue_text(Job { slot, engine, raw, _room: room });
        Ok(())
    }

    /// Everything but SCAN, whose frame was read.
    fn control(&self, header: Header) {
        let Header { kind, id, .. } = header;
        match kind {
            Kind::Status => self.reply(kind, id, &self.shared.status()),
            Kind::Reload if !self.caller.is_local() => {
                self.refuse_as(
                    header,
                    Error::NotAllowed("RELOAD is for programs on the engine's own machine"),
                );
            }
            Kind::Reload => self.reload(id),
            Kind::Learn => {
                self.refuse_as(header, Error::NotAllowed(NO_FEEDBACK));
            }
            Kind::Ping | Kind::Scan => {
                self.reply(kind, id, &Pong { pong: true, version: env!("CARGO_PKG_VERSION") });
            }
        }
    }

    /// Reloads beside all else, since it may take seconds.
    fn reload(&self, id: u32) {
        let (ticket, shared) = (self.outbox.open(), Arc::clone(&self.shared));
        let kind = Kind::Reload as u8;
        tokio::task::spawn_blocking(move || {
            #[derive(Serialize)]
            struct Body {
                reloaded: bool,
                loaded: crate::engine::Loaded,
            }
            let (status, bytes) = match shared.reload_logged() {
                Ok(()) => {
                    let body = Body { reloaded: true, loaded: shared.engine().loaded() };
                    (Status::Complete, frame::reply(kind, id, Status::Complete, &body))
                }
                Err(error) => {
                    let error = Error::Reload(error);
                    (error.status(), frame::refusal(&Refused { kind, id, error }))
                }
            };
            shared.stats.replied(status);
            ticket.send(&bytes);
        });
    }

    fn reply(&self, kind: Kind, id: u32, body: &impl Serialize) {
        self.shared.stats.replied(Status::Complete);
        self.outbox.open().send(&frame::reply(kind as u8, id, Status::Complete, body));
    }

    /// Tells the client why its frame is not accepted.
    fn refuse(&self, refused: Refused) -> End {
        tracing::warn!("a request is refused: {}", refused.error);
        self.shared.stats.replied(refused.error.status());
        self.outbox.open().send(&frame::refusal(&refused));
        End::Refused
    }

    fn refuse_as(&self, header: Header, error: Error) -> End {
        self.refuse(Refused { kind: header.kind as u8, id: header.id, error })
    }

    /// Reads past a message that was answered without it.
    async fn skip(&mut self, bytes: usize, until: Instant) -> Result<(), End> {
        match timeout_at(until, self.discard(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Lost),
        }
    }

    /// Reads past `bytes`, without memory for them.
    async fn discard(&mut self, mut bytes: usize) -> io::Result<()> {
        while bytes > 0 {
            let have = self.input.fill_buf().await?.len().min(bytes);
            if have == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.input.consume(have);
            bytes -= have;
        }
        Ok(())
    }
}
