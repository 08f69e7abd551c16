//! JPEG pictures (ITU-T T.81).
//!
//! `image` reads a JPEG whole before it decodes it, so that no clock could stop it; here its decoder, zune-jpeg, reads from
//! bytes that end when the time is up.

use std::time::{Duration, Instant};

use image::{ColorType, metadata::Orientation};
use zune_jpeg::{
    JpegDecoder,
    zune_core::{
        bytestream::{ZByteIoError, ZByteReaderTrait, ZSeekFrom},
        colorspace::ColorSpace,
        options::DecoderOptions,
    },
};

use super::{Error, Limits, image::Samples};

/// Passes over a progressive picture; encoders make some ten of them.
const PASSES: usize = 50;
/// Nanoseconds that a pixel takes when no more bytes are read, on a machine that is not quick: rows are done by then, passes
/// only begin to be a picture.
const ROWS: u64 = 3;
const PASSED: u64 = 10;
/// Bytes of the frequencies of a pixel, three of 16 bits, that a decoder holds where a picture comes in passes.
const FREQUENCIES: u64 = 6;

/// Bytes between two looks at the clock: a pass over a whole picture may have no more.
const STRETCH: usize = 64;

/// Decodes a JPEG; of one that breaks off, what is there.
///
/// # Errors
/// Nothing could be decoded, the picture is larger than the caps, or it is not done by then.
pub(super) fn decode(bytes: &[u8], limits: &Limits, until: Option<Instant>) -> Result<Samples, Error> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(PASSES);
    let broken = |_| Error::Damaged("broken picture").or_late(until);
    let mut headers = JpegDecoder::new_with_options(Source::new(bytes, until), options);
    headers.decode_headers().map_err(broken)?;
    let known = headers.dimensions().zip(headers.input_colorspace());
    let ((width, height), space) = known.ok_or(Error::Damaged("broken picture"))?;
    let size = (u32::try_from(width), u32::try_from(height));
    let (Ok(width), Ok(height)) = size else { return Err(Error::Limit("picture pixels")) };
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.pixels {
        return Err(Error::Limit("picture pixels"));
    }
    let (space, color) = match space {
        ColorSpace::Luma => (ColorSpace::Luma, ColorType::L8),
        _ => (ColorSpace::RGB, ColorType::Rgb8),
    };
    if pixels * (FREQUENCIES + u64::from(color.bytes_per_pixel())) > limits.memory {
        return Err(Error::Limit("picture memory"));
    }
    let is_passes = headers.info().is_some_and(|info| info.sof.is_progressive());
    let finish = Duration::from_nanos(pixels * if is_passes { PASSED } else { ROWS });
    let until = until.map(|until| until.checked_sub(finish).unwrap_or_else(Instant::now));
    let orientation = headers.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    let options = options.jpeg_set_out_colorspace(space);
    let mut decoder = JpegDecoder::new_with_options(Source::new(bytes, until), options);
    let mut samples = Samples::blank((width, height), color, orientation)?;
    let decoded = decoder.decode_into(&mut samples.bytes);
    match Error::Damaged("broken picture").or_late(until) {
        Error::Deadline => Err(Error::Deadline),
        broken if decoded.is_err() && samples.is_blank() => Err(broken),
        _ => Ok(samples),
    }
}

/// A file in memory that ends when the time is up.
struct Source<'b> {
    bytes: &'b [u8],
    at: usize,
    until: Option<Instant>,
    /// Where the clock is looked at next.
    look: usize,
}

impl<'b> Source<'b> {
    fn new(bytes: &'b [u8], until: Option<Instant>) -> Source<'b> {
        Source { bytes, at: 0, until, look: 0 }
    }

    /// The bytes from here on.
    #[inline]
    fn rest(&mut self) -> &'b [u8] {
        if self.at >= self.look {
            self.look_at_clock();
        }
        self.bytes.get(self.at..).unwrap_or_default()
    }

