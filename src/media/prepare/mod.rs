//! A picture made ready for the recogniser, by what is measured on it.

use std::time::Instant;

use crate::ocr::Page;

use super::raster::{self, Raster};
pub use again::Again;
use ink::{Ink, Tone};
use lines::Text;
use plane::Plane;

mod again;

mod blobs;

mod clean;

mod colour;

mod impulse;

mod ink;

mod layers;

mod lines;

mod panels;

mod plane;

mod straighten;

mod strikes;

/// Pictures lower than this hold no text that a person could read.
const LEAST_HEIGHT: u32 = 12;
/// Nor do pictures of fewer pixels: tracking pixels, bullets, icons.
const LEAST_AREA: u64 = 1500;

/// Height of small letters that the recogniser is given, in pixels: the least at which it reads as well as it can.
const X_HEIGHT: f32 = 10.0;
/// Pixels that are looked at; a larger picture is made smaller first, its text is large as well.
const MOST_PIXELS: f32 = 2_500_000.0;
/// Letters that must be left when the ground is made even, in tenths; stripes among the letters were counted too.
const SURVIVE: usize = 6;
/// Shades between the darkest and the lightest pixel of a letter's box that a person needs to read it.
const FAINT: u8 = 20;
/// How often lines drawn across the text are looked for.
const STRIKE_ROUNDS: usize = 2;

/// What became of a picture.
#[derive(Debug, PartialEq)]
pub enum Prepared {
    /// The grey page to read, and how it is made another way.
    Page(Page, Again),
    /// There is nothing to read.
    NoText,
    /// Time was up before that was known.
    Cut,
}

/// Makes a picture ready, unless that is not done by `until`; a step takes some milliseconds.
pub fn prepare(raster: &Raster, until: Instant) -> Prepared {
    match steps(raster, &mut || if Instant::now() < until { Ok(()) } else { Err(Late) }) {
        Ok(Some((page, again))) => Prepared::Page(page, again),
        Ok(None) => Prepared::NoText,
        Err(Late) => Prepared::Cut,
    }
}

/// There is no time for the next step.
struct Late;

/// The page, where there is something to read; `on_time` is asked before each step.
fn steps(
    raster: &Raster,
    on_time: &mut dyn FnMut() -> Result<(), Late>,
) -> Result<Option<(Page, Again)>, Late> {
    let (width, height) = (raster.width, raster.height);
    if height < LEAST_HEIGHT || u64::from(width) * u64::from(height) < LEAST_AREA {
        return Ok(None);
    }
    let factor = (width as f32 * height as f32 / MOST_PIXELS).sqrt() as u32;
    let small = match factor {
        0 | 1 => None,
        _ => Some(raster::shrunk((width, height), &raster.pixels, factor, &mut *on_time)?),
    };
    let raster = small.as_ref().unwrap_or(raster);
    on_time()?;
    let cleaned = impulse::cleaned(raster);
    let raster = cleaned.as_ref().unwrap_or(raster);
    on_time()?;
    let mut plane = layers::plane(raster).unwrap_or_else(|| Plane::of(raster));
    on_time()?;
    let shrink = (MOST_PIXELS / plane.pixels.len() as f32).sqrt();
    if shrink < 1.0 {
        plane = plane.scaled(shrink);
        on_time()?;
    }
    let (mut found, other) = Found::on(&plane);
    if !found.text.is_text() || is_faint(&plane, &found.text) {
        return Ok(None);
    }
    if found.tone == Tone::Light {
        plane.invert();
    }
    on_time()?;
    if panels::unify(&mut plane, &found.text, &other) {
        found = Found::dark(&plane);
    }
    // What crosses the letters goes; what it left is found the second time.
    let mut strikes = Vec::new();
    for _ in 0..STRIKE_ROUNDS {
        on_time()?;
        if !strikes::suspected(&found.blobs, plane.width, plane.height) {
            break;
        }
        let more = strikes::erase(&mut plane, &found.ink, found.tone);
        if more.is_empty() {
            break;
        }
        strikes.extend(more);
        found = Found::dark(&plane);
    }
    on_time()?;
    // Even ground is easier, if the letters survive.
    if let Some(flat) = clean::flatten(&plane, &found.ink, found.tone, &found.text) {
        let again = Found::dark(&flat);
        if again.text.letters() * 10 >= found.text.letters() * SURVIVE {
            (plane, found) = (flat, again);
        }
    }
    if !found.text.is_text() || is_faint(&plane, &found.text) {
        return Ok(None);
    }
    on_time()?;
    let before = plane.clone();
    clean::despeckle(&mut plane, &found.ink, found.tone, &found.blobs, &found.text, &strikes);
    on_time()?;
    let again = Again::of(before, &plane, found);
    let page = again.first(plane);
    Ok(Some((page, again)))
}

