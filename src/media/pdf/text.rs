//! Letters on a page put together into words and lines, in the order in which they are drawn.

use hayro_interpret::kurbo::Point;

/// A gap that is a space, in ems.
const SPACE: f64 = 0.17;
/// A gap beyond which the next letter does not follow on the same line, in ems: another column, say.
const FAR: f64 = 12.0;
/// By how much a letter may stand off its line, in ems.
const OFF: f64 = 0.55;

/// Where a letter stands, in page coordinates.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The points on the baseline where it begins and where the next one may.
    pub start: Point,
    pub end: Point,
    /// Its em.
    pub size: f64,
}

/// The text so far.
#[derive(Debug, Default)]
pub struct Lines {
    text: String,
    last: Option<Place>,
}

impl Lines {
    /// Adds a letter (or what one glyph stands for).
    pub fn add(&mut self, place: Place, letters: &str) {
        if !(place.start.is_finite() && place.end.is_finite() && place.size > 0.0) {
            return;
        }
        match self.last.map(|last| joint(last, place)) {
            None | Some(Joint::Word) => {}
            Some(Joint::Space) => self.space(' '),
            Some(Joint::Line) => self.space('\n'),
        }
        self.last = Some(place);
        for letter in letters.chars() {
            if letter.is_whitespace() || letter == '\u{a0}' {
                self.space(' ');
            } else if let Some(letters) = ligature(letter) {
                self.text.push_str(letters);
            } else if !letter.is_control() {
                self.text.push(letter);
            }
        }
    }

    fn space(&mut self, space: char) {
        match self.text.as_bytes().last() {
            None | Some(b'\n') => {}
            Some(b' ') if space == ' ' => {}
            Some(b' ') => {
                self.text.pop();
                self.text.push(space);
            }
            Some(_) => self.text.push(space),
        }
    }

    /// The text, lines separated by LF.
    pub fn finish(mut self) -> String {
        self.text.truncate(self.text.trim_end().len());
        self.text
    }
}

/// The letters that one glyph stands for in print, and that rules and tokens know apart only.
fn ligature(letter: char) -> Option<&'static str> {
    Some(match letter {
        '\u{fb00}' => "ff",
        '\u{fb01}' => "fi",
        '\u{fb02}' => "fl",
        '\u{fb03}' => "ffi",
        '\u{fb04}' => "ffl",
        '\u{fb05}' | '\u{fb06}' => "st",
        _ => return None,
    })
}

enum Joint {
    Word,
    Space,
    Line,
}

fn joint(last: Place, next: Place) -> Joint {
    let size = last.size.max(next.size).max(f64::MIN_POSITIVE);
    let direction = last.end - last.start;
    let length = direction.hypot();
    let step = next.start - last.end;
    // Along the line and across it; a letter without width says nothing about its line's direction.
    let (along, across) = match length > 0.0 {
        true => (step.dot(direction) / length / size, step.cross(direction).abs() / length / size),
        false => (step.x / size, step.y.abs() / size),
    };
    // A letter that begins well before the last one has ended starts a line of its own, even on the same height.
    if across > OFF || !(-1.0..=FAR).contains(&along) {
        Joint::Line
    } else if along > SPACE {
        Joint::Space
    } else {
        Joint::Word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(letters: &[(f64, f64, &str)]) -> String {
        let mut lines = Lines::default();
        for &(x, y, letter) in letters {
            lines.add(Place { start: Point::new(x, y), end: Point::new(x + 5.0, y), size: 10.0 }, letter);
        }
        lines.finish()
    }

    #[test]
    fn gaps_make_words_and_steps_make_lines() {
        let text = lines(&[
            (0.0, 0.0, "a"),
            (5.5, 0.0, "b"),
            (14.0, 0.0, "c"),
            (0.0, 12.0, "d"),
            (5.0, 12.0, " "),
            (10.0, 12.0, "e"),
            (15.0, 9.0, "2"),
            (400.0, 12.0, "f"),
        ]);
        assert_eq!(text, "ab c\nd e2\nf");
    }

    #[test]
    fn ligatures_are_taken_apart() {
        assert_eq!(lines(&[(0.0, 0.0, "e"), (5.0, 0.0, "\u{fb03}"), (10.0, 0.0, "cient")]), "efficient");
    }

    #[test]
    fn places_that_are_no_numbers_are_dropped() {
        assert_eq!(lines(&[(f64::NAN, 0.0, "a"), (f64::INFINITY, 0.0, "b"), (0.0, 0.0, "c")]), "c");
    }
}
