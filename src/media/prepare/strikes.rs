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
/// Candidates in a row that are none, after which no more are tried.
const WRONG: usize = 120;
/// Steps without ink that do not end a line; between letters there are more.
const GAP: usize = 1;
/// Pixels by which a blob may miss a line that left it there.
const BESIDE: i64 = 2;
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

/// A line that was taken away.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Whether it has one step a column, and not one a row.
    flat: bool,
    slope: f32,
    offset: f32,
}

impl Line {
    /// Where the line is, across, at a place along it.
    fn at(&self, along: i64) -> i64 {
        (self.slope * along as f32 + self.offset).round() as i64
    }

    /// Whether it passes through a blob, or beside it.
    pub fn touches(&self, blob: &Blob) -> bool {
        let (along, low, high) = match self.flat {
            true => ((blob.left + blob.right) / 2, blob.top, blob.bottom),
            false => ((blob.top + blob.bottom) / 2, blob.left, blob.right),
        };
        let at = self.at(along.into());
        (i64::from(low) - BESIDE..=i64::from(high) + BESIDE).contains(&at)
    }
}

/// Takes the lines of a tone away and tells them.
pub fn erase(plane: &mut Plane, ink: &Ink, tone: Tone) -> Vec<Line> {
    let mark = code(tone);
    let inked = (0..plane.height).flat_map(|y| ink.row(y).iter().map(move |&m| m == mark)).collect();
    let mut canvas = Canvas { plane, inked };
    let mut voters = canvas.thin();
    // An odd step, lest every other row or column is left out.
    let step = (voters.len() / VOTERS) | 1;
    voters = voters.into_iter().step_by(step).collect();
    let long = canvas.plane.width.min(canvas.plane.height) as f32 * LONG;
    let mut lines = Vec::new();
    let mut wrong = 0;
    for guess in vote(&voters, canvas.plane.width, canvas.plane.height, long / step as f32) {
        if lines.len() >= MOST || wrong >= WRONG {
            break;
        }
        match fit(&canvas, &voters, guess).filter(|&line| canvas.erase(line, long)) {
            Some(line) => (wrong, _) = (0, lines.push(line)),
            None => wrong += 1,
        }
    }
    lines
}

/// Where lines of so many votes may be, by angle and distance from the origin; the likeliest first.
fn vote(voters: &[(u32, u32)], width: usize, height: usize, long: f32) -> Vec<((f32, f32), f32)> {
    let directions: Vec<(f32, f32)> =
        (0..ANGLES).map(|angle| (angle as f32 * PI / ANGLES as f32).sin_cos()).map(|(s, c)| (c, s)).collect();
    let reach = ((width * width + height * height) as f32).sqrt().ceil();
    let bins = 2 * reach as usize + 2;
    let mut votes = vec![0u16; ANGLES * bins];
    for &(x, y) in voters {
        for (angle, &(c, s)) in directions.iter().enumerate() {
            let bin = (x as f32 * c + y as f32 * s + reach) as usize;
            let vote = &mut votes[angle * bins + bin.min(bins - 1)];
            *vote = vote.saturating_add(1);
        }
    }
    let enough = (long * 0.5).max(4.0);
    let mut order: Vec<usize> = (0..votes.len()).filter(|&at| f32::from(votes[at]) >= enough).collect();
    order.sort_unstable_by_key(|&at| std::cmp::Reverse(votes[at]));
    order.truncate(TRIES);
    order.into_iter().map(|at| (directions[at / bins], (at % bins) as f32 - reach + 0.5)).collect()
}

/// The line through the thin ink near a guess, by least squares, nearer each time.
fn fit(canvas: &Canvas<'_>, voters: &[(u32, u32)], ((c, s), distance): ((f32, f32), f32)) -> Option<Line> {
    let flat = s.abs() >= c.abs();
    // One step a column on flat lines, one a row on steep ones; across is the other direction.
    let (slope, offset) = if flat { (-c / s, distance / s) } else { (-s / c, distance / c) };
    let mut line = Line { flat, slope, offset };
    for tolerance in [3.0, 1.5, 0.8] {
        let (mut n, mut sum_a, mut sum_b, mut sum_aa, mut sum_ab) = (0.0f64, 0.0, 0.0, 0.0, 0.0);
        for &(x, y) in voters {
            let (a, b) = if flat { (x as f32, y as f32) } else { (y as f32, x as f32) };
            let near = (b - line.slope * a - line.offset).abs() <= tolerance;
            if near && canvas.inked[y as usize * canvas.plane.width + x as usize] {
                let (a, b) = (f64::from(a), f64::from(b));
                (n, sum_a, sum_b, sum_aa, sum_ab) =
                    (n + 1.0, sum_a + a, sum_b + b, sum_aa + a * a, sum_ab + a * b);
            }
        }
        let spread = n * sum_aa - sum_a * sum_a;
        if spread < 1.0 {
            return None;
        }
        let slope = (n * sum_ab - sum_a * sum_b) / spread;
        (line.slope, line.offset) = (slope as f32, ((sum_b - slope * sum_a) / n) as f32);
    }
    Some(line)
}