    #[cold]
    fn look_at_clock(&mut self) {
        self.look = self.at.saturating_add(STRETCH);
        if self.until.is_some_and(|until| Instant::now() >= until) {
            self.bytes = &[];
        }
    }
}

impl ZByteReaderTrait for Source<'_> {
    #[inline]
    fn read_byte_no_error(&mut self) -> u8 {
        let byte = self.rest().first().copied();
        self.at += usize::from(byte.is_some());
        byte.unwrap_or(0)
    }

    #[inline]
    fn read_exact_bytes(&mut self, buffer: &mut [u8]) -> Result<(), ZByteIoError> {
        self.peek_exact_bytes(buffer)?;
        self.at += buffer.len();
        Ok(())
    }

    #[inline]
    fn read_bytes(&mut self, buffer: &mut [u8]) -> Result<usize, ZByteIoError> {
        let length = self.peek_bytes(buffer)?;
        self.at += length;
        Ok(length)
    }

    #[inline]
    fn peek_bytes(&mut self, buffer: &mut [u8]) -> Result<usize, ZByteIoError> {
        let rest = self.rest();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    #[inline]
    fn peek_exact_bytes(&mut self, buffer: &mut [u8]) -> Result<(), ZByteIoError> {
        let rest = self.rest();
        let bytes = rest.get(..buffer.len());
        buffer.copy_from_slice(bytes.ok_or(ZByteIoError::NotEnoughBytes(rest.len(), buffer.len()))?);
        Ok(())
    }

    fn z_seek(&mut self, from: ZSeekFrom) -> Result<u64, ZByteIoError> {
        let place = match from {
            ZSeekFrom::Start(place) => usize::try_from(place).ok(),
            ZSeekFrom::End(by) => self.bytes.len().checked_add_signed(by as isize),
            ZSeekFrom::Current(by) => self.at.checked_add_signed(by as isize),
        };
        self.at = place.ok_or(ZByteIoError::Generic("a place before the first byte"))?;
        Ok(self.at as u64)
    }

    #[inline]
    fn is_eof(&mut self) -> Result<bool, ZByteIoError> {
        Ok(self.rest().is_empty())
    }

    fn z_position(&mut self) -> Result<u64, ZByteIoError> {
        Ok(self.at as u64)
    }

    fn read_remaining(&mut self, sink: &mut Vec<u8>) -> Result<usize, ZByteIoError> {
        let rest = self.rest();
        sink.extend_from_slice(rest);
        self.at += rest.len();
        Ok(rest.len())
    }
}

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder};

    use super::*;

    /// A picture of that many pixels a side, whose bytes are many.
    fn noise(side: u32) -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let samples: Vec<u8> = (0..side * side).map(|_| next()).collect();
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 95)
            .write_image(&samples, side, side, ExtendedColorType::L8)
            .unwrap();
        bytes
    }

    #[test]
    fn a_jpeg_is_left_in_the_middle_when_the_time_is_up() {
        let bytes = noise(1600);
        let limits = Limits::default();
        assert!(decode(&bytes, &limits, None).is_ok());
        let far = Instant::now() + Duration::from_secs(600);
        assert!(decode(&bytes, &limits, Some(far)).is_ok());
        // The headers are read, and there is no time for what comes after the last byte.
        let near = Instant::now() + Duration::from_nanos(ROWS * 1600 * 1600 / 2);
        assert!(matches!(decode(&bytes, &limits, Some(near)), Err(Error::Deadline)));
    }

    #[test]
    fn frequencies_count_as_memory() {
        let bytes = noise(100);
        let limits = Limits { memory: 7 * 100 * 100, ..Limits::default() };
        assert!(decode(&bytes, &limits, None).is_ok());
        let limits = Limits { memory: 7 * 100 * 100 - 1, ..limits };
        assert!(matches!(decode(&bytes, &limits, None), Err(Error::Limit("picture memory"))));
    }
}
