//! The last steps of preparation, which are taken a second time, in another way, where the page was read badly.

use super::{Found, MOST_PIXELS, X_HEIGHT, blobs::Blob, lines::Text, plane::Plane, straighten};
use crate::ocr::Page;

/// Height of small letters on a page that is made another way where nothing else can be done another way.
const LARGER: f32 = 14.0;
/// The same where specks are left alone.
const AS_BEFORE: f32 = X_HEIGHT;
/// Ground that is left around the letters, in heights of small ones.
const MARGIN: f32 = 2.0;
/// A part that is as large as this, in tenths of the whole, is not worth the copy.
const WORTH_CROPPING: usize = 8;
/// Scaling by less than this is not worth its time.
const NEARLY: std::ops::Range<f32> = 0.9..1.15;

/// A picture before its specks were taken away, and what was found on it.
#[derive(Debug, PartialEq)]
pub struct Again {
    plane: Plane,
    blobs: Vec<Blob>,
    text: Text,
    x_height: f32,
}

impl Again {
    /// `before` is the picture before its specks were taken away, `after` is without them.
    pub(super) fn of(before: Plane, after: &Plane, found: Found) -> Again {
        let x_height = if before == *after { LARGER } else { AS_BEFORE };
        Again { plane: before, blobs: found.blobs, text: found.text, x_height }
    }

    /// The page made another way: with the specks that were taken for noise, or with larger letters.
    pub fn page(self) -> Page {
        page_of(self.plane, &self.blobs, &self.text, self.x_height)
    }

    /// The page of the same picture without its specks, made the first way.
    pub(super) fn first(&self, plane: Plane) -> Page {
        page_of(plane, &self.blobs, &self.text, X_HEIGHT)
    }
}

/// The page of a picture, straightened and cut out, whose small letters are so high, in pixels.
fn page_of(mut plane: Plane, blobs: &[Blob], text: &Text, x_height: f32) -> Page {
    let x = text.x_height();
    let grown = straighten::straighten(&mut plane, text);
    plane = around(plane, blobs, x, grown);
    let room = (MOST_PIXELS / plane.pixels.len() as f32).sqrt().max(1.0);
    let factor = (x_height / x).clamp(0.25, 4.0).min(room);
    if !NEARLY.contains(&factor) {
        plane = plane.scaled(factor);
    }
    plane.into_page()
}

/// The part of a picture that has letters, with some ground around them, where that is a good deal less than the whole.
/// Columns may have moved by up to `grown` rows since the blobs were found.
fn around(plane: Plane, blobs: &[Blob], x: f32, grown: usize) -> Plane {
    let like_letters = |blob: &&Blob| (0.5 * x..=4.0 * x).contains(&(blob.height() as f32));
    let mut letters = blobs.iter().filter(like_letters);
    let Some(mut bounds) = letters.next().copied() else { return plane };
    letters.for_each(|letter| bounds.include(letter));
    let margin = (x * MARGIN) as usize;
    let before = |edge: u32| (edge as usize).saturating_sub(margin);
    let after = |edge: u32| edge as usize + margin;
    let part = plane.cropped(
        before(bounds.left),
        before(bounds.top),
        after(bounds.right),
        after(bounds.bottom) + grown,
    );
    if part.pixels.len() * 10 < plane.pixels.len() * WORTH_CROPPING { part } else { plane }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::prepare::Prepared;

    #[test]
    fn specks_are_left_the_second_time_or_letters_are_larger() {
        let until = std::time::Instant::now() + std::time::Duration::from_secs(600);
        // Letters of 5 by 12, and specks between the rows.
        let picture = |specks: usize| {
            // On two grounds: on one the specks would go before, as pieces of no row.
            let mut pixels: Vec<[u8; 3]> =
                (0..240 * 120).map(|at| if at % 240 < 120 { [255; 3] } else { [190; 3] }).collect();
            for letter in 0..32 {
                for y in 0..12 {
                    pixels[(20 + letter / 16 * 60 + y) * 240 + 10 + letter % 16 * 14..][..5].fill([0; 3]);
                }
            }
            for speck in 0..specks {
                // Two by two: single pixels of a colour go before.
                for row in 0..2 {
                    pixels[(45 + speck / 40 * 5 + row) * 240 + 4 + speck % 40 * 5..][..2].fill([0; 3]);
                }
            }
            match super::super::prepare(&crate::media::Raster { width: 240, height: 120, pixels }, until) {
                Prepared::Page(page, again) => (page, again.page()),
                other => panic!("{other:?}"),
            }
        };
        let dark = |page: &Page| page.pixels.iter().filter(|&&pixel| pixel < 100).count();
        let (page, again) = picture(0);
        assert!(
            again.width > page.width * 5 / 4 || again.height > page.height * 5 / 4,
            "{} {}",
            page.width,
            again.width
        );
        let (page, again) = picture(120);
        assert_eq!((page.width, page.height), (again.width, again.height));
        assert!(dark(&again) > dark(&page) + 60, "{} {}", dark(&page), dark(&again));
    }
}
