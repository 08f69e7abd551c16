//! From finders to modules: which three belong to one code, and what stands at each place of its grid.
//!
//! Codes in mail are drawn by programs: three corners tell position, size, turn and slant, and the fourth follows.

use std::f32::consts::FRAC_1_SQRT_2;

use super::finders::{Finder, View};

/// Modules of the smallest code and of the largest.
const MODULES: std::ops::RangeInclusive<usize> = 21..=177;
/// By how much the two sides from a corner may differ in length, in parts of the longer.
const SLANT: f32 = 0.25;
/// Cosine of the angle between them, at most.
const SKEW: f32 = 0.25;
/// By how much finders of one code differ in size, in parts.
const SIZES: f32 = 1.5;
/// Candidates that are looked at, at most.
const MOST: usize = 200;
/// Part of the timing pattern that must be right, in percent.
const TIMING: usize = 80;

/// Three finders that may belong to one code, by index: its corner, and those to the right of it and below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corners {
    pub indices: [usize; 3],
    worst: f32,
}

/// Threes of finders that form a corner, the most regular first.
pub fn corners(finders: &[Finder]) -> Vec<Corners> {
    let mut found = Vec::new();
    for (a, corner) in finders.iter().enumerate() {
        for (b, right) in finders.iter().enumerate().filter(|(b, right)| *b != a && may_be_one(corner, right))
        {
            for (c, below) in finders.iter().enumerate().filter(|(c, _)| *c != a && *c != b) {
                if let Some(worst) = irregular(corner, right, below) {
                    found.push(Corners { indices: [a, b, c], worst });
                }
            }
        }
    }
    found.sort_by(|a, b| a.worst.total_cmp(&b.worst));
    found.truncate(MOST);
    found
}

/// Whether two finders may belong to one code: nearly of one size, and not too far apart for it.
fn may_be_one(a: &Finder, b: &Finder) -> bool {
    let size = a.size.max(b.size);
    size <= a.size.min(b.size) * SIZES && (a.x - b.x).hypot(a.y - b.y) <= size * *MODULES.end() as f32 / 7.0
}

/// How far three finders are from standing at the corners of a square; `None` where they are too far from it, or the
/// square would be mirrored.
fn irregular(corner: &Finder, right: &Finder, below: &Finder) -> Option<f32> {
    let sizes = [corner.size, right.size, below.size];
    let (least, most) =
        (sizes.iter().fold(f32::MAX, |a, &b| a.min(b)), sizes.iter().fold(0.0, |a: f32, &b| a.max(b)));
    let ((ux, uy), (vx, vy)) =
        ((right.x - corner.x, right.y - corner.y), (below.x - corner.x, below.y - corner.y));
    let (u, v) = (ux.hypot(uy), vx.hypot(vy));
    let same = corner.inverted == right.inverted && corner.inverted == below.inverted;
    if !same || most > least * SIZES || u < most || v < most || ux * vy - uy * vx <= 0.0 {
        return None;
    }
    let slant = (u - v).abs() / u.max(v);
    let skew = ((ux * vx + uy * vy) / (u * v)).abs();
    (slant <= SLANT && skew <= SKEW).then_some(slant.max(skew))
}

/// The grid over a code.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'p> {
    view: View<'p>,
    corner: Finder,
    right: Finder,
    below: Finder,
    /// Modules a side.
    pub modules: usize,
}

impl<'p> Grid<'p> {
    /// The grid whose timing patterns fit best; `None` where none does.
    pub fn on(view: View<'p>, [corner, right, below]: [Finder; 3]) -> Option<Grid<'p>> {
        // A row crosses a finder that is turned the longer way.
        let (ux, uy) = (right.x - corner.x, right.y - corner.y);
        let length = ux.hypot(uy);
        let turned = (ux.abs().max(uy.abs()) / length).max(FRAC_1_SQRT_2);
        let module = (corner.size + right.size + below.size) / 21.0 * turned;
        let about = ((length / module + 7.0 - 17.0) / 4.0).round().clamp(1.0, 40.0) as i32;
        // Of large codes with small modules the size is less sure.
        let reach = 1 + about / 8;
        let fits = (about - reach..=about + reach)
            .map(|version| 17 + 4 * version.max(1) as usize)
            .filter(|modules| MODULES.contains(modules))
            .map(|modules| Grid { view, corner, right, below, modules })
            .map(|grid| (grid.timing(), grid));
        let (timing, grid) = fits.max_by_key(|(timing, _)| *timing)?;
        (timing >= TIMING).then_some(grid)
    }

    /// How much of the timing patterns is right, in percent: modules between the finders, dark and light by turns.
    fn timing(&self) -> usize {
        let places = 8..self.modules - 8;
        let right = |at: usize| {
            [(at, 6), (6, at)].iter().filter(|&&(x, y)| self.dark(x, y) == at.is_multiple_of(2)).count()
        };
        places.clone().map(right).sum::<usize>() * 50 / places.len()
    }

    /// Whether the module in a column and row is dark, or light where the code is inverted.
    pub fn dark(&self, column: usize, row: usize) -> bool {
        let across = (self.modules - 7) as f32;
        let (u, v) = ((column as f32 - 3.0) / across, (row as f32 - 3.0) / across);
        let [a, b, c] = [&self.corner, &self.right, &self.below];
        let at = |of: fn(&Finder) -> f32| of(a) + u * (of(b) - of(a)) + v * (of(c) - of(a));
        let (x, y, limit) = (at(|finder| finder.x), at(|finder| finder.y), at(|finder| finder.limit));
        // The mean over the middle of the module, so that a speck does not turn it.
        let module = (b.x - a.x).hypot(b.y - a.y) / across;
        let reach = (module / 4.0) as i32;
        let (mut sum, mut count) = (0u32, 0u32);
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                let (x, y) = (x.floor() as i32 + dx, y.floor() as i32 + dy);
                if (0..self.view.width as i32).contains(&x) && (0..self.view.height as i32).contains(&y) {
                    sum += u32::from(self.view.shades[y as usize * self.view.width + x as usize]);
                    count += 1;
                }
            }
        }
        count > 0 && (sum as f32 <= limit * count as f32) != a.inverted
    }
}
