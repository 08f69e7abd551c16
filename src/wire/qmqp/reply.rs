//! What became of a message.

use super::{Error, netstring, netstring::push};
use crate::wire::frame::Decoded;

/// Who has the message now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `K`: the server, safely.
    Accepted,
    /// `Z`: still the client, who shall try again.
    Later,
    /// `D`: still the client, who shall give up.
    Refused,
}

/// The answer to one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub outcome: Outcome,
    /// For people.
    pub text: String,
}

impl Reply {
    /// The longest reply that is read; longer ones are none.
    pub const MAX: usize = 4096;

    /// The answer to a message that is spam.
    pub fn spam() -> Reply {
        Reply { outcome: Outcome::Refused, text: "This message was refused as spam (#5.7.1)".into() }
    }

    /// The answer to a message that stays with its client for now.
    pub fn later(why: impl std::fmt::Display) -> Reply {
        Reply { outcome: Outcome::Later, text: format!("{why} (#4.3.0)") }
    }

    /// The answer to a request that cannot be read: the only place where errors turn into replies.
    #[cold]
    pub fn refusal(error: &Error) -> Reply {
        match error {
            Error::TooLarge { .. } | Error::Recipients(_) => {
                Reply { outcome: Outcome::Refused, text: format!("{error} (#5.3.4)") }
            }
            // What was damaged on its way may be whole the next time.
            _ => Reply::later(error),
        }
    }

    /// The bytes of the reply.
    pub fn encode(&self) -> Vec<u8> {
        let letter: &[u8] = match self.outcome {
            Outcome::Accepted => b"K",
            Outcome::Later => b"Z",
            Outcome::Refused => b"D",
        };
        let mut bytes = Vec::new();
        push(&mut bytes, &[letter, self.text.as_bytes()]);
        bytes
    }

    /// Reads a reply, or finds that there is more to come.
    ///
    /// # Errors
    /// The bytes are no reply.
    pub fn decode(bytes: &[u8]) -> Result<Decoded<Reply>, Error> {
        let Decoded::Done(length) = netstring::length(bytes, Reply::MAX)? else {
            return Ok(Decoded::More);
        };
        let mut rest = bytes;
        if bytes.len() < length.head + length.content + 1 {
            return Ok(Decoded::More);
        }
        let (letter, text) = netstring::take(&mut rest)?.split_first().ok_or(Error::Outcome)?;
        let outcome = match letter {
            b'K' => Outcome::Accepted,
            b'Z' => Outcome::Later,
            b'D' => Outcome::Refused,
            _ => return Err(Error::Outcome),
        };
        Ok(Decoded::Done(Reply { outcome, text: String::from_utf8_lossy(text).into_owned() }))
    }
}
