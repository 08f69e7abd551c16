//! About attached files: whether they are what they say they are. criba's own functions.

use super::{Function, text, truth};
use crate::{
    media::{self, Disguise},
    rules::{Subject, language::Argument},
};

pub const FUNCTIONS: &[(&str, Function)] = &[("check_file_disguised", check_file_disguised)];

/// Files that are other ones than type and name say: `picture`, `page` or `program`, what they are.
fn check_file_disguised(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let wanted = match text(arguments, 0) {
        Some("picture") => Disguise::Picture,
        Some("page") => Disguise::Page,
        Some("program") => Disguise::Program,
        _ => return 0,
    };
    truth(subject.disguises().contains(&wanted))
}

impl Subject<'_, '_> {
    fn disguises(&self) -> &[Disguise] {
        self.facts.disguises.get_or_init(|| {
            let parts = self.message.leaves().map(|(_, part)| part);
            parts
                .filter(|part| part.kind != "text" || part.name.is_some())
                .filter_map(|part| {
                    let first = part.beginning(self.message, media::FIRST);
                    let first = first.get(..media::FIRST).unwrap_or(first);
                    media::disguise(part.kind, part.subkind, part.name, first)
                })
                .collect()
        })
    }
}
