//! About attached pictures: how many, how large, by what is written in their first bytes.

use super::{Function, matches, number, text, truth};
use crate::{
    mime::Part,
    rules::{Subject, language::Argument},
};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("image_count", image_count),
    ("image_name_regex", image_name_regex),
    ("image_named", image_named),
    ("image_size_exact", image_size_exact),
    ("image_size_range", image_size_range),
    ("image_to_text_ratio", image_to_text_ratio),
    ("pixel_coverage", pixel_coverage),
];

/// Reads width and height.
type Measure = fn(&[u8]) -> Option<(u32, u32)>;

/// Pictures in base64, in order.
#[derive(Debug, Default)]
pub struct Images<'m>(Vec<Image<'m>>);

#[derive(Debug)]
struct Image<'m> {
    kind: &'static str,
    /// In pixels; `None` where the bytes are not what the part says.
    size: Option<(u32, u32)>,
    name: &'m str,
}

impl<'m> Subject<'_, 'm> {
    fn images(&self) -> &Images<'m> {
        self.facts.images.get_or_init(|| {
            let pictures = self.message.leaves().filter_map(|(_, part)| self.image(part));
            Images(pictures.collect())
        })
    }

    fn image(&self, part: &Part<'m>) -> Option<Image<'m>> {
        if part.kind != "image" {
            return None;
        }
        let (kind, size): (_, Measure) = match part.subkind {
            "gif" => ("gif", gif_size),
            "png" => ("png", png_size),
            "jpeg" | "jpg" => ("jpeg", jpeg_size),
            _ => return None,
        };
        let encoding = part.header(self.message, "Content-Transfer-Encoding").unwrap_or_default();
        if !encoding.eq_ignore_ascii_case("base64") {
            return None;
        }
        let size = size(part.decoded(self.message)).filter(|&(width, height)| width > 0 && height > 0);
        Some(Image { kind, size, name: part.name.unwrap_or_default() })
    }
}

impl<'m> Images<'m> {
    /// The pictures of a kind, or of all.
    fn of<'i>(&'i self, kind: &'i str) -> impl Iterator<Item = &'i Image<'m>> {
        self.0.iter().filter(move |image| kind == "all" || kind == image.kind)
    }

    fn sizes<'i>(&'i self, kind: &'i str) -> impl Iterator<Item = (f64, f64)> {
        self.of(kind)
            .filter_map(|image| image.size)
            .map(|(width, height)| (f64::from(width), f64::from(height)))
    }

    fn area(&self, kind: &str) -> f64 {
        self.sizes(kind).map(|(width, height)| width * height).sum()
    }

    fn names(&self) -> impl Iterator<Item = &'m str> {
        self.0.iter().filter(|image| image.size.is_some() && !image.name.is_empty()).map(|image| image.name)
    }
}

/// Least and most (or none) from an argument on.
fn in_range(arguments: &[Argument], index: usize, value: f64) -> u32 {
    let Some(least) = number(arguments, index) else { return 0 };
    truth(value >= least && number(arguments, index + 1).is_none_or(|most| value <= most))
}

fn is_known(kind: &str) -> bool {
    matches!(kind, "all" | "gif" | "png" | "jpeg")
}

/// How many pictures: kind or `all`, least, most.
fn image_count(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(kind) = text(arguments, 0).filter(|kind| is_known(kind)) else { return 0 };
    in_range(arguments, 1, subject.images().of(kind).count() as f64)
}

/// How many pixels they have together: kind or `all`, least, most.
fn pixel_coverage(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(kind) = text(arguments, 0).filter(|kind| is_known(kind)) else { return 0 };
    in_range(arguments, 1, subject.images().area(kind))
}

/// Bytes of body text for each pixel: kind or `all`, least, most (excluded).
fn image_to_text_ratio(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    ratio(subject, arguments, subject.body().iter().map(|unit| unit.len()).sum())
}

