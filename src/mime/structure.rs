//! The tree of parts: multipart boundaries (RFC 2046), messages inside messages, and the caps on both.

use std::cell::{Cell, OnceCell};

use bumpalo::collections::Vec as ArenaVec;
use memchr::{memchr, memmem};

use super::{
    Arena, Damage, Header, Limits, Part,
    content::{self, MediaType},
    headers::{self, is_space},
    lines,
    time::Time,
    transfer,
};

/// Collects the parts of one message, parents before children.
pub(super) struct Parser<'m, 'l> {
    pub arena: &'m Arena,
    pub limits: &'l Limits,
    pub time: &'l Time,
    pub parts: Vec<Part<'m>>,
    /// All faults found in the structure, of whatever part.
    pub damage: Damage,
}

/// Where an entity hangs in the tree.
#[derive(Clone, Copy)]
struct Place<'m> {
    parent: Option<usize>,
    depth: usize,
    /// The boundary of the multipart around, which serves an inner one that lacks its own.
    boundary: Option<&'m [u8]>,
    /// What a part without Content-Type is.
    default: MediaType<'m>,
    crlf: bool,
    in_multipart: bool,
}

/// What the body of an entity is.
struct Body<'m> {
    bytes: &'m [u8],
    /// Whether the LF after `bytes` went to a boundary.
    lf_cut: bool,
    /// Whether a multipart in it starts with a body although its first line may look like a header.
    preamble: bool,
    damage: Damage,
}

impl Body<'_> {
    /// Whether a multipart message without parts starts with text right away, and goes on for more than a line.
    fn has_headless_start(&self, boundary: &[u8]) -> bool {
        let first = headers::line_at(self.bytes, 0).unwrap_or_default();
        let is_boundary =
            !boundary.is_empty() && first.strip_prefix(b"--").is_some_and(|rest| rest.starts_with(boundary));
        self.preamble && first.len() < self.bytes.len() && !headers::trim(first).is_empty() && !is_boundary
    }
}

const PLAIN: MediaType<'static> = MediaType { kind: "text", subkind: "plain" };
const MESSAGE: MediaType<'static> = MediaType { kind: "message", subkind: "rfc822" };

/// Without the `From ` line that mbox files put before a message.
pub(super) fn without_mbox_line(raw: &[u8]) -> &[u8] {
    let is_mbox = raw.starts_with(b"From")
        && raw.get(4).is_some_and(|byte| is_space(*byte))
        && raw.get(4..).and_then(|rest| rest.iter().find(|byte| !is_space(**byte))) != Some(&b':');
    if !is_mbox {
        return raw;
    }
    memchr(b'\n', raw).and_then(|lf| raw.get(lf + 1..)).unwrap_or_default()
}

/// Whether line ends are CRLF: the first or the last line tells.
pub(super) fn is_crlf(raw: &[u8]) -> bool {
    raw.ends_with(b"\r\n")
        || memchr(b'\n', raw).is_some_and(|lf| raw.get(..lf).is_some_and(|line| line.ends_with(b"\r")))
}

