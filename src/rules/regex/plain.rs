//! What is left of a pattern in texts of plain ASCII?

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind};

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
        HirKind::Class(Class::Bytes(class)) => {
            let mut class = class.clone();
            class.intersect(&ClassBytes::new([ClassBytesRange::new(0, 0x7f)]));
            Hir::class(Class::Bytes(class))
        }
        HirKind::Class(Class::Unicode(_)) => hir.clone(),
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
