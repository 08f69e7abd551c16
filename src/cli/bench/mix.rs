//! Which client class the next message belongs to.

use std::str::FromStr;

use crate::wire::request::Envelope;

/// One class of `--mix` and its share.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    profile: String,
    share: f64,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Part, String> {
        let split = text.rsplit_once(':').and_then(|(name, share)| Some((name, share.parse().ok()?)));
        match split {
            Some((name, share)) if !name.is_empty() && share > 0.0 && share <= 1e6 => {
                Ok(Part { profile: name.to_owned(), share })
            }
            _ => Err("a class and its share are needed, as in internal:0.1".into()),
        }
    }
}

/// Classes, and where each ends between 0 and 1.
#[derive(Debug)]
pub(super) struct Mix(Vec<(f64, Envelope)>);

impl Mix {
    /// All of one profile, unless there are `parts`.
    pub fn new(profile: Option<String>, parts: &[Part]) -> Mix {
        let envelope = |profile| Envelope { profile, ..Envelope::default() };
        if parts.is_empty() {
            return Mix(vec![(1.0, envelope(profile))]);
        }
        let all: f64 = parts.iter().map(|part| part.share).sum();
        let mut end = 0.0;
        let class = |part: &Part| {
            end += part.share / all;
            (end, envelope(Some(part.profile.clone())))
        };
        Mix(parts.iter().map(class).collect())
    }

    /// The class of a message, by a number in 0..1: its index, and what to send with the message.
    pub fn pick(&self, uniform: f64) -> (usize, &Envelope) {
        let last = self.0.len().saturating_sub(1);
        let index = self.0.iter().position(|(end, _)| uniform < *end).unwrap_or(last);
        (index, &self.0[index].1)
    }

    /// What each class is called.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(_, envelope)| envelope.profile.clone().unwrap_or_else(|| "default".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_their_shares() {
        let parts: Vec<Part> = ["external:9", "internal:1"].map(|part| part.parse().unwrap()).into();
        let mix = Mix::new(None, &parts);
        let picked: Vec<usize> = (0..10).map(|tenth| mix.pick(f64::from(tenth) / 10.0).0).collect();
        assert_eq!(picked, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(mix.pick(1.0).1.profile.as_deref(), Some("internal"));
        for wrong in ["internal", "internal:", ":1", "internal:0", "internal:-1", "internal:NaN"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }
}
