//! Single pixels of some other colour, sown over a picture against its readers.
//!
//! In colour they are told from the letters that they touch, which they are not once the picture is grey.

use crate::media::raster::{Raster, luma};

/// Channels that differ by more make two colours.
const OTHER: u8 = 48;
/// Pixels of a picture in which single ones hide nothing.
const LARGE: usize = 2_000_000;
/// Lone pixels a thousand pixels, from which on they are no accident.
const SOWN: usize = 4;

/// A picture without its lone pixels, if it is sown with them.
pub fn cleaned(raster: &Raster) -> Option<Raster> {
    if raster.pixels.len() > LARGE {
        return None;
    }
    let lone = lone(raster);
    // Those of thin letters are on no even ground.
    let sown = lone.iter().filter(|&&at| is_even(raster, at)).count();
    if sown * 1000 <= raster.pixels.len() * SOWN {
        return None;
    }
    let mut cleaned = raster.clone();
    for at in lone {
        let mut near = around(at, raster.width as usize).map(|at| raster.pixels[at]);
        near.sort_unstable_by_key(|&pixel| luma(pixel));
        cleaned.pixels[at] = mean(near[1], near[2]);
    }
    Some(cleaned)
}

/// Half one colour, half another.
fn mean(a: [u8; 3], b: [u8; 3]) -> [u8; 3] {
    [0, 1, 2].map(|channel| a[channel].midpoint(b[channel]))
}

/// Pixels that none of the eight around is like; those at the edge are left out.
fn lone(raster: &Raster) -> Vec<usize> {
    let (width, height) = (raster.width as usize, raster.height as usize);
    let pixels = &raster.pixels;
    let mut lone = Vec::new();
    for y in 1..height.saturating_sub(1) {
        for at in y * width + 1..((y + 1) * width).saturating_sub(1) {
            let corners = [at - width - 1, at - width + 1, at + width - 1, at + width + 1];
            // Nearly always the first one is alike.
            if !around(at, width).iter().chain(&corners).any(|&other| alike(pixels[at], pixels[other])) {
                lone.push(at);
            }
        }
    }
    lone
}

/// Whether the pixels around one are like each other.
fn is_even(raster: &Raster, at: usize) -> bool {
    let [left, right, above, below] = around(at, raster.width as usize).map(|at| raster.pixels[at]);
    alike(left, right) && alike(above, below) && alike(left, above)
}

/// The pixels left, right, above and below.
fn around(at: usize, width: usize) -> [usize; 4] {
    [at - 1, at + 1, at - width, at + width]
}

fn alike(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(specks: usize) -> Raster {
        let mut pixels = vec![[255; 3]; 60 * 40];
        for y in 10..22 {
            pixels[y * 60 + 20..][..2].fill([0, 0, 120]);
        }
        // Beside the letter and inside of it.
        for at in [(12, 22), (15, 21)] {
            pixels[at.0 * 60 + at.1] = [230, 20, 20];
        }
        (0..specks).for_each(|speck| pixels[(30 + speck / 10 * 3) * 60 + 3 + speck % 10 * 5] = [90, 200, 30]);
        Raster { width: 60, height: 40, pixels }
    }

    #[test]
    fn sown_pixels_go_and_the_letter_stays() {
        let cleaned = cleaned(&picture(20)).expect("sown pixels");
        let at = |x: usize, y: usize| cleaned.pixels[y * 60 + x];
        let letter = [0, 0, 120];
        assert!(cleaned.pixels.iter().all(|&pixel| pixel == letter || pixel == [255; 3]));
        assert!((10..22).all(|y| at(20, y) == letter), "the letter");
        assert_eq!(at(22, 12), [255; 3]);
    }

    #[test]
    fn a_few_are_left_alone() {
        assert_eq!(cleaned(&picture(0)), None);
        let tiny = Raster { width: 1, height: 1, pixels: vec![[0; 3]] };
        assert_eq!(cleaned(&tiny), None);
    }
}