impl<'m> Parser<'m, '_> {
    /// Parses a whole message; `raw` has no mbox line. Returns where its body starts.
    pub fn message(&mut self, raw: &'m [u8], parent: Option<usize>, depth: usize, crlf: bool) -> usize {
        let section = headers::message_section(raw, crlf);
        let mut damage = section.damage;
        let block = raw.get(..section.fields).unwrap_or_default();
        let block = if crlf { transfer::to_lf(block, self.arena) } else { block };
        let fields = headers::fields(block, false, self.limits, self.arena, &mut damage);
        let bytes = lines::without_blank_runs(raw.get(section.body..).unwrap_or_default(), self.arena);
        let place = Place { parent, depth, boundary: None, default: PLAIN, crlf, in_multipart: false };
        self.entity(fields, Body { bytes, lf_cut: false, preamble: true, damage }, place);
        section.body
    }

    fn entity(&mut self, fields: &'m [Header<'m>], mut body: Body<'m>, place: Place<'m>) {
        if self.parts.len() >= self.limits.parts {
            self.damage |= Damage::TOO_MANY_PARTS;
            return;
        }
        // The root has to be there.
        if !self.parts.is_empty() && self.time.is_up() {
            return;
        }
        let content_type = headers::last_value(fields, "Content-Type", self.arena).unwrap_or_default();
        let mut media_type = content::media_type(content_type, self.arena).unwrap_or(place.default);
        let mut damage = body.damage;
        let mut boundary = None;
        if media_type.kind == "multipart" {
            boundary = content::parameter(content_type, "boundary", self.arena)
                .map(|boundary| boundary.trim_end().as_bytes())
                .filter(|boundary| !boundary.is_empty())
                .or(place.boundary);
            if boundary.is_none() {
                media_type = PLAIN;
                damage |= Damage::NO_BOUNDARY;
                if body.has_headless_start(b"") {
                    // SpamAssassin looks for parts from an empty line on, and keeps it when there are none.
                    let mut bytes = ArenaVec::with_capacity_in(body.bytes.len() + 1, self.arena);
                    bytes.push(b'\n');
                    bytes.extend_from_slice_copy(body.bytes);
                    body.bytes = bytes.into_bump_slice();
                }
            }
        }
        let index = self.parts.len();
        let part = self.part(fields, media_type, content_type, &body, place);
        self.parts.push(part);
        let multipart = media_type.kind == "multipart";
        let message = media_type.kind == "message" && matches!(media_type.subkind, "rfc822" | "global");
        if (multipart || message) && place.depth >= self.limits.depth {
            damage |= Damage::TOO_DEEP;
        } else if multipart && let Some(boundary) = boundary {
            damage |= self.multipart(index, body, boundary, media_type, place);
        } else if message {
            self.inner_message(index, place);
        }
        self.damage |= damage;
        if let Some(part) = self.parts.get(index) {
            part.damage.set(part.damage.get() | damage);
        }
    }

    fn part(
        &self,
        headers: &'m [Header<'m>],
        media_type: MediaType<'m>,
        content_type: &'m str,
        body: &Body<'m>,
        place: Place<'m>,
    ) -> Part<'m> {
        let arena = self.arena;
        let disposition = headers::last_value(headers, "Content-Disposition", arena).unwrap_or_default();
        let parameter = |value: &'m str, name| {
            if value.is_empty() { None } else { content::parameter(value, name, arena) }
        };
        let name = parameter(disposition, "filename")
            .or_else(|| parameter(disposition, "name"))
            .or_else(|| parameter(content_type, "name"))
            .or_else(|| parameter(content_type, "filename"))
            .filter(|name| !name.is_empty());
        let plain =
            |value: &'m str| ["filename", "name"].iter().find_map(|name| content::plain(value, name, arena));
        let named_html =
            name.is_some() && plain(disposition).or_else(|| plain(content_type)).is_some_and(is_html_name);
        let charset = content::token(content_type, "charset", arena).map(|charset| {
            let charset = charset.trim_matches(|quote: char| quote == '\'' || quote.is_whitespace());
            if charset.bytes().any(|byte| byte.is_ascii_uppercase()) {
                let lower = arena.alloc_str(charset);
                lower.make_ascii_lowercase();
                lower
            } else {
                charset
            }
        });
        let content_id = headers::last_value(headers, "Content-Id", arena)
            .map(|id| id.trim_start_matches('<').trim_end_matches('>'))
            .filter(|id| !id.is_empty());
        Part {
            parent: place.parent,
            depth: place.depth,
            headers,
            kind: media_type.kind,
            subkind: media_type.subkind,
            charset,
            name,
            content_id,
            is_attachment: disposition
                .get(..10)
                .is_some_and(|start| start.eq_ignore_ascii_case("attachment")),
            is_leaf: true,
            raw_body: body.bytes,
            named_html,
            crlf: place.crlf,
            lf_cut: body.lf_cut,
            in_multipart: place.in_multipart,
            damage: Cell::new(Damage::none()),
            decoded: OnceCell::new(),
            text: OnceCell::new(),
        }
    }

    /// Parses the message that is the content of part `index`; an empty one stays a leaf.
    fn inner_message(&mut self, index: usize, place: Place<'m>) {
        let Some(part) = self.parts.get_mut(index) else { return };
        // What is not encoded is parsed in place.
        let in_place = !part.is_encoded(self.arena) && !part.has_long_line();
        let raw = if in_place { part.raw_body } else { part.decode(self.arena, self.time) };
        if raw.is_empty() {
            return;
        }
        part.is_leaf = false;
        let raw = match without_mbox_line(raw) {
            [] => b"\n",
            raw => raw,
        };
        let crlf = in_place && place.crlf || is_crlf(raw);
        self.message(raw, Some(index), place.depth + 1, crlf);
    }

    /// Parses the parts of a multipart and returns what is wrong with it.
    fn multipart(
        &mut self,
        index: usize,
        body: Body<'m>,
        boundary: &'m [u8],
        media_type: MediaType<'m>,
        place: Place<'m>,
    ) -> Damage {
        if let Some(part) = self.parts.get_mut(index) {
            part.is_leaf = false;
        }
        let mut damage = Damage::none();
        let delimiter = Delimiter::new(boundary, self.arena);
        let default = if media_type.subkind == "digest" { MESSAGE } else { PLAIN };
        let (bytes, crlf) = match self.parts.get(index) {
            Some(part) if part.has_long_line() => (part.broken_body(self.arena), false),
            _ => (body.bytes, place.crlf),
        };
        let inner = Place {
            parent: Some(index),
            depth: place.depth + 1,
            boundary: Some(boundary),
            default,
            crlf,
            in_multipart: true,
        };
        let opening = delimiter.opening(bytes);
        let mut position = opening.as_ref().map_or(0, |mark| mark.end);
        let mut headless = false;
        if opening.is_none() {
            damage |= Damage::NO_BOUNDARY;
            headless = body.has_headless_start(boundary);
        }
        loop {
            let mut mark = delimiter.next(bytes, position);
            let part = |mark: &Option<Mark>| {
                let end = mark.as_ref().map_or(bytes.len(), |mark| mark.start);
                bytes.get(position..end).unwrap_or_default()
            };
            let mut chunk = part(&mark);
            if mark.is_none() && chunk.is_empty() {
                return damage | Damage::UNTERMINATED;
            }
            let (mut fields, mut content) = self.split(chunk, mark.is_some(), headless, crlf);
            if mark.is_some() && self.reuses(fields, boundary) {
                // The part is a multipart with the boundary of this one: its boundaries are all up to the
                // closing one.
                mark = delimiter.after_closing(bytes, position);
                chunk = part(&mark);
                (fields, content) = self.split(chunk, mark.is_some(), headless, crlf);
            }
            headless = false;
            if position > 0 && lacks_header(bytes.get(position..).unwrap_or_default()) {
                damage |= Damage::NO_PART_HEADERS;
            }
            // the separator that a part lacks is not lacking here
            damage |= content.damage.without(Damage::NO_SEPARATOR);
            self.entity(fields, content, inner);
            let Some(mark) = mark else { return damage | Damage::UNTERMINATED };
            if mark.closing {
                let epilogue = bytes.get(mark.end..).unwrap_or_default();
                if epilogue.iter().any(|byte| !is_space(*byte) && *byte != b'.') {
                    damage |= Damage::EPILOGUE;
                }
                return damage;
            }
            if self.damage.contains(Damage::TOO_MANY_PARTS) || self.time.is_cut() {
                return damage;
            }
            position = mark.end;
        }
    }

    /// Cuts a part into its header fields and its body.
    fn split(
        &self,
        chunk: &'m [u8],
        terminated: bool,
        headless: bool,
        crlf: bool,
    ) -> (&'m [Header<'m>], Body<'m>) {
        let section = if headless {
            headers::Section { fields: 0, body: 0, damage: Damage::none() }
        } else {
            headers::part_section(chunk, terminated)
        };
        let mut damage = section.damage;
        let block = chunk.get(..section.fields).unwrap_or_default();
        let block = if crlf { transfer::to_lf(block, self.arena) } else { block };
        let fields = headers::fields(block, true, self.limits, self.arena, &mut damage);
        let mut bytes = chunk.get(section.body..).unwrap_or_default();
        let mut lf_cut = false;
        if terminated && let Some(cut) = bytes.strip_suffix(b"\n") {
            lf_cut = true;
            bytes = if crlf { cut.strip_suffix(b"\r").unwrap_or(cut) } else { cut };
        }
        (fields, Body { bytes, lf_cut, preamble: false, damage })
    }

    /// Whether the last of `fields` declares the boundary that is in use already.
    fn reuses(&self, fields: &[Header<'m>], boundary: &[u8]) -> bool {
        fields.last().filter(|last| last.is("Content-Type")).is_some_and(|last| {
            let inner = content::parameter(last.value(self.arena), "boundary", self.arena);
            inner.is_some_and(|inner| inner.trim_end().as_bytes() == boundary)
        })
    }
}

