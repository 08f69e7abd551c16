//! Tesseract: a page in, lines out.

use std::{ffi::CStr, io};

use leptess::tesseract::TessApi;

use super::{
    Page, Word,
    bands::bands,
    protocol::now_us,
    scripts::{Guess, groups},
    worker::{Recogniser, Say, cpu_us},
};

/// Pixels an inch that Tesseract is told: it derives sizes from it, and guesses badly when it has to.
const RESOLUTION: i32 = 200;
/// Words read with less confidence than this are noise.
const LEAST_CONFIDENCE: f32 = 25.0;

/// Page segmentation 6: one block of text, in lines. What has no text is kept from it by the text gate.
const VARIABLES: [(&CStr, &CStr); 3] = [
    (c"tessedit_pageseg_mode", c"6"),
    // Light text on dark was turned over before; trying both costs a second reading of each bad line.
    (c"tessedit_do_invert", c"0"),
    (c"debug_file", c"/dev/null"),
];

/// Tesseract with the packs of each script.
pub struct Tesseract {
    readers: Vec<TessApi>,
}

impl Tesseract {
    /// Loads the packs, joined by `+`.
    ///
    /// # Errors
    /// One is not installed; in words.
    pub fn load(languages: &str) -> Result<Tesseract, String> {
        let mut readers = groups(languages).iter().map(|packs| load(packs)).collect::<Result<Vec<_>, _>>()?;
        for reader in &mut readers {
            // Whatever it loads late, it loads here.
            let _ = table(reader, &[255; 64 * 32], 64, 32);
        }
        Ok(Tesseract { readers })
    }
}

impl Recogniser for Tesseract {
    /// A page is read part by part, in the script that fits: a part takes as long as it does, since the bindings have no
    /// way to stop Tesseract in the middle of one.
    fn read(&mut self, page: &Page, deadline_us: u64, say: Say<'_>) -> io::Result<bool> {
        let mut guess = Guess::default();
        let started = cpu_us();
        for band in bands(page) {
            // What the parts above took at the least, for half as many rows: how parts differ is not known.
            let spent = cpu_us().saturating_sub(started);
            let least = spent * u64::from(band.end - band.start) / (2 * u64::from(band.start).max(1));
            if now_us().saturating_add(least) >= deadline_us {
                return Ok(false);
            }
            let (rows, stride) = (band.start as usize..band.end as usize, page.width as usize);
            let pixels = page.pixels.get(rows.start * stride..rows.end * stride).unwrap_or_default();
            let table = guess.read(self.readers.len(), |group| {
                let table = self
                    .readers
                    .get_mut(group)
                    .and_then(|reader| table(reader, pixels, page.width, rows.len()));
                let table = table.unwrap_or_default();
                (confidence(&table), table)
            });
            lines(&table, band.start).into_iter().try_for_each(&mut *say)?;
        }
        Ok(true)
    }
}

fn load(languages: &str) -> Result<TessApi, String> {
    if languages.contains('\0') {
        return Err("a language name with a NUL".into());
    }
    let mut api = TessApi::new(None, languages).map_err(|_| {
        format!("Tesseract has no language pack for `{languages}`: install tesseract-ocr-...")
    })?;
    for (name, value) in VARIABLES {
        // A version of Tesseract that does not know a variable does without.
        let _ = api.raw.set_variable(name, value);
    }
    Ok(api)
}

/// What Tesseract makes of a part of a page.
fn table(api: &mut TessApi, pixels: &[u8], width: u32, height: usize) -> Option<String> {
    let (width, height) = (i32::try_from(width).ok()?, i32::try_from(height).ok()?);
    // Not as a rectangle of the page: one as wide as the page is read from the wrong place (Tesseract 5.3).
    api.raw.set_image(pixels, width, height, 1, width).ok()?;
    api.set_source_resolution(RESOLUTION);
    if api.recognize() != 0 {
        return None;
    }
    // Text that is no UTF-8 is none.
    api.get_tsv_text(0).ok()
}

