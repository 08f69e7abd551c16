//! The beginning of a message as a reader sees it: what a filter of words looks at, for a fraction of what all views
//! cost. It does not depend on what the rules say about links.

use super::{
    html::{self, HtmlFacts},
    uri::{self, Link},
    views::{Leaf, LeafText},
};
use crate::{
    mime::{Message, TextKind},
    render::body::Body,
};

/// The beginning of a message.
#[derive(Debug, Default)]
pub struct Glance<'m> {
    /// The decoded subject, no LF.
    pub subject: &'m str,
    /// What a reader sees of the text of all leaves, without the subject: white space squeezed, an LF after each
    /// paragraph.
    pub text: &'m [u8],
    /// Whether HTML hides text.
    pub hides: bool,
    /// Links in the text, then those of HTML; each once.
    pub links: Vec<Link<'m>>,
    /// Facts of each HTML part, as far as it was looked at.
    pub html: Vec<HtmlFacts<'m>>,
}

/// How far a glance goes.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// Bytes of visible text.
    pub text: usize,
    pub links: usize,
}

/// So many times the text that is wanted is looked at of a leaf: there may be nothing but blanks, or markup.
const PLAIN: usize = 2;
const MARKUP: usize = 32;

/// Looks at the beginning of a message.
pub fn glance<'m>(message: &Message<'m>, reach: Reach) -> Glance<'m> {
    let arena = message.arena();
    let subject = message.header("Subject").unwrap_or_default();
    let mut glance = Glance { subject, ..Glance::default() };
    let mut found = Vec::new();
    let mut body = Body::new(None, true, reach.text, arena);
    let mut left = reach.text;
    for (index, part) in message.leaves() {
        if left == 0 {
            break;
        }
        body.leaf();
        let Some(kind) = part.text_kind() else { continue };
        let text = part.text(message);
        if kind == TextKind::Plain {
            let text = start(text, left.saturating_mul(PLAIN));
            body.text(index, text);
            left = left.saturating_sub(text.len());
            continue;
        }
        let rendered = html::render_within(start(text, left.saturating_mul(MARKUP)), left, arena);
        let leaf = Leaf {
            part: index,
            text: LeafText::Html { text: rendered.text, invisible: rendered.invisible },
            is_wide: true,
        };
        let visible = leaf.text.visible();
        body.text(index, &visible);
        left = left.saturating_sub(visible.len());
        glance.hides |= leaf.hides();
        found.extend(rendered.links.iter().map(|link| link.uri));
        glance.html.push(rendered.facts);
    }
    let text = body.whole();
    glance.text = text.get(..reach.text).unwrap_or(text);
    glance.links = uri::links(glance.text, &found, reach.links, arena);
    glance
}

fn start(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}
