//! The sheet that the text of a picture is copied to, ink by ink.

use super::{
    OnRay,
    marks::{Marks, Piece},
};
use crate::media::{
    prepare::{
        blobs::{self, Blob},
        ink::{Ink, Tone},
        lines::{Text, is_written},
        plane::Plane,
    },
    raster::Raster,
};

/// How deep in an ink a pixel is a part of a letter.
const INSIDE: f32 = 0.35;
/// Letters of a text in an ink of its own, at least.
const LETTERS: usize = 3;
/// Height of small letters, at least, in pixels.
const SMALL: f32 = 7.0;
/// Percent of the pixels of an ink that are in rows of letters of many colours: of one that has many pixels, and of
/// one that has few. Of the pixels of confetti up to 60 are.
const MIXED: usize = 60;
const MIXED_FEW: usize = 85;
/// Pixels of no ink that stand apart and are clear, in thousandths of all, from which on they are no accident.
const STRANGE: usize = 3;
/// Pixels to each side of one in a thick line; thousandths of such ones of which there are no more in noise.
const THICK: usize = 2;
const FEW_THICK: usize = 2;
/// The same of all that is not ground: strokes of large letters are thin beside a picture.
const SOLID: usize = 3;
const FEW_SOLID: usize = 10;
/// One in so many pixels is looked at.
const SOME: usize = 5;
/// Percent of the letters that may be taken for noise.
const LOST: usize = 3;
/// Steps over which a gap is filled from both sides.
const ACROSS: usize = 6;
const WHITE: u8 = 255;

/// The sheet, and what is known of the picture.
pub struct Sheet {
    plane: Plane,
    /// How far from its ray each pixel is that was copied.
    beside: Vec<f32>,
    /// Whether some text was copied.
    written: bool,
    /// The boxes of letters in rows, whatever their colours, how many there are and how high.
    letters: Vec<bool>,
    count: usize,
    x_height: f32,
}

impl Sheet {
    /// An empty sheet for a picture; `away` are the pixels that are no ground.
    pub fn new(raster: &Raster, away: &[usize]) -> Sheet {
        let (width, height) = (raster.width as usize, raster.height as usize);
        let text = Text::find(&blobs::find(&Ink::of(width, height, away.iter().copied()), Tone::Dark));
        let mut letters = vec![false; width * height];
        for letter in text.rows.iter().flatten() {
            for y in letter.top as usize..letter.bottom as usize {
                letters[y * width..][letter.left as usize..letter.right as usize].fill(true);
            }
        }
        Sheet {
            plane: Plane { width, height, pixels: vec![WHITE; width * height] },
            beside: vec![f32::MAX; width * height],
            written: false,
            letters,
            count: text.letters(),
            x_height: text.x_height(),
        }
    }

    fn marks(&self, some: impl Iterator<Item = usize>) -> Marks {
        Marks::of(self.plane.width, self.plane.height, some)
    }

    /// Copies those pixels of a ray that are of letters. `own` are on this ray first; whether those are many.
    pub fn add(&mut self, ray: &[OnRay], own: &[usize], many: bool) {
        let inside = || ray.iter().filter(|pixel| pixel.depth >= INSIDE).map(|pixel| pixel.at);
        let mut marks = self.marks(inside());
        let pieces = marks.pieces(inside());
        let blobs: Vec<Blob> = pieces.iter().map(|piece| piece.blob).collect();
        let text = Text::find(&blobs);
        let rows = rows(&text);
        let in_row = |blob: &Blob| rows.iter().any(|row| row.overlap(blob) * 2 >= blob.pixels());
        let area = |of: &dyn Fn(&Blob) -> bool| -> u32 {
            blobs.iter().filter(|blob| of(blob)).map(|blob| blob.area).sum()
        };
        let is_text = text.is_text() || text.written().0 >= LETTERS && area(&in_row) * 2 >= area(&|_| true);
        // One letter here and one there, in rows with others.
        let of_letters = own.iter().filter(|&&at| self.letters[at]).count();
        let is_mixed = of_letters * 100 >= own.len() * if many { MIXED } else { MIXED_FEW };
        self.written |= is_text || is_mixed;
        let high = text.x_height().max(SMALL) * 0.7;
        let kept = |blob: &Blob| {
            let (long, short) = (blob.width().max(blob.height()), blob.width().min(blob.height()));
            let is_line = blob.area * 2 < long * 3 || short <= 2;
            match is_text {
                true => in_row(blob) || long as f32 >= high && !is_line,
                false => is_mixed && self.in_letters(blob),
            }
        };
        for piece in pieces.iter().filter(|piece| kept(&piece.blob)) {
            piece.pixels.iter().for_each(|&at| marks.marked[at] = true);
        }
        for &OnRay { at, depth, beside } in ray {
            let is_kept = marks.marked[at] || depth < INSIDE && marks.is_beside(at, 1);
            if is_kept && beside < self.beside[at] {
                self.plane.pixels[at] = WHITE - 1 - (depth.min(1.0) * f32::from(WHITE - 1)) as u8;
                self.beside[at] = beside;
            }
        }
    }

