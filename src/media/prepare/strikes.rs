//! Lines drawn across the text, to confuse its readers, and taken away again.
//!
//! A line makes one large, thin blob of the letters it touches: where there is such a blob, lines are looked for
//! with a Hough transform over pixels that are thin from side to side. Of a line those pixels go that have ground
//! on both sides; where it crosses a letter, the letter stays.

use std::f32::consts::PI;

use super::{
    blobs::Blob,
    ink::{Ink, Tone, code},
    plane::Plane,
};

/// Angles that are told apart.
const ANGLES: usize = 240;
/// Lines that are taken away, at most.
const MOST: usize = 40;
/// Pixels that vote, about; of more only some do.
const VOTERS: usize = 10_000;
/// Candidates that are tried: a line has several, and a row of letters has some that are none.
const TRIES: usize = 600;
/// Steps without ink that do not end a line; between letters there are more.
const GAP: usize = 1;
/// Width of a line, in pixels, at most.
const WIDTH: usize = 3;
/// Part of the picture's shorter side that a line is long.
const LONG: f32 = 0.35;

/// Whether some blob looks like letters strung together by a line.
pub fn suspected(blobs: &[Blob], width: usize, height: usize) -> bool {
    let (width, height) = (width as u32, height as u32);
    blobs.iter().any(|blob| {
        let long = blob.width() * 10 > width * 4 || blob.height() * 10 > height * 5;
        let fill = u64::from(blob.area) * 100 / (u64::from(blob.width()) * u64::from(blob.height()));
        long && fill < 20
    })
}

/// Takes the lines of a tone away. Returns how many there were.
pub fn erase(plane: &mut Plane, ink: &Ink, tone: Tone) -> usize {
    let (width, height) = (plane.width, plane.height);
    let mark = code(tone);
    let mut inked: Vec<bool> = (0..height).flat_map(|y| ink.row(y).iter().map(move |&m| m == mark)).collect();
    let is = |inked: &[bool], x: i64, y: i64| {
        (0..width as i64).contains(&x)
            && (0..height as i64).contains(&y)
            && inked[y as usize * width + x as usize]
    };
    // Thin from top to bottom, or from left to right.
    let run = |inked: &[bool], x: usize, y: usize, dx: i64, dy: i64| {
        let (x, y) = (x as i64, y as i64);
        let side = |sign: i64| {
            (1..=WIDTH as i64).take_while(|&i| is(inked, x + sign * i * dx, y + sign * i * dy)).count()
        };
        1 + side(1) + side(-1)
    };
    let mut voters = Vec::new();
    for y in 0..height {
        for x in 0..width {
            if inked[y * width + x] {
                let flat = run(&inked, x, y, 0, 1) <= WIDTH;
                let steep = run(&inked, x, y, 1, 0) <= WIDTH;
                if flat || steep {
                    voters.push((x as f32, y as f32));
                }
            }
        }
    }
    // An odd step, lest every other row or column is left out.
    let step = (voters.len() / VOTERS) | 1;
    let directions: Vec<(f32, f32)> =
        (0..ANGLES).map(|angle| (angle as f32 * PI / ANGLES as f32).sin_cos()).map(|(s, c)| (c, s)).collect();
    let reach = ((width * width + height * height) as f32).sqrt().ceil();
    let bins = 2 * reach as usize + 2;
    let mut votes = vec![0u16; ANGLES * bins];
    for &(x, y) in voters.iter().step_by(step) {
        for (angle, &(c, s)) in directions.iter().enumerate() {
            let bin = (x * c + y * s + reach) as usize;
            let vote = &mut votes[angle * bins + bin.min(bins - 1)];
            *vote = vote.saturating_add(1);
        }
    }
    let long = width.min(height) as f32 * LONG;
    let enough = (long / step as f32 * 0.8).max(4.0);
    let mut found = 0;
    let mut order: Vec<usize> = (0..votes.len()).filter(|&at| f32::from(votes[at]) >= enough).collect();
    order.sort_unstable_by_key(|&at| std::cmp::Reverse(votes[at]));
    for at in order.into_iter().take(TRIES) {
        if found >= MOST {
            break;
        }
        let (c, s) = directions[at / bins];
        let distance = (at % bins) as f32 - reach + 0.5;
        if trace(plane, &mut inked, (c, s), distance, long) {
            found += 1;
        }
    }
    found
}

