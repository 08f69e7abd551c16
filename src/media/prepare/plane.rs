//! A grey picture that is worked on.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use crate::{media::raster::Raster, ocr::Page};

/// Grey pixels, rows from the top without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plane {
    pub width: usize,
    pub height: usize,
    /// `width * height` of them; 0 is black.
    pub pixels: Vec<u8>,
}

impl Plane {
    /// The brightness of a picture.
    pub fn of(raster: &Raster) -> Plane {
        Plane { width: raster.width as usize, height: raster.height as usize, pixels: raster.luma() }
    }

    /// The pixels of a row.
    pub fn row(&self, y: usize) -> &[u8] {
        &self.pixels[y * self.width..][..self.width]
    }

    /// Turns light to dark and dark to light.
    pub fn invert(&mut self) {
        for pixel in &mut self.pixels {
            *pixel = 255 - *pixel;
        }
    }

    /// The picture in another size; the same where the resizer refuses.
    pub fn scaled(self, factor: f32) -> Plane {
        let side = |side: usize| ((side as f32 * factor).round() as u32).max(1);
        let (width, height) = (side(self.width), side(self.height));
        // Sharp when it grows, without aliases when it shrinks.
        let filter = if factor > 1.0 { FilterType::CatmullRom } else { FilterType::Box };
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
        let source = ImageRef::new(self.width as u32, self.height as u32, &self.pixels, PixelType::U8);
        let mut target = Image::new(width, height, PixelType::U8);
        match source.map(|source| Resizer::new().resize(&source, &mut target, &options)) {
            Ok(Ok(())) => Plane { width: width as usize, height: height as usize, pixels: target.into_vec() },
            _ => self,
        }
    }

    /// The page to be read.
    pub fn into_page(self) -> Page {
        Page { width: self.width as u32, height: self.height as u32, pixels: self.pixels }
    }
}
