//! What was seen of an attachment on its way, for people who want to look at it.

use std::time::Duration;

use crate::{
    media::Seen,
    ocr::{Page, Word},
};

/// The pictures of an attachment and what was read from them.
#[derive(Debug)]
pub struct Looked {
    /// Place in the message; empty for a file that is none.
    pub place: String,
    pub seen: Vec<Seen>,
    pub pages: Vec<ReadPage>,
}

/// A page as it was handed to the recogniser.
#[derive(Debug)]
pub struct ReadPage {
    /// Place inside the attachment.
    pub label: String,
    pub page: Page,
    /// Words that were read; `None` where the page was not read, which is then among what was skipped.
    pub words: Option<Vec<Word>>,
    pub time: Duration,
}
