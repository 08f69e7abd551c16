//! Which moments of an animation are worth reading.
//!
//! The canvas is looked at through a coarse grid. A cell is known by the brightness of its quarters and by its
//! ink: the pixels of its rarer shade. A moment is worth the ink it shows that no chosen moment shows alike,
//! weighed by how long a person sees it. Text that grows frame by frame is thus read once, from the frame that
//! has all of it; a payload that gives way to a blank is read although the blank is shown longest.

use super::compose::Area;

/// Cells a side, at most.
const GRID: usize = 48;
/// Pixels a side of a cell, at least.
const CELL: usize = 8;
/// Contrast below which a cell holds no ink.
const CONTRAST: u8 = 24;
/// Quarters that differ by less show the same: noise that changes from frame to frame is no news.
const SAME: u8 = 20;
/// What is seen for this long is seen; longer does not make it worth more.
const FULL_TIME: u32 = 600;
/// Pixels of ink below which there is neither a word nor a code.
const LEAST_INK: u32 = 20;
/// The worth of another moment, in parts of the best one's, below which it is not read.
const WORTHWHILE: f32 = 0.12;

/// What one cell shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    quarters: [u8; 4],
    ink: u16,
}

impl Cell {
    fn shows(&self, other: &Cell) -> bool {
        let alike = |(&a, &b): (&u8, &u8)| a.abs_diff(b) < SAME;
        self.quarters.iter().zip(&other.quarters).all(alike)
    }
}

/// The grid that is laid over a canvas.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    width: usize,
    height: usize,
    cell_width: usize,
    cell_height: usize,
    columns: usize,
    rows: usize,
}

impl Grid {
    /// A grid for a canvas of `width` by `height` pixels.
    pub fn new(width: usize, height: usize) -> Grid {
        let side = |pixels: usize| pixels.div_ceil(GRID).max(CELL);
        let (cell_width, cell_height) = (side(width), side(height));
        let (columns, rows) = (width.div_ceil(cell_width), height.div_ceil(cell_height));
        Grid { width, height, cell_width, cell_height, columns, rows }
    }

    /// What the cells of a blank canvas show.
    pub fn blank(&self) -> Vec<Cell> {
        vec![Cell { quarters: [255; 4], ink: 0 }; self.columns * self.rows]
    }

    /// Looks again at the cells that `area` touches, on a canvas of these shades.
    pub fn update(&self, cells: &mut [Cell], area: Area, shades: &[u8]) {
        if area.is_empty() {
            return;
        }
        let last_row = (area.bottom - 1) / self.cell_height;
        let last_column = (area.right - 1) / self.cell_width;
        for row in area.top / self.cell_height..=last_row.min(self.rows - 1) {
            for column in area.left / self.cell_width..=last_column.min(self.columns - 1) {
                if let Some(cell) = cells.get_mut(row * self.columns + column) {
                    *cell = self.look(row, column, shades);
                }
            }
        }
    }

    fn look(&self, row: usize, column: usize, shades: &[u8]) -> Cell {
        let (top, left) = (row * self.cell_height, column * self.cell_width);
        let (bottom, right) =
            ((top + self.cell_height).min(self.height), (left + self.cell_width).min(self.width));
        let middle = (left + self.cell_width / 2).min(right);
        let lines = || (top..bottom).map(|y| &shades[y * self.width..][left..right]);
        let (mut sums, mut counts) = ([0u32; 4], [0u32; 4]);
        let (mut low, mut high) = (255, 0);
        for (y, line) in lines().enumerate() {
            let half = usize::from(y >= self.cell_height / 2) * 2;
            let (before, after) = line.split_at(middle - left);
            for (quarter, part) in [(half, before), (half + 1, after)] {
                sums[quarter] += part.iter().map(|&value| u32::from(value)).sum::<u32>();
                counts[quarter] += part.len() as u32;
            }
            low = line.iter().fold(low, |low, &value| value.min(low));
            high = line.iter().fold(high, |high, &value| value.max(high));
        }
        let mut quarters = [0; 4];
        for (mean, (sum, count)) in quarters.iter_mut().zip(sums.iter().zip(counts)) {
            *mean = sum.checked_div(count).unwrap_or(255) as u8;
        }
        let mut ink = 0;
        if high.saturating_sub(low) >= CONTRAST {
            // The rarer shade is the ink.
            let middle = low + (high - low) / 2;
            let dark: u32 =
                lines().map(|line| line.iter().map(|&value| u32::from(value <= middle)).sum::<u32>()).sum();
            let all: u32 = counts.iter().sum();
            ink = dark.min(all - dark).min(u32::from(u16::MAX)) as u16;
        }
        Cell { quarters, ink }
    }
}

