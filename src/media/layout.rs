//! Where HTML puts its pictures: side by side in a row, one row below the other, as far as no text comes between.
//!
//! Not a renderer: cells of a table stand side by side, everything that starts a line starts a row.

use memchr::{memchr, memchr2, memmem};

/// Pictures of a message's HTML that are looked at.
const MOST: usize = 500;
/// Groups that are kept.
const MOST_GROUPS: usize = 50;

/// Rows of pictures that no text parts, by their `src`.
pub type Group<'h> = Vec<Vec<&'h str>>;

/// The groups of pictures of an HTML document, in its order.
pub fn groups(html: &str) -> Vec<Group<'_>> {
    let mut layout = Layout::default();
    let mut rest = html;
    let mut pictures = 0;
    while let Some(at) = memchr(b'<', rest.as_bytes()) {
        let (text, tag) = rest.split_at(at);
        if has_text(text) {
            layout.end_group();
        }
        if let Some(comment) = tag.strip_prefix("<!--") {
            rest = memmem::find(comment.as_bytes(), b"-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let (name, attributes, after) = cut_tag(tag);
        rest = after;
        let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is(&["img"]) {
            if let Some(source) = attribute(attributes, "src").filter(|_| pictures < MOST) {
                pictures += 1;
                layout.add(source);
            }
        } else if is(&["script", "style", "title"]) {
            // What is inside is no text that anybody sees.
            rest = closing(rest, name);
        } else if is(&["hr", "ul", "ol", "blockquote", "pre", "form"]) {
            layout.end_group();
        } else if is(&[
            "br", "p", "/p", "div", "/div", "tr", "/tr", "center", "/center", "li", "table", "/table",
        ]) {
            layout.end_row();
        }
    }
    layout.end_group();
    layout.groups
}

#[derive(Default)]
struct Layout<'h> {
    groups: Vec<Group<'h>>,
    rows: Group<'h>,
    row: Vec<&'h str>,
}

impl<'h> Layout<'h> {
    fn add(&mut self, source: &'h str) {
        self.row.push(source);
    }

    fn end_row(&mut self) {
        if !self.row.is_empty() {
            self.rows.push(std::mem::take(&mut self.row));
        }
    }

    fn end_group(&mut self) {
        self.end_row();
        if !self.rows.is_empty() && self.groups.len() < MOST_GROUPS {
            self.groups.push(std::mem::take(&mut self.rows));
        }
        self.rows.clear();
    }
}

/// Whether there is anything between two tags but blanks.
fn has_text(text: &str) -> bool {
    let mut rest = text.trim_start();
    while let Some(after) = rest.strip_prefix("&nbsp;").or_else(|| rest.strip_prefix('\u{a0}')) {
        rest = after.trim_start();
    }
    !rest.is_empty()
}

/// Name, attributes, and what follows a tag that starts here. A `>` in quotes does not end it.
pub(super) fn cut_tag(tag: &str) -> (&str, &str, &str) {
    let inside = &tag[1..];
    let bytes = inside.as_bytes();
    let (mut at, mut quote) = (0, None);
    while let Some(&byte) = bytes.get(at) {
        match (byte, quote) {
            (b'>', None) => break,
            // Only a value is quoted.
            (b'"' | b'\'', None) if at > 0 && bytes[..at].trim_ascii_end().ends_with(b"=") => {
                quote = Some(byte)
            }
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
        at += 1;
    }
    if quote.is_some() {
        // The quote never closes: the tag ends where it can.
        at = memchr(b'>', bytes).unwrap_or(bytes.len());
    }
    let after = inside.get(at + 1..).unwrap_or_default();
    let inside = &inside[..at];
    let end = inside.find(|c: char| c.is_ascii_whitespace()).unwrap_or(inside.len());
    let name = inside[..end].trim_end_matches('/');
    (name, &inside[end..], after)
}

/// What follows the content of an element: its end tag.
fn closing<'h>(html: &'h str, name: &str) -> &'h str {
    let mut from = 0;
    while let Some(at) = memmem::find(&html.as_bytes()[from..], b"</") {
        let start = from + at + 2;
        let found = html.as_bytes().get(start..start + name.len());
        if found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            return &html[start - 2..];
        }
        from = start;
    }
    ""
}

