//! Shapes of Received lines: literal text with placeholders, matched by backtracking.
//!
//! White space in a line is single spaces, so that a word ends at a space. The placeholders:
//!
//! | | stands for | | stands for |
//! |---|---|---|---|
//! | `%h` | HELO, a word | `%i` | the address of the client |
//! | `%r` | reverse DNS, a word | `%a` | some address |
//! | `%x` | a word that is both | `%l` | the local host |
//! | `%b` | the receiving host, a word | `%w` | some word |
//! | `%d` | the user by ident, a word | `%n` | digits |
//! | `%H %D %W` | the same, perhaps empty | `%p %P` | text without `)`, at least one byte or none |
//! | `%K` | HELO without parentheses | `%G` | HELO without `)`, blanks allowed |
//! | `%s` | notes, as short as can be | `%S` | notes without `)` |
//! | `%t` | reverse DNS with a dot | `%A` | a letter |
//! | `%E` | `HELO` or `EHLO` | `%z` | perhaps the zone of an address |
//! | `%* %~` | anything, long or short | `%{ %}` | perhaps |
//! | `%\|` | an end of a word | `%$` | the end of the line |
//! | `%!` | no ` id ` next | | |

use std::ops::Range;

use memchr::memchr;

use super::ip;

/// What a placeholder gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Helo,
    Rdns,
    By,
    Ip,
    Ident,
    Notes,
}

/// What was found, by `Field`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures([Option<Range<usize>>; 6]);

impl Captures {
    pub fn get<'t>(&self, field: Field, text: &'t str) -> Option<&'t str> {
        text.get(self.0[field as usize].clone()?)
    }

    fn set(&mut self, field: Field, range: Range<usize>) {
        self.0[field as usize] = Some(range);
    }
}

#[derive(Clone, Debug)]
enum Token {
    Literal(Vec<u8>),
    /// Bytes of a kind, as many as can be.
    Run {
        kind: Run,
        least: usize,
        fields: &'static [Field],
    },
    /// Anything, long or short.
    Anything {
        long: bool,
        notes: bool,
    },
    Address(bool),
    LocalHost,
    Greeting,
    Zone,
    Letter,
    WordEnd,
    NoId,
    End,
    /// What is optional, with all that follows it; without it, the tokens behind follow.
    Perhaps(Vec<Token>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    Word,
    Dotted,
    NoClosing,
    NoParentheses,
    Digits,
}

/// A shape, ready to be matched.
#[derive(Clone, Debug)]
pub struct Shape(Vec<Token>);

impl Shape {
    pub fn new(text: &str) -> Shape {
        Shape(parse(text))
    }

    /// Matches from the start of `text`. `steps` is what the search may still cost; at 0 nothing matches.
    pub fn matches(&self, text: &str, steps: &mut u32) -> Option<Captures> {
        let mut captures = Captures::default();
        run(&self.0, text.as_bytes(), 0, &mut captures, steps).then_some(captures)
    }
}

fn parse(text: &str) -> Vec<Token> {
    let Some((before, behind)) = text.split_once("%{") else { return tokens(text) };
    let (inner, after) = behind.split_once("%}").unwrap_or((behind, ""));
    let mut all = tokens(before);
    all.push(Token::Perhaps(parse(&format!("{inner}{after}"))));
    all.append(&mut parse(after));
    all
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut literal = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            literal.push(byte);
            continue;
        }
        if !literal.is_empty() {
            tokens.push(Token::Literal(std::mem::take(&mut literal)));
        }
        tokens.push(placeholder(bytes.next().unwrap_or_default()));
    }
    if !literal.is_empty() {
        tokens.push(Token::Literal(literal));
    }
    tokens
}

fn placeholder(letter: u8) -> Token {
    use Field::{By, Helo, Ident, Notes, Rdns};
    let run = |kind, least, fields| Token::Run { kind, least, fields };
    match letter {
        b'h' => run(Run::Word, 1, &[Helo]),
        b'H' => run(Run::Word, 0, &[Helo]),
        b'K' => run(Run::NoParentheses, 0, &[Helo]),
        b'G' => run(Run::NoClosing, 0, &[Helo]),
        b'r' => run(Run::Word, 1, &[Rdns]),
        b'x' => run(Run::Word, 1, &[Rdns, Helo]),
        b'b' => run(Run::Word, 1, &[By]),
        b'd' => run(Run::Word, 1, &[Ident]),
        b'D' => run(Run::Word, 0, &[Ident]),
        b't' => run(Run::Dotted, 1, &[Rdns]),
        b'w' => run(Run::Word, 1, &[]),
        b'W' => run(Run::Word, 0, &[]),
        b'p' => run(Run::NoClosing, 1, &[]),
        b'P' => run(Run::NoClosing, 0, &[]),
        b'S' => run(Run::NoClosing, 1, &[Notes]),
        b'n' => run(Run::Digits, 1, &[]),
        b's' => Token::Anything { long: false, notes: true },
        b'*' => Token::Anything { long: true, notes: false },
        b'~' => Token::Anything { long: false, notes: false },
        b'i' => Token::Address(true),
        b'a' => Token::Address(false),
        b'l' => Token::LocalHost,
        b'E' => Token::Greeting,
        b'z' => Token::Zone,
        b'A' => Token::Letter,
        b'!' => Token::NoId,
        b'|' => Token::WordEnd,
        b'$' => Token::End,
        other => unreachable!("no placeholder %{}", char::from(other)),
    }
}