/// Something a reader sees for a while.
#[derive(Clone, Debug)]
pub struct Moment {
    pub cells: Vec<Cell>,
    /// For how long, in ms.
    pub visible: u32,
}

/// The moments to read, by index, the one that shows most first.
pub fn choose(moments: &[Moment], at_most: usize) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    let mut best_worth = 0.0;
    while chosen.len() < at_most {
        let worths =
            moments.iter().enumerate().map(|(index, moment)| (index, worth(moment, &chosen, moments)));
        // Of equals the last: an animation tends to end with all it has to say.
        let Some((index, worth)) = worths.max_by(|a, b| a.1.total_cmp(&b.1)) else { break };
        if worth <= best_worth * WORTHWHILE {
            break;
        }
        best_worth = f32::max(best_worth, worth);
        chosen.push(index);
    }
    chosen
}

/// Whether one of the moments shows nearly all the ink of `cells` alone.
pub fn is_shown(cells: &[Cell], moments: &[Moment]) -> bool {
    let all: u32 = cells.iter().map(|cell| u32::from(cell.ink)).sum();
    moments.iter().any(|moment| {
        let pairs = cells.iter().zip(&moment.cells);
        let shown = pairs.filter(|(cell, other)| cell.shows(other)).map(|(cell, _)| u32::from(cell.ink));
        u64::from(shown.sum::<u32>()) * 100 >= u64::from(all) * 95
    })
}

fn worth(moment: &Moment, chosen: &[usize], moments: &[Moment]) -> f32 {
    let mut new = 0u32;
    for (place, cell) in moment.cells.iter().enumerate().filter(|(_, cell)| cell.ink > 0) {
        let shown = |&index: &usize| moments[index].cells.get(place).is_some_and(|other| cell.shows(other));
        if !chosen.iter().any(shown) {
            new += u32::from(cell.ink);
        }
    }
    if new < LEAST_INK {
        return 0.0;
    }
    let time = moment.visible.min(FULL_TIME) as f32 / FULL_TIME as f32;
    new as f32 * (0.1 + 0.9 * time)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Moments on a 64x64 canvas; each lists the cells (of 8x8) with a stroke in them.
    fn moment(strokes: &[(usize, usize)], visible: u32) -> Moment {
        let grid = Grid::new(64, 64);
        let mut shades = vec![255; 64 * 64];
        for &(row, column) in strokes {
            for x in 0..6 {
                shades[(row * 8 + 3) * 64 + column * 8 + x] = 0;
                shades[(row * 8 + 4) * 64 + column * 8 + x] = 0;
            }
        }
        let mut cells = grid.blank();
        grid.update(&mut cells, Area { left: 0, top: 0, right: 64, bottom: 64 }, &shades);
        Moment { cells, visible }
    }

    #[test]
    fn text_that_grows_is_read_once_when_it_is_complete() {
        let moments =
            [moment(&[(0, 0)], 300), moment(&[(0, 0), (1, 0)], 300), moment(&[(0, 0), (1, 0), (2, 0)], 300)];
        assert_eq!(choose(&moments, 4), [2]);
    }

    #[test]
    fn a_blank_that_is_shown_longest_is_not_read() {
        let moments = [moment(&[(0, 0), (0, 1)], 200), moment(&[], 5000)];
        assert_eq!(choose(&moments, 4), [0]);
    }

    #[test]
    fn two_different_texts_are_both_read() {
        let moments = [moment(&[(0, 0), (0, 1)], 500), moment(&[(5, 0), (5, 1), (5, 2)], 500)];
        assert_eq!(choose(&moments, 4), [1, 0]);
        assert_eq!(choose(&moments, 1), [1]);
    }

    #[test]
    fn a_dot_on_a_large_canvas_is_not_read() {
        let mut dot = moment(&[], 500);
        dot.cells[0].ink = 1;
        assert!(choose(&[dot], 4).is_empty());
    }

    #[test]
    fn nothing_but_blanks_gives_nothing() {
        assert!(choose(&[moment(&[], 100), moment(&[], 100)], 4).is_empty());
        assert!(choose(&[], 4).is_empty());
    }
}
