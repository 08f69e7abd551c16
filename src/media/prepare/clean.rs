//! Noise taken away before a picture grows, because it would grow with it.

use super::{
    blobs::Blob,
    ink::{Ink, Tone, code},
    lines::Text,
    plane::Plane,
    strikes::Line,
};

/// Blobs of less ink than this are specks.
const SPECK: u32 = 7;
/// Nor is a speck larger than this, in pixels.
const SPECK_SIDE: u32 = 4;
/// Ink of a dot, at least.
const DOT: u32 = 3;
/// Height of what a line left behind, in parts of that of small letters, at most.
const REMNANT: f32 = 0.6;
/// Specks, in parts of the letters, above which a picture is noisy: dots of i and full stops are fewer.
const NOISY: f32 = 0.6;
/// By how much a dot may be lighter than letters: it is small, and its edge is smooth.
const LIGHTER: u8 = 70;
/// Pixels around a letter that its smooth edge may reach.
const EDGE: u32 = 2;
/// Ground whose dark parts differ from its usual shade by less is even.
const UNEVEN: u8 = 16;
/// Letters are darker than all ground by at least this, or the ground is left alone.
const APART: u8 = 30;
/// Percent of the ground that may be darker than what counts as its darkest: lines and specks that are taken away
/// later. The dots of a raster are not many more.
const DARKEST: u64 = 8;
const RASTER_DARKEST: u64 = 3;

/// Takes away the specks of a noisy picture, of the tone that its letters have: those of the other are the insides
/// of letters. Dots and full stops stay: in a picture that is not noisy all but those that `strikes` left behind,
/// in a noisy one those at their place. Returns whether it was noisy.
pub fn despeckle(
    plane: &mut Plane,
    ink: &Ink,
    tone: Tone,
    blobs: &[Blob],
    text: &Text,
    strikes: &[Line],
) -> bool {
    let specks = || blobs.iter().filter(|blob| is_speck(blob));
    let noisy = specks().count() as f32 > text.letters() as f32 * NOISY;
    if noisy || !strikes.is_empty() {
        let dots = Dots::of(text, darkest(plane, text));
        let low = text.x_height() * REMNANT;
        let left_behind = |blob: &Blob| {
            let small = blob.area < SPECK * 2 && (blob.height() as f32) < low;
            small && strikes.iter().any(|line| line.touches(blob))
        };
        let goes = |blob: &&Blob| (noisy && is_speck(blob) || left_behind(blob)) && !dots.hold(blob, plane);
        let gone: Vec<&Blob> = blobs.iter().filter(goes).collect();
        for blob in gone {
            erase(plane, ink, blob, tone);
        }
    }
    noisy
}

/// Where a speck is a dot: over a narrow letter, or on the line between two letters.
struct Dots {
    /// Sorted by their left edge.
    zones: Vec<Blob>,
    widest: u32,
    /// The lightest that a dot is, at its darkest: as dark as letters are, nearly.
    shade: u8,
}

impl Dots {
    fn of(text: &Text, letters: u8) -> Dots {
        let mut zones = Vec::new();
        for row in &text.rows {
            for (index, letter) in row.iter().enumerate() {
                let (width, height) = (letter.width(), letter.height());
                if width * 2 <= height {
                    let (top, bottom) = (letter.top.saturating_sub(height / 2 + 1), letter.top);
                    let (left, right) = (letter.left.saturating_sub(1), letter.right + 1);
                    zones.push(Blob { left, right, top, bottom, area: 0 });
                }
                let Some(next) = row.get(index + 1) else { continue };
                if next.left > letter.right && next.left - letter.right <= height {
                    let (left, right) = (letter.right.saturating_sub(1), next.left + 1);
                    let (top, bottom) = (letter.bottom.saturating_sub(height / 3 + 1), letter.bottom + 1);
                    zones.push(Blob { left, right, top, bottom, area: 0 });
                }
            }
        }
        zones.sort_unstable_by_key(|zone| zone.left);
        let widest = zones.iter().map(Blob::width).max().unwrap_or(0);
        Dots { zones, widest, shade: letters.saturating_add(LIGHTER) }
    }

    fn hold(&self, speck: &Blob, plane: &Plane) -> bool {
        let from = self.zones.partition_point(|zone| zone.left + self.widest < speck.right);
        let near = self.zones[from..].iter().take_while(|zone| zone.left <= speck.left);
        let holds =
            |zone: &Blob| speck.right <= zone.right && speck.top >= zone.top && speck.bottom <= zone.bottom;
        speck.area >= DOT && darkest_of(plane, speck) <= self.shade && near.into_iter().any(holds)
    }
}

/// How dark letters are at their darkest, by the median.
fn darkest(plane: &Plane, text: &Text) -> u8 {
    let mut shades: Vec<u8> = text.rows.iter().flatten().map(|blob| darkest_of(plane, blob)).collect();
    let at = shades.len() / 2;
    if shades.is_empty() { 0 } else { *shades.select_nth_unstable(at).1 }
}

fn darkest_of(plane: &Plane, blob: &Blob) -> u8 {
    let rows = blob.top as usize..blob.bottom as usize;
    let rows = rows.map(|y| &plane.row(y)[blob.left as usize..blob.right as usize]);
    rows.flatten().copied().min().unwrap_or(0)
}

