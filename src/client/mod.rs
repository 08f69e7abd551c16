//! Asking an engine: the Rust client of the native RPC.

use std::io;

use crate::wire::request::Envelope;

/// A connection to an engine; one request at a time.
#[derive(Debug)]
pub struct Client {}

/// What the engine answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status of the reply frame: 0 complete, 1 partial, 2 shed ...
    pub status: u16,
    pub json: String,
}

impl Reply {
    /// Whether `json` is a verdict, and not an error.
    pub fn is_verdict(&self) -> bool {
        self.status <= 2
    }
}

impl Client {
    /// Connects to `unix:/path` or `host:port`.
    pub fn connect(_address: &str) -> io::Result<Client> {
        unimplemented!()
    }

    /// Has one message judged; `budget` is in ms, 0 for the profile's.
    pub fn scan(&mut self, _raw: &[u8], _envelope: &Envelope, _budget: u32) -> io::Result<Reply> {
        unimplemented!()
    }
}
