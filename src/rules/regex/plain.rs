//! What is left of a pattern in texts of plain ASCII?

use std::borrow::Cow;

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicodeRange, Hir, HirKind};

/// How a character begins that is written as its number.
const ENTITY: &[u8] = b"&#";

/// Whether a text is ASCII without numbered characters.
pub fn is_plain(text: &[u8]) -> bool {
    text.is_ascii() && memchr::memmem::find(text, ENTITY).is_none()
}

/// What is left of a pattern in plain texts: without bytes above ASCII and without numbered characters.
pub fn in_plain_texts(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => hir.clone(),
        HirKind::Literal(literal) => match is_plain(&literal.0) {
            true => hir.clone(),
            false => Hir::fail(),
        },
        HirKind::Class(class) => Hir::class(Class::Bytes(ascii_members(class))),
        HirKind::Capture(capture) => in_plain_texts(&capture.sub),
        HirKind::Repetition(repetition) => {
            let sub = in_plain_texts(&repetition.sub);
            match is_fail(&sub) {
                true if repetition.min == 0 => Hir::empty(),
                true => Hir::fail(),
                false => Hir::repetition(repetition.with(sub)),
            }
        }
        HirKind::Concat(parts) => {
            let parts: Vec<Hir> = parts.iter().map(in_plain_texts).collect();
            if parts.iter().any(is_fail) { Hir::fail() } else { Hir::concat(parts) }
        }
        HirKind::Alternation(branches) => {
            Hir::alternation(branches.iter().map(in_plain_texts).filter(|branch| !is_fail(branch)).collect())
        }
    }
}

/// Whether nothing matches.
fn is_fail(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Class(class) if class.is_empty())
}

/// The bytes of a class; `(?:a|b)` is parsed to one of characters. `None` where one of them takes several bytes.
pub fn byte_class(class: &Class) -> Option<Cow<'_, ClassBytes>> {
    match class {
        Class::Bytes(class) => Some(Cow::Borrowed(class)),
        Class::Unicode(class) => class.to_byte_class().map(Cow::Owned),
    }
}

/// The members of a class in ASCII.
pub fn ascii_members(class: &Class) -> ClassBytes {
    let ascii = |class: &ClassBytes| {
        let mut class = class.clone();
        class.intersect(&ClassBytes::new([ClassBytesRange::new(0, 0x7f)]));
        class
    };
    match class {
        Class::Bytes(class) => ascii(class),
        Class::Unicode(class) => {
            let is_ascii = |range: &&ClassUnicodeRange| range.start().is_ascii();
            let ranges = class.ranges().iter().filter(is_ascii);
            ascii(&ClassBytes::new(ranges.map(|range| {
                ClassBytesRange::new(range.start() as u8, u8::try_from(range.end()).unwrap_or(u8::MAX))
            })))
        }
    }
}
