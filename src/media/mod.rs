//! What pixels and text hide in the parts?
//!
//! Pictures and PDFs are decoded by memory-safe Rust under caps on pixels, memory, frames and
//! time. What comes out is text, links, and grey pages for [`crate::ocr`] to read.

use std::time::Instant;

use memchr::memmem;

use crate::{
    budget::{Budget, Why},
    ocr::Page,
};
use prepare::Prepared;

pub use claims::{Disguise, FIRST, disguise};
pub use image::decode;
pub use memory::{Memory, MemoryCounts, Said};
pub use prepare::Again;
pub use qr::Codes;
pub use raster::Raster;
pub use seen::{Fate, Found, Seen};
pub use sniff::{BEGINNING, may_be, sniff};

mod claims;

mod gif;

mod image;

mod jpeg;

pub mod layout;

mod memory;

mod pdf;

mod prepare;

mod qr;

mod raster;

mod seen;

mod sniff;

mod tiles;

mod timed;

/// Pixels of a picture that is put together from tiles, all of which are held in memory.
const JOINED_PIXELS: u64 = 10_000_000;

/// Pixels from which the margins of a picture are worth looking for.
const LARGE_PIXELS: usize = 1_000_000;
/// Rows and columns that are left of them: as much ground as a code has around it.
const MARGIN: usize = 64;

/// Blocks below which nothing is a drawn code: the smallest one has some 220 dark modules.
const LEAST_BLOCKS: usize = 90;
/// Cells below which a table is none, where neighbours of one colour may be one cell, and those with a background.
const LEAST_CELLS: usize = 180;
const LEAST_COLORED: usize = 80;

/// Caps on what one attachment may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of one picture.
    pub pixels: u64,
    /// Bytes a decoder may allocate.
    pub memory: u64,
    pub frames: usize,
    pub pdf_pages: usize,
    /// Pages of one attachment that are handed to OCR.
    pub ocr_pages: usize,
    /// Pictures of one attachment that are kept for people to look at; none unless they ask.
    pub shown: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { pixels: 40_000_000, memory: 256 << 20, frames: 1000, pdf_pages: 50, ocr_pages: 4, shown: 0 }
    }
}

/// What the bytes are, by content and not by declared type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    Png,
    Jpeg,
    Gif,
    WebP,
    Bmp,
    Tiff,
    Pdf,
}

impl Kind {
    /// The name in the verdict.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Png => "png",
            Kind::Jpeg => "jpeg",
            Kind::Gif => "gif",
            Kind::WebP => "webp",
            Kind::Bmp => "bmp",
            Kind::Tiff => "tiff",
            Kind::Pdf => "pdf",
        }
    }
}

/// What was found in an attachment.
#[derive(Debug, Default)]
pub struct Extract {
    /// Frames of an animation or pages of a document; 1 for a plain picture.
    pub frames: usize,
    /// Text that needed no reading (PDF).
    pub text: String,
    /// Links that the document carries.
    pub uris: Vec<String>,
    /// What the document does besides showing pages, as [`pdf`] rules see it: `open: javascript`, `file: invoice.exe`.
    pub actions: Vec<String>,
    /// What QR codes say, with their place inside the attachment (`frame 4`, `page 2`, or empty).
    pub codes: Vec<(String, String)>,
    /// Grey pages worth reading, with their place as above, and how each is made another way if it is read badly.
    pub pages: Vec<(String, Page, Again)>,
    /// Why something of it was not looked at.
    pub left_out: Option<Why>,
    /// The pictures themselves, as many as [`Limits::shown`] asks for.
    pub seen: Vec<Seen>,
}

impl Extract {
    /// Looks at a picture that was decoded: its codes, and whether it is worth reading as text.
    fn picture(&mut self, label: &str, raster: &Raster, limits: &Limits, budget: &Budget) {
        let started = Instant::now();
        let whole = raster;
        let part = (raster.pixels.len() > LARGE_PIXELS).then(|| raster.without_margins(MARGIN)).flatten();
        let raster = part.as_ref().unwrap_or(raster);
        self.codes(label, raster, budget);
        let codes = started.elapsed();
        let found = match self.pages.len() < limits.ocr_pages {
            true => match prepare::prepare(raster, budget.cutoff()) {
                Prepared::Page(page, again) => {
                    self.pages.push((label.to_owned(), page, again));
                    Found::Text
                }
                Prepared::NoText => Found::NoText,
                Prepared::Cut => {
                    self.left_out = Some(Why::Deadline);
                    Found::NoText
                }
            },
            false => Found::TooMany,
        };
        if self.seen.len() < limits.shown {
            let fate = Fate::Looked { codes, preparation: started.elapsed().saturating_sub(codes), found };
            let size = (whole.width, whole.height);
            self.seen.push(Seen::new(label.to_owned(), size, &whole.pixels, fate));
        }
    }

