//! PDF documents: their text, their links, what they do, and grey pages of what only the eye can read.
//!
//! A page with text of its own gives that. Of a page that is one scanned picture the picture is taken as it is;
//! a page that is drawn (outlined letters, fonts without a meaning) is rasterised. The reader is memory-safe and
//! has survived thousands of mutants; should one make it panic all the same, the document counts as damaged.

use std::panic::{self, AssertUnwindSafe};

use hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings, TransformExt,
    hayro_syntax::{
        DecryptionError, LoadPdfError, Pdf,
        object::{Array, Dict, Object, String as PdfString},
        page::Page,
    },
    interpret_page,
    kurbo::Rect,
};

use super::{Error, Extract, Limits};
use crate::budget::{Budget, Why};
use look::{Drawn, Look};

mod actions;

mod draw;

mod look;

mod text;

/// Pages at the front that are looked at before the last one, and that before the rest.
const FRONT: usize = 4;
/// Letters below which a page counts as one without text.
const LEAST_LETTERS: usize = 12;
/// Part of the page that a picture must cover to be the page, in percent.
const SCAN_COVERS: f64 = 50.0;
/// Part of the page from which a picture beside text is worth reading, in percent.
const PICTURE_COVERS: f64 = 4.0;
/// Part of the page that a QR code covers at least, in percent: two centimetres on A4.
const CODE_COVERS: f64 = 0.5;
/// Edges drawn on a page from which some of them may be a QR code.
const CODE_PATHS: usize = 400;
/// Bytes of text kept of a document.
const MOST_TEXT: usize = 1 << 20;
/// Links kept of a document.
const MOST_URIS: usize = 1000;

/// Reads a document. Pages are looked at until time is up: the first few, the last, then the others.
///
/// # Errors
/// It is broken beyond repair, or encrypted with a password.
pub fn read(bytes: &[u8], limits: &Limits, budget: &Budget) -> Result<Extract, Error> {
    panic::catch_unwind(AssertUnwindSafe(|| open(bytes, limits, budget)))
        .unwrap_or(Err(Error::Damaged("the PDF reader gave up")))
}

fn open(bytes: &[u8], limits: &Limits, budget: &Budget) -> Result<Extract, Error> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => {
            Error::Damaged("encrypted with a password")
        }
        LoadPdfError::Decryption(_) => Error::Damaged("encrypted in an unknown way"),
        LoadPdfError::Invalid => Error::Damaged("broken PDF"),
    })?;
    let pages = pdf.pages();
    let settings = InterpreterSettings::default();
    let cache = InterpreterCache::new();
    let mut texts: Vec<(usize, String)> = Vec::new();
    let mut extract = Extract { frames: pages.len(), ..Extract::default() };
    actions::find(&pdf, budget, &mut extract);
    for (turn, number) in order(pages.len(), limits.pdf_pages).enumerate() {
        if budget.expired() && !texts.is_empty() {
            break;
        }
        let Some(page) = pages.get(number) else { continue };
        uris(page, &mut extract.uris);
        let mut look = Look::new(page.render_dimensions(), budget.cutoff());
        let is_whole = look.watch(|look| interpret(page, &cache, &settings, look));
        let (text, drawn) = look.finish();
        if !is_whole {
            texts.push((number, text));
            extract.left_out = Some(if budget.expired() { Why::Deadline } else { Why::Limit("drawing") });
            break;
        }
        if !drawn.is_affordable {
            extract.left_out = Some(Why::Limit("drawing"));
        }
        if extract.pages.len() < limits.ocr_pages {
            pictures(page, number, &drawn, (limits, budget), &mut extract);
        }
        if turn <= FRONT {
            codes(page, number, &drawn, (limits, budget), &mut extract);
        }
        texts.push((number, text));
    }
    texts.sort_by_key(|&(number, _)| number);
    for (_, text) in texts.iter().filter(|(_, text)| !text.is_empty()) {
        if extract.text.len() + text.len() >= MOST_TEXT {
            break;
        }
        if !extract.text.is_empty() {
            extract.text.push('\n');
        }
        extract.text.push_str(text);
    }
    Ok(extract)
}

