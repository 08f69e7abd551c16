//! A picture that was cut into strips or tiles, put together again.

use super::raster::Raster;

/// By how many pixels tiles of a row may differ in height, and rows in width.
const UNEVEN: u32 = 2;
/// Side of a tile below which it is a spacer or a tracking pixel.
const LEAST: u32 = 3;

/// Puts rows of tiles together where they are pieces of one picture: tiles of a row as high as each other, rows as wide
/// as each other, two tiles at least. `most` are the pixels the whole may have. Says no where they are not.
pub fn join(rows: &[Vec<Raster>], most: u64) -> Option<Raster> {
    let tile = |tile: &&Raster| tile.width >= LEAST && tile.height >= LEAST;
    let rows: Vec<Vec<&Raster>> = rows.iter().map(|row| row.iter().filter(tile).collect()).collect();
    let rows: Vec<Vec<&Raster>> = rows.into_iter().filter(|row: &Vec<&Raster>| !row.is_empty()).collect();
    if rows.iter().map(Vec::len).sum::<usize>() < 2 {
        return None;
    }
    let even = |mut sides: Box<dyn Iterator<Item = u32> + '_>| {
        let first = sides.next()?;
        let (least, most) =
            sides.fold((first, first), |(least, most), side| (least.min(side), most.max(side)));
        (most - least <= UNEVEN).then_some(most)
    };
    let heights: Option<Vec<u32>> =
        rows.iter().map(|row| even(Box::new(row.iter().map(|tile| tile.height)))).collect();
    let heights = heights?;
    let width = |row: &Vec<&Raster>| row.iter().fold(0u32, |sum, tile| sum.saturating_add(tile.width));
    let width = even(Box::new(rows.iter().map(width)))?;
    let height = heights.iter().fold(0u32, |sum, &height| sum.saturating_add(height));
    if u64::from(width) * u64::from(height) > most {
        return None;
    }
    let mut pixels = Vec::with_capacity(width as usize * height as usize);
    for (row, &height) in rows.iter().zip(&heights) {
        for y in 0..height as usize {
            let end = pixels.len() + width as usize;
            for tile in row {
                let line = tile.pixels.chunks_exact(tile.width as usize).nth(y);
                match line {
                    Some(line) => pixels.extend_from_slice(line),
                    None => pixels.resize(pixels.len() + tile.width as usize, [255; 3]),
                }
            }
            pixels.resize(end, [255; 3]);
        }
    }
    Some(Raster { width, height, pixels })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> Raster {
        Raster {
            width,
            height,
            pixels: (0..width * height).map(|at| [at as u8, (at >> 8) as u8, 7]).collect(),
        }
    }

    fn cut(whole: &Raster, left: u32, top: u32, width: u32, height: u32) -> Raster {
        let at = |at: u32| (top + at / width) * whole.width + left + at % width;
        Raster { width, height, pixels: (0..width * height).map(|i| whole.pixels[at(i) as usize]).collect() }
    }

    #[test]
    fn strips_and_tiles_make_the_picture_they_were_cut_from() {
        let whole = picture(60, 40);
        let strips = vec![(0..6).map(|i| cut(&whole, i * 10, 0, 10, 40)).collect()];
        assert_eq!(join(&strips, 10_000), Some(whole.clone()));
        let rows: Vec<Vec<Raster>> = [(0, 15), (15, 25)]
            .map(|(top, height)| {
                [(0, 20), (20, 40)].map(|(left, width)| cut(&whole, left, top, width, height)).to_vec()
            })
            .to_vec();
        assert_eq!(join(&rows, 10_000), Some(whole.clone()));
        assert_eq!(join(&rows, 2_399), None);
        // A spacer in a row of its own is none of them.
        let spaced = [&rows[..1], &[vec![picture(1, 1)]], &rows[1..]].concat();
        assert_eq!(join(&spaced, 10_000), Some(whole));
    }

    #[test]
    fn pictures_that_do_not_fit_stay_apart() {
        assert_eq!(join(&[vec![picture(20, 20), picture(20, 30)]], 10_000), None);
        assert_eq!(join(&[vec![picture(20, 20)], vec![picture(30, 20)]], 10_000), None);
        assert_eq!(join(&[vec![picture(20, 20)]], 10_000), None);
        assert_eq!(join(&[], 10_000), None);
    }

    #[test]
    fn a_pixel_more_or_less_is_filled() {
        let joined = join(&[vec![picture(20, 20), picture(20, 21)], vec![picture(39, 20)]], 10_000).unwrap();
        assert_eq!((joined.width, joined.height, joined.pixels.len()), (40, 41, 1640));
        assert_eq!(joined.pixels[20 * 40], [255; 3]);
        assert_eq!(joined.pixels[40 * 40 + 39], [255; 3]);
    }
}
