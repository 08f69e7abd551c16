//! The pieces of the page: text that cannot become markup, pictures, boxes over words.

use std::fmt::{self, Write as _};

use base64ct::{Base64, Encoding};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use crate::{
    media::{Fate, Found, Seen},
    ocr::{Page, Word},
    pipeline::ReadPage,
};

/// Boxes drawn over one page, at most.
const MOST_BOXES: usize = 2_000;
/// Characters of a word, a name or a reason.
const MOST_CHARACTERS: usize = 300;
/// Longest side of a page, in pixels.
const PAGE_SIDE: u32 = 1_200;

/// Head of the page. What mail holds is shown and never run or fetched, whatever slips through.
pub const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>criba: what was seen</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<style>
body { font: 15px/1.4 sans-serif; margin: 2em auto; max-width: 1300px; padding: 0 1em; color: #222; background: #fafafa }
section { background: #fff; border: 1px solid #ddd; border-radius: 6px; margin: 1.5em 0; padding: 0 1.2em 1em }
h2 { overflow-wrap: anywhere } h3 { margin-bottom: .3em }
table { border-collapse: collapse; margin: .6em 0 } td, th { padding: .15em .8em .15em 0; text-align: left; vertical-align: top }
figure { display: inline-block; margin: .5em 1em .5em 0; vertical-align: top; max-width: 100% }
figcaption { color: #555; font-size: 13px; max-width: 40em } img, svg { border: 1px solid #ccc; max-width: 100%; height: auto }
.frames img { max-width: 220px } pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f4f4; padding: .6em }
.sure { stroke: #0a7d32 } .fair { stroke: #c77700 } .poor { stroke: #c00020 }
rect { fill: transparent; stroke-width: 1; vector-effect: non-scaling-stroke } rect:hover { fill: #ffee0055 }
</style></head><body><h1>What was seen</h1>
<p>Boxes: <b style="color:#0a7d32">80 and more</b>, <b style="color:#c77700">60 and more</b>,
<b style="color:#c00020">less</b> confidence; point at one to see its word.</p>
"#;

/// End of the page.
pub const TAIL: &str = "</body></html>\n";

/// Text as text: what it shows when it stands in markup or in an attribute, cut where it is long.
pub struct Text<'a>(pub &'a str, pub usize);

/// A short text.
pub fn text(text: &str) -> Text<'_> {
    Text(text, MOST_CHARACTERS)
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(self.1) {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // No markup may hold them, and a bidirectional override would show a name the wrong way round.
                '\n' | '\t' => f.write_char(character)?,
                character if character.is_control() || is_direction(character) => f.write_char('\u{fffd}')?,
                character => f.write_char(character)?,
            }
        }
        if characters.next().is_some() { f.write_str("…") } else { Ok(()) }
    }
}

fn is_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A picture with what became of it.
pub fn picture(seen: &Seen) -> String {
    let Seen { label, width, height, copy, fate } = seen;
    let caption = match fate {
        Fate::Frame { shown_ms } => format!("shown for {shown_ms} ms"),
        Fate::Looked { codes, preparation, found } => {
            let found = match found {
                Found::Text => "text: prepared and read",
                Found::NoText => "not read: no text was found on it",
                Found::TooMany => "not read: limit of pages of one attachment",
            };
            let (codes, preparation) = (codes.as_secs_f64() * 1e3, preparation.as_secs_f64() * 1e3);
            format!("{found}; codes {codes:.1} ms, preparation {preparation:.1} ms")
        }
    };
    let data =
        png(copy.pixels.as_flattened(), copy.width, copy.height, ExtendedColorType::Rgb8).unwrap_or_default();
    format!(
        "<figure><img src=\"{data}\" width=\"{}\" height=\"{}\" alt=\"\"><figcaption>{} {width}×{height}: {caption}\
         </figcaption></figure>\n",
        copy.width,
        copy.height,
        text(label),
    )
}

