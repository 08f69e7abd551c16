//! What whole messages say by their pictures. QR codes stand for text, since reading them needs no worker process.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use qrcode::{Color, QrCode};

use crate::{
    budget::{Budget, Stage},
    config::Settings,
    engine::Engine,
    ocr::Pool,
    pipeline::{self, Mail, Publish},
    profile::Profile,
    verdict::Verdict,
    wire::request::Envelope,
};

const URI: &str = "https://login.example/verify?id=8271";

fn engine() -> Engine {
    let mut settings = Settings::default();
    settings.rules.default = false;
    settings.bayes.enabled = false;
    let pool = Pool::start(&settings.ocr).into();
    Engine::load(&settings, pool).unwrap().0
}

fn scan(engine: &Engine, raw: &str, qr: bool) -> Verdict {
    let all = Profile::external();
    let profile = Profile { stages: all.stages.with(Stage::Qr, qr), ..all };
    let envelope = Envelope::default();
    let mail = Mail { raw: raw.as_bytes(), envelope: &envelope, profile: &profile };
    pipeline::scan(engine, &mut engine.scratch(), mail, Budget::new(Duration::from_secs(60)), &())
}

/// Links from QR codes.
fn uris(verdict: &Verdict) -> Vec<&str> {
    verdict.uris.iter().filter(|found| found.origin == "qr").map(|found| &found.uri[..]).collect()
}

/// A code of four pixels a module, its quiet zone included, cut into so many strips or rows; in base64.
fn code(strips: usize, rows: usize) -> Vec<String> {
    let code = QrCode::new(URI).unwrap();
    let (modules, colors) = (code.width(), code.to_colors());
    let side = 4 * (modules + 8);
    let shade = |x: usize, y: usize| {
        let (x, y) = ((x / 4).wrapping_sub(4), (y / 4).wrapping_sub(4));
        if x < modules && y < modules && colors[y * modules + x] == Color::Dark { 0 } else { 255 }
    };
    let mut tiles = Vec::new();
    for row in 0..rows {
        for strip in 0..strips {
            let (left, right) = (side * strip / strips, side * (strip + 1) / strips);
            let (top, bottom) = (side * row / rows, side * (row + 1) / rows);
            let pixels: Vec<u8> =
                (top..bottom).flat_map(|y| (left..right).map(move |x| shade(x, y))).collect();
            let mut bytes = Vec::new();
            let (width, height) = ((right - left) as u32, (bottom - top) as u32);
            PngEncoder::new(&mut bytes).write_image(&pixels, width, height, ExtendedColorType::L8).unwrap();
            tiles.push(base64(&bytes));
        }
    }
    tiles
}

fn base64(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let letter = char::from(alphabet[(bits >> (18 - 6 * at) & 63) as usize]);
            text.push(if at > group.len() { '=' } else { letter });
        }
    }
    text
}

fn mail(html: &str, pictures: &[String]) -> String {
    let mut mail = "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n".to_owned();
    mail += &format!("--b\nContent-Type: text/html\n\n{html}\n");
    for (index, picture) in pictures.iter().enumerate() {
        mail += &format!(
            "--b\nContent-Type: image/png\nContent-ID: <p{index}>\nContent-Transfer-Encoding: base64\n\n{picture}\n"
        );
    }
    mail + "--b--\n"
}

#[test]
fn a_code_gives_its_link_and_is_remembered() {
    let engine = engine();
    let raw = mail("<img src=cid:p0>", &code(1, 1));
    for hits in 0..3 {
        let verdict = scan(&engine, &raw, true);
        assert_eq!(uris(&verdict), [URI], "{verdict:?}");
        assert_eq!((&verdict.texts[0].text[..], &verdict.texts[0].place[..]), (URI, "part 2"));
        assert_eq!((engine.memory.counts().hits, engine.memory.counts().misses), (hits, 1));
    }
}

/// The verdicts that stood on the way.
#[derive(Default)]
struct Standing(Mutex<Vec<Verdict>>);

impl Publish for Standing {
    fn publish(&self, verdict: Verdict) {
        self.0.lock().unwrap().push(verdict);
    }
}

