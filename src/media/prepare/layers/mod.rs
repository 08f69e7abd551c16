//! Text in a few inks on one ground, and what has none of these colours taken away: lines, arcs, dashes and confetti
//! drawn over it against its readers.
//!
//! The smooth edge of a letter is a mixture of its ink and the ground. In the space of colours all shades of an ink
//! lie on a ray that begins at the ground; of the colours of confetti few do.

use super::plane::Plane;
use crate::media::raster::Raster;
use sheet::Sheet;

mod marks;

mod sheet;

/// Values of a channel that are told apart where colours are counted.
const STEPS: usize = 16;
/// Pixels of a picture that is too large for such noise.
const LARGE: usize = 1_000_000;
/// Pixels that are looked at, about, to find the ground.
const SAMPLE: usize = 8000;
/// Percent of the pixels that are ground, at least.
const GROUND: usize = 40;
/// Distance from the ground, in shades, within which a pixel is ground.
const NEAR: f32 = 40.0;
/// Distance from the ray of an ink within which a pixel is of that ink.
const BESIDE: f32 = 40.0;
/// Rays that are looked at.
const MOST: usize = 24;
/// Pixels that a ray has, at least, and that it has for itself, in parts of all that are no ground.
const LEAST: usize = 40;
const SMALL: usize = 150;
/// The same of a ray that may well be an ink.
const LARGE_PART: usize = 25;
/// Percent of the pixels of a ray that are nearer to the ground than its ink.
const FULL: usize = 95;
/// Distance of an ink from the ground, at least: what is nearer is what compression leaves.
const CLEAR: f32 = 90.0;

/// A colour, or a way from one to another.
type Colour = [f32; 3];

/// A pixel that is near a ray.
#[derive(Clone, Copy, Debug)]
struct OnRay {
    at: usize,
    /// How far from the ground, where the ink itself is 1.
    depth: f32,
    /// How far from the ray, in shades.
    beside: f32,
}

/// Dark text on white, of a picture where more than a little had to be taken away for that; else `None`.
pub fn plane(raster: &Raster) -> Option<Plane> {
    let pixels = &raster.pixels;
    if pixels.len() > LARGE {
        return None;
    }
    // A photo is known by a few of its pixels. An odd step, lest every other column is left out.
    let step = (pixels.len() / SAMPLE) | 1;
    let sample = || (0..pixels.len()).step_by(step);
    let ground = commonest(pixels, sample(), |_| 1.0)?;
    let from_ground = |at: usize| minus(pixels[at].map(f32::from), ground);
    let is_away = |&at: &usize| squared(from_ground(at)) > NEAR * NEAR;
    if sample().filter(is_away).count() * 100 > sample().len() * (100 - GROUND) {
        return None;
    }
    let away: Vec<usize> = (0..pixels.len()).filter(is_away).collect();
    if sheet::holds_pictures(raster, &away) {
        return None;
    }
    let mut sheet = Sheet::new(raster, &away);
    let (mut rays, mut left) = (Vec::new(), away.clone());
    while rays.len() < MOST && left.len() >= LEAST {
        // The edge of a letter has more shades than its middle, each further from the next ink.
        let ink = commonest(pixels, left.iter().copied(), |pixel| length(minus(pixel, ground)));
        let Some(way) = ink.and_then(|ink| unit(minus(ink, ground))) else { break };
        let (own, others) = left.into_iter().partition(|&at| place(from_ground(at), way).is_some());
        left = others;
        rays.push((way, own));
    }
    for (way, own) in rays {
        if own.len() < LEAST.max(away.len() / SMALL) {
            continue;
        }
        let on_ray = |&at: &usize| {
            let (depth, beside) = place(from_ground(at), way)?;
            Some(OnRay { at, depth, beside })
        };
        let mut all: Vec<OnRay> = away.iter().filter_map(on_ray).collect();
        let full = full(&all);
        if full >= CLEAR {
            all.iter_mut().for_each(|pixel| pixel.depth /= full);
            sheet.add(&all, &own, own.len() * LARGE_PART >= away.len());
        }
    }
    sheet.without(&away, |at| length(from_ground(at)) >= CLEAR)
}

