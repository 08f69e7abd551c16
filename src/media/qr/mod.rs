//! QR codes: what they say, wherever in a picture they stand, turned, dark on light or light on dark, in any colour.
//!
//! Finding them is written here, for its cost: `rqrr` groups finder patterns in cubic time and copies the picture for
//! every group, so that a picture full of finder patterns takes it minutes. It does the decoding.

use std::{
    panic::{self, AssertUnwindSafe},
    time::Instant,
};

use super::raster::Raster;
use finders::View;
use grid::Grid;

pub use drawn::{in_html, in_text};

mod drawn;

mod finders;

mod grid;

/// Bytes of a picture's codes together; one code holds less than 3 KB.
const MOST_TEXT: usize = 16 << 10;
/// Codes of a picture that are decoded, or tried to.
const MOST_TRIES: usize = 40;
/// A pixel whose colours differ by more is not grey.
const COLORFUL: u8 = 60;

/// What was found in a picture.
#[derive(Debug, Default, PartialEq)]
pub struct Codes {
    /// What the codes say, each once, in no order that means anything.
    pub texts: Vec<String>,
    /// Whether the time was up before all of the picture was looked at.
    pub is_cut: bool,
}

impl Codes {
    fn add(&mut self, more: Codes) {
        self.texts.extend(more.texts);
        self.is_cut |= more.is_cut;
    }
}

/// The codes of a picture, as far as they are found by `until`.
pub fn read(raster: &Raster, until: Instant) -> Codes {
    let mut codes = Codes::default();
    let (width, height) = (raster.width as usize, raster.height as usize);
    look(View { width, height, shades: &raster.luma() }, until, &mut codes);
    if codes.texts.is_empty() && !codes.is_cut && is_colorful(raster) {
        // A code may be yellow on white, or red on a green as bright.
        for channel in 0..3 {
            let shades: Vec<u8> = raster.pixels.iter().map(|pixel| pixel[channel]).collect();
            look(View { width, height, shades: &shades }, until, &mut codes);
        }
    }
    codes
}

fn is_colorful(raster: &Raster) -> bool {
    let step = (raster.pixels.len() / 2000) | 1;
    let sample = raster.pixels.iter().step_by(step);
    let all = sample.len();
    let colored = sample.filter(|pixel| {
        let [r, g, b] = **pixel;
        r.max(g).max(b) - r.min(g).min(b) > COLORFUL
    });
    colored.count() * 50 > all
}

fn look(view: View<'_>, until: Instant, codes: &mut Codes) {
    let Some(finders) = finders::find(view, until) else {
        codes.is_cut = true;
        return;
    };
    let texts = &mut codes.texts;
    let mut used = vec![false; finders.len()];
    let mut tries = 0;
    for corners in grid::corners(&finders) {
        if tries >= MOST_TRIES {
            break;
        }
        if Instant::now() >= until {
            codes.is_cut = true;
            break;
        }
        if corners.indices.iter().any(|&index| used[index]) {
            continue;
        }
        let Some(grid) = Grid::on(view, corners.indices.map(|index| finders[index])) else { continue };
        tries += 1;
        if let Some(text) = decode(&grid) {
            corners.indices.iter().for_each(|&index| used[index] = true);
            let held: usize = texts.iter().map(String::len).sum();
            if !text.is_empty() && held + text.len() <= MOST_TEXT && !texts.contains(&text) {
                texts.push(text);
            }
        }
    }
}

/// What a code says. Should the decoder panic, it says nothing.
fn decode(grid: &Grid<'_>) -> Option<String> {
    let decoded = panic::catch_unwind(AssertUnwindSafe(|| {
        let modules = rqrr::SimpleGrid::from_func(grid.modules, |column, row| grid.dark(column, row));
        let mut bytes = Vec::new();
        rqrr::Grid::new(modules).decode_to(&mut bytes).is_ok().then_some(bytes)
    }));
    let bytes = decoded.ok().flatten()?;
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}

#[cfg(test)]
mod tests;
