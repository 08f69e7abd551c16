//! From Perl's regular expressions to those of PCRE2 and Hyperscan.
//!
//! One walk over the pattern writes both texts. The differences that matter: comments and blanks of
//! `/x` go; bytes above 127 become escapes, and under `/i` C0-DE match E0-FE as in Perl; unknown
//! escaped letters stand for themselves; for Hyperscan, atomic groups and possessive quantifiers
//! become ordinary ones, which match more.

use super::{Error, Flags, Regex};

/// Replaced tags make patterns of 220 KB; what is longer than this is no rule.
const MAX_LENGTH: usize = 1 << 20;
/// PCRE2 stops at 250 nested groups by itself.
const MAX_DEPTH: usize = 250;

/// Translates a pattern without its delimiters.
pub fn translate(source: &[u8], flags: Flags) -> Result<Regex, Error> {
    if source.len() > MAX_LENGTH {
        return Err(Error::TooLong(MAX_LENGTH));
    }
    let mut translator = Translator {
        source,
        at: 0,
        exact: String::with_capacity(source.len() + 16),
        scan: String::with_capacity(source.len() + 16),
        plain: String::with_capacity(source.len() + 16),
        linear: true,
        loosened: false,
        alternation: false,
        cuts: vec![0],
        captures: Vec::new(),
        flags,
        groups: Vec::new(),
    };
    translator.run()?;
    let Translator { exact, scan, plain, linear, loosened, alternation, mut cuts, captures, .. } = translator;
    let linear = linear && !loosened;
    match alternation {
        true => cuts.clear(),
        false => cuts.push(scan.len()),
    }
    cuts.dedup();
    Ok(Regex { exact, scan, plain, linear, loosened, cuts, flags, captures })
}

