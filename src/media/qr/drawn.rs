//! Codes that are no picture: drawn with block characters, or with the cells of a table.

use std::time::Instant;

use super::{Codes, read};
use crate::media::{
    layout::{attribute, cut_tag},
    raster::{Raster, luma},
};

/// Pixels of a module.
const MODULE: usize = 4;
/// Columns and lines of a drawing, at most.
const MOST_SIDE: usize = 400;
/// Lines of a drawing, at least: those of the smallest code in half blocks.
const LEAST_LINES: usize = 10;
/// Rows and columns of a table, at least: the modules of the smallest code.
const LEAST_CELLS: usize = 21;
/// Drawings that are looked at.
const MOST: usize = 20;
/// Bytes of HTML that are looked at.
const MOST_HTML: usize = 4 << 20;

/// The codes that a text draws with blocks, a line a row of modules or two, as far as they are found by `until`.
pub fn in_text(text: &str, until: Instant) -> Codes {
    let mut codes = Codes::default();
    let mut drawing: Vec<&str> = Vec::new();
    let mut left = MOST;
    for line in text.lines().chain([""]) {
        if line.chars().any(|letter| block(letter).is_some_and(|block| block.top || block.bottom)) {
            drawing.push(line);
        } else if !drawing.is_empty() {
            let lines = std::mem::take(&mut drawing);
            if (LEAST_LINES..=MOST_SIDE).contains(&lines.len()) && left > 0 {
                left -= 1;
                codes.add(read(&blocks(&lines), until));
            }
        }
        if codes.is_cut {
            break;
        }
    }
    codes
}

/// The codes that a page draws, with blocks or with the colours of table cells, as far as they are found by `until`.
pub fn in_html(html: &str, until: Instant) -> Codes {
    let mut end = html.len().min(MOST_HTML);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    let mut page = Page::new(until);
    let mut rest = &html[..end];
    while let Some(at) = rest.find('<').filter(|_| !page.codes.is_cut) {
        let (text, tag) = rest.split_at(at);
        page.text(text);
        let (name, attributes, after) = cut_tag(tag);
        page.tag(name, attributes);
        rest = after;
    }
    page.text(rest);
    page.codes.add(in_text(&page.written, until));
    page.codes
}

/// Which halves of a character's cell are dark, and how wide it is.
struct Block {
    top: bool,
    bottom: bool,
    columns: usize,
}

fn block(letter: char) -> Option<Block> {
    let (top, bottom, columns) = match letter {
        '\u{2588}' | '\u{2593}' | '\u{25a0}' => (true, true, 1),
        '\u{2580}' => (true, false, 1),
        '\u{2584}' => (false, true, 1),
        '\u{2b1b}' => (true, true, 2),
        '\u{2b1c}' => (false, false, 2),
        ' ' | '\u{a0}' | '\u{2591}' | '\u{25a1}' => (false, false, 1),
        _ => return None,
    };
    Some(Block { top, bottom, columns })
}

/// A character is as wide as half of it is high.
fn blocks(lines: &[&str]) -> Raster {
    let rows = lines.iter().flat_map(|line| {
        let cells = || line.chars().filter_map(block);
        [|block: &Block| block.top, |block: &Block| block.bottom].map(|half| {
            let cells = cells().flat_map(|block| std::iter::repeat_n(half(&block), block.columns));
            cells.take(MOST_SIDE).map(|dark| if dark { 0 } else { 255 }).collect::<Vec<u8>>()
        })
    });
    draw(&rows.collect::<Vec<_>>())
}

/// A picture of rows of modules, on white.
fn draw(rows: &[Vec<u8>]) -> Raster {
    let quiet = 4 * MODULE;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let (width, height) = (columns * MODULE + 2 * quiet, rows.len() * MODULE + 2 * quiet);
    let mut pixels = vec![[255; 3]; width * height];
    for (row, shades) in rows.iter().enumerate() {
        for y in 0..MODULE {
            let line = &mut pixels[(quiet + row * MODULE + y) * width + quiet..];
            for (module, &shade) in line.chunks_exact_mut(MODULE).zip(shades) {
                module.fill([shade; 3]);
            }
        }
    }
    Raster { width: width as u32, height: height as u32, pixels }
}

