//! The native RPC: length-prefixed frames, integers unsigned and big-endian.
//!
//! ```text
//! request                                            reply
//! 0   4  length of all that follows this field       0   4  length of all that follows this field
//! 4   1  version = 1                                 4   1  version = 1
//! 5   1  kind                                        5   1  kind of the request | 0x80
//! 6   2  flags = 0                                   6   2  status
//! 8   4  request id, chosen by the client            8   4  request id, echoed
//! 12  4  budget in ms, 0 = the profile's             12  .. JSON
//! 16  4  metadata length M
//! 20  M  metadata: a JSON object or nothing
//! 20+M   the raw message, untouched
//! ```

use serde::Serialize;

/// The protocol version that this file speaks.
pub const VERSION: u8 = 1;
/// Bytes of a request before its metadata.
pub const REQUEST_HEADER: usize = 20;
/// Bytes of a reply before its JSON.
pub const REPLY_HEADER: usize = 12;

const LENGTH: usize = 4;
const REPLY_BIT: u8 = 0x80;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Scan = 1,
    Ping = 2,
    Status = 3,
    Reload = 4,
    Learn = 5,
}

impl Kind {
    /// Every kind, by its number.
    pub const ALL: [Kind; 5] = [Kind::Scan, Kind::Ping, Kind::Status, Kind::Reload, Kind::Learn];

    /// The name in the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Scan => "scan",
            Kind::Ping => "ping",
            Kind::Status => "status",
            Kind::Reload => "reload",
            Kind::Learn => "learn",
        }
    }
}

/// How a request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Status {
    /// All that was asked for was done.
    Complete = 0,
    /// A verdict that something is missing from; it names what.
    Partial = 1,
    /// A verdict on a message that there was no room or time for.
    Shed = 2,
    /// Starting or stopping: another node may answer.
    Unavailable = 3,
    BadRequest = 4,
    TooLarge = 5,
    NotAllowed = 6,
    /// The engine's own fault.
    Internal = 7,
}

impl Status {
    /// Every status, by its number.
    pub const ALL: [Status; 8] = [
        Status::Complete,
        Status::Partial,
        Status::Shed,
        Status::Unavailable,
        Status::BadRequest,
        Status::TooLarge,
        Status::NotAllowed,
        Status::Internal,
    ];

    /// The name in the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Status::Complete => "complete",
            Status::Partial => "partial",
            Status::Shed => "shed",
            Status::Unavailable => "unavailable",
            Status::BadRequest => "bad request",
            Status::TooLarge => "too large",
            Status::NotAllowed => "not allowed",
            Status::Internal => "internal",
        }
    }
}

/// What may come in, checked before memory is reserved for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub message: usize,
    pub metadata: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { message: 100 << 20, metadata: 1 << 20 }
    }
}

/// Why a request gets no verdict; [`refusal`] makes the reply of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("a length of {0} is too short for a request: 16 bytes of header follow it at least")]
    Length(usize),
    #[error("protocol version {0} is not known here: this engine speaks version 1")]
    Version(u8),
    #[error("{0} is not a kind of request: there are 1 SCAN, 2 PING, 3 STATUS, 4 RELOAD, 5 LEARN")]
    Kind(u8),
    #[error("flags {0:#06x} are not known here: they have to be 0")]
    Flags(u16),
    #[error("the metadata would be {metadata} bytes of the {left} that the frame has left")]
    MetadataLength { metadata: usize, left: usize },
    #[error("{size} bytes of metadata are over the limit of {limit}")]
    MetadataTooLarge { size: usize, limit: usize },
    #[error("a message of {size} bytes is over the limit of {limit}")]
    MessageTooLarge { size: usize, limit: usize },
    #[error("metadata: {0}")]
    Metadata(String),
    #[error("there is no profile `{0}`")]
    Profile(String),
    #[error("the rest of the frame did not come in time")]
    Stalled,
    #[error("the engine is stopping: ask another, or try again later")]
    Draining,
    #[error("too many connections: try again later")]
    Crowded,
    #[error("{0}")]
    NotAllowed(&'static str),
    #[error("not reloaded, the engine goes on with what it has: {0}")]
    Reload(String),
    #[error("not learned: {0}")]
    Learn(String),
    #[error("the scan of this message failed: that is a fault of the engine")]
    Scan,
    #[error("the answer could not be written: {0}")]
    Encode(String),
}

