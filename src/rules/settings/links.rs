//! `util_rb_*` and `redirector_pattern`: how links are read.

use rustc_hash::FxHashSet;

use super::words;
use crate::{
    render::{self, Boundaries, Redirector},
    rules::regex::{Delimited, translate},
};

/// Backtracking steps for one link.
const MATCH_LIMIT: u32 = 100_000;

/// Takes a directive about domains; `None` if it is none.
pub fn boundaries(settings: &mut render::Settings, keyword: &str, text: &str) -> Option<Result<(), String>> {
    if keyword == "clear_util_rb" {
        // the public suffix list, until the files say better
        settings.boundaries = Boundaries::PublicSuffixes;
        return Some(Ok(()));
    }
    if !matches!(keyword, "util_rb_tld" | "util_rb_2tld" | "util_rb_3tld") {
        return None;
    }
    let words = match words(text) {
        Ok(words) => words,
        Err(what) => return Some(Err(what)),
    };
    if let Boundaries::PublicSuffixes = settings.boundaries {
        settings.boundaries = Boundaries::Listed {
            tlds: FxHashSet::default(),
            second_level: FxHashSet::default(),
            third_level: FxHashSet::default(),
        };
    }
    if let Boundaries::Listed { tlds, second_level, third_level } = &mut settings.boundaries {
        let set = match keyword {
            "util_rb_tld" => tlds,
            "util_rb_2tld" => second_level,
            _ => third_level,
        };
        set.extend(words);
    }
    Some(Ok(()))
}

/// Takes a pattern whose first group is the target of a redirector.
pub fn redirector(settings: &mut render::Settings, text: &[u8]) -> Result<(), String> {
    let Delimited { source, flags } = Delimited::parse(text).map_err(|error| error.to_string())?;
    let regex = translate(source, flags).map_err(|error| error.to_string())?;
    let built = pcre2::bytes::RegexBuilder::new()
        .caseless(regex.flags.caseless)
        .dotall(regex.flags.dot_all)
        .multi_line(regex.flags.multi_line)
        .jit_if_available(true)
        .build(&format!("(*LF)(*LIMIT_MATCH={MATCH_LIMIT}){}", regex.exact))
        .map_err(|error| error.to_string())?;
    settings.redirectors.push(Redirector(built));
    Ok(())
}