/// The picture, and which pixels are ink still.
struct Canvas<'p> {
    plane: &'p mut Plane,
    inked: Vec<bool>,
}

impl Canvas<'_> {
    /// The index of a pixel, if it lies on the picture.
    fn index(&self, flat: bool, along: i64, across: i64) -> Option<usize> {
        let (x, y) = if flat { (along, across) } else { (across, along) };
        let (width, height) = (self.plane.width as i64, self.plane.height as i64);
        ((0..width).contains(&x) && (0..height).contains(&y)).then(|| (y * width + x) as usize)
    }

    fn ink(&self, flat: bool, along: i64, across: i64) -> bool {
        self.index(flat, along, across).is_some_and(|at| self.inked[at])
    }

    /// The ink that is thin from top to bottom, or from left to right.
    fn thin(&self) -> Vec<(u32, u32)> {
        let (width, height) = (self.plane.width, self.plane.height);
        let mut thin = vec![false; self.inked.len()];
        let mut mark = |length: usize, run: &mut dyn Iterator<Item = usize>| {
            if length <= WIDTH {
                run.for_each(|at| thin[at] = true);
            }
        };
        for y in 0..height {
            let mut start = 0;
            for x in 0..=width {
                if x == width || !self.inked[y * width + x] {
                    mark(x - start, &mut (start..x).map(|x| y * width + x));
                    start = x + 1;
                }
            }
        }
        for x in 0..width {
            let mut start = 0;
            for y in 0..=height {
                if y == height || !self.inked[y * width + x] {
                    mark(y - start, &mut (start..y).map(|y| y * width + x));
                    start = y + 1;
                }
            }
        }
        let place = |(at, _): (usize, &bool)| ((at % width) as u32, (at / width) as u32);
        thin.iter().enumerate().filter(|(_, thin)| **thin).map(place).collect()
    }

    /// Walks along a line and takes it away if it is one: inked nearly all the way for long enough, and thin.
    fn erase(&mut self, line: Line, long: f32) -> bool {
        let flat = line.flat;
        let (width, height) = (self.plane.width as i64, self.plane.height as i64);
        let length = if flat { width } else { height };
        let mut stretch: Vec<(i64, i64, i64)> = Vec::new();
        let (mut best, mut start, mut misses) = (0..0usize, 0usize, 0usize);
        for along in 0..length {
            let middle = line.at(along);
            let near = [0, -1, 1].into_iter().map(|by| middle + by).find(|&at| self.ink(flat, along, at));
            match near {
                Some(across) => {
                    misses = 0;
                    let run = |by: i64| {
                        (1..=3).take_while(|step| self.ink(flat, along, across + by * step)).count() as i64
                    };
                    stretch.push((along, across - run(-1), across + run(1)));
                }
                None => {
                    misses += 1;
                    if misses > GAP {
                        if stretch.len() - start > best.len() {
                            best = start..stretch.len();
                        }
                        start = stretch.len();
                    }
                }
            }
        }
        if stretch.len() - start > best.len() {
            best = start..stretch.len();
        }
        let stretch = stretch.get(best).unwrap_or_default();
        // The line's own width is the one it has most often; where it is wider it crosses a letter.
        let mut widths = [0usize; WIDTH + 1];
        for (_, low, high) in stretch {
            widths[((high - low) as usize).min(WIDTH)] += 1;
        }
        let own = (0..WIDTH).max_by_key(|&width| (widths[width], WIDTH - width)).unwrap_or(0);
        let thin = |&&(_, low, high): &&(i64, i64, i64)| high - low <= own as i64;
        if (stretch.len() as f32) < long || stretch.iter().filter(thin).count() * 10 < stretch.len() * 4 {
            return false;
        }
        for &(along, low, high) in stretch.iter().filter(thin) {
            let shade = |across| self.index(flat, along, across).map(|at| self.plane.pixels[at]);
            let ground = match (shade(low - 2), shade(high + 2)) {
                (Some(a), Some(b)) => ((u16::from(a) + u16::from(b)) / 2) as u8,
                (Some(a), None) | (None, Some(a)) => a,
                (None, None) => continue,
            };
            // The faint edge goes with it.
            for across in low - 1..=high + 1 {
                if let Some(at) = self.index(flat, along, across) {
                    self.plane.pixels[at] = ground;
                    self.inked[at] = false;
                }
            }
        }
        true
    }
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
        assert!(!erase(&mut plane, &ink, Tone::Dark).is_empty());
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
