//! The second half of a scan: pictures and documents, and what they say.

use std::{borrow::Cow, collections::HashMap, sync::Arc, time::Instant};

use memchr::memmem;

use super::{Looked, Publish, ReadPage, Scan, Scratch};
use crate::{
    budget::{Stage, Why},
    media::{self, Again, Extract, Kind, Said, layout},
    mime::{Message, TextKind},
    ocr,
    render::{self, LateText, Origin},
    verdict::{FoundUri, ReadText, millis},
};

/// Pictures inside of HTML, as `data:`, that are looked at.
const MOST_INLINE: usize = 100;

/// Whether there may be anything to look into: without decoding more of it than its beginning.
pub(super) fn are_in(message: &Message<'_>) -> bool {
    message.leaves().any(|(_, part)| {
        let text = part.text_kind().map(|kind| (kind == TextKind::Html, part.decoded(message)));
        media::may_be(part.beginning(message, media::BEGINNING))
            || text.is_some_and(|(is_html, text)| {
                is_html && holds_data(text) || media::may_draw_codes(text, is_html)
            })
    })
}

// A scheme is written in any case, and mostly in this one.
fn holds_data(html: &[u8]) -> bool {
    [&b"data:image"[..], b"DATA:image", b"Data:image"].iter().any(|start| memmem::find(html, start).is_some())
}

/// A picture or document of a message.
struct Attachment<'m> {
    place: String,
    kind: Kind,
    bytes: Cow<'m, [u8]>,
}

/// All there is to look into, and which of it lies side by side as tiles, by index.
fn collect<'m>(message: &Message<'m>) -> (Vec<Attachment<'m>>, Vec<Vec<Vec<usize>>>) {
    let mut found = Vec::new();
    let mut names: HashMap<&str, usize> = HashMap::new();
    for (index, part) in message.leaves() {
        if !media::may_be(part.beginning(message, media::BEGINNING)) {
            continue;
        }
        let bytes = part.decoded(message);
        if let Some(kind) = media::sniff(bytes) {
            names.extend(part.content_id.map(|id| (id, found.len())));
            found.push(Attachment { place: format!("part {index}"), kind, bytes: Cow::Borrowed(bytes) });
        }
    }
    let mut groups = Vec::new();
    let mut inline = 0;
    for (index, part) in message.leaves().filter(|(_, part)| part.text_kind() == Some(TextKind::Html)) {
        for group in layout::groups(part.text(message)) {
            let mut source = |source: &&str| {
                if let Some(bytes) = layout::data(source).filter(|_| inline < MOST_INLINE) {
                    let kind = media::sniff(&bytes)?;
                    inline += 1;
                    let place = format!("part {index}, data {inline}");
                    found.push(Attachment { place, kind, bytes: Cow::Owned(bytes) });
                    return Some(found.len() - 1);
                }
                let id = source.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("cid:"))?;
                names.get(&source[id.len()..]).copied()
            };
            // A row with a picture that is elsewhere is no row of tiles, but those inside of the HTML are found.
            let rows =
                group.iter().map(|row| row.iter().map(&mut source).collect::<Vec<_>>()).collect::<Vec<_>>();
            let rows: Option<Vec<Vec<usize>>> =
                rows.into_iter().map(|row| row.into_iter().collect()).collect();
            groups.extend(rows.filter(|rows| rows.iter().map(Vec::len).sum::<usize>() > 1));
        }
    }
    (found, groups)
}

