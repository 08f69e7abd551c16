//! A decoded picture as it is shown on a white page.

/// Colour pixels, rows from the top without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raster {
    pub width: u32,
    pub height: u32,
    /// Red, green, blue; `width * height` of them.
    pub pixels: Vec<[u8; 3]>,
}

impl Raster {
    /// Grey values, one a pixel (Rec. 601 weights).
    pub fn luma(&self) -> Vec<u8> {
        self.pixels.iter().map(|&pixel| luma(pixel)).collect()
    }

    /// What is left without rows and columns of the last pixel's colour around it, but for `margin` of them; `None` where
    /// that is more than half of it.
    pub fn without_margins(&self, margin: usize) -> Option<Raster> {
        let width = self.width as usize;
        let ground = vec![*self.pixels.last()?; width];
        // As bytes, which are compared many at once.
        let is_ground = |pixels: &[[u8; 3]]| pixels.as_flattened() == ground[..pixels.len()].as_flattened();
        let rows = || self.pixels.chunks_exact(width);
        let top = rows().position(|row| !is_ground(row)).unwrap_or(0);
        let bottom = rows().rposition(|row| !is_ground(row)).map_or(0, |row| row + 1);
        let (mut left, mut right) = (width, 0);
        for row in rows().take(bottom).skip(top) {
            if !is_ground(&row[..left]) {
                left = row.iter().position(|pixel| *pixel != ground[0]).unwrap_or(left);
            }
            if !is_ground(&row[right..]) {
                right = row.iter().rposition(|pixel| *pixel != ground[0]).map_or(right, |column| column + 1);
            }
        }
        let top = top.saturating_sub(margin);
        let bottom = (bottom + margin).min(self.height as usize);
        // Of a blank one the corner is left.
        let left = if left > right { 0 } else { left.saturating_sub(margin) };
        let right = (right + margin).min(width);
        let (wide, high) = (right - left, bottom - top);
        if wide * high * 2 > self.pixels.len() {
            return None;
        }
        let pixels = rows().take(bottom).skip(top).flat_map(|row| &row[left..left + wide]).copied().collect();
        Some(Raster { width: wide as u32, height: high as u32, pixels })
    }
}

/// The means of squares of pixels, `factor` by `factor`, of a picture of so many columns and rows; `on_time` is asked before
/// each row.
///
/// # Errors
/// Those of `on_time`.
pub fn shrunk<E>(
    (width, height): (u32, u32),
    pixels: &[[u8; 3]],
    factor: u32,
    mut on_time: impl FnMut() -> Result<(), E>,
) -> Result<Raster, E> {
    let (columns, rows) = (width.div_ceil(factor), height.div_ceil(factor));
    let mut small = Vec::with_capacity(columns as usize * rows as usize);
    for row in 0..rows {
        on_time()?;
        let lines = row * factor..height.min((row + 1).saturating_mul(factor));
        for column in 0..columns {
            let (left, right) = (column * factor, width.min((column + 1).saturating_mul(factor)));
            let (mut sums, mut count) = ([0u32; 3], 0u32);
            for y in lines.clone() {
                let start = y as usize * width as usize;
                let line = pixels.get(start + left as usize..start + right as usize).unwrap_or_default();
                count += line.len() as u32;
                for pixel in line {
                    sums = std::array::from_fn(|channel| sums[channel] + u32::from(pixel[channel]));
                }
            }
            small.push(sums.map(|sum| sum.checked_div(count).unwrap_or(255) as u8));
        }
    }
    Ok(Raster { width: columns, height: rows, pixels: small })
}

/// Brightness of a colour as the eye weighs it (ITU-R BT.601).
pub fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((u32::from(red) * 77 + u32::from(green) * 150 + u32::from(blue) * 29) >> 8) as u8
}

/// What `value` looks like at an opacity of `alpha` over white.
pub fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_go_where_they_are_most_of_a_picture() {
        let picture = |ink: &[(usize, usize)]| {
            let mut pixels = vec![[250, 0, 9]; 100 * 60];
            ink.iter().for_each(|&(x, y)| pixels[y * 100 + x] = [7; 3]);
            Raster { width: 100, height: 60, pixels }
        };
        let part = picture(&[(20, 30), (40, 22), (31, 40)]).without_margins(5).unwrap();
        assert_eq!((part.width, part.height), (31, 29));
        let ink: Vec<usize> = (0..part.pixels.len()).filter(|&at| part.pixels[at] == [7; 3]).collect();
        assert_eq!(ink, [5 * 31 + 25, 13 * 31 + 5, 23 * 31 + 16]);
        // At the edge there is no more margin than there is.
        let part = picture(&[(0, 0)]).without_margins(5).unwrap();
        assert_eq!((part.width, part.height, part.pixels[0]), (6, 6, [7; 3]));
        assert_eq!(picture(&[(1, 1), (98, 58)]).without_margins(5), None);
        let part = picture(&[]).without_margins(5).unwrap();
        assert_eq!((part.width, part.height, part.pixels.len()), (5, 5, 25));
        assert_eq!(Raster { width: 0, height: 0, pixels: Vec::new() }.without_margins(5), None);
    }

    #[test]
    fn squares_of_pixels_become_their_means_row_by_row_while_there_is_time() {
        let pixels: Vec<[u8; 3]> = (0..5 * 4).map(|at| [10 * at; 3]).collect();
        let small = shrunk((5, 4), &pixels, 2, || Ok::<(), ()>(())).unwrap();
        assert_eq!((small.width, small.height), (3, 2));
        assert_eq!(
            small.pixels.iter().map(|pixel| pixel[0]).collect::<Vec<_>>(),
            [30, 50, 65, 130, 150, 165]
        );
        let mut rows = 0;
        let cut = shrunk((5, 4), &pixels, 2, || {
            rows += 1;
            if rows < 2 { Ok(()) } else { Err("late") }
        });
        assert_eq!(cut, Err("late"));
    }

    #[test]
    fn the_ends_of_the_scales_stay() {
        assert_eq!((luma([0; 3]), luma([255; 3])), (0, 255));
        assert_eq!((over_white(0, 0), over_white(0, 255), over_white(255, 128)), (255, 0, 255));
    }
}
