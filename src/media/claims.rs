//! Does a file say what it is? Its first bytes against its declared type and its name.

use super::{Kind, sniff};

/// First bytes of a file that are looked at.
pub const FIRST: usize = 512;

/// How a file is another one than it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disguise {
    /// A picture or PDF of another kind than both type and name say.
    Picture,
    /// A web page that says it is a picture or a document.
    Page,
    /// A program that says it is a picture, a document, text or sound.
    Program,
}

/// What a type or the end of a name claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    Kind(Kind),
    /// Some document that is no program, and no web page.
    Document,
    /// Text of whatever kind, a web page among them; no program.
    Text,
}

/// The disguise of a file of media type `kind`/`subkind` (in lower case) that is called `name` and begins with `first`.
/// What is common among honest mail is none: `image/jpg`, `octet-stream`, no extension, a picture whose type or name is
/// right and the other wrong; nor is anything whose first bytes are unknown.
pub fn disguise(kind: &str, subkind: &str, name: Option<&str>, first: &[u8]) -> Option<Disguise> {
    let claims = [of_type(kind, subkind), name.and_then(of_name)];
    let mut claims = claims.into_iter().flatten().peekable();
    claims.peek()?;
    if is_program(first) {
        return Some(Disguise::Program);
    }
    if is_page(first) {
        return claims.any(|claim| claim != Claim::Text).then_some(Disguise::Page);
    }
    let found = found(first)?;
    let mut kinds = claims.filter_map(|claim| match claim {
        Claim::Kind(kind) => Some(kind),
        _ => None,
    });
    kinds.clone().next()?;
    (!kinds.any(|kind| kind == found)).then_some(Disguise::Picture)
}

fn of_type(kind: &str, subkind: &str) -> Option<Claim> {
    Some(match (kind, subkind) {
        ("image", "gif") => Claim::Kind(Kind::Gif),
        ("image", "png" | "x-png") => Claim::Kind(Kind::Png),
        ("image", "jpeg" | "jpg" | "pjpeg" | "x-jpeg") => Claim::Kind(Kind::Jpeg),
        ("image", "webp") => Claim::Kind(Kind::WebP),
        ("image", "bmp" | "x-bmp" | "x-ms-bmp") => Claim::Kind(Kind::Bmp),
        ("image", "tiff" | "tif") => Claim::Kind(Kind::Tiff),
        ("application", "pdf" | "x-pdf") => Claim::Kind(Kind::Pdf),
        // A drawing is text, and may hold a page.
        ("text", _) | ("image", "svg+xml") => Claim::Text,
        ("image" | "audio" | "video", _) => Claim::Document,
        _ => return None,
    })
}

fn of_name(name: &str) -> Option<Claim> {
    let (_, extension) = name.trim_end().rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "gif" => Claim::Kind(Kind::Gif),
        "png" => Claim::Kind(Kind::Png),
        "jpg" | "jpeg" | "jpe" | "jfif" => Claim::Kind(Kind::Jpeg),
        "webp" => Claim::Kind(Kind::WebP),
        "bmp" | "dib" => Claim::Kind(Kind::Bmp),
        "tif" | "tiff" => Claim::Kind(Kind::Tiff),
        "pdf" => Claim::Kind(Kind::Pdf),
        // Old Word and Excel open a web page of that name, and programs export such: no more than text is claimed.
        "doc" | "xls" | "txt" | "htm" | "html" | "csv" | "svg" | "xml" => Claim::Text,
        "docx" | "xlsx" | "pptx" | "ppt" | "rtf" | "zip" | "mp3" | "mp4" | "wav" | "avi" => Claim::Document,
        _ => return None,
    })
}

/// A picture or PDF by its first bytes alone.
fn found(first: &[u8]) -> Option<Kind> {
    sniff(first).or_else(|| first.starts_with(b"%PDF-").then_some(Kind::Pdf))
}

/// A program of Windows (the header that the MZ header points at, where it is within sight) or an ELF file.
fn is_program(first: &[u8]) -> bool {
    let points_at = |at: &[u8; 4]| u32::from_le_bytes(*at) as usize;
    let windows = || {
        let at = points_at(first.get(0x3c..0x40)?.first_chunk()?);
        Some(first.get(at..at.checked_add(4)?)? == b"PE\0\0")
    };
    first.starts_with(b"\x7fELF") || first.starts_with(b"MZ") && windows().unwrap_or(false)
}

/// A web page, by the tag it begins with.
fn is_page(first: &[u8]) -> bool {
    let text = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start();
    [&b"<!doctype html"[..], b"<html", b"<head", b"<body", b"<script"]
        .iter()
        .any(|tag| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0..";
    const PAGE: &[u8] = b"\xef\xbb\xbf\r\n <!DOCTYPE HTML><title>";

    fn program() -> Vec<u8> {
        let mut bytes = [&b"MZ"[..], &[0; 0x3a], &[0x80, 0, 0, 0], &[0; 0x40]].concat();
        bytes.extend(b"PE\0\0L\x01");
        bytes
    }

    #[test]
    fn what_says_another_thing_than_it_is_is_disguised() {
        let program = program();
        for (kind, subkind, name, first, disguise) in [
            ("image", "gif", None, PNG, Disguise::Picture),
            ("image", "gif", Some("a.jpg"), PNG, Disguise::Picture),
            ("application", "octet-stream", Some("a.pdf"), JPEG, Disguise::Picture),
            ("image", "png", None, b"%PDF-1.4", Disguise::Picture),
            ("application", "pdf", Some("invoice.pdf"), PAGE, Disguise::Page),
            ("application", "octet-stream", Some("invoice.PDF "), b"<script>", Disguise::Page),
            ("image", "jpeg", Some("page.html"), PAGE, Disguise::Page),
            ("image", "jpeg", None, &program, Disguise::Program),
            ("application", "octet-stream", Some("report.doc"), &program, Disguise::Program),
            ("text", "plain", None, b"\x7fELF\x02", Disguise::Program),
        ] {
            assert_eq!(
                super::disguise(kind, subkind, name, first),
                Some(disguise),
                "{kind}/{subkind} {name:?}"
            );
        }
    }

    #[test]
    fn harmless_confusion_is_no_disguise() {
        let program = program();
        for (kind, subkind, name, first) in [
            ("image", "jpg", Some("a.JPG"), JPEG),
            ("image", "pjpeg", None, JPEG),
            ("image", "x-png", Some("scan"), PNG),
            ("application", "octet-stream", None, PNG),
            ("application", "octet-stream", Some("a.png"), PNG),
            // One of the two is right.
            ("image", "jpeg", Some("a.png"), PNG),
            ("application", "pdf", Some("a.jpg"), JPEG),
            ("application", "octet-stream", Some("setup.exe"), &program),
            ("application", "x-msdownload", None, &program),
            ("text", "html", Some("a.html"), PAGE),
            ("text", "plain", None, PAGE),
            ("application", "msword", Some("report.doc"), PAGE),
            ("image", "heic", Some("a.heic"), b"\0\0\0\x18ftypheic"),
            // Text that begins with the letters of a program, and a file that is not there.
            (
                "text",
                "plain",
                None,
                b"MZ is the mark of Mark Zbikowski, whose initials begin each program of DOS and Windows",
            ),
            ("image", "gif", Some("a.gif"), b""),
        ] {
            assert_eq!(disguise(kind, subkind, name, first), None, "{kind}/{subkind} {name:?}");
        }
    }
}