impl Scan<'_> {
    /// Looks into every picture and document.
    pub(super) fn attachments(&mut self, message: &Message<'_>, scratch: &mut Scratch, slot: &dyn Publish) {
        if self.mail.profile.stages.has(Stage::Qr) {
            self.drawn(message);
        }
        let (found, groups) = collect(message);
        let mut joined = vec![false; found.len()];
        let media = self.mail.profile.stages.has(Stage::Media);
        for rows in groups.into_iter().filter(|_| media) {
            // Each picture is in one place: a page may show the same one many times.
            let mut places: Vec<usize> = rows.iter().flatten().copied().collect();
            places.sort_unstable();
            if places.windows(2).any(|pair| pair[0] == pair[1]) || places.iter().any(|&index| joined[index]) {
                continue;
            }
            // Below the tiles there may be another picture, or one above them.
            let parts: Vec<&[Vec<usize>]> = match self.joined(&found, &rows) {
                true => vec![&rows],
                false => rows.chunks(1).filter(|row| row[0].len() > 1 && self.joined(&found, row)).collect(),
            };
            for &index in parts.into_iter().flatten().flatten() {
                joined[index] = true;
            }
            self.hand_up(scratch, slot);
        }
        for (attachment, _) in found.into_iter().zip(joined).filter(|(_, joined)| !joined) {
            let Attachment { place, kind, bytes } = attachment;
            let stage = if kind == Kind::Pdf { Stage::Pdf } else { Stage::Media };
            if !self.mail.profile.stages.has(stage) {
                self.budget.skip(stage, place, Why::Disabled);
            } else if self.budget.expired() {
                self.budget.skip(stage, place, Why::Deadline);
            } else {
                self.attachment(stage, kind, &bytes, &place);
                self.hand_up(scratch, slot);
            }
        }
    }

    /// Says what is known by now. Bayes comes when all is read, so that this is never all.
    fn hand_up(&mut self, scratch: &mut Scratch, slot: &dyn Publish) {
        self.looked.drain(..).for_each(|looked| slot.looked(looked));
        // The next picture may take what time there is.
        if self.judged < self.late.len() && self.budget.left() < self.budget.allowance() / 2 {
            self.late_rules(scratch);
            self.judge();
        }
        slot.publish(self.unfinished(Stage::Media));
    }

    /// Reads the codes that text parts draw.
    fn drawn(&mut self, message: &Message<'_>) {
        for (index, part) in message.leaves() {
            let Some(kind) = part.text_kind() else { continue };
            let is_html = kind == TextKind::Html;
            if self.budget.expired() || !media::may_draw_codes(part.decoded(message), is_html) {
                continue;
            }
            let started = Instant::now();
            let media::Codes { texts, is_cut } =
                self.timed(Stage::Qr, |scan| media::drawn_codes(part.text(message), is_html, &scan.budget));
            if is_cut {
                self.budget.skip(Stage::Qr, format!("part {index}"), Why::Deadline);
            }
            let codes: Vec<_> = texts.into_iter().map(|code| (String::new(), code)).collect();
            if !codes.is_empty() {
                let said = Said { frames: 1, codes, ..Said::default() };
                let kind = if is_html { "html" } else { "text" };
                self.tell(kind, &said, &format!("part {index}"), started);
            }
        }
    }

    /// Looks at a picture that was cut into tiles; `false` where they are no pieces of one.
    fn joined(&mut self, found: &[Attachment<'_>], rows: &[Vec<usize>]) -> bool {
        let started = Instant::now();
        let Some(first) = rows.first().and_then(|row| found.get(*row.first()?)) else { return false };
        let tiles: Vec<Vec<&[u8]>> =
            rows.iter().map(|row| row.iter().map(|&index| &*found[index].bytes).collect()).collect();
        let place =
            format!("{} and {} more tiles", first.place, rows.iter().map(Vec::len).sum::<usize>() - 1);
        // The same tiles may lie in other rows.
        let lengths = tiles.iter().flat_map(|row| row.iter().map(|tile| tile.len()).chain([usize::MAX]));
        let content = [tiles.concat().concat(), lengths.flat_map(usize::to_le_bytes).collect()].concat();
        let look = |scan: &mut Self| {
            let extract =
                scan.timed(Stage::Media, |scan| media::join(&tiles, &scan.engine.media, &scan.budget))?;
            let left_out = extract.left_out;
            left_out.into_iter().for_each(|why| scan.budget.skip(Stage::Media, &*place, why));
            let (said, complete) = scan.have_read(extract, &place);
            Some((said, complete && left_out.is_none()))
        };
        let said = self.remembered(&content, look);
        if let Some(said) = &said {
            self.tell(first.kind.name(), said, &place, started);
        }
        said.is_some()
    }

    fn attachment(&mut self, stage: Stage, kind: Kind, bytes: &[u8], place: &str) {
        let started = Instant::now();
        let look = |scan: &mut Self| match scan
            .timed(stage, |scan| media::extract(kind, bytes, &scan.engine.media, &scan.budget))
        {
            Ok(extract) => {
                let left_out = extract.left_out;
                left_out.into_iter().for_each(|why| scan.budget.skip(stage, place, why));
                let (said, complete) = scan.have_read(extract, place);
                Some((said, complete && left_out.is_none()))
            }
            Err(error) => {
                scan.budget.skip(stage, place, error.why());
                None
            }
        };
        if let Some(said) = self.remembered(bytes, look) {
            self.tell(kind.name(), &said, place, started);
        }
    }

    /// What a content says, from memory or by looking; `look` also says whether that was done to the end.
    fn remembered(
        &mut self,
        content: &[u8],
        look: impl FnOnce(&mut Self) -> Option<(Said, bool)>,
    ) -> Option<Arc<Said>> {
        let stages = self.mail.profile.stages;
        // What was left out for a profile or for want of time is not what the attachment says.
        let all = stages.has(Stage::Ocr) && stages.has(Stage::Qr);
        // Who wants to see pictures wants to see those that came before, too.
        let memory = (all && self.engine.media.shown == 0).then_some(&self.engine.memory);
        let known = memory.map(|memory| (memory, memory.key(content)));
        if let Some(said) = known.and_then(|(memory, key)| memory.recall(key)) {
            return Some(said);
        }
        let (said, complete) = look(self)?;
        let said = Arc::new(said);
        if let Some((memory, key)) = known.filter(|_| complete && !self.budget.expired()) {
            memory.remember(key, Arc::clone(&said));
        }
        Some(said)
    }

    /// Has the pages of an attachment read. Also says whether that was done to the end.
    fn have_read(&mut self, extract: Extract, place: &str) -> (Said, bool) {
        let mut complete = true;
        let Extract { frames, text, uris, actions, .. } = extract;
        let mut said = Said { frames, text, uris, actions, ..Said::default() };
        if self.mail.profile.stages.has(Stage::Qr) {
            said.codes = extract.codes;
        } else if !extract.codes.is_empty() {
            self.budget.skip(Stage::Qr, place, Why::Disabled);
        }
        let mut pages = Vec::new();
        for (label, page, again) in extract.pages {
            let started = Instant::now();
            let (reading, other) = self.read(&page, again, &within(place, &label));
            complete &= reading.as_ref().is_some_and(|reading| reading.complete);
            if self.engine.media.shown > 0 {
                let words = reading.as_ref().map(|reading| reading.words.clone());
                let page = other.unwrap_or(page);
                pages.push(ReadPage { label: label.clone(), page, words, time: started.elapsed() });
            }
            if let Some(reading) = reading.filter(|reading| !reading.text.is_empty()) {
                said.readings.push((label, reading.text, reading.confidence));
            }
        }
        if self.engine.media.shown > 0 {
            self.looked.push(Looked { place: place.to_owned(), seen: extract.seen, pages });
        }
        (said, complete)
    }

    /// Notes what an attachment says.
    fn tell(&mut self, kind: &'static str, said: &Said, place: &str, started: Instant) {
        let mut text = ReadText {
            place: place.to_owned(),
            kind,
            frames: said.frames,
            text: String::new(),
            confidence: 100,
            ms: 0.0,
        };
        if !said.text.is_empty() {
            self.found(Origin::Pdf, place.to_owned(), &said.text, &mut text);
        }
        for uri in &said.uris {
            self.found_uri(Origin::Pdf, uri.clone());
        }
        for action in &said.actions {
            let (origin, place) = (Origin::Action, place.to_owned());
            self.late.push(LateText { origin, place, text: action.clone() });
        }
        for (label, code) in &said.codes {
            if is_link(code) {
                self.found_uri(Origin::Qr, code.clone());
            }
            self.found(Origin::Qr, within(place, label), code, &mut text);
        }
        for (label, reading, confidence) in &said.readings {
            text.confidence = text.confidence.min(*confidence);
            self.found(Origin::Ocr, within(place, label), reading, &mut text);
        }
        text.ms = millis(started.elapsed());
        if !text.text.is_empty() {
            self.findings.texts.push(text);
        }
    }

    /// Has a page read by an OCR worker; what was not read is named as skipped. Also returns the page that was read
    /// instead, if one was.
    fn read(
        &mut self,
        page: &ocr::Page,
        again: Again,
        place: &str,
    ) -> (Option<ocr::Reading>, Option<ocr::Page>) {
        if !self.mail.profile.stages.has(Stage::Ocr) {
            self.budget.skip(Stage::Ocr, place, Why::Disabled);
            return (None, None);
        }
        let (engine, deadline) = (self.engine, self.budget.cutoff());
        let key = (engine.media.shown == 0).then(|| engine.memory.page_key(page));
        if let Some(reading) =
            key.and_then(|key| engine.memory.recall_page(key)).and_then(|said| known(&said))
        {
            return (Some(reading), None);
        }
        match self.timed(Stage::Ocr, |_| engine.ocr.read_twice(page, || again.page(), deadline)) {
            Ok((reading, other)) => {
                match key {
                    _ if !reading.complete => self.budget.skip(Stage::Ocr, place, Why::Deadline),
                    Some(key) => {
                        let readings = vec![(String::new(), reading.text.clone(), reading.confidence)];
                        engine.memory.remember(key, Arc::new(Said { readings, ..Said::default() }));
                    }
                    None => {}
                }
                (Some(reading), other)
            }
            Err(error) => {
                self.budget.skip(Stage::Ocr, place, error.why());
                (None, None)
            }
        }
    }

    /// Notes text that was found late, for the verdict and for the second round of rules and Bayes.
    fn found(&mut self, origin: Origin, place: String, text: &str, read: &mut ReadText) {
        for uri in render::uris_in(text) {
            self.found_uri(origin, uri);
        }
        if !read.text.is_empty() {
            read.text.push('\n');
        }
        read.text.push_str(text);
        self.late.push(LateText { origin, place, text: text.to_owned() });
    }

    fn found_uri(&mut self, origin: Origin, uri: String) {
        let found = FoundUri { uri, origin: origin.name() };
        if !self.findings.uris.contains(&found) {
            self.findings.uris.push(found);
        }
    }
}

/// Whether a code is a link as a whole, to a host of whatever kind: what a telephone opens.
fn is_link(code: &str) -> bool {
    let scheme = code.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        && !code.contains(char::is_whitespace)
}

/// The reading of a page that was read before.
fn known(said: &Said) -> Option<ocr::Reading> {
    let (_, text, confidence) = said.readings.first()?;
    Some(ocr::Reading {
        text: text.clone(),
        confidence: *confidence,
        complete: true,
        ..ocr::Reading::default()
    })
}

/// A place inside an attachment.
fn within(place: &str, label: &str) -> String {
    if label.is_empty() { place.to_owned() } else { format!("{place}, {label}") }
}

#[cfg(test)]
mod tests;