impl Error {
    /// The status of the reply.
    pub fn status(&self) -> Status {
        match self {
            Error::Length(_)
            | Error::Version(_)
            | Error::Kind(_)
            | Error::Flags(_)
            | Error::MetadataLength { .. }
            | Error::Metadata(_)
            | Error::Profile(_)
            | Error::Stalled => Status::BadRequest,
            Error::MetadataTooLarge { .. } | Error::MessageTooLarge { .. } => Status::TooLarge,
            Error::Draining | Error::Crowded | Error::Learn(_) => Status::Unavailable,
            Error::NotAllowed(_) => Status::NotAllowed,
            Error::Reload(_) | Error::Scan | Error::Encode(_) => Status::Internal,
        }
    }
}

/// How far a decoder got; "more" is no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<T> {
    /// The bytes are all right so far, but they are not all there.
    More,
    Done(T),
}

/// A request whose frame cannot be accepted, with what its reply has to echo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub kind: u8,
    pub id: u32,
    pub error: Error,
}

/// The head of a request: everything before its metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: Kind,
    pub id: u32,
    /// In ms; 0 asks for the profile's.
    pub budget: u32,
    /// Bytes of metadata that follow.
    pub metadata: usize,
    /// Bytes of the raw message that follow the metadata.
    pub message: usize,
}

impl Header {
    /// Decodes the first [`REQUEST_HEADER`] bytes of a frame, or fewer while they are still coming.
    ///
    /// # Errors
    /// What is wrong with them, as soon as the bytes that show it are there.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded<Header>, Refused> {
        let Some(length) = u32_at(bytes, 0) else { return Ok(Decoded::More) };
        let follows = (length as usize).checked_sub(REQUEST_HEADER - LENGTH);
        let Some(follows) = follows else {
            return Err(Refused { kind: 0, id: 0, error: Error::Length(length as usize) });
        };
        let (Some(&[version, kind, high, low]), Some(id), Some(budget), Some(metadata)) =
            (bytes.get(4..8), u32_at(bytes, 8), u32_at(bytes, 12), u32_at(bytes, 16))
        else {
            return Ok(Decoded::More);
        };
        let refused = |error| Err(Refused { kind, id, error });
        let (flags, metadata) = (u16::from_be_bytes([high, low]), metadata as usize);
        if version != VERSION {
            return refused(Error::Version(version));
        }
        let Some(known) = Kind::ALL.into_iter().find(|known| *known as u8 == kind) else {
            return refused(Error::Kind(kind));
        };
        if flags != 0 {
            return refused(Error::Flags(flags));
        }
        let Some(message) = follows.checked_sub(metadata) else {
            return refused(Error::MetadataLength { metadata, left: follows });
        };
        if metadata > limits.metadata {
            return refused(Error::MetadataTooLarge { size: metadata, limit: limits.metadata });
        }
        if message > limits.message {
            return refused(Error::MessageTooLarge { size: message, limit: limits.message });
        }
        Ok(Decoded::Done(Header { kind: known, id, budget, metadata, message }))
    }

    /// The bytes of this head; `None` where the frame would be longer than its length field can say.
    pub fn encode(&self) -> Option<[u8; REQUEST_HEADER]> {
        let follows = (REQUEST_HEADER - LENGTH).checked_add(self.metadata)?.checked_add(self.message)?;
        let mut bytes = [0; REQUEST_HEADER];
        bytes[0..4].copy_from_slice(&u32::try_from(follows).ok()?.to_be_bytes());
        bytes[4] = VERSION;
        bytes[5] = self.kind as u8;
        bytes[8..12].copy_from_slice(&self.id.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.budget.to_be_bytes());
        bytes[16..20].copy_from_slice(&u32::try_from(self.metadata).ok()?.to_be_bytes());
        Some(bytes)
    }
}