struct Translator<'a> {
    source: &'a [u8],
    at: usize,
    exact: String,
    scan: String,
    plain: String,
    linear: bool,
    loosened: bool,
    /// Whether there is a `|` outside of all groups, or something else that forbids to cut.
    alternation: bool,
    cuts: Vec<usize>,
    captures: Vec<String>,
    flags: Flags,
    /// For each open group the flags to go back to at its end, and where `plain` is cut there.
    groups: Vec<(Flags, Option<usize>)>,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), Error> {
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => {
                    self.cut();
                    self.escape()?;
                }
                b'[' => {
                    self.cut();
                    self.class()?;
                }
                b'(' => {
                    self.cut();
                    self.group()?;
                }
                b')' => {
                    let (flags, cut) = self.groups.pop().ok_or(Error::Unfinished("group"))?;
                    self.flags = flags;
                    self.both(")");
                    self.linear &= cut.is_none();
                    self.plain.truncate(cut.unwrap_or(self.plain.len()));
                }
                b'|' => {
                    self.alternation |= self.groups.is_empty();
                    self.both("|");
                }
                b'#' if self.flags.extended => self.skip_past(b'\n'),
                byte if self.flags.extended && is_blank(byte) => {}
                b'*' | b'+' | b'?' => self.quantifier(byte as char),
                b'{' => self.brace(),
                b'^' | b'$' | b'.' => {
                    self.cut();
                    // only at the very end in `plain`, also before a last line feed in Perl
                    self.linear &= byte != b'$' || self.flags.multi_line;
                    self.both_char(byte as char);
                }
                byte => {
                    self.cut();
                    self.literal(byte);
                }
            }
        }
        match self.groups.is_empty() {
            true => Ok(()),
            false => Err(Error::Unfinished("group")),
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.source.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte
    }

    fn rest(&self) -> &[u8] {
        &self.source[self.at..]
    }

    fn skip_past(&mut self, end: u8) {
        while self.next().is_some_and(|byte| byte != end) {}
    }

    fn cut(&mut self) {
        if self.groups.is_empty() {
            self.cuts.push(self.scan.len());
        }
    }

    fn both(&mut self, text: &str) {
        self.exact.push_str(text);
        self.loose(text);
    }

    fn both_char(&mut self, char: char) {
        self.exact.push(char);
        self.scan.push(char);
        self.plain.push(char);
    }

    fn loose(&mut self, text: &str) {
        self.scan.push_str(text);
        self.plain.push_str(text);
    }

    /// A byte that stands for itself.
    fn literal(&mut self, byte: u8) {
        match other_case(byte).filter(|_| self.flags.caseless) {
            Some(other) => self.both(&format!("[\\x{byte:02x}\\x{other:02x}]")),
            None => self.both(&spelled(byte)),
        }
    }

    // Blanks of /x may stand before a quantifier's possessive or lazy sign only by mistake: not handled.
    fn quantifier(&mut self, sign: char) {
        self.both_char(sign);
        self.modifier();
    }

    /// The `?` or `+` behind a quantifier.
    fn modifier(&mut self) {
        match self.rest().first() {
            Some(b'?') => {
                self.at += 1;
                self.both("?");
            }
            Some(b'+') => {
                self.at += 1;
                self.exact.push('+');
                self.loosened = true;
            }
            _ => {}
        }
    }

    /// `{2,3}` is a quantifier; any other brace stands for itself.
    fn brace(&mut self) {
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let rest = self.rest();
        let first = digits(rest);
        let length = match rest.get(first) {
            Some(b'}') if first > 0 => first + 1,
            Some(b',') if first > 0 => {
                let second = digits(&rest[first + 1..]);
                match rest.get(first + 1 + second) {
                    Some(b'}') => first + second + 2,
                    _ => 0,
                }
            }
            _ => 0,
        };
        if length == 0 {
            self.cut();
            return self.both("\\{");
        }
        let text = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.at += length;
        self.both("{");
        self.both(&text);
        self.modifier();
    }

    fn escape(&mut self) -> Result<(), Error> {
        let Some(byte) = self.next() else { return Err(Error::Unfinished("escape")) };
        match byte {
            b'x' => {
                let byte = self.hex()?;
                self.literal(byte);
            }
            b'K' => {
                self.exact.push_str("\\K");
                self.linear = false;
            }
            b'R' => {
                self.exact.push_str("\\R");
                self.loose("(?:\\r\\n|[\\n-\\r\\x85])");
                self.loosened = true;
            }
            b'N' if self.rest().first() != Some(&b'{') => self.both("[^\\n]"),
            b'c' => {
                let control = self.next().ok_or(Error::Unfinished("escape"))?;
                self.both(&spelled(control.to_ascii_uppercase() ^ 0x40));
            }
            b'e' => self.both("\\x1b"),
            b'a' => self.both("\\x07"),
            b'g' | b'k' | b'o' | b'p' | b'P' | b'N' => {
                let argument = self.argument();
                let length = self.plain.len();
                self.both_char('\\');
                self.both_char(byte as char);
                self.both(&argument);
                self.linear = false;
                if matches!(byte, b'g' | b'k') {
                    self.alternation = true;
                    self.plain.truncate(length);
                    self.plain.push_str(ANYTHING);
                }
            }
            b'0'..=b'9'
            | b'd'
            | b'D'
            | b's'
            | b'S'
            | b'w'
            | b'W'
            | b'h'
            | b'H'
            | b'v'
            | b'V'
            | b'b'
            | b'B'
            | b'A'
            | b'Z'
            | b'z'
            | b'G'
            | b't'
            | b'n'
            | b'r'
            | b'f'
            | b'X' => {
                // a piece without the group that it refers to would be another pattern
                self.alternation |= byte.is_ascii_digit();
                let length = self.plain.len();
                self.both_char('\\');
                self.both_char(byte as char);
                self.linear &= !matches!(byte, b'1'..=b'9' | b'Z' | b'G' | b'X');
                if let Some(other) = in_plain(byte) {
                    self.plain.truncate(length);
                    self.plain.push_str(other);
                }
            }
            byte => self.literal(byte),
        }
        Ok(())
    }

    /// `{..}`, `<..>`, `'..'` or one character behind an escape.
    fn argument(&mut self) -> String {
        let rest = self.rest();
        let close = match rest.first() {
            Some(b'{') => b'}',
            Some(b'<') => b'>',
            Some(b'\'') => b'\'',
            _ => 0,
        };
        let length = match rest.iter().skip(1).position(|&byte| byte == close) {
            Some(at) if close != 0 => at + 2,
            _ => rest.len().min(1),
        };
        let argument =
            rest[..length].iter().filter(|byte| byte.is_ascii_graphic()).map(|&b| b as char).collect();
        self.at += length;
        argument
    }

    /// What follows `\x`: `{41}`, `41`, `4` or nothing (a NUL).
    fn hex(&mut self) -> Result<u8, Error> {
        let rest = self.rest();
        let (digits, length) = match rest.strip_prefix(b"{") {
            Some(inner) => {
                let end = inner.iter().position(|&byte| byte == b'}').ok_or(Error::Unfinished("escape"))?;
                (&inner[..end], end + 2)
            }
            None => {
                let length = rest.iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
                (&rest[..length], length)
            }
        };
        let value = digits
            .iter()
            .filter_map(|&digit| (digit as char).to_digit(16))
            .fold(0u32, |value, digit| value.saturating_mul(16).saturating_add(digit));
        self.at += length;
        u8::try_from(value).map_err(|_| Error::Wide)
    }

    fn group(&mut self) -> Result<(), Error> {
        if self.groups.len() == MAX_DEPTH {
            return Err(Error::TooDeep(MAX_DEPTH));
        }
        let outer = self.flags;
        let before = self.plain.len();
        let mut cut = None;
        match self.rest() {
            [b'?', b'#', ..] => {
                self.skip_past(b')');
                return Ok(());
            }
            [b'?', b'{', ..] | [b'?', b'?', b'{', ..] => return Err(Error::Code),
            [b'?', b':', ..] => self.open(2, None),
            [b'?', b'=' | b'!', ..] => {
                self.open(2, None);
                cut = Some(before);
            }
            [b'?', b'<', b'=' | b'!', ..] => {
                self.open(3, None);
                cut = Some(before);
            }
            [b'?', b'>' | b'|', ..] => {
                self.open(2, Some("(?:"));
                self.loosened = true;
            }
            [b'?', b'P', b'=' | b'>', ..] | [b'?', b'R' | b'&' | b'(' | b'0'..=b'9', ..] => {
                self.linear = false;
                self.open(1, None);
            }
            [b'?', b'<', ..] => self.named(2, b'>'),
            [b'?', b'P', b'<', ..] => self.named(3, b'>'),
            [b'?', b'\'', ..] => self.named(2, b'\''),
            [b'?', ..] => return self.inline_flags(),
            _ => self.open(0, None),
        }
        self.groups.push((outer, cut));
        Ok(())
    }

    /// Writes an opening parenthesis and `length` bytes behind it.
    fn open(&mut self, length: usize, scan: Option<&str>) {
        let text: String = self.rest().iter().take(length).map(|&byte| byte as char).collect();
        self.at += text.len();
        self.exact.push('(');
        self.exact.push_str(&text);
        match scan {
            Some(scan) => self.loose(scan),
            None => {
                self.loose("(");
                self.loose(&text);
            }
        }
    }

    /// A named group; Hyperscan gets it too, so that back references keep their numbers.
    fn named(&mut self, skip: usize, close: u8) {
        let name: String = self.rest()[skip..]
            .iter()
            .take_while(|&&byte| byte != close && (byte.is_ascii_alphanumeric() || byte == b'_'))
            .map(|&byte| byte as char)
            .collect();
        self.at += skip + name.len();
        self.at += usize::from(self.rest().first() == Some(&close));
        self.exact.push_str(&format!("(?<{name}>"));
        self.loose("(");
        if name.starts_with(|first: char| first.is_ascii_uppercase()) {
            self.captures.push(name);
        }
    }

    /// `(?i)`, `(?-i:`, `(?^:` and kin.
    fn inline_flags(&mut self) -> Result<(), Error> {
        let outer = self.flags;
        self.at += 1;
        let (mut on, mut inner) = (true, outer);
        loop {
            match self.next().ok_or(Error::Unfinished("group"))? {
                b'^' => inner = Flags::default(),
                b'-' => on = false,
                b'i' => inner.caseless = on,
                b'm' => inner.multi_line = on,
                b's' => inner.dot_all = on,
                b'x' => inner.extended = on,
                end @ (b':' | b')') => {
                    let text = difference(outer, inner);
                    self.flags = inner;
                    match end {
                        b':' => {
                            self.groups.push((outer, None));
                            self.both(&format!("(?{text}:"));
                        }
                        _ if text.is_empty() => {}
                        _ => {
                            // from here on a piece would have lost its flags
                            self.alternation |= self.groups.is_empty();
                            self.both(&format!("(?{text})"));
                        }
                    }
                    return Ok(());
                }
                b'a'..=b'z' => {}
                _ => return Err(Error::Unfinished("group")),
            }
        }
    }

    fn class(&mut self) -> Result<(), Error> {
        let mut text = String::from("[");
        // bytes of single members and ranges, whose other case is added at the end
        let mut members = [false; 256];
        if self.rest().first() == Some(&b'^') {
            self.at += 1;
            text.push('^');
        }
        let start = self.at;
        loop {
            let byte = self.next().ok_or(Error::Unfinished("class"))?;
            if byte == b']' && self.at > start + 1 {
                break;
            }
            if byte == b'['
                && self.rest().first() == Some(&b':')
                && let Some(end) = self.rest().windows(2).position(|pair| pair == b":]")
            {
                let name: String = self.rest()[..end + 2].iter().map(|&byte| byte as char).collect();
                self.at += name.len();
                text.push('[');
                text.push_str(&name);
                continue;
            }
            let Some(first) = self.member(byte, &mut text)? else { continue };
            match self.rest() {
                [b'-', next, ..] if *next != b']' => {
                    let before = text.len();
                    self.at += 1;
                    let next = self.next().ok_or(Error::Unfinished("class"))?;
                    text.push('-');
                    match self.member(next, &mut text)? {
                        Some(last) => {
                            members
                                .iter_mut()
                                .take(usize::from(last) + 1)
                                .skip(first.into())
                                .for_each(|m| *m = true);
                        }
                        // `a-\d`: the dash stands for itself
                        None => {
                            text.insert(before, '\\');
                            members[usize::from(first)] = true;
                        }
                    }
                }
                _ => members[usize::from(first)] = true,
            }
        }
        if self.flags.caseless {
            for byte in 0xc0..=0xfe_u8 {
                if let Some(other) = other_case(byte).filter(|_| members[usize::from(byte)]) {
                    text.push_str(&spelled(other));
                }
            }
        }
        text.push(']');
        self.both(&text);
        Ok(())
    }

    /// One member of a class that began with `byte`: its value, or `None` for a class like `\d`.
    fn member(&mut self, byte: u8, text: &mut String) -> Result<Option<u8>, Error> {
        if byte != b'\\' {
            text.push_str(&in_class(byte));
            return Ok(Some(byte));
        }
        let escaped = self.next().ok_or(Error::Unfinished("class"))?;
        let value = match escaped {
            b'd' | b'D' | b's' | b'S' | b'w' | b'W' | b'h' | b'H' | b'v' | b'V' => {
                text.push('\\');
                text.push(escaped as char);
                return Ok(None);
            }
            b'p' | b'P' | b'N' | b'o' => {
                let argument = self.argument();
                text.push('\\');
                text.push(escaped as char);
                text.push_str(&argument);
                return Ok(None);
            }
            b'x' => self.hex()?,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'f' => 0x0c,
            b'e' => 0x1b,
            b'a' => 0x07,
            b'b' => 0x08,
            b'c' => self.next().ok_or(Error::Unfinished("class"))?.to_ascii_uppercase() ^ 0x40,
            b'0'..=b'7' => {
                let more = self.rest().iter().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                let digits = &self.source[self.at - 1..self.at + more];
                let value = digits.iter().fold(0u32, |value, digit| value * 8 + u32::from(digit - b'0'));
                self.at += more;
                u8::try_from(value).map_err(|_| Error::Wide)?
            }
            other => other,
        };
        text.push_str(&in_class(value));
        Ok(Some(value))
    }
}

