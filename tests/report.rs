//! `--report`: the page holds what was seen, boxes over what was read, and the reasons for what was not.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Runs criba with `--report`, and gives the page.
fn page(folder: &Path, command: &str, paths: &[PathBuf]) -> String {
    let report = folder.join("report");
    let status = Command::new(env!("CARGO_BIN_EXE_criba"))
        .args([command, "--budget", "60000", "--report"])
        .arg(&report)
        .args(paths)
        .status();
    assert!(status.expect("criba runs").success());
    fs::read_to_string(report.join("index.html")).expect("the page")
}

fn letters() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ocr/clean.png")).expect("a picture with text")
}

/// Two frames, first white and then what `picture` shows.
fn animation(picture: &[u8]) -> Vec<u8> {
    let grey = image::load_from_memory(picture).expect("a picture").into_luma8();
    let (width, height) = (grey.width() as u16, grey.height() as u16);
    let palette: Vec<u8> = (0..=255).flat_map(|shade| [shade; 3]).collect();
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, width, height, &palette).expect("an encoder");
    for pixels in [vec![255; grey.len()], grey.into_raw()] {
        let frame = gif::Frame { width, height, delay: 70, buffer: pixels.into(), ..gif::Frame::default() };
        encoder.write_frame(&frame).expect("a frame");
    }
    drop(encoder);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn a_picture_is_shown_with_boxes_over_its_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let hostile = folder.path().join("<img src=x onerror=alert(1)>.png");
    fs::write(&hostile, letters()).expect("a copy");
    let page = page(folder.path(), "ocr", &[hostile]);
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ocr/clean.expected.txt");
    let words = fs::read_to_string(expected).expect("the words");
    let long: Vec<&str> = words.split_whitespace().filter(|word| word.len() > 4).collect();
    let boxed = |word: &&&str| page.contains(&format!("<title>{word} ("));
    assert!(long.iter().filter(boxed).count() * 10 >= long.len() * 8, "{page}");
    assert!(
        page.contains("<rect class=\"sure\" x=\"") && page.contains("data:image/png;base64,iVBOR"),
        "{page}"
    );
    assert!(page.contains("as prepared, ") && page.contains("<td>ocr<td>"), "{page}");
    assert!(
        page.contains("&lt;img src=x onerror=alert(1)&gt;.png") && !page.contains("<img src=x"),
        "{page}"
    );
}

#[test]
fn the_frames_of_an_animation_and_the_reasons_are_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let mail = folder.path().join("mail");
    let mut photo = Vec::new();
    let gradient = image::RgbImage::from_fn(200, 200, |x, y| image::Rgb([x as u8, y as u8, 90]));
    gradient.write_to(&mut std::io::Cursor::new(&mut photo), image::ImageFormat::Png).expect("a picture");
    let (moving, photo) = (hex(&animation(&letters())), hex(&photo));
    let broken = hex(b"\x89PNG\r\n\x1a\nbroken");
    let html =
        [moving, photo, broken].map(|data| format!("<img src=\"data:image/gif,{data}\">\n<p>and</p>\n"));
    let head = "From: <a@example.org>\nSubject: x\nContent-Type: text/html\n\n";
    fs::write(&mail, format!("{head}{}", html.concat())).expect("a mail");
    let page = page(folder.path(), "scan", &[mail]);
    for expected in [
        "<h4>Frames as composed</h4>",
        "frame 1 ",
        "shown for 700 ms",
        "frame 2 as prepared",
        "not read: no text was found on it",
        "part 0, data 3: unreadable: broken picture",
        "<rect class=\"sure\"",
        "<td>media<td>",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
}