    /// Whether the middle of a blob is in a row of letters of any colour.
    fn in_letters(&self, blob: &Blob) -> bool {
        let (x, y) = ((blob.left + blob.right) as usize / 2, (blob.top + blob.bottom) as usize / 2);
        self.letters[y * self.plane.width + x]
    }

    /// The sheet, if what was not copied of `away` is noise, and worth it. What is not `clear` is what compression
    /// leaves.
    pub fn without(mut self, away: &[usize], clear: impl Fn(usize) -> bool) -> Option<Plane> {
        let strange: Vec<usize> = away.iter().copied().filter(|&at| self.plane.pixels[at] == WHITE).collect();
        if !self.written || self.loses_letters(&strange) || !self.is_noise(&strange, clear) {
            return None;
        }
        self.fill(&strange);
        Some(self.plane)
    }

    /// Whether strange pixels are letters of their own, here and there in the rows: each has another colour.
    fn loses_letters(&self, strange: &[usize]) -> bool {
        let mut marks = self.marks(strange.iter().copied());
        let pieces = marks.pieces(strange.iter().copied());
        let copied = self.plane.pixels.iter().map(|&pixel| pixel < WHITE);
        marks.marked.iter_mut().zip(copied).for_each(|(mark, copied)| *mark = copied);
        let x = self.x_height;
        let is_letter = |piece: &&Piece| {
            let (height, width) = (piece.blob.height() as f32, piece.blob.width() as f32);
            let size = (0.7 * x..=1.8 * x).contains(&height) && width <= 2.0 * x;
            size && self.in_letters(&piece.blob) && !piece.pixels.iter().any(|&at| marks.is_beside(at, 1))
        };
        pieces.iter().filter(is_letter).count() * 100 > self.count * LOST
    }

    /// Whether strange pixels are lines and specks, and stand apart from letters as well.
    fn is_noise(&self, strange: &[usize], clear: impl Fn(usize) -> bool) -> bool {
        let marks = self.marks(strange.iter().copied());
        let copied = self.plane.pixels.iter().enumerate().filter(|(_, pixel)| **pixel < WHITE);
        let letters = self.marks(copied.map(|(at, _)| at));
        let apart = strange.iter().filter(|&&at| clear(at) && !letters.is_beside(at, THICK)).count();
        let thick = strange.iter().filter(|&&at| marks.is_thick(at, THICK)).count();
        let all = self.plane.pixels.len();
        apart * 1000 >= all * STRANGE && thick * 1000 <= all * FEW_THICK
    }

    /// Gives strange pixels the shade of what is around them: of the nearest pixels on opposite sides.
    fn fill(&mut self, strange: &[usize]) {
        let marks = self.marks(strange.iter().copied());
        let Plane { width, height, pixels } = &self.plane;
        let size = (*width as isize, *height as isize);
        let seek = |at: usize, (dx, dy): (isize, isize)| {
            let (x, y) = (at as isize % size.0, at as isize / size.0);
            for step in 1..=ACROSS {
                let (x, y) = (x + dx * step as isize, y + dy * step as isize);
                if !(0..size.0).contains(&x) || !(0..size.1).contains(&y) {
                    return None;
                }
                let at = (y * size.0 + x) as usize;
                if !marks.marked[at] {
                    return Some((step, pixels[at]));
                }
            }
            None
        };
        // Where letters are on both sides one goes on in between.
        let shade = |at: usize| {
            let between = [(1, 0), (0, 1), (1, 1), (1, -1)].into_iter().filter_map(|(dx, dy)| {
                let ((a, one), (b, other)) = (seek(at, (dx, dy))?, seek(at, (-dx, -dy))?);
                Some((a + b, one.max(other)))
            });
            between.min().map_or(WHITE, |(_, shade)| shade)
        };
        let filled: Vec<u8> = strange.iter().map(|&at| shade(at)).collect();
        for (&at, shade) in strange.iter().zip(filled) {
            self.plane.pixels[at] = shade;
        }
    }
}

/// Whether much of what is not ground (`away`) is no line of any kind.
pub fn holds_pictures(raster: &Raster, away: &[usize]) -> bool {
    let marks = Marks::of(raster.width as usize, raster.height as usize, away.iter().copied());
    // A few of them tell.
    let some = away.iter().step_by(SOME);
    let solid = some.filter(|&&at| marks.is_thick(at, SOLID)).count();
    solid * SOME * 1000 > raster.pixels.len() * FEW_SOLID
}

/// The boxes around rows of letters, with what hangs from them and stands on them, and what is beside.
fn rows(text: &Text) -> Vec<Blob> {
    let bounds = |row: &Vec<Blob>| {
        let mut bounds = *row.first()?;
        row.iter().for_each(|letter| bounds.include(letter));
        let height = row.iter().map(Blob::height).sum::<u32>() / row.len() as u32;
        let (more, aside) = (height * 2 / 5 + 1, height * 2);
        Some(Blob {
            left: bounds.left.saturating_sub(aside),
            right: bounds.right + aside,
            top: bounds.top.saturating_sub(more),
            bottom: bounds.bottom + more,
            area: 0,
        })
    };
    text.rows.iter().filter(|row| is_written(row)).filter_map(bounds).collect()
}
