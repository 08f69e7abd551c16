//! The composition of an animation as a browser does it, frame by frame on one canvas.
//!
//! GIF89a, section 23: a frame paints its rectangle, leaving transparent pixels as they are; before the next
//! one is painted its disposal is carried out. Browsers dispose to transparent and not to the background
//! colour of the file; on the white page of a mail that is white.

use super::blocks::{Cut, Disposal, Frame};
use crate::media::raster::luma;

/// Colour of the canvas where nothing is painted.
const BLANK: [u8; 3] = [255; 3];

/// Pixels of one frame that are decompressed, at most; only a lie has more.
pub const FRAME_PIXELS: usize = 1 << 23;

/// A rectangle of the canvas, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Area {
    /// The smallest rectangle that holds both.
    fn with(self, other: Area) -> Area {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Area {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// How many pixels it holds.
    pub fn pixels(self) -> usize {
        if self.is_empty() { 0 } else { (self.right - self.left) * (self.bottom - self.top) }
    }

    /// Whether it holds no pixel.
    pub fn is_empty(self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }
}

/// The canvas of an animation, and what has to happen to it before the next frame.
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    /// `width * height` pixels.
    pub pixels: Vec<[u8; 3]>,
    /// Their brightness, kept beside them: what is looked at most is worth its own plane.
    pub shades: Vec<u8>,
    saved: Vec<[u8; 3]>,
    disposal: Option<(Area, Disposal)>,
}

impl Canvas {
    /// A blank canvas.
    pub fn new(width: usize, height: usize) -> Canvas {
        let (pixels, shades) = (vec![BLANK; width * height], vec![luma(BLANK); width * height]);
        Canvas { width, height, pixels, shades, saved: Vec::new(), disposal: None }
    }

    /// Paints a frame; `late` says when to give up. Returns the area in which pixels changed, and what is
    /// missing of the frame: the rows until then are painted.
    pub fn paint(&mut self, frame: &Frame<'_>, late: &dyn Fn() -> bool) -> (Area, Option<Cut>) {
        let disposed = self.dispose();
        let area = self.area(frame);
        self.disposal = Some((area, frame.disposal));
        if frame.disposal == Disposal::Previous {
            self.save(area);
        }
        if area.is_empty() {
            return (disposed, None);
        }
        // Of a frame that reaches below the canvas the rows are left out, unless they are shuffled.
        let rows = if frame.interlaced { frame.height } else { area.bottom - area.top };
        let palette = Palette::of(frame);
        let mut order = order(frame);
        let (mut row, mut column) = (order.next(), 0);
        let cut = frame.decompress((rows * frame.width).min(FRAME_PIXELS), late, |mut indices| {
            while let Some(y) = row.filter(|_| !indices.is_empty()) {
                let (run, rest) = indices.split_at(indices.len().min(frame.width - column));
                self.paint_run(frame.left + column, frame.top + y, run, &palette);
                (indices, column) = (rest, column + run.len());
                if column == frame.width {
                    (row, column) = (order.next(), 0);
                }
            }
        });
        // Rows that never came changed nothing.
        let bottom = match row {
            Some(row) if !frame.interlaced => (frame.top + row + usize::from(column > 0)).min(area.bottom),
            _ => area.bottom,
        };
        (disposed.with(Area { bottom, ..area }), cut)
    }

    /// Paints pixels that stand side by side, as far as they lie on the canvas.
    fn paint_run(&mut self, x: usize, y: usize, indices: &[u8], palette: &Palette) {
        let end = (x + indices.len()).min(self.width);
        if y >= self.height || x >= end {
            return;
        }
        let at = y * self.width;
        let pixels = self.pixels[at + x..at + end].iter_mut().zip(&mut self.shades[at + x..at + end]);
        for ((pixel, shade), &index) in pixels.zip(indices) {
            if Some(index) != palette.transparent {
                *pixel = palette.colors[usize::from(index)];
                *shade = palette.shades[usize::from(index)];
            }
        }
    }

    /// Whether nothing that was on the canvas before a frame shows through it, or comes back after it.
    pub fn is_hidden_by(&self, frame: &Frame<'_>) -> bool {
        let all = Area { left: 0, top: 0, right: self.width, bottom: self.height };
        let whole = self.area(frame) == all && frame.width * frame.height <= FRAME_PIXELS;
        whole && frame.transparent.is_none() && frame.disposal != Disposal::Previous
    }

    fn area(&self, frame: &Frame<'_>) -> Area {
        let area = Area {
            left: frame.left,
            top: frame.top,
            right: (frame.left + frame.width).min(self.width),
            bottom: (frame.top + frame.height).min(self.height),
        };
        if area.is_empty() { Area::default() } else { area }
    }

    fn save(&mut self, area: Area) {
        self.saved.clear();
        for y in area.top..area.bottom {
            let start = y * self.width;
            self.saved.extend_from_slice(&self.pixels[start + area.left..start + area.right]);
        }
    }

    /// Carries out what the frame before asked for.
    fn dispose(&mut self) -> Area {
        let Some((area, method)) = self.disposal.take() else { return Area::default() };
        let width = area.right - area.left;
        match method {
            Disposal::Keep => return Area::default(),
            Disposal::Background => {
                for y in area.top..area.bottom {
                    self.pixels[y * self.width..][area.left..area.right].fill(BLANK);
                    self.shades[y * self.width..][area.left..area.right].fill(luma(BLANK));
                }
            }
            Disposal::Previous => {
                for (y, row) in (area.top..area.bottom).zip(self.saved.chunks_exact(width.max(1))) {
                    self.pixels[y * self.width..][area.left..area.right].copy_from_slice(row);
                    let shades = &mut self.shades[y * self.width..][area.left..area.right];
                    shades.iter_mut().zip(row).for_each(|(shade, &pixel)| *shade = luma(pixel));
                }
            }
        }
        area
    }
}

/// What the indices of a frame stand for.
struct Palette {
    colors: [[u8; 3]; 256],
    shades: [u8; 256],
    transparent: Option<u8>,
}

impl Palette {
    // An index beyond the colour table is shown black, as browsers do.
    fn of(frame: &Frame<'_>) -> Palette {
        let mut palette = Palette { colors: [[0; 3]; 256], shades: [0; 256], transparent: frame.transparent };
        for (at, entry) in frame.palette.as_chunks::<3>().0.iter().take(256).enumerate() {
            (palette.colors[at], palette.shades[at]) = (*entry, luma(*entry));
        }
        palette
    }
}

/// The rows of a frame in the order of its data (GIF89a, appendix E).
fn order(frame: &Frame<'_>) -> Box<dyn Iterator<Item = usize>> {
    let height = frame.height;
    match frame.interlaced {
        false => Box::new(0..height),
        true => Box::new(
            [(0, 8), (4, 8), (2, 4), (1, 2)]
                .into_iter()
                .flat_map(move |(first, step)| (first..height).step_by(step)),
        ),
    }
}