/// Whether half of the letters hardly stand out from the ground in their boxes: the grain of a photo.
fn is_faint(plane: &Plane, text: &Text) -> bool {
    let mut ranges: Vec<u8> = text.rows.iter().flatten().map(|letter| plane.range(letter)).collect();
    let at = ranges.len() / 2;
    !ranges.is_empty() && *ranges.select_nth_unstable(at).1 < FAINT
}

/// What was found on a picture.
#[derive(Debug)]
struct Found {
    ink: Ink,
    tone: Tone,
    blobs: Vec<blobs::Blob>,
    text: Text,
}

impl Found {
    /// Dark text or light text, whichever there is more of; and the other one.
    fn on(plane: &Plane) -> (Found, Text) {
        let ink = Ink::find(plane);
        let [dark, light] = [Tone::Dark, Tone::Light].map(|tone| blobs::find(&ink, tone));
        let (dark_text, light_text) = (Text::find(&dark), Text::find(&light));
        match light_text.written().0 > dark_text.written().0 {
            true => (Found { ink, tone: Tone::Light, blobs: light, text: light_text }, dark_text),
            false => (Found { ink, tone: Tone::Dark, blobs: dark, text: dark_text }, light_text),
        }
    }

    /// Dark text.
    fn dark(plane: &Plane) -> Found {
        let ink = Ink::find(plane);
        let blobs = blobs::find(&ink, Tone::Dark);
        let text = Text::find(&blobs);
        Found { ink, tone: Tone::Dark, blobs, text }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_picture_is_given_up_before_any_step_that_comes_too_late() {
        let picture = image::open("tests/ocr/clean.png").unwrap().into_rgb8();
        let (width, height) = picture.dimensions();
        let raster = Raster { width, height, pixels: picture.as_raw().as_chunks::<3>().0.to_vec() };
        let mut steps_taken = 0;
        let taken = steps(&raster, &mut || {
            steps_taken += 1;
            Ok(())
        });
        assert!(matches!(taken, Ok(Some(_))));
        assert!(steps_taken > 6, "{steps_taken}");
        for late in 1..=steps_taken {
            let mut asked = 0;
            let cut = steps(&raster, &mut || {
                asked += 1;
                if asked < late { Ok(()) } else { Err(Late) }
            });
            assert!(cut.is_err() && asked == late, "{late}");
        }
        assert_eq!(prepare(&raster, Instant::now()), Prepared::Cut);
        assert!(matches!(prepare(&raster, Instant::now() + Duration::from_secs(600)), Prepared::Page(..)));
    }

    #[test]
    fn letters_of_a_very_large_picture_are_found() {
        let picture = image::open("tests/ocr/clean.png").unwrap().into_rgb8();
        let factor = 1 + (4.0 * MOST_PIXELS / (picture.width() * picture.height()) as f32).sqrt() as u32;
        let (width, height) = (picture.width() * factor, picture.height() * factor);
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let pixels = pixels.map(|(x, y)| picture.get_pixel(x / factor, y / factor).0).collect();
        let mut rows = 0;
        let taken = steps(&Raster { width, height, pixels }, &mut || {
            rows += 1;
            Ok(())
        });
        assert!(matches!(taken, Ok(Some(_))));
        assert!(rows > 500, "{rows}");
    }
}
