//! Packets of the milter protocol: a length, a command byte, NUL-terminated strings.
//!
//! The protocol has no RFC; its numbers are those of Sendmail's `libmilter/mfdef.h`, which Postfix
//! follows (`MILTER_README`).

use crate::wire::frame::Decoded;

/// The version that this file speaks.
pub const VERSION: u32 = 6;
/// Bytes of the length field before each packet.
const LENGTH: usize = 4;

/// What the MTA may be asked to change (SMFIF_*).
pub mod action {
    pub const ADD_HEADERS: u32 = 0x01;
    pub const CHANGE_HEADERS: u32 = 0x10;
    pub const QUARANTINE: u32 = 0x20;
}

/// Steps of the protocol that can be left out or need no reply (SMFIP_*).
pub mod step {
    pub const NO_UNKNOWN: u32 = 0x100;
    pub const NO_REPLY_HEADER: u32 = 0x80;
    pub const NO_REPLY_CONNECT: u32 = 0x1000;
    pub const NO_REPLY_HELO: u32 = 0x2000;
    pub const NO_REPLY_MAIL: u32 = 0x4000;
    pub const NO_REPLY_RCPT: u32 = 0x8000;
    pub const NO_REPLY_DATA: u32 = 0x1_0000;
    pub const NO_REPLY_EOH: u32 = 0x4_0000;
    pub const NO_REPLY_BODY: u32 = 0x8_0000;
    /// Header values keep the blanks after the colon.
    pub const LEADING_SPACE: u32 = 0x10_0000;
}

/// Why a packet cannot be read; the connection ends with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("a milter packet of {0} bytes is over the limit")]
    TooLong(usize),
    #[error("a milter packet without a command")]
    Empty,
    #[error("milter command {:?} is cut short", *.0 as char)]
    Short(u8),
    #[error("milter command {:?} is unknown", *.0 as char)]
    Unknown(u8),
    #[error("the MTA speaks milter version {0}, at least 2 is needed")]
    Version(u32),
    #[error("milter command {0} comes out of order")]
    Order(&'static str),
}

