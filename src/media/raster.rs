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
    fn the_ends_of_the_scales_stay() {
        assert_eq!((luma([0; 3]), luma([255; 3])), (0, 255));
        assert_eq!((over_white(0, 0), over_white(0, 255), over_white(255, 128)), (255, 0, 255));
    }
}
