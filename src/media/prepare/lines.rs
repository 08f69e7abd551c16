//! Where blobs stand side by side like letters do.

use super::blobs::Blob;

/// Blobs lower than this are specks, dots and noise.
const LOWEST: u32 = 4;
/// Blobs higher than this are no letters of a text.
const HIGHEST: u32 = 160;
/// Letters that must stand in a row to count as text.
const LEAST: usize = 3;
/// Height of the bands that blobs are sorted into to find neighbours.
const BAND: u32 = 16;

/// What looks like text in a picture.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// Rows of letters from left to right.
    pub rows: Vec<Vec<Blob>>,
}

impl Text {
    /// Looks for rows of letters.
    pub fn find(blobs: &[Blob]) -> Text {
        let mut letters: Vec<Blob> = blobs.iter().filter(|blob| is_letter(blob)).copied().collect();
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
        Text { rows }
    }

    /// How many letters there are.
    pub fn letters(&self) -> usize {
        self.rows.iter().map(Vec::len).sum()
    }

    /// How many letters have the height of a small or a tall letter of this text. Letters do nearly all; pieces of
    /// stripes that the text cuts have any.
    pub fn alike(&self) -> usize {
        let x = self.x_height();
        let like = |blob: &&Blob| (0.75 * x..=1.7 * x).contains(&(blob.height() as f32));
        self.rows.iter().flatten().filter(like).count()
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

fn is_letter(blob: &Blob) -> bool {
    let (width, height) = (blob.width(), blob.height());
    // Letters of small text touch each other: a whole word may be one blob.
    let size = (LOWEST..=HIGHEST).contains(&height) && width <= 12 * height && height <= 12 * width;
    let fill = u64::from(blob.area) * 100 / (u64::from(width) * u64::from(height));
    size && fill >= 12 && (fill <= 95 || width * 2 <= height)
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
    fn pieces_of_stripes_are_not_alike() {
        // They were taken for the text that cut them once, and the picture was turned over.
        let piece = |i: u32| blob(i * 9, 50 - 2 * (i % 20), 4, 4 + 2 * (i % 20));
        let pieces = Text::find(&(0..40).map(piece).collect::<Vec<_>>());
        let letter = |i: u32| blob(i * 9, 20 - (i % 2) * 3, 7, 10 + (i % 2) * 3);
        let letters = Text::find(&(0..40).map(letter).collect::<Vec<_>>());
        assert_eq!(letters.alike(), 40);
        assert!(pieces.alike() * 10 < 40 * 6, "{} of {}", pieces.alike(), pieces.letters());
    }
}