fn run(tokens: &[Token], text: &[u8], at: usize, captures: &mut Captures, steps: &mut u32) -> bool {
    let Some((token, rest)) = tokens.split_first() else { return true };
    let Some(left) = steps.checked_sub(1) else { return false };
    *steps = left;
    let remaining = text.get(at..).unwrap_or_default();
    match token {
        Token::Literal(literal) => {
            remaining.starts_with(literal) && run(rest, text, at + literal.len(), captures, steps)
        }
        Token::Run { kind, least, fields } => {
            let most = length(*kind, remaining);
            // bytes of a run are no spaces: what begins with a space can only follow the whole run
            let whole = *kind != Run::NoClosing
                && matches!(rest.first(), Some(Token::Literal(literal)) if literal.first() == Some(&b' '));
            let least = if whole { most.max(*least) } else { *least };
            *steps = steps.saturating_sub((most.saturating_sub(least) / 16) as u32);
            (least..=most).rev().any(|length| {
                let end = at + length;
                let fits = *kind != Run::Dotted || has_inner_dot(&remaining[..length]);
                fits && follows(rest, text, end) && run(rest, text, end, captures, steps) && {
                    fields.iter().for_each(|field| captures.set(*field, at..end));
                    true
                }
            })
        }
        Token::Anything { long, notes } => {
            *steps = steps.saturating_sub((remaining.len() / 16) as u32);
            let mut fits = |end: usize| {
                follows(rest, text, end) && run(rest, text, end, captures, steps) && {
                    if *notes {
                        captures.set(Field::Notes, at..end);
                    }
                    true
                }
            };
            match long {
                true => (at..=text.len()).rev().any(fits),
                false => (at..=text.len()).any(&mut fits),
            }
        }
        Token::Address(client) => ip::end(text, at).is_some_and(|end| {
            run(rest, text, end, captures, steps) && {
                if *client {
                    captures.set(Field::Ip, at..end);
                }
                true
            }
        }),
        Token::LocalHost => {
            ip::localhost_end(text, at).is_some_and(|end| run(rest, text, end, captures, steps))
        }
        Token::Greeting => {
            let greets = remaining.starts_with(b"HELO") || remaining.starts_with(b"EHLO");
            greets && run(rest, text, at + 4, captures, steps)
        }
        Token::Zone => {
            let is_zone = |byte: &u8| {
                byte.is_ascii_uppercase()
                    || byte.is_ascii_digit()
                    || matches!(byte, b'.' | b'_' | b'~' | b'-')
            };
            let length = match remaining {
                [b'%', zone @ ..] => 1 + zone.iter().take_while(|byte| is_zone(byte)).count(),
                _ => 0,
            };
            run(rest, text, at + length, captures, steps)
        }
        Token::Letter => {
            remaining.first().is_some_and(u8::is_ascii_alphabetic) && run(rest, text, at + 1, captures, steps)
        }
        Token::NoId => !remaining.starts_with(b" id ") && run(rest, text, at, captures, steps),
        Token::Perhaps(with) => run(with, text, at, captures, steps) || run(rest, text, at, captures, steps),
        Token::WordEnd => word_ends(text, at) && run(rest, text, at, captures, steps),
        Token::End => at == text.len() && run(rest, text, at, captures, steps),
    }
}

/// Whether the next token can match at all, as far as its first byte tells.
fn follows(tokens: &[Token], text: &[u8], at: usize) -> bool {
    match tokens.first() {
        Some(Token::Literal(literal)) => text.get(at) == literal.first(),
        _ => true,
    }
}

fn length(kind: Run, text: &[u8]) -> usize {
    let up_to = |end: Option<usize>| end.unwrap_or(text.len());
    match kind {
        Run::Word | Run::Dotted => up_to(memchr(b' ', text)),
        Run::NoClosing => up_to(memchr(b')', text)),
        Run::NoParentheses => up_to(memchr::memchr3(b' ', b'(', b')', text)),
        Run::Digits => text.iter().take_while(|byte| byte.is_ascii_digit()).count(),
    }
}

fn has_inner_dot(word: &[u8]) -> bool {
    word.get(1..word.len().saturating_sub(1)).is_some_and(|inner| inner.contains(&b'.'))
}

/// Whether a word begins or ends at `at`.
pub fn word_ends(text: &[u8], at: usize) -> bool {
    let is_word = |at: Option<usize>| at.and_then(|at| text.get(at)).copied().is_some_and(ip::is_word);
    is_word(at.checked_sub(1)) != is_word(Some(at))
}
