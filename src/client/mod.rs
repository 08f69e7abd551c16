//! Asking an engine: the Rust client of the native RPC, blocking, over `std` sockets. [`Client`] is one
//! connection, [`Cluster`] spreads over several engines and goes on when one is gone.
//!
//! ```no_run
//! use criba::{client::Client, wire::request::Envelope};
//!
//! let mut client = Client::connect("unix:/run/criba/criba.sock")?;
//! let reply = client.scan(b"Subject: hello\r\n\r\nhello\r\n", &Envelope::default(), 500)?;
//! println!("{}", reply.json);
//! # Ok::<(), criba::client::Error>(())
//! ```

mod cluster;

pub mod qmqp;

mod stream;

use std::{
    io::{self, BufReader, Read, Write},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use crate::wire::{
    frame::{Decoded, Header, Kind, REPLY_HEADER, ReplyError, ReplyHeader, Status},
    request::Envelope,
};

pub use cluster::Cluster;
pub use stream::Address;

use stream::Stream;

/// A verdict is some kilobytes; more than this is no reply of an engine.
const LARGEST_REPLY: usize = 64 << 20;
/// Up to this size a request is written in one piece.
const ONE_PIECE: usize = 64 << 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than any sensible budget, so that only an engine that is stuck meets it.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{0}")]
    Address(String),
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    #[error("the engine closed the connection")]
    Closed,
    #[error("no reply came in time")]
    TimedOut,
    #[error("the message is too long for a frame")]
    TooLarge,
    #[error(transparent)]
    Reply(#[from] ReplyError),
    #[error("the reply is not text")]
    NotText,
    #[error("the engine says: {0}")]
    Refused(String),
    #[error("temporarily unavailable ({0})")]
    Unavailable(String),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        match error.kind() {
            // What a socket says whose time is up differs between systems.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::TimedOut,
            io::ErrorKind::UnexpectedEof => Error::Closed,
            _ => Error::Broken(error),
        }
    }
}

/// What the engine answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The id of the request that this answers.
    pub id: u32,
    /// Status of the reply frame: 0 complete, 1 partial, 2 shed ... ([`Status`]).
    pub status: u16,
    pub json: String,
}

impl Reply {
    /// Whether `json` is a verdict (or what else was asked for), and not an error.
    pub fn is_verdict(&self) -> bool {
        self.status <= Status::Shed as u16
    }
}

/// A connection to an engine.
///
/// [`Client::scan`] and its like ask one thing and wait. With [`Client::send`] and
/// [`Client::receive`] many requests may be in flight, and their replies come in any order; a client
/// that never receives is not read from either, once a megabyte of replies waits for it.
#[derive(Debug)]
pub struct Client {
    input: BufReader<Stream>,
    last_id: u32,
    request: Vec<u8>,
}

impl Client {
    /// Connects to `unix:/path`, `host:port` or `tls://host:port/folder`.
    ///
    /// # Errors
    /// The address makes no sense, or nobody answers there.
    pub fn connect(address: &str) -> Result<Client, Error> {
        Client::connect_within(&address.parse()?, CONNECT_TIMEOUT)
    }

    /// Connects, and takes no longer over it than `timeout`.
    ///
    /// # Errors
    /// Nobody answers there in time, or who answers cannot prove to be the engine.
    pub fn connect_within(address: &Address, timeout: Duration) -> Result<Client, Error> {
        let stream = Stream::connect(address, timeout)?;
        let mut client = Client { input: BufReader::new(stream), last_id: 0, request: Vec::new() };
        client.set_timeout(REPLY_TIMEOUT)?;
        Ok(client)
    }

    /// How long the engine may take over reading a request, and over a reply.
    ///
    /// # Errors
    /// `timeout` is zero.
    pub fn set_timeout(&mut self, timeout: Duration) -> Result<(), Error> {
        Ok(self.input.get_ref().set_timeout(timeout)?)
    }

    /// Another handle on the same connection, so that one thread can send while another receives.
    ///
    /// # Errors
    /// There are no more descriptors, or it is a TLS connection.
    pub fn try_clone(&self) -> Result<Client, Error> {
        let stream = self.input.get_ref().try_clone()?;
        Ok(Client { input: BufReader::new(stream), last_id: self.last_id, request: Vec::new() })
    }

