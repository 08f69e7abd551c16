//! What the engine and a worker process say to each other, over one socket.
//!
//! The engine sends a page: a header of 24 bytes (`PAGE`, its number, width, height, and the deadline in microseconds of
//! the monotonic clock, which both sides share; integers little-endian) and the pixels. The worker answers with notes: a
//! header of 12 bytes (kind, three of zero, number of the page, length) and text. It says `R` once when it has loaded, or
//! `F` and why it cannot; for each page a line at a time, `L`, and the CPU time at its end, `E`, or where it gave up at
//! the deadline, `C`. A line is a row a word: left, top, width, height, confidence and text, tabs between.

use std::{
    io::{self, Read, Write},
    time::Instant,
};

use rustix::time::{ClockId, clock_gettime};

use super::{Page, Word};

/// Pixels of a page, at most.
pub const MAX_PIXELS: usize = 32_000_000;
/// Bytes of text in one note, at most.
const MAX_TEXT: usize = 1 << 16;
const MAGIC: &[u8; 4] = b"PAGE";
/// Bytes before a page's pixels.
const HEADER: usize = 24;
/// Bytes before a note's text.
const NOTE_HEADER: usize = 12;

/// What a worker says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Loaded and waiting for pages.
    Ready,
    /// It cannot work; why.
    Failed(String),
    /// A line of the page, in words without blanks.
    Line(Vec<Word>),
    /// Nothing more comes of the page; the CPU time it took, in microseconds, and whether all of it was read.
    End { cpu_us: u64, complete: bool },
}

/// What goes before a page's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Tells this page's notes from those of the worker's other pages.
    pub number: u32,
    /// When nobody waits for it any more, as [`now_us`] counts.
    pub deadline_us: u64,
}

/// The monotonic clock, in microseconds.
pub fn now_us() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec.unsigned_abs() * 1_000_000 + time.tv_nsec.unsigned_abs() / 1_000
}

/// The same moment as [`now_us`] counts.
pub fn moment_us(moment: Instant) -> u64 {
    let left = moment.saturating_duration_since(Instant::now());
    now_us().saturating_add(u64::try_from(left.as_micros()).unwrap_or(u64::MAX))
}

/// What is sent before the pixels of a page.
///
/// # Errors
/// A page whose size is a lie.
pub fn header(page: &Page, ticket: Ticket) -> io::Result<[u8; HEADER]> {
    if page.pixels.len() > MAX_PIXELS || page.pixels.len() != pixels(page.width, page.height) {
        return Err(invalid("page of an impossible size"));
    }
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(MAGIC);
    header[4..8].copy_from_slice(&ticket.number.to_le_bytes());
    header[8..12].copy_from_slice(&page.width.to_le_bytes());
    header[12..16].copy_from_slice(&page.height.to_le_bytes());
    header[16..].copy_from_slice(&ticket.deadline_us.to_le_bytes());
    Ok(header)
}

/// Receives a page; `None` when the other side has hung up.
///
/// # Errors
/// What the socket says, or a header that makes no sense.
pub fn read_page(from: &mut impl Read) -> io::Result<Option<(Ticket, Page)>> {
    let mut header = [0; HEADER];
    match from.read(&mut header)? {
        0 => return Ok(None),
        length => from.read_exact(&mut header[length..])?,
    }
    let [magic, number, width, height, low, high] = [0, 4, 8, 12, 16, 20].map(|at| four(&header, at));
    let [number, width, height, low, high] = [number, width, height, low, high].map(u32::from_le_bytes);
    let length = pixels(width, height);
    if &magic != MAGIC || length == 0 || length > MAX_PIXELS {
        return Err(invalid("no page header"));
    }
    let mut pixels = vec![0; length];
    from.read_exact(&mut pixels)?;
    let ticket = Ticket { number, deadline_us: u64::from(high) << 32 | u64::from(low) };
    Ok(Some((ticket, Page { width, height, pixels })))
}

