//! Bytes to directives: one a line, comments off, keyword apart.

/// One line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// Lower case, `-` as `_`.
    pub keyword: String,
    /// What stands behind the keyword, trimmed.
    pub rest: Vec<u8>,
}

/// The lines of a file that are not empty.
pub fn lines(text: &[u8]) -> impl Iterator<Item = Line> {
    text.split(|&byte| byte == b'\n').enumerate().filter_map(|(index, line)| parse(index + 1, line))
}

fn parse(number: usize, line: &[u8]) -> Option<Line> {
    let line = without_comment(line);
    let line = line.trim_ascii();
    let length = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let keyword = String::from_utf8_lossy(&line[..length]).to_ascii_lowercase().replace('-', "_");
    let rest = line[length..].trim_ascii().to_vec();
    (!keyword.is_empty()).then_some(Line { number, keyword, rest })
}

/// Cuts at the first `#` without a backslash before it; `\#` becomes `#`.
fn without_comment(line: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(line.len());
    for &byte in line {
        if byte == b'#' {
            match kept.last() {
                Some(b'\\') => kept.pop(),
                _ => break,
            };
        }
        kept.push(byte);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Option<(String, String)> {
        let mut found = lines(text.as_bytes());
        found.next().map(|line| (line.keyword, String::from_utf8(line.rest).unwrap()))
    }

    #[test]
    fn comments_go_and_escaped_hashes_stay() {
        assert_eq!(one(r"body X /a\#b/ # why"), Some(("body".into(), "X /a#b/".into())));
        assert_eq!(one("  # nothing"), None);
        assert_eq!(one("score#x"), Some(("score".into(), String::new())));
    }

    #[test]
    fn keywords_know_no_case_and_no_dash() {
        assert_eq!(one("\tReplace-Tag A b \r"), Some(("replace_tag".into(), "A b".into())));
    }

    #[test]
    fn lines_are_counted_from_one() {
        let numbers: Vec<usize> = lines(b"a\n\n# b\nc").map(|line| line.number).collect();
        assert_eq!(numbers, [1, 4]);
    }
}
