//! The networks themselves, run by `rten`.

use std::{fs, io, path::Path};

use image::{
    GrayImage, ImageBuffer, Luma,
    imageops::{self, FilterType},
};
use rten::{Model, ModelOptions, Value};

use super::{
    ctc::{self, Alphabet},
    lines::{self, Line},
};
use crate::ocr::{
    Page, Word,
    bands::bands,
    protocol::now_us,
    worker::{Recogniser, Say, cpu_us},
};

/// Names of the files, as the package has them.
const FINDER: &str = "PP-OCRv6_det_small.rten";
const READER: &str = "PP-OCRv6_rec_small.rten";
const DICTIONARY: &str = "ppocrv6_dict.txt";

/// What the sides of a picture in which lines are looked for are multiples of.
const SIDE: u32 = 32;
/// The size at which lines are looked for, of that at which they are read: a quarter of the pixels.
const LOOKED_AT: f32 = 0.5;
/// Height of a line that is read, in pixels; the network knows no other.
const HEIGHT: u32 = 48;
/// Its width, at most: longer ones are pressed together.
const WIDEST: u32 = 3200;
/// Its width, at least.
const NARROWEST: u32 = 16;
/// Words read with less likelihood than this are noise.
const LEAST_LIKELY: f32 = 0.5;

/// A part of a page.
type Part<'p> = ImageBuffer<Luma<u8>, &'p [u8]>;

/// Runs the whole of a worker on the one thread that `rten` computes on (`RTEN_NUM_THREADS` is 1), since Landlock and
/// precedence are a thread's own. The calling thread waits; system calls are taken from both.
pub fn on_its_thread<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rten::thread_pool().run(work)
}

/// The networks and what they cost.
pub struct Neural {
    finder: Model,
    reader: Model,
    alphabet: Alphabet,
    /// CPU time of a pixel that was looked at, lately, in microseconds.
    look_us: f32,
    /// CPU time of a column that was read, lately, in microseconds.
    read_us: f32,
}

impl Neural {
    /// Loads the networks of a directory.
    ///
    /// # Errors
    /// They are not there, or are others; in words.
    pub fn load(folder: &Path) -> Result<Neural, String> {
        let named = |name: &str, error: &dyn std::fmt::Display| {
            let path = folder.join(name);
            format!("{}: {error} (packaging/ocr-models fetches the models)", path.display())
        };
        let network = |name: &str| {
            // Kept as they are computed with: twice the memory, three quarters of the time.
            ModelOptions::with_all_ops()
                .prepack_weights(true)
                .load_file(folder.join(name))
                .map_err(|error| named(name, &error))
        };
        let dictionary =
            fs::read_to_string(folder.join(DICTIONARY)).map_err(|error| named(DICTIONARY, &error))?;
        let (finder, reader) = (network(FINDER)?, network(READER)?);
        let mut neural =
            Neural { finder, reader, alphabet: Alphabet::new(&dictionary), look_us: 0.0, read_us: 0.0 };
        // What is set up late is set up here, and what it costs is known from now on.
        let blank = [255; 320 * 96];
        for _ in 0..2 {
            let part = Part::from_raw(320, 96, &blank[..]).unwrap_or_default();
            neural.look(&part).map_err(|error| named(FINDER, &error))?;
            let whole = Line { left: 0, top: 0, right: part.width(), bottom: part.height() };
            neural.line(&part, whole).map_err(|error| named(READER, &error))?;
        }
        Ok(neural)
    }

    /// Finds the lines of a part of a page.
    fn look(&mut self, part: &Part<'_>) -> io::Result<Vec<Vec<Line>>> {
        let started = cpu_us();
        let size = |side: u32| ((side as f32 * LOOKED_AT) as u32).max(1);
        let (width, height) = (size(part.width()), size(part.height()));
        let small = imageops::resize(part, width, height, FilterType::Triangle);
        let (wide, high) = (width.next_multiple_of(SIDE), height.next_multiple_of(SIDE));
        let mut padded = GrayImage::from_pixel(wide, high, Luma([255]));
        imageops::replace(&mut padded, &small, 0, 0);
        let ([_, _, rows, columns], map) = run::<4>(&self.finder, &padded)?;
        if (rows, columns) != (high as usize, wide as usize) {
            return Err(io::Error::other(format!("{FINDER} answers with another size")));
        }
        let found = lines::rows(&map, columns);
        self.look_us = (cpu_us() - started) as f32 / (wide * high) as f32;
        let (across, down) = (part.width() as f32 / width as f32, part.height() as f32 / height as f32);
        let on_part = |line: Line| Line {
            left: (line.left as f32 * across) as u32,
            top: (line.top as f32 * down) as u32,
            right: ((line.right as f32 * across) as u32).min(part.width()),
            bottom: ((line.bottom as f32 * down) as u32).min(part.height()),
        };
        let on_page = |row: Vec<Line>| row.into_iter().map(on_part).filter(has_pixels).collect();
        Ok(found.into_iter().map(on_page).collect())
    }

