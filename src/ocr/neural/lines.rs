//! Where lines of text are, from how likely each pixel is to belong to the middle of one.
//!
//! The network is trained to see lines shrunk, so that neighbours do not touch ("Real-time Scene Text Detection with
//! Differentiable Binarization", Liao and others, AAAI 2020); here they get back what they were shrunk by.

/// Likelihood from which a pixel belongs to a line.
const LIKELY: f32 = 0.3;
/// Mean likelihood of a line's pixels, at least.
const SURE: f32 = 0.6;
/// Height and width of a line as it was seen, at least, in pixels.
const LEAST: u32 = 3;
/// What lines are grown by, in areas a perimeter: a little more than they were shrunk by.
const GROWN: f32 = 1.6;

/// A line of text, or a part of one: its box, in pixels from the top left. What is right and below is outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub left: u32,
    pub top: u32,
    pub right: u32,
    pub bottom: u32,
}

impl Line {
    pub fn width(&self) -> u32 {
        self.right - self.left
    }

    pub fn height(&self) -> u32 {
        self.bottom - self.top
    }

    fn middle(&self) -> u32 {
        (self.top + self.bottom) / 2
    }

    fn grown(self, width: u32, height: u32) -> Line {
        let (wide, high) = (self.width() as f32, self.height() as f32);
        let by = (GROWN * wide * high / (2.0 * (wide + high))).round() as u32;
        Line {
            left: self.left.saturating_sub(by),
            top: self.top.saturating_sub(by),
            right: (self.right + by).min(width),
            bottom: (self.bottom + by).min(height),
        }
    }
}

/// The lines of a map of likelihoods, rows from the top: each of the rows of the text as its parts from the left.
pub fn rows(map: &[f32], width: usize) -> Vec<Vec<Line>> {
    let mut lines = find(map, width);
    lines.sort_unstable_by_key(|line| (line.middle(), line.left));
    let mut rows: Vec<Vec<Line>> = Vec::new();
    for line in lines {
        match rows.last_mut() {
            // Its middle is on the height of the row's first.
            Some(row) if line.middle() < row[0].bottom.min(row[0].middle() + line.height() / 2) => {
                row.push(line)
            }
            _ => rows.push(vec![line]),
        }
    }
    rows.iter_mut().for_each(|row| row.sort_unstable_by_key(|line| line.left));
    rows
}

fn find(map: &[f32], width: usize) -> Vec<Line> {
    let height = map.len() / width.max(1);
    let mut seen: Vec<bool> = map.iter().map(|&likely| likely <= LIKELY || likely.is_nan()).collect();
    let mut lines = Vec::new();
    let mut edge = Vec::new();
    for start in 0..width * height {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        edge.push(start);
        let (mut sum, mut pixels) = (0.0, 0);
        let (mut left, mut right, top, mut bottom) = (width, 0, start / width, 0);
        while let Some(at) = edge.pop() {
            let (x, y) = (at % width, at / width);
            (left, right, bottom) = (left.min(x), right.max(x + 1), bottom.max(y + 1));
            sum += map[at];
            pixels += 1;
            for y in y.saturating_sub(1)..(y + 2).min(height) {
                for x in x.saturating_sub(1)..(x + 2).min(width) {
                    if !std::mem::replace(&mut seen[y * width + x], true) {
                        edge.push(y * width + x);
                    }
                }
            }
        }
        let line = Line { left: left as u32, top: top as u32, right: right as u32, bottom: bottom as u32 };
        if line.width().min(line.height()) >= LEAST && sum >= SURE * pixels as f32 {
            lines.push(line.grown(width as u32, height as u32));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 100;

    /// A map with boxes of these likelihoods: left, top, width, height.
    fn map(boxes: &[(usize, usize, usize, usize, f32)]) -> Vec<f32> {
        let mut map = vec![0.1; WIDTH * 60];
        for &(left, top, width, height, likely) in boxes {
            for row in map[top * WIDTH..].chunks_mut(WIDTH).take(height) {
                row[left..left + width].fill(likely);
            }
        }
        map
    }

    #[test]
    fn lines_are_found_in_reading_order_and_grown() {
        let boxes = [(50, 9, 40, 6, 0.9), (4, 10, 30, 4, 0.9), (0, 40, 100, 8, 0.7), (4, 52, 30, 6, 0.9)];
        let line = |left, top, right, bottom| Line { left, top, right, bottom };
        // 40 by 6 by 1.6 / 92 is 4; 30 by 4 by 1.6 / 68 is 3.
        let expected = [
            vec![line(1, 7, 37, 17), line(46, 5, 94, 19)],
            vec![line(0, 34, 100, 54)],
            vec![line(0, 48, 38, 60)],
        ];
        assert_eq!(rows(&map(&boxes), WIDTH), expected);
    }

    #[test]
    fn what_is_unlikely_or_small_is_no_line() {
        let none: Vec<Vec<Line>> = Vec::new();
        for boxes in [&[][..], &[(4, 10, 30, 4, 0.5)], &[(4, 10, 30, 2, 0.9)], &[(4, 10, 2, 30, 0.9)]] {
            assert_eq!(rows(&map(boxes), WIDTH), none, "{boxes:?}");
        }
        assert_eq!(rows(&[], 0), none);
        assert_eq!(rows(&[f32::NAN; 100], 10), none);
        // A row that is cut off does not count.
        assert_eq!(rows(&[0.9; 39], 10), [[Line { left: 0, top: 0, right: 10, bottom: 3 }]]);
    }

    #[test]
    fn a_line_is_one_however_it_bends() {
        // Down a step each ten pixels, joined by corners.
        let boxes: Vec<_> = (0..8).map(|step| (10 * step, 10 + 3 * step, 10, 3, 0.9)).collect();
        let rows = rows(&map(&boxes), WIDTH);
        assert_eq!(rows.concat().len(), 1, "{rows:?}");
    }
}
