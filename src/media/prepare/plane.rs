//! A grey picture that is worked on.

use super::{blobs::Blob, colour};
use crate::{media::raster::Raster, ocr::Page};

/// Grey pixels, rows from the top without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plane {
    pub width: usize,
    pub height: usize,
    /// `width * height` of them; 0 is black.
    pub pixels: Vec<u8>,
}

impl Plane {
    /// The brightness of a picture; where its colours are about equally bright, what else they differ in most.
    pub fn of(raster: &Raster) -> Plane {
        let (width, height) = (raster.width as usize, raster.height as usize);
        let pixels = colour::difference(&raster.pixels).unwrap_or_else(|| raster.luma());
        Plane { width, height, pixels }
    }

    /// The pixels of a row.
    pub fn row(&self, y: usize) -> &[u8] {
        &self.pixels[y * self.width..][..self.width]
    }

    /// Turns light to dark and dark to light.
    pub fn invert(&mut self) {
        for pixel in &mut self.pixels {
            *pixel = 255 - *pixel;
        }
    }

    /// How far apart the darkest and the lightest pixel of a blob's box are; of one that fills its box, with those beside.
    pub fn range(&self, blob: &Blob) -> u8 {
        let beside = usize::from(u64::from(blob.area) * 10 > blob.pixels() * 8);
        let before = |edge: u32| (edge as usize).saturating_sub(beside);
        let columns = before(blob.left)..(blob.right as usize + beside).min(self.width);
        let rows = before(blob.top)..(blob.bottom as usize + beside).min(self.height);
        let rows = rows.map(|y| &self.row(y)[columns.clone()]);
        let (low, high) = rows.flatten().fold((u8::MAX, 0), |(low, high), &p| (p.min(low), p.max(high)));
        high.saturating_sub(low)
    }

    /// A part of the picture; the edges are those beyond the last column and row.
    pub fn cropped(&self, left: usize, top: usize, right: usize, bottom: usize) -> Plane {
        let (right, bottom) = (right.min(self.width), bottom.min(self.height));
        let (left, top) = (left.min(right), top.min(bottom));
        let pixels = (top..bottom).flat_map(|y| &self.row(y)[left..right]).copied().collect();
        Plane { width: right - left, height: bottom - top, pixels }
    }

    /// The picture in another size: sharp when it grows (Catmull-Rom), without aliases when it shrinks (mean).
    pub fn scaled(&self, factor: f32) -> Plane {
        let side = |side: usize| ((side as f32 * factor).round() as usize).max(1);
        let (width, height) = (side(self.width), side(self.height));
        let (columns, rows) = (taps(self.width, width), taps(self.height, height));
        let mut narrow = vec![0u8; width * self.height];
        for (y, out) in narrow.chunks_exact_mut(width).enumerate() {
            let row = self.row(y);
            for (pixel, taps) in out.iter_mut().zip(&columns) {
                let sum = taps.weights.iter().zip(&row[taps.first..]).map(|(&w, &p)| w * i32::from(p));
                *pixel = rounded(sum.sum());
            }
        }
        let mut pixels = vec![0u8; width * height];
        let mut sums = vec![0i32; width];
        for (out, taps) in pixels.chunks_exact_mut(width).zip(&rows) {
            sums.fill(0);
            for (&weight, row) in taps.weights.iter().zip(narrow[taps.first * width..].chunks_exact(width)) {
                for (sum, &pixel) in sums.iter_mut().zip(row) {
                    *sum += weight * i32::from(pixel);
                }
            }
            for (pixel, &sum) in out.iter_mut().zip(&sums) {
                *pixel = rounded(sum);
            }
        }
        Plane { width, height, pixels }
    }

    /// The page to be read.
    pub fn into_page(self) -> Page {
        Page { width: self.width as u32, height: self.height as u32, pixels: self.pixels }
    }
}

/// One, in the fixed point that weights are kept in.
const ONE: i32 = 1 << 14;

/// What one pixel of the target is made of: neighbours in the source and their weights, which sum up to [`ONE`].
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

fn taps(source: usize, target: usize) -> Vec<Taps> {
    let scale = source as f32 / target as f32;
    let tap = |at: usize| {
        let center = (at as f32 + 0.5) * scale;
        let (from, to) = match scale > 1.0 {
            true => (center - scale / 2.0, center + scale / 2.0),
            false => (center - 2.0, center + 2.0),
        };
        let first = (from.floor().max(0.0) as usize).min(source - 1);
        let last = (to.ceil() as usize).clamp(first + 1, source);
        let weight = |pixel: usize| match scale > 1.0 {
            // How much of the pixel is covered.
            true => (to.min(pixel as f32 + 1.0) - from.max(pixel as f32)).max(0.0),
            false => catmull_rom(pixel as f32 + 0.5 - center),
        };
        let weights: Vec<f32> = (first..last).map(weight).collect();
        let sum: f32 = weights.iter().sum();
        let weights = weights.iter().map(|weight| (weight / sum * ONE as f32).round() as i32).collect();
        Taps { first, weights }
    };
    (0..target).map(tap).collect()
}

fn catmull_rom(distance: f32) -> f32 {
    let x = distance.abs();
    match x {
        _ if x < 1.0 => 1.0 + x * x * (1.5 * x - 2.5),
        _ if x < 2.0 => 2.0 + x * (-4.0 + x * (2.5 - 0.5 * x)),
        _ => 0.0,
    }
}

fn rounded(sum: i32) -> u8 {
    ((sum + ONE / 2) / ONE).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat_in_any_size() {
        for factor in [0.1, 0.37, 0.9, 1.3, 2.0, 4.0] {
            let plane = Plane { width: 13, height: 7, pixels: vec![200; 91] }.scaled(factor);
            assert_eq!(plane.pixels.len(), plane.width * plane.height);
            assert!(plane.pixels.iter().all(|&pixel| pixel.abs_diff(200) <= 1), "{factor}");
        }
    }

    #[test]
    fn an_edge_stays_where_it_is() {
        let pixels: Vec<u8> = (0..100).map(|at| if at % 10 < 5 { 0 } else { 255 }).collect();
        for factor in [0.6, 2.0, 3.0] {
            let plane = Plane { width: 10, height: 10, pixels: pixels.clone() }.scaled(factor);
            let row = plane.row(plane.height / 2);
            let dark = row.iter().filter(|&&pixel| pixel < 128).count();
            assert_eq!(dark, row.len() / 2);
            assert!(row[0] < 60 && row[row.len() - 1] > 195);
        }
    }
}
