//! The renderer: tokens in, text, links and facts out.

use std::{borrow::Cow, ops::Range, time::Instant};

use super::{
    elements::{Gap, Link, Tag},
    entities::{self, Place},
    facts::{Anchor, HtmlFacts, Inside},
    links::{self, FoundLink},
    prepare,
    style::{Sight, Styles},
    tokenizer::{Attribute, Token, Tokenizer, value},
};
use crate::mime::Arena;

/// An HTML part, rendered.
#[derive(Debug)]
pub struct Html<'m> {
    pub text: String,
    /// What of `text` a reader doesn't see, in order.
    pub invisible: Vec<Range<usize>>,
    pub links: Vec<FoundLink<'m>>,
    pub facts: HtmlFacts<'m>,
    /// Whether the time was up before its end.
    pub is_cut: bool,
}

/// Tokens after which somebody looks at the clock: some 100 us.
const STEP: u32 = 512;

/// Longer HTML is not looked at to its end.
const LONGEST: usize = 2 << 20;

/// Renders the decoded text of an HTML part, until time is up. `is_wide` says whether Perl would hold it as Unicode.
pub fn render<'m>(source: &'m str, is_wide: bool, until: Option<Instant>, arena: &'m Arena) -> Html<'m> {
    let source = source.get(..source.floor_char_boundary(LONGEST)).unwrap_or(source);
    let prepared = match prepare(source) {
        Cow::Borrowed(source) => source,
        Cow::Owned(prepared) => arena.alloc_str(&prepared),
    };
    let mut html = within(prepared, is_wide, usize::MAX, until, arena);
    html.facts.length = source.chars().count();
    let is_wide = is_wide || has_wide(&html.text);
    for c in html.text.chars() {
        html.facts.text_length += 1;
        html.facts.non_space += usize::from(!is_white(c, is_wide));
    }
    html
}

/// Renders the beginning of HTML, up to so many bytes of text that a reader sees. Of the facts, lengths are left out.
pub fn render_within<'m>(source: &'m str, visible: usize, arena: &'m Arena) -> Html<'m> {
    let prepared = match prepare(source) {
        Cow::Borrowed(source) => source,
        Cow::Owned(prepared) => arena.alloc_str(&prepared),
    };
    within(prepared, true, visible, None, arena)
}

fn within<'m>(
    prepared: &'m str,
    is_wide: bool,
    visible: usize,
    until: Option<Instant>,
    arena: &'m Arena,
) -> Html<'m> {
    let mut renderer = Renderer::new(arena, is_wide, prepared.len());
    let mut tokens = Tokenizer::new(prepared);
    let mut count = 0;
    while renderer.text.len() - renderer.hidden < visible
        && let Some(token) = tokens.next_token()
    {
        count += 1;
        if count % STEP == 0 && until.is_some_and(|until| Instant::now() >= until) {
            renderer.is_cut = true;
            break;
        }
        match token {
            Token::Text { raw, literal } => renderer.text(raw, literal),
            Token::Start(name) => renderer.tag(name, Some(tokens.attributes())),
            Token::End(name) => renderer.tag(name, None),
            Token::Comment(text) => push(&mut renderer.facts.comments, text),
            Token::Declaration(text) => renderer.declaration(text),
        }
    }
    renderer.finish()
}

/// More of one kind (anchors, comments, open elements) are not kept: no mail has as many.
pub const MANY: usize = 10_000;

fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() < MANY {
        list.push(item);
    }
}

/// What was put into the text last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    None,
    Gap,
    Visible,
    Invisible,
}

/// An anchor whose text is still growing.
#[derive(Debug)]
struct OpenAnchor<'m> {
    href: &'m str,
    /// Where its text starts in the text of all anchors.
    start: usize,
}

struct Renderer<'m> {
    arena: &'m Arena,
    /// Whether the source is Unicode to Perl; else a token is if it has a character beyond Latin-1.
    is_wide: bool,
    last_is_wide: bool,
    text: String,
    invisible: Vec<Range<usize>>,
    /// Bytes of it.
    hidden: usize,
    last: Chunk,
    /// Where the last chunk starts in `text`.
    last_start: usize,
    styles: Styles,
    inside: Inside<'m>,
    links: Vec<FoundLink<'m>>,
    base: String,
    anchors: Vec<OpenAnchor<'m>>,
    anchor_text: String,
    /// Where the text of each title starts in the text of all titles.
    titles: Vec<usize>,
    title_text: String,
    decoded: String,
    facts: HtmlFacts<'m>,
    is_cut: bool,
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// A no-break space that was encoded once too often.
const DOUBLE_NBSP: &str = "\u{c2}\u{a0}";

fn has_double_nbsp(text: &str) -> bool {
    !text.is_ascii() && text.contains(DOUBLE_NBSP)
}