    /// Reads a line of a part of a page.
    fn line(&mut self, part: &Part<'_>, line: Line) -> io::Result<Vec<Word>> {
        let started = cpu_us();
        let Line { left, top, .. } = line;
        let cut = imageops::crop_imm(part, left, top, line.width(), line.height());
        let width = columns(line);
        let ([_, steps, labels], likelihoods) =
            run::<3>(&self.reader, &imageops::resize(&*cut, width, HEIGHT, FilterType::Triangle))?;
        if labels != self.alphabet.labels() {
            let what = format!("{DICTIONARY} has {} labels, {READER} {labels}", self.alphabet.labels());
            return Err(io::Error::other(what));
        }
        self.read_us = (cpu_us() - started) as f32 / width as f32;
        let step = line.width() as f32 / steps.max(1) as f32;
        let word = |found: ctc::Found| {
            let start = (found.steps.start as f32 * step) as u32;
            Word {
                left: left + start,
                top,
                width: (found.steps.end as f32 * step) as u32 - start,
                height: line.height(),
                confidence: (found.likely * 100.0).clamp(0.0, 100.0) as u8,
                text: found.text,
            }
        };
        let is_word = |found: &ctc::Found| {
            found.likely >= LEAST_LIKELY && found.text.chars().any(char::is_alphanumeric)
        };
        Ok(ctc::words(&likelihoods, &self.alphabet).into_iter().filter(is_word).map(word).collect())
    }
}

impl Recogniser for Neural {
    /// Lines are looked for in a part of the page, and read one by one.
    fn read(&mut self, page: &Page, deadline_us: u64, say: Say<'_>) -> io::Result<bool> {
        let late = |cost: f32| now_us().saturating_add(cost as u64) >= deadline_us;
        let page = &stretched(page);
        for band in bands(page) {
            let stride = page.width as usize;
            let pixels = page.pixels.get(band.start as usize * stride..band.end as usize * stride);
            let Some(part) =
                pixels.and_then(|pixels| Part::from_raw(page.width, band.end - band.start, pixels))
            else {
                continue;
            };
            if late(self.look_us * pixels.map_or(0, <[u8]>::len) as f32 * LOOKED_AT * LOOKED_AT) {
                return Ok(false);
            }
            for row in self.look(&part)? {
                let mut words = Vec::new();
                let mut is_cut = false;
                for line in row {
                    is_cut = late(self.read_us * columns(line) as f32);
                    if is_cut {
                        break;
                    }
                    words.extend(self.line(&part, line)?);
                }
                words.iter_mut().for_each(|word| word.top += band.start);
                if !words.is_empty() {
                    say(words)?;
                }
                if is_cut {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// A page from black to white, as the networks are used to.
fn stretched(page: &Page) -> Page {
    let (low, high) =
        page.pixels.iter().fold((u8::MAX, 0), |(low, high), &shade| (shade.min(low), shade.max(high)));
    let range = u32::from(high.saturating_sub(low)).max(1);
    let stretch = |&shade: &u8| (u32::from(shade - low) * 255 / range) as u8;
    Page { pixels: page.pixels.iter().map(stretch).collect(), ..*page }
}

fn has_pixels(line: &Line) -> bool {
    line.left < line.right && line.top < line.bottom
}

/// The width at which a line is read.
fn columns(line: Line) -> u32 {
    (line.width() as f32 * HEIGHT as f32 / line.height() as f32)
        .round()
        .clamp(NARROWEST as f32, WIDEST as f32) as u32
}

/// What a network makes of a grey picture, and the shape of that. Both expect three colours from -1 to 1.
fn run<const N: usize>(network: &Model, picture: &GrayImage) -> io::Result<([usize; N], Vec<f32>)> {
    let shape = [1, 3, picture.height() as usize, picture.width() as usize];
    let shades: Vec<f32> = picture.as_raw().iter().map(|&shade| f32::from(shade) / 127.5 - 1.0).collect();
    let input = Value::from_shape(shape, shades.repeat(3)).map_err(io::Error::other)?;
    let output = network.run_one((&input).into(), None).map_err(io::Error::other)?;
    output.into_shape_vec::<f32, N>().map_err(io::Error::other)
}
