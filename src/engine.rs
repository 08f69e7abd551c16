//! Everything that was loaded, immutable, swapped whole on reload.

use crate::{pipeline::Scratch, profile::Profile};

/// Rules, model, profiles and OCR workers: what a scan begins with it ends with.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// Scratch space for one worker thread.
    pub fn scratch(&self) -> Scratch {
        unimplemented!()
    }

    /// The profile of that name; `None` asks for the default, `external`.
    pub fn profile(&self, _name: Option<&str>) -> Option<&Profile> {
        unimplemented!()
    }
}
