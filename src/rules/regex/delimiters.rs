//! `/re/flags`, `m{re}flags` and kin: what stands between the delimiters.

use super::{Error, Flags};

/// A pattern without its delimiters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delimited<'a> {
    pub source: &'a [u8],
    pub flags: Flags,
}

impl<'a> Delimited<'a> {
    /// Takes the delimiters and flags off.
    pub fn parse(text: &'a [u8]) -> Result<Delimited<'a>, Error> {
        let (open, inner) = opening(text).ok_or(Error::NoDelimiters)?;
        let close = match open {
            b'{' => b'}',
            b'(' => b')',
            b'<' => b'>',
            b'[' => b']',
            same => same,
        };
        let end = inner.iter().rposition(|&byte| byte == close).ok_or(Error::NoDelimiters)?;
        let (source, rest) = (&inner[..end], &inner[end + 1..]);
        if open == close && has_unescaped(source, close) {
            return Err(Error::Delimiter);
        }
        Ok(Delimited { source, flags: flags(rest)? })
    }
}

// `/`, or `m` or `qr` and any delimiter.
fn opening(text: &[u8]) -> Option<(u8, &[u8])> {
    let rest = match text {
        [b'/', rest @ ..] => return Some((b'/', rest)),
        [b'm', rest @ ..] | [b'q', b'r', rest @ ..] => rest,
        _ => return None,
    };
    let (&open, inner) = rest.split_first()?;
    (!open.is_ascii_alphanumeric() && open != b'_' && !open.is_ascii_whitespace()).then_some((open, inner))
}

fn has_unescaped(source: &[u8], delimiter: u8) -> bool {
    let mut bytes = source.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            byte if byte == delimiter => return true,
            _ => {}
        }
    }
    false
}

fn flags(text: &[u8]) -> Result<Flags, Error> {
    let mut flags = Flags::default();
    for byte in text {
        match byte {
            b'i' => flags.caseless = true,
            b'm' => flags.multi_line = true,
            b's' => flags.dot_all = true,
            b'x' => flags.extended = true,
            b'a'..=b'z' if *byte != b'e' => {}
            _ => return Err(Error::Flags(String::from_utf8_lossy(text).into_owned())),
        }
    }
    Ok(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Result<&str, Error> {
        Delimited::parse(text.as_bytes()).map(|d| std::str::from_utf8(d.source).unwrap())
    }

    #[test]
    fn all_kinds_of_delimiters() {
        for text in ["/a b/", "m/a b/i", "m{a b}", "m(a b)gi", "m<a b>", "m[a b]", "m!a b!", "qr,a b,x"] {
            assert_eq!(source(text), Ok("a b"), "{text}");
        }
        assert_eq!(source(r"/a\/b/"), Ok(r"a\/b"));
        assert_eq!(source("m{a{2}b}"), Ok("a{2}b"));
    }

    #[test]
    fn what_is_no_pattern() {
        assert_eq!(source("a b"), Err(Error::NoDelimiters));
        assert_eq!(source("/a b"), Err(Error::NoDelimiters));
        assert_eq!(source("/a/b/"), Err(Error::Delimiter));
        assert_eq!(source("/ab/e"), Err(Error::Flags("e".into())));
        assert_eq!(source("/ab/ trailing"), Err(Error::Flags(" trailing".into())));
        assert_eq!(source("m"), Err(Error::NoDelimiters));
    }
}
