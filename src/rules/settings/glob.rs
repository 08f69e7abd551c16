//! Patterns as in file names: `*` any characters, `?` one, the case given by whoever asks.

use rustc_hash::FxHashSet;

/// A set of patterns for addresses, in lower case.
#[derive(Clone, Debug, Default)]
pub struct Globs {
    plain: FxHashSet<String>,
    wild: Vec<Wild>,
}

/// A pattern with wildcards.
#[derive(Clone, Debug)]
struct Wild {
    pattern: Box<[u8]>,
    /// Bytes behind the last wildcard: most texts end otherwise.
    end: usize,
}

impl Wild {
    fn covers(&self, text: &[u8]) -> bool {
        let end = self.pattern.get(self.pattern.len() - self.end..).unwrap_or_default();
        text.ends_with(end) && covers(&self.pattern, text)
    }
}

impl Globs {
    /// Adds a pattern.
    pub fn add(&mut self, pattern: &str) {
        match pattern.contains(['*', '?']) {
            false => {
                self.plain.insert(pattern.to_owned());
            }
            true if self.wild.iter().any(|known| *known.pattern == *pattern.as_bytes()) => {}
            true => {
                let end = pattern.rfind(['*', '?']).map_or(0, |last| pattern.len() - last - 1);
                self.wild.push(Wild { pattern: pattern.as_bytes().into(), end });
            }
        }
    }

    /// Takes the pattern out again, if it was added as it is written.
    pub fn remove(&mut self, pattern: &str) {
        self.plain.remove(pattern);
        self.wild.retain(|known| *known.pattern != *pattern.as_bytes());
    }

    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.wild.is_empty()
    }

    /// Whether one of the patterns covers all of `text`.
    pub fn cover(&self, text: &str) -> bool {
        self.plain.contains(text) || self.wild.iter().any(|wild| wild.covers(text.as_bytes()))
    }
}

/// Whether `pattern` covers all of `text`; its wildcards stop at the end of a line.
pub fn covers(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // the last star, and the end of what it has taken
    let mut star = None;
    while let Some(&byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&wanted) if wanted == byte || (wanted == b'?' && byte != b'\n') => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) if text.get(taken) != Some(&b'\n') => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                _ => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|&byte| byte == b'*')
}
