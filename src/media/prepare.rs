//! A picture made ready for the recogniser.

use crate::ocr::Page;

use super::raster::Raster;

/// Pictures lower than this hold no text that a person could read.
const LEAST_HEIGHT: u32 = 12;
/// Nor do pictures of fewer pixels: tracking pixels, bullets, icons.
const LEAST_AREA: u64 = 1500;

/// The grey page to read, or `None` where there is nothing to read.
pub fn prepare(raster: &Raster) -> Option<Page> {
    let (width, height) = (raster.width, raster.height);
    if height < LEAST_HEIGHT || u64::from(width) * u64::from(height) < LEAST_AREA {
        return None;
    }
    Some(Page { width, height, pixels: raster.luma() })
}
