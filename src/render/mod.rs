//! What would the reader see? Text views, URIs and HTML facts of a message.
//!
//! The views are those that SpamAssassin 4.0.1 matches its rules against, unit by unit: paragraphs of body
//! text, chunks of raw body, and links in all their forms. HTML is rendered in one linear pass.

mod body;
mod glance;
mod html;
mod rawbody;
mod uri;
mod views;

#[cfg(test)]
mod tests;

pub use glance::{Glance, Reach, glance};
pub use html::{Anchor, HtmlFacts};
pub use uri::{
    Link, Redirector, Settings,
    domain::{Boundaries, is_fqdn, is_ip},
};

use std::time::Instant;

use self::{
    html::FoundLink,
    uri::Collector,
    views::{Leaf, LeafText, is_wide},
};
use crate::mime::{Message, Part, TextKind};

/// Where a piece of text or a URI was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    Text,
    Html,
    Ocr,
    Qr,
    Pdf,
    /// Not a text but what a document does.
    Action,
}

impl Origin {
    /// The name in the verdict.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Text => "text",
            Origin::Html => "html",
            Origin::Ocr => "ocr",
            Origin::Qr => "qr",
            Origin::Pdf | Origin::Action => "pdf",
        }
    }
}

/// A link, as written and as it resolves.
#[derive(Clone, Debug)]
pub struct Uri<'m> {
    /// As found; with a scheme put before it where the text has none, resolved where HTML has a base. Empty
    /// for an HTML anchor that goes nowhere: rules see that as an empty link.
    pub raw: &'m str,
    /// The canonical variants of SpamAssassin, `raw` among them, without duplicates.
    pub variants: Vec<&'m str>,
    /// Lower-case host name; empty where the URI has none.
    pub host: &'m str,
    /// The registrable domain of `host` by the public suffix list; empty where there is none.
    pub domain: &'m str,
    /// Host and domain of every variant that has them, without duplicates.
    pub hosts: Vec<(&'m str, &'m str)>,
    /// The text of the link that a reader sees; empty outside HTML anchors.
    pub anchor: &'m str,
    /// The HTML element it came from (`a`, `img`, ...), or empty.
    pub element: &'static str,
    pub origin: Origin,
    /// Index into [`Message::parts`].
    pub part: usize,
    /// The text has it without a scheme.
    pub is_schemeless: bool,
    /// A bare host name in the text, which mail programs don't make a link of.
    pub is_unlinked: bool,
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
    /// The decoded subject, without the LF at its end.
    pub subject: &'m str,
    /// SpamAssassin's body units: the subject with its LF, then one unit a paragraph.
    pub body: Vec<&'m [u8]>,
    /// Units of what HTML hides from the reader.
    pub invisible: Vec<&'m [u8]>,
    /// SpamAssassin's rawbody units: decoded bytes of text parts, in chunks.
    pub rawbody: Vec<&'m [u8]>,
    /// The message as it came, without the mbox line.
    pub full: &'m [u8],
    pub uris: Vec<Uri<'m>>,
    /// Host and registrable domain of each DKIM or DomainKeys signature.
    pub signers: Vec<(&'m str, &'m str)>,
    /// Facts of each HTML part.
    pub html: Vec<HtmlFacts<'m>>,
    /// Whether the time was up before all of it was rendered.
    pub is_cut: bool,
    /// Body units without what is invisible, where there is something invisible.
    visible: Option<Vec<&'m [u8]>>,
    leaves: Vec<Leaf<'m>>,
}

/// The text of one leaf, as SpamAssassin renders it.
#[derive(Clone, Copy, Debug)]
pub struct PartText<'r> {
    pub text: &'r str,
    /// Whether it was HTML.
    pub is_html: bool,
    /// Whether Perl holds it as Unicode; else its characters are bytes.
    pub is_wide: bool,
}

impl<'m> Rendered<'m> {
    /// Body units of what the reader sees: all of them, less what HTML hides.
    pub fn visible(&self) -> &[&'m [u8]] {
        self.visible.as_deref().unwrap_or(&self.body)
    }

