//! Finder patterns: the squares in three corners of a code, and the cheap gate to all the rest.
//!
//! Any line through the middle of a finder pattern crosses runs of 1:1:3:1:1 modules (ISO/IEC 18004, 5.3.3.1).

use std::time::Instant;

/// Finders that are remembered. A picture has a few codes of three each; one full of such squares is a pattern.
const MOST: usize = 64;
/// Rows that are crossed a finder, at least, where it is as small as it can be read.
const SMALLEST: usize = 7;
/// Width of the surroundings that tell dark from light, in pixels, as a power of two.
const SURROUNDINGS: u32 = 7;
/// Size of a finder from which a single pixel that differs from those on both sides of it is a speck.
const SPECKLED: usize = 21;
/// By how much a pixel differs from its surroundings to be dark.
const CONTRAST: u32 = 8;
/// By how much the core of a finder differs from the ring around it, at least.
const EDGE: u8 = 16;

/// A finder pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finder {
    /// Its middle, in pixels.
    pub x: f32,
    pub y: f32,
    /// Its extent along the row and the column through the middle; seven modules where it stands upright.
    pub size: f32,
    /// The shade between dark and light.
    pub limit: f32,
    /// Whether it is light on dark ground.
    pub inverted: bool,
}

/// A grey picture, rows from the top without padding.
#[derive(Clone, Copy, Debug)]
pub struct View<'p> {
    pub width: usize,
    pub height: usize,
    pub shades: &'p [u8],
}

/// Looks for finder patterns, dark on light and light on dark; `None` where that is not done by `until`.
pub fn find(view: View<'_>, until: Instant) -> Option<Vec<Finder>> {
    let mut found: Vec<Finder> = Vec::new();
    let mut lines = Lines::default();
    // The smallest square has a core of three rows; in a picture that is large a code is large as well.
    let step = (view.height / 400).clamp(2, 4);
    for y in (1..view.height).step_by(step) {
        if Instant::now() >= until {
            return None;
        }
        let row = &view.shades[y * view.width..][..view.width];
        lines.read(row);
        for (at, edges) in lines.starts.windows(6).enumerate() {
            let &[a, b, c, d, e, f] = edges else { continue };
            let (x, width) = ((c + d) / 2, f - a);
            if !is_pattern([b - a, c - b, d - c, e - d, f - e]) || row[x].abs_diff(row[(b + c) / 2]) < EDGE {
                continue;
            }
            let known = |finder: &Finder| {
                let near = |a: f32, b: usize| (a - b as f32).abs() < finder.size / 2.0;
                near(finder.x, x) && near(finder.y, y)
            };
            if found.iter().any(known) {
                continue;
            }
            // The shade between the core and the ring around it.
            let limit = ((u16::from(row[x]) + u16::from(row[(b + c) / 2])) / 2) as u8;
            let cross = |x, y, step| crossed(Line { view, x, y, limit, step }, width);
            // Through the middle of the column once more along the row: the first row may have been anywhere in the core.
            let Some((above, below)) = cross(x, y, (0, 1)) else { continue };
            let (top, bottom) = (y + 1 - above, y + below);
            let y = (top + bottom) / 2;
            let Some((before, after)) = cross(x, y, (1, 0)) else { continue };
            let (left, right) = (x + 1 - before, x + after);
            // Chance makes crosses inside of large codes and of noise, but rarely a square.
            let diagonals = [(1, 1), (1, -1)].iter().filter(|&&step| cross(x, y, step).is_some()).count();
            if diagonals < if width < SPECKLED { 2 } else { 1 } {
                continue;
            }
            found.push(Finder {
                x: (left + right) as f32 / 2.0,
                y: (top + bottom) as f32 / 2.0,
                size: (right - left + bottom - top) as f32 / 2.0,
                limit: limit.into(),
                inverted: (at % 2 == 0) != lines.first_is_dark,
            });
            if found.len() >= MOST {
                return Some(found);
            }
        }
    }
    Some(found)
}

/// The runs of dark and of light pixels of one row after the other.
#[derive(Default)]
struct Lines {
    /// Where they begin, and the end of the row.
    starts: Vec<usize>,
    first_is_dark: bool,
    sums: Vec<u32>,
    dark: Vec<bool>,
}

impl Lines {
    fn read(&mut self, row: &[u8]) {
        self.starts.clear();
        let (Some(&first), Some(&last)) = (row.first(), row.last()) else { return };
        // Sums from the left, of the row with its ends drawn out.
        let width = 1usize << SURROUNDINGS;
        let mut sum = 0u32;
        self.sums.clear();
        self.sums.push(sum);
        let ends = |end: u8| std::iter::repeat_n(end, width / 2);
        self.sums.extend(ends(first).chain(row.iter().copied()).chain(ends(last)).map(|pixel| {
            sum += u32::from(pixel);
            sum
        }));
        self.dark.clear();
        let surroundings = self.sums.iter().zip(&self.sums[width..]);
        self.dark.extend(
            row.iter()
                .zip(surroundings)
                .map(|(&pixel, (left, right))| (u32::from(pixel) + CONTRAST) << SURROUNDINGS <= right - left),
        );
        self.first_is_dark = self.dark[0];
        self.starts.push(0);
        let pairs = self.dark.iter().zip(&self.dark[1..]).enumerate();
        self.starts.extend(pairs.filter(|(_, (before, after))| before != after).map(|(at, _)| at + 1));
        self.starts.push(row.len());
    }
}

