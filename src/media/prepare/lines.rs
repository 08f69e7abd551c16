//! Where blobs stand side by side like letters do.

use super::blobs::Blob;

/// Blobs lower than this are specks, dots and noise.
const LOWEST: u32 = 4;
/// Blobs higher than this are no letters of a text.
const HIGHEST: u32 = 160;
/// Letters that must stand in a row to count as text.
const LEAST: usize = 3;
/// Sides of a dot of a raster, in pixels: single ones are noise.
const RASTER: std::ops::Range<u32> = 3..8;
/// Dots that a raster has, at least.
const DOTS: usize = 60;
/// Letters that make a text; less is chance.
const LEAST_WRITTEN: usize = 6;
/// Percent of all that looks like letters that stands in written rows. Of 980 pictures with text seven have less than 60.
const SHARE: usize = 45;
/// The same where a row is this long: 26 pictures of leaves have 14 to 35, text over stripes 33 at least.
const LONG: usize = 9;
const LONG_SHARE: usize = 30;
/// Letters of one row that are no chance, whatever else is in the picture. Leaves have 14 at most.
const CERTAIN: usize = 16;
/// Letters in rows, and percent of all that is as high as letters, that are text however they stand. Of 600 pictures
/// of text 17 have less than 85, of leaves, grass and buildings none more than 70.
const ALONE: usize = 12;
const ALONE_SHARE: usize = 85;
/// Percent of the letters that stand in rows which look written, below which those are chance, unless one is as long as
/// below. Text among dashes has 70 at least, captions on photos 36, leaves and grass 36 at most, nearly all less than 35.
const FOLIAGE: usize = 35;
const BEYOND_DOUBT: usize = 30;
/// Height of the bands that blobs are sorted into to find neighbours.
const BAND: u32 = 16;

/// What looks like text in a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// Rows of letters from left to right.
    pub rows: Vec<Vec<Blob>>,
    /// Whether there was a raster of dots, which are not among the letters.
    pub raster: bool,
    /// Blobs as high as letters, wherever they stand.
    shapes: usize,
}

impl Text {
    /// Looks for rows of letters.
    pub fn find(blobs: &[Blob]) -> Text {
        let raster = raster(blobs);
        let is_dot = |blob: &Blob| raster.is_some_and(|size| is_like(blob, size));
        let high = |blob: &&Blob| (LOWEST..=HIGHEST).contains(&blob.height()) && !is_dot(blob);
        let shapes = blobs.iter().filter(high).count();
        let letters = blobs.iter().filter(|blob| is_letter(blob) && !is_dot(blob));
        let mut letters: Vec<Blob> = letters.copied().collect();
        letters.sort_unstable_by_key(|blob| (blob.left, blob.top));
        let next = neighbours(&letters);
        let mut has_previous = vec![false; letters.len()];
        for &next in next.iter().flatten() {
            has_previous[next] = true;
        }
        let mut rows = Vec::new();
        for start in (0..letters.len()).filter(|&at| !has_previous[at]) {
            let mut row = vec![letters[start]];
            let mut at = start;
            while let Some(follower) = next[at] {
                row.push(letters[follower]);
                at = follower;
            }
            if row.len() >= LEAST {
                rows.push(row);
            }
        }
        Text { rows, raster: raster.is_some(), shapes }
    }

    /// How many letters there are.
    pub fn letters(&self) -> usize {
        self.rows.iter().map(Vec::len).sum()
    }

    /// How many letters stand in rows that look written, and how many in the longest of these. Pieces of stripes,
    /// leaves and waves make rows as well, but of any height and at any.
    pub fn written(&self) -> (usize, usize) {
        let rows = self.rows.iter().filter(|row| is_written(row)).map(Vec::len);
        rows.fold((0, 0), |(sum, most), letters| (sum + letters, most.max(letters)))
    }

    /// Whether this is text: it says yes to some pictures that have none, and no to none that has.
    pub fn is_text(&self) -> bool {
        let letters = self.letters();
        // Nothing but rows, though their letters may jump.
        if letters >= ALONE && letters * 100 >= self.shapes * ALONE_SHARE && self.alike() {
            return true;
        }
        let (written, longest) = self.written();
        if longest < BEYOND_DOUBT && written * 100 < letters * FOLIAGE {
            return false;
        }
        let share = if longest >= LONG { LONG_SHARE } else { SHARE };
        longest >= CERTAIN || written >= LEAST_WRITTEN && written * 100 >= letters * share
    }

    /// Whether nearly all letters are as high as small or tall ones are.
    fn alike(&self) -> bool {
        let x = self.x_height();
        let alike = |blob: &&Blob| (0.7 * x..=2.0 * x).contains(&(blob.height() as f32));
        self.rows.iter().flatten().filter(alike).count() * 4 >= self.letters() * 3
    }

