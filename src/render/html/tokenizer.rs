//! HTML into tokens in the manner of Perl's HTML::Parser, which SpamAssassin reads mail with: no tree, no
//! nesting, so the time is linear in the input whatever it nests, leaves open or repeats.
//!
//! What it takes for what was found by experiment with HTML::Parser 3.81 (marked sections on, all else at
//! its default).

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::entities::{self, Place};

/// One token. Slices are of the input, nothing is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'h> {
    /// Text between markup; `literal` text (of a script, a style, a CDATA section) holds no entities.
    Text { raw: &'h str, literal: bool },
    /// A start tag by its name as written; its attributes are in [`Tokenizer::attributes`].
    Start(&'h str),
    /// An end tag by its name as written.
    End(&'h str),
    /// A comment or what browsers take for one, delimiters and all.
    Comment(&'h str),
    /// A doctype or entity declaration, delimiters and all.
    Declaration(&'h str),
}

/// One attribute of a start tag, as written; entities are not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'h> {
    pub name: &'h str,
    /// Without its quotes; `None` where there is a name only.
    pub value: Option<&'h str>,
}

impl<'h> Attribute<'h> {
    /// The value with its character references decoded; an attribute without one has its name as value.
    pub fn decoded(&self) -> Cow<'h, str> {
        let Some(raw) = self.value else { return Cow::Borrowed(self.name) };
        if memchr(b'&', raw.as_bytes()).is_none() {
            return Cow::Borrowed(raw);
        }
        let mut value = String::with_capacity(raw.len());
        entities::decode(raw, Place::Attribute, &mut value);
        Cow::Owned(value)
    }
}

/// The value of the first attribute of that name (in lower case).
pub fn value<'h>(attributes: &[Attribute<'h>], name: &str) -> Option<Cow<'h, str>> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name)).map(Attribute::decoded)
}

/// Elements whose content is text up to their end tag, and whether entities stay as they are in it.
const LITERAL: [(&str, bool); 7] = [
    ("script", true),
    ("style", true),
    ("xmp", true),
    ("iframe", true),
    ("plaintext", true),
    ("title", false),
    ("textarea", false),
];

/// No element has as many attributes as this.
const MAX_ATTRIBUTES: usize = 256;

/// Bytes of declarations that turned out to be none, read twice therefore; then they are not tried any more.
const WASTE: usize = 64 << 10;

/// What a marked section (`<![CDATA[ ... ]]>`) makes of its content, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    None,
    Include,
    Rcdata,
    Cdata,
    Ignore,
}

/// What a piece of markup turned out to be.
enum Markup<'h> {
    Token(Token<'h>, usize),
    /// Nothing to report, go on at this offset.
    Skip(usize),
    /// It has no end.
    Open,
}

/// Reads tokens until the input is at its end.
#[derive(Debug)]
pub struct Tokenizer<'h> {
    text: &'h str,
    bytes: &'h [u8],
    /// Where the next token starts, and where the search for its end goes on.
    start: usize,
    attributes: Vec<Attribute<'h>>,
    literal: Option<(&'static str, bool)>,
    /// The open marked sections, each with the strongest of all that hold it.
    sections: Vec<Section>,
    /// An end tag that was never written, for an element that the end of the input closes.
    pending: Option<&'static str>,
    /// A token that waits for `pending`.
    queued: Option<Token<'h>>,
    /// The rest has no end: comments are closed by the next `>` now.
    lenient: bool,
    ended: bool,
    waste: usize,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b':'
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b'-')
}

impl<'h> Tokenizer<'h> {
    pub fn new(text: &'h str) -> Tokenizer<'h> {
        Tokenizer {
            text,
            bytes: text.as_bytes(),
            start: 0,
            attributes: Vec::new(),
            literal: None,
            sections: Vec::new(),
            pending: None,
            queued: None,
            lenient: false,
            ended: false,
            waste: 0,
        }
    }

    /// The attributes of the start tag that was read last.
    pub fn attributes(&self) -> &[Attribute<'h>] {
        &self.attributes
    }

    /// The next token; `None` at the end.
    pub fn next_token(&mut self) -> Option<Token<'h>> {
        if let Some(token) = self.queued.take() {
            return Some(token);
        }
        loop {
            match self.token()? {
                Token::Text { raw: "", .. } => {}
                token @ (Token::Text { .. } | Token::Comment(_)) => return Some(token),
                // The element that the end of the input closes is closed before the next tag.
                token => match self.pending.take() {
                    Some(name) if token != Token::End(name) => {
                        self.queued = Some(token);
                        return Some(Token::End(name));
                    }
                    _ => return Some(token),
                },
            }
        }
    }

    fn at(&self, index: usize) -> u8 {
        self.bytes.get(index).copied().unwrap_or(0)
    }