/// Whether runs are as long as those across a finder.
fn is_pattern(runs: [usize; 5]) -> bool {
    let total: usize = runs.iter().sum();
    // Half a module off each, the core a whole one.
    let fits =
        |run: usize, modules: usize| (14 * run).abs_diff(2 * modules * total) <= total * modules.min(2);
    total >= SMALLEST
        && fits(runs[0], 1)
        && fits(runs[1], 1)
        && fits(runs[2], 3)
        && fits(runs[3], 1)
        && fits(runs[4], 1)
}

/// A line through a point.
#[derive(Clone, Copy)]
struct Line<'p> {
    view: View<'p>,
    x: usize,
    y: usize,
    limit: u8,
    /// From pixel to pixel.
    step: (isize, isize),
}

impl Line<'_> {
    /// Whether the pixel so many steps on is dark; `None` beyond the picture.
    fn is_dark(&self, steps: isize) -> Option<bool> {
        let x = self.x.checked_add_signed(self.step.0 * steps).filter(|&x| x < self.view.width)?;
        let y = self.y.checked_add_signed(self.step.1 * steps).filter(|&y| y < self.view.height)?;
        Some(self.view.shades[y * self.view.width + x] <= self.limit)
    }
}

/// How many pixels a finder of about that size reaches to both sides of a point in its core, which both count; `None`
/// where the line crosses none.
fn crossed(line: Line<'_>, size: usize) -> Option<(usize, usize)> {
    let core = line.is_dark(0)?;
    // Lengths of core, gap and ring in one direction.
    let walk = |sign: isize| {
        let mut lengths = [0; 3];
        let mut steps = 0;
        for (length, same) in lengths.iter_mut().zip([true, false, true]) {
            let is = |steps: isize| line.is_dark(sign * steps).map(|dark| (dark == core) == same);
            let goes_on = |steps| match is(steps) {
                Some(false) if size >= SPECKLED => is(steps + 1) == Some(true) && is(steps + 2) == Some(true),
                found => found == Some(true),
            };
            while *length <= size && goes_on(steps) {
                *length += 1;
                steps += 1;
            }
        }
        lengths
    };
    let (before, after) = (walk(-1), walk(1));
    let runs = [before[2], before[1], (before[0] + after[0]).checked_sub(1)?, after[1], after[2]];
    let total: usize = runs.iter().sum();
    let fits = is_pattern(runs) && total * 2 >= size && total <= size * 2;
    fits.then(|| (before.iter().sum(), after.iter().sum()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn all(view: View<'_>) -> Vec<Finder> {
        find(view, Instant::now() + Duration::from_secs(60)).unwrap()
    }

    fn picture(side: usize, module: usize, at: &[(usize, usize)], inverted: bool) -> Vec<u8> {
        let (dark, light) = if inverted { (240, 20) } else { (20, 240) };
        let mut shades = vec![light; side * side];
        for &(left, top) in at {
            for y in 0..7 * module {
                for x in 0..7 * module {
                    let ring = (x / module).min(y / module).min(6 - x / module).min(6 - y / module);
                    shades[(top + y) * side + left + x] = if ring == 1 { light } else { dark };
                }
            }
        }
        shades
    }

    #[test]
    fn squares_are_found_dark_and_light_in_any_size() {
        for module in 1..=9 {
            for inverted in [false, true] {
                let places = [(10, 12), (100, 12), (11, 105)];
                let shades = picture(200, module, &places, inverted);
                let mut found = all(View { width: 200, height: 200, shades: &shades });
                found.sort_by_key(|finder| (finder.y as u32 / 50, finder.x as u32));
                assert_eq!(found.len(), 3, "{module} {inverted}: {found:?}");
                for (finder, (left, top)) in found.iter().zip(places) {
                    let middle = 3.5 * module as f32;
                    assert_eq!((finder.x, finder.y), (left as f32 + middle, top as f32 + middle));
                    assert_eq!((finder.size, finder.inverted), (7.0 * module as f32, inverted));
                }
            }
        }
    }

    #[test]
    fn stripes_and_blanks_are_no_squares() {
        let stripes: Vec<u8> =
            (0..200 * 200).map(|at| [20, 240, 20, 20, 20, 240, 20][at % 200 / 4 % 7]).collect();
        assert_eq!(all(View { width: 200, height: 200, shades: &stripes }), []);
        assert_eq!(all(View { width: 200, height: 200, shades: &[255; 40_000] }), []);
        assert_eq!(find(View { width: 200, height: 200, shades: &stripes }, Instant::now()), None, "no time");
        assert_eq!(all(View { width: 1, height: 1, shades: &[0] }), []);
        assert_eq!(all(View { width: 0, height: 0, shades: &[] }), []);
    }
}
