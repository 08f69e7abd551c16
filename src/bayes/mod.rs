//! How likely is it spam, given the words?
//!
//! [`Tokens`] are what the filter sees of a message. A [`Model`] holds a weight for each token that it
//! knows; their sum, over the root of their number, is the score, and a calibration makes a probability of
//! it. Training collects the tokens of sorted mail in a [`Corpus`], whose rows can be counted on many
//! machines and merged, and [`Corpus::build`] learns the weights.

mod corpus;
mod counting;
mod counts;
mod dictionary;
mod fields;
mod folded;
mod hash;
mod learn;
mod map_ffi;
mod matrix;
mod model;
mod normal;
mod online;
mod spool;
mod store;
mod text;
mod tokens;
mod words;

pub mod metrics;

#[cfg(test)]
mod tests;

use std::io;

pub use corpus::{Corpus, Report};
pub use learn::Options;
pub use model::{MIN_MESSAGES, Model};
pub use online::Online;
pub use spool::{Class, Learned as Spooled, Spool, SpoolError};
pub use store::Memory;
pub use tokens::Tokens;

/// Why there is no usable model, or no usable file of counted messages.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("this is not a file of criba's Bayes filter")]
    Foreign,
    #[error("its format is version {found}, this criba knows version {known}: train it again")]
    Version { found: u32, known: u32 },
    #[error("its tokens are of version {found}, this criba makes version {known}: train it again")]
    Tokens { found: u32, known: u32 },
    #[error("it should be {said} bytes long and is {found}: copy it again")]
    Length { said: u64, found: u64 },
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    #[error(
        "there are {spam} spam and {ham} ham messages: a model needs both, at least {MIN_MESSAGES} of each"
    )]
    OneSided { spam: u64, ham: u64 },
    #[error("too many different tokens for one model")]
    TooManyTokens,
}