/// A page as the recogniser got it, with boxes over its words.
pub fn page(read: &ReadPage) -> String {
    let ReadPage { label, page, words, time } = read;
    let Page { width, height, .. } = page;
    let (small_width, small_height, pixels) = thinned(page);
    let data = png(&pixels, small_width, small_height, ExtendedColorType::L8).unwrap_or_default();
    let mut html = format!(
        "<figure><svg width=\"{small_width}\" height=\"{small_height}\" viewBox=\"0 0 {width} {height}\">\
         <image href=\"{data}\" width=\"{width}\" height=\"{height}\"/>"
    );
    for word in words.iter().flatten().take(MOST_BOXES) {
        let Word { left, top, width, height, confidence, text: what } = word;
        let class = match confidence {
            80.. => "sure",
            60.. => "fair",
            _ => "poor",
        };
        // Writing to a string cannot fail.
        let _ = write!(
            html,
            "<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"><title>{} \
             ({confidence})</title></rect>",
            text(what)
        );
    }
    let count = match words {
        Some(words) => format!("{} words", words.len()),
        None => "not read, see above".to_owned(),
    };
    let ms = time.as_secs_f64() * 1e3;
    let label = text(label);
    let _ = writeln!(
        html,
        "</svg><figcaption>{label} as prepared, {width}×{height}: {count}, {ms:.1} ms</figcaption></figure>"
    );
    html
}

/// Every so many pixels of a large page.
fn thinned(page: &Page) -> (u32, u32, Vec<u8>) {
    let step = page.width.max(page.height).div_ceil(PAGE_SIDE).max(1);
    let rows = page.pixels.chunks_exact(page.width.max(1) as usize).step_by(step as usize);
    let pixels = rows.flat_map(|row| row.iter().copied().step_by(step as usize)).collect();
    (page.width.div_ceil(step), page.height.div_ceil(step), pixels)
}

/// A picture as a `data:` URI; `None` for one without pixels.
fn png(pixels: &[u8], width: u32, height: u32, color: ExtendedColorType) -> Option<String> {
    let expected = u64::from(color.bits_per_pixel() / 8) * u64::from(width) * u64::from(height);
    if expected == 0 || expected != pixels.len() as u64 {
        return None;
    }
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(pixels, width, height, color).ok()?;
    Some(format!("data:image/png;base64,{}", Base64::encode_string(&bytes)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let hostile = "\"><script>alert('x')</script>&\u{202e}gpj.exe\0";
        let shown = text(hostile).to_string();
        assert!(!shown.contains(['<', '>', '"', '\'', '\0', '\u{202e}']), "{shown}");
        assert!(shown.starts_with("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)"));
        assert_eq!(Text("abcdef", 3).to_string(), "abc…");
        assert_eq!(Text("abc", 3).to_string(), "abc");
    }

    #[test]
    fn words_are_boxed_on_a_page_made_small() {
        let word = Word { left: 20, top: 30, width: 400, height: 50, confidence: 61, text: "<b>".into() };
        let page = super::page(&ReadPage {
            label: "frame 2".into(),
            page: Page { width: 2401, height: 100, pixels: vec![200; 240_100] },
            words: Some(vec![word]),
            time: Duration::from_micros(12_340),
        });
        let starts =
            "<figure><svg width=\"801\" height=\"34\" viewBox=\"0 0 2401 100\"><image href=\"data:image/png;";
        assert!(page.starts_with(starts), "{page}");
        let boxed =
            "<rect class=\"fair\" x=\"20\" y=\"30\" width=\"400\" height=\"50\"><title>&lt;b&gt; (61)<";
        assert!(page.contains(boxed), "{page}");
        assert!(page.contains("frame 2 as prepared, 2401×100: 1 words, 12.3 ms"), "{page}");
    }

    #[test]
    fn a_picture_without_pixels_is_no_error() {
        assert_eq!(png(&[], 0, 4, ExtendedColorType::L8), None);
        assert_eq!(png(&[1, 2, 3], 2, 2, ExtendedColorType::L8), None);
        assert!(png(&[1, 2, 3, 4], 2, 2, ExtendedColorType::L8).is_some());
    }
}
