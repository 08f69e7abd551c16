//! What a network that reads a line said, step by step along it, as words.
//!
//! Connectionist temporal classification (Graves and others, ICML 2006): at each step every label has a likelihood, label 0
//! stands for no letter, and a letter may go on over several steps.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

/// What the labels stand for.
pub struct Alphabet {
    /// Those from label 1 on.
    letters: Vec<String>,
}

impl Alphabet {
    /// The letters of a dictionary, a line each.
    pub fn new(dictionary: &str) -> Alphabet {
        Alphabet { letters: dictionary.lines().map(str::to_owned).collect() }
    }

    /// How many labels there are: one for no letter, the letters, and a blank between words.
    pub fn labels(&self) -> usize {
        self.letters.len() + 2
    }

    /// `None` is what separates words.
    fn letter(&self, label: usize) -> Option<&str> {
        let letter = self.letters.get(label.checked_sub(1)?)?;
        // The ideographic space is a letter of the dictionary.
        Some(letter.as_str()).filter(|letter| !letter.trim().is_empty())
    }
}

/// A word of a line.
#[derive(Debug, PartialEq)]
pub struct Found {
    pub text: String,
    /// The steps it takes.
    pub steps: Range<usize>,
    /// Mean likelihood of its letters, 0 to 1.
    pub likely: f32,
}

/// The words of a line; `likelihoods` are those of all labels for the first step, then for the next.
pub fn words(likelihoods: &[f32], alphabet: &Alphabet) -> Vec<Found> {
    let mut words = Vec::new();
    let mut word: Option<(Found, usize)> = None;
    let mut last = 0;
    for (step, likelihoods) in likelihoods.chunks_exact(alphabet.labels()).enumerate() {
        let (label, likely) = best(likelihoods);
        let again = label == last;
        last = label;
        match alphabet.letter(label) {
            Some(_) if again => {
                // It goes on.
                word.iter_mut().for_each(|(word, _)| word.steps.end = step + 1);
            }
            Some(letter) => {
                let new = || (Found { text: String::new(), steps: step..step, likely: 0.0 }, 0);
                let (word, letters) = word.get_or_insert_with(new);
                // Full-width letters and ligatures are what they are made of.
                word.text.extend(letter.nfkc());
                word.steps.end = step + 1;
                word.likely += likely;
                *letters += 1;
            }
            // No letter: the word goes on behind it.
            None if label == 0 => {}
            None => words.extend(word.take().map(mean)),
        }
    }
    words.extend(word.map(mean));
    words
}

fn mean((word, letters): (Found, usize)) -> Found {
    Found { likely: word.likely / letters.max(1) as f32, ..word }
}

/// The likeliest label.
fn best(likelihoods: &[f32]) -> (usize, f32) {
    let better = |best: (usize, f32), (label, &likely): (usize, &f32)| {
        if likely > best.1 { (label, likely) } else { best }
    };
    likelihoods.iter().enumerate().fold((0, 0.0), better)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels and likelihoods, a step each; the other labels share the rest.
    fn line(steps: &[(usize, f32)], alphabet: &Alphabet) -> Vec<f32> {
        let labels = alphabet.labels();
        let step = |&(label, likely): &(usize, f32)| {
            let rest = (1.0 - likely) / (labels - 1) as f32;
            (0..labels).map(move |other| if other == label { likely } else { rest })
        };
        steps.iter().flat_map(step).collect()
    }

    #[test]
    fn letters_are_told_from_letters_that_go_on() {
        let alphabet = Alphabet::new("a\nb\nｃ\n");
        assert_eq!(alphabet.labels(), 5);
        let (none, a, b, c, blank) = (0, 1, 2, 3, 4);
        let said = [
            (none, 0.9),
            (a, 0.8),
            (a, 0.6),
            (none, 0.9),
            (a, 1.0),
            (b, 0.6),
            (blank, 0.9),
            (blank, 0.9),
            (none, 0.9),
            (c, 0.5),
        ];
        let words = words(&line(&said, &alphabet), &alphabet);
        let expected = [("aab", 1..6, 0.8), ("c", 9..10, 0.5)];
        assert_eq!(words.len(), expected.len());
        for (word, (text, steps, likely)) in words.iter().zip(expected) {
            assert_eq!((word.text.as_str(), &word.steps), (text, &steps));
            assert!((word.likely - likely).abs() < 1e-6, "{word:?}");
        }
    }

    #[test]
    fn nothing_is_read_from_nothing() {
        let alphabet = Alphabet::new("a\n\u{3000}\n");
        assert_eq!(words(&[], &alphabet), []);
        assert_eq!(words(&line(&[(0, 0.9), (3, 0.9), (2, 0.9), (0, 0.9)], &alphabet), &alphabet), []);
        // A step that was cut off, and likelihoods that are none.
        assert_eq!(words(&[0.1, 0.8], &alphabet), []);
        assert_eq!(words(&[f32::NAN; 8], &alphabet), []);
        // Only what the dictionary knows is a letter.
        assert_eq!(words(&line(&[(1, 0.9)], &Alphabet::new("a")), &Alphabet::new("")), []);
    }
}
