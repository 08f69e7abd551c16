//! The second half of a scan: pictures and documents, and what they say.

use std::{sync::Arc, time::Instant};

use super::{Publish, Scan};
use crate::{
    budget::{Stage, Why},
    media::{self, Said},
    mime::Message,
    ocr,
    render::{self, LateText, Origin},
    verdict::{FoundUri, ReadText, millis},
};

impl Scan<'_> {
    /// Looks into every picture and document.
    pub(super) fn attachments(&mut self, message: &Message<'_>, slot: &dyn Publish) {
        for (index, part) in message.leaves() {
            let bytes = part.decoded(message);
            let Some(kind) = media::sniff(bytes) else { continue };
            let place = format!("part {index}");
            let stage = if kind == media::Kind::Pdf { Stage::Pdf } else { Stage::Media };
            if !self.mail.profile.stages.has(stage) {
                self.budget.skip(stage, place, Why::Disabled);
            } else if self.budget.expired() {
                self.budget.skip(stage, place, Why::Deadline);
            } else {
                self.attachment(stage, kind, bytes, &place);
                slot.publish(self.verdict());
            }
        }
    }

    fn attachment(&mut self, stage: Stage, kind: media::Kind, bytes: &[u8], place: &str) {
        let started = Instant::now();
        let stages = self.mail.profile.stages;
        // What was left out for a profile or for want of time is not what the attachment says.
        let memory = (stages.has(Stage::Ocr) && stages.has(Stage::Qr)).then_some(&self.engine.memory);
        let known = memory.map(|memory| (memory, memory.key(bytes)));
        let said = match known.and_then(|(memory, key)| memory.recall(key)) {
            Some(said) => said,
            None => {
                let Some((said, complete)) = self.look(stage, kind, bytes, place) else { return };
                let said = Arc::new(said);
                if let Some((memory, key)) = known.filter(|_| complete && !self.budget.expired()) {
                    memory.remember(key, Arc::clone(&said));
                }
                said
            }
        };
        self.tell(kind, &said, place, started);
    }

    /// Decodes an attachment and has its pages read. Also says whether that was done to the end.
    fn look(&mut self, stage: Stage, kind: media::Kind, bytes: &[u8], place: &str) -> Option<(Said, bool)> {
        let extracted =
            self.timed(stage, |scan| media::extract(kind, bytes, &scan.engine.media, &scan.budget));
        let extract = match extracted {
            Ok(extract) => extract,
            Err(error) => {
                self.budget.skip(stage, place, error.why());
                return None;
            }
        };
        let mut complete = true;
        let mut said =
            Said { frames: extract.frames, text: extract.text, uris: extract.uris, ..Said::default() };
        if self.mail.profile.stages.has(Stage::Qr) {
            said.codes = extract.codes;
        } else if !extract.codes.is_empty() {
            self.budget.skip(Stage::Qr, place, Why::Disabled);
        }
        for (label, page) in extract.pages {
            match self.read(&page, &within(place, &label)) {
                Some(reading) => {
                    complete &= reading.complete;
                    if !reading.text.is_empty() {
                        said.readings.push((label, reading.text, reading.confidence));
                    }
                }
                None => complete = false,
            }
        }
        Some((said, complete))
    }

    /// Notes what an attachment says.
    fn tell(&mut self, kind: media::Kind, said: &Said, place: &str, started: Instant) {
        let mut text = ReadText {
            place: place.to_owned(),
            kind: kind.name(),
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
        for (label, code) in &said.codes {
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

    /// Has a page read by an OCR worker; what was not read is named as skipped.
    fn read(&mut self, page: &ocr::Page, place: &str) -> Option<ocr::Reading> {
        if !self.mail.profile.stages.has(Stage::Ocr) {
            self.budget.skip(Stage::Ocr, place, Why::Disabled);
            return None;
        }
        let deadline = self.budget.cutoff();
        match self.timed(Stage::Ocr, |scan| scan.engine.ocr.read(page, deadline)) {
            Ok(reading) => {
                if !reading.complete {
                    self.budget.skip(Stage::Ocr, place, Why::Deadline);
                }
                Some(reading)
            }
            Err(error) => {
                self.budget.skip(Stage::Ocr, place, error.why());
                None
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

/// A place inside an attachment.
fn within(place: &str, label: &str) -> String {
    if label.is_empty() { place.to_owned() } else { format!("{place}, {label}") }
}
