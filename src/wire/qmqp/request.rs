//! What a client hands over: a message and its envelope.

use super::{
    Error,
    netstring::{push, take},
};
use crate::wire::request::Envelope;

/// A message with its envelope, borrowed from the bytes it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// With LF line ends, as qmail has them.
    pub message: &'a [u8],
    /// Empty for the null sender.
    pub sender: &'a [u8],
    pub recipients: Vec<&'a [u8]>,
}

impl<'a> Request<'a> {
    /// The most recipients of a message.
    pub const RECIPIENTS: usize = 10_000;
    /// Room for the envelope and the lengths, beside the message.
    pub const ENVELOPE: usize = 4 << 20;

    /// Reads what the outer netstring holds; the message may have `limit` bytes.
    ///
    /// # Errors
    /// It is not a message, a sender and at least one recipient, or too much of that.
    pub fn decode(content: &'a [u8], limit: usize) -> Result<Request<'a>, Error> {
        let mut rest = content;
        let mut next = |what| if rest.is_empty() { Err(Error::Missing(what)) } else { take(&mut rest) };
        let (message, sender) = (next("a message")?, next("a sender")?);
        let mut recipients = vec![next("a recipient")?];
        if message.len() > limit {
            return Err(Error::TooLarge { size: message.len(), limit });
        }
        while !rest.is_empty() {
            if recipients.len() == Self::RECIPIENTS {
                return Err(Error::Recipients(Self::RECIPIENTS));
            }
            recipients.push(take(&mut rest)?);
        }
        Ok(Request { message, sender, recipients })
    }

    /// The whole netstring that a client sends, with `header` in front of the message.
    pub fn encode(&self, header: &[u8]) -> Vec<u8> {
        let mut content = Vec::with_capacity(header.len() + self.message.len() + 256);
        push(&mut content, &[header, self.message]);
        push(&mut content, &[self.sender]);
        self.recipients.iter().for_each(|recipient| push(&mut content, &[recipient]));
        let mut whole = Vec::with_capacity(content.len() + 16);
        push(&mut whole, &[&content]);
        whole
    }

    /// What the engine is told about the message.
    pub fn envelope(&self) -> Envelope {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Envelope {
            mail_from: Some(text(self.sender)),
            rcpt_to: self.recipients.iter().map(|recipient| text(recipient)).collect(),
            ..Envelope::default()
        }
    }
}
