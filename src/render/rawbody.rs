//! Rawbody units: the decoded bytes of text and message parts in chunks, HTML and charset untouched.

/// More of a part is not scanned.
const PART_SIZE: usize = 500_000;
/// A part up to this length is one unit; longer ones are cut at the first good place after it.
const CHUNK: usize = 2048;
/// How far behind the part size a good place to cut may lie.
const SLACK: usize = 1024;

/// Appends the units of one part.
pub fn units<'m>(decoded: &'m [u8], units: &mut Vec<&'m [u8]>) {
    let mut rest = cut(decoded);
    if rest.len() <= CHUNK {
        units.push(rest);
        return;
    }
    while rest.len() > 2 * CHUNK {
        let window = rest.get(CHUNK..2 * CHUNK).unwrap_or_default();
        let end = [b'\n', b'>', b' '].into_iter().find_map(|byte| memchr::memchr(byte, window)).unwrap_or(0);
        let (unit, after) = rest.split_at(CHUNK + end + 1);
        units.push(unit);
        rest = after;
    }
    if !rest.is_empty() {
        units.push(rest);
    }
}

/// The part up to its largest size, cut after a line, a tag or a word where one ends soon.
fn cut(decoded: &[u8]) -> &[u8] {
    if decoded.len() <= PART_SIZE {
        return decoded;
    }
    let window = decoded.get(PART_SIZE..decoded.len().min(PART_SIZE + SLACK + 1)).unwrap_or_default();
    let end = [b'\n', b'>', b' '].into_iter().find_map(|byte| memchr::memchr(byte, window));
    let end = end.map_or(PART_SIZE, |at| PART_SIZE + at + 1);
    decoded.get(..end).unwrap_or(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(text: &[u8]) -> Vec<usize> {
        let mut out = Vec::new();
        units(text, &mut out);
        assert_eq!(out.concat().len(), text.len().min(out.concat().len()));
        out.iter().map(|unit| unit.len()).collect()
    }

    #[test]
    fn short_parts_are_one_unit_even_when_empty() {
        assert_eq!(lengths(b""), [0]);
        assert_eq!(lengths(&[b'x'; 2048]), [2048]);
        assert_eq!(lengths(&[b'x'; 4096]), [4096]);
    }

    #[test]
    fn long_parts_are_cut_at_lines_tags_and_words() {
        assert_eq!(lengths(&[b'x'; 5000]), [2049, 2951]);
        let mut text = vec![b'x'; 5000];
        text[2500] = b' ';
        assert_eq!(lengths(&text), [2501, 2499]);
        text[3000] = b'>';
        assert_eq!(lengths(&text), [3001, 1999]);
        text[4095] = b'\n';
        assert_eq!(lengths(&text), [4096, 904]);
        text[2047] = b'\n';
        assert_eq!(lengths(&text), [4096, 904]);
        text[2048] = b'\n';
        assert_eq!(lengths(&text), [2049, 2951]);
    }

    #[test]
    fn no_more_than_the_part_size_is_taken() {
        let mut text = vec![b'x'; 600_000];
        let total = |text: &[u8]| lengths(text).iter().sum::<usize>();
        assert_eq!(total(&text), 500_000);
        text[501_024] = b'\n';
        assert_eq!(total(&text), 501_025);
        text[501_024] = b'x';
        text[501_025] = b'\n';
        assert_eq!(total(&text), 500_000);
    }
}
