//! What the engine and a worker process say to each other, over one socket.
//!
//! The engine sends a page: a header of 12 bytes (`PAGE`, width, height; integers little-endian) and
//! the pixels. The worker answers with notes: a header of 8 bytes (kind, three of zero, length) and text.
//! It says `R` once when it has loaded, or `F` and why it cannot; for each page a line at a time, `L`, and `E`
//! and the CPU time at its end. A line is a row a word: left, top, width, height, confidence and text, tabs between.

use std::io::{self, Read, Write};

use super::{Page, Word};

/// Pixels of a page, at most.
pub const MAX_PIXELS: usize = 32_000_000;
/// Bytes of text in one note, at most.
const MAX_TEXT: usize = 1 << 16;
const MAGIC: &[u8; 4] = b"PAGE";

/// What a worker says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Loaded and waiting for pages.
    Ready,
    /// It cannot work; why.
    Failed(String),
    /// A line of the page, in words without blanks.
    Line(Vec<Word>),
    /// That was all of the page; the CPU time it took, in microseconds.
    End { cpu_us: u64 },
}

/// Sends a page.
///
/// # Errors
/// What the socket says, or a page whose size is a lie.
pub fn write_page(to: &mut impl Write, page: &Page) -> io::Result<()> {
    if page.pixels.len() > MAX_PIXELS || page.pixels.len() != pixels(page.width, page.height) {
        return Err(invalid("page of an impossible size"));
    }
    let mut header = [0; 12];
    header[..4].copy_from_slice(MAGIC);
    header[4..8].copy_from_slice(&page.width.to_le_bytes());
    header[8..].copy_from_slice(&page.height.to_le_bytes());
    to.write_all(&header)?;
    to.write_all(&page.pixels)
}

/// Receives a page; `None` when the other side has hung up.
///
/// # Errors
/// What the socket says, or a header that makes no sense.
pub fn read_page(from: &mut impl Read) -> io::Result<Option<Page>> {
    let mut header = [0; 12];
    match from.read(&mut header)? {
        0 => return Ok(None),
        length => from.read_exact(&mut header[length..])?,
    }
    let [magic, width, height] =
        [0, 4, 8].map(|at| [header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (width, height) = (u32::from_le_bytes(width), u32::from_le_bytes(height));
    let length = pixels(width, height);
    if &magic != MAGIC || length == 0 || length > MAX_PIXELS {
        return Err(invalid("no page header"));
    }
    let mut pixels = vec![0; length];
    from.read_exact(&mut pixels)?;
    Ok(Some(Page { width, height, pixels }))
}

fn pixels(width: u32, height: u32) -> usize {
    usize::try_from(u64::from(width) * u64::from(height)).unwrap_or(usize::MAX)
}

/// Says something to the engine.
///
/// # Errors
/// What the socket says.
pub fn write_note(to: &mut impl Write, note: &Note) -> io::Result<()> {
    let (kind, text) = match note {
        Note::Ready => (b'R', String::new()),
        Note::Failed(why) => (b'F', why.clone()),
        Note::Line(words) => (b'L', words.iter().map(row).collect()),
        Note::End { cpu_us } => (b'E', cpu_us.to_string()),
    };
    let text = &text.as_bytes()[..text.len().min(MAX_TEXT)];
    let mut bytes = Vec::with_capacity(8 + text.len());
    bytes.extend([kind, 0, 0, 0]);
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text);
    to.write_all(&bytes)
}

/// Hears what a worker says.
///
/// # Errors
/// What the socket says; `InvalidData` when it is not a worker that speaks.
pub fn read_note(from: &mut impl Read) -> io::Result<Note> {
    let mut header = [0; 8];
    from.read_exact(&mut header)?;
    let [kind, _, _, _, length @ ..] = header;
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_TEXT {
        return Err(invalid("a note that is too long"));
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    match kind {
        b'R' => Ok(Note::Ready),
        b'F' => Ok(Note::Failed(text)),
        b'L' => Ok(Note::Line(text.lines().filter_map(word).collect())),
        b'E' => Ok(Note::End { cpu_us: text.parse().unwrap_or(0) }),
        _ => Err(invalid("a note of an unknown kind")),
    }
}

fn row(word: &Word) -> String {
    let Word { left, top, width, height, confidence, text } = word;
    format!("{left}\t{top}\t{width}\t{height}\t{confidence}\t{text}\n")
}

fn word(row: &str) -> Option<Word> {
    let mut columns = row.splitn(6, '\t');
    let mut number = || columns.next()?.parse::<u32>().ok();
    let (left, top, width, height) = (number()?, number()?, number()?, number()?);
    let confidence = number()?.min(100) as u8;
    Some(Word { left, top, width, height, confidence, text: columns.next()?.to_owned() })
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let page = Page { width: 3, height: 2, pixels: vec![1, 2, 3, 4, 5, 6] };
        let mut bytes = Vec::new();
        write_page(&mut bytes, &page).unwrap();
        let mut from = &bytes[..];
        assert_eq!(read_page(&mut from).unwrap(), Some(page));
        assert_eq!(read_page(&mut from).unwrap(), None);
        for note in [
            Note::Ready,
            Note::Failed("no language".into()),
            Note::Line(vec![
                Word { left: 7, top: 9, width: 40, height: 12, confidence: 91, text: "señor".into() },
                Word { left: u32::MAX, text: "x".into(), ..Word::default() },
            ]),
            Note::End { cpu_us: 81_000 },
        ] {
            let mut bytes = Vec::new();
            write_note(&mut bytes, &note).unwrap();
            assert_eq!(read_note(&mut &bytes[..]).unwrap(), note);
        }
    }

    #[test]
    fn sizes_are_checked_before_memory_is_reserved() {
        let mut header = *b"PAGE\xff\xff\xff\xff\xff\xff\xff\xff";
        assert!(read_page(&mut &header[..]).is_err());
        header[..4].copy_from_slice(b"EGAP");
        assert!(read_page(&mut &header[..]).is_err());
        assert!(read_note(&mut &b"L\x50\x01\0\xff\xff\xff\xff"[..]).is_err());
        let lie = Page { width: 100, height: 100, pixels: vec![0; 4] };
        assert!(write_page(&mut Vec::new(), &lie).is_err());
    }
}