/// What the MTA says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    Negotiate {
        version: u32,
        actions: u32,
        steps: u32,
    },
    /// Macros for the command that follows: names and values in turn.
    Macros(Strings<'a>),
    Connect {
        host: &'a [u8],
        /// `4`, `6`, `L` (Unix socket) or `U` (unknown).
        family: u8,
        address: &'a [u8],
    },
    Helo(&'a [u8]),
    /// The first string is the address in angle brackets, ESMTP arguments follow.
    Mail(Strings<'a>),
    Rcpt(Strings<'a>),
    Data,
    Header {
        name: &'a [u8],
        value: &'a [u8],
    },
    EndOfHeaders,
    Body(&'a [u8]),
    /// The end of the message, perhaps with the last of its body.
    EndOfMessage(&'a [u8]),
    /// This message is over; the connection goes on.
    Abort,
    Quit,
    /// This client is over; the connection goes on with another.
    QuitNewConnection,
    /// An SMTP command that the MTA does not know.
    Unrecognised,
}

/// NUL-terminated strings of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strings<'a>(&'a [u8]);

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr::memchr(0, self.0).unwrap_or(self.0.len());
        let (string, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        Some(string)
    }
}

/// The length of the packet that `bytes` begin with, command byte included.
///
/// # Errors
/// It is empty, or longer than `max`: checked before there is memory for it.
pub fn length(bytes: &[u8], max: usize) -> Result<Decoded<usize>, Error> {
    let Some(length) = bytes.first_chunk::<LENGTH>() else { return Ok(Decoded::More) };
    match u32::from_be_bytes(*length) as usize {
        0 => Err(Error::Empty),
        length if length > max => Err(Error::TooLong(length)),
        length => Ok(Decoded::Done(length)),
    }
}

impl<'a> Command<'a> {
    /// Reads a packet, without its length field.
    ///
    /// # Errors
    /// The command is unknown, or its arguments are not all there.
    pub fn decode(packet: &'a [u8]) -> Result<Command<'a>, Error> {
        let (&command, data) = packet.split_first().ok_or(Error::Empty)?;
        let short = Error::Short(command);
        Ok(match command {
            b'O' => {
                let number = |at: usize| {
                    let bytes = data.get(at..).and_then(|rest| rest.first_chunk::<4>());
                    bytes.map(|bytes| u32::from_be_bytes(*bytes)).ok_or(short.clone())
                };
                Command::Negotiate { version: number(0)?, actions: number(4)?, steps: number(8)? }
            }
            // The first byte names the command that the macros belong to; they are valid from here on anyway.
            b'D' => Command::Macros(Strings(data.get(1..).ok_or(short)?)),
            b'C' => {
                let end = memchr::memchr(0, data).ok_or(short.clone())?;
                let (host, rest) = data.split_at(end);
                let &family = rest.get(1).ok_or(short)?;
                // Two bytes of port stand before the address.
                let address = Strings(rest.get(4..).unwrap_or_default()).next().unwrap_or_default();
                Command::Connect { host, family, address }
            }
            b'H' => Command::Helo(Strings(data).next().ok_or(short)?),
            b'M' => Command::Mail(Strings(data)),
            b'R' => Command::Rcpt(Strings(data)),
            b'T' => Command::Data,
            b'L' => {
                let mut strings = Strings(data);
                let name = strings.next().ok_or(short)?;
                Command::Header { name, value: strings.next().unwrap_or_default() }
            }
            b'N' => Command::EndOfHeaders,
            b'B' => Command::Body(data),
            b'E' => Command::EndOfMessage(data),
            b'A' => Command::Abort,
            b'Q' => Command::Quit,
            b'K' => Command::QuitNewConnection,
            b'U' => Command::Unrecognised,
            other => return Err(Error::Unknown(other)),
        })
    }
}

/// What the filter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    Negotiate {
        actions: u32,
        steps: u32,
    },
    Continue,
    /// Delivers the message without asking further.
    Accept,
    /// Asks for more time.
    Progress,
    /// Puts the message on hold.
    Quarantine(&'a str),
    /// Refuses with an SMTP reply, for example `550 5.7.1 no`.
    ReplyCode(&'a str),
    AddHeader {
        name: &'a str,
        value: &'a str,
    },
    /// Replaces the value of header `name` number `index` (from 1); an empty value deletes it.
    ChangeHeader {
        index: u32,
        name: &'a str,
        value: &'a str,
    },
}

impl Reply<'_> {
    /// Appends the packet to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; LENGTH]);
        match self {
            Reply::Negotiate { actions, steps } => {
                out.push(b'O');
                for number in [VERSION, *actions, *steps] {
                    out.extend_from_slice(&number.to_be_bytes());
                }
            }
            Reply::Continue => out.push(b'c'),
            Reply::Accept => out.push(b'a'),
            Reply::Progress => out.push(b'p'),
            Reply::Quarantine(reason) => {
                out.push(b'q');
                string(out, reason);
            }
            // A % is doubled: Sendmail hands the text to a formatting function.
            Reply::ReplyCode(text) => {
                out.push(b'y');
                string(out, &text.replace('%', "%%"));
            }
            Reply::AddHeader { name, value } => {
                out.push(b'h');
                string(out, name);
                string(out, value);
            }
            Reply::ChangeHeader { index, name, value } => {
                out.push(b'm');
                out.extend_from_slice(&index.to_be_bytes());
                string(out, name);
                string(out, value);
            }
        }
        let length = (out.len() - start - LENGTH) as u32;
        out[start..start + LENGTH].copy_from_slice(&length.to_be_bytes());
    }
}

// A NUL inside would end the string early and shift all that follows.
fn string(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes().filter(|&byte| byte != 0));
    out.push(0);
}
