//! `replace_tag`: `<X>` in the patterns of `replace_rules` stands for a pattern of its own.

use std::collections::HashMap;

/// Tags may stand in tags; this often they are looked for.
const PASSES: usize = 6;
/// The longest pattern that replacing may make: stock rules reach 220 KB.
const MAX_LENGTH: usize = 1 << 20;

/// The strings of the four directives, by tag.
#[derive(Clone, Debug, Default)]
pub struct Tags {
    pub tag: HashMap<Vec<u8>, Vec<u8>>,
    /// Put before each tag.
    pub pre: HashMap<Vec<u8>, Vec<u8>>,
    /// Put between tags that follow each other.
    pub inter: HashMap<Vec<u8>, Vec<u8>>,
    /// Put behind each tag.
    pub post: HashMap<Vec<u8>, Vec<u8>>,
}

impl Tags {
    /// The pattern with all known tags replaced; `None` where it becomes too long.
    pub fn replace(&self, pattern: &[u8]) -> Option<Vec<u8>> {
        let mut pattern = pattern.to_vec();
        let pre = self.option(&mut pattern, b"pre", &self.pre);
        let inter = self.option(&mut pattern, b"inter", &self.inter);
        let post = self.option(&mut pattern, b"post", &self.post);
        if !(pre.is_empty() && inter.is_empty() && post.is_empty()) {
            pattern = self.decorated(&pattern, &pre, &inter, &post);
        }
        for _ in 0..PASSES {
            let (next, changed) = self.pass(&pattern)?;
            pattern = next;
            if !changed {
                break;
            }
        }
        Some(pattern)
    }

    /// Puts the three strings before, between and behind the tags as written.
    fn decorated(&self, pattern: &[u8], pre: &[u8], inter: &[u8], post: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(pattern.len() * 2);
        let (mut at, mut behind_tag) = (0, false);
        while let Some(&byte) = pattern.get(at) {
            let name = name(&pattern[at..]);
            let is_tag = self.tag.contains_key(name);
            if is_tag {
                out.extend_from_slice(if behind_tag { inter } else { &[] });
                out.extend_from_slice(pre);
                out.extend_from_slice(&pattern[at..at + name.len() + 2]);
                out.extend_from_slice(post);
                at += name.len() + 2;
            } else {
                out.push(byte);
                at += 1;
            }
            behind_tag = is_tag;
        }
        out
    }

    /// Takes `<pre X>` out of the pattern: the string that X names, or nothing.
    fn option(&self, pattern: &mut Vec<u8>, kind: &[u8], strings: &HashMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
        let opening = [b"<", kind, b" "].concat();
        let Some(start) = memchr::memmem::find(pattern, &opening) else { return Vec::new() };
        let Some(length) = memchr::memchr(b'>', &pattern[start..]) else { return Vec::new() };
        let name = pattern[start + opening.len()..start + length].trim_ascii();
        let Some(string) = strings.get(name).cloned() else { return Vec::new() };
        pattern.drain(start..=start + length);
        string
    }

    fn pass(&self, pattern: &[u8]) -> Option<(Vec<u8>, bool)> {
        let mut out = Vec::with_capacity(pattern.len() * 2);
        let mut rest = pattern;
        let mut changed = false;
        while let Some(start) = memchr::memchr(b'<', rest) {
            out.extend_from_slice(&rest[..start]);
            rest = &rest[start..];
            let name = name(rest);
            match self.tag.get(name) {
                Some(replacement) => {
                    out.extend_from_slice(replacement);
                    rest = &rest[name.len() + 2..];
                    changed = true;
                }
                None => {
                    out.push(b'<');
                    rest = &rest[1..];
                }
            }
            if out.len() > MAX_LENGTH {
                return None;
            }
        }
        out.extend_from_slice(rest);
        (out.len() <= MAX_LENGTH).then_some((out, changed))
    }
}

/// The name in `<NAME>` at the start of `text`; empty where there is none.
fn name(text: &[u8]) -> &[u8] {
    if text.first() != Some(&b'<') {
        return &[];
    }
    let length =
        text.iter().skip(1).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    match text.get(length + 1) {
        Some(b'>') => &text[1..=length],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags() -> Tags {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(a, b)| (a.as_bytes().to_vec(), b.as_bytes().to_vec())).collect()
        };
        Tags {
            tag: map(&[("A", "[a4]"), ("B", "<A>b"), ("LOOP", "<LOOP><LOOP>")]),
            pre: map(&[("P1", "(?!x)")]),
            inter: map(&[("SP", "\\s?")]),
            post: map(&[("S", "+")]),
        }
    }

    fn replace(pattern: &str) -> String {
        String::from_utf8(tags().replace(pattern.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn tags_stand_for_patterns_also_inside_of_tags() {
        assert_eq!(replace("v<A><B>(?<!x)<C>"), "v[a4][a4]b(?<!x)<C>");
    }

    #[test]
    fn what_goes_before_between_and_behind() {
        assert_eq!(replace("<inter SP><post S><A><A>x<A>"), r"[a4]+\s?[a4]+x[a4]+");
        assert_eq!(replace("<pre P1><A>"), "(?!x)[a4]");
    }

    #[test]
    fn a_tag_of_itself_ends() {
        let once = tags().replace(b"<LOOP>").unwrap();
        assert_eq!(once.len(), "<LOOP>".len() << PASSES);
        let many = b"<LOOP>".repeat(10_000);
        assert_eq!(tags().replace(&many), None);
    }
}
