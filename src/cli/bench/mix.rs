//! Which client class the next message belongs to, and which mail it is.

use std::{path::PathBuf, str::FromStr};

use super::{Failure, read};
use crate::wire::request::Envelope;

/// One class of `--mix`, its share, and its own messages where it has some.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    profile: String,
    share: f64,
    path: Option<PathBuf>,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Part, String> {
        let mut fields = text.splitn(3, ':');
        let (profile, share) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let share = share.parse().ok().filter(|&share: &f64| share > 0.0 && share <= 1e6);
        match share {
            Some(share) if !profile.is_empty() => {
                let path = fields.next().filter(|path| !path.is_empty()).map(PathBuf::from);
                Ok(Part { profile: profile.to_owned(), share, path })
            }
            _ => Err(
                "a class and its share are needed, as in internal:0.1, and perhaps its own messages, as in \
                      external:0.2:pictures/"
                    .into(),
            ),
        }
    }
}

impl Part {
    /// Whether it brings its own messages.
    pub fn has_mails(&self) -> bool {
        self.path.is_some()
    }
}

/// Messages that are asked for in the same way.
#[derive(Debug)]
pub(super) struct Class {
    /// Where it ends between 0 and 1.
    end: f64,
    /// What it is called in the report.
    pub name: String,
    /// What is sent with each message.
    pub envelope: Envelope,
    /// `None` for those that all share.
    mails: Option<Vec<Vec<u8>>>,
}

/// Classes, and the messages that those share which have none of their own.
#[derive(Debug)]
pub(super) struct Mix {
    classes: Vec<Class>,
    mails: Vec<Vec<u8>>,
}

impl Mix {
    /// All of one profile, unless there are `parts`.
    ///
    /// # Errors
    /// The messages of a part cannot be read, or there are none.
    pub fn new(profile: Option<String>, parts: &[Part], mails: Vec<Vec<u8>>) -> Result<Mix, Failure> {
        let envelope = |profile| Envelope { profile, ..Envelope::default() };
        if parts.is_empty() {
            let name = profile.clone().unwrap_or_else(|| "default".into());
            let class = Class { end: 1.0, name, envelope: envelope(profile), mails: None };
            return Ok(Mix { classes: vec![class], mails });
        }
        let all: f64 = parts.iter().map(|part| part.share).sum();
        let mut end = 0.0;
        let mut classes = Vec::new();
        for part in parts {
            end += part.share / all;
            let (name, mails) = match &part.path {
                Some(path) => {
                    (format!("{} {}", part.profile, path.display()), Some(read(std::slice::from_ref(path))?))
                }
                None => (part.profile.clone(), None),
            };
            classes.push(Class { end, name, envelope: envelope(Some(part.profile.clone())), mails });
        }
        Ok(Mix { classes, mails })
    }

    /// The class of a message, by a number in 0..1, and its index.
    pub fn pick(&self, uniform: f64) -> (usize, &Class) {
        let last = self.classes.len().saturating_sub(1);
        let index = self.classes.iter().position(|class| uniform < class.end).unwrap_or(last);
        (index, &self.classes[index])
    }

    /// A message of `class`, by a running number.
    pub fn mail<'m>(&'m self, class: &'m Class, number: usize) -> &'m [u8] {
        let mails = class.mails.as_ref().unwrap_or(&self.mails);
        mails.get(number % mails.len().max(1)).map_or(&[], Vec::as_slice)
    }

    /// What each class is called.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.classes.iter().map(|class| class.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn parts(texts: &[&str]) -> Vec<Part> {
        texts.iter().map(|part| part.parse().unwrap()).collect()
    }

    #[test]
    fn classes_have_their_shares() {
        let mix = Mix::new(None, &parts(&["external:9", "internal:1"]), vec![]).unwrap();
        let picked: Vec<usize> = (0..10).map(|tenth| mix.pick(f64::from(tenth) / 10.0).0).collect();
        assert_eq!(picked, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(mix.pick(1.0).1.envelope.profile.as_deref(), Some("internal"));
        for wrong in ["internal", "internal:", ":1", "internal:0", "internal:-1", "internal:NaN"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_class_may_have_its_own_messages() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.eml"), "Subject: own\n\n").unwrap();
        let own = format!("external:1:{}", folder.path().display());
        let mix =
            Mix::new(None, &parts(&[&own, "internal:1"]), vec![b"Subject: shared\n\n".to_vec()]).unwrap();
        let subjects: Vec<&[u8]> = [0.0, 0.9].map(|at| mix.mail(mix.pick(at).1, 7)).into();
        assert_eq!(subjects, [&b"Subject: own\n\n"[..], b"Subject: shared\n\n"]);
        assert!(mix.names().next().unwrap().contains(folder.path().to_str().unwrap()));
        assert!(Mix::new(None, &parts(&["external:1:/no/such/folder"]), vec![]).is_err());
    }
}