#[test]
fn no_verdict_is_complete_before_what_pictures_say_is_judged() {
    let (engine, standing) = (engine(), Standing::default());
    let raw = mail("<img src=cid:p0>", &[code(1, 1), code(1, 1)].concat());
    let (envelope, profile) = (Envelope::default(), Profile::external());
    let mail = Mail { raw: raw.as_bytes(), envelope: &envelope, profile: &profile };
    let budget = Budget::new(Duration::from_secs(60));
    let verdict = pipeline::scan(&engine, &mut engine.scratch(), mail, budget, &standing);
    assert!(verdict.complete);
    let standing = standing.0.into_inner().unwrap();
    assert_eq!(standing.iter().map(|verdict| verdict.texts.len()).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(standing.iter().all(|verdict| !verdict.complete));
}

#[test]
fn what_a_document_does_is_a_symbol_and_is_remembered() {
    let mut settings = Settings::default();
    settings.bayes.enabled = false;
    let engine = Engine::load(&settings, Pool::start(&settings.ocr).into()).unwrap().0;
    // Its table of objects is missing, as in many a document that was made in haste.
    let document = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /Launch /F (a.exe) >> >>\nendobj\n\
                    2 0 obj\n<< /Type /Pages /Count 1 /Kids [3 0 R] >>\nendobj\n\
                    3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 90 90] >>\nendobj\n\
                    trailer\n<< /Root 1 0 R >>\n";
    let raw = format!(
        "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n{}\n",
        base64(document.as_bytes())
    );
    for hits in 0..2 {
        let verdict = scan(&engine, &raw, true);
        let launch = verdict.symbols.iter().find(|symbol| &*symbol.name == "PDF_LAUNCH").expect("a symbol");
        assert_eq!(
            (launch.kind, &launch.place[..], &launch.evidence[..]),
            ("pdf", "part 0", &["open: launch".to_owned()][..])
        );
        assert!(verdict.texts.is_empty(), "it says nothing");
        assert_eq!(engine.memory.counts().hits, hits);
    }
    // In the verdict that stands it is at once where more than half of the time is gone.
    for (elapsed, stands) in [(0, false), (400, true)] {
        let standing = Standing::default();
        let (envelope, profile) = (Envelope::default(), Profile::external());
        let mail = Mail { raw: raw.as_bytes(), envelope: &envelope, profile: &profile };
        let budget =
            Budget::starting_at(Instant::now() - Duration::from_secs(elapsed), Duration::from_secs(600));
        pipeline::scan(&engine, &mut engine.scratch(), mail, budget, &standing);
        let standing = standing.0.into_inner().unwrap();
        let last = standing.last().expect("a verdict");
        assert_eq!(last.symbols.iter().any(|symbol| &*symbol.name == "PDF_LAUNCH"), stands, "{elapsed}");
    }
}

#[test]
fn without_the_stage_codes_are_neither_read_nor_remembered() {
    let engine = engine();
    let raw = mail("<img src=cid:p0>", &code(1, 1));
    scan(&engine, &raw, true);
    let verdict = scan(&engine, &raw, false);
    assert!(uris(&verdict).is_empty() && verdict.texts.is_empty());
    assert!(verdict.skipped.iter().any(|skipped| skipped.stage == Stage::Qr));
}

#[test]
fn strips_and_tiles_are_put_together() {
    let engine = engine();
    for (strips, rows) in [(4, 1), (1, 3), (3, 2)] {
        let cell = |index: usize| format!("<td><img src=\"cid:p{index}\"></td>");
        let line = |row: usize| (0..strips).map(|strip| cell(row * strips + strip)).collect::<String>();
        let lines: String = (0..rows).map(|row| format!("<tr>{}</tr>\n", line(row))).collect();
        let html = format!("<p>See:</p><table>{lines}</table><p>Bye");
        let verdict = scan(&engine, &mail(&html, &code(strips, rows)), true);
        assert_eq!(uris(&verdict), [URI], "{strips} {rows}");
    }
    // Without the page that lays them side by side they say nothing.
    assert!(uris(&scan(&engine, &mail("Hello", &code(4, 1)), true)).is_empty());
}

#[test]
fn pictures_inside_of_html_are_looked_at() {
    let engine = engine();
    let strips: String =
        code(3, 1).iter().map(|picture| format!("<img src='data:image/png;base64,{picture}'>")).collect();
    let verdict = scan(&engine, &format!("Content-Type: text/html\n\n<p>See {strips}"), true);
    assert_eq!(uris(&verdict), [URI]);
    assert_eq!(verdict.texts[0].place, "part 0, data 1 and 2 more tiles");
}

#[test]
fn the_same_picture_many_times_over_is_looked_at_once() {
    let engine = engine();
    let verdict = scan(&engine, &mail(&"<img src=cid:p0>".repeat(400), &code(1, 1)), true);
    assert_eq!(uris(&verdict), [URI]);
    assert_eq!(engine.memory.counts().misses, 1);
}

#[test]
fn a_code_of_block_characters_gives_its_link() {
    let code = QrCode::new(URI).unwrap();
    let block = |&color: &Color| if color == Color::Dark { "██" } else { "  " };
    let rows = code
        .to_colors()
        .chunks(code.width())
        .map(|row| row.iter().map(block).collect())
        .collect::<Vec<String>>();
    let text = "Content-Type: text/plain; charset=utf-8\n\nPlease scan\n\n";
    let verdict = scan(&engine(), &format!("{text}{}\n\nYours\n", rows.join("\n")), true);
    assert_eq!(uris(&verdict), [URI]);
    assert_eq!((&verdict.texts[0].place[..], verdict.texts[0].kind), ("part 0", "text"));
}
