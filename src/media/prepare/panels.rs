//! Text of the other tone in a box of its own: a headline in white on a coloured bar over a white page.

use super::{blobs::Blob, lines::Text, plane::Plane};

/// Letters and ground of a panel differ by at least this.
const CONTRAST: i32 = 40;
/// Shades this near to the ground of a panel are ground.
const GROUND: i32 = 28;
/// Part of a row or column that is ground inside a panel, in tenths: the rest is letters.
const MOSTLY: usize = 3;
/// Letters of a panel, at least.
const LEAST: usize = 4;
/// Rows that are looked at: a picture of noise has thousands, each to be compared with all letters.
const MOST: usize = 100;

/// Makes `other`, the text of the other tone, dark on white like the rest, each panel as far as its ground reaches.
/// `main` is the text that is dark already. Returns whether there were any.
pub fn unify(plane: &mut Plane, main: &Text, other: &Text) -> bool {
    let mut done: Vec<Blob> = Vec::new();
    let letters: Vec<&Blob> = main.rows.iter().flatten().collect();
    for row in other.rows.iter().filter(|row| row.len() >= LEAST).take(MOST) {
        let mut bounds = row[0];
        row.iter().for_each(|letter| bounds.include(letter));
        if done.iter().any(|panel| panel.overlap(&bounds) > 0) {
            continue;
        }
        // The insides of letters stand in rows as well: between letters that are higher.
        let height = row.iter().map(Blob::height).sum::<u32>() / row.len() as u32;
        let higher = letters.iter().filter(|letter| letter.height() * 10 >= height * 8);
        let covered: u64 = higher.map(|letter| letter.overlap(&bounds)).sum();
        if covered * 10 > bounds.pixels() {
            continue;
        }
        let Some((ground, ink)) = shades(plane, row, &bounds) else { continue };
        let panel = grow(plane, bounds, ground);
        // A gap in something else is no larger than what was taken for letters.
        if panel.height() * 10 < bounds.height() * 13 || panel.width() < bounds.width() + height {
            continue;
        }
        for y in panel.top as usize..panel.bottom as usize {
            let row = &mut plane.pixels[y * plane.width..][panel.left as usize..panel.right as usize];
            for pixel in row {
                let away = (i32::from(*pixel) - ground).abs() * 255 / (ink - ground).abs();
                *pixel = 255 - away.min(255) as u8;
            }
        }
        done.push(panel);
    }
    !done.is_empty()
}

/// The shade of the ground around letters and of the letters, where they are light on dark.
fn shades(plane: &Plane, row: &[Blob], bounds: &Blob) -> Option<(i32, i32)> {
    let (mut all, mut inside) = ([0u32; 256], [0u32; 256]);
    let count = |area: &Blob, histogram: &mut [u32; 256]| {
        for y in area.top as usize..area.bottom as usize {
            for &pixel in &plane.row(y)[area.left as usize..area.right as usize] {
                histogram[usize::from(pixel)] += 1;
            }
        }
    };
    count(bounds, &mut all);
    row.iter().for_each(|letter| count(letter, &mut inside));
    let at = |histogram: &[u32; 256], percent: u64| {
        let sum: u64 = histogram.iter().map(|&count| u64::from(count)).sum();
        let mut below = 0;
        let found = histogram.iter().position(|&count| {
            below += u64::from(count);
            below * 100 > sum * percent
        });
        found.unwrap_or(255) as i32
    };
    // Of a row of letters well over a third is ground, and of the letters' own boxes a tenth is their full shade.
    let (ground, ink) = (at(&all, 30), at(&inside, 90));
    // Between pieces of a light pattern there is text that is darker than they and their ground.
    let darkest = at(&all, 1);
    (ink - ground >= CONTRAST && ground - darkest <= GROUND).then_some((ground, ink))
}

/// The rectangle around `bounds` that has the same ground.
fn grow(plane: &Plane, bounds: Blob, ground: i32) -> Blob {
    let is_ground = |pixel: u8| (i32::from(pixel) - ground).abs() <= GROUND;
    let mut panel = bounds;
    let row_fits = |panel: &Blob, y: u32| {
        let row = &plane.row(y as usize)[panel.left as usize..panel.right as usize];
        row.iter().filter(|&&pixel| is_ground(pixel)).count() * 10 >= row.len() * MOSTLY
    };
    let column_fits = |panel: &Blob, x: u32| {
        let rows = panel.top as usize..panel.bottom as usize;
        let height = rows.len();
        let at = |y: usize| plane.pixels[y * plane.width + x as usize];
        rows.filter(|&y| is_ground(at(y))).count() * 10 >= height * MOSTLY
    };
    while panel.left > 0 && column_fits(&panel, panel.left - 1) {
        panel.left -= 1;
    }
    while (panel.right as usize) < plane.width && column_fits(&panel, panel.right) {
        panel.right += 1;
    }
    while panel.top > 0 && row_fits(&panel, panel.top - 1) {
        panel.top -= 1;
    }
    while (panel.bottom as usize) < plane.height && row_fits(&panel, panel.bottom) {
        panel.bottom += 1;
    }
    panel
}

#[cfg(test)]
mod tests {
    use super::{super::blobs, *};
    use crate::media::prepare::ink::{Ink, Tone};

    // Letters of 5 by 12 in a row; the first one in white on a dark bar.
    fn picture() -> Plane {
        let mut plane = Plane { width: 160, height: 80, pixels: vec![255; 160 * 80] };
        plane.pixels[..160 * 36].fill(60);
        for (top, shade) in [(12, 250), (52, 20)] {
            for letter in 0..10 {
                for y in top..top + 12 {
                    plane.pixels[y * 160 + 12 + letter * 12..][..5].fill(shade);
                }
            }
        }
        plane
    }

    #[test]
    fn light_letters_on_a_bar_become_dark_ones_on_white() {
        let mut plane = picture();
        let ink = Ink::find(&plane);
        let [dark, light] = [Tone::Dark, Tone::Light].map(|tone| Text::find(&blobs::find(&ink, tone)));
        assert!(unify(&mut plane, &dark, &light));
        let at = |x: usize, y: usize| plane.pixels[y * 160 + x];
        assert!(at(14, 18) < 10 && at(20, 18) > 245 && at(2, 2) > 245 && at(158, 34) > 245);
        assert!(at(14, 58) == 20 && at(20, 58) == 255);
    }

    #[test]
    fn text_of_one_tone_is_left_alone() {
        let mut plane = picture();
        plane.pixels[..160 * 40].fill(255);
        let before = plane.clone();
        let ink = Ink::find(&plane);
        let [dark, light] = [Tone::Dark, Tone::Light].map(|tone| Text::find(&blobs::find(&ink, tone)));
        assert!(!unify(&mut plane, &dark, &light));
        assert_eq!(plane, before);
    }
}
