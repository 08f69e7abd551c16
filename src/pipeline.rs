//! The way of a message, one commented line a stage.

use crate::{budget::Budget, engine::Engine, profile::Profile, verdict::Verdict, wire::request::Envelope};

/// A message to judge.
#[derive(Clone, Copy, Debug)]
pub struct Mail<'a> {
    pub raw: &'a [u8],
    pub envelope: &'a Envelope,
    pub profile: &'a Profile,
}

/// Takes the verdict that stands after each stage, so that a reply is ready whenever the deadline strikes.
pub trait Publish {
    fn publish(&self, verdict: Verdict);
}

/// What one worker thread reuses from message to message.
#[derive(Debug)]
pub struct Scratch {}

/// Judges one message.
pub fn scan(
    _engine: &Engine,
    _scratch: &mut Scratch,
    _mail: Mail<'_>,
    _budget: Budget,
    _slot: &dyn Publish,
) -> Verdict {
    unimplemented!()
}
