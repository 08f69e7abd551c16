//! What the bytes are, by content: a mail program shows a picture by what it is, whatever the part
//! declares itself to be.

use memchr::memmem;

use super::Kind;

/// Readers accept a PDF whose header stands a little below the top.
const PDF_HEADER_WITHIN: usize = 1024;

/// What the bytes are, or `None` for what this stage does not look at.
pub fn sniff(bytes: &[u8]) -> Option<Kind> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Kind::Png),
        [0xff, 0xd8, 0xff, ..] => Some(Kind::Jpeg),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Kind::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Kind::WebP),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some(Kind::Tiff),
        [b'B', b'M', rest @ ..] => is_bmp(rest).then_some(Kind::Bmp),
        _ => is_pdf(bytes).then_some(Kind::Pdf),
    }
}

/// Bytes that [`may_be`] looks at.
pub const BEGINNING: usize = PDF_HEADER_WITHIN + 8;

/// Whether [`sniff`] may know a file that begins so. Says yes to all that it knows; a few others pass.
pub fn may_be(beginning: &[u8]) -> bool {
    let top = beginning.get(..PDF_HEADER_WITHIN).unwrap_or(beginning);
    sniff(beginning).is_some() || memmem::find(top, b"%PDF-").is_some()
}

// Two letters begin many a text; the size of the second header is what tells a bitmap from it.
fn is_bmp(after_magic: &[u8]) -> bool {
    matches!(after_magic.get(12..16), Some([12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]))
}

// A mail that talks about PDF may hold the header too: a document has objects.
fn is_pdf(bytes: &[u8]) -> bool {
    let top = bytes.get(..PDF_HEADER_WITHIN).unwrap_or(bytes);
    memmem::find(top, b"%PDF-").is_some_and(|at| memmem::find(&bytes[at..], b" obj").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_decides() {
        for (bytes, kind) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], Some(Kind::Png)),
            (b"\xff\xd8\xff\xe0", Some(Kind::Jpeg)),
            (b"GIF87a", Some(Kind::Gif)),
            (b"GIF89a", Some(Kind::Gif)),
            (b"GIF88a", None),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some(Kind::WebP)),
            (b"RIFF\0\0\0\0WAVEfmt ", None),
            (b"II*\0", Some(Kind::Tiff)),
            (b"MM\0*", Some(Kind::Tiff)),
            (b"%PDF-1.4\n1 0 obj\n", Some(Kind::Pdf)),
            (b"\r\n junk %PDF-1.4\n1 0 obj\n", Some(Kind::Pdf)),
            (b"What does %PDF-1.4 mean?", None),
            (b"", None),
        ] {
            assert_eq!(sniff(bytes), kind, "{}", String::from_utf8_lossy(bytes));
            let long = [bytes, &[0; 4000]].concat();
            assert!(kind.is_none() || may_be(&long[..BEGINNING]), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn text_that_begins_with_bm_is_no_bitmap() {
        assert_eq!(sniff(b"BMW sends its regards to you and yours"), None);
        let mut bmp = vec![0; 54];
        bmp[..2].copy_from_slice(b"BM");
        bmp[14] = 40;
        assert_eq!(sniff(&bmp), Some(Kind::Bmp));
    }

    #[test]
    fn no_prefix_of_a_magic_panics() {
        for magic in
            [&b"\x89PNG\r\n\x1a\n"[..], b"RIFF\0\0\0\0WEBP", b"GIF89a", b"BM............(...", b"%PDF-"]
        {
            for end in 0..magic.len() {
                sniff(&magic[..end]);
            }
        }
    }
}