/// The picture with its uneven ground made white, where most of the letters' ink is darker than all of it: stripes,
/// gradients, photos. The letters of `plane` are dark by now; `ink` and `tone` are how they were found.
pub fn flatten(plane: &Plane, ink: &Ink, tone: Tone, text: &Text) -> Option<Plane> {
    let mark = code(tone);
    let (mut letters, mut ground) = ([0u32; 256], [0u32; 256]);
    let mut covered = vec![false; plane.pixels.len()];
    for blob in text.rows.iter().flatten() {
        for y in blob.top as usize..blob.bottom as usize {
            let (left, right) = (blob.left as usize, blob.right as usize);
            for (&pixel, &found) in plane.row(y)[left..right].iter().zip(&ink.row(y)[left..right]) {
                letters[usize::from(pixel)] += u32::from(found == mark);
            }
        }
        let top = blob.top.saturating_sub(EDGE) as usize;
        let left = blob.left.saturating_sub(EDGE) as usize;
        let right = ((blob.right + EDGE) as usize).min(plane.width);
        for y in top..((blob.bottom + EDGE) as usize).min(plane.height) {
            covered[y * plane.width..][left..right].fill(true);
        }
    }
    for (&pixel, _) in plane.pixels.iter().zip(&covered).filter(|(_, covered)| !**covered) {
        ground[usize::from(pixel)] += 1;
    }
    let darkest = percentile(&ground, if text.raster { RASTER_DARKEST } else { DARKEST });
    let uneven = percentile(&ground, 92).saturating_sub(darkest) >= UNEVEN;
    if !uneven || percentile(&letters, 25).saturating_add(APART) > darkest {
        return None;
    }
    let scale: Vec<u8> =
        (0..=255u32).map(|value| (value * 255 / u32::from(darkest.max(1))).min(255) as u8).collect();
    let pixels = plane.pixels.iter().map(|&pixel| scale[usize::from(pixel)]).collect();
    Some(Plane { pixels, ..*plane })
}

fn percentile(histogram: &[u32; 256], percent: u64) -> u8 {
    let all: u64 = histogram.iter().map(|&count| u64::from(count)).sum();
    let mut below = 0;
    let at = histogram.iter().position(|&count| {
        below += u64::from(count);
        below * 100 > all * percent
    });
    at.unwrap_or(255) as u8
}

fn is_speck(blob: &Blob) -> bool {
    blob.area < SPECK && blob.width() <= SPECK_SIDE && blob.height() <= SPECK_SIDE
}

/// Paints over a blob what stands to the left and right of it.
fn erase(plane: &mut Plane, ink: &Ink, blob: &Blob, tone: Tone) {
    let (left, right) = (blob.left as usize, blob.right as usize);
    for y in blob.top as usize..blob.bottom as usize {
        let marks = ink.row(y);
        let row = &mut plane.pixels[y * plane.width..][..plane.width];
        let before = left.checked_sub(1).map(|at| row[at]);
        let after = row.get(right).copied();
        let ground = match (before, after) {
            (Some(a), Some(b)) => ((u16::from(a) + u16::from(b)) / 2) as u8,
            (Some(a), None) | (None, Some(a)) => a,
            (None, None) => continue,
        };
        for x in left..right {
            if marks[x] == code(tone) {
                row[x] = ground;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::blobs, *};

    fn picture(specks: usize) -> (Plane, usize) {
        let mut plane = Plane { width: 120, height: 60, pixels: vec![230; 7200] };
        for letter in 0..10 {
            for y in 20..32 {
                for x in 0..4 {
                    plane.pixels[y * 120 + 5 + letter * 11 + x] = 10;
                }
            }
        }
        for speck in 0..specks {
            plane.pixels[(speck / 20 * 4 + 44) * 120 + speck % 20 * 5 + 7] = 10;
        }
        let dark = plane.pixels.iter().filter(|&&pixel| pixel < 100).count();
        (plane, dark)
    }

    #[test]
    fn a_noisy_picture_loses_its_specks_and_another_keeps_its_dots() {
        for (specks, left) in [(3, 483), (60, 480)] {
            let (mut plane, _) = picture(specks);
            let ink = Ink::find(&plane);
            let blobs = blobs::find(&ink, Tone::Dark);
            assert_eq!(
                despeckle(&mut plane, &ink, Tone::Dark, &blobs, &Text::find(&blobs), &[]),
                specks == 60
            );
            assert_eq!(plane.pixels.iter().filter(|&&pixel| pixel < 100).count(), left);
        }
    }

    #[test]
    fn stripes_behind_dark_letters_turn_white() {
        let (mut plane, _) = picture(0);
        for (at, pixel) in plane.pixels.iter_mut().enumerate() {
            if at / 120 % 12 < 6 && *pixel > 100 {
                *pixel = 150;
            }
        }
        let ink = Ink::find(&plane);
        let text = Text::find(&blobs::find(&ink, Tone::Dark));
        let flat = flatten(&plane, &ink, Tone::Dark, &text).unwrap();
        assert!(flat.pixels.iter().all(|&pixel| pixel == 255 || pixel < 30));
        assert_eq!(flat.pixels.iter().filter(|&&pixel| pixel < 30).count(), 480);
        // Even ground is left alone.
        let (even, _) = picture(0);
        let ink = Ink::find(&even);
        let text = Text::find(&blobs::find(&ink, Tone::Dark));
        assert_eq!(flatten(&even, &ink, Tone::Dark, &text), None);
    }
}