    fn slice(&self, from: usize, to: usize) -> &'h str {
        self.text.get(from..to).unwrap_or("")
    }

    fn find(&self, byte: u8, from: usize) -> Option<usize> {
        memchr(byte, self.bytes.get(from..)?).map(|offset| from + offset)
    }

    fn skip_while(&self, from: usize, test: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        from + rest.iter().position(|&byte| !test(byte)).unwrap_or(rest.len())
    }

    fn section(&self) -> Section {
        self.sections.last().copied().unwrap_or(Section::None)
    }

    /// The next token of the input as far as it is whole; at its end, of what is left.
    fn token(&mut self) -> Option<Token<'h>> {
        loop {
            if self.ended {
                return self.rest();
            }
            if let Some((name, is_literal)) = self.literal {
                let token = self.literal_text(name, is_literal);
                if self.section() == Section::Ignore {
                    continue;
                }
                return Some(token);
            }
            let step = match self.section() {
                section @ (Section::Cdata | Section::Rcdata) => self.marked_text(section == Section::Cdata),
                section => self.text_or_markup(section),
            };
            match step {
                Some(Some(token)) => return Some(token),
                Some(None) => {}
                None => self.ended = true,
            }
        }
    }

    /// The content of a script, a title and the like, then its end tag.
    fn literal_text(&mut self, name: &'static str, is_literal: bool) -> Token<'h> {
        match self.literal_end(name) {
            Some((end, _)) if end > self.start => {
                let raw = self.slice(self.start, end);
                self.start = end;
                Token::Text { raw, literal: is_literal }
            }
            Some((_, after)) => {
                let end = self.start + 2 + name.len();
                let tag = self.slice(self.start + 2, end);
                self.start = after;
                self.literal = None;
                Token::End(tag)
            }
            None => self.unclosed(name, is_literal),
        }
    }

    /// Where the end tag of the literal element starts and ends.
    fn literal_end(&self, name: &str) -> Option<(usize, usize)> {
        let mut from = self.start;
        loop {
            let open = self.find(b'<', from).filter(|_| name != "plaintext")?;
            let after = open + 2 + name.len();
            if self.at(open + 1) == b'/'
                && self
                    .bytes
                    .get(open + 2..after)
                    .is_some_and(|tag| tag.eq_ignore_ascii_case(name.as_bytes()))
            {
                let close = self.skip_while(after, is_space);
                if self.at(close) == b'>' {
                    return Some((open, close + 1));
                }
            }
            from = open + 1;
        }
    }

    /// A literal element without an end tag: scripts and styles take all the rest, of a title it is markup.
    fn unclosed(&mut self, name: &'static str, is_literal: bool) -> Token<'h> {
        self.literal = None;
        if name == "title" {
            self.pending = Some("title");
            return Token::Text { raw: "", literal: false };
        }
        let raw = self.slice(self.start, self.bytes.len());
        self.start = self.bytes.len();
        self.ended = true;
        // SpamAssassin closes scripts and styles at the end of the text.
        if name == "script" || name == "style" {
            self.pending = Some(name);
        }
        Token::Text { raw, literal: is_literal }
    }

    /// Text of a CDATA section up to its `]]>`; the outer `None` where it has no end.
    fn marked_text(&mut self, is_literal: bool) -> Option<Option<Token<'h>>> {
        let rest = self.bytes.get(self.start..)?;
        let end = self.start + memmem::find(rest, b"]]>")?;
        let raw = self.slice(self.start, end);
        self.start = end + 3;
        self.sections.pop();
        Some((!raw.is_empty()).then_some(Token::Text { raw, literal: is_literal }))
    }

    /// Text up to the next markup, or that markup; the outer `None` at the end of what is whole.
    fn text_or_markup(&mut self, section: Section) -> Option<Option<Token<'h>>> {
        let mut at = self.start;
        // A `<` that starts nothing is text, and so is what follows it, as one token with it. (To HTML::Parser a run
        // of them is a token each, which makes no difference to anybody but time.)
        while self.at(at) == b'<' && self.bytes.len() - at >= 3 && !self.opens(at) {
            at += 1;
        }
        let end = match section {
            Section::None => self.find(b'<', at),
            _ => match self.section_text(at) {
                Ok(end) => end,
                Err((end, after)) => {
                    let raw = self.slice(self.start, end);
                    self.start = after;
                    self.sections.pop();
                    let visible = section != Section::Ignore && !raw.is_empty();
                    return Some(visible.then_some(Token::Text { raw, literal: false }));
                }
            },
        };
        let Some(end) = end else {
            let whole = self.whole_words();
            if whole == self.start {
                return None;
            }
            let raw = self.slice(self.start, whole);
            self.start = whole;
            return Some((section != Section::Ignore).then_some(Token::Text { raw, literal: false }));
        };
        if end > self.start {
            let raw = self.slice(self.start, end);
            self.start = end;
            return Some((section != Section::Ignore).then_some(Token::Text { raw, literal: false }));
        }
        if self.bytes.len() - end < 3 {
            return None;
        }
        match self.markup(end) {
            Markup::Token(token, after) => {
                self.start = after;
                Some((section != Section::Ignore).then_some(token))
            }
            Markup::Skip(after) => {
                self.start = after;
                Some(None)
            }
            Markup::Open => None,
        }
    }

    /// Where the last text of the input is cut, in case that more follows: white space at its end is a token of
    /// its own, else the last word with the white space before it.
    fn whole_words(&self) -> usize {
        let rest = self.bytes.get(self.start..).unwrap_or_default();
        let end = match rest.last() {
            Some(&last) if is_space(last) => rest.len(),
            _ => rest.iter().rposition(|&byte| is_space(byte)).map_or(0, |blank| blank + 1),
        };
        let words = rest.get(..end).unwrap_or_default();
        self.start + words.iter().rposition(|&byte| !is_space(byte)).map_or(0, |last| last + 1)
    }

    /// The next `<` within a marked section, or as an error the `]]>` that closes it and what follows.
    fn section_text(&self, from: usize) -> Result<Option<usize>, (usize, usize)> {
        let mut at = from;
        while at < self.bytes.len() {
            match self.at(at) {
                b'<' => return Ok(Some(at)),
                b']' => {
                    let end = at;
                    at += 1;
                    if self.at(at) == b']' {
                        at += 1;
                        if self.at(at) == b'>' {
                            return Err((end, at + 1));
                        }
                    }
                }
                _ => {}
            }
            at += 1;
        }
        Ok(None)
    }

    /// Whether the `<` at this offset starts markup.
    fn opens(&self, at: usize) -> bool {
        let next = self.at(at + 1);
        is_name_start(next) || matches!(next, b'/' | b'!' | b'?')
    }

    fn markup(&mut self, open: usize) -> Markup<'h> {
        match self.at(open + 1) {
            b'/' => self.end_tag(open),
            b'!' => self.declaration(open),
            b'?' => self.find(b'>', open + 2).map_or(Markup::Open, |end| Markup::Skip(end + 1)),
            _ => self.start_tag(open).unwrap_or(Markup::Open),
        }
    }

    /// A start tag with its attributes; `None` where it has no end.
    fn start_tag(&mut self, open: usize) -> Option<Markup<'h>> {
        self.attributes.clear();
        let name_end = self.skip_while(open + 1, |byte| !is_space(byte) && byte != b'>');
        let name = self.slice(open + 1, name_end);
        let mut at = self.skip_while(name_end, is_space);
        while *self.bytes.get(at)? != b'>' {
            let end = self.skip_while(at + 1, |byte| !is_space(byte) && byte != b'=' && byte != b'>');
            // The first byte of a name may be any, so it may be the first of a character.
            let name = self.slice(at, end);
            at = self.skip_while(end, is_space);
            let mut value = None;
            if *self.bytes.get(at)? == b'=' {
                at = self.skip_while(at + 1, is_space);
                match *self.bytes.get(at)? {
                    b'>' => value = Some(""),
                    quote @ (b'"' | b'\'') => {
                        let end = self.find(quote, at + 1)?;
                        value = Some(self.slice(at + 1, end));
                        at = end + 1;
                    }
                    _ => {
                        let end = self.skip_while(at, |byte| !is_space(byte) && byte != b'>');
                        value = Some(self.slice(at, end));
                        at = end;
                    }
                }
                at = self.skip_while(at, is_space);
            }
            if self.attributes.len() < MAX_ATTRIBUTES {
                self.attributes.push(Attribute { name, value });
            }
        }
        self.literal = LITERAL.iter().copied().find(|(literal, _)| name.eq_ignore_ascii_case(literal));
        Some(Markup::Token(Token::Start(name), at + 1))
    }

    fn end_tag(&self, open: usize) -> Markup<'h> {
        let name = open + 2;
        let end = self.skip_while(name, |byte| !is_space(byte) && byte != b'>');
        match self.closing_angle(end) {
            None => Markup::Open,
            Some(close) if end > name => Markup::Token(Token::End(self.slice(name, end)), close + 1),
            Some(close) => Markup::Token(Token::Comment(self.slice(open, close + 1)), close + 1),
        }
    }

    /// The next `>` that no quotes hide. Quotes open after a blank or `=` only.
    fn closing_angle(&self, from: usize) -> Option<usize> {
        let (mut quote, mut previous) = (0, b' ');
        for (offset, &byte) in self.bytes.get(from..)?.iter().enumerate() {
            match byte {
                b'>' if quote == 0 => return Some(from + offset),
                b'"' | b'\'' if byte == quote => quote = 0,
                b'"' | b'\'' if quote == 0 && (previous == b' ' || previous == b'=') => quote = byte,
                _ => {}
            }
            previous = byte;
        }
        None
    }

    fn declaration(&mut self, open: usize) -> Markup<'h> {
        let at = open + 2;
        match self.at(at) {
            b'-' if self.at(at + 1) == b'-' => return self.comment(open),
            b'[' => match self.marked_section(at + 1) {
                Some(Some(after)) => return Markup::Skip(after),
                Some(None) => {}
                None => return Markup::Open,
            },
            b'>' => return Markup::Token(Token::Comment(self.slice(open, at + 1)), at + 1),
            byte if byte.is_ascii_alphabetic() && self.waste < WASTE => match self.doctype(at) {
                Some(Ok(end)) => return Markup::Token(Token::Declaration(self.slice(open, end)), end),
                Some(Err(failed)) => self.waste += failed - at,
                None => return Markup::Open,
            },
            _ => {}
        }
        // Anything else up to the next `>` is a comment.
        match self.closing_angle(at) {
            Some(close) => Markup::Token(Token::Comment(self.slice(open, close + 1)), close + 1),
            None => Markup::Open,
        }
    }

    fn comment(&self, open: usize) -> Markup<'h> {
        let body = open + 4;
        let token = |after| Markup::Token(Token::Comment(self.slice(open, after)), after);
        if self.lenient {
            return self.find(b'>', body).map_or(Markup::Open, |close| token(close + 1));
        }
        let mut at = body;
        while let Some(dash) = self.find(b'-', at) {
            if self.at(dash + 1) == b'-' {
                let close = self.skip_while(dash + 2, is_space);
                if self.at(close) == b'>' {
                    return token(close + 1);
                }
            }
            at = dash + 1;
        }
        Markup::Open
    }

    /// Opens a marked section if this is one; `None` where its head has no end.
    fn marked_section(&mut self, from: usize) -> Option<Option<usize>> {
        let mut section = None;
        let mut at = from;
        loop {
            at = self.skip_while(at, is_space);
            while is_name_start(self.at(at)) {
                let end = self.skip_while(at, is_name);
                let found = match self.slice(at, end).to_ascii_lowercase().as_str() {
                    "include" => Section::Include,
                    "rcdata" => Section::Rcdata,
                    "cdata" => Section::Cdata,
                    "ignore" => Section::Ignore,
                    _ => Section::None,
                };
                section = section.max(Some(found));
                at = self.skip_while(end, is_space);
            }
            match *self.bytes.get(at)? {
                b'-' if self.at(at + 1) == b'-' => {
                    let rest = self.bytes.get(at + 2..)?;
                    at += 4 + memmem::find(rest, b"--")?;
                }
                b'[' => {
                    let section = section.unwrap_or(Section::Include).max(self.section());
                    self.sections.push(section);
                    return Some(Some(at + 1));
                }
                _ => return Some(None),
            }
        }
    }

    /// The end of a doctype or entity declaration, or where it turned out to be none; `None` at an open end.
    fn doctype(&self, from: usize) -> Option<Result<usize, usize>> {
        let mut at = self.skip_while(from, is_name);
        let id = self.slice(from, at);
        self.bytes.get(at)?;
        if !id.eq_ignore_ascii_case("doctype") && !id.eq_ignore_ascii_case("entity") {
            return Some(Err(at));
        }
        loop {
            at = self.skip_while(at, is_space);
            match *self.bytes.get(at)? {
                b'>' => return Some(Ok(at + 1)),
                quote @ (b'"' | b'\'') => at = self.find(quote, at + 1)? + 1,
                b'-' => {
                    if *self.bytes.get(at + 1)? != b'-' {
                        return Some(Err(at));
                    }
                    at += 4 + memmem::find(self.bytes.get(at + 2..)?, b"--")?;
                }
                _ => at = self.skip_while(at + 1, |byte| !is_space(byte) && byte != b'>'),
            }
        }
    }

    /// What is left when the rest is not whole.
    fn rest(&mut self) -> Option<Token<'h>> {
        if self.start >= self.bytes.len() {
            return self.pending.take().map(Token::End);
        }
        if !self.lenient {
            // Once more, with open comments taken as closed by the next `>`.
            self.lenient = true;
            self.ended = false;
            return self.token();
        }
        let raw = self.slice(self.start, self.bytes.len());
        let is_open = self.at(self.start) == b'<' && (raw.len() == 1 || self.opens(self.start));
        self.start = self.bytes.len();
        Some(if is_open {
            Token::Comment(raw)
        } else {
            Token::Text { raw, literal: self.section() == Section::Cdata }
        })
    }
}
