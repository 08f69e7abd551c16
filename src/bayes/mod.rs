//! How likely is it spam, given the words?

use std::path::Path;

use crate::{
    mime::Message,
    render::{LateText, Rendered},
    verdict::BayesOpinion,
};

/// A trained model: immutable, memory-mapped, shared by all workers and processes.
#[derive(Debug)]
pub struct Model {}

/// Why a file is not a usable model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("not a criba model: {0}")]
    Foreign(&'static str),
}

/// The tokens of one message, as 64-bit fingerprints without duplicates. Reused between messages.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    pub fingerprints: Vec<u64>,
}

impl Tokens {
    /// Forgets the last message and collects the tokens of this one.
    pub fn collect(&mut self, _message: &Message<'_>, _rendered: &Rendered<'_>, _late: &[LateText]) {}
}

impl Model {
    /// Maps the model at `path` and checks it.
    pub fn open(_path: &Path) -> Result<Model, Error> {
        unimplemented!()
    }

    /// A model that is part of the program.
    pub fn from_static(_bytes: &'static [u8]) -> Result<Model, Error> {
        Ok(Model {})
    }

    /// The probability that a message with these tokens is spam; `None` where the model abstains.
    pub fn judge(&self, _tokens: &Tokens) -> Option<BayesOpinion> {
        None
    }
}