/// Whether there is something behind a boundary, and its first line is no header.
fn lacks_header(behind: &[u8]) -> bool {
    let name = behind.iter().position(|byte| !matches!(byte, b'!'..=b'9' | b';'..=b'~'));
    !behind.is_empty() && !name.is_some_and(|end| end > 0 && behind.get(end) == Some(&b':'))
}

fn is_html_name(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["htm", "html", "shtm", "shtml"].iter().any(|html| extension.eq_ignore_ascii_case(html))
}

/// A boundary line in a body.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    start: usize,
    /// Past its LF.
    end: usize,
    closing: bool,
}

/// Finds the boundary lines of one multipart.
struct Delimiter<'m> {
    finder: memmem::Finder<'m>,
}

impl<'m> Delimiter<'m> {
    fn new(boundary: &[u8], arena: &'m Arena) -> Delimiter<'m> {
        let mut line = ArenaVec::with_capacity_in(boundary.len() + 2, arena);
        line.extend_from_slice_copy(b"--");
        line.extend_from_slice_copy(boundary);
        Delimiter { finder: memmem::Finder::new(line.into_bump_slice()) }
    }

    /// The next boundary line at or after `from`, which is the start of a line.
    fn next(&self, body: &[u8], mut from: usize) -> Option<Mark> {
        loop {
            let rest = body.get(from..)?;
            let start = from + self.finder.find(rest)?;
            from = start + self.finder.needle().len();
            let at_line_start = start == 0 || body.get(start - 1) == Some(&b'\n');
            if !at_line_start {
                continue;
            }
            let tail = body.get(from..).unwrap_or_default();
            let line = tail.get(..memchr(b'\n', tail).map_or(tail.len(), |lf| lf + 1)).unwrap_or_default();
            let (closing, blanks) = match line.strip_prefix(b"--") {
                Some(blanks) => (true, blanks),
                None => (false, line),
            };
            if blanks.iter().all(|byte| is_space(*byte)) {
                return Some(Mark { start, end: from + line.len(), closing });
            }
        }
    }

    /// The first boundary line that is not a closing one.
    fn opening(&self, body: &[u8]) -> Option<Mark> {
        let mut mark = self.next(body, 0)?;
        while mark.closing {
            mark = self.next(body, mark.end)?;
        }
        Some(mark)
    }

    /// The boundary line after the first closing one at or after `from`.
    fn after_closing(&self, body: &[u8], from: usize) -> Option<Mark> {
        let mut mark = self.next(body, from)?;
        while !mark.closing {
            mark = self.next(body, mark.end)?;
        }
        self.next(body, mark.end)
    }
}
