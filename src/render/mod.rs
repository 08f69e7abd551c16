//! What would the reader see? Text views, URIs and HTML facts of a message.

use crate::mime::Message;

/// Where a piece of text or a URI was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    Text,
    Html,
    Ocr,
    Qr,
    Pdf,
}

impl Origin {
    /// The name in the verdict.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Text => "text",
            Origin::Html => "html",
            Origin::Ocr => "ocr",
            Origin::Qr => "qr",
            Origin::Pdf => "pdf",
        }
    }
}

/// A link, as written and as it resolves.
#[derive(Clone, Debug)]
pub struct Uri<'m> {
    /// As found.
    pub raw: &'m str,
    /// The canonical variants of SpamAssassin, `raw` among them, without duplicates.
    pub variants: Vec<&'m str>,
    /// Lower-case host name; empty where the URI has none.
    pub host: &'m str,
    /// The registrable domain of `host` by the public suffix list; empty where there is none.
    pub domain: &'m str,
    /// The text of the link that a reader sees; empty outside HTML anchors.
    pub anchor: &'m str,
    /// The HTML element it came from (`a`, `img`, ...), or empty.
    pub element: &'static str,
    pub origin: Origin,
    /// Index into [`Message::parts`].
    pub part: usize,
}

/// Text that turned up after the first round: read from a picture, a page or a QR code.
#[derive(Clone, Debug)]
pub struct LateText {
    pub origin: Origin,
    /// `part 3, frame 4`
    pub place: String,
    pub text: String,
}

/// All views of one message that rules and Bayes look at.
#[derive(Debug, Default)]
pub struct Rendered<'m> {
    /// The decoded subject, no LF.
    pub subject: &'m str,
    /// SpamAssassin's body units: the subject with its LF, then one unit a paragraph.
    pub body: Vec<&'m [u8]>,
    /// SpamAssassin's rawbody units: decoded bytes of text parts, in chunks.
    pub rawbody: Vec<&'m [u8]>,
    /// The message as it came, without the mbox line.
    pub full: &'m [u8],
    pub uris: Vec<Uri<'m>>,
    /// Facts of each HTML part.
    pub html: Vec<HtmlFacts<'m>>,
}

/// What is to know of one HTML part beside its text.
#[derive(Clone, Debug, Default)]
pub struct HtmlFacts<'m> {
    pub part: usize,
    pub title: &'m str,
}

/// Renders a parsed message.
pub fn render<'m>(_message: &Message<'m>) -> Rendered<'m> {
    Rendered::default()
}

/// The links in text that was found outside the message's own text parts, as written.
pub fn uris_in(_text: &str) -> Vec<String> {
    Vec::new()
}
