//! What can still become of a meta when some of the rules that it names get more hits?
//!
//! An abstract run of its expression over directions instead of numbers (Cousot and Cousot, Abstract Interpretation,
//! 1977): it may promise less than is true, and never more.

use super::{
    plan::{MetaKind, Metas, Standing},
    program::{Operator, Program, Step},
};

/// Which way a value can go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Motion {
    /// From false to true.
    pub rises: bool,
    /// From true to false.
    pub falls: bool,
    /// Its number may go either way, whatever its truth does: what `||` returns is one operand or another.
    wavers: bool,
}

impl Motion {
    const STILL: Motion = Motion { rises: false, falls: false, wavers: false };
    const UP: Motion = Motion { rises: true, falls: false, wavers: false };
    const ANY: Motion = Motion { rises: true, falls: true, wavers: true };

    fn moves(self) -> bool {
        self.rises || self.falls || self.wavers
    }

    fn with(self, other: Motion) -> Motion {
        Motion {
            rises: self.rises || other.rises,
            falls: self.falls || other.falls,
            wavers: self.wavers || other.wavers,
        }
    }

    fn turned(self) -> Motion {
        Motion { rises: self.falls, falls: self.rises, wavers: self.wavers }
    }

    /// One operand or the other, whichever is returned.
    fn chosen(self, other: Motion) -> Motion {
        let both = self.with(other);
        Motion { wavers: both.moves(), ..both }
    }
}

impl Operator {
    fn motion(self, left: Motion, right: Motion) -> Motion {
        let moves = left.moves() || right.moves();
        match self {
            _ if !moves => Motion::STILL,
            // Where the numbers waver, nothing is known of their comparison.
            _ if left.wavers || right.wavers => Motion::ANY,
            Operator::Add => left.with(right),
            Operator::More | Operator::AtLeast => left.with(right.turned()),
            Operator::Less | Operator::AtMost => left.turned().with(right),
            _ => Motion::ANY,
        }
    }
}

impl Program {
    /// Which way its value can go, where `of` gives that of its names. Counts do not go below 0.
    fn motion(&self, of: impl Fn(usize) -> Motion) -> Motion {
        let branches = self.steps().iter().any(|step| matches!(step, Step::Unless(_) | Step::Jump(_)));
        if branches {
            let moves = (0..self.names.len()).any(|name| of(name).moves());
            return if moves { Motion::ANY } else { Motion::STILL };
        }
        let mut stack: Vec<Motion> = Vec::new();
        // Where the right side of an `&&` or `||` ends: there both sides become one.
        let mut ends: Vec<usize> = Vec::new();
        for at in 0..=self.steps().len() {
            while ends.last() == Some(&at) {
                ends.pop();
                let (right, left) = (stack.pop().unwrap_or_default(), stack.pop().unwrap_or_default());
                stack.push(left.chosen(right));
            }
            match self.steps().get(at) {
                Some(Step::Number(_)) => stack.push(Motion::STILL),
                Some(Step::Name(name)) => stack.push(of(*name as usize)),
                Some(Step::Not) => {
                    let top = stack.pop().unwrap_or_default();
                    // What comes out is 0 or 1 and wavers no more.
                    stack.push(Motion { wavers: false, ..top.turned() });
                }
                Some(Step::Negate) => {
                    let top = stack.pop().unwrap_or_default();
                    stack.push(if top.moves() { Motion::ANY } else { Motion::STILL });
                }
                Some(Step::Binary(operator)) => {
                    let (right, left) = (stack.pop().unwrap_or_default(), stack.pop().unwrap_or_default());
                    stack.push(operator.motion(left, right));
                }
                Some(Step::And(end) | Step::Or(end)) => ends.push(*end as usize),
                Some(Step::Unless(_) | Step::Jump(_)) | None => {}
            }
        }
        stack.pop().unwrap_or_default()
    }
}

impl Metas {
    /// Each meta whose truth can change when the rules that `late` names get more hits, and those that ask Bayes
    /// for another opinion.
    pub fn motions(&self, late: impl Fn(u32) -> bool) -> Vec<(u32, Motion)> {
        let mut motions = vec![Motion::STILL; self.metas.len()];
        for (at, meta) in self.metas.iter().enumerate() {
            motions[at] = match &meta.kind {
                MetaKind::Bayes(..) => Motion::ANY,
                MetaKind::Expression(program, names) => program.motion(|name| match names.get(name) {
                    Some(Standing::Counts(rule)) if late(*rule) => Motion::UP,
                    Some(Standing::Meta(on)) => motions.get(*on as usize).copied().unwrap_or(Motion::ANY),
                    _ => Motion::STILL,
                }),
            };
        }
        let moving = self.metas.iter().zip(motions).filter(|(_, motion)| motion.moves());
        moving.map(|(meta, motion)| (meta.rule, motion)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of an expression over `L`, which gets more hits, and others that do not.
    fn motion(text: &str) -> (bool, bool) {
        let program = Program::parse(text, |_| Vec::new()).unwrap();
        let names = program.names.clone();
        let motion = program.motion(|name| if names[name] == "L" { Motion::UP } else { Motion::STILL });
        (motion.rises, motion.falls)
    }

    #[test]
    fn directions_follow_from_the_expression() {
        for (text, expected) in [
            ("A && B", (false, false)),
            ("A && L", (true, false)),
            ("A || L", (true, false)),
            ("A && !L", (false, true)),
            ("!(A && !L)", (true, false)),
            ("A + L > 1", (true, false)),
            ("A + L < 2", (false, true)),
            ("2 > A + L", (false, true)),
            ("A + L == 1", (true, true)),
            ("A - L > 0", (true, true)),
            ("(A || L) > 2", (true, true)),
            ("L ? A : B", (true, true)),
            ("A && (B || !C)", (false, false)),
            ("(A && L) || (B && !L)", (true, true)),
        ] {
            assert_eq!(motion(text), expected, "{text}");
        }
    }

    /// Every promise is kept: over all small counts a meta that shall not rise does not, and so with falling.
    #[test]
    fn no_promise_is_broken() {
        let texts = [
            "A && L",
            "A || L",
            "A && !L",
            "!(A && !L)",
            "A + L > 1",
            "A + L < 2",
            "(A || L) > 2",
            "L || A",
            "(L || A) + B > 3",
            "!L || A",
            "A - L",
            "(A + L >= 2) && !B",
            "A ^ L",
            "A * L > 1",
            "L ? A : B",
        ];
        let mut stack = Vec::new();
        for text in texts {
            let program = Program::parse(text, |_| Vec::new()).unwrap();
            let names = program.names.clone();
            let (rises, falls) = motion(text);
            for case in 0..64_u32 {
                let count = |name: usize, more: f64| match names[name].as_str() {
                    "L" => f64::from(case % 4) + more,
                    "A" => f64::from(case / 4 % 4),
                    _ => f64::from(case / 16),
                };
                for more in [1.0, 2.0, 5.0] {
                    let before = program.run(&mut stack, |name| count(name, 0.0)) != 0.0;
                    let after = program.run(&mut stack, |name| count(name, more)) != 0.0;
                    assert!(before || !after || rises, "{text} rises at {case}");
                    assert!(!before || after || falls, "{text} falls at {case}");
                }
            }
        }
    }
}
