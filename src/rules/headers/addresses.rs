//! Address lists as they are found in mail: RFC 5322, read with patience.

/// One mailbox of a list. Bytes as they stand in the header; names are not decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The display name or, without one, the comment; quotes and escapes are gone.
    pub name: Vec<u8>,
    /// Empty for `<>`.
    pub address: Vec<u8>,
}

/// Lists of thousands of addresses are cut here.
const MAX_ADDRESSES: usize = 1000;
/// Comments in comments.
const MAX_DEPTH: usize = 20;

/// The mailboxes of one or more header values; what is none yields nothing.
pub fn parse(text: &[u8]) -> Vec<Address> {
    let mut parser =
        Parser { text, at: 0, found: Vec::new(), phrase: Vec::new(), comment: Vec::new(), angle: None };
    parser.run();
    parser.found
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    found: Vec<Address>,
    /// What stood before an angle bracket, or a bare address.
    phrase: Vec<u8>,
    comment: Vec<u8>,
    angle: Option<Vec<u8>>,
}

impl Parser<'_> {
    fn run(&mut self) {
        while self.found.len() < MAX_ADDRESSES {
            let Some(&byte) = self.text.get(self.at) else { break };
            self.at += 1;
            match byte {
                b'"' => self.quoted(),
                b'(' => self.comment(),
                b'<' => self.angle(),
                b',' | b';' => self.finish(),
                // a new field follows, unless the line is folded
                b'\n' if !matches!(self.text.get(self.at), Some(b' ' | b'\t')) => self.finish(),
                // the name of a group
                b':' if self.angle.is_none() && !self.phrase.contains(&b'@') => self.phrase.clear(),
                b'\n' | b'\r' | b'\t' => self.phrase.push(b' '),
                byte => self.phrase.push(byte),
            }
        }
        self.finish();
    }

    fn quoted(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => return,
                b'\\' => {
                    self.phrase.extend(self.text.get(self.at));
                    self.at += 1;
                }
                b'\n' | b'\r' => {}
                byte => self.phrase.push(byte),
            }
        }
    }

    fn comment(&mut self) {
        let mut depth = 1;
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b'(' if depth < MAX_DEPTH => depth += 1,
                b')' => depth -= 1,
                b'\\' => {
                    self.comment.extend(self.text.get(self.at));
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            match depth {
                0 => return,
                _ if matches!(byte, b'\n' | b'\r') => {}
                _ => self.comment.push(byte),
            }
        }
    }

    fn angle(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(end) = memchr::memchr(b'>', rest) else {
            self.at = self.text.len();
            return;
        };
        let inner: Vec<u8> =
            rest.iter().take(end).filter(|byte| !byte.is_ascii_whitespace()).copied().collect();
        self.at += end + 1;
        // a route (`@a,@b:`) may stand before the address
        let start = match inner.first() {
            Some(b'@') => inner.iter().position(|&byte| byte == b':').map_or(0, |colon| colon + 1),
            _ => 0,
        };
        self.angle = Some(inner.get(start..).unwrap_or_default().to_vec());
    }

    fn finish(&mut self) {
        let phrase = self.phrase.trim_ascii().to_vec();
        let comment = self.comment.trim_ascii().to_vec();
        self.phrase.clear();
        self.comment.clear();
        let address = match self.angle.take() {
            Some(inner) if is_address(&inner) => {
                let name = if phrase == inner { Vec::new() } else { phrase };
                Address { name, address: inner }
            }
            Some(inner) if inner.is_empty() && phrase.is_empty() => return,
            // `"a@b.example" <c>`: the phrase is the address
            Some(_) if is_address(&phrase) => Address { name: Vec::new(), address: phrase },
            Some(_) if !phrase.is_empty() => Address { name: phrase, address: Vec::new() },
            Some(_) => return,
            None if is_address(&phrase) => Address { name: comment, address: phrase },
            None => return,
        };
        self.found.push(address);
    }
}

/// `local@domain`, both not empty and without blanks.
fn is_address(text: &[u8]) -> bool {
    let Some(at) = text.iter().rposition(|&byte| byte == b'@') else { return false };
    let (local, domain) = (&text[..at], &text[at + 1..]);
    let plain = |byte: &u8| !byte.is_ascii_whitespace() && !byte.is_ascii_control();
    !local.is_empty()
        && !domain.is_empty()
        && local.iter().all(plain)
        && domain
            .iter()
            .all(|byte| plain(byte) && !matches!(byte, b',' | b';' | b'<' | b'>' | b'(' | b')' | b'"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let text_of = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        parse(text.as_bytes()).into_iter().map(|a| (text_of(a.name), text_of(a.address))).collect()
    }

    fn pair(name: &str, address: &str) -> Vec<(String, String)> {
        vec![(name.into(), address.into())]
    }

    #[test]
    fn the_usual_forms() {
        assert_eq!(pairs("Ann Lee <ann@x.example>\n"), pair("Ann Lee", "ann@x.example"));
        assert_eq!(pairs(" \"Lee, Ann\" <ann@x.example>"), pair("Lee, Ann", "ann@x.example"));
        assert_eq!(pairs("ann@x.example (Ann (the one) Lee)"), pair("Ann (the one) Lee", "ann@x.example"));
        assert_eq!(pairs("<ann@x.example>"), pair("", "ann@x.example"));
        assert_eq!(pairs("\"ann@x.example\" <ann@x.example>"), pair("", "ann@x.example"));
        assert_eq!(pairs("Ann\n <ann@x.example>\n"), pair("Ann", "ann@x.example"));
    }

    #[test]
    fn lists_groups_and_several_headers() {
        let two = [("A".to_owned(), "a@x.example".to_owned()), (String::new(), "b@y.example".to_owned())];
        assert_eq!(pairs("A <a@x.example>, b@y.example"), two);
        assert_eq!(pairs("friends: A <a@x.example>, b@y.example;"), two);
        assert_eq!(pairs("A <a@x.example>\n b@y.example\n").len(), 1);
        assert_eq!(pairs("A <a@x.example>\nb@y.example\n"), two);
    }

    #[test]
    fn what_is_no_address_yields_nothing() {
        for text in ["", "<>", "undisclosed-recipients:;", "Ann Lee", "a@", "@b", "((((", "\"open", "<open"] {
            assert_eq!(pairs(text), [], "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_parsed(text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..100)) {
            for address in parse(&text) {
                assert!(address.address.is_empty() || address.address.contains(&b'@'));
            }
        }

        #[test]
        fn list_like_text_is_parsed(text in r#"[a@<>,;:()"\\ \n.]{0,40}"#) {
            parse(text.as_bytes());
        }
    }
}
