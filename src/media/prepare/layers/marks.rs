//! Pixels of a picture that are marked, and what they hang together to.

use std::ops::Range;

use crate::media::prepare::blobs::Blob;

/// Marked pixels of a picture.
#[derive(Debug)]
pub struct Marks {
    pub width: usize,
    pub height: usize,
    pub marked: Vec<bool>,
}

/// Marked pixels that hang together.
#[derive(Debug)]
pub struct Piece {
    pub blob: Blob,
    pub pixels: Vec<usize>,
}

impl Marks {
    /// Some pixels, by index.
    pub fn of(width: usize, height: usize, some: impl Iterator<Item = usize>) -> Marks {
        let mut marked = vec![false; width * height];
        some.for_each(|at| marked[at] = true);
        Marks { width, height, marked }
    }

    /// The square around a pixel, so many pixels to each side, row by row.
    fn square(&self, at: usize, side: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let (x, y, width) = (at % self.width, at / self.width, self.width);
        let (left, right) = (x.saturating_sub(side), (x + side + 1).min(width));
        (y.saturating_sub(side)..(y + side + 1).min(self.height))
            .map(move |y| y * width + left..y * width + right)
    }

    /// Whether a pixel and all around it are marked.
    pub fn is_thick(&self, at: usize, side: usize) -> bool {
        self.square(at, side).all(|row| !self.marked[row].contains(&false))
    }

    /// Whether a pixel, or one around it, is marked.
    pub fn is_beside(&self, at: usize, side: usize) -> bool {
        self.square(at, side).any(|row| self.marked[row].contains(&true))
    }

    /// What the marked ones among some pixels, and all that are marked around them, hang together to. They lose
    /// their marks.
    pub fn pieces(&mut self, some: impl Iterator<Item = usize>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for start in some {
            if !std::mem::take(&mut self.marked[start]) {
                continue;
            }
            let mut pixels = vec![start];
            let mut done = 0;
            while let Some(&at) = pixels.get(done) {
                done += 1;
                for at in self.square(at, 1).flatten() {
                    if std::mem::take(&mut self.marked[at]) {
                        pixels.push(at);
                    }
                }
            }
            let place = |at: usize| ((at % self.width) as u32, (at / self.width) as u32);
            let (x, y) = place(start);
            let mut blob = Blob { left: x, top: y, right: x + 1, bottom: y + 1, area: 0 };
            for &at in &pixels {
                let (x, y) = place(at);
                blob.include(&Blob { left: x, top: y, right: x + 1, bottom: y + 1, area: 1 });
            }
            pieces.push(Piece { blob, pixels });
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hang_together_by_corners_as_well() {
        let mut marks = Marks::of(6, 3, [0, 7, 4, 10, 17].into_iter());
        assert!(marks.is_beside(8, 1) && !marks.is_beside(12, 0) && !marks.is_thick(4, 1));
        let pieces = marks.pieces(0..18);
        let found: Vec<(u32, Vec<usize>)> =
            pieces.into_iter().map(|piece| (piece.blob.right, piece.pixels)).collect();
        assert_eq!(found, [(2, vec![0, 7]), (6, vec![4, 10, 17])]);
        assert!(!marks.marked.contains(&true));
        assert!(Marks::of(3, 3, 0..9).is_thick(4, 1));
    }
}