    /// The text of a leaf, by its index in [`Message::parts`]; `None` where there is none to read.
    pub fn text_of(&self, part: usize) -> Option<PartText<'_>> {
        let leaf = self.leaves.iter().find(|leaf| leaf.part == part)?;
        let (text, is_html) = match &leaf.text {
            LeafText::None => return None,
            LeafText::Plain(text) => (*text, false),
            LeafText::Html { text, .. } => (text.as_str(), true),
        };
        Some(PartText { text, is_html, is_wide: leaf.is_wide || html::has_wide(text) })
    }
}

/// Renders a parsed message.
pub fn render<'m>(message: &Message<'m>) -> Rendered<'m> {
    render_with(message, &Settings::default())
}

/// Renders a parsed message, with links read as the rules say.
pub fn render_with<'m>(message: &Message<'m>, settings: &Settings) -> Rendered<'m> {
    render_until(message, settings, None)
}

/// The same, until time is up: what was rendered by then.
pub fn render_until<'m>(message: &Message<'m>, settings: &Settings, until: Option<Instant>) -> Rendered<'m> {
    let is_late = || until.is_some_and(|until| Instant::now() >= until);
    let arena = message.arena();
    let subject = message.header("Subject").unwrap_or_default();
    let mut rendered = Rendered { subject, full: message.raw, ..Rendered::default() };
    let mut links: Vec<Vec<FoundLink<'m>>> = Vec::new();
    let mut leaves = Vec::with_capacity(4);
    for (index, part) in message.leaves() {
        if is_late() {
            rendered.is_cut = true;
            break;
        }
        if has_rawbody(part) {
            rawbody::units(part.decoded(message), &mut rendered.rawbody);
        }
        let kind = part.text_kind();
        // an attachment is not decoded for it
        let is_wide = kind.is_some() && is_wide(part, message);
        let mut leaf = Leaf { part: index, text: LeafText::None, is_wide };
        match kind {
            Some(TextKind::Html) if !part.decoded(message).is_empty() => {
                let mut html = html::render(part.text(message), leaf.is_wide, until, arena);
                rendered.is_cut |= html.is_cut;
                html.facts.part = index;
                html.facts.source_bytes = part.decoded(message).len();
                leaf.text = LeafText::Html { text: html.text, invisible: html.invisible };
                links.push(html.links);
                rendered.html.push(html.facts);
            }
            Some(_) => leaf.text = LeafText::Plain(part.text(message)),
            None => {}
        }
        leaves.push(leaf);
    }
    if leaves.is_empty() {
        // A multipart without parts: SpamAssassin has not even the subject.
        return rendered;
    }
    let units = views::units(Some(subject), &leaves, LeafText::all, arena);
    rendered.body = units.iter().map(|(unit, _)| *unit).collect();
    let mut collector = Collector::new(arena, settings);
    for (unit, part) in &units {
        if is_late() {
            rendered.is_cut = true;
            break;
        }
        collector.text(unit, *part);
    }
    for (links, facts) in links.iter().zip(&rendered.html) {
        collector.html(links, facts);
    }
    rendered.uris = collector.uris;
    rendered.signers = uri::signers(message, settings);
    if leaves.iter().any(Leaf::hides) {
        let units = |units: Vec<(&'m [u8], usize)>| units.iter().map(|(unit, _)| *unit).collect();
        rendered.visible = Some(units(views::units(Some(subject), &leaves, LeafText::visible, arena)));
        rendered.invisible = units(views::units(None, &leaves, LeafText::invisible, arena));
    }
    rendered.leaves = leaves;
    rendered
}

/// Whether the raw body of a leaf is looked at: text but calendars, and messages.
fn has_rawbody(part: &Part<'_>) -> bool {
    let is_calendar = part.kind == "text" && part.subkind == "calendar";
    !is_calendar && (matches!(part.kind, "text" | "message") || part.text_kind().is_some())
}

/// The links in text that was found outside the message's own text parts, with a scheme, in order and without
/// duplicates; also those that were written to be copied by hand.
pub fn uris_in(text: &str) -> Vec<String> {
    uri::late::links(text)
}
