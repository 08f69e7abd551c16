//! Codes drawn by another program's encoder, in the ways in which mails show them.

use std::time::{Duration, Instant};

use qrcode::{Color, QrCode};

use super::{Codes, Raster};

const URI: &str = "https://login.example/verify?id=8271";

/// All codes there are.
fn read(raster: &Raster) -> Vec<String> {
    all(super::read(raster, enough()))
}

fn in_text(text: &str) -> Vec<String> {
    all(super::in_text(text, enough()))
}

fn in_html(html: &str) -> Vec<String> {
    all(super::in_html(html, enough()))
}

fn enough() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

fn all(codes: Codes) -> Vec<String> {
    assert!(!codes.is_cut);
    codes.texts
}

/// A code on white, its modules and the quiet zone around it so many pixels.
fn code(text: &str, module: usize, quiet: usize, dark: [u8; 3], light: [u8; 3]) -> Raster {
    let code = QrCode::new(text).unwrap();
    let (modules, colors) = (code.width(), code.to_colors());
    let side = modules * module + 2 * quiet;
    let mut pixels = vec![light; side * side];
    for (at, _) in colors.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        for y in 0..module {
            let row = (at / modules * module + y + quiet) * side + at % modules * module + quiet;
            pixels[row..row + module].fill(dark);
        }
    }
    Raster { width: side as u32, height: side as u32, pixels }
}

fn paste(page: &mut Raster, part: &Raster, left: usize, top: usize) {
    let (width, part_width) = (page.width as usize, part.width as usize);
    for (y, row) in part.pixels.chunks(part_width).enumerate() {
        page.pixels[(top + y) * width + left..][..part_width].copy_from_slice(row);
    }
}

#[test]
fn modules_of_every_size_are_read() {
    for module in [1, 2, 3, 4, 7, 12, 20] {
        assert_eq!(read(&code(URI, module, 4 * module, [0; 3], [255; 3])), [URI], "{module}");
    }
}

#[test]
fn codes_of_every_length_are_read() {
    for length in [1, 20, 60, 150, 300, 600, 1200, 2300] {
        let text: String = (0..length).map(|at| char::from(b'a' + (at * at % 23) as u8)).collect();
        assert_eq!(read(&code(&text, 3, 12, [0; 3], [255; 3])), [text]);
    }
}

#[test]
fn turned_codes_are_read() {
    let upright = code(URI, 6, 24, [0; 3], [255; 3]);
    let side = upright.width as usize;
    let large = side * 3 / 2;
    for degrees in (0..360).step_by(15) {
        let (sin, cos) = (degrees as f32).to_radians().sin_cos();
        let pixel = |at: usize| {
            let (x, y) = ((at % large) as f32 - large as f32 / 2.0, (at / large) as f32 - large as f32 / 2.0);
            let (x, y) = (x * cos + y * sin + side as f32 / 2.0, y * cos - x * sin + side as f32 / 2.0);
            let inside = x >= 0.0 && y >= 0.0 && x < side as f32 && y < side as f32;
            if inside { upright.pixels[y as usize * side + x as usize] } else { [255; 3] }
        };
        let pixels = (0..large * large).map(pixel).collect();
        let turned = Raster { width: large as u32, height: large as u32, pixels };
        assert_eq!(read(&turned), [URI], "{degrees}");
    }
}

#[test]
fn specks_and_uneven_light_are_no_matter() {
    let mut picture = code(URI, 4, 16, [0; 3], [255; 3]);
    let width = picture.width as usize;
    for (at, pixel) in picture.pixels.iter_mut().enumerate() {
        let light = 60 + at % width * 140 / width;
        let speck = (at as u32).wrapping_mul(2_654_435_761) >> 24;
        *pixel = match speck {
            0..=4 => [speck as u8 * 60; 3],
            _ => pixel.map(|value| (usize::from(value) * light / 255 + 20) as u8),
        };
    }
    assert_eq!(read(&picture), [URI]);
}

#[test]
fn light_codes_on_dark_ground_are_read() {
    assert_eq!(read(&code(URI, 4, 16, [255; 3], [20, 20, 60])), [URI]);
}

#[test]
fn colored_codes_are_read() {
    for (dark, light) in [
        ([0, 60, 200], [255, 255, 255]),
        ([255, 225, 0], [255, 255, 255]),
        ([200, 40, 40], [40, 122, 40]), // as bright as each other
        ([230, 230, 80], [40, 10, 120]),
    ] {
        assert_eq!(read(&code(URI, 4, 16, dark, light)), [URI], "{dark:?} on {light:?}");
    }
}

