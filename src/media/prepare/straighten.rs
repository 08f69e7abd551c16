//! Lines that wave or slant, made straight: the columns of the picture moved up and down.
//!
//! How far a column is moved is the same for all lines. From one small letter of a line to the next the baseline
//! rises or falls; the median of these slopes over all lines, summed up from left to right, is the way back.

use super::{blobs::Blob, lines::Text, plane::Plane};

/// Columns that share a slope.
const BIN: usize = 4;
/// Bins on both sides that a slope is averaged with.
const SMOOTH: usize = 1;
/// Pairs of letters without which nothing is known.
const LEAST_PAIRS: usize = 20;
/// Rise and fall of the columns below which lines are straight, in pixels.
const STRAIGHT: f32 = 1.5;
/// Part of the steps between letters that must not be left afterwards, for the way back to be one.
const BETTER: f32 = 0.65;

/// Moves the columns so that the lines of `text` are straight. Returns how many rows were added below, 0 where
/// they are straight.
pub fn straighten(plane: &mut Plane, text: &Text) -> usize {
    let pairs = pairs(text);
    if pairs.len() < LEAST_PAIRS {
        return 0;
    }
    let shifts = shifts(&pairs, plane.width);
    let (low, high) = shifts.iter().fold((f32::MAX, f32::MIN), |(low, high), &s| (low.min(s), high.max(s)));
    let at = |x: f32| shifts.get(x as usize).copied().unwrap_or(0.0);
    let before: f32 = pairs.iter().map(|pair| pair.rise.abs()).sum();
    let after: f32 = pairs.iter().map(|pair| (pair.rise - (at(pair.right) - at(pair.left))).abs()).sum();
    if high - low < STRAIGHT || after > before * BETTER {
        return 0;
    }
    let more = (high - low).ceil() as usize;
    shift(plane, &shifts, low, more);
    more
}

/// Two small letters of a line, one after the other: their middles, and by how much the baseline falls between them.
struct Pair {
    left: f32,
    right: f32,
    rise: f32,
}

fn pairs(text: &Text) -> Vec<Pair> {
    let x = text.x_height();
    // They stand on the baseline, and are neither capitals nor g or y.
    let small = |blob: &&Blob| {
        let height = blob.height() as f32;
        (0.8 * x..=1.2 * x).contains(&height) && blob.width() as f32 <= 2.5 * x
    };
    let mut pairs = Vec::new();
    for row in &text.rows {
        let letters: Vec<&Blob> = row.iter().filter(small).collect();
        for pair in letters.windows(2) {
            let middle = |blob: &Blob| (blob.left + blob.right) as f32 / 2.0;
            let (left, right) = (middle(pair[0]), middle(pair[1]));
            let rise = pair[1].bottom as f32 - pair[0].bottom as f32;
            if right - left >= 1.0 && right - left <= 5.0 * x && rise.abs() <= x {
                pairs.push(Pair { left, right, rise });
            }
        }
    }
    pairs
}

/// By how much each column stands too low.
fn shifts(pairs: &[Pair], width: usize) -> Vec<f32> {
    let mut bins: Vec<Vec<f32>> = vec![Vec::new(); width.div_ceil(BIN)];
    for pair in pairs {
        let slope = pair.rise / (pair.right - pair.left);
        let (first, last) = (pair.left as usize / BIN, pair.right as usize / BIN);
        bins.iter_mut().take(last + 1).skip(first).for_each(|bin| bin.push(slope));
    }
    let medians: Vec<f32> = bins
        .iter_mut()
        .map(|slopes| {
            let at = slopes.len() / 2;
            if slopes.is_empty() { 0.0 } else { *slopes.select_nth_unstable_by(at, f32::total_cmp).1 }
        })
        .collect();
    let mut sum = 0.0;
    let mut shifts = Vec::with_capacity(width);
    for x in 0..width {
        let bin = x / BIN;
        let near = &medians[bin.saturating_sub(SMOOTH)..(bin + SMOOTH + 1).min(medians.len())];
        sum += near.iter().sum::<f32>() / near.len() as f32;
        shifts.push(sum);
    }
    shifts
}

/// Moves each column up by its shift, on a picture with `more` rows; what is uncovered takes the shade at the edge.
fn shift(plane: &mut Plane, shifts: &[f32], low: f32, more: usize) {
    let (width, height) = (plane.width, plane.height);
    let mut pixels = vec![0; width * (height + more)];
    for (x, &shift) in shifts.iter().enumerate() {
        let down = (more as f32 - (shift - low)).round().clamp(0.0, more as f32) as usize;
        for y in 0..height + more {
            let from = y.saturating_sub(down).min(height - 1);
            pixels[y * width + x] = plane.pixels[from * width + x];
        }
    }
    *plane = Plane { width, height: height + more, pixels };
}

#[cfg(test)]
mod tests {
    use super::{super::blobs, *};
    use crate::media::prepare::ink::{Ink, Tone};

    // Three lines of letters (4 by 9) whose columns are moved.
    fn picture(moved: impl Fn(usize) -> i32) -> Plane {
        let (width, height) = (320, 110);
        let mut plane = Plane { width, height, pixels: vec![255; width * height] };
        for line in 0..3 {
            for x in (10..305).filter(|x| x % 11 < 4) {
                for y in 0..9 {
                    let y = (20 + 28 * line + y + moved(x)) as usize;
                    plane.pixels[y * width + x] = 0;
                }
            }
        }
        plane
    }

    fn found(plane: &Plane) -> Text {
        Text::find(&blobs::find(&Ink::find(plane), Tone::Dark))
    }

    fn uneven(text: &Text) -> u32 {
        let spread = |row: &Vec<Blob>| {
            let bottoms = || row.iter().map(|blob| blob.bottom);
            bottoms().max().unwrap_or(0) - bottoms().min().unwrap_or(0)
        };
        text.rows.iter().map(spread).max().unwrap_or(0)
    }

    #[test]
    fn waves_and_slants_are_made_straight() {
        let wave = |x: usize| (5.0 * (x as f32 / 18.0).sin()).round() as i32;
        for mut plane in [picture(wave), picture(|x| x as i32 / 16)] {
            let text = found(&plane);
            let before = uneven(&text);
            assert!(straighten(&mut plane, &text) > 0);
            let after = uneven(&found(&plane));
            assert!(before >= 9 && after * 2 <= before, "{before} {after}");
        }
    }

    #[test]
    fn straight_lines_are_left_alone() {
        let mut plane = picture(|_| 0);
        let before = plane.clone();
        assert_eq!(straighten(&mut plane, &found(&before)), 0);
        assert_eq!(plane, before);
    }
}