    fn codes(&mut self, label: &str, raster: &Raster, budget: &Budget) {
        let qr::Codes { texts, is_cut } = qr::read(raster, budget.cutoff());
        if is_cut {
            self.left_out = Some(Why::Deadline);
        }
        for code in texts {
            if self.codes.iter().all(|(_, known)| *known != code) {
                self.codes.push((label.to_owned(), code));
            }
        }
    }
}

/// Why an attachment gave nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{0}")]
    Damaged(&'static str),
    #[error("over the limit of {0}")]
    Limit(&'static str),
    #[error("out of time")]
    Deadline,
}

impl Error {
    /// The error of a decoder that was given bytes until then: where the time is up, that is what ails it.
    fn or_late(self, until: Option<Instant>) -> Error {
        match until {
            Some(until) if Instant::now() >= until => Error::Deadline,
            _ => self,
        }
    }

    /// How the verdict names it.
    pub fn why(&self) -> Why {
        match self {
            Error::Damaged(how) => Why::Unreadable(how),
            Error::Limit(name) => Why::Limit(name),
            Error::Deadline => Why::Deadline,
        }
    }
}

/// Decodes an attachment.
///
/// # Errors
/// It is broken from the start, too large, or time is up before anything could be decoded.
pub fn extract(kind: Kind, bytes: &[u8], limits: &Limits, budget: &Budget) -> Result<Extract, Error> {
    if budget.expired() {
        return Err(Error::Deadline);
    }
    match kind {
        Kind::Gif => animation(bytes, limits, budget),
        Kind::Pdf => pdf::read(bytes, limits, budget),
        _ => {
            let mut extract = Extract { frames: 1, ..Extract::default() };
            let raster = image::decode_until(kind, bytes, limits, Some(budget.cutoff()))?;
            extract.picture("", &raster, limits, budget);
            Ok(extract)
        }
    }
}

/// What QR codes say that a text draws with block characters, or a page of HTML with them or with table cells.
pub fn drawn_codes(text: &str, is_html: bool, budget: &Budget) -> Codes {
    let until = budget.cutoff();
    if is_html { qr::in_html(text, until) } else { qr::in_text(text, until) }
}

/// Whether [`drawn_codes`] may find something in these bytes: they hold hundreds of blocks or of table cells. It says
/// yes to some others.
pub fn may_draw_codes(text: &[u8], is_html: bool) -> bool {
    // Blocks are U+2580 to U+259F, squares U+25A0 and U+2B1B: written as such or by number.
    let blocks = [&b"\xe2\x96"[..], b"\xe2\xac\x9b"];
    let written = [&b"&#9"[..], b"&#x2", b"&#X2", b"&block;"];
    let (cells, colors) = ([&b"<td"[..], b"<TD"], [&b"bgcolor"[..], b"background", b"BGCOLOR"]);
    let holds =
        |words: &[&[u8]], least| words.iter().any(|word| memmem::find_iter(text, word).nth(least).is_some());
    holds(&blocks, LEAST_BLOCKS)
        || is_html
            && (holds(&written, LEAST_BLOCKS) || holds(&cells, LEAST_CELLS) && holds(&colors, LEAST_COLORED))
}

/// Puts a picture together again that was cut into tiles, rows of their bytes; `None` where they are no pieces of one.
/// Nothing is read of it that [`extract`] would not read of a picture that came whole.
pub fn join(rows: &[Vec<&[u8]>], limits: &Limits, budget: &Budget) -> Option<Extract> {
    let mut limits = Limits { pixels: limits.pixels.min(JOINED_PIXELS), ..limits.clone() };
    let most = limits.pixels;
    let mut tile = |bytes: &&[u8]| {
        if budget.expired() {
            return None;
        }
        let raster = match sniff(bytes)? {
            Kind::Gif => shown(gif::read(bytes, &limits, budget.cutoff()).ok()?),
            kind => image::decode_until(kind, bytes, &limits, Some(budget.cutoff())).ok()?,
        };
        // All are held in memory together.
        limits.pixels = limits.pixels.checked_sub(raster.pixels.len() as u64)?;
        Some(raster)
    };
    let rows: Option<Vec<Vec<Raster>>> = rows.iter().map(|row| row.iter().map(&mut tile).collect()).collect();
    let whole = tiles::join(&rows?, most)?;
    let mut extract = Extract { frames: 1, ..Extract::default() };
    extract.picture("", &whole, &limits, budget);
    Some(extract)
}

/// The picture that shows most; a tile may well be blank.
fn shown(animation: gif::Animation) -> Raster {
    let gif::Animation { width, height, stills, .. } = animation;
    let blank = || Raster { width, height, pixels: vec![[255; 3]; width as usize * height as usize] };
    stills.into_iter().next().map_or_else(blank, |still| still.raster)
}

fn animation(bytes: &[u8], limits: &Limits, budget: &Budget) -> Result<Extract, Error> {
    let animation = gif::read(bytes, limits, budget.cutoff())?;
    let mut extract = Extract { frames: animation.frames, ..Extract::default() };
    for still in animation.stills {
        extract.picture(&still.label, &still.raster, limits, budget);
    }
    extract.seen.splice(0..0, animation.seen);
    Ok(extract)
}
