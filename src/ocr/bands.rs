//! A page in parts that can be read one after the other.
//!
//! What is read of a page that runs out of time are the parts that were done by then. A cut goes through rows
//! without ink only.

use std::ops::Range;

use super::Page;

/// Height of a part, in pixels: a few lines of text, so that what each part costs once does not count.
const LEAST: usize = 150;
/// Rows whose pixels differ by no more hold no ink.
const EVEN: u8 = 12;

/// The rows of each part, from the top; together they are the page.
pub fn bands(page: &Page) -> Vec<Range<u32>> {
    let width = (page.width as usize).max(1);
    let empty = |row: &[u8]| {
        let (low, high) =
            row.iter().fold((u8::MAX, 0), |(low, high), &pixel| (pixel.min(low), pixel.max(high)));
        high.saturating_sub(low) <= EVEN
    };
    let empty: Vec<bool> = page.pixels.chunks_exact(width).map(empty).collect();
    let mut bands = Vec::new();
    let (mut start, mut row) = (0, LEAST);
    while row + LEAST <= empty.len() {
        if !empty[row] {
            row += 1;
            continue;
        }
        // In the middle of the gap, so that letters on both sides keep some ground around them.
        let gap = empty[row..].iter().take_while(|&&empty| empty).count();
        let cut = row + gap / 2;
        bands.push(start as u32..cut as u32);
        (start, row) = (cut, cut.max(row + gap) + LEAST);
    }
    bands.push(start as u32..page.height);
    bands
}

#[cfg(test)]
mod tests {
    use super::*;

    // Lines of ten rows of ink and eight of ground.
    fn page(lines: usize) -> Page {
        let ink = |row: usize| row % 18 >= 4 && row % 18 < 14;
        let pixels =
            (0..lines * 18).flat_map(|row| [255, if ink(row) { 0 } else { 250 }, 255, 255]).collect();
        Page { width: 4, height: lines as u32 * 18, pixels }
    }

    #[test]
    fn a_page_is_cut_between_its_lines_and_nowhere_else() {
        for lines in [1, 9, 17, 18, 30, 100] {
            let page = page(lines);
            let bands = bands(&page);
            assert_eq!((bands[0].start, bands[bands.len() - 1].end), (0, page.height));
            assert!(bands.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert!(bands.iter().all(|band| band.len() >= LEAST.min(lines * 18)));
            assert!(bands[1..].iter().all(|band| (band.start + 3) % 18 <= 7), "{bands:?}");
            assert_eq!(bands.len() > 1, lines >= 18, "{lines}");
        }
        let full = Page { width: 2, height: 900, pixels: [0, 255].repeat(900) };
        let whole = |page: &Page| bands(page).iter().map(|band| (band.start, band.end)).collect::<Vec<_>>();
        assert_eq!(whole(&full), [(0, 900)]);
        assert_eq!(whole(&Page { width: 0, height: 0, pixels: Vec::new() }), [(0, 0)]);
    }
}
