//! Links in running text, by SpamAssassin's rules: what Thunderbird or Outlook Express would make a link of,
//! and bare host names that end in a top-level domain.

use super::domain::Boundaries;

/// What a link was recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By<'t> {
    /// `http://`, `ftp://`, or a name that starts with `www.` or `ftp.`.
    Scheme,
    /// `mailto:` or an `@`.
    Mail,
    /// This host name in the open.
    Host(&'t [u8]),
}

const END: u8 = 1;
const MAIL_END: u8 = 2;
const START: u8 = 4;
const HOST_START: u8 = 8;
const HOST: u8 = 16;
const WORD: u8 = 32;
const TRAILING: u8 = 64;

/// What each byte may be: the end of a link, of an address, what may stand before a link, and so on.
const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        let space = matches!(byte, b'\t'..=b'\r' | b' ' | 0x1b | 0xa0);
        let mut class = 0;
        if space || matches!(byte, b'>' | b'<' | b'"' | b'`' | b'}' | b']' | b'{' | b'[' | b'|') {
            class |= END | MAIL_END;
        }
        if matches!(byte, b',' | b'(' | b'\'' | 0x80..) {
            class |= MAIL_END;
        }
        if space || matches!(byte, b'>' | b'<' | b'"' | b'\'' | b'`' | b',' | b'{' | b'[' | b'(' | b'|') {
            class |= START;
        }
        if space || (byte.is_ascii_punctuation() && !matches!(byte, b'%' | b'-' | b'.' | b'_')) {
            class |= HOST_START;
        }
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-') {
            class |= HOST;
        }
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            class |= WORD;
        }
        if byte.is_ascii_punctuation()
            && !matches!(
                byte,
                b'"' | b'$' | b'%' | b'/' | b'<' | b'>' | b'[' | b'\\' | b']' | b'`' | b'{' | b'|' | b'}'
            )
        {
            class |= TRAILING;
        }
        table[index] = class;
        index += 1;
    }
    table
}

fn is(byte: u8, class: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|classes| classes & class != 0)
}

/// The longest run after a scheme or `mailto:` or in a path, and on either side of an `@`.
const LONGEST_RUN: usize = 2048;
const LONGEST_SIDE: usize = 251;
/// The longest host name before its top-level domain.
const LONGEST_HOST: usize = 252;

/// Calls `found` with each link of `text` as it stands there.
pub fn links<'t>(text: &'t [u8], boundaries: &Boundaries, mut found: impl FnMut(&'t [u8], By<'t>)) {
    let mut done = 0;
    for at in memchr::memchr3_iter(b'.', b'@', b':', text) {
        if at < done
            || (text.get(at) == Some(&b':') && !text.get(at + 1..).is_some_and(|t| t.starts_with(b"//")))
        {
            continue;
        }
        let before = text.get(done..at).unwrap_or_default();
        let start = before.iter().rposition(|&byte| is(byte, END)).map_or(done, |end| done + end + 1);
        let after = text.get(at..).unwrap_or_default();
        let end = at + after.iter().position(|&byte| is(byte, END)).unwrap_or(after.len());
        done = end;
        // Punctuation at the end of a sentence makes no link.
        let has_more = text.get(at + 1..end).is_some_and(|rest| rest.iter().any(|&byte| !is(byte, TRAILING)));
        if has_more || text.get(at) == Some(&b'@') {
            Token { text, start, end, boundaries }.links(&mut found);
        }
    }
}

/// A run of text without a byte that ends all kinds of links.
struct Token<'t, 'b> {
    text: &'t [u8],
    start: usize,
    end: usize,
    boundaries: &'b Boundaries,
}