/// What was seen of a page so far.
struct Page {
    /// Its text, line by line.
    written: String,
    preformatted: bool,
    /// Tables that are open, with the shades of their cells.
    tables: Vec<Vec<Vec<u8>>>,
    looked_at: usize,
    until: Instant,
    codes: Codes,
}

impl Page {
    fn new(until: Instant) -> Page {
        let (written, tables, codes) = (String::new(), Vec::new(), Codes::default());
        Page { written, preformatted: false, tables, looked_at: 0, until, codes }
    }

    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let (letter, length) = entity(rest).unwrap_or((letter, letter.len_utf8()));
            rest = &rest[length..];
            match letter {
                '\n' | '\r' if !self.preformatted => {}
                letter => self.written.push(letter),
            }
        }
    }

    fn tag(&mut self, name: &str, attributes: &str) {
        match &name.to_ascii_lowercase()[..] {
            "br" | "p" | "/p" | "div" | "/div" | "/tr" | "li" => self.written.push('\n'),
            "pre" => self.preformatted = true,
            "/pre" => self.preformatted = false,
            "table" if self.tables.len() < MOST => self.tables.push(Vec::new()),
            "tr" => {
                if let Some(rows) = self.tables.last_mut().filter(|rows| rows.len() < MOST_SIDE) {
                    rows.push(Vec::new());
                }
            }
            "td" | "th" => {
                let span = attribute(attributes, "colspan").and_then(|span| span.parse().ok()).unwrap_or(1);
                if let Some(row) = self.tables.last_mut().and_then(|rows| rows.last_mut()) {
                    let room = MOST_SIDE - row.len();
                    row.extend(std::iter::repeat_n(shade(attributes), room.min(span)));
                }
            }
            "/table" => {
                let rows = self.tables.pop().unwrap_or_default();
                let is_wide = rows.iter().filter(|row| row.len() >= LEAST_CELLS).count() >= LEAST_CELLS;
                if is_wide && self.looked_at < MOST {
                    self.looked_at += 1;
                    self.codes.add(read(&draw(&rows), self.until));
                }
            }
            _ => {}
        }
    }
}

/// The character that an entity stands for, and the length of that; of those that draw.
fn entity(text: &str) -> Option<(char, usize)> {
    let inner = text.strip_prefix('&')?;
    let name = &inner[..inner.bytes().take(10).position(|byte| byte == b';')?];
    let number = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        },
        None if name == "nbsp" => 0xa0,
        None if name == "block" => 0x2588,
        None => return None,
    };
    Some((char::from_u32(number)?, name.len() + 2))
}

/// The brightness of a cell's background; white where it says nothing.
fn shade(attributes: &str) -> u8 {
    let style = attribute(attributes, "style").unwrap_or_default();
    let declared =
        style.split(';').filter_map(|declaration| declaration.split_once(':')).rfind(|(name, _)| {
            let name = name.trim();
            name.eq_ignore_ascii_case("background") || name.eq_ignore_ascii_case("background-color")
        });
    let color = declared.map(|(_, value)| value).or_else(|| attribute(attributes, "bgcolor"));
    color.and_then(|color| self::color(color.trim())).map_or(255, luma)
}

fn color(text: &str) -> Option<[u8; 3]> {
    let text = text.split_once(char::is_whitespace).map_or(text, |(first, _)| first);
    if text.eq_ignore_ascii_case("black") {
        return Some([0; 3]);
    }
    if text.eq_ignore_ascii_case("white") {
        return Some([255; 3]);
    }
    let hex = text.strip_prefix('#').unwrap_or(text);
    let digits: Option<Vec<u8>> =
        hex.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    match digits?[..] {
        [r, g, b] => Some([r * 17, g * 17, b * 17]),
        [r1, r0, g1, g0, b1, b0] => Some([r1 * 16 + r0, g1 * 16 + g0, b1 * 16 + b0]),
        _ => None,
    }
}
