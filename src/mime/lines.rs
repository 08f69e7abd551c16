//! What SpamAssassin does to the lines of a body before it looks at parts and text: runs of blank lines are
//! cut, overlong lines broken. Both are rare, found without looking at every byte, and copied only then.

use bumpalo::collections::Vec as ArenaVec;
use memchr::{memchr, memrchr};

use super::{
    Arena,
    headers::{is_space, line_at},
};

/// Longer runs of blank lines are cut to this many.
const BLANK_LINES: usize = 20;

/// Longer lines, their LF counted, are broken.
const LINE: usize = 2048;

/// Cuts runs of more than 20 blank lines (white space counts as blank) to their first line and their last 19;
/// a run at the start keeps one more.
pub(super) fn without_blank_runs<'m>(body: &'m [u8], arena: &'m Arena) -> &'m [u8] {
    if !may_have_blank_run(body) {
        return body;
    }
    let mut out = ArenaVec::with_capacity_in(body.len(), arena);
    let mut run: Vec<&[u8]> = Vec::new();
    let mut position = 0;
    let mut kept = BLANK_LINES + 1;
    while let Some(line) = line_at(body, position) {
        position += line.len();
        if line.iter().all(|byte| is_space(*byte)) {
            run.push(line);
            continue;
        }
        flush(&mut run, kept, &mut out);
        kept = BLANK_LINES;
        out.extend_from_slice_copy(line);
    }
    flush(&mut run, kept, &mut out);
    out.into_bump_slice()
}

fn flush(run: &mut Vec<&[u8]>, kept: usize, out: &mut ArenaVec<'_, u8>) {
    // At the start SpamAssassin counts one line less, and keeps two of the first instead of one.
    let head = if kept > BLANK_LINES { 2 } else { 1 };
    let tail = run.len().saturating_sub(kept - head).max(head.min(run.len()));
    for line in run.iter().take(head).chain(run.iter().skip(tail)) {
        out.extend_from_slice_copy(line);
    }
    run.clear();
}

/// Whether there is a stretch of white space long enough for such a run. Looks at one byte in 21.
fn may_have_blank_run(body: &[u8]) -> bool {
    let mut position = BLANK_LINES;
    while let Some(byte) = body.get(position) {
        if is_space(*byte) {
            let (before, after) = body.split_at(position);
            let start = before.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
            let end = position + after.iter().take_while(|byte| is_space(**byte)).count();
            let stretch = body.get(start..end).unwrap_or_default();
            if stretch.len() > BLANK_LINES && memchr::memchr_iter(b'\n', stretch).count() > BLANK_LINES {
                return true;
            }
            position = end;
        }
        position += BLANK_LINES + 1;
    }
    false
}

/// Whether a line is longer than SpamAssassin lets it be inside a multipart; `lf_cut` tells that the last
/// line had an LF that `body` lacks.
pub(super) fn has_long_line(body: &[u8], lf_cut: bool) -> bool {
    let mut rest = body;
    while rest.len() + usize::from(lf_cut) > LINE {
        let window = rest.get(..LINE).unwrap_or(rest);
        let Some(lf) = memrchr(b'\n', window) else { return true };
        rest = rest.get(lf + 1..).unwrap_or_default();
    }
    false
}

/// Puts an LF after every 2048 bytes of a line: a line of 2048 bytes and its LF becomes that line and an
/// empty one.
pub(super) fn break_long_lines<'m>(body: &[u8], lf_cut: bool, arena: &'m Arena) -> &'m [u8] {
    let mut broken = ArenaVec::with_capacity_in(body.len() + body.len() / LINE + 1, arena);
    let mut rest = body;
    while !rest.is_empty() {
        let (mut line, after) = rest.split_at(memchr(b'\n', rest).map_or(rest.len(), |lf| lf + 1));
        // The LF that went to the boundary counts, and what is broken before it leaves an empty line there.
        let lf = usize::from(lf_cut && after.is_empty());
        while line.len() + lf > LINE {
            let (start, end) = line.split_at(LINE);
            broken.extend_from_slice_copy(start);
            broken.push(b'\n');
            line = end;
        }
        broken.extend_from_slice_copy(line);
        rest = after;
    }
    broken.into_bump_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(body: &str) -> String {
        let arena = Arena::new();
        String::from_utf8(without_blank_runs(body.as_bytes(), &arena).to_vec()).unwrap()
    }

    fn broken(body: &str, lf_cut: bool) -> String {
        let arena = Arena::new();
        String::from_utf8(break_long_lines(body.as_bytes(), lf_cut, &arena).to_vec()).unwrap()
    }

    #[test]
    fn more_than_twenty_blank_lines_become_twenty() {
        let body = |lines: usize| format!("a\n{}b\n", "\n".repeat(lines));
        assert_eq!(cut(&body(20)), body(20));
        assert_eq!(cut(&body(21)), body(20));
        assert_eq!(cut(&body(500)), body(20));
        assert_eq!(cut(&"\n".repeat(21)), "\n".repeat(21), "at the start one more stays");
        assert_eq!(cut(&"\n".repeat(50)), "\n".repeat(21));
        assert_eq!(cut(&format!("a{}", "\n".repeat(50))), format!("a{}", "\n".repeat(21)));
    }

    #[test]
    fn of_a_blank_run_the_first_line_and_the_last_ones_stay() {
        let run: String = (0..30).map(|n| format!("{}\n", if n % 2 == 0 { " " } else { "\t\r" })).collect();
        let body = format!("a\n{run}b\n");
        let lines: Vec<&str> = run.split_inclusive('\n').collect();
        let wanted = format!("a\n{}{}b\n", lines[0], lines[11..].concat());
        assert_eq!(cut(&body), wanted);
    }

    #[test]
    fn a_line_of_2048_bytes_and_its_lf_becomes_that_line_and_an_empty_one() {
        let line = "x".repeat(2048);
        assert!(!has_long_line(line.as_bytes(), false) && has_long_line(line.as_bytes(), true));
        assert_eq!(broken(&format!("{line}\nb"), false), format!("{line}\n\nb"));
        assert_eq!(broken(&line, true), format!("{line}\n"));
        assert_eq!(broken(&line, false), line);
        assert_eq!(broken(&format!("{line}\n"), true), format!("{line}\n\n"));
        let short = "x".repeat(2047);
        assert_eq!(broken(&format!("{short}\nb"), false), format!("{short}\nb"));
        assert_eq!(broken(&format!("{line}{line}b\n"), false), format!("{line}\n{line}\nb\n"));
    }
}
