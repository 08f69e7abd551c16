//! What was seen of an attachment, for people who want to look at it: its pictures as small copies, and what became of
//! each. Nothing of it is made unless [`super::Limits::shown`] asks for it.

use std::{convert::Infallible, time::Duration};

use super::raster::{self, Raster};

/// Longest side of a copy, in pixels.
const SIDE: u32 = 640;

/// A picture that was looked at.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Place inside the attachment, as in [`super::Extract::pages`].
    pub label: String,
    /// Of the picture itself, in pixels.
    pub width: u32,
    pub height: u32,
    /// A copy, made smaller where it is large.
    pub copy: Raster,
    pub fate: Fate,
}

/// What became of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// A composed frame of an animation, shown for so many ms; those worth reading follow as pictures of their own.
    Frame { shown_ms: u32 },
    /// Looked through for codes, and whether it is text; how long both took.
    Looked { codes: Duration, preparation: Duration, found: Found },
}

/// What the look at a picture came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// A page was made of it.
    Text,
    NoText,
    /// Not looked for: the attachment has as many pages to read as the limit allows.
    TooMany,
}

impl Seen {
    /// Takes a copy of a picture, `width` by `height`, rows from the top.
    pub fn new(label: String, (width, height): (u32, u32), pixels: &[[u8; 3]], fate: Fate) -> Seen {
        Seen { label, width, height, copy: shrunk(width, height, pixels), fate }
    }
}

/// A copy as small as the longest side needs.
fn shrunk(width: u32, height: u32, pixels: &[[u8; 3]]) -> Raster {
    let factor = width.max(height).div_ceil(SIDE).max(1);
    let Ok(copy) = raster::shrunk((width, height), pixels, factor, || Ok::<(), Infallible>(()));
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_small_and_look_alike() {
        let picture: Vec<[u8; 3]> =
            (0..1500 * 3).map(|at| [if at % 1500 < 750 { 10 } else { 240 }; 3]).collect();
        let copy = shrunk(1500, 3, &picture);
        assert_eq!((copy.width, copy.height, copy.pixels.len()), (500, 1, 500));
        assert_eq!((copy.pixels[0], copy.pixels[499]), ([10; 3], [240; 3]));
        let small = shrunk(2, 2, &[[1; 3], [2; 3], [3; 3], [4; 3]]);
        assert_eq!(small, Raster { width: 2, height: 2, pixels: vec![[1; 3], [2; 3], [3; 3], [4; 3]] });
        assert_eq!(shrunk(0, 0, &[]).pixels.len(), 0);
    }
}