impl<'m> Renderer<'m> {
    fn new(arena: &'m Arena, is_wide: bool, len: usize) -> Renderer<'m> {
        Renderer {
            arena,
            is_wide,
            last_is_wide: false,
            text: String::with_capacity(len / 2),
            invisible: Vec::new(),
            hidden: 0,
            last: Chunk::None,
            last_start: 0,
            styles: Styles::default(),
            inside: Inside::default(),
            links: Vec::new(),
            base: String::new(),
            anchors: Vec::new(),
            anchor_text: String::new(),
            titles: Vec::new(),
            title_text: String::new(),
            decoded: String::new(),
            facts: HtmlFacts::default(),
            is_cut: false,
        }
    }

    fn tag(&mut self, name: &'m str, attributes: Option<&[Attribute<'m>]>) {
        let is_start = attributes.is_some();
        let known = Tag::read(name);
        let (counted, is_valid, is_namespace) = match known {
            Some(tag) => (self.inside.count(tag, is_start), tag.is_valid(), false),
            None => {
                let name = match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    true => self.arena.alloc_str(&name.to_ascii_lowercase()),
                    false => name,
                };
                let is_namespace = is_office(name);
                (self.inside.count_other(name, is_start), is_namespace, is_namespace)
            }
        };
        let facts = &mut self.facts;
        facts.tags += 1;
        facts.tags_seen += u32::from(counted.is_first);
        facts.elements += u32::from(is_valid);
        facts.elements_seen += u32::from(is_valid && counted.is_first);
        facts.closed_extra += u32::from(counted.is_extra);
        let Some(tag) = known.filter(|_| !is_namespace) else { return };
        if tag.styles() {
            match attributes {
                Some(attributes) => self.styles.open(tag, attributes),
                None => self.styles.close(tag),
            }
        }
        self.gap(tag.gap());
        if let Some(attributes) = attributes {
            self.start(tag, attributes);
        }
    }

    /// What else a start tag says.
    fn start(&mut self, tag: Tag, attributes: &[Attribute<'m>]) {
        if tag == Tag::A {
            return self.anchor(attributes);
        }
        if tag.link() != Link::No {
            self.link(tag, attributes);
        }
        match tag {
            Tag::Img => self.image(attributes),
            Tag::Font => {
                if let Some(face) = value(attributes, "face") {
                    self.facts.font_face_bad |= !is_font_face(&face);
                }
            }
            Tag::Form => {
                self.facts.forms += 1;
                let action = value(attributes, "action").unwrap_or_default();
                self.facts.form_action_mailto |= action.to_ascii_lowercase().contains("mailto:");
            }
            Tag::Input => {
                let kind = value(attributes, "type").unwrap_or_default();
                self.facts.password_fields += u32::from(kind.trim().eq_ignore_ascii_case("password"));
            }
            Tag::Object | Tag::Embed => self.facts.embeds = true,
            Tag::Title => push(&mut self.titles, self.title_text.len()),
            Tag::Meta => self.meta(attributes),
            _ => {}
        }
    }

    fn link(&mut self, tag: Tag, attributes: &[Attribute<'m>]) {
        let Some(link) = links::link(tag, attributes) else { return };
        let (link, is_cut) = links::trimmed(&link);
        self.facts.uri_truncated |= is_cut;
        if tag == Tag::Meta {
            self.facts.refresh = self.arena.alloc_str(link);
        }
        self.found(link, tag, None);
        if tag == Tag::Base
            && let Some(base) = links::base(link)
        {
            self.base = base;
        }
        if tag.link() == Link::Href
            && let Some(safe) = value(attributes, "data-saferedirecturl")
        {
            self.found(links::trimmed(&safe).0, tag, None);
        }
    }

    /// An `a` element: its text belongs to it from here to the next one.
    fn anchor(&mut self, attributes: &[Attribute<'m>]) {
        let href = links::href(attributes).unwrap_or_default();
        let (href, is_cut) = links::trimmed(&href);
        self.facts.uri_truncated |= is_cut;
        let index = self.anchors.len();
        self.found(href, Tag::A, Some(index));
        let href = self.arena.alloc_str(href);
        push(&mut self.anchors, OpenAnchor { href, start: self.anchor_text.len() });
        if let Some(safe) = value(attributes, "data-saferedirecturl") {
            self.found(links::trimmed(&safe).0, Tag::A, None);
        }
    }

    fn found(&mut self, link: &str, tag: Tag, anchor: Option<usize>) {
        if link.is_empty() {
            return;
        }
        if let Some(target) = links::resolve(&self.base, link) {
            let uri = self.arena.alloc_str(&target);
            push(&mut self.links, FoundLink { uri, element: tag.name(), anchor });
        }
    }

    fn image(&mut self, attributes: &[Attribute<'m>]) {
        self.facts.images += 1;
        if self.inside.of(Tag::A) > 0 {
            self.anchor_text.push_str("<img>\n");
        }
        if let (Some(width), Some(height)) = (value(attributes, "width"), value(attributes, "height")) {
            // A screen of 800 times 600 for what is given in per cent.
            self.facts.image_area += pixels(&width, 8.0) * pixels(&height, 6.0);
        }
    }

    fn meta(&mut self, attributes: &[Attribute<'m>]) {
        let Some(kind) = value(attributes, "http-equiv") else { return };
        if !kind.to_ascii_lowercase().contains("content-type") {
            return;
        }
        if let Some(content) = value(attributes, "content")
            && let Some(charset) = declared_charset(&content)
        {
            push(&mut self.facts.charsets, self.arena.alloc_str(charset));
        }
    }

    fn declaration(&mut self, text: &str) {
        if text.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype")) {
            self.facts.elements += 1;
            self.facts.tags += 1;
            self.inside.reset_other("!doctype");
        }
    }

    fn text(&mut self, raw: &'m str, literal: bool) {
        if self.inside.of(Tag::Script) > 0 {
            return push(&mut self.facts.scripts, raw);
        }
        if self.inside.of(Tag::Style) > 0 {
            return;
        }
        if literal || memchr::memchr(b'&', raw.as_bytes()).is_none() {
            return self.decoded_text(raw);
        }
        let mut decoded = std::mem::take(&mut self.decoded);
        decoded.clear();
        entities::decode(raw, Place::Text, &mut decoded);
        self.decoded_text(&decoded);
        self.decoded = decoded;
    }

    fn decoded_text(&mut self, text: &str) {
        if self.inside.of(Tag::A) > 0 {
            self.anchor_text.push_str(text);
        }
        if self.inside.of(Tag::Title) > 0 && !self.titles.is_empty() {
            self.title_text.push_str(text);
        }
        let is_blank_only = text.bytes().all(is_blank)
            || (has_double_nbsp(text) && text.replace(DOUBLE_NBSP, "").bytes().all(is_blank));
        let sight = if is_blank_only { Sight::Visible } else { self.styles.sight() };
        match sight {
            Sight::LowContrast => self.facts.font_low_contrast = true,
            Sight::InvalidColor => self.facts.font_invalid_color = true,
            Sight::Visible | Sight::Hidden => {}
        }
        let is_wide = self.is_wide || has_wide(text);
        let before = self.text.get(self.last_start..).and_then(|last| last.chars().next_back());
        if text.chars().next().is_some_and(|c| is_of_word(c, is_wide))
            && before.is_some_and(|c| is_of_word(c, self.last_is_wide))
        {
            self.facts.obfuscations += 1;
        }
        self.last_is_wide = is_wide;
        self.show(text, sight == Sight::Visible);
    }

    /// White space that stands for markup: it takes the place of a blank at the end of the text before.
    fn gap(&mut self, gap: Gap) {
        if gap == Gap::No {
            return;
        }
        if self.last == Chunk::Visible && self.text.len() > self.last_start && self.text.ends_with(' ') {
            self.text.pop();
        }
        self.last_start = self.text.len();
        self.text.push_str(gap.text());
        self.last = Chunk::Gap;
    }

    /// Text with its runs of white space made one blank each.
    fn show(&mut self, text: &str, is_visible: bool) {
        let start = self.text.len();
        match has_double_nbsp(text) {
            false => self.push_squeezed(text),
            true => {
                for (index, piece) in text.split(DOUBLE_NBSP).enumerate() {
                    if index > 0 {
                        self.text.push(' ');
                    }
                    self.push_squeezed(piece);
                }
            }
        }
        if self.last == Chunk::Gap
            && is_visible
            && self.text.get(start..).is_some_and(|chunk| chunk.starts_with(' '))
        {
            self.text.remove(start);
        }
        if !is_visible && self.text.len() > start {
            self.hidden += self.text.len() - start;
            match self.invisible.last_mut() {
                Some(range) if range.end == start => range.end = self.text.len(),
                _ => self.invisible.push(start..self.text.len()),
            }
        }
        self.last = if is_visible { Chunk::Visible } else { Chunk::Invisible };
        self.last_start = start;
    }

    fn push_squeezed(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut done = 0;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if !is_blank(byte) {
                at += 1;
                continue;
            }
            let run = bytes.get(at..).unwrap_or_default();
            let len = run.iter().position(|&byte| !is_blank(byte)).unwrap_or(run.len());
            if len > 1 || byte != b' ' {
                self.text.push_str(text.get(done..at).unwrap_or(""));
                self.text.push(' ');
                done = at + len;
            }
            at += len;
        }
        self.text.push_str(text.get(done..).unwrap_or(""));
    }

    fn finish(mut self) -> Html<'m> {
        let anchor_text: &'m str = self.arena.alloc_str(&self.anchor_text);
        let ends = self.anchors.iter().skip(1).map(|next| next.start).chain([anchor_text.len()]);
        self.facts.anchors = self
            .anchors
            .iter()
            .zip(ends)
            .map(|(anchor, end)| Anchor {
                href: anchor.href,
                text: anchor_text.get(anchor.start..end).unwrap_or(""),
            })
            .collect();
        let title_text: &'m str = self.arena.alloc_str(&self.title_text);
        let ends = self.titles.iter().skip(1).copied().chain([title_text.len()]);
        self.facts.titles = self
            .titles
            .iter()
            .zip(ends)
            .map(|(&start, end)| title_text.get(start..end).unwrap_or(""))
            .collect();
        self.facts.title = self.facts.titles.first().copied().unwrap_or("").trim();
        self.facts.max_size = self.styles.max_size;
        self.facts.min_size = self.styles.min_size;
        self.facts.inside = self.inside;
        self.facts.invisible_bytes = self.hidden;
        let Renderer { text, invisible, links, facts, is_cut, .. } = self;
        Html { text, invisible, links, facts, is_cut }
    }
}

/// Whether a tag is one of Microsoft Office (`o:p`, `st1:place`).
fn is_office(name: &str) -> bool {
    let Some((space, local)) = name.split_once(':') else { return false };
    let local = local.strip_suffix('/').unwrap_or(local);
    let is_space = space == "o"
        || space.strip_prefix("st").is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()));
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    is_space && !local.is_empty() && local.bytes().all(is_word)
}