    /// Height of the small letters in pixels, as far as can be told; 0 without text.
    pub fn x_height(&self) -> f32 {
        let mut heights: Vec<u32> = self.rows.iter().flatten().map(Blob::height).collect();
        if heights.is_empty() {
            return 0.0;
        }
        // More than half of the letters of a text are small ones.
        let at = heights.len() * 2 / 5;
        *heights.select_nth_unstable(at).1 as f32
    }
}

/// Whether the letters of a row are nearly all as high as small or tall letters are, and stand, or hang, in line
/// with the two beside them, which those of a wavy or slanting line do.
pub fn is_written(row: &[Blob]) -> bool {
    let mut heights: Vec<u32> = row.iter().map(Blob::height).collect();
    let at = heights.len() * 2 / 5;
    let small = *heights.select_nth_unstable(at).1 as f32;
    let alike = row.iter().filter(|blob| (0.7 * small..=1.75 * small).contains(&(blob.height() as f32)));
    let slack = 0.15 * small.max(6.0);
    let in_line = |three: &&[Blob]| {
        [|blob: &Blob| blob.top as f32, |blob: &Blob| blob.bottom as f32].into_iter().any(|edge| {
            let [before, here, after] = [0, 1, 2].map(|at| edge(&three[at]));
            (here - (before + after) / 2.0).abs() <= slack
        })
    };
    let aligned = row.windows(3).filter(in_line).count();
    row.len() > LEAST && alike.count() * 4 >= row.len() * 3 && aligned * 10 >= (row.len() - 2) * 6
}

fn is_letter(blob: &Blob) -> bool {
    let (width, height) = (blob.width(), blob.height());
    // Letters of small text touch each other: a whole word may be one blob.
    let size = (LOWEST..=HIGHEST).contains(&height) && width <= 12 * height && height <= 12 * width;
    let fill = u64::from(blob.area) * 100 / (u64::from(width) * u64::from(height));
    size && fill >= 12 && (fill <= 95 || width * 2 <= height)
}

/// The size of the dots of a raster: small, more than of anything else there is, and one like the other.
fn raster(blobs: &[Blob]) -> Option<(u32, u32)> {
    let mut counts = [[0usize; RASTER.end as usize + 1]; RASTER.end as usize + 1];
    let dots = blobs.iter().filter(|blob| RASTER.contains(&blob.height()) && RASTER.contains(&blob.width()));
    for dot in dots {
        counts[dot.height() as usize][dot.width() as usize] += 1;
    }
    let sizes = RASTER.flat_map(|height| RASTER.map(move |width| (height, width)));
    let of = |(height, width): (u32, u32)| counts[height as usize][width as usize];
    let size = sizes.max_by_key(|&size| of(size))?;
    let mut areas: Vec<u32> = blobs.iter().filter(|blob| is_like(blob, size)).map(|blob| blob.area).collect();
    let (alike, at) = (areas.len(), areas.len() / 2);
    // Letters of one size are a few in ten at most; those of small type are more, but not as black as each other.
    if of(size) <= DOTS || alike * 2 <= blobs.len() {
        return None;
    }
    let median = *areas.select_nth_unstable(at).1;
    let near = areas.iter().filter(|area| area.abs_diff(median) <= (median / 6).max(1)).count();
    (near * 10 >= alike * 7).then_some(size)
}

fn is_like(blob: &Blob, (height, width): (u32, u32)) -> bool {
    blob.height().abs_diff(height) <= 1 && blob.width().abs_diff(width) <= 1
}

/// For each letter the nearest one to its right that can be of the same word or line.
fn neighbours(letters: &[Blob]) -> Vec<Option<usize>> {
    let bands = letters.iter().map(|blob| blob.bottom / BAND + 1).max().unwrap_or(0) as usize;
    let mut by_band: Vec<Vec<usize>> = vec![Vec::new(); bands];
    for (index, blob) in letters.iter().enumerate() {
        for band in blob.top / BAND..=(blob.bottom - 1) / BAND {
            by_band[band as usize].push(index);
        }
    }
    let mut taken = vec![false; letters.len()];
    let mut next = vec![None; letters.len()];
    for (index, blob) in letters.iter().enumerate() {
        let middle = (blob.top + blob.bottom) / 2;
        let band = &by_band[(middle / BAND) as usize];
        // Indices in a band ascend, and with them the left edges.
        let start = band.partition_point(|&other| other <= index);
        let reach = blob.right + 2 * blob.height();
        let follower = band[start..]
            .iter()
            .copied()
            .take_while(|&other| letters[other].left <= reach)
            .find(|&other| !taken[other] && follows(blob, &letters[other]));
        if let Some(follower) = follower {
            taken[follower] = true;
            next[index] = Some(follower);
        }
    }
    next
}