impl<'t> Token<'t, '_> {
    fn at(&self, index: usize) -> u8 {
        self.text.get(index).copied().unwrap_or(0)
    }

    fn rest(&self, from: usize) -> &'t [u8] {
        self.text.get(from..self.end).unwrap_or_default()
    }

    fn links(&self, found: &mut impl FnMut(&'t [u8], By<'t>)) {
        let mut at = self.start;
        // Ends of runs that hold for all starts before them, so that no byte is looked at more than once.
        let mut ahead = Ahead { sign: self.start, mail_end: self.start, host_end: self.start };
        while at < self.end {
            ahead.refresh(self, at);
            match self.may_start(at).then(|| self.link(at, &ahead)).flatten() {
                Some((end, by)) if end > at => {
                    found(self.text.get(at..end).unwrap_or_default(), by);
                    at = end;
                }
                _ => at += 1,
            }
        }
    }

    /// Whether a link may start here: at a word boundary, after a delimiter, after a charset switch of ISO-2022.
    fn may_start(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1).map(|index| self.at(index)) else {
            return is(self.at(at), WORD);
        };
        is(before, WORD) != is(self.at(at), WORD)
            || is(before, START)
            || (at >= 3 && self.at(at - 3) == 0x1b && self.at(at - 2) == b'(')
    }

    fn link(&self, at: usize, ahead: &Ahead) -> Option<(usize, By<'t>)> {
        self.known_scheme(at)
            .map(|end| (end, By::Scheme))
            .or_else(|| self.mail(at, ahead).map(|end| (end, By::Mail)))
            .or_else(|| self.bare_host(at, ahead))
    }

    fn known_scheme(&self, at: usize) -> Option<usize> {
        let rest = self.rest(at);
        let named =
            |name: &[u8]| rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        let prefix = match rest.first()?.to_ascii_lowercase() {
            b'h' if named(b"http://") => 7,
            b'h' if named(b"https://") => 8,
            b'f' if named(b"ftp://") => 6,
            b'f' if named(b"ftp.") => 4,
            b'w' if named(b"www") => {
                let digits = rest.iter().skip(3).take(2).take_while(|byte| byte.is_ascii_digit()).count();
                if rest.get(3 + digits) != Some(&b'.') {
                    return None;
                }
                4 + digits
            }
            _ => return None,
        };
        (1..=LONGEST_RUN).contains(&(rest.len() - prefix.min(rest.len()))).then_some(self.end)
    }

    fn mail(&self, at: usize, ahead: &Ahead) -> Option<usize> {
        let rest = self.rest(at);
        if rest.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"mailto:"))
            && (1..=LONGEST_RUN).contains(&ahead.mail_end.saturating_sub(at + 7))
        {
            return Some(ahead.mail_end);
        }
        let is_address = ahead.sign < ahead.mail_end
            && (1..=LONGEST_SIDE).contains(&(ahead.sign - at))
            && (1..=LONGEST_SIDE).contains(&(ahead.mail_end - ahead.sign - 1));
        is_address.then_some(ahead.mail_end)
    }

    /// A host name that ends in a top-level domain, with a port and a path if there are any.
    fn bare_host(&self, at: usize, ahead: &Ahead) -> Option<(usize, By<'t>)> {
        if !self.at(at).is_ascii_alphanumeric() || (at > 0 && !is(self.at(at - 1), HOST_START)) {
            return None;
        }
        let run = self.text.get(at..ahead.host_end)?;
        let host = run.strip_suffix(b".").unwrap_or(run);
        let dot = memchr::memrchr(b'.', host).filter(|dot| (1..=LONGEST_HOST).contains(dot))?;
        let label = std::str::from_utf8(host.get(dot + 1..)?).ok().filter(|label| label.len() <= 63)?;
        if !self.boundaries.is_tld(&label.to_ascii_lowercase()) {
            return None;
        }
        let mut end = at + run.len();
        if self.at(end) == b':' && end < self.end {
            let digits = self.rest(end + 1).iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
            if digits > 0 {
                end += 1 + digits;
            }
        }
        if end < self.end && self.at(end) == b'/' && (1..=LONGEST_RUN).contains(&(self.end - end - 1)) {
            end = self.end;
        }
        (end == self.end).then_some((end, By::Host(host)))
    }
}

/// The next `@`, the next end of an address, and the end of the host name, each at or after a start.
struct Ahead {
    sign: usize,
    mail_end: usize,
    host_end: usize,
}

impl Ahead {
    fn refresh(&mut self, token: &Token<'_, '_>, at: usize) {
        let next = |test: &dyn Fn(u8) -> bool| {
            let rest = token.rest(at);
            at + rest.iter().position(|&byte| test(byte)).unwrap_or(rest.len())
        };
        if self.sign <= at {
            self.sign = next(&|byte| byte == b'@');
        }
        if self.mail_end <= at {
            self.mail_end = next(&|byte| is(byte, MAIL_END));
        }
        if self.host_end <= at {
            self.host_end = next(&|byte| !is(byte, HOST));
        }
    }
}

/// The link less what is not part of it: from a `)` that nothing opened, and punctuation at its end.
pub fn trimmed(link: &[u8]) -> &[u8] {
    let open = memchr::memchr(b'(', link).unwrap_or(link.len());
    let close = link.get(..open).and_then(|head| memchr::memrchr(b')', head));
    let link = close.and_then(|end| link.get(..end)).unwrap_or(link);
    let end = link.iter().rposition(|&byte| !is(byte, TRAILING)).map_or(0, |last| last + 1);
    link.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        links(text.as_bytes(), &Boundaries::default(), |link, by| {
            let kind = match by {
                By::Scheme => 's',
                By::Mail => 'm',
                By::Host(_) => 'h',
            };
            out.push(format!("{kind} {}", String::from_utf8_lossy(trimmed(link))));
        });
        out
    }

    #[test]
    fn finds_links_in_sentences() {
        for (text, expected) in [
            ("Visit http://example.com/x?y=z.", &["s http://example.com/x?y=z"][..]),
            ("(see www.example.com)", &["s www.example.com"]),
            ("WWW2.example.com, ftp.example.com!", &["s WWW2.example.com", "s ftp.example.com"]),
            ("<a.b@example.com>,c@d.org;", &["m a.b@example.com", "m c@d.org"]),
            ("mailto:a@b.com?subject=x", &["m mailto:a@b.com?subject=x"]),
            ("example.com", &["h example.com"]),
            (
                "go to example.com. Or example.org/path, or example.net:80/x",
                &["h example.com", "h example.org/path", "h example.net:80/x"],
            ),
            ("example.com/ ends in nothing", &[]),
            ("no.notatld, 3.14 and e.g. this... or that.", &[]),
            ("http://a.com/b(c)d http://a.com/b)d", &["s http://a.com/b(c)d", "s http://a.com/b"]),
            ("x\"http://a.com\"y [http://b.com]", &["s http://a.com", "s http://b.com"]),
            ("xhttp://a.com/x=1", &["h a.com/x=1"]),
            ("foo_example.com -example.com", &["h foo_example.com"]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_letters_end_addresses() {
        assert_eq!(found("\u{e9}a@example.com\u{e9}"), ["m a@example.com"]);
        // The second byte of this letter is that of a no-break space.
        let mut links_found = Vec::new();
        links("http://a.com/\u{e0}b".as_bytes(), &Boundaries::default(), |link, _| {
            links_found.push(link.to_vec())
        });
        assert_eq!(links_found, [b"http://a.com/\xc3".to_vec()]);
    }

    #[test]
    fn long_runs_are_no_links() {
        assert_eq!(found(&format!("http://a.com/{}", "x".repeat(2100))), Vec::<String>::new());
        assert_eq!(found(&format!("{}@b.com", "x".repeat(252))), ["h b.com"]);
    }
}