    /// Has one message judged; `budget` is in ms, 0 for the profile's.
    ///
    /// # Errors
    /// No reply came. What the engine refuses is a [`Reply`] that is no verdict.
    pub fn scan(&mut self, raw: &[u8], envelope: &Envelope, budget: u32) -> Result<Reply, Error> {
        self.ask(Kind::Scan, raw, envelope, budget)
    }

    /// Asks whether the engine is there.
    ///
    /// # Errors
    /// See [`Client::scan`].
    pub fn ping(&mut self) -> Result<Reply, Error> {
        self.ask(Kind::Ping, &[], &Envelope::default(), 0)
    }

    /// Asks for counters, gauges and what is loaded.
    ///
    /// # Errors
    /// See [`Client::scan`].
    pub fn status(&mut self) -> Result<Reply, Error> {
        self.ask(Kind::Status, &[], &Envelope::default(), 0)
    }

    /// Has the engine load its configuration, rules and model anew; answered when that is done.
    ///
    /// # Errors
    /// See [`Client::scan`].
    pub fn reload(&mut self) -> Result<Reply, Error> {
        self.ask(Kind::Reload, &[], &Envelope::default(), 0)
    }

    /// Hands over a message that a user sorted: `class` is `spam` or `ham`.
    ///
    /// # Errors
    /// See [`Client::scan`].
    pub fn learn(&mut self, raw: &[u8], class: &str) -> Result<Reply, Error> {
        let envelope = Envelope { class: Some(class.into()), ..Envelope::default() };
        self.ask(Kind::Learn, raw, &envelope, 0)
    }

    /// Sends a request without waiting for its reply, and says the id that the reply will have.
    ///
    /// # Errors
    /// It could not be sent whole: this connection is of no more use.
    pub fn send(&mut self, kind: Kind, raw: &[u8], envelope: &Envelope, budget: u32) -> Result<u32, Error> {
        self.last_id = self.next_id();
        let metadata = envelope.to_json();
        let header = Header { kind, id: self.last_id, budget, metadata: metadata.len(), message: raw.len() };
        self.request.clear();
        self.request.extend_from_slice(&header.encode().ok_or(Error::TooLarge)?);
        self.request.extend_from_slice(&metadata);
        let stream = self.input.get_mut();
        if raw.len() <= ONE_PIECE {
            self.request.extend_from_slice(raw);
            stream.write_all(&self.request)?;
        } else {
            stream.write_all(&self.request)?;
            stream.write_all(raw)?;
        }
        stream.flush()?;
        Ok(self.last_id)
    }

    /// The id that the next request will have.
    pub fn next_id(&self) -> u32 {
        self.last_id.wrapping_add(1)
    }

    /// Waits for the next reply, whichever request it answers.
    ///
    /// # Errors
    /// None came, or what came is no reply: this connection is of no more use.
    pub fn receive(&mut self) -> Result<Reply, Error> {
        self.next().map(|(_, reply)| reply)
    }

    fn ask(&mut self, kind: Kind, raw: &[u8], envelope: &Envelope, budget: u32) -> Result<Reply, Error> {
        let sent = self.send(kind, raw, envelope, budget);
        loop {
            match (self.next(), &sent) {
                // An engine that did not take in the frame may have said why.
                (Ok((_, reply)), Err(_)) => return Ok(reply),
                (Err(_), Err(_)) => return sent.and(Err(Error::Closed)),
                // Kind 0 answers a connection or a frame whose id was not known.
                (Ok((answered, reply)), Ok(id)) if reply.id == *id || answered == 0 => return Ok(reply),
                // A late answer to a question that timed out.
                (Ok(_), Ok(_)) => {}
                (Err(error), Ok(_)) => return Err(error),
            }
        }
    }

    fn next(&mut self) -> Result<(u8, Reply), Error> {
        let mut bytes = [0; REPLY_HEADER];
        self.input.read_exact(&mut bytes)?;
        let Decoded::Done(header) = ReplyHeader::decode(&bytes, LARGEST_REPLY)? else {
            return Err(ReplyError::Foreign.into());
        };
        let mut json = vec![0; header.json];
        self.input.read_exact(&mut json)?;
        let json = String::from_utf8(json).map_err(|_| Error::NotText)?;
        Ok((header.kind, Reply { id: header.id, status: header.status, json }))
    }
}

impl AsFd for Client {
    /// Readable when a reply has begun to come, provided that [`Client::receive`] took the one before.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.input.get_ref().as_fd()
    }
}
