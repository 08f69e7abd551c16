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

fn env(name: &str, default: f32) -> f32 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// The grey page to read, or `None` where there is nothing to read.
pub fn prepare(raster: &Raster) -> Option<Page> {
    let (width, height) = (raster.width, raster.height);
    if height < LEAST_HEIGHT || u64::from(width) * u64::from(height) < LEAST_AREA {
        return None;
    }
    let mut plane = Plane::of(raster);
    let started = std::time::Instant::now();
    let ink = Ink::find(&plane);
    let blobs = [Tone::Dark, Tone::Light].map(|tone| blobs::find(&ink, tone));
    let texts = [&blobs[0], &blobs[1]].map(|blobs: &Vec<Blob>| Text::find(blobs));
    let light = texts[1].letters() > texts[0].letters();
    let text = if light { &texts[1] } else { &texts[0] };
    let x = text.x_height();
    if std::env::var("DBG").is_ok() {
        eprintln!(
            "{width}x{height} thr {} blobs {}/{} letters {}/{} x {} light {light} {:?}",
            ink.threshold,
            blobs[0].len(),
            blobs[1].len(),
            texts[0].letters(),
            texts[1].letters(),
            x,
            started.elapsed()
        );
    }
    if text.letters() < 6 {
        return None;
    }
    if light {
        plane.invert();
    }
    let factor = (env("X", 10.0) / x).clamp(0.25, 4.0);
    if !(0.9..1.15).contains(&factor) {
        plane = plane.scaled(factor);
    }
    Some(plane.into_page())
}