/// Whether there is a character beyond Latin-1.
pub fn has_wide(text: &str) -> bool {
    !text.is_ascii() && text.bytes().any(|byte| byte >= 0xc4)
}

/// Perl knows white space beyond ASCII in Unicode text only.
fn is_white(c: char, is_wide: bool) -> bool {
    matches!(c, '\t'..='\r' | ' ') || (is_wide && c.is_whitespace())
}

/// Neither white space nor ASCII punctuation.
fn is_of_word(c: char, is_wide: bool) -> bool {
    !c.is_ascii_punctuation() && !is_white(c, is_wide)
}

/// A width or height; `part` pixels for one per cent, 200 for what is not a number.
fn pixels(value: &str, part: f64) -> f64 {
    let (digits, scale) = value.strip_suffix('%').map_or((value, 1.0), |digits| (digits, part));
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let size = if is_number { digits.parse().unwrap_or(0.0) * scale } else { 0.0 };
    if size > 0.0 { size } else { 200.0 }
}

/// The charset in the content of `<meta http-equiv=content-type>`.
fn declared_charset(content: &str) -> Option<&str> {
    let lower = content.to_ascii_lowercase();
    let (at, _) = lower.match_indices("charset").find(|(at, word)| {
        let before = lower.get(..*at).and_then(|before| before.chars().next_back());
        let after = lower.get(at + word.len()..).unwrap_or("").trim_start();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') && after.starts_with('=')
    })?;
    let value = content.get(at..)?.split_once('=')?.1.trim_start();
    let value = value.strip_prefix(['"', '\'']).unwrap_or(value);
    value.split(['"', '\'']).next().filter(|value| !value.is_empty())
}