/// The same in a rawbody rule, for the text before it is rendered.
pub fn image_to_raw_text_ratio(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    ratio(subject, arguments, subject.rendered.rawbody.iter().map(|unit| unit.len()).sum())
}

fn ratio(subject: &Subject<'_, '_>, arguments: &[Argument], length: usize) -> u32 {
    let (Some(kind), Some(least), Some(most)) =
        (text(arguments, 0), number(arguments, 1), number(arguments, 2))
    else {
        return 0;
    };
    let area = subject.images().area(kind);
    let ratio = length as f64 / area;
    truth(length > 0 && area > 0.0 && ratio >= least && ratio < most)
}

/// A picture of exactly this size: kind or `all`, height, width.
fn image_size_exact(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(kind), Some(height), Some(width)) =
        (text(arguments, 0), number(arguments, 1), number(arguments, 2))
    else {
        return 0;
    };
    truth(subject.images().sizes(kind).any(|size| size == (width, height)))
}

/// A picture of about this size: kind or `all`, least height, least width, most height, most width.
fn image_size_range(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(kind), Some(least_height), Some(least_width)) =
        (text(arguments, 0), number(arguments, 1), number(arguments, 2))
    else {
        return 0;
    };
    let most_height = number(arguments, 3).unwrap_or(f64::INFINITY);
    let most_width = number(arguments, 4).unwrap_or(f64::INFINITY);
    truth(subject.images().sizes(kind).any(|(width, height)| {
        (least_height..=most_height).contains(&height) && (least_width..=most_width).contains(&width)
    }))
}

/// A picture of that name.
fn image_named(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    text(arguments, 0).map_or(0, |name| truth(subject.images().names().any(|known| known == name)))
}

/// A picture whose name matches.
fn image_name_regex(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(pattern) = text(arguments, 0).and_then(|text| subject.pattern(text)) else { return 0 };
    truth(subject.images().names().any(|name| matches(pattern, name.as_bytes())))
}

fn big(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    Some(bytes.get(at..at + length)?.iter().fold(0, |number, &byte| number << 8 | u32::from(byte)))
}

fn gif_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let head = bytes.get(..10)?;
    let little = |at: usize| Some(u32::from(u16::from_le_bytes([*head.get(at)?, *head.get(at + 1)?])));
    let is_gif = head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a");
    is_gif.then(|| Some((little(6)?, little(8)?)))?
}

/// From the header chunk, which SpamAssassin looks for in steps of eight bytes.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return None;
    }
    let chunks = bytes.chunks_exact(8).enumerate().skip(1);
    for (index, head) in chunks {
        match (big(head, 0, 4)?, head.get(4..)?) {
            (_, b"IEND") => return None,
            (13, b"IHDR") => {
                let at = 8 * (index + 1);
                return Some((big(bytes, at, 4)?, big(bytes, at + 4, 4)?));
            }
            _ => {}
        }
    }
    None
}

/// From the first frame header.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    if !bytes.starts_with(b"\xff\xd8") {
        return None;
    }
    let mut at = 2;
    loop {
        let mark = match *bytes.get(at..at + 2)? {
            [0xff, mark] if !matches!(mark, 0xd9 | 0xda) => mark,
            _ => return None,
        };
        let length = big(bytes, at + 2, 2)?;
        match mark {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Some((big(bytes, at + 7, 2)?, big(bytes, at + 5, 2)?));
            }
            _ if length < 2 => return None,
            _ => at += 2 + length as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_from_the_first_bytes() {
        assert_eq!(gif_size(b"GIF89a\x02\x01\x03\x00\x00"), Some((258, 3)));
        assert_eq!(gif_size(b"GIF88a\x02\x01\x03\x00\x00"), None);
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\x02\0\0\0\x03\x08\x02\0\0\0";
        assert_eq!(png_size(png), Some((258, 3)));
        assert_eq!(png_size(&png[..20]), None);
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\0\x03\x01\x02\x03";
        assert_eq!(jpeg_size(jpeg), Some((258, 3)));
        assert_eq!(jpeg_size(&jpeg[..12]), None);
    }
}
