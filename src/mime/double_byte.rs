//! Which characters the East Asian charsets have that mails declare. The Encoding Standard reads each of
//! them as the largest charset of its kind; Perl has them as they were defined.

use std::borrow::Cow;

use encoding_rs::{BIG5, EUC_KR, Encoding, GBK, SHIFT_JIS};

/// A charset with one byte or two a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoubleByte {
    /// GB 2312 as EUC-CN.
    Gb2312,
    Gbk,
    Big5,
    /// KS X 1001 as EUC-KR.
    EucKr,
    /// JIS X 0208 in Shift_JIS, without the additions of NEC, IBM and Microsoft.
    ShiftJis,
}

impl DoubleByte {
    fn encoding(self) -> &'static Encoding {
        match self {
            DoubleByte::Gb2312 | DoubleByte::Gbk => GBK,
            DoubleByte::Big5 => BIG5,
            DoubleByte::EucKr => EUC_KR,
            DoubleByte::ShiftJis => SHIFT_JIS,
        }
    }

    /// Decodes; if `strict`, only what is in the charset as a whole. Else U+FFFD stands for a byte that is not, and
    /// half a character at the end is left out.
    pub fn decode(self, bytes: &[u8], strict: bool) -> Option<Cow<'_, str>> {
        let text = match strict {
            true if !self.has_all(bytes) => return None,
            true => self.encoding().decode_without_bom_handling_and_without_replacement(bytes)?,
            false => Cow::Owned(self.lossy(bytes)),
        };
        // two signs of GB 2312 that GBK has otherwise
        let is_other = |sign: char| matches!(sign, '\u{b7}' | '\u{2014}');
        Some(match self == DoubleByte::Gb2312 && text.contains(is_other) {
            true => Cow::Owned(text.replace('\u{b7}', "\u{30fb}").replace('\u{2014}', "\u{2015}")),
            false => text,
        })
    }

    fn has_all(self, mut bytes: &[u8]) -> bool {
        while let Some(length) = self.first(bytes) {
            bytes = bytes.get(length..).unwrap_or_default();
        }
        bytes.is_empty()
    }

    fn lossy(self, mut bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len() * 2);
        while let Some((&byte, rest)) = bytes.split_first() {
            let known = self.first(bytes).and_then(|length| bytes.split_at_checked(length));
            let decoded = known.and_then(|(character, rest)| {
                let text = self.encoding().decode_without_bom_handling_and_without_replacement(character)?;
                Some((text, rest))
            });
            match decoded {
                Some((character, rest)) => {
                    text.push_str(&character);
                    bytes = rest;
                }
                None if rest.is_empty() && self.is_lead(byte) => break,
                None => {
                    text.push('\u{fffd}');
                    bytes = rest;
                }
            }
        }
        text
    }

    /// Bytes of the first character; `None` where there is none.
    fn first(self, bytes: &[u8]) -> Option<usize> {
        match *bytes {
            [byte, ..] if byte.is_ascii() => Some(1),
            [0xa1..=0xdf, ..] if self == DoubleByte::ShiftJis => Some(1),
            [lead, trail, ..] if self.has(lead, trail) => Some(2),
            _ => None,
        }
    }

    fn is_lead(self, byte: u8) -> bool {
        matches!(byte, 0x81..=0xfe) && (self != DoubleByte::ShiftJis || !matches!(byte, 0xa0..=0xdf | 0xfd..))
    }

    /// Whether the two bytes may be a character: where a table has a hole is told by its decoder, where the
    /// standard added something by this.
    fn has(self, lead: u8, trail: u8) -> bool {
        match self {
            DoubleByte::Gb2312 => match lead {
                0xa1 | 0xa3 | 0xb0..=0xd6 | 0xd8..=0xf7 => matches!(trail, 0xa1..=0xfe),
                0xa2 => matches!(trail, 0xb1..=0xe2 | 0xe5..=0xee | 0xf1..=0xfc),
                0xa4 => matches!(trail, 0xa1..=0xf3),
                0xa5 => matches!(trail, 0xa1..=0xf6),
                0xa6 => matches!(trail, 0xa1..=0xb8 | 0xc1..=0xd8),
                0xa7 => matches!(trail, 0xa1..=0xc1 | 0xd1..=0xf1),
                0xa8 => matches!(trail, 0xa1..=0xba | 0xc5..=0xe9),
                0xa9 => matches!(trail, 0xa4..=0xef),
                0xd7 => matches!(trail, 0xa1..=0xf9),
                _ => false,
            },
            DoubleByte::Gbk => matches!(lead, 0x81..=0xfe) && matches!(trail, 0x40..=0x7e | 0x80..=0xfe),
            DoubleByte::Big5 => {
                matches!(lead, 0xa1..=0xf9)
                    && matches!(trail, 0x40..=0x7e | 0xa1..=0xfe)
                    && !(lead == 0xa3 && matches!(trail, 0xc0..=0xe0))
            }
            DoubleByte::EucKr => matches!(lead, 0xa1..=0xfe) && matches!(trail, 0xa1..=0xfe),
            DoubleByte::ShiftJis => {
                matches!(lead, 0x81..=0x84 | 0x88..=0x9f | 0xe0..=0xea)
                    && matches!(trail, 0x40..=0x7e | 0x80..=0xfc)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_charset_does_not_have_is_no_text_in_it() {
        for (charset, known, unknown) in [
            (DoubleByte::Gb2312, &b"\xb0\xa1"[..], &b"\x81\x40"[..]),
            (DoubleByte::Gb2312, b"\xd7\xf9", b"\xd7\xfa"),
            (DoubleByte::Gbk, b"\x81\x40", b"\x81\x30\x81\x30"),
            (DoubleByte::Big5, b"\xa4\x40", b"\x87\x40"),
            (DoubleByte::EucKr, b"\xb0\xa1", b"\x81\x41"),
            (DoubleByte::ShiftJis, b"\x88\x9f\xb1", b"\x87\x40"),
        ] {
            assert!(charset.decode(known, true).is_some(), "{charset:?} {known:x?}");
            assert_eq!(charset.decode(unknown, true), None, "{charset:?} {unknown:x?}");
        }
    }

    #[test]
    fn a_byte_that_is_forced_into_the_charset_becomes_one_replacement() {
        let forced = |bytes| DoubleByte::Gb2312.decode(bytes, false).unwrap().into_owned();
        assert_eq!(forced(b"\x81\x40a"), "\u{fffd}@a");
        assert_eq!(forced(b"\x81\xb0\xa1a"), "\u{fffd}\u{554a}a");
        assert_eq!(forced(b"\xfe\xfea"), "\u{fffd}\u{fffd}a");
        assert_eq!(forced(b"a\xb0"), "a");
        assert_eq!(forced(b"\xa1\xa4\xa1\xaa"), "\u{30fb}\u{2015}");
    }
}
