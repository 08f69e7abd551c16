//! Pictures of a page: those it holds, and the page itself.

use std::time::{Duration, Instant};

use hayro::{PixmapSettings, RenderCache, RenderSettings, render, vello_cpu::color::palette::css::WHITE};
use hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageData, ImageDrawProps, InterpreterCache,
    InterpreterSettings, LumaData, SoftMask,
    font::GlyphRun,
    hayro_syntax::{Filter, object::Stream, page::Page},
    kurbo::BezPath,
};

use crate::{
    budget::Why,
    media::{Limits, Raster},
};

/// Dots an inch at which a page is rasterised: text of 9 points has an x-height of 10 pixels.
const DOTS: f32 = 150.0;
/// Pixels of a side of a rasterised page, at most.
const MOST_SIDE: f32 = 2400.0;
/// Pixels of a picture that are decoded.
const MOST_PIXELS: u64 = 20_000_000;

/// Pictures that a page holds.
#[derive(Default)]
pub struct Taken {
    pub pictures: Vec<Raster>,
    /// Why one of those that were wanted is not among them.
    pub left_out: Option<Why>,
}

/// The pictures of a page at these places in drawing order. None is begun that would not be decoded by `until`.
pub fn pictures<'a>(page: &'a Page<'a>, wanted: &[usize], limits: &Limits, until: Instant) -> Taken {
    if wanted.is_empty() {
        return Taken::default();
    }
    let limit = limits.pixels.min(MOST_PIXELS);
    let mut taker = Taker { wanted, next: 0, limit, until, taken: Taken::default() };
    super::interpret(page, &InterpreterCache::new(), &InterpreterSettings::default(), &mut taker);
    taker.taken
}

/// The page as it is printed, smaller where that is more pixels than a picture may have; `None` where it has no size.
pub fn page<'a>(page: &'a Page<'a>, limits: &Limits) -> Option<Raster> {
    let (width, height) = page.render_dimensions();
    let longest = width.max(height);
    if !(width >= 1.0 && height >= 1.0 && longest.is_finite()) {
        return None;
    }
    // Pages are measured in points; a poster is drawn smaller.
    let affordable = (limits.pixels as f32 / (width * height)).sqrt();
    let scale = (DOTS / 72.0).min(MOST_SIDE / longest).min(affordable);
    if width * scale < 1.0 || height * scale < 1.0 {
        return None;
    }
    let pixmap = render(
        page,
        &RenderCache::new(),
        &InterpreterSettings::default(),
        &RenderSettings::default(),
        &PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE },
    );
    let pixels = pixmap.data().iter().map(|pixel| [pixel.r, pixel.g, pixel.b]).collect();
    Some(Raster { width: pixmap.width().into(), height: pixmap.height().into(), pixels })
}

/// Decodes the pictures that are wanted as they are drawn.
struct Taker<'w> {
    wanted: &'w [usize],
    next: usize,
    /// Pixels of one.
    limit: u64,
    until: Instant,
    taken: Taken,
}

impl Device<'_> for Taker<'_> {
    fn draw_image(&mut self, image: Image<'_, '_>, _: ImageDrawProps<'_>) {
        let index = self.next;
        self.next += 1;
        let pixels = u64::from(image.width()) * u64::from(image.height());
        if !self.wanted.contains(&index) {
            return;
        }
        let takes = match &image {
            Image::Stencil(stencil) => time(stencil.stream(), pixels),
            Image::Raster(raster) => time(raster.stream(), pixels),
        };
        if pixels > self.limit {
            self.taken.left_out = Some(Why::Limit("picture pixels"));
            return;
        }
        if self.until.saturating_duration_since(Instant::now()) < takes {
            self.taken.left_out = Some(Why::Deadline);
            return;
        }
        match image {
            // A stencil paints where its mask is set: a fax is black where it is.
            Image::Stencil(stencil) => stencil.with_stencil(|mask, _| self.take(grey(&mask, true)), None),
            Image::Raster(raster) => raster.with_rgba(|image, _| self.take(colors(image)), None),
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {}

    fn draw_glyph_run(&mut self, _: &GlyphRun<'_, '_>, _: DrawProps<'_>, _: &DrawMode) {}

    fn push_clip_path(&mut self, _: &ClipPath) {}

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}

impl Taker<'_> {
    fn take(&mut self, raster: Raster) {
        if raster.pixels.len() as u64 == u64::from(raster.width) * u64::from(raster.height) {
            self.taken.pictures.push(raster);
        }
    }
}

/// How long it takes to decode so many pixels, about; no decoder of them can be stopped.
fn time(stream: &Stream, pixels: u64) -> Duration {
    let nanos = match stream.filters().last() {
        Some(Filter::JpxDecode) => 100,
        Some(Filter::Jbig2Decode | Filter::CcittFaxDecode) => 20,
        Some(Filter::DctDecode) => 10,
        _ => 5,
    };
    Duration::from_nanos(nanos * pixels)
}

fn colors(image: ImageData) -> Raster {
    match image {
        ImageData::Luma(luma) => grey(&luma, false),
        ImageData::Rgb(rgb) => {
            Raster { width: rgb.width, height: rgb.height, pixels: rgb.data.as_chunks::<3>().0.to_vec() }
        }
    }
}

fn grey(luma: &LumaData, inverted: bool) -> Raster {
    let flip = if inverted { 255 } else { 0 };
    let pixels = luma.data.iter().map(|&value| [value ^ flip; 3]).collect();
    Raster { width: luma.width, height: luma.height, pixels }
}