fn four(bytes: &[u8], at: usize) -> [u8; 4] {
    [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
}

fn pixels(width: u32, height: u32) -> usize {
    usize::try_from(u64::from(width) * u64::from(height)).unwrap_or(usize::MAX)
}

/// Says something to the engine, about the page of this number; 0 is none.
///
/// # Errors
/// What the socket says.
pub fn write_note(to: &mut impl Write, number: u32, note: &Note) -> io::Result<()> {
    let (kind, text) = match note {
        Note::Ready => (b'R', String::new()),
        Note::Failed(why) => (b'F', why.clone()),
        Note::Line(words) => (b'L', words.iter().map(row).collect()),
        Note::End { cpu_us, complete: true } => (b'E', cpu_us.to_string()),
        Note::End { cpu_us, complete: false } => (b'C', cpu_us.to_string()),
    };
    let text = &text.as_bytes()[..text.len().min(MAX_TEXT)];
    let mut bytes = Vec::with_capacity(NOTE_HEADER + text.len());
    bytes.extend([kind, 0, 0, 0]);
    bytes.extend(number.to_le_bytes());
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text);
    to.write_all(&bytes)
}

/// Takes the first note, and the number of its page, from what a worker has said; `None` while it is not whole.
///
/// # Errors
/// `InvalidData` when it is not a worker that speaks.
pub fn take_note(said: &mut Vec<u8>) -> io::Result<Option<(u32, Note)>> {
    if said.len() < NOTE_HEADER {
        return Ok(None);
    }
    let [number, length] = [4, 8].map(|at| u32::from_le_bytes(four(said, at)));
    let length = length as usize;
    if length > MAX_TEXT {
        return Err(invalid("a note that is too long"));
    }
    let Some(text) = said.get(NOTE_HEADER..NOTE_HEADER + length) else { return Ok(None) };
    let text = String::from_utf8_lossy(text).into_owned();
    let end = |complete| Note::End { cpu_us: text.parse().unwrap_or(0), complete };
    let note = match said[0] {
        b'R' => Note::Ready,
        b'L' => Note::Line(text.lines().filter_map(word).collect()),
        b'E' => end(true),
        b'C' => end(false),
        b'F' => Note::Failed(text),
        _ => return Err(invalid("a note of an unknown kind")),
    };
    said.drain(..NOTE_HEADER + length);
    Ok(Some((number, note)))
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
        let ticket = Ticket { number: 7, deadline_us: 5 << 40 | 3 };
        let bytes = [&header(&page, ticket).unwrap()[..], &page.pixels].concat();
        let mut from = &bytes[..];
        assert_eq!(read_page(&mut from).unwrap(), Some((ticket, page)));
        assert_eq!(read_page(&mut from).unwrap(), None);
        for note in [
            Note::Ready,
            Note::Failed("no language".into()),
            Note::Line(vec![
                Word { left: 7, top: 9, width: 40, height: 12, confidence: 91, text: "señor".into() },
                Word { left: u32::MAX, text: "x".into(), ..Word::default() },
            ]),
            Note::End { cpu_us: 81_000, complete: true },
            Note::End { cpu_us: 7, complete: false },
        ] {
            let mut bytes = Vec::new();
            write_note(&mut bytes, 1 << 30, &note).unwrap();
            // It may come in pieces.
            let mut said = Vec::new();
            for &byte in &bytes {
                assert_eq!(take_note(&mut said).unwrap(), None);
                said.push(byte);
            }
            said.push(b'R');
            assert_eq!(take_note(&mut said).unwrap(), Some((1 << 30, note)));
            assert_eq!(said, b"R");
        }
    }

    #[test]
    fn sizes_are_checked_before_memory_is_reserved() {
        let mut bytes = [255; HEADER];
        bytes[..4].copy_from_slice(MAGIC);
        assert!(read_page(&mut &bytes[..]).is_err());
        bytes[..4].copy_from_slice(b"EGAP");
        assert!(read_page(&mut &bytes[..]).is_err());
        assert!(take_note(&mut b"L\x50\x01\0\0\0\0\0\xff\xff\xff\xff".to_vec()).is_err());
        let lie = Page { width: 100, height: 100, pixels: vec![0; 4] };
        assert!(header(&lie, Ticket { number: 1, deadline_us: 0 }).is_err());
    }
}