/// Walks along a line and takes it away if it is one: inked nearly all the way for long enough, and thin.
fn trace(plane: &mut Plane, inked: &mut [bool], (c, s): (f32, f32), distance: f32, long: f32) -> bool {
    let (width, height) = (plane.width as i64, plane.height as i64);
    // One step a column on flat lines, one a row on steep ones; across is the other direction.
    let flat = s.abs() >= c.abs();
    let (length, breadth) = if flat { (width, height) } else { (height, width) };
    let at = |along: i64, across: i64| {
        let (x, y) = if flat { (along, across) } else { (across, along) };
        ((0..width).contains(&x) && (0..height).contains(&y)).then(|| (y * width + x) as usize)
    };
    let center = |along: i64| {
        let other = if flat { (distance - along as f32 * c) / s } else { (distance - along as f32 * s) / c };
        other.round() as i64
    };
    let ink = |inked: &[bool], along: i64, across: i64| at(along, across).is_some_and(|at| inked[at]);
    let mut thin: Vec<(i64, i64, i64)> = Vec::new();
    let (mut best, mut start) = (0..0usize, 0usize);
    // Angles are coarse: the walk keeps to the ink.
    let (mut misses, mut drift) = (0usize, 0);
    for along in 0..length {
        let middle = center(along) + drift;
        if !(0..breadth).contains(&middle) {
            continue;
        }
        let near = [0, -1, 1].into_iter().map(|by| middle + by).find(|&across| ink(inked, along, across));
        match near {
            Some(across) => {
                misses = 0;
                drift += across - middle;
                let low = (1..=3).take_while(|&by| ink(inked, along, across - by)).count() as i64;
                let high = (1..=3).take_while(|&by| ink(inked, along, across + by)).count() as i64;
                thin.push((along, across - low, across + high));
            }
            None => {
                misses += 1;
                if misses > GAP {
                    if thin.len() - start > best.len() {
                        best = start..thin.len();
                    }
                    start = thin.len();
                }
            }
        }
    }
    if thin.len() - start > best.len() {
        best = start..thin.len();
    }
    let line = thin.get(best).unwrap_or_default();
    // The line's own width is the one it has most often; where it is wider it crosses a letter.
    let mut widths = [0usize; WIDTH + 1];
    for (_, low, high) in line {
        widths[((high - low) as usize).min(WIDTH)] += 1;
    }
    let own = (0..WIDTH).max_by_key(|&width| (widths[width], WIDTH - width)).unwrap_or(0);
    let thin = |&&(_, low, high): &&(i64, i64, i64)| high - low <= own as i64;
    if (line.len() as f32) < long || line.iter().filter(thin).count() * 10 < line.len() * 4 {
        return false;
    }
    for &(along, low, high) in line.iter().filter(thin) {
        let beside = [at(along, low - 2), at(along, high + 2)].map(|at| at.map(|at| plane.pixels[at]));
        let ground = match beside {
            [Some(a), Some(b)] => ((u16::from(a) + u16::from(b)) / 2) as u8,
            [Some(a), None] | [None, Some(a)] => a,
            [None, None] => continue,
        };
        // The faint edge goes with it.
        for at in (low - 1..=high + 1).filter_map(|across| at(along, across)) {
            plane.pixels[at] = ground;
            inked[at] = false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{super::blobs, *};

    const WIDTH: usize = 240;

    // Two rows of letters (blocks of 5 by 14), struck through by a falling line of one pixel.
    fn picture(struck: bool) -> Plane {
        let mut plane = Plane { width: WIDTH, height: 80, pixels: vec![255; WIDTH * 80] };
        for row in [15, 45] {
            for letter in 0..16 {
                for y in row..row + 14 {
                    plane.pixels[y * WIDTH + 10 + letter * 13..][..5].fill(0);
                }
            }
        }
        for x in 0..if struck { WIDTH } else { 0 } {
            plane.pixels[(10 + x / 4) * WIDTH + x] = 0;
        }
        plane
    }

    #[test]
    fn a_line_goes_and_the_letters_it_crosses_stay() {
        let clean = picture(false);
        let mut plane = picture(true);
        let ink = Ink::find(&plane);
        let found = blobs::find(&ink, Tone::Dark);
        assert!(suspected(&found, plane.width, plane.height));
        assert!(erase(&mut plane, &ink, Tone::Dark) >= 1);
        let differ =
            |a: &Plane| a.pixels.iter().zip(&clean.pixels).filter(|(a, b)| a.abs_diff(**b) > 100).count();
        let struck = differ(&picture(true));
        assert!(
            struck > 130 && differ(&plane) * 10 < struck,
            "{} of {struck} pixels are wrong",
            differ(&plane)
        );
    }

    #[test]
    fn letters_alone_are_not_suspected() {
        let plane = picture(false);
        let found = blobs::find(&Ink::find(&plane), Tone::Dark);
        assert!(!suspected(&found, plane.width, plane.height));
    }
}
