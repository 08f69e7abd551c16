//! What is to know of an HTML part beside its text.

use rustc_hash::FxHashMap;

use super::{elements::Tag, renderer::MANY};

/// What an HTML part says beside its text: the facts that SpamAssassin's HTML rules ask for, and some more.
///
/// Lengths are in characters. A ratio is `None` where SpamAssassin leaves it undefined.
#[derive(Clone, Debug, Default)]
pub struct HtmlFacts<'m> {
    /// Index into [`Message::parts`](crate::mime::Message::parts).
    pub part: usize,
    /// The text of the first title; empty where there is none.
    pub title: &'m str,
    /// The text of each title, as written.
    pub titles: Vec<&'m str>,
    /// Each `a` element, in order.
    pub anchors: Vec<Anchor<'m>>,
    /// Comments with their delimiters, and what browsers take for comments.
    pub comments: Vec<&'m str>,
    /// The content of each script.
    pub scripts: Vec<&'m str>,
    /// Charsets that meta elements declare, as written.
    pub charsets: Vec<&'m str>,
    /// Where a meta element sends the reader to; empty where there is none.
    pub refresh: &'m str,
    /// Length of the decoded source.
    pub length: usize,
    /// Length of the part before it was decoded to characters, in bytes.
    pub source_bytes: usize,
    /// Length of the rendered text, and of that without white space.
    pub text_length: usize,
    pub non_space: usize,
    /// Bytes of the rendered text that a reader doesn't see.
    pub invisible_bytes: usize,
    /// Start and end tags, and how many of them are of valid elements.
    pub tags: u32,
    pub elements: u32,
    /// The same, each element counted once.
    pub tags_seen: u32,
    pub elements_seen: u32,
    /// End tags of what was not open.
    pub closed_extra: u32,
    /// Words with a tag or a comment in their middle.
    pub obfuscations: u32,
    /// Pictures, and the sum of their areas: width times height as given, 200 for what is not.
    pub images: u32,
    pub image_area: f64,
    /// Font sizes that were asked for; the default is 3.
    pub max_size: i64,
    pub min_size: i64,
    pub forms: u32,
    /// Input fields for passwords.
    pub password_fields: u32,
    /// An `object` or `embed` element.
    pub embeds: bool,
    pub font_face_bad: bool,
    /// Text in the colour of what is behind it, or nearly.
    pub font_low_contrast: bool,
    pub font_invalid_color: bool,
    pub form_action_mailto: bool,
    /// A link was longer than 8,192 characters.
    pub uri_truncated: bool,
    pub(super) inside: Inside<'m>,
}

/// An `a` element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor<'m> {
    /// Its `href` as written, white space trimmed; empty where it has none.
    pub href: &'m str,
    /// Its text with character references decoded; a picture is `<img>` and LF.
    pub text: &'m str,
}

impl HtmlFacts<'_> {
    /// How often the element (in lower case) is still open at the end: start tags less end tags, 0 at least.
    /// `None` where it never occurs.
    pub fn inside(&self, element: &str) -> Option<u32> {
        self.inside.get(element)
    }

    /// Part of the tags whose element is not valid.
    pub fn bad_tag_ratio(&self) -> Option<f64> {
        (self.elements > 0).then(|| ratio(self.tags - self.elements, self.tags))
    }

    /// Part of the different elements that are not valid.
    pub fn non_element_ratio(&self) -> Option<f64> {
        (self.elements_seen > 0).then(|| ratio(self.tags_seen - self.elements_seen, self.tags_seen))
    }

    /// End tags of what was not open, by tag.
    pub fn closed_extra_ratio(&self) -> Option<f64> {
        (self.tags > 0).then(|| ratio(self.closed_extra, self.tags))
    }

    /// Words with a tag in their middle, by tag.
    pub fn obfuscation_ratio(&self) -> Option<f64> {
        (self.tags > 0 && self.obfuscations > 0).then(|| ratio(self.obfuscations, self.tags))
    }

    /// Part of the source that is not text.
    pub fn markup_ratio(&self) -> Option<f64> {
        let source = self.source_bytes as f64;
        (self.source_bytes > 0).then(|| (source - self.text_length as f64) / source)
    }
}

fn ratio(part: u32, whole: u32) -> f64 {
    f64::from(part) / f64::from(whole)
}

/// How often each element is open.
#[derive(Clone, Debug)]
pub(super) struct Inside<'m> {
    known: [Option<u32>; Tag::ALL.len()],
    other: FxHashMap<&'m str, u32>,
}

impl Default for Inside<'_> {
    fn default() -> Self {
        Inside { known: [None; Tag::ALL.len()], other: FxHashMap::default() }
    }
}

impl<'m> Inside<'m> {
    fn get(&self, element: &str) -> Option<u32> {
        match Tag::of(element.as_bytes()) {
            Some(tag) => self.known.get(tag as usize).copied().flatten(),
            None => self.other.get(element).copied(),
        }
    }

    pub fn of(&self, tag: Tag) -> u32 {
        self.known.get(tag as usize).copied().flatten().unwrap_or(0)
    }

    /// Counts a tag of a known element.
    pub fn count(&mut self, tag: Tag, is_start: bool) -> Counted {
        self.known.get_mut(tag as usize).map_or(Counted::default(), |count| Counted::step(count, is_start))
    }

    /// Notes an element that occurs and is never open.
    pub fn reset_other(&mut self, name: &'m str) {
        self.other.insert(name, 0);
    }

    /// Counts a tag of any other element, by its name in lower case.
    pub fn count_other(&mut self, name: &'m str, is_start: bool) -> Counted {
        let mut count = self.other.get(name).copied();
        if count.is_none() && self.other.len() >= MANY {
            return Counted::default();
        }
        let counted = Counted::step(&mut count, is_start);
        self.other.insert(name, count.unwrap_or(0));
        counted
    }
}

/// What a tag meant for its element's count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    /// The first tag of its element.
    pub is_first: bool,
    /// The end of what was not open.
    pub is_extra: bool,
}

impl Counted {
    fn step(count: &mut Option<u32>, is_start: bool) -> Counted {
        let before = count.unwrap_or(0);
        let counted = Counted { is_first: count.is_none(), is_extra: !is_start && before == 0 };
        *count = Some(if is_start { before.saturating_add(1) } else { before.saturating_sub(1) });
        counted
    }
}
