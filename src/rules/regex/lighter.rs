//! A pattern that finds at least as much and takes fewer states.

use regex_syntax::hir::{Hir, HirKind};

/// A group may be counted up to this.
const COUNTED: u32 = 2;

/// `plain` without its counts: a class that may be repeated up to 30 times within a group that is repeated five times
/// makes an automaton of a hundred times as many states. `None` where there is nothing to gain.
pub fn lighter(hir: &Hir) -> Option<Hir> {
    let light = light(hir);
    (light != *hir).then_some(light)
}

fn light(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => hir.clone(),
        HirKind::Capture(capture) => light(&capture.sub),
        HirKind::Repetition(repetition) => {
            let mut light = repetition.with(light(&repetition.sub));
            let most = if matches!(repetition.sub.kind(), HirKind::Class(_)) { 1 } else { COUNTED };
            if light.max.is_none_or(|max| max > most) {
                (light.min, light.max) = (light.min.min(most), None);
            }
            Hir::repetition(light)
        }
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(light).collect()),
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(light).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::regex::{Flags, factors::parsed};

    fn light(pattern: &str) -> Option<String> {
        lighter(&parsed(pattern, Flags::default()).unwrap()).map(|hir| hir.to_string())
    }

    #[test]
    fn counts_go() {
        let of = |pattern| parsed(pattern, Flags::default()).map(|hir| hir.to_string());
        assert_eq!(light("(?:ab[cd]{10,30}e?){5}"), of("(?:ab[cd]+e?){2,}"));
        assert_eq!(light("[ab]{0,3}c"), of("[ab]*c"));
        assert_eq!(light("(?:ab){1,2}c+d*e?$"), None);
    }
}