/// What `(?..)` has to say so that `from` becomes `to`; `x` is gone from the texts already.
fn difference(from: Flags, to: Flags) -> String {
    let pairs = [
        ('i', from.caseless, to.caseless),
        ('m', from.multi_line, to.multi_line),
        ('s', from.dot_all, to.dot_all),
    ];
    let changed = |wanted: bool| pairs.iter().filter(move |(_, old, new)| old != new && *new == wanted);
    let mut text: String = changed(true).map(|(name, ..)| *name).collect();
    if changed(false).next().is_some() {
        text.push('-');
        text.extend(changed(false).map(|(name, ..)| *name));
    }
    text
}

/// The other case of a letter of Latin-1 above ASCII; Perl's `/i` knows them even under `/aa`.
fn other_case(byte: u8) -> Option<u8> {
    match byte {
        0xd7 | 0xf7 => None,
        0xc0..=0xde => Some(byte + 0x20),
        0xe0..=0xfe => Some(byte - 0x20),
        _ => None,
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// A byte that stands for itself, outside of a class.
fn spelled(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'_' => (byte as char).to_string(),
        b'!' | b'"' | b'%' | b'&' | b'\'' | b',' | b'-' | b'/' | b':' | b';' | b'<' | b'=' | b'>' | b'@'
        | b'`' | b'~' => (byte as char).to_string(),
        0x21..=0x7e => format!("\\{}", byte as char),
        _ => format!("\\x{byte:02x}"),
    }
}

/// What stands in `plain` for a back reference: it may be anything.
const ANYTHING: &str = "(?s:.*)";

/// How `plain` spells an escape that is not the same in the dialect it is read in.
fn in_plain(escape: u8) -> Option<&'static str> {
    Some(match escape {
        b'1'..=b'9' => ANYTHING,
        b'h' => "[ \\t\\xa0]",
        b'H' => "[^ \\t\\xa0]",
        b'v' => "[\\n-\\r\\x85]",
        b'V' => "[^\\n-\\r\\x85]",
        b's' => "[\\t-\\r ]",
        b'Z' => "\\z",
        b'G' => "",
        _ => return None,
    })
}

/// The same inside of a class.
fn in_class(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'_' | b'<' | b'>' => (byte as char).to_string(),
        0x21..=0x7e => format!("\\{}", byte as char),
        _ => format!("\\x{byte:02x}"),
    }
}

#[cfg(test)]
mod tests;