/// Whether the `face` of a font is a list of names as fonts have them.
fn is_font_face(face: &str) -> bool {
    let start = face.trim_start();
    let list = start.strip_suffix(';').unwrap_or(start);
    let mut names = list.split(',');
    let first = names.next().unwrap_or("");
    let unquoted = first.strip_prefix(['"', '\'', '.']).unwrap_or(first);
    let has_blank = unquoted.starts_with(' ') || (unquoted.len() == first.len() && face.starts_with(' '));
    is_font_name(unquoted.trim_start_matches(' '), has_blank)
        && names.all(|name| {
            let name = name.trim_start();
            is_font_name(name.strip_prefix(['"', '\'']).unwrap_or(name), false)
        })
}

/// Letters, blanks and hyphens between two letters (one will do after a blank), a digit, a quote.
fn is_font_name(name: &str, has_blank: bool) -> bool {
    let name = name.strip_suffix(['"', '\'']).unwrap_or(name);
    let name = name.strip_suffix(|c: char| c.is_ascii_digit()).unwrap_or(name).as_bytes();
    let (Some(first), Some(last)) = (name.first(), name.last()) else { return false };
    (has_blank || (name.len() > 1 && first.is_ascii_alphabetic()))
        && last.is_ascii_alphabetic()
        && name.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b' ' | b'-'))
}
