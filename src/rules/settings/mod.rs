//! What did the rule files say beside rules? Lists and numbers that eval functions ask for, and how
//! links are read. Settings without effect are named in `language::settings`.

mod freemail;
mod glob;
mod links;
mod lists;
mod locales;

#[cfg(test)]
mod tests;

pub use freemail::FreeMail;
pub use glob::Globs;
pub use lists::Lists;

use crate::render;

/// The settings of all files, in effect.
#[derive(Debug, Default)]
pub struct Settings {
    pub lists: Lists,
    pub freemail: FreeMail,
    /// Where registrable domains start, and which links redirect.
    pub links: render::Settings,
    /// `ok_locales`: languages whose charsets are expected; empty means all.
    pub locales: Vec<String>,
}

impl Settings {
    /// Takes one directive; `None` if it is none of these.
    pub fn set(&mut self, keyword: &str, text: &[u8]) -> Option<Result<(), String>> {
        if keyword == "redirector_pattern" {
            return Some(links::redirector(&mut self.links, text));
        }
        let text = String::from_utf8_lossy(text);
        if keyword == "ok_locales" {
            let words = text.split_whitespace().map(str::to_owned);
            self.locales = words.collect();
            if self.locales.iter().any(|locale| locale == "all") {
                self.locales.clear();
            }
            return Some(Ok(()));
        }
        links::boundaries(&mut self.links, keyword, &text)
            .or_else(|| self.freemail.set(keyword, &text))
            .or_else(|| self.lists.set(keyword, &text))
    }
}

/// Words in lower case; an error where there is none.
fn words(text: &str) -> Result<Vec<String>, String> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    match words.is_empty() {
        true => Err("a value is missing".into()),
        false => Ok(words),
    }
}
