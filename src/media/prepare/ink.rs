//! What stands out from its surroundings: ink on ground, whatever their shades.

use super::plane::Plane;

/// Half the side of the surroundings, in pixels.
const REACH: usize = 12;

/// How a pixel stands to its surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Dark,
    Light,
}

/// The pixels that stand out from their surroundings.
#[derive(Debug)]
pub struct Ink {
    pub width: usize,
    pub height: usize,
    marks: Vec<u8>,
}

const GROUND: u8 = 0;
const DARK: u8 = 1;
const LIGHT: u8 = 2;

impl Ink {
    /// Looks for what is darker or lighter than the mean of the 25 by 25 pixels around it.
    pub fn find(plane: &Plane) -> Ink {
        let (width, height) = (plane.width, plane.height);
        let mut differences = vec![0i16; width * height];
        let mut histogram = [0u32; 256];
        // Sums of the columns over the rows in reach, and of those over the columns in reach.
        let mut columns = vec![0u32; width];
        let add = |columns: &mut [u32], y: usize, sign: bool| {
            for (sum, &pixel) in columns.iter_mut().zip(plane.row(y)) {
                *sum = if sign { *sum + u32::from(pixel) } else { *sum - u32::from(pixel) };
            }
        };
        for y in 0..REACH.min(height) {
            add(&mut columns, y, true);
        }
        let mut prefix = vec![0u32; width + 1];
        for y in 0..height {
            if y + REACH < height {
                add(&mut columns, y + REACH, true);
            }
            if y > REACH {
                add(&mut columns, y - REACH - 1, false);
            }
            let rows = ((y + REACH + 1).min(height) - y.saturating_sub(REACH)) as u32;
            for (x, &sum) in columns.iter().enumerate() {
                prefix[x + 1] = prefix[x].wrapping_add(sum);
            }
            let out = &mut differences[y * width..][..width];
            for (x, (difference, &pixel)) in out.iter_mut().zip(plane.row(y)).enumerate() {
                let (left, right) = (x.saturating_sub(REACH), (x + REACH + 1).min(width));
                let sum = prefix[right].wrapping_sub(prefix[left]);
                let mean = (sum / (rows * (right - left) as u32)) as i16;
                *difference = i16::from(pixel) - mean;
                histogram[usize::from(difference.unsigned_abs().min(255))] += 1;
            }
        }
        let limit = i16::from(threshold(&histogram, width * height));
        let mark = |&difference: &i16| match difference {
            d if d <= -limit => DARK,
            d if d >= limit => LIGHT,
            _ => GROUND,
        };
        Ink { width, height, marks: differences.iter().map(mark).collect() }
    }

    /// Some pixels, all of them dark.
    pub fn of(width: usize, height: usize, some: impl Iterator<Item = usize>) -> Ink {
        let mut marks = vec![GROUND; width * height];
        some.for_each(|at| marks[at] = DARK);
        Ink { width, height, marks }
    }

    /// A row of marks, to be compared with [`code`].
    pub fn row(&self, y: usize) -> &[u8] {
        &self.marks[y * self.width..][..self.width]
    }
}

/// The mark of a tone.
pub fn code(tone: Tone) -> u8 {
    match tone {
        Tone::Dark => DARK,
        Tone::Light => LIGHT,
    }
}

// A part of what the strongest two in a hundred pixels differ by: text has that much ink, or is a small part of a
// large picture.
fn threshold(histogram: &[u32; 256], pixels: usize) -> u8 {
    let mut left = (pixels / 50) as u32;
    let strong = (0..256usize).rev().find(|&difference| {
        let count = histogram[difference];
        let found = count >= left;
        left = left.saturating_sub(count);
        found
    });
    (strong.unwrap_or(0) * 35 / 100).clamp(8, 40) as u8
}
