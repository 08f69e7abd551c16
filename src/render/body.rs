//! Body units: the subject, then one unit a paragraph of what a reader would see.

use bumpalo::collections::Vec as ArenaVec;

use crate::mime::Arena;

/// More of a part is not scanned, in characters.
const PART_SIZE: usize = 50_000;
/// How far behind the part size a good place to cut may lie, in characters.
const SLACK: usize = 1024;
/// Longer units are split.
const UNIT: usize = 2048;

/// Bytes that start or are something else than plain text: white space, NUL, and first bytes of characters
/// that may be white space.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut index = 0;
    while index < 256 {
        table[index] = matches!(index, 0 | 0x09..=0x0d | 0x20 | 0xc2 | 0xe1 | 0xe2 | 0xe3);
        index += 1;
    }
    table
};

/// One view of the message's text, growing: white space squeezed, paragraphs ended by LF.
pub struct Body<'m> {
    out: ArenaVec<'m, u8>,
    /// Whether the text is Unicode: then characters are UTF-8 and white space is that of Unicode. Else they
    /// are the bytes of Latin-1.
    is_wide: bool,
    run: Run,
    is_empty: bool,
    /// Where the text of each part starts in `out`.
    starts: Vec<(usize, usize)>,
}

/// White space that was met and not written yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Run {
    any: bool,
    breaks: u8,
    before: bool,
    after: bool,
}

impl<'m> Body<'m> {
    /// Starts with the subject as a unit of its own, if there is to be one.
    pub fn new(subject: Option<&str>, is_wide: bool, capacity: usize, arena: &'m Arena) -> Body<'m> {
        let head = subject.map_or(0, |subject| subject.len() + 1);
        let mut out = ArenaVec::with_capacity_in(capacity + head, arena);
        if let Some(subject) = subject {
            out.extend_from_slice_copy(subject.as_bytes());
            out.push(b'\n');
        }
        Body { out, is_wide, run: Run::default(), is_empty: true, starts: Vec::new() }
    }

    /// A leaf begins, whatever its type: it stands on a line of its own.
    pub fn leaf(&mut self) {
        if !self.is_empty {
            self.blank(true);
        }
    }

    /// Adds the text of a leaf.
    pub fn text(&mut self, part: usize, text: &str) {
        self.starts.push((self.out.len(), part));
        self.is_empty &= text.is_empty();
        match self.is_wide || text.is_ascii() {
            true => self.wide(text),
            false => self.narrow(text),
        }
    }

    fn wide(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let is_special =
            |index: usize| bytes.get(index).is_none_or(|&byte| SPECIAL.get(usize::from(byte)) == Some(&true));
        let mut start = 0;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if !is_special(at) {
                at += 1;
                continue;
            }
            // The commonest case: one blank between two words.
            if byte == b' ' && at > start && !is_special(at + 1) {
                at += 2;
                continue;
            }
            let len = match byte {
                0 => 1,
                _ if byte.is_ascii() => 1,
                _ => match white_space(bytes.get(at..).unwrap_or_default()) {
                    0 => {
                        at += 1;
                        continue;
                    }
                    len => len,
                },
            };
            self.plain(bytes.get(start..at).unwrap_or_default());
            match byte {
                0 => self.plain(b"\n"),
                _ => self.blank(byte == b'\n'),
            }
            at += len;
            start = at;
        }
        self.plain(bytes.get(start..).unwrap_or_default());
    }