fn follows(a: &Blob, b: &Blob) -> bool {
    let (low, high) = (a.height().min(b.height()), a.height().max(b.height()));
    let overlap = a.bottom.min(b.bottom).saturating_sub(a.top.max(b.top));
    b.left + a.height() / 3 >= a.right && high * 10 <= low * 24 && overlap * 2 >= low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(left: u32, top: u32, width: u32, height: u32) -> Blob {
        Blob { left, top, right: left + width, bottom: top + height, area: width * height / 2 }
    }

    #[test]
    fn letters_in_a_row_are_text_and_scattered_ones_are_not() {
        let row: Vec<Blob> =
            (0..6).map(|i| blob(10 + i * 9, 20 - (i % 2) * 3, 7, 10 + (i % 2) * 3)).collect();
        let text = Text::find(&row);
        assert_eq!((text.rows.len(), text.letters()), (1, 6));
        assert_eq!(text.x_height(), 10.0);
        let scattered: Vec<Blob> = (0..6).map(|i| blob(10 + i * 90, 20 + i * 40, 7, 10)).collect();
        assert_eq!(Text::find(&scattered).letters(), 0);
        assert_eq!(Text::find(&[]).x_height(), 0.0);
    }

    #[test]
    fn pieces_of_stripes_are_not_written() {
        // They were taken for the text that cut them once, and the picture was turned over.
        let piece = |i: u32| blob(i * 9, 50 - 2 * (i % 20), 4, 4 + 2 * (i % 20));
        let pieces = Text::find(&(0..40).map(piece).collect::<Vec<_>>());
        let letter = |i: u32| blob(i * 9, 20 - (i % 2) * 3, 7, 10 + (i % 2) * 3);
        let letters = Text::find(&(0..40).map(letter).collect::<Vec<_>>());
        assert_eq!(letters.written(), (40, 40));
        assert!(letters.is_text() && !pieces.is_text(), "{:?} of {}", pieces.written(), pieces.letters());
    }

    #[test]
    fn a_line_that_waves_is_written() {
        let letter = |i: u32| blob(i * 9, 40 + (6.0 * (i as f32 * 0.5).sin()) as u32, 7, 10 + (i % 3));
        assert!(Text::find(&(0..40).map(letter).collect::<Vec<_>>()).is_text());
    }

    #[test]
    fn letters_that_jump_are_text_where_nothing_else_is() {
        let letter = |i: u32| blob(10 + i * 9, 40 + i * 5 % 7, 7, 10 + i % 3);
        let jumping: Vec<Blob> = (0..40).map(letter).collect();
        assert!(!is_written(&jumping) && Text::find(&jumping).is_text());
    }

    #[test]
    fn grass_is_no_text() {
        // A row by chance, others that are none, and as many blades beside.
        let row = (0..17).map(|i| blob(10 + i * 9, 20, 7, 10 + i % 2 * 3));
        let blades = (0..90).map(|i| blob(10 + i % 30 * 9, 60 + i / 30 * 40 + i * 5 % 13, 7, 10 + i * 7 % 6));
        let lone = (0..60).map(|i| blob(10 + i % 6 * 70, 200 + i / 6 * 50, 7, 12));
        let text = Text::find(&row.clone().chain(blades).chain(lone).collect::<Vec<_>>());
        assert!(text.written().1 >= CERTAIN && !text.is_text(), "{:?} of {}", text.written(), text.letters());
        assert!(Text::find(&row.collect::<Vec<_>>()).is_text());
    }

    #[test]
    fn small_type_is_no_raster() {
        // Letters of 5 by 5, give or take one, of more or less ink: 12 rows of 20.
        let letter =
            |i: u32| Blob { area: 7 + i * 5 % 11, ..blob(10 + i % 20 * 7, 10 + i / 20 * 12, 5, 5 + i % 2) };
        let text = Text::find(&(0..240).map(letter).collect::<Vec<_>>());
        assert!(!text.raster && text.is_text() && text.letters() == 240, "{text:?}");
    }

    #[test]
    fn the_dots_of_a_raster_are_no_letters() {
        let dots = (0..400).map(|i| blob(i % 20 * 8, i / 20 * 8, 5, 5));
        let letters = (0..8).map(|i| blob(i * 20, 50, 9, 14));
        let text = Text::find(&dots.chain(letters).collect::<Vec<_>>());
        assert!(text.raster && text.letters() == 8, "{text:?}");
    }
}