#[test]
fn several_codes_of_a_page_are_read() {
    let mut page = Raster { width: 900, height: 600, pixels: vec![[255; 3]; 900 * 600] };
    let texts = ["https://one.example/", "https://two.example/", "mailto:three@example.com"];
    for (text, (left, top)) in texts.iter().zip([(30, 40), (500, 60), (300, 350)]) {
        paste(&mut page, &code(text, 5, 20, [0; 3], [255; 3]), left, top);
    }
    let mut found = read(&page);
    found.sort();
    assert_eq!(found, texts);
}

#[test]
fn a_picture_without_a_code_says_nothing() {
    let noise = (0..300 * 200u32).map(|at| [(at.wrapping_mul(2_654_435_761) >> 24) as u8; 3]).collect();
    assert!(read(&Raster { width: 300, height: 200, pixels: noise }).is_empty());
    assert!(read(&Raster { width: 0, height: 0, pixels: Vec::new() }).is_empty());
}

#[test]
fn a_picture_full_of_finders_is_no_trouble() {
    let square = |x: usize, y: usize| {
        let (x, y) = (x % 9, y % 9);
        let ring = x.min(y).min(6usize.saturating_sub(x)).min(6usize.saturating_sub(y));
        if x > 6 || y > 6 || ring == 1 { [255; 3] } else { [0; 3] }
    };
    let pixels = (0..900 * 900).map(|at| square(at % 900, at / 900)).collect();
    read(&Raster { width: 900, height: 900, pixels });
}

/// The modules of a code with two of quiet zone around, and whether each is dark.
fn modules(text: &str) -> Vec<Vec<bool>> {
    let code = QrCode::new(text).unwrap();
    let (side, colors) = (code.width(), code.to_colors());
    let dark = |x: usize, y: usize| {
        let (x, y) = (x.wrapping_sub(2), y.wrapping_sub(2));
        x < side && y < side && colors[y * side + x] == Color::Dark
    };
    (0..side + 4).map(|y| (0..side + 4).map(|x| dark(x, y)).collect()).collect()
}

#[test]
fn codes_of_block_characters_are_read() {
    let modules = modules(URI);
    let full = |row: &Vec<bool>| row.iter().map(|&dark| if dark { "██" } else { "  " }).collect::<String>();
    let full: Vec<String> = modules.iter().map(full).collect();
    assert_eq!(in_text(&format!("Scan this:\n{}\nThank you", full.join("\n"))), [URI]);
    // Half blocks; light on dark, as terminals show it.
    for (dark, light) in [(true, false), (false, true)] {
        let half = |pair: &[Vec<bool>]| {
            let cell = |x: usize| {
                let bottom = pair.get(1).map_or(light, |row| row[x] == dark);
                match (pair[0][x] == dark, bottom) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => '\u{a0}',
                }
            };
            (0..pair[0].len()).map(cell).collect::<String>()
        };
        let lines: Vec<String> = modules.chunks(2).map(half).collect();
        assert_eq!(in_text(&lines.join("\n")), [URI], "{dark}");
        let html = lines.join("<br>\r\n").replace('█', "&#9608;").replace('▄', "&#x2584;");
        assert_eq!(in_html(&format!("<p>Scan:</p><div>{html}</div>bye")), [URI], "{dark}");
    }
}

#[test]
fn codes_of_table_cells_are_read() {
    let modules = modules(URI);
    for (dark, light) in
        [("bgcolor=#000000", "bgcolor=white"), ("style='width:4px;background-color: #123'", "")]
    {
        let cell = |&is_dark: &bool| format!("<td {}></td>", if is_dark { dark } else { light });
        let row = |row: &Vec<bool>| format!("<tr>{}</tr>", row.iter().map(cell).collect::<String>());
        let html: String = modules.iter().map(row).collect();
        assert_eq!(in_html(&format!("<table><tr><td>Scan<table>{html}</table></td></tr></table>")), [URI]);
    }
}

#[test]
fn drawings_of_any_shape_do_no_harm() {
    let wide = "█".repeat(100_000);
    assert!(in_text(&wide).is_empty());
    assert!(in_text(&format!("{wide}\n").repeat(12)).is_empty());
    assert!(in_html(&"<table><tr><td colspan=999999999>".repeat(1000)).is_empty());
    assert!(in_html(&"<td colspan=-1></table>&#;&#99999999;&".repeat(100)).is_empty());
}

#[test]
fn no_picture_is_looked_at_longer_than_there_is_time() {
    let cut = Codes { texts: Vec::new(), is_cut: true };
    assert_eq!(super::read(&code(URI, 3, 12, [0; 3], [255; 3]), Instant::now()), cut);
    let drawing = format!("{}\n", "\u{2588}".repeat(40)).repeat(40);
    assert_eq!(super::in_text(&drawing, Instant::now()), cut);
    assert_eq!(super::in_html(&format!("<pre>{drawing}</pre>"), Instant::now()), cut);
}