    /// Text that Perl holds as bytes: its characters are those of Latin-1.
    fn narrow(&mut self, text: &str) {
        for c in text.chars() {
            match u8::try_from(u32::from(c)) {
                Ok(0) => self.plain(b"\n"),
                Ok(byte @ (0x09..=0x0d | b' ')) => self.blank(byte == b'\n'),
                Ok(byte) => self.plain(&[byte]),
                Err(_) => self.plain(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }

    fn blank(&mut self, is_break: bool) {
        self.is_empty = false;
        let run = &mut self.run;
        run.any = true;
        if is_break {
            run.breaks = run.breaks.saturating_add(1);
            run.after = false;
        } else if run.breaks == 0 {
            run.before = true;
        } else {
            run.after = true;
        }
    }

    fn plain(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.flush();
        self.out.extend_from_slice_copy(bytes);
    }

    /// Two line breaks end a paragraph; less is a blank.
    fn flush(&mut self) {
        let run = std::mem::take(&mut self.run);
        if run.breaks < 2 {
            if run.any {
                self.out.push(b' ');
            }
            return;
        }
        if run.before {
            self.out.push(b' ');
        }
        self.out.push(b'\n');
        if run.after {
            self.out.push(b' ');
        }
    }

    /// The units, each with the part that it starts in.
    pub fn units(mut self) -> Vec<(&'m [u8], usize)> {
        self.flush();
        let text: &'m [u8] = self.out.into_bump_slice();
        let mut units = Vec::with_capacity(16);
        let mut starts = self.starts.iter().peekable();
        let (mut part, mut at) = (0, 0);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            while let Some((_, next)) = starts.next_if(|(start, _)| *start <= at) {
                part = *next;
            }
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            at += end;
            split(rest.get(..end).unwrap_or(rest), |unit| units.push((unit, part)));
        }
        units
    }
}

/// Splits a unit that is too long after its last blanks.
fn split<'m>(mut line: &'m [u8], mut found: impl FnMut(&'m [u8])) {
    while line.len() > UNIT {
        let end = line.get(..=UNIT).and_then(|head| memchr::memrchr(b' ', head)).map_or(UNIT, |at| at + 1);
        let (unit, rest) = line.split_at(end);
        found(unit);
        line = rest;
    }
    found(line);
}

/// Bytes of the white space that the text starts with, if it is not ASCII.
fn white_space(bytes: &[u8]) -> usize {
    match bytes {
        [0xc2, 0x85 | 0xa0, ..] => 2,
        [0xe1, 0x9a, 0x80, ..] => 3,
        [0xe2, 0x80, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf, ..] => 3,
        [0xe2, 0x81, 0x9f, ..] => 3,
        [0xe3, 0x80, 0x80, ..] => 3,
        _ => 0,
    }
}

/// How many bytes of a part's text are scanned: up to its largest size, and then to the end of a line or a word
/// where one ends soon.
pub fn scanned(text: &str) -> usize {
    let Some(size) = offset(text, PART_SIZE).filter(|size| *size < text.len()) else { return text.len() };
    let tail = text.get(size..).unwrap_or("");
    let window = offset(tail, SLACK + 1).and_then(|end| tail.get(..end)).unwrap_or(tail);
    let end = [b'\n', b' '].into_iter().find_map(|byte| memchr::memchr(byte, window.as_bytes()));
    size + end.map_or(0, |at| at + 1)
}

/// Where the character of this number starts; `None` where the text is shorter.
fn offset(text: &str, number: usize) -> Option<usize> {
    if text.len() < number {
        return None;
    }
    match text.get(..number).is_some_and(str::is_ascii) {
        true => Some(number),
        false => text.char_indices().nth(number).map(|(at, _)| at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(subject: Option<&str>, leaves: &[Option<&str>], is_wide: bool) -> Vec<String> {
        let arena = Arena::new();
        let mut body = Body::new(subject, is_wide, 100, &arena);
        for (part, leaf) in leaves.iter().enumerate() {
            body.leaf();
            if let Some(text) = leaf {
                body.text(part, text);
            }
        }
        body.units().iter().map(|(unit, _)| unit.escape_ascii().to_string()).collect()
    }

    #[test]
    fn paragraphs_are_units() {
        for (text, expected) in [
            ("one\ntwo\n\nthree\n", &["S\\n", "one two\\n", "three "][..]),
            ("one  \t two", &["S\\n", "one two"]),
            ("one \n\n two", &["S\\n", "one \\n", " two"]),
            ("one\n \n\t\ntwo\n\n", &["S\\n", "one\\n", "two\\n"]),
            ("\n\none", &["S\\n", "\\n", "one"]),
            ("one\0two\0\n\0three", &["S\\n", "one\\n", "two\\n", " \\n", "three"]),
            ("", &["S\\n"]),
            (" ", &["S\\n", " "]),
            ("one\n", &["S\\n", "one "]),
        ] {
            assert_eq!(units(Some("S"), &[Some(text)], true), expected, "{text:?}");
        }
        assert_eq!(units(Some(""), &[], true), ["\\n"]);
        assert_eq!(units(None, &[Some("x")], true), ["x"]);
    }

    #[test]
    fn leaves_stand_on_lines_of_their_own() {
        assert_eq!(units(None, &[Some("aaa"), Some("bbb")], true), ["aaa bbb"]);
        assert_eq!(units(None, &[Some("aaa"), None, Some("bbb")], true), ["aaa\\n", "bbb"]);
        assert_eq!(units(None, &[Some("aaa"), None], true), ["aaa "]);
        assert_eq!(units(None, &[None, None, Some("aaa")], true), ["aaa"]);
        assert_eq!(units(None, &[Some("aaa\n\n"), Some("bbb")], true), ["aaa\\n", "bbb"]);
        assert_eq!(units(None, &[Some(""), Some("aaa")], true), ["aaa"]);
    }

    #[test]
    fn white_space_is_that_of_unicode_in_unicode_text_only() {
        let text = "a\u{a0}\u{a0}b\u{e9}\u{3000}c";
        assert_eq!(units(None, &[Some(text)], true), ["a b\\xc3\\xa9 c"]);
        assert_eq!(units(None, &[Some("a\u{a0} b\u{e9}")], false), ["a\\xa0 b\\xe9"]);
        assert_eq!(units(None, &[Some("\u{e2}\u{201c}x\u{2003}y")], true), ["\\xc3\\xa2\\xe2\\x80\\x9cx y"]);
    }

    #[test]
    fn long_units_are_split_after_a_blank() {
        let lengths = |text: &str| -> Vec<usize> {
            let arena = Arena::new();
            let mut body = Body::new(None, true, text.len(), &arena);
            body.text(0, text);
            body.units().iter().map(|(unit, _)| unit.len()).collect()
        };
        assert_eq!(lengths(&"x".repeat(2048)), [2048]);
        assert_eq!(lengths(&"x".repeat(2049)), [2048, 1]);
        assert_eq!(lengths(&format!("{} {}", "x".repeat(2048), "y".repeat(10))), [2049, 10]);
        assert_eq!(lengths(&format!("{} {}", "x".repeat(2000), "y".repeat(100))), [2001, 100]);
        assert_eq!(lengths(&format!("{} ", "x".repeat(2048))), [2049, 0]);
    }

    #[test]
    fn parts_are_cut_in_characters() {
        let cut = |text: &str| text.get(..scanned(text)).map_or(0, |text| text.chars().count());
        assert_eq!(cut(&"x".repeat(50_000)), 50_000);
        assert_eq!(cut(&"x".repeat(60_000)), 50_000);
        assert_eq!(cut(&"\u{e9}".repeat(60_000)), 50_000);
        assert_eq!(cut(&format!("{} y\nz", "x".repeat(51_000))), 51_003);
        assert_eq!(cut(&format!("{} y{}", "x".repeat(51_000), "z".repeat(2000))), 51_001);
        assert_eq!(cut(&format!("{}\nz", "x".repeat(51_024))), 51_025);
        assert_eq!(cut(&format!("{}\nz", "x".repeat(51_025))), 50_000);
    }

    #[test]
    fn units_know_their_part() {
        let arena = Arena::new();
        let mut body = Body::new(Some("S"), true, 100, &arena);
        for (part, text) in [(1, "a\n\nb\n\n"), (2, "c")] {
            body.leaf();
            body.text(part, text);
        }
        let parts: Vec<usize> = body.units().iter().map(|(_, part)| *part).collect();
        assert_eq!(parts, [0, 1, 1, 2]);
    }
}