/// The value of an attribute.
pub(super) fn attribute<'h>(attributes: &'h str, name: &str) -> Option<&'h str> {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(rest.len());
        let found = &rest[..end];
        rest = rest[end..].trim_start();
        let Some(after) = rest.strip_prefix('=') else {
            // A name without a value; a stray sign is passed over.
            continue;
        };
        let after = after.trim_start();
        let value = match after.as_bytes().first() {
            Some(&quote @ (b'"' | b'\'')) => {
                let inner = &after[1..];
                let end = memchr(quote, inner.as_bytes()).unwrap_or(inner.len());
                rest = inner.get(end + 1..).unwrap_or_default();
                &inner[..end]
            }
            _ => {
                let end = memchr2(b' ', b'\n', after.as_bytes()).unwrap_or(after.len());
                rest = &after[end..];
                &after[..end]
            }
        };
        if found.eq_ignore_ascii_case(name) {
            return Some(value.trim());
        }
    }
}

/// The bytes of a `data:` URI (RFC 2397); `None` where it is none.
pub fn data(uri: &str) -> Option<Vec<u8>> {
    let scheme = uri.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:"))?;
    let (head, body) = uri[scheme.len()..].split_once(',')?;
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |hex: u8| char::from(hex).to_digit(16).unwrap_or(0) as u8;
                bytes.push(digit(*high) << 4 | digit(*low));
                rest = after;
            }
            _ => bytes.push(byte),
        }
    }
    let is_base64 = head.rsplit(';').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("base64"));
    Some(if is_base64 { base64(&bytes) } else { bytes })
}

// Blanks and what else does not belong there are passed over.
fn base64(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0u32, 0);
    for &letter in text {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_side_by_side_and_rows_below_each_other() {
        let html = "<p>Dear friend,<table><tr><td><IMG SRC='cid:a'></td>\n<td><img src=cid:b border=0></td></tr>\
            <tr><td><img alt=\"a > b\" src=\"cid:c\"/></td><td>&nbsp;</td></tr></table>bye<img src=cid:d>";
        assert_eq!(groups(html), [vec![vec!["cid:a", "cid:b"], vec!["cid:c"]], vec![vec!["cid:d"]]]);
    }

    #[test]
    fn what_nobody_sees_does_not_part_them() {
        let html =
            "<img src=a><!-- text --><style>b {}</style><script>x = '<img src=no>'</script><img src=b>";
        assert_eq!(groups(html), [vec![vec!["a", "b"]]]);
        assert_eq!(groups("<img src=a>text<img src=b>"), [vec![vec!["a"]], vec![vec!["b"]]]);
    }

    #[test]
    fn broken_tags_do_no_harm() {
        for html in [
            "<",
            "<img",
            "<img src",
            "<img src=",
            "<img src='",
            "<!--",
            "<style>",
            "<img = src=a>",
            "<é>",
            "</",
        ] {
            assert!(groups(html).len() <= 1, "{html}");
        }
        assert_eq!(groups("<img src=\"a><img src=b>"), [vec![vec!["a", "b"]]]);
    }

    #[test]
    fn data_uris_are_decoded() {
        assert_eq!(data("data:image/gif;base64,R0lGODlh\n AQ==").unwrap(), b"GIF89a\x01");
        assert_eq!(data("DATA:text/plain,a%20b%2").unwrap(), b"a b%2");
        assert_eq!(data("data:nothing"), None);
        assert_eq!(data("cid:a"), None);
        assert_eq!(data("é"), None);
    }
}