/// The mean of the colours that are nearly the commonest one among some pixels, by weight.
fn commonest(
    pixels: &[[u8; 3]],
    some: impl Iterator<Item = usize>,
    weight: impl Fn(Colour) -> f32,
) -> Option<Colour> {
    let mut cells = vec![(0u32, [0u32; 3]); STEPS * STEPS * STEPS];
    for at in some {
        let pixel = pixels[at];
        let [r, g, b] = pixel.map(|channel| usize::from(channel) * STEPS / 256);
        let (count, sums) = &mut cells[(r * STEPS + g) * STEPS + b];
        *count += 1;
        sums.iter_mut().zip(pixel).for_each(|(sum, channel)| *sum += u32::from(channel));
    }
    let seen = cells.iter().filter(|(count, _)| *count > 0);
    let weighed = seen.map(|&(count, sums)| {
        let mean = sums.map(|sum| sum as f32 / count as f32);
        (weight(mean) * count as f32, mean)
    });
    weighed.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, mean)| mean)
}

/// How far from the ground a pixel is on a way, and how far from the way, where that is near.
fn place(pixel: Colour, way: Colour) -> Option<(f32, f32)> {
    let along = dot(pixel, way);
    let beside = length(minus(pixel, way.map(|part| part * along)));
    (along > 0.0 && beside <= BESIDE).then_some((along, beside))
}

/// How far from the ground the ink of a ray is.
fn full(all: &[OnRay]) -> f32 {
    let mut depths: Vec<f32> = all.iter().map(|pixel| pixel.depth).collect();
    let at = depths.len() * FULL / 100;
    if depths.is_empty() { 0.0 } else { *depths.select_nth_unstable_by(at, f32::total_cmp).1 }
}

fn minus(a: Colour, b: Colour) -> Colour {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn dot(a: Colour, b: Colour) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn squared(a: Colour) -> f32 {
    dot(a, a)
}

fn length(a: Colour) -> f32 {
    squared(a).sqrt()
}

fn unit(a: Colour) -> Option<Colour> {
    let length = length(a);
    (length > f32::EPSILON).then(|| a.map(|part| part / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 200;

    // Two rows of letters (blocks of 4 by 12), in blue and in green on pale yellow.
    fn picture() -> Raster {
        let mut pixels = vec![[255, 255, 220]; WIDTH * 70];
        for (top, ink) in [(10, [0, 0, 160]), (40, [0, 100, 0])] {
            for letter in 0..14 {
                for y in top..top + 12 {
                    pixels[y * WIDTH + 10 + letter * 12..][..4].fill(ink);
                }
            }
        }
        Raster { width: WIDTH as u32, height: 70, pixels }
    }

    fn dark(plane: &Plane) -> Vec<bool> {
        plane.pixels.iter().map(|&pixel| pixel < 128).collect()
    }

    #[test]
    fn lines_and_confetti_of_other_colours_go_and_the_letters_stay() {
        let clean = picture();
        let mut noisy = clean.clone();
        for x in 0..WIDTH {
            noisy.pixels[(5 + x / 4) * WIDTH + x] = [230, 0, 160];
        }
        for (number, colour) in [[255, 90, 0], [0, 200, 220], [120, 220, 40]].into_iter().enumerate() {
            for piece in 0..12 {
                let (x, y) = ((piece * 37 + number * 11) % (WIDTH - 3), (piece * 23 + number * 29) % 67);
                for row in 0..3 {
                    noisy.pixels[(y + row) * WIDTH + x..][..3].fill(colour);
                }
            }
        }
        let plane = plane(&noisy).expect("noise");
        let before = noisy.pixels.iter().zip(&clean.pixels).filter(|(noisy, clean)| noisy != clean).count();
        let expected = clean.pixels.iter().map(|pixel| pixel[0] == 0);
        let wrong = dark(&plane).iter().zip(expected).filter(|(is, expected)| **is != *expected).count();
        assert!(before > 400 && wrong * 10 < before, "{wrong} of {before} pixels are wrong");
    }

    #[test]
    fn a_picture_without_noise_is_left_alone() {
        assert_eq!(plane(&picture()), None);
        let blank = Raster { width: 4, height: 4, pixels: vec![[9; 3]; 16] };
        assert_eq!(plane(&blank), None);
        assert_eq!(plane(&Raster { width: 0, height: 0, pixels: Vec::new() }), None);
    }

    #[test]
    fn letters_that_each_have_a_colour_are_no_noise() {
        let mut raster = picture();
        let inks =
            [[0, 0, 0], [200, 0, 0], [0, 0, 255], [0, 90, 0], [160, 0, 160], [0, 120, 120], [150, 80, 0]];
        for (at, pixel) in raster.pixels.iter_mut().enumerate() {
            if pixel[0] == 0 {
                *pixel = inks[at % WIDTH / 12 * 3 % inks.len()];
            }
        }
        assert_eq!(plane(&raster), None);
    }
}
