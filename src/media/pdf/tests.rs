//! Documents written here, byte by byte, so that each has what its test is about.

use std::time::Duration;

use super::*;

/// A document of `pages`: the content of each and its annotations.
fn document(pages: &[(&str, &str)]) -> Vec<u8> {
    let mut objects = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned()];
    let kids: String = (0..pages.len()).map(|page| format!("{} 0 R ", 4 + 2 * page)).collect();
    objects.push(format!("<< /Type /Pages /Count {} /Kids [{kids}] >>", pages.len()));
    objects
        .push("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned());
    for (page, (content, annotations)) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents {} 0 R /Annots [{annotations}] \
             /Resources << /Font << /F 3 0 R >> >> >>",
            5 + 2 * page
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    bytes(&objects)
}

/// A document of one empty page: what its catalog says besides, and further objects, from the fourth on.
pub fn file(catalog: &str, more: &[&str]) -> Vec<u8> {
    let mut objects = vec![
        format!("<< /Type /Catalog /Pages 2 0 R {catalog} >>"),
        "<< /Type /Pages /Count 1 /Kids [3 0 R] >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] >>".to_owned(),
    ];
    objects.extend(more.iter().map(|&object| object.to_owned()));
    bytes(&objects)
}

fn bytes(objects: &[String]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(bytes.len());
        bytes.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let start = bytes.len();
    bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    offsets.iter().for_each(|at| bytes.extend(format!("{at:010} 00000 n \n").bytes()));
    let size = objects.len() + 1;
    bytes.extend(format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").bytes());
    bytes
}

pub fn look(bytes: &[u8]) -> Result<Extract, Error> {
    read(bytes, &Limits::default(), &Budget::new(Duration::from_secs(60)))
}

const TEXT: &str =
    "BT /F 12 Tf 20 150 Td (Dear customer, your account) Tj 0 -20 Td (has been suspended.) Tj ET";

#[test]
fn text_and_links_are_taken_as_they_are() {
    let link =
        "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (http://evil.example/a) >> >>";
    let extract = look(&document(&[(TEXT, link)])).unwrap();
    assert_eq!(extract.text, "Dear customer, your account\nhas been suspended.");
    assert_eq!(extract.uris, ["http://evil.example/a"]);
    assert_eq!((extract.frames, extract.pages.len()), (1, 0));
}

#[test]
fn invisible_text_is_not_what_a_reader_sees() {
    let hidden = format!("3 Tr {TEXT}");
    assert_eq!(look(&document(&[(&hidden, "")])).unwrap().text, "");
}

#[test]
fn a_page_without_text_is_rasterised() {
    // Letters drawn as strokes: no font says what they are.
    let mut content = "2 w ".to_owned();
    for row in 0..4 {
        for column in 0..12 {
            let (x, y) = (20 + column * 14, 40 + row * 30);
            content += &format!("{x} {y} m {x} {} l {} {} l S ", y + 12, x + 7, y + 12);
        }
    }
    let extract = look(&document(&[(&content, "")])).unwrap();
    assert_eq!(extract.text, "");
    assert_eq!(extract.pages[0].0, "page 1");
    let page = &extract.pages[0].1;
    assert!(page.pixels.iter().any(|&pixel| pixel < 64) && page.pixels.iter().any(|&pixel| pixel > 192));
}

#[test]
fn an_empty_page_is_not_read() {
    let extract = look(&document(&[("", "")])).unwrap();
    assert!(extract.text.is_empty() && extract.pages.is_empty());
}

#[test]
fn the_first_pages_and_the_last_come_first() {
    assert_eq!(order(10, 50).collect::<Vec<_>>(), [0, 1, 2, 3, 9, 4, 5, 6, 7, 8]);
    assert_eq!(order(10, 5).collect::<Vec<_>>(), [0, 1, 2, 3, 9]);
    assert_eq!(order(2, 50).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(order(5, 50).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(order(0, 50).count(), 0);
    let pages: Vec<String> =
        (0..8).map(|page| format!("BT /F 12 Tf 20 150 Td (number {page}) Tj ET")).collect();
    let pages: Vec<(&str, &str)> = pages.iter().map(|page| (&page[..], "")).collect();
    let limits = Limits { pdf_pages: 5, ..Limits::default() };
    let extract = read(&document(&pages), &limits, &Budget::new(Duration::from_secs(60))).unwrap();
    assert_eq!(extract.text, "number 0\nnumber 1\nnumber 2\nnumber 3\nnumber 7");
    assert_eq!(extract.frames, 8);
}

#[test]
fn a_table_of_offsets_that_lies_is_made_anew() {
    let text = String::from_utf8(document(&[(TEXT, "")])).unwrap();
    let (body, _) = text.split_once("xref\n").unwrap();
    let broken = format!("{body}xref\n0 1\ngarbage\ntrailer\n<< /Root 1 0 R >>\nstartxref\n7\n%%EOF");
    assert!(look(broken.as_bytes()).unwrap().text.starts_with("Dear customer"));
    assert!(look(body.as_bytes()).unwrap().text.starts_with("Dear customer"));
}

#[test]
fn broken_documents_are_an_error_and_no_panic() {
    assert!(look(b"%PDF-1.4\n").is_err());
    let whole = document(&[(TEXT, ""), (TEXT, "")]);
    for end in (0..whole.len()).step_by(7) {
        let _ = look(&whole[..end]);
    }
    for at in (0..whole.len()).step_by(11) {
        let mut mutant = whole.clone();
        mutant[at] ^= 0x15;
        let _ = look(&mutant);
    }
}

#[test]
fn drawing_that_never_ends_is_broken_off() {
    let text = "BT /F 12 Tf 20 100 Td (never) Tj ET ".repeat(60_000);
    let extract = look(&document(&[(&text, ""), ("BT /F 12 Tf 20 100 Td (again) Tj ET", "")])).unwrap();
    assert_eq!(extract.left_out, Some(Why::Limit("drawing")));
    assert!(extract.text.starts_with("never"), "what was seen until then stays");
}

#[test]
fn a_page_painted_over_and_over_is_not_rasterised() {
    let paint = |times: usize| document(&[(&"0 0 m 300 200 l 0 200 l f ".repeat(times), "")]);
    assert_eq!(look(&paint(100)).unwrap().left_out, None);
    let extract = look(&paint(10_000)).unwrap();
    assert_eq!(extract.left_out, Some(Why::Limit("drawing")));
    assert!(extract.pages.is_empty());
}

/// A page that a grey picture of so many pixels a side covers.
fn scan(side: usize) -> Vec<u8> {
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R \
                /Resources << /XObject << /I 5 0 R >> >> >>";
    let content = "q 300 0 0 200 0 0 cm /I Do Q";
    let picture = format!(
        "<< /Type /XObject /Subtype /Image /Width {side} /Height {side} /ColorSpace /DeviceGray \
         /BitsPerComponent 8 /Filter /ASCIIHexDecode /Length 3 >>\nstream\n00>\nendstream"
    );
    bytes(&[
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Count 1 /Kids [3 0 R] >>".to_owned(),
        page.to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        picture,
    ])
}

#[test]
fn a_picture_that_is_too_large_is_named() {
    assert_eq!(look(&scan(4000)).unwrap().left_out, None);
    assert_eq!(look(&scan(5000)).unwrap().left_out, Some(Why::Limit("picture pixels")));
}

#[test]
fn no_picture_is_begun_that_would_not_be_decoded_in_time() {
    // 80 ms of work at the least that is reckoned with.
    let extract = read(&scan(4000), &Limits::default(), &Budget::new(Duration::from_millis(60)));
    assert!(matches!(
        extract.map(|extract| extract.left_out),
        Ok(Some(Why::Deadline)) | Err(Error::Deadline)
    ));
}
