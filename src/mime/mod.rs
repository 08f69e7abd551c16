//! What parts is it made of? RFC 5322 and MIME, borrowed from the request buffer.
//!
//! Nothing is copied unless decoding changes bytes, and what is decoded lives in an [`Arena`] that
//! belongs to the scan, so every view of the message has the one lifetime `'m`. Damage is flagged
//! on the part and never fatal: a message is what mail programs make of it.

pub use bumpalo::Bump as Arena;

/// Caps on what one message may make of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub depth: usize,
    pub parts: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 20, parts: 1000 }
    }
}

/// One physical header field.
#[derive(Clone, Copy, Debug)]
pub struct Header<'m> {
    /// As written, without blanks before the colon.
    pub name: &'m [u8],
    /// All after the colon: leading blanks, folds and the last LF included.
    pub raw: &'m [u8],
}

/// A parsed message. `parts[0]` is the root; parts stand in document order, children after parents.
#[derive(Debug)]
pub struct Message<'m> {
    /// The message without a leading mbox `From ` line.
    pub raw: &'m [u8],
    /// Where the body starts in `raw`.
    pub body_offset: usize,
    pub parts: Vec<Part<'m>>,
    pub(crate) arena: &'m Arena,
}

/// One MIME node: a leaf with content, or a container whose children follow in [`Message::parts`].
#[derive(Debug)]
pub struct Part<'m> {
    pub parent: Option<usize>,
    pub depth: usize,
    pub headers: Vec<Header<'m>>,
    /// Lower case, for example `text` and `html`; the default where the header is missing or broken.
    pub kind: &'m str,
    pub subkind: &'m str,
    /// As declared, lower case.
    pub charset: Option<&'m str>,
    /// From Content-Disposition `filename`, else Content-Type `name`, decoded (RFC 2047, 2231).
    pub name: Option<&'m str>,
    pub content_id: Option<&'m str>,
    pub is_attachment: bool,
    pub is_leaf: bool,
    /// The body as it stands in the message, transfer encoding and all.
    pub raw_body: &'m [u8],
}

impl<'m> Message<'m> {
    /// Parses `raw`. Never fails: damage is flagged on the parts, caps flag what they cut.
    pub fn parse(raw: &'m [u8], arena: &'m Arena, _limits: &Limits) -> Message<'m> {
        Message { raw, body_offset: 0, parts: Vec::new(), arena }
    }

    /// The arena that decoded views of this message live in.
    pub fn arena(&self) -> &'m Arena {
        self.arena
    }

    /// Leaves in document order, with their index in `parts`.
    pub fn leaves(&self) -> impl Iterator<Item = (usize, &Part<'m>)> {
        self.parts.iter().enumerate().filter(|(_, part)| part.is_leaf)
    }

    /// The last header of that name in the root, decoded and unfolded (SpamAssassin's plain value,
    /// without the LF at its end). Names compare without case.
    pub fn header(&self, _name: &str) -> Option<&'m str> {
        None
    }
}

impl<'m> Part<'m> {
    /// The body with its transfer encoding undone; the raw body itself where nothing changed. Cached.
    pub fn decoded(&self, _message: &Message<'m>) -> &'m [u8] {
        unimplemented!()
    }

    /// The decoded body as UTF-8 text, by declared or guessed charset. Cached.
    pub fn text(&self, _message: &Message<'m>) -> &'m str {
        unimplemented!()
    }
}