/// The head of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyHeader {
    /// The request's kind, without the bit that marks a reply.
    pub kind: u8,
    pub status: u16,
    pub id: u32,
    /// Bytes of JSON that follow.
    pub json: usize,
}

/// Why a client cannot understand a reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    #[error("not a reply of criba's protocol, version 1")]
    Foreign,
    #[error("a reply of {size} bytes is over the limit of {limit}")]
    TooLarge { size: usize, limit: usize },
}

impl ReplyHeader {
    /// Decodes the first [`REPLY_HEADER`] bytes of a reply, or fewer while they are still coming.
    ///
    /// # Errors
    /// They are no reply, or one that is longer than `limit` allows.
    pub fn decode(bytes: &[u8], limit: usize) -> Result<Decoded<ReplyHeader>, ReplyError> {
        let (Some(length), Some(&[version, kind, high, low]), Some(id)) =
            (u32_at(bytes, 0), bytes.get(4..8), u32_at(bytes, 8))
        else {
            return Ok(Decoded::More);
        };
        let json = (length as usize).checked_sub(REPLY_HEADER - LENGTH).ok_or(ReplyError::Foreign)?;
        if version != VERSION || kind & REPLY_BIT == 0 {
            return Err(ReplyError::Foreign);
        }
        if json > limit {
            return Err(ReplyError::TooLarge { size: json, limit });
        }
        let status = u16::from_be_bytes([high, low]);
        Ok(Decoded::Done(ReplyHeader { kind: kind & !REPLY_BIT, status, id, json }))
    }
}

/// The bytes of a reply: `body` as JSON behind its head.
pub fn reply(kind: u8, id: u32, status: Status, body: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![0; REPLY_HEADER];
    let status = match simd_json::to_writer(&mut bytes, body) {
        Ok(()) => status,
        Err(error) => return refusal(&Refused { kind, id, error: Error::Encode(error.to_string()) }),
    };
    // A verdict is some kilobytes; nothing that is made here comes near 4 GiB.
    let length = u32::try_from(bytes.len() - LENGTH).unwrap_or(u32::MAX);
    bytes[0..4].copy_from_slice(&length.to_be_bytes());
    bytes[4] = VERSION;
    bytes[5] = kind | REPLY_BIT;
    bytes[6..8].copy_from_slice(&(status as u16).to_be_bytes());
    bytes[8..12].copy_from_slice(&id.to_be_bytes());
    bytes
}

