//! What parts is it made of? RFC 5322 and MIME, borrowed from the request buffer.
//!
//! Nothing is copied unless decoding changes bytes, and what is decoded lives in an [`Arena`] that
//! belongs to the scan, so every view of the message has the one lifetime `'m`. Damage is flagged
//! on the part and never fatal: a message is what mail programs make of it. Where they differ, it is
//! what SpamAssassin 4.0.1 makes of it, because its rules are written against that.

mod address;
mod charset;
mod code_page;
mod content;
mod damage;
mod double_byte;
mod headers;
mod jis;
mod labels;
mod lines;
mod structure;
mod time;
mod transfer;
mod utf7;
mod words;

#[cfg(test)]
mod tests;

use std::{
    cell::{Cell, OnceCell},
    time::Instant,
};

use time::Time;

pub use address::{Address, addresses};
pub use bumpalo::Bump as Arena;
pub use damage::Damage;
pub use headers::{Header, Name};

/// Caps on what one message may make of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Containers (multiparts, messages in messages) inside containers; deeper ones stay unparsed leaves.
    pub depth: usize,
    /// Parts of one message, containers included.
    pub parts: usize,
    /// Bytes of a header name.
    pub header_name: usize,
    /// Bytes of a header value, folds included.
    pub header_value: usize,
    /// Fields of one header section.
    pub header_fields: usize,
    /// Bytes of all headers together where they are looked at as one text (SpamAssassin's `ALL`).
    pub headers: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            depth: 20,
            parts: 1000,
            header_name: 256,
            header_value: 8192,
            header_fields: 4096,
            headers: 65536,
        }
    }
}

/// A parsed message. `parts[0]` is the root; parts stand in document order, children after parents.
#[derive(Debug)]
pub struct Message<'m> {
    /// The message without a leading mbox `From ` line; a lone LF if nothing is left.
    pub raw: &'m [u8],
    /// Where the body starts in `raw`.
    pub body_offset: usize,
    /// At least one, the root, which is the message itself.
    pub parts: Vec<Part<'m>>,
    /// Whether lines end in CRLF. Header values and decoded text have LF all the same.
    pub crlf: bool,
    /// What is wrong with the structure, anywhere in the message.
    pub damage: Damage,
    pub(crate) arena: &'m Arena,
    time: Time,
}

/// One MIME node: a leaf with content, or a container whose children follow in [`Message::parts`].
#[derive(Debug)]
pub struct Part<'m> {
    pub parent: Option<usize>,
    pub depth: usize,
    /// In the order they were written.
    pub headers: &'m [Header<'m>],
    /// Lower case, for example `text` and `html`; the default where the header is missing or broken. As in
    /// SpamAssassin, all of `text/*` but `html`, `calendar` and `x-vcard` is `plain`.
    pub kind: &'m str,
    pub subkind: &'m str,
    /// As declared, lower case.
    pub charset: Option<&'m str>,
    /// From Content-Disposition `filename`, else Content-Type `name`, decoded (RFC 2047, 2231).
    pub name: Option<&'m str>,
    /// Without the angle brackets.
    pub content_id: Option<&'m str>,
    pub is_attachment: bool,
    pub is_leaf: bool,
    /// The body as it stands in the message, transfer encoding and all. In a CRLF message its lines end in
    /// CRLF.
    pub raw_body: &'m [u8],
    named_html: bool,
    crlf: bool,
    /// Whether the LF after `raw_body` belongs to a boundary.
    lf_cut: bool,
    /// Whether this is a part of a multipart, and not the root of a message.
    in_multipart: bool,
    damage: Cell<Damage>,
    decoded: OnceCell<&'m [u8]>,
    text: OnceCell<&'m str>,
}

/// How the text of a leaf is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    Plain,
    Html,
}

impl<'m> Message<'m> {
    /// Parses `raw`. Never fails: damage is flagged on the parts, caps flag what they cut.
    pub fn parse(raw: &'m [u8], arena: &'m Arena, limits: &Limits) -> Message<'m> {
        Message::parse_until(raw, arena, limits, None)
    }

    /// [`Message::parse`] that ends at a moment, where it is not done by then; decoding ends then as well.
    pub fn parse_until(
        raw: &'m [u8],
        arena: &'m Arena,
        limits: &Limits,
        until: Option<Instant>,
    ) -> Message<'m> {
        let raw = match structure::without_mbox_line(raw) {
            [] => b"\n",
            raw => raw,
        };
        let crlf = structure::is_crlf(raw);
        let time = Time::until(until);
        let (parts, damage) = (Vec::with_capacity(4), Damage::none());
        let mut parser = structure::Parser { arena, limits, time: &time, parts, damage };
        let body_offset = parser.message(raw, None, 0, crlf);
        let structure::Parser { parts, damage, .. } = parser;
        Message { raw, body_offset, parts, crlf, damage, arena, time }
    }

    /// Whether parts were left out, or the end of their content or text, as the time was up: so far, since decoding
    /// is done when somebody asks.
    pub fn is_cut(&self) -> bool {
        self.time.is_cut()
    }

    /// The arena that decoded views of this message live in.
    pub fn arena(&self) -> &'m Arena {
        self.arena
    }

    /// Leaves in document order, with their index in `parts`.
    pub fn leaves(&self) -> impl Iterator<Item = (usize, &Part<'m>)> {
        self.parts.iter().enumerate().filter(|(_, part)| part.is_leaf)
    }

    /// All fields of the root, in the order they were written.
    pub fn all_headers(&self) -> &'m [Header<'m>] {
        self.parts.first().map_or(&[], |root| root.headers)
    }

    /// The fields of the root called `name`, top to bottom. Names compare without case.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &'m Header<'m>> {
        headers::named(self.all_headers(), name)
    }

    /// The last header of that name in the root, decoded and unfolded (SpamAssassin's plain value,
    /// without the LF at its end). Names compare without case.
    pub fn header(&self, name: &str) -> Option<&'m str> {
        headers::last_value(self.all_headers(), name, self.arena)
    }

    /// The header section as it was written, without the empty line after it. In a CRLF message its lines
    /// end in CRLF.
    pub fn raw_headers(&self) -> &'m [u8] {
        self.raw.get(..self.body_offset).unwrap_or_default()
    }
}

