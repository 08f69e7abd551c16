//! What is wrong with a message or a part, as a set of flags.

use std::{fmt, ops};

/// A set of faults. Every fault was worked around; the flags tell that, and how, the sender broke the rules.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Damage(u32);

impl Damage {
    /// A header name or value was longer than its cap and was cut.
    pub const HEADER_CUT: Damage = Damage(1);
    /// The header section had more fields than its cap; the rest was left out.
    pub const HEADERS_DROPPED: Damage = Damage(1 << 1);
    /// A line in the header section is neither a field nor a continuation.
    pub const BAD_HEADER: Damage = Damage(1 << 2);
    /// No empty line between the header section and the body.
    pub const NO_SEPARATOR: Damage = Damage(1 << 3);
    /// A multipart without a usable boundary parameter, or whose opening boundary is not in its body.
    pub const NO_BOUNDARY: Damage = Damage(1 << 4);
    /// A multipart without its closing boundary.
    pub const UNTERMINATED: Damage = Damage(1 << 5);
    /// The line after a boundary is not a header field.
    pub const NO_PART_HEADERS: Damage = Damage(1 << 6);
    /// There is something after the closing boundary.
    pub const EPILOGUE: Damage = Damage(1 << 7);
    /// A container at the depth cap was left unparsed.
    pub const TOO_DEEP: Damage = Damage(1 << 8);
    /// The cap on parts was reached; what came after it was left out.
    pub const TOO_MANY_PARTS: Damage = Damage(1 << 9);
    /// A Content-Transfer-Encoding that is not one of RFC 2045's, taken as binary.
    pub const UNKNOWN_ENCODING: Damage = Damage(1 << 10);
    /// Bytes that the declared transfer encoding does not allow.
    pub const BAD_ENCODING: Damage = Damage(1 << 11);
    /// The text is not in the declared charset; it was read in another one.
    pub const BAD_CHARSET: Damage = Damage(1 << 12);

    const NAMES: [(Damage, &str); 13] = [
        (Damage::HEADER_CUT, "header cut"),
        (Damage::HEADERS_DROPPED, "headers dropped"),
        (Damage::BAD_HEADER, "bad header"),
        (Damage::NO_SEPARATOR, "no separator"),
        (Damage::NO_BOUNDARY, "no boundary"),
        (Damage::UNTERMINATED, "unterminated"),
        (Damage::NO_PART_HEADERS, "no part headers"),
        (Damage::EPILOGUE, "epilogue"),
        (Damage::TOO_DEEP, "too deep"),
        (Damage::TOO_MANY_PARTS, "too many parts"),
        (Damage::UNKNOWN_ENCODING, "unknown encoding"),
        (Damage::BAD_ENCODING, "bad encoding"),
        (Damage::BAD_CHARSET, "bad charset"),
    ];

    /// Nothing wrong.
    pub const fn none() -> Damage {
        Damage(0)
    }

    /// Whether nothing is wrong.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// What is left when the faults of `other` are taken out.
    pub const fn without(self, other: Damage) -> Damage {
        Damage(self.0 & !other.0)
    }

    /// Whether every fault of `other` is among these.
    pub const fn contains(self, other: Damage) -> bool {
        self.0 & other.0 == other.0
    }
}

impl ops::BitOr for Damage {
    type Output = Damage;

    fn bitor(self, other: Damage) -> Damage {
        Damage(self.0 | other.0)
    }
}

impl ops::BitOrAssign for Damage {
    fn bitor_assign(&mut self, other: Damage) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Damage::NAMES.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| name);
        f.debug_set().entries(names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_add_up_and_tell_their_names() {
        let mut damage = Damage::none();
        assert!(damage.is_none());
        damage |= Damage::UNTERMINATED | Damage::EPILOGUE;
        assert!(damage.contains(Damage::EPILOGUE) && !damage.contains(Damage::TOO_DEEP));
        assert_eq!(format!("{damage:?}"), r#"{"unterminated", "epilogue"}"#);
    }
}
