//! One picture in a mail that says nothing else, through the whole engine.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

use super::truth::Truth;
use crate::{
    budget::{Budget, Stage},
    cli::failure::Failure,
    engine::Engine,
    media,
    pipeline::{self, Mail, Scratch},
    profile::{Policy, Profile},
    verdict::Verdict,
    wire::request::Envelope,
};

/// What an engine makes of pictures.
pub struct Judge<'e> {
    engine: &'e Engine,
    scratch: Scratch,
    /// All that there is.
    seeing: Profile,
    /// Without pictures and documents.
    blind: Profile,
    budget: Duration,
}

/// What came of one picture.
#[derive(Debug, Serialize)]
pub struct Outcome {
    pub words: usize,
    pub found: usize,
    /// Words read that are not there.
    pub invented: usize,
    pub codes: usize,
    pub codes_found: usize,
    /// Symbols with a score above 0 that the mail has for what its picture says.
    pub symbols: Vec<String>,
    /// CPU time of the scan and of the worker that read, in ms.
    pub cpu_ms: f64,
    pub text: String,
    pub skipped: usize,
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

impl Outcome {
    /// As a line of JSON.
    ///
    /// # Errors
    /// None in practice.
    pub fn line(&self, truth: &Truth) -> Result<String, Failure> {
        let line = Line { file: &truth.file, outcome: self };
        Ok(simd_json::to_string(&line).map_err(Failure::software)? + "\n")
    }
}

impl<'e> Judge<'e> {
    pub fn new(engine: &'e Engine, budget: Duration) -> Judge<'e> {
        let seeing = Profile { on_partial: Policy::Accept, read_decided: true, ..Profile::external() };
        let stages = seeing.stages.with(Stage::Media, false).with(Stage::Pdf, false);
        let blind = Profile { stages, ..seeing.clone() };
        Judge { engine, scratch: engine.scratch(), seeing, blind, budget }
    }

    /// Judges one file.
    ///
    /// # Errors
    /// There is no OCR worker.
    pub fn judge(&mut self, truth: &Truth, bytes: &[u8]) -> Result<Outcome, Failure> {
        let mail = mail(bytes);
        let before = self.scan(&mail, false);
        let (started, worked) = (thread_time(), self.engine.ocr.counts().cpu_us);
        let verdict = self.scan(&mail, true);
        let cpu = thread_time().saturating_sub(started)
            + Duration::from_micros(self.engine.ocr.counts().cpu_us.saturating_sub(worked));
        let text = verdict.texts.iter().map(|text| text.text.as_str()).collect::<Vec<_>>().join("\n");
        let (words, found, invented) = truth.compare(&text);
        let read = |code: &&String| text.lines().any(|line| line == **code);
        let known = |name: &str| before.symbols.iter().any(|symbol| *symbol.name == *name);
        let new = verdict.symbols.iter().filter(|symbol| symbol.score > 0.0 && !known(&symbol.name));
        Ok(Outcome {
            words,
            found,
            invented,
            codes: truth.codes.len(),
            codes_found: truth.codes.iter().filter(read).count(),
            symbols: new.map(|symbol| symbol.name.to_string()).collect(),
            cpu_ms: cpu.as_secs_f64() * 1e3,
            skipped: verdict.skipped.len(),
            text,
        })
    }

    fn scan(&mut self, raw: &[u8], seeing: bool) -> Verdict {
        let profile = if seeing { &self.seeing } else { &self.blind };
        let mail = Mail { raw, envelope: &Envelope::default(), profile };
        pipeline::scan(self.engine, &mut self.scratch, mail, Budget::new(self.budget), &())
    }
}

/// CPU time of this thread.
pub fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// A mail that shows a picture, or has a document attached, and says nothing else.
fn mail(bytes: &[u8]) -> Vec<u8> {
    let kind = media::sniff(bytes).map_or("octet-stream", media::Kind::name);
    let (kind, shown) = match kind {
        "pdf" => ("application/pdf".to_owned(), "<p>See below.</p>"),
        kind => (format!("image/{kind}"), "<img src=\"cid:shown\">"),
    };
    let mut mail = format!(
        "From: Ann Smith <ann@mail.example>\r\nTo: you@example.net\r\nSubject: hello\r\n\
         Date: Mon, 5 May 2025 10:00:00 +0000\r\nMessage-ID: <1@mail.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/related; boundary=part\r\n\r\n--part\r\nContent-Type: text/html\r\n\r\n\
         <html><body>{shown}</body></html>\r\n--part\r\nContent-Type: {kind}\r\nContent-ID: <shown>\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    );
    for line in bytes.chunks(57) {
        base64(line, &mut mail);
        mail.push_str("\r\n");
    }
    mail.push_str("--part--\r\n");
    mail.into_bytes()
}

/// RFC 2045, section 6.8.
fn base64(bytes: &[u8], text: &mut String) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let mut three = [0; 4];
        three[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(three);
        for place in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > group.len() { '=' } else { letter.into() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        // RFC 4648, section 10.
        for (bytes, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            let mut text = String::new();
            base64(bytes.as_bytes(), &mut text);
            assert_eq!(text, expected);
        }
    }
}
