//! A picture made ready for the recogniser, by what is measured on it.

use crate::ocr::Page;

use super::raster::Raster;
use blobs::Blob;
use ink::{Ink, Tone};
use lines::Text;
use plane::Plane;

mod blobs;

mod ink;

mod lines;

mod plane;

/// Pictures lower than this hold no text that a person could read.
const LEAST_HEIGHT: u32 = 12;
/// Nor do pictures of fewer pixels: tracking pixels, bullets, icons.
const LEAST_AREA: u64 = 1500;

/// Letters that make a text; less is chance.
const LEAST_LETTERS: usize = 6;
/// Height of small letters that the recogniser is given, in pixels: the least at which it reads as well as it can.
const X_HEIGHT: f32 = 10.0;
/// Pixels that are looked at; a larger picture is made smaller first, its text is large as well.
const MOST_PIXELS: f32 = 2_500_000.0;
/// Scaling by less than this is not worth its time.
const NEARLY: std::ops::Range<f32> = 0.9..1.15;

/// The grey page to read, or `None` where there is nothing to read.
pub fn prepare(raster: &Raster) -> Option<Page> {
    let (width, height) = (raster.width, raster.height);
    if height < LEAST_HEIGHT || u64::from(width) * u64::from(height) < LEAST_AREA {
        return None;
    }
    let mut plane = Plane::of(raster);
    let shrink = (MOST_PIXELS / plane.pixels.len() as f32).sqrt();
    if shrink < 1.0 {
        plane = plane.scaled(shrink);
    }
    let ink = Ink::find(&plane);
    let blobs = [Tone::Dark, Tone::Light].map(|tone| blobs::find(&ink, tone));
    let texts = [&blobs[0], &blobs[1]].map(|blobs: &Vec<Blob>| Text::find(blobs));
    let light = texts[1].letters() > texts[0].letters();
    let text = if light { &texts[1] } else { &texts[0] };
    let x = text.x_height();
    if text.letters() < LEAST_LETTERS {
        return None;
    }
    if light {
        plane.invert();
    }
    let room = (MOST_PIXELS / plane.pixels.len() as f32).sqrt().max(1.0);
    let factor = (X_HEIGHT / x).clamp(0.25, 4.0).min(room);
    if !NEARLY.contains(&factor) {
        plane = plane.scaled(factor);
    }
    Some(plane.into_page())
}
