//! `--report DIR`: one HTML page that shows what was seen of pictures and documents, and what was read.

use std::{
    cell::RefCell,
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use html::{Text, text};

use super::failure::Failure;
use crate::{
    budget::Skipped,
    pipeline::{Looked, Publish},
    verdict::Verdict,
};

mod html;

/// Pictures of one attachment that are shown.
pub const SHOWN: usize = 60;
/// Bytes of pictures of one message or file, and of the page: a browser has to hold it.
const SECTION_BYTES: usize = 24 << 20;
const PAGE_BYTES: usize = 192 << 20;
/// Characters of what was read from one attachment.
const MOST_TEXT: usize = 20_000;

/// The page, written as messages and files come.
pub struct Report {
    path: PathBuf,
    file: BufWriter<File>,
    room: usize,
}

impl Report {
    /// Begins `index.html` in a folder, which is made where it is not there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(folder: &Path) -> Result<Report, Failure> {
        let path = folder.join("index.html");
        let failed = |error| Failure::cannot_create(format!("{}: {error}", path.display()));
        fs::create_dir_all(folder).map_err(failed)?;
        let mut file = BufWriter::new(File::create(&path).map_err(failed)?);
        file.write_all(html::HEAD.as_bytes()).map_err(failed)?;
        Ok(Report { file, room: PAGE_BYTES, path })
    }

    /// Adds a message or a file, or its name alone where the page is full.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, name: &str, section: &str) -> Result<(), Failure> {
        let written = match self.room.checked_sub(section.len()) {
            Some(room) => {
                self.room = room;
                self.file.write_all(section.as_bytes())
            }
            None => writeln!(self.file, "<p>{}: left out, the page is full</p>", text(name)),
        };
        written.map_err(|error| self.failed(error))
    }

    /// Ends the page.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> Result<(), Failure> {
        let written = self.file.write_all(html::TAIL.as_bytes()).and_then(|()| self.file.flush());
        written.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: std::io::Error) -> Failure {
        Failure::io(format!("{}: {error}", self.path.display()))
    }
}

/// What one message or file has for the page.
#[derive(Default)]
pub struct Section {
    pictures: String,
    left_out: usize,
}

impl Section {
    /// Shows the pictures of an attachment and what was read from them.
    pub fn show(&mut self, looked: &Looked) {
        let _ = writeln!(self.pictures, "<h3>{}</h3>", text(&looked.place));
        let (frames, pictures): (Vec<_>, Vec<_>) =
            looked.seen.iter().partition(|seen| matches!(seen.fate, crate::media::Fate::Frame { .. }));
        let groups = [("Frames as composed", "frames", frames), ("Pictures looked at", "chosen", pictures)];
        for (title, class, seen) in groups.into_iter().filter(|(.., seen)| !seen.is_empty()) {
            let _ = writeln!(self.pictures, "<h4>{title}</h4><div class=\"{class}\">");
            seen.into_iter().for_each(|seen| self.picture(|| html::picture(seen)));
            self.pictures.push_str("</div>\n");
        }
        if !looked.pages.is_empty() {
            self.pictures.push_str("<h4>Pages as read</h4>\n");
        }
        looked.pages.iter().for_each(|page| self.picture(|| html::page(page)));
    }

    fn picture(&mut self, draw: impl FnOnce() -> String) {
        match self.pictures.len() < SECTION_BYTES {
            true => self.pictures.push_str(&draw()),
            false => self.left_out += 1,
        }
    }

    /// The section of a message.
    pub fn of_mail(self, name: &str, verdict: &Verdict) -> String {
        let Verdict { action, score, required, elapsed_ms, budget_ms, .. } = verdict;
        let mut facts = format!(
            "<p><b>{}</b>, score {score:.1} of {required:.1}; {elapsed_ms:.1} ms of {budget_ms} ms</p>\n",
            action.name()
        );
        facts += &table(
            "Times",
            ["stage", "ms"],
            verdict.stages.iter().map(|(name, ms)| (*name, format!("{ms:.2}"))),
        );
        let symbols = verdict.symbols.iter().map(|symbol| (&*symbol.name, format!("{:.1}", symbol.score)));
        facts += &table("Symbols", ["name", "score"], symbols);
        facts += &skipped(&verdict.skipped);
        let texts = verdict.texts.iter().map(|read| (read.place.as_str(), read.text.as_str()));
        self.finish(name, &facts, texts)
    }

    /// The section of a file that is no message: `text` is what it says, `ms` how long each stage took, `skipped` what
    /// was not read and why.
    pub fn of_file(self, name: &str, read: &str, stages: &[(&str, f64)], skipped: &[String]) -> String {
        let mut facts =
            table("Times", ["stage", "ms"], stages.iter().map(|(name, ms)| (*name, format!("{ms:.2}"))));
        facts += &table("Not done", ["what", ""], skipped.iter().map(|what| (what.as_str(), String::new())));
        self.finish(name, &facts, [("", read)].into_iter())
    }

    fn finish<'a>(self, name: &str, facts: &str, texts: impl Iterator<Item = (&'a str, &'a str)>) -> String {
        let mut html = format!("<section><h2>{}</h2>\n{facts}{}", text(name), self.pictures);
        if self.left_out > 0 {
            let _ =
                writeln!(html, "<p>{} more pictures are left out: too much for a page</p>", self.left_out);
        }
        for (place, read) in texts.filter(|(_, read)| !read.is_empty()) {
            let _ = writeln!(html, "<h4>Text {}</h4><pre>{}</pre>", text(place), Text(read, MOST_TEXT));
        }
        html + "</section>\n"
    }
}

fn skipped(skipped: &[Skipped]) -> String {
    let rows = skipped.iter().map(|skipped| {
        let Skipped { stage, place, why } = skipped;
        (stage.name(), if place.is_empty() { why.to_string() } else { format!("{place}: {why}") })
    });
    table("Not done", ["stage", "why"], rows)
}

fn table<'a>(title: &str, head: [&str; 2], rows: impl Iterator<Item = (&'a str, String)>) -> String {
    let rows: String =
        rows.map(|(name, value)| format!("<tr><td>{}<td>{}\n", text(name), text(&value))).collect();
    match rows.is_empty() {
        true => rows,
        false => {
            format!("<table><caption>{title}</caption><tr><th>{}<th>{}\n{rows}</table>\n", head[0], head[1])
        }
    }
}

/// Draws what a scan sees as it goes.
#[derive(Default)]
pub struct Watch(RefCell<Section>);

impl Watch {
    /// What was drawn.
    pub fn into_section(self) -> Section {
        self.0.into_inner()
    }
}

impl Publish for Watch {
    fn publish(&self, _: Verdict) {}

    fn looked(&self, looked: Looked) {
        self.0.borrow_mut().show(&looked);
    }
}