/// The reply to a request that gets no verdict: the only place where errors turn into replies.
#[cold]
pub fn refusal(refused: &Refused) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body {
        error: String,
    }
    let body = Body { error: refused.error.to_string() };
    reply(refused.kind, refused.id, refused.error.status(), &body)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes(field.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { message: 1000, metadata: 100 };

    fn header() -> Header {
        Header { kind: Kind::Scan, id: 0x0102_0304, budget: 500, metadata: 2, message: 3 }
    }

    #[test]
    fn a_request_is_laid_out_as_the_contract_says() {
        let bytes = header().encode().unwrap();
        assert_eq!(bytes, *b"\0\0\0\x15\x01\x01\0\0\x01\x02\x03\x04\0\0\x01\xf4\0\0\0\x02");
    }

    #[test]
    fn a_reply_is_laid_out_as_the_contract_says() {
        let bytes = reply(Kind::Ping as u8, 7, Status::Partial, &[1, 2]);
        assert_eq!(bytes, *b"\0\0\0\x0d\x01\x82\0\x01\0\0\0\x07[1,2]");
    }

    #[test]
    fn each_prefix_of_a_head_asks_for_more() {
        let bytes = header().encode().unwrap();
        for length in 0..bytes.len() {
            assert_eq!(Header::decode(&bytes[..length], &LIMITS), Ok(Decoded::More), "{length} bytes");
        }
        assert_eq!(Header::decode(&bytes, &LIMITS), Ok(Decoded::Done(header())));
    }

    #[test]
    fn a_length_that_holds_no_head_is_refused_at_once() {
        for length in [0, 15_u32] {
            let refused = Header::decode(&length.to_be_bytes(), &LIMITS).unwrap_err();
            assert_eq!(refused.error, Error::Length(length as usize));
        }
    }

    #[test]
    fn each_field_is_checked_and_the_id_echoed() {
        let cases: [(usize, &[u8], Error, Status); 6] = [
            (4, &[2], Error::Version(2), Status::BadRequest),
            (5, &[9], Error::Kind(9), Status::BadRequest),
            (6, &[0, 1], Error::Flags(1), Status::BadRequest),
            (16, &[0, 0, 0, 6], Error::MetadataLength { metadata: 6, left: 5 }, Status::BadRequest),
            (0, &[0, 0, 4, 0], Error::MessageTooLarge { size: 1006, limit: 1000 }, Status::TooLarge),
            (0, &[255; 4], Error::MessageTooLarge { size: 0xffff_ffed, limit: 1000 }, Status::TooLarge),
        ];
        for (at, patch, error, status) in cases {
            let mut bytes = header().encode().unwrap();
            bytes[at..at + patch.len()].copy_from_slice(patch);
            let refused = Header::decode(&bytes, &LIMITS).unwrap_err();
            assert_eq!((&refused.error, refused.id, error.status()), (&error, header().id, status));
            let reply = refusal(&refused);
            let Ok(Decoded::Done(head)) = ReplyHeader::decode(&reply, 1000) else { panic!("{reply:?}") };
            assert_eq!((head.id, head.status, head.kind), (header().id, status as u16, bytes[5] & 0x7f));
            assert!(reply[REPLY_HEADER..].starts_with(b"{\"error\":\""));
        }
        let large = Header { metadata: 101, ..header() }.encode().unwrap();
        let error = Header::decode(&large, &LIMITS).unwrap_err().error;
        assert_eq!(error.status(), Status::TooLarge);
    }

    #[test]
    fn a_frame_over_4_gib_has_no_encoding() {
        assert_eq!(Header { message: u32::MAX as usize, ..header() }.encode(), None);
    }

    proptest! {
        #[test]
        fn heads_survive_the_round_trip(
            kind in 0..5_usize, id: u32, budget: u32, metadata in 0..=100_usize, message in 0..=1000_usize,
        ) {
            let header = Header { kind: Kind::ALL[kind], id, budget, metadata, message };
            let bytes = header.encode().unwrap();
            prop_assert_eq!(Header::decode(&bytes, &LIMITS), Ok(Decoded::Done(header)));
        }

        #[test]
        fn arbitrary_bytes_never_pass_the_limits(bytes: Vec<u8>) {
            match Header::decode(&bytes, &LIMITS) {
                Ok(Decoded::Done(header)) => {
                    prop_assert!(header.metadata <= LIMITS.metadata && header.message <= LIMITS.message);
                    prop_assert_eq!(&header.encode().unwrap()[..], &bytes[..REQUEST_HEADER]);
                }
                Ok(Decoded::More) => prop_assert!(bytes.len() < REQUEST_HEADER),
                Err(refused) => {
                    let reply = refusal(&refused);
                    let decoded = ReplyHeader::decode(&reply, 1000);
                    let json = reply.len() - REPLY_HEADER;
                    let status = refused.error.status() as u16;
                    let expected = ReplyHeader { kind: refused.kind & 0x7f, status, id: refused.id, json };
                    prop_assert_eq!(decoded, Ok(Decoded::Done(expected)));
                }
            }
            let _ = ReplyHeader::decode(&bytes, 1000);
        }
    }
}
