//! Still pictures: PNG, JPEG, WebP, BMP, TIFF.

use std::time::{Duration, Instant};

use image::{
    ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage,
    error::LimitErrorKind, metadata::Orientation,
};

use super::{
    Error, Kind, Limits, jpeg,
    raster::{Raster, over_white},
    timed::Timed,
};

/// What decoding WebP takes on a slow machine, in nanoseconds a pixel and a byte: some twice of what was measured.
const WEBP_PIXEL: u64 = 25;
const WEBP_BYTE: u64 = 200;

/// What rows that were never decoded are filled with.
const BLANK: u8 = 255;

/// Decodes a picture as it is shown: over white, turned as its EXIF data asks. Of a picture that breaks off
/// the rows that are there are given, as mail programs do.
///
/// # Errors
/// Nothing could be decoded, or the picture is larger than the caps.
pub fn decode(kind: Kind, bytes: &[u8], limits: &Limits) -> Result<Raster, Error> {
    decode_until(kind, bytes, limits, None)
}

/// [`decode`], as if the picture broke off where it is not done by then. WebP is read before it is decoded, so that it is
/// not begun when there is hardly time for all of it.
///
/// # Errors
/// As for [`decode`], or there was no time for any of it.
pub fn decode_until(
    kind: Kind,
    bytes: &[u8],
    limits: &Limits,
    until: Option<Instant>,
) -> Result<Raster, Error> {
    let samples = match kind {
        Kind::Jpeg => jpeg::decode(bytes, limits, until)?,
        Kind::Png => read(ImageFormat::Png, bytes, limits, until)?,
        Kind::WebP => read(ImageFormat::WebP, bytes, limits, until)?,
        Kind::Bmp => read(ImageFormat::Bmp, bytes, limits, until)?,
        Kind::Tiff => read(ImageFormat::Tiff, bytes, limits, until)?,
        Kind::Gif => read(ImageFormat::Gif, bytes, limits, until)?,
        Kind::Pdf => return Err(Error::Damaged("not a picture")),
    };
    samples.shown().ok_or(Error::Damaged("unknown colour type"))
}

fn read(
    format: ImageFormat,
    bytes: &[u8],
    limits: &Limits,
    until: Option<Instant>,
) -> Result<Samples, Error> {
    let error = |what| error(what).or_late(until);
    let mut reader = ImageReader::with_format(Timed::new(bytes, until), format);
    let mut caps = image::Limits::no_limits();
    caps.max_alloc = Some(limits.memory);
    reader.limits(caps);
    let mut decoder = reader.into_decoder().map_err(error)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.pixels {
        return Err(Error::Limit("picture pixels"));
    }
    // Half of the memory for the samples, the rest for what is made of them.
    if decoder.total_bytes() > limits.memory / 2 {
        return Err(Error::Limit("picture memory"));
    }
    let work = WEBP_PIXEL * pixels + WEBP_BYTE * bytes.len() as u64;
    let late = |until: Instant| until.saturating_duration_since(Instant::now()) < Duration::from_nanos(work);
    if format == ImageFormat::WebP && until.is_some_and(late) {
        return Err(Error::Deadline);
    }
    let mut samples = Samples::blank((width, height), decoder.color_type(), decoder.orientation().ok())?;
    if let Err(what) = decoder.read_image(&mut samples.bytes)
        && (matches!(what, ImageError::Limits(_)) || samples.is_blank())
    {
        return Err(error(what));
    }
    Ok(samples)
}

/// What a decoder writes.
pub(super) struct Samples {
    size: (u32, u32),
    color: ColorType,
    orientation: Option<Orientation>,
    pub bytes: Vec<u8>,
}

impl Samples {
    /// Samples that nothing was written to yet; `size` is width and height in pixels.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn blank(
        size: (u32, u32),
        color: ColorType,
        orientation: Option<Orientation>,
    ) -> Result<Samples, Error> {
        let length = u64::from(size.0) * u64::from(size.1) * u64::from(color.bytes_per_pixel());
        let length = usize::try_from(length).map_err(|_| Error::Limit("picture memory"))?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(|_| Error::Limit("picture memory"))?;
        bytes.resize(length, BLANK);
        Ok(Samples { size, color, orientation, bytes })
    }

    /// Whether nothing was decoded.
    pub fn is_blank(&self) -> bool {
        self.bytes.iter().all(|&sample| sample == BLANK)
    }

    /// The picture as it is shown; `None` for colours that are not known.
    fn shown(self) -> Option<Raster> {
        let (width, height) = self.size;
        let raster = Raster { width, height, pixels: colors(self.color, &self.bytes)? };
        Some(match self.orientation {
            Some(orientation) if orientation != Orientation::NoTransforms => turn(raster, orientation),
            _ => raster,
        })
    }
}

fn turn(raster: Raster, orientation: Orientation) -> Raster {
    let Raster { width, height, pixels } = raster;
    let Some(buffer) = RgbImage::from_raw(width, height, pixels.into_flattened()) else {
        return Raster { width: 0, height: 0, pixels: Vec::new() };
    };
    let mut turned = DynamicImage::ImageRgb8(buffer);
    turned.apply_orientation(orientation);
    let turned = turned.into_rgb8();
    let pixels = turned.as_raw().as_chunks::<3>().0.to_vec();
    Raster { width: turned.width(), height: turned.height(), pixels }
}

