//! Connected ink: letters, specks, lines.

use super::ink::{Ink, Tone, code};

/// Blobs that are looked for, at most; a picture with more is noise.
const MOST: usize = 200_000;

/// Ink that hangs together (8 neighbours), by the box around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob {
    pub left: u32,
    pub top: u32,
    /// Beyond the last column and row.
    pub right: u32,
    pub bottom: u32,
    /// Pixels of ink.
    pub area: u32,
}

impl Blob {
    pub fn width(&self) -> u32 {
        self.right - self.left
    }

    pub fn height(&self) -> u32 {
        self.bottom - self.top
    }

    /// Pixels of the box.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width()) * u64::from(self.height())
    }

    /// Pixels that both boxes hold.
    pub fn overlap(&self, other: &Blob) -> u64 {
        let width = self.right.min(other.right).saturating_sub(self.left.max(other.left));
        let height = self.bottom.min(other.bottom).saturating_sub(self.top.max(other.top));
        u64::from(width) * u64::from(height)
    }

    /// Makes the box hold the other one as well.
    pub fn include(&mut self, other: &Blob) {
        self.left = self.left.min(other.left);
        self.top = self.top.min(other.top);
        self.right = self.right.max(other.right);
        self.bottom = self.bottom.max(other.bottom);
        self.area += other.area;
    }
}

/// All blobs of a tone.
pub fn find(ink: &Ink, tone: Tone) -> Vec<Blob> {
    let mark = code(tone);
    let mut forest = Forest::default();
    let (mut above, mut here): (Vec<Run>, Vec<Run>) = (Vec::new(), Vec::new());
    for y in 0..ink.height {
        here.clear();
        let row = ink.row(y);
        let mut x = 0;
        let mut candidate = 0;
        while let Some(start) = row[x..].iter().position(|&m| m == mark).map(|at| x + at) {
            let end = row[start..].iter().position(|&m| m != mark).map_or(row.len(), |at| start + at);
            let (left, right) = (start as u32, end as u32);
            let blob = Blob { left, right, top: y as u32, bottom: y as u32 + 1, area: right - left };
            let mut label = None;
            // Runs of the row above that touch this one, be it by a corner.
            while above.get(candidate).is_some_and(|run| run.right < left) {
                candidate += 1;
            }
            let touching = above.iter().skip(candidate).take_while(|run| run.left <= right);
            for run in touching {
                label = Some(match label {
                    None => run.label,
                    Some(label) => forest.join(label, run.label),
                });
            }
            let label = match label {
                Some(label) => forest.grow(label, blob),
                None if forest.parents.len() >= MOST => return Vec::new(),
                None => forest.plant(blob),
            };
            here.push(Run { left, right, label });
            x = end;
            if x >= row.len() {
                break;
            }
        }
        std::mem::swap(&mut above, &mut here);
    }
    forest.roots()
}

#[derive(Clone, Copy)]
struct Run {
    left: u32,
    right: u32,
    label: u32,
}

/// Union-find over the blobs.
#[derive(Default)]
struct Forest {
    parents: Vec<u32>,
    blobs: Vec<Blob>,
}

impl Forest {
    fn plant(&mut self, blob: Blob) -> u32 {
        let label = self.parents.len() as u32;
        self.parents.push(label);
        self.blobs.push(blob);
        label
    }

    fn root(&mut self, mut label: u32) -> u32 {
        while self.parents[label as usize] != label {
            let grand = self.parents[self.parents[label as usize] as usize];
            self.parents[label as usize] = grand;
            label = grand;
        }
        label
    }

    fn grow(&mut self, label: u32, more: Blob) -> u32 {
        let root = self.root(label);
        self.blobs[root as usize].include(&more);
        root
    }

    fn join(&mut self, a: u32, b: u32) -> u32 {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return a;
        }
        self.parents[b as usize] = a;
        self.grow(a, self.blobs[b as usize])
    }

    fn roots(self) -> Vec<Blob> {
        let Forest { parents, blobs } = self;
        let is_root = |(label, parent): &(usize, &u32)| **parent as usize == *label;
        parents.iter().enumerate().filter(is_root).map(|(label, _)| blobs[label]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::prepare::plane::Plane;

    #[test]
    fn a_ring_and_a_speck_are_two() {
        let mut plane = Plane { width: 40, height: 40, pixels: vec![255; 1600] };
        for i in 10..20 {
            for at in [10 * 40 + i, 19 * 40 + i, i * 40 + 10, i * 40 + 19] {
                plane.pixels[at] = 0;
            }
        }
        plane.pixels[30 * 40 + 30] = 0;
        plane.pixels[31 * 40 + 31] = 0; // touches by the corner
        let blobs = find(&Ink::find(&plane), Tone::Dark);
        let ring = Blob { left: 10, top: 10, right: 20, bottom: 20, area: 36 };
        let speck = Blob { left: 30, top: 30, right: 32, bottom: 32, area: 2 };
        assert_eq!(blobs, [ring, speck]);
    }
}