/// The mean confidence of a table's letters, 0 to 100; 0 without any.
fn confidence(table: &str) -> f32 {
    let (mut sum, mut letters) = (0.0, 0);
    for row in table.lines() {
        let mut columns = row.splitn(12, '\t');
        if columns.next() != Some("5") {
            continue;
        }
        let Some(confidence) = columns.nth(9).and_then(|column| column.parse::<f32>().ok()) else { continue };
        let length = columns.next().unwrap_or_default().trim().chars().count();
        sum += confidence * length as f32;
        letters += length;
    }
    if letters == 0 { 0.0 } else { sum / letters as f32 }
}

/// The lines of Tesseract's table: level, page, block, paragraph, line, word, left, top, width, height,
/// confidence, text. Level 4 begins a line, level 5 is a word. `top` is where the part begins on the page.
fn lines(table: &str, top: u32) -> Vec<Vec<Word>> {
    let mut lines: Vec<Vec<Word>> = Vec::new();
    for row in table.lines() {
        match row.split_once('\t') {
            Some(("4", _)) => lines.push(Vec::new()),
            Some(("5", columns)) => {
                if lines.is_empty() {
                    lines.push(Vec::new());
                }
                if let Some(line) = lines.last_mut() {
                    line.extend(word(columns, top));
                }
            }
            _ => {}
        }
    }
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}

/// A word by its columns after the level; `None` for blanks and noise.
fn word(columns: &str, page_top: u32) -> Option<Word> {
    let mut columns = columns.splitn(11, '\t').skip(5);
    let mut number = || columns.next()?.parse::<u32>().ok();
    let (left, top, width, height) = (number()?, number()?, number()?, number()?);
    let confidence: f32 = columns.next()?.parse().ok()?;
    let text = columns.next()?.trim();
    (confidence >= LEAST_CONFIDENCE && text.chars().any(char::is_alphanumeric)).then(|| Word {
        left,
        top: top.saturating_add(page_top),
        width,
        height,
        confidence: confidence as u8,
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_junk_are_dropped() {
        let table = "1\t1\t0\t0\t0\t0\t0\t0\t100\t50\t-1\t\n\
                     4\t1\t1\t1\t1\t0\t0\t0\t100\t20\t-1\t\n\
                     5\t1\t1\t1\t1\t1\t0\t0\t40\t20\t96.5\tcheap\n\
                     5\t1\t1\t1\t1\t2\t0\t0\t40\t20\t95\t \n\
                     5\t1\t1\t1\t1\t3\t0\t0\t40\t20\t3\tqx\n\
                     5\t1\t1\t1\t1\t4\t0\t0\t40\t20\t93.5\t$9.99\n\
                     4\t1\t1\t1\t2\t0\t0\t0\t100\t20\t-1\t\n\
                     5\t1\t1\t1\t2\t1\t0\t0\t40\t20\t90\t~|\n\
                     4\t1\t1\t1\t3\t0\t0\t0\t100\t20\t-1\t\n\
                     5\t1\t1\t1\t3\t1\t0\t0\t40\t20\t80\tpills\n";
        let word = |confidence, text: &str| Word {
            left: 0,
            top: 30,
            width: 40,
            height: 20,
            confidence,
            text: text.into(),
        };
        let expected = [vec![word(96, "cheap"), word(93, "$9.99")], vec![word(80, "pills")]];
        assert_eq!(lines(table, 30), expected);
        let letters = [(96.5, 5), (3.0, 2), (93.5, 5), (90.0, 2), (80.0, 5)];
        let sum: f32 = letters.iter().map(|&(confidence, count)| confidence * count as f32).sum();
        assert!((confidence(table) - sum / 19.0).abs() < 0.01, "{}", confidence(table));
        assert_eq!(confidence(""), 0.0);
        assert!(lines("", 0).is_empty());
        assert!(lines("5\t5\n4\n5", 0).is_empty());
    }
}