// Samples of 16 bits and floats come in the machine's byte order.
fn colors(color: ColorType, samples: &[u8]) -> Option<Vec<[u8; 3]>> {
    let narrow: Vec<u8>;
    let (samples, channels) = match color {
        ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8 => {
            (samples, color.channel_count())
        }
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => {
            let wide = samples.as_chunks::<2>().0.iter();
            narrow = wide.map(|&sample| (u16::from_ne_bytes(sample) >> 8) as u8).collect();
            (&narrow[..], color.channel_count())
        }
        ColorType::Rgb32F | ColorType::Rgba32F => {
            let wide = samples.as_chunks::<4>().0.iter();
            narrow = wide.map(|&sample| (f32::from_ne_bytes(sample).clamp(0.0, 1.0) * 255.0) as u8).collect();
            (&narrow[..], color.channel_count())
        }
        _ => return None,
    };
    Some(match channels {
        1 => samples.iter().map(|&grey| [grey; 3]).collect(),
        2 => samples.as_chunks::<2>().0.iter().map(|&[grey, alpha]| [over_white(grey, alpha); 3]).collect(),
        3 => samples.as_chunks::<3>().0.to_vec(),
        4 => {
            let pixels = samples.as_chunks::<4>().0.iter();
            pixels.map(|&[r, g, b, a]| [over_white(r, a), over_white(g, a), over_white(b, a)]).collect()
        }
        _ => return None,
    })
}

fn error(error: ImageError) -> Error {
    match error {
        ImageError::Limits(limit) => match limit.kind() {
            LimitErrorKind::DimensionError => Error::Limit("picture pixels"),
            _ => Error::Limit("picture memory"),
        },
        ImageError::Unsupported(_) => Error::Damaged("a kind of picture that is not supported"),
        _ => Error::Damaged("broken picture"),
    }
}

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, ImageEncoder};

    use super::*;

    fn png(width: u32, height: u32, samples: &[u8], color: ExtendedColorType) -> Vec<u8> {
        let mut bytes = Vec::new();
        image::codecs::png::PngEncoder::new(&mut bytes).write_image(samples, width, height, color).unwrap();
        bytes
    }

    // Rows that compress badly, so that a cut leaves some of them.
    fn rows(width: u32, height: u32) -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..width * height * 3).map(|_| next()).collect()
    }

    #[test]
    fn transparent_pixels_are_shown_on_white() {
        let bytes = png(2, 1, &[0, 0, 0, 0, 10, 20, 30, 255], ExtendedColorType::Rgba8);
        let raster = decode(Kind::Png, &bytes, &Limits::default()).unwrap();
        assert_eq!(raster.pixels, [[255; 3], [10, 20, 30]]);
    }

    #[test]
    fn a_png_that_breaks_off_gives_its_first_rows() {
        let samples = rows(64, 64);
        let bytes = png(64, 64, &samples, ExtendedColorType::Rgb8);
        let raster = decode(Kind::Png, &bytes[..bytes.len() / 2], &Limits::default()).unwrap();
        assert_eq!(raster.pixels[..64 * 8], samples.as_chunks::<3>().0[..64 * 8]);
        assert_eq!(raster.pixels[64 * 60], [BLANK; 3]);
    }

    #[test]
    fn no_picture_is_decoded_once_the_time_is_up() {
        let bytes = png(64, 64, &rows(64, 64), ExtendedColorType::Rgb8);
        let decoded = decode_until(Kind::Png, &bytes, &Limits::default(), Some(Instant::now()));
        assert!(matches!(decoded, Err(Error::Deadline)));
    }

    #[test]
    fn no_webp_is_begun_that_would_not_be_done_in_time() {
        let (side, mut bytes) = (400, Vec::new());
        image::codecs::webp::WebPEncoder::new_lossless(&mut bytes)
            .encode(&rows(side, side), side, side, ExtendedColorType::Rgb8)
            .unwrap();
        let until = |nanos| Some(Instant::now() + Duration::from_nanos(nanos));
        let limits = Limits::default();
        assert!(decode_until(Kind::WebP, &bytes, &limits, until(600 * 1_000_000_000)).is_ok());
        let near = until(WEBP_PIXEL * u64::from(side * side));
        assert!(matches!(decode_until(Kind::WebP, &bytes, &limits, near), Err(Error::Deadline)));
    }

    #[test]
    fn a_jpeg_that_breaks_off_gives_its_first_rows() {
        let mut bytes = Vec::new();
        let grey: Vec<u8> = (0..128 * 128u32).map(|i| if (i / 8) % 2 == 0 { 20 } else { 235 }).collect();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90)
            .write_image(&grey, 128, 128, ExtendedColorType::L8)
            .unwrap();
        let whole = decode(Kind::Jpeg, &bytes, &Limits::default()).unwrap();
        let half = decode(Kind::Jpeg, &bytes[..bytes.len() * 2 / 3], &Limits::default()).unwrap();
        assert_eq!(half.pixels[..128 * 16], whole.pixels[..128 * 16]);
    }

    #[test]
    fn pixels_are_capped_before_they_are_decoded() {
        let bytes = png(100, 100, &rows(100, 100), ExtendedColorType::Rgb8);
        let limits = Limits { pixels: 9_999, ..Limits::default() };
        assert!(matches!(decode(Kind::Png, &bytes, &limits), Err(Error::Limit("picture pixels"))));
        let limits = Limits { memory: 30_000, ..Limits::default() };
        assert!(matches!(decode(Kind::Png, &bytes, &limits), Err(Error::Limit("picture memory"))));
    }

    #[test]
    fn broken_bytes_are_an_error() {
        for kind in [Kind::Png, Kind::Jpeg, Kind::WebP, Kind::Bmp, Kind::Tiff] {
            for bytes in [&b""[..], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0\0\x10JFIF", &[0; 64]] {
                assert!(decode(kind, bytes, &Limits::default()).is_err());
            }
        }
    }
}