impl<'m> Part<'m> {
    /// The last header of that name in this part, as [`Message::header`].
    pub fn header(&self, message: &Message<'m>, name: &str) -> Option<&'m str> {
        headers::last_value(self.headers, name, message.arena)
    }

    /// What is wrong with this part as far as is known: bad encodings and charsets turn up with the first
    /// call of [`Part::decoded`] and [`Part::text`].
    pub fn damage(&self) -> Damage {
        self.damage.get()
    }

    /// How the text of this leaf is read; `None` where it is no text. A plain `name` (not one in RFC 2231's
    /// encoding) that ends in `.htm`, `.html` or `.shtml` makes it HTML, whatever the type says.
    pub fn text_kind(&self) -> Option<TextKind> {
        match (self.kind, self.subkind) {
            _ if self.named_html => Some(TextKind::Html),
            ("text", "html") => Some(TextKind::Html),
            ("text", "plain") => Some(TextKind::Plain),
            _ => None,
        }
    }

    /// The body with its transfer encoding undone; the raw body itself where nothing changed. CRLF is LF if
    /// the message is a CRLF message, in quoted-printable always, in base64 if this is text. Cached.
    pub fn decoded(&self, message: &Message<'m>) -> &'m [u8] {
        self.decode(message.arena, &message.time)
    }

    /// The first bytes of the decoded body: at least so many, where it has as many. Costs what is looked at and not
    /// the whole of an attachment. Unlike [`Part::decoded`] it leaves
    /// overlong lines, and line ends in base64, as they are.
    pub fn beginning(&self, message: &Message<'m>, at_least: usize) -> &'m [u8] {
        if let Some(decoded) = self.decoded.get() {
            return decoded;
        }
        let (arena, encoding) = (message.arena, self.encoding(message.arena));
        // Blanks and line ends may stand before and between the first characters, so many as one likes.
        let mut length = at_least.saturating_mul(2);
        loop {
            let raw = self.raw_body.get(..length).unwrap_or(self.raw_body);
            let decoded = if encoding.eq_ignore_ascii_case("base64") {
                transfer::decode_base64(raw, arena, &message.time).bytes
            } else if encoding.eq_ignore_ascii_case("quoted-printable") {
                transfer::decode_quoted_printable(raw, arena, &message.time).bytes
            } else if self.crlf {
                transfer::to_lf(raw, arena)
            } else {
                raw
            };
            if decoded.len() >= at_least || raw.len() == self.raw_body.len() || message.is_cut() {
                return decoded;
            }
            length = length.saturating_mul(4);
        }
    }

    fn encoding(&self, arena: &'m Arena) -> &'m str {
        headers::last_value(self.headers, "Content-Transfer-Encoding", arena).unwrap_or_default()
    }

    /// Whether there is a transfer encoding to undo.
    fn is_encoded(&self, arena: &'m Arena) -> bool {
        let encoding = self.encoding(arena);
        ["base64", "quoted-printable"].iter().any(|name| encoding.eq_ignore_ascii_case(name))
    }

    fn decode(&self, arena: &'m Arena, time: &Time) -> &'m [u8] {
        self.decoded.get_or_init(|| {
            let encoding = self.encoding(arena);
            let is = |name: &str| encoding.eq_ignore_ascii_case(name);
            if is("quoted-printable") {
                let decoded = transfer::decode_quoted_printable(self.broken_body(arena), arena, time);
                self.flag(decoded.damaged, Damage::BAD_ENCODING);
                decoded.bytes
            } else if is("base64") {
                let decoded = transfer::decode_base64(self.raw_body, arena, time);
                self.flag(decoded.damaged, Damage::BAD_ENCODING);
                let text = matches!(self.kind, "text" | "message");
                if text { transfer::to_lf(decoded.bytes, arena) } else { decoded.bytes }
            } else {
                let known = encoding.is_empty() || is("7bit") || is("8bit") || is("binary");
                self.flag(!known, Damage::UNKNOWN_ENCODING);
                self.broken_body(arena)
            }
        })
    }

    /// Whether [`Part::broken_body`] has to break lines.
    fn has_long_line(&self) -> bool {
        self.in_multipart && lines::has_long_line(self.raw_body, self.lf_cut)
    }

    /// The raw body with LF line ends; inside multiparts overlong lines are broken, as SpamAssassin does.
    fn broken_body(&self, arena: &'m Arena) -> &'m [u8] {
        let body = if self.crlf { transfer::to_lf(self.raw_body, arena) } else { self.raw_body };
        if !self.in_multipart || !lines::has_long_line(body, self.lf_cut) {
            return body;
        }
        lines::break_long_lines(body, self.lf_cut, arena)
    }

    /// The decoded body as UTF-8 text, by declared or guessed charset. Cached.
    pub fn text(&self, message: &Message<'m>) -> &'m str {
        self.text.get_or_init(|| {
            if message.time.is_up() {
                return "";
            }
            let decoded = charset::text(self.decoded(message), self.charset, message.arena);
            self.flag(decoded.replaced, Damage::BAD_CHARSET);
            decoded.text
        })
    }

    fn flag(&self, is_so: bool, damage: Damage) {
        if is_so {
            self.damage.set(self.damage.get() | damage);
        }
    }
}