/// The first pages, the last one, then the rest.
fn order(pages: usize, at_most: usize) -> impl Iterator<Item = usize> {
    let front = FRONT.min(pages);
    let last = pages.checked_sub(1).filter(|&last| last >= front);
    let rest = front..last.unwrap_or(front);
    (0..front).chain(last).chain(rest).take(at_most)
}

/// Runs a page's drawing commands, in page coordinates with the top left at the origin.
fn interpret<'a>(
    page: &'a Page<'a>,
    cache: &InterpreterCache<'a>,
    settings: &InterpreterSettings,
    device: &mut impl hayro_interpret::Device<'a>,
) {
    let (width, height) = page.render_dimensions();
    let bounds = Rect::new(0.0, 0.0, width.into(), height.into());
    let transform = page.initial_transform(true).to_kurbo();
    let mut context = Context::new(transform, bounds, cache, page.xref(), settings.clone());
    interpret_page(page, &mut context, device);
}

/// Takes the pictures of a page that are worth reading, or a picture of the page.
fn pictures<'a>(
    page: &'a Page<'a>,
    number: usize,
    drawn: &Drawn,
    (limits, budget): (&Limits, &Budget),
    extract: &mut Extract,
) {
    let covers = if has_text(drawn) { PICTURE_COVERS } else { SCAN_COVERS };
    let wanted: Vec<usize> = drawn.pictures(covers).collect();
    let label = label(number);
    let draw::Taken { pictures, left_out } = draw::pictures(page, &wanted, limits, budget.cutoff());
    extract.left_out = left_out.or(extract.left_out);
    for raster in pictures {
        extract.picture(&label, &raster, limits, budget);
    }
    if wanted.is_empty()
        && !has_text(drawn)
        && drawn.anything
        && drawn.is_affordable
        && let Some(raster) = draw::page(page, limits)
    {
        extract.picture(&label, &raster, limits, budget);
    }
}

/// Looks for the QR codes of a page with text: they are small pictures, or drawn.
fn codes<'a>(
    page: &'a Page<'a>,
    number: usize,
    drawn: &Drawn,
    (limits, budget): (&Limits, &Budget),
    extract: &mut Extract,
) {
    if !has_text(drawn) {
        return;
    }
    let larger: Vec<usize> = drawn.pictures(PICTURE_COVERS).collect();
    let small: Vec<usize> = drawn.pictures(CODE_COVERS).filter(|index| !larger.contains(index)).collect();
    let draw::Taken { pictures, left_out } = draw::pictures(page, &small, limits, budget.cutoff());
    extract.left_out = left_out.or(extract.left_out);
    for raster in pictures {
        extract.codes(&label(number), &raster, budget);
    }
    if drawn.paths >= CODE_PATHS
        && drawn.is_affordable
        && let Some(raster) = draw::page(page, limits)
    {
        extract.codes(&label(number), &raster, budget);
    }
}

fn has_text(drawn: &Drawn) -> bool {
    drawn.letters >= LEAST_LETTERS && drawn.unknown * 3 < drawn.letters
}

fn label(page: usize) -> String {
    format!("page {}", page + 1)
}

/// The links of a page (ISO 32000-1, 12.6.4.7).
fn uris(page: &Page<'_>, found: &mut Vec<String>) {
    let Some(annotations) = page.raw().get::<Array<'_>>("Annots") else { return };
    for annotation in annotations.iter::<Dict<'_>>().take(MOST_URIS) {
        let Some(action) = annotation.get::<Dict<'_>>("A") else { continue };
        let Some(Object::String(uri)) = action.get::<Object<'_>>("URI") else { continue };
        add(found, decode(&uri));
    }
}

fn add(uris: &mut Vec<String>, uri: String) {
    if uris.len() < MOST_URIS && !uri.is_empty() && !uris.contains(&uri) {
        uris.push(uri);
    }
}

// Links are ASCII by the standard, UTF-8 in practice, and UTF-16 now and then.
fn decode(text: &PdfString<'_>) -> String {
    let bytes = text.as_bytes();
    let text = match bytes {
        [0xfe, 0xff, rest @ ..] => encoding_rs::UTF_16BE.decode_without_bom_handling(rest).0,
        _ => String::from_utf8_lossy(bytes),
    };
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control()).to_owned()
}

#[cfg(test)]
mod tests;
